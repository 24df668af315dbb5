import type { TraceNames } from "./trace";

/**
 * Numbers of a timeline's tracks: contexts first (pCPUs, threads, devices, links, each with its own id), then vCPUs, then
 * packets. Stable for a trace and all of its prefixes.
 */
export class TrackIds {
  private readonly contexts: number;
  private readonly vcpus: number;

  constructor(names: TraceNames) {
    this.contexts = names.contexts.length;
    this.vcpus = names.vcpus.length;
  }

  /** Number of tracks that are not packets. */
  get fixed(): number { return this.contexts + this.vcpus; }
  ofContext(context: number): number { return context; }
  ofVcpu(vcpu: number): number { return this.contexts + vcpu; }
  ofPacket(packet: number): number { return this.fixed + packet; }
  /** The packet whose track it is, or −1. */
  packetOf(track: number): number { return track < this.fixed ? -1 : track - this.fixed; }
  /** The vCPU whose track it is, or −1. */
  vcpuOf(track: number): number { return track < this.contexts || track >= this.fixed ? -1 : track - this.contexts; }
}
