import { Priority } from "../kernel/queue";
import type { Machine } from "../machine/machine";
import { ArpOperation, BROADCAST } from "../network/packets";
import { NONE } from "../trace/trace";
import type { NetworkInterface } from "./interface";

const SECOND = 1e12;
/** RFC 5227 section 1.1, as in NetBSD's `if_inarp.h`; PROBE_NUM, 3 there, is an option. */
const PROBE_WAIT = SECOND;
const PROBE_MIN = SECOND;
const PROBE_MAX = 2 * SECOND;
const ANNOUNCE_WAIT = 2 * SECOND;
const ANNOUNCE_INTERVAL = 2 * SECOND;
/** What an ARP packet takes of a frame, padded. */
export const ARP_FRAME = 60;

const Phase = { none: 0, tentative: 1, claimed: 2 } as const;

/** Where an address is to be, and who is told what came of it. Addresses have numbers. */
export interface Claimant {
  address(which: number): number;
  /** The interface that it is claimed at. */
  wire(which: number): NetworkInterface;
  /** Nobody else has it, and the neighbours have been told where it is. */
  claimed(which: number): void;
  /** Somebody else has it. */
  refused(which: number): void;
}

/**
 * An address comes to an interface: address conflict detection and announcement (RFC 5227; NetBSD `arp_ifinit` and `arp_dad_start`, if_arp.c). With
 * probes, the address is tentative at first: after a random wait they ask whether somebody has it, and who is silent agrees; then it is
 * announced, twice. Without them (`net.inet.ip.dad_count` is 0, as rumprun sets it for "immediately operational" addresses: `rumprun.c`),
 * one announcement is all. An announcement is an ARP request for the address itself: whoever had it elsewhere in its cache has it here now.
 */
export class AddressClaim {
  private readonly state;
  private readonly fn;
  private readonly random: number;

  /**
   * @param thread of what the timers lead to
   * @param op of the component: this one announces, the next one probes, the one after is the timer; argument: the address' number
   * @param probes 0: none
   */
  constructor(
    private readonly machine: Machine, private readonly component: number, path: string, private readonly thread: number, private readonly op: number,
    private readonly probes: number, private readonly claimant: Claimant,
  ) {
    const { kernel } = machine;
    this.state = kernel.store.table(`addresses that ${path} claims`, { phase: "u8", probed: "u8", announced: "u8", timer: "i32" });
    this.fn = kernel.functions({
      arpannounce: { file: "sys/netinet/if_arp.c", kind: "ethernet" },
      arp_dad_output: { file: "sys/netinet/if_arp.c", kind: "ethernet", b: "probes sent" },
      arp_dad_timer: { file: "sys/netinet/if_arp.c", kind: "thread", a: "probes sent" },
      "address is in use elsewhere": { kind: "violation" },
    });
    this.random = kernel.random.open(path, "address probes");
  }

  /** An address more, by the next number. */
  add(): void {
    const which = this.state.alloc();
    this.state.timer[which] = NONE;
  }

  /** Longest time from the beginning to the first announcement, picoseconds. */
  get longest(): number {
    return this.probes === 0 ? 0 : PROBE_WAIT + (this.probes - 1) * PROBE_MAX + ANNOUNCE_WAIT;
  }

  /** @param thread whose next work it is, where nothing has to be waited for */
  begin(which: number, thread: number): void {
    const { state, machine: { kernel, cpus } } = this;
    this.stop(which);
    state.probed[which] = state.announced[which] = 0;
    state.phase[which] = Phase.tentative;
    if (this.probes === 0) cpus.call(thread, this.component, this.op, which);
    else this.wait(which, kernel.random.uniform(this.random) * PROBE_WAIT);
  }

  /** The address is at the interface already: the neighbours are told once more. */
  announce(which: number): void {
    this.stop(which);
    this.state.phase[which] = Phase.claimed;
    this.state.probed[which] = this.probes;
    this.state.announced[which] = 0;
    this.machine.cpus.post(this.thread, this.component, this.op, which);
  }

  /** The address leaves the interface (`arp_dad_stop`). */
  stop(which: number): void {
    const { state } = this;
    state.phase[which] = Phase.none;
    if (state.timer[which] !== NONE) this.machine.kernel.cancel(state.timer[which]!);
    state.timer[which] = NONE;
  }

  /** Whether the address is not to be used yet. */
  isTentative(which: number): boolean {
    return this.state.phase[which] === Phase.tentative && this.probes > 0;
  }

  /** An ARP packet has come to the interface: it may show that somebody else has the address, or is about to (RFC 5227 section 2.1.1). */
  hear(which: number, packet: number): void {
    if (!this.isTentative(which)) return;
    const { machine: { kernel, cpus, packets }, claimant } = this;
    const address = claimant.address(which);
    const isClaimed = packets.sourceIp(packet) === address || (packets.sourceIp(packet) === 0 && packets.destinationIp(packet) === address);
    if (!isClaimed || packets.arpSenderMac(packet) === claimant.wire(which).mac) return;
    kernel.mark(this.fn["address is in use elsewhere"], this.component, cpus.contextOf(this.thread), kernel.now, 0, packet);
    this.stop(which);
    claimant.refused(which);
  }

  /** Said in the component's `begin`: an announcement or a probe. */
  spend(op: number, which: number): void {
    const { cpus } = this.machine;
    if (op === this.op) cpus.spend(this.fn.arpannounce);
    else cpus.spend(this.fn.arp_dad_output, NONE, 0, this.state.probed[which]!);
    this.claimant.wire(which).spendTransmit(NONE, ARP_FRAME);
  }

  end(op: number, which: number): void {
    const { state } = this;
    if (state.phase[which] === Phase.none) return;
    const address = this.claimant.address(which);
    const isAnnouncement = op === this.op;
    this.broadcast(which, isAnnouncement ? address : 0, address);
    if (!isAnnouncement) {
      state.probed[which]!++;
      this.wait(which, state.probed[which]! < this.probes ? PROBE_MIN + this.machine.kernel.random.uniform(this.random) * (PROBE_MAX - PROBE_MIN) : ANNOUNCE_WAIT);
      return;
    }
    if (state.announced[which]!++ > 0) return;
    state.phase[which] = Phase.claimed;
    if (this.probes > 0) this.wait(which, ANNOUNCE_INTERVAL);
    this.claimant.claimed(which);
  }

  /** The timer: the next probe is due, or an announcement. */
  fire(which: number): void {
    const { state, machine: { kernel, cpus } } = this;
    state.timer[which] = NONE;
    kernel.mark(this.fn.arp_dad_timer, this.component, cpus.contextOf(this.thread), kernel.now, 0, NONE, state.probed[which]!);
    cpus.post(this.thread, this.component, state.probed[which]! < this.probes ? this.op + 1 : this.op, which);
  }

  private wait(which: number, time: number): void {
    this.state.timer[which] = this.machine.kernel.schedule(Math.round(time), Priority.timeout, this.component, this.op + 2, which);
  }

  /** @param sender 0 in a probe, so that nobody's cache is changed by it */
  private broadcast(which: number, sender: number, address: number): void {
    const { packets, kernel } = this.machine;
    const wire = this.claimant.wire(which);
    const packet = packets.createArp(ArpOperation.request, wire.mac, sender, 0, address);
    packets.setEthernet(packet, BROADCAST, wire.mac);
    kernel.namePacket(packet);
    wire.transmit(packet);
  }
}
