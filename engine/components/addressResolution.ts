import type { Variable } from "../inspect";
import { Priority } from "../kernel/queue";
import type { Placement, System } from "../machine/machine";
import { ArpCache, type NeighbourRules } from "../network/arp";
import { ArpOperation, BROADCAST } from "../network/packets";
import { cutSegment } from "../network/segmentation";
import { NONE } from "../trace/trace";
import { ARP_FRAME, AddressClaim } from "./addressClaim";
import type { NetworkInterface } from "./interface";
import type { SoftInterrupts } from "./softInterrupts";
import { StackPart, type StackLocks } from "./stackLocks";
import { stackFunctions } from "./tcpipFunctions";

/** Ops of the stack that are about Ethernet addresses: all from here on, up to those of datagrams. Argument: an address, a packet, or nothing. */
export const ArpOp = { timer: 10, request: 11, reply: 12, flush: 13, announce: 14, suspicion: 15, probe: 16, claim: 17 } as const;

/** Time until an ARP request is repeated (RFC 1122 section 2.3.2.1: at most one a second). */
const ARP_RETRY = 1e12;
const SECOND = 1e12;
/** Linux' `base_reachable_time`; a neighbour is believed for half of it to three halves (`neigh_rand_reach_time`). */
const REACHABLE = 30 * SECOND;
/**
 * BSD keeps one packet an address, asks five times, calls the neighbour down for 20 s, and keeps what it learnt for 20 minutes (`arp_maxhold`, `arp_maxtries`, `arpt_down`, `arpt_keep`, if_arp.c); Linux keeps
 * 212,992 bytes of packets (`unres_qlen_bytes`), about a hundred, asks three times (`mcast_solicit`, `neigh_max_probes`), and looks into what it suspects after
 * 5 s, with three probes, one a second (`arp_tbl`, net/ipv4/arp.c). Its time to believe follows by stack.
 */
const neighbourRules: Readonly<Record<System, NeighbourRules>> = {
  rump: { held: 1, requests: 5, down: 20 * SECOND, believed: 1200 * SECOND },
  linux: { held: 101, requests: 3, believed: REACHABLE, detection: { delay: 5 * SECOND, interval: SECOND, probes: 3 } },
};

/** What `spendSend` notes for `send`: the neighbour was not known, and the work does not go through the interface. */
const HELD = 1;

/** What a sender hears whose packet a neighbour's silence has cost: EHOSTUNREACH in Linux, of what has waited; EHOSTDOWN in NetBSD, of what comes later (`arpresolve`). */
export type HostError = "EHOSTUNREACH" | "EHOSTDOWN";

/** Who wants to know what became of the stack's address at another interface, and which one that is. */
export interface AddressMove {
  interface(): NetworkInterface | undefined;
  /** @param ok false: somebody else has the address */
  ended(ok: boolean): void;
}

/** ARP (RFC 826) of one stack: the last step of a packet's way down, once the neighbour's address is known. Rows and ops are the stack's own. */
export class AddressResolution {
  private readonly arp: ArpCache;
  private readonly rules: NeighbourRules;
  /** Where the address can come to another interface. */
  private readonly claim: AddressClaim | undefined;
  private readonly fn;
  private readonly kernel;
  private readonly cpus;
  private readonly packets;
  private readonly events;
  /** Function of the timer that looks into a suspicion, where the system has it. */
  private readonly suspicionTimer: number;
  /** Wiring: who moves the address, where something does. */
  move: AddressMove | undefined;

  /** @param softints threads of what nobody's thread asked for @param wire the interface that frames leave by now @param freed is told of packets that it drops, and of what their senders hear */
  constructor(
    private readonly place: Placement, private readonly component: number, private readonly ip: number, private readonly softints: Pick<SoftInterrupts, "first" | "here">,
    private readonly locks: StackLocks, private readonly wire: () => NetworkInterface, private readonly freed: (packet: number, error?: HostError) => void = () => {},
  ) {
    const { machine, spec, domain } = place;
    const { kernel } = machine;
    this.kernel = kernel;
    this.cpus = machine.cpus;
    this.packets = machine.packets;
    this.fn = kernel.functions(stackFunctions[domain.system]);
    this.events = kernel.functions({
      "no address yet": { kind: "drop" },
      "no answer to ARP": { kind: "drop" },
      "neighbour is at another address now": { kind: "ethernet" },
    });
    const rules = neighbourRules[domain.system];
    this.rules = rules.detection === undefined ? rules : { ...rules, believed: Math.round(REACHABLE * (0.5 + kernel.random.uniform(kernel.random.open(spec.path, "time to believe")))) };
    this.suspicionTimer = rules.detection === undefined ? NONE : kernel.functions({ neigh_timer_handler: { file: "net/core/neighbour.c", kind: "thread" } }).neigh_timer_handler;
    this.arp = new ArpCache(kernel.store, spec.path, this.rules);
    if (domain.switchable === undefined) return;
    this.claim = new AddressClaim(machine, component, spec.path, softints.first, ArpOp.claim, Number(spec.options["probes"] ?? 0), {
      address: () => ip, wire: () => this.move?.interface() ?? wire(), claimed: () => this.move?.ended(true), refused: () => this.move?.ended(false),
    });
    this.claim.add();
  }

  /** Whether what is sent to an address leaves at once: the neighbour's is known; all addresses are on one network. */
  knows(ip: number): boolean {
    return this.arp.lookup(ip, this.kernel.now) !== NONE;
  }

  /** Said in `begin` of what ends in {@link send}: the way through the interface, where the packet goes on to it. @param packet −1 where it does not exist yet @param like an earlier one of its flow */
  spendSend(ip: number, packet: number, bytes: number, like = NONE): void {
    if (this.knows(ip)) this.wire().spendTransmit(packet, bytes, like);
    else this.cpus.note(HELD);
  }

  /** In `end`: whether the neighbour was not known when the work began, so that a packet goes on by a call, if at all. */
  get isHeldBack(): boolean {
    return this.cpus.noted === HELD;
  }

  /** Hands a packet to the interface, as soon as the address of its next hop is known. */
  send(packet: number): void {
    const { packets, kernel, cpus } = this;
    const next = packets.destinationIp(packet);
    const { isHeldBack } = this;
    // What has gone through the interface by now is sent, although the address may not be believed any more.
    const mac = isHeldBack ? this.arp.lookup(next, kernel.now) : this.arp.lastOf(next);
    if (mac === NONE) {
      if (this.arp.isDown(next, kernel.now)) return this.refuse(next, packet);
      const { displaced, asked } = this.arp.wait(next, packet, kernel.cause);
      if (displaced !== NONE) this.drop("no address yet", displaced);
      if (!asked) this.requestSoon(next);
      return;
    }
    // The answer has come in between.
    if (isHeldBack) return cpus.call(cpus.carrier(this.component, this.softints.here), this.component, ArpOp.flush, packet);
    if (this.arp.suspects(next, kernel.now)) kernel.schedule(this.rules.detection!.delay, Priority.timeout, this.component, ArpOp.suspicion, next | 0);
    const wire = this.wire();
    packets.setEthernet(packet, mac, wire.mac);
    if (!packets.isLong(packet) || wire.offloads.segmentation > 0) return wire.transmit(packet);
    // The interface has changed since the segment was made: the stack cuts it (Linux' validate_xmit_skb).
    for (let from = 0; from < packets.payloadLength(packet); from += packets.segmentSize(packet)) wire.transmit(cutSegment(packets, packet, from));
  }

  /** An ARP packet has come. One for others, such as an announcement, changes what is known, and makes nothing known (RFC 826, RFC 5227 section 2.3). */
  input(packet: number): void {
    const { packets, kernel, cpus } = this;
    const sender = packets.sourceIp(packet);
    const isForUs = packets.destinationIp(packet) === this.ip;
    this.claim?.hear(0, packet);
    if (sender === this.ip || (!isForUs && !this.arp.has(sender))) return;
    const isRequest = packets.arpOperation(packet) === ArpOperation.request;
    // A probe has no sender (RFC 5227 section 2.1.1), and an address that is not ours yet is not ours to defend.
    const hasMoved = sender !== 0 && this.arp.learn(sender, packets.arpSenderMac(packet), kernel.now, isForUs && !isRequest);
    if (hasMoved) kernel.mark(this.events["neighbour is at another address now"], this.component, cpus.contextOf(this.softints.here), kernel.now, 0, packet);
    if (isForUs && isRequest && this.claim?.isTentative(0) !== true) cpus.call(cpus.currentThread, this.component, ArpOp.reply, packet);
    while (this.arp.isWaiting(sender)) {
      const cause = this.arp.causeOfFirst(sender);
      cpus.post(cpus.currentThread, this.component, ArpOp.flush, this.arp.take(sender), 0, cause);
    }
  }

  /** Something came from the neighbour that only an answer to our packets can be. */
  confirm(ip: number): void {
    this.arp.confirm(ip, this.kernel.now);
  }

  begin(op: number, a: number): void {
    const { cpus, packets } = this;
    if (op >= ArpOp.claim) return this.claim!.spend(op, a);
    this.locks.under(op === ArpOp.flush ? StackPart.link : StackPart.arp);
    if (op === ArpOp.flush) {
      cpus.spend(this.fn.etherOutput, a);
      this.spendSend(packets.destinationIp(a), a, packets.frameLength(a));
    } else {
      cpus.spend(op === ArpOp.reply ? this.fn.arpInput : op === ArpOp.announce ? this.fn.arpAnnounce : this.fn.arpRequest);
      this.locks.under(StackPart.link);
      this.wire().spendTransmit(NONE, ARP_FRAME);
    }
  }

  end(op: number, a: number): void {
    if (op >= ArpOp.claim) this.claim!.end(op, a);
    else if (op === ArpOp.announce) this.announced();
    else if (op === ArpOp.flush) this.send(a);
    else if (op === ArpOp.reply) this.reply(a);
    else if (op === ArpOp.probe) this.probe(a >>> 0);
    else this.request(a >>> 0);
  }

  /** A timer: somebody is to be asked again, or for the first time in vain; or the stack's own address is to be claimed. */
  fire(op: number, a: number): void {
    const { kernel, cpus } = this;
    if (op >= ArpOp.claim) return this.claim!.fire(a);
    const ip = a >>> 0;
    const isSuspicion = op === ArpOp.suspicion;
    kernel.mark(isSuspicion ? this.suspicionTimer : this.fn.callout, this.component, cpus.contextOf(this.softints.here), kernel.now, 0, NONE, isSuspicion ? 0 : a);
    if (!isSuspicion) {
      if (this.arp.isWaiting(ip)) this.unanswered(ip);
    } else if (this.arp.isToProbe(ip, kernel.now)) {
      cpus.post(this.softints.here, this.component, ArpOp.probe, a);
      kernel.schedule(this.rules.detection!.interval, Priority.timeout, this.component, ArpOp.suspicion, a);
    }
  }

  /** The time to ask again has come, or to give up. */
  private unanswered(ip: number): void {
    if (this.arp.asksAgain(ip)) return this.cpus.post(this.softints.here, this.component, ArpOp.request, ip | 0);
    const { machine: { kernel }, domain } = this.place;
    this.arp.giveUp(ip, kernel.now - ARP_RETRY);
    const error = domain.system === "linux" ? "EHOSTUNREACH" : undefined;
    for (let packet = this.arp.take(ip); packet !== NONE; packet = this.arp.take(ip)) this.drop("no answer to ARP", packet, error);
  }

  /** The neighbour is down. NetBSD keeps the packet in case that it answers after all; here whoever heard of the error does not send it as well. */
  private refuse(ip: number, packet: number): void {
    this.drop("no answer to ARP", packet, "EHOSTDOWN");
    if (this.arp.asksWhileDown(ip, this.kernel.now)) this.requestSoon(ip);
  }

  private drop(why: "no address yet" | "no answer to ARP", packet: number, error?: HostError): void {
    const { kernel, cpus } = this;
    kernel.mark(this.events[why], this.component, cpus.contextOf(this.softints.here), kernel.now, 0, packet);
    this.freed(packet, error);
  }

  /** The address comes to the interface of {@link move}, which hears what becomes of it: the next thing that the thread does. */
  claimAddress(thread: number): void {
    this.claim!.begin(0, thread);
  }

  /** It is taken from there. */
  leaveAddress(): void {
    this.claim!.stop(0);
  }

  /** Longest time that claiming takes, picoseconds. */
  get longestClaim(): number {
    return this.claim?.longest ?? 0;
  }

  /**
   * The interface has another Ethernet address from now on: the next thing that the thread does is to say so to everybody (NetBSD: a change of
   * the link address is `RTM_LLINFO_UPD`, for which `arp_rtrequest` announces each of the interface's addresses).
   */
  announce(thread: number): void {
    this.cpus.call(thread, this.component, ArpOp.announce);
  }

  private announced(): void {
    const { packets, kernel } = this;
    const wire = this.wire();
    const announcement = packets.createArp(ArpOperation.request, wire.mac, this.ip, 0, this.ip);
    packets.setEthernet(announcement, BROADCAST, wire.mac);
    kernel.namePacket(announcement);
    wire.transmit(announcement);
  }

  private requestSoon(ip: number): void {
    const { cpus } = this;
    cpus.call(cpus.carrier(this.component, this.softints.here), this.component, ArpOp.request, ip | 0);
  }

  private request(ip: number): void {
    const { packets, kernel } = this;
    const wire = this.wire();
    const request = packets.createArp(ArpOperation.request, wire.mac, this.ip, 0, ip);
    packets.setEthernet(request, BROADCAST, wire.mac);
    kernel.namePacket(request);
    wire.transmit(request);
    kernel.schedule(ARP_RETRY, Priority.timeout, this.component, ArpOp.timer, ip | 0);
  }

  /** A neighbour is asked at the address that it had (`arp_solicit` in NUD_PROBE). */
  private probe(ip: number): void {
    const { packets, kernel } = this;
    const mac = this.arp.lookup(ip, kernel.now);
    if (mac === NONE) return;
    const wire = this.wire();
    const request = packets.createArp(ArpOperation.request, wire.mac, this.ip, mac, ip);
    packets.setEthernet(request, mac, wire.mac);
    kernel.namePacket(request);
    wire.transmit(request);
  }

  private reply(request: number): void {
    const { packets, kernel } = this;
    const wire = this.wire();
    const asker = packets.arpSenderMac(request);
    const reply = packets.createArp(ArpOperation.reply, wire.mac, this.ip, asker, packets.sourceIp(request));
    packets.setEthernet(reply, asker, wire.mac);
    kernel.namePacket(reply);
    wire.transmit(reply);
  }

  describe(): Variable {
    return this.arp.describe();
  }
}
