import type { Component, Design } from "../design/model";
import type { Switchable } from "../design/switchable";
import { Kernel, type Model } from "../kernel/kernel";
import type { PacketColumns } from "../network/packetColumns";
import { PacketLog } from "../network/packets";
import { Transcript } from "../network/transcript";
import { CostProfile } from "../profiles/profile";
import type { KernelSystem } from "../scheduling/crossing";
import { Cpus } from "../scheduling/cpus";
import type { ThreadLevel } from "../scheduling/threads";
import type { Link } from "../network/link";
import type { Histogram } from "../analysis/histogram";
import type { FrameLoans } from "./frameLoans";
import type { GrantTables } from "./grants";
import type { Lifecycle } from "./lifecycle";
import type { Nic } from "./nic/nic";
import type { HostMemory } from "./memory";
import type { Portmap } from "./portmap";

/** What the whole machine shares. */
export class Machine {
  readonly kernel: Kernel;
  readonly cpus: Cpus;
  readonly costs: CostProfile;
  readonly packets: PacketLog;
  readonly transcript: Transcript;
  /** Models of placed components by design path. */
  readonly components = new Map<string, PlacedModel>();
  readonly nics = new Map<string, Nic>();
  readonly links: Link[] = [];
  /** Portmaps by path of the network server; the hypervisor holds them. */
  readonly portmaps = new Map<string, Portmap>();
  /** Grant tables and memory by host. */
  readonly grants = new Map<string, GrantTables>();
  readonly memories = new Map<string, HostMemory>();
  /** By domain, where frames can be in pages that others lend. */
  readonly loans = new Map<number, FrameLoans>();
  /** Who kills and boots domains: there when the components are connected. */
  lifecycle!: Lifecycle;

  /** @param columns the packets of the engine that records, for one that replays; undefined in the one that records */
  constructor(readonly design: Design, columns?: PacketColumns) {
    this.kernel = new Kernel(design.run.seed, columns === undefined);
    this.costs = new CostProfile(design.profile, this.kernel.names.functions, design.costs);
    this.cpus = new Cpus(this.kernel, this.costs);
    this.packets = new PacketLog(this.kernel.store, columns);
    this.transcript = new Transcript(this.kernel.store, this.packets.columns);
  }

  private guestMacs = 0;

  /** The Ethernet address of the next virtual interface, of Xen's own range (00:16:3e); while the machine is built. */
  nextGuestMac(): number {
    return 0x00_16_3e_00_00_00 + ++this.guestMacs;
  }

  /** @throws Error if nothing stands at the path */
  placed(path: string): PlacedModel {
    const model = this.components.get(path);
    if (model === undefined) throw new Error(`There is no component ${path}.`);
    return model;
  }
}

/** A component model in its domain. */
export interface PlacedModel extends Model {
  /** Its id in the trace. */
  readonly id: number;
  /** Second step of building: find the neighbours; all components exist. */
  connect?(): void;
  /** The machine is switched on; also its domain, when that runs again with the state that this component had after `connect`. */
  start?(): void;
  /** Its domain has died: what it held outside of the domain's memory is taken back (a device, an entry of the hypervisor's). */
  reclaim?(): void;
  /** Picoseconds from `reclaim` until it can start again. */
  readonly resetTime?: number;
  /** Another domain has died: what it shared with this component is gone, and the hypervisor may tell so by an event. */
  peerDied?(domain: DomainPlace): void;
  /** What its workloads achieved, if it runs any. @param end until when, where that is later than now; picoseconds */
  reports?(end?: number): WorkloadReport[];
}

/** What one workload achieved. Times in picoseconds. */
export interface WorkloadReport {
  readonly path: string;
  readonly kind: string;
  /** Messages that it was to send, each time that it began; undefined where that is not known beforehand. */
  readonly requests: number | undefined;
  /** When it began again, with all that it was to send, as its client's domain had died and ran again. */
  readonly beganAgain: readonly number[];
  readonly sent: number;
  readonly completed: number;
  /** Answers, or datagrams of a stream, that came again: see {@link completed}, in which each is once. */
  readonly duplicates: number;
  readonly errors: number;
  /** The errors by reason; those that occurred. */
  readonly failures: Readonly<Record<string, number>>;
  /**
   * From its beginning to the last success, or to the end where it is not over. Of one that began again, of all its lives: one that was not over when its
   * client died lasts until the next one begins; between one that was over and the next one there was nothing to do.
   */
  readonly duration: number;
  /** Bytes of application data received. */
  readonly bytes: number;
  readonly latency: Histogram;
  /** Jain's index over what its clients got, whatever connections they had: see `analysis/fairness.ts`. Undefined where nothing is shared. */
  readonly fairness: number | undefined;
  /**
   * Longest time in which something was waited for, an answer or a connection, and nothing got through: what an outage looks like from outside. So does one of the
   * client itself: what it waited for is lost with it, and is waited for until something gets through after that. Where it waited for nothing, its death is no silence.
   */
  readonly silence: number;
  /** By message size, where the workload goes through several. */
  readonly sizes?: readonly SizeReport[];
}

/** What a workload achieved with messages of one size. */
export interface SizeReport {
  /** Bytes. */
  readonly size: number;
  readonly messages: number;
  /** Mean time one way, picoseconds. */
  readonly oneWay: number;
  /** Bits a second: the size over the time one way. */
  readonly throughput: number;
}

/** Where a component sits, and with whom. */
export interface Placement {
  readonly machine: Machine;
  readonly spec: Component;
  readonly domain: DomainPlace;
}

/** Whose source a domain's functions come from: the names and files of the trace's rows. */
export type System = "rump" | "linux";

/** How a network stack is locked: whose it is, and how it was built. */
export type Locking = "netbsd" | "netbsd with NET_MPSAFE" | "rump" | "linux";

export interface DomainPlace {
  readonly id: number;
  readonly path: string;
  readonly host: string;
  readonly system: System;
  /** Of a process: its kernel, by the id of its domain, and whose that is. */
  readonly kernel: { readonly id: number; readonly system: KernelSystem } | undefined;
  /** Interrupts reach it through a hypervisor. */
  readonly virtual: boolean;
  readonly vcpus: number;
  /** Types of its components, from the application down. */
  readonly components: readonly Component[];
  readonly activeUplink: string | undefined;
  /** The interface that the sockets are bound to: the VIF where the uplink can be switched, whichever carries the frames. */
  readonly socketInterface: string | undefined;
  /** What the domain can switch between while it runs. */
  readonly switchable: Switchable | undefined;
  /** Largest IP datagram that leaves the domain, bytes. */
  readonly mtu: number;
  /** How its network stack is locked; undefined: by nothing, as that of a process whose one thread does everything. */
  readonly locking: Locking | undefined;
  /** Threads and locks that components of the domain share, by name. */
  readonly threads: Map<string, number>;
  readonly locks: Map<string, number>;
}

/** A thread of the domain by name, made at the first call. @param affinity see {@link Cpus.addThread} */
export function sharedThread(machine: Machine, domain: DomainPlace, name: string, affinity = -1, level: ThreadLevel = "thread"): number {
  let thread = domain.threads.get(name);
  if (thread === undefined) {
    thread = machine.cpus.addThread(domain.id, name, affinity, level);
    domain.threads.set(name, thread);
  }
  return thread;
}
