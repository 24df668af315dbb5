import type { Variable } from "../inspect";
import { Priority } from "../kernel/queue";
import type { Placement, System } from "../machine/machine";
import { ArpCache } from "../network/arp";
import { ArpOperation, BROADCAST } from "../network/packets";
import { cutSegment } from "../network/segmentation";
import { NONE } from "../trace/trace";
import type { NetworkInterface } from "./interface";
import { stackFunctions } from "./tcpipFunctions";

/** Ops of the stack that are about Ethernet addresses: all from here on, up to those of datagrams. */
export const ArpOp = { timer: 10, request: 11, reply: 12, flush: 13, announce: 14, again: 15 } as const;

/** Time until an ARP request is repeated (RFC 1122 section 2.3.2.1: at most one a second). */
const ARP_RETRY = 1e12;
/** Time between the two announcements of an address (RFC 5227 section 2.3: ANNOUNCE_INTERVAL, ANNOUNCE_NUM 2). */
export const ANNOUNCE_INTERVAL = 2e12;
/** Packets that wait for one address: BSD keeps the last, Linux 212,992 bytes of them (`unres_qlen_bytes`), about a hundred. */
const heldPackets: Readonly<Record<System, number>> = { rump: 1, linux: 101 };
export const ARP_FRAME = 60;

/** ARP (RFC 826) of one stack: the last step of a packet's way down, once the neighbour's address is known. Rows and ops are the stack's own. */
export class AddressResolution {
  private readonly arp: ArpCache;
  private readonly fn;
  private readonly events;

  /** @param softint thread of what nobody's thread asked for @param wire the interface that frames leave by now */
  constructor(
    private readonly place: Placement, private readonly component: number, private readonly ip: number, private readonly softint: number,
    private readonly wire: () => NetworkInterface,
  ) {
    const { kernel } = place.machine;
    this.fn = kernel.functions(stackFunctions[place.domain.system]);
    this.events = kernel.functions({ "no address yet": { kind: "drop" } });
    this.arp = new ArpCache(kernel.store, place.spec.path, heldPackets[place.domain.system]);
  }

  /** Hands a packet to the interface, as soon as the address of its next hop is known; all addresses are on one network. */
  send(packet: number): void {
    const { packets, kernel, cpus } = this.place.machine;
    const next = packets.destinationIp(packet);
    const mac = this.arp.lookup(next, kernel.now);
    if (mac === NONE) {
      const { displaced, asked } = this.arp.wait(next, packet);
      if (displaced !== NONE) kernel.mark(this.events["no address yet"], this.component, cpus.contextOf(this.softint), kernel.now, 0, displaced);
      if (!asked) this.requestSoon(next);
      return;
    }
    const wire = this.wire();
    packets.setEthernet(packet, mac, wire.mac);
    if (!packets.isLong(packet) || wire.offloads.segmentation > 0) return wire.transmit(packet);
    // The interface has changed since the segment was made: the stack cuts it (Linux' validate_xmit_skb).
    for (let from = 0; from < packets.payloadLength(packet); from += packets.segmentSize(packet)) wire.transmit(cutSegment(packets, packet, from));
  }

  /** An ARP packet has come. One for others, such as an announcement, changes what is known, and makes nothing known (RFC 826, RFC 5227 section 2.3). */
  input(packet: number): void {
    const { packets, kernel, cpus } = this.place.machine;
    const sender = packets.sourceIp(packet);
    const isForUs = packets.destinationIp(packet) === this.ip;
    if (sender === this.ip || (!isForUs && !this.arp.has(sender))) return;
    let waiting = this.arp.learn(sender, packets.arpSenderMac(packet), kernel.now);
    if (isForUs && packets.arpOperation(packet) === ArpOperation.request) cpus.call(cpus.currentThread, this.component, ArpOp.reply, packet);
    for (; waiting !== NONE; waiting = this.arp.take(sender)) cpus.post(cpus.currentThread, this.component, ArpOp.flush, waiting);
  }

  begin(op: number, a: number): void {
    const { cpus, packets } = this.place.machine;
    if (op === ArpOp.flush) {
      cpus.spend(this.fn.etherOutput, a);
      this.wire().spendTransmit(a, packets.frameLength(a));
    } else {
      cpus.spend(op === ArpOp.reply ? this.fn.arpInput : op === ArpOp.announce ? this.fn.arpAnnounce : this.fn.arpRequest);
      this.wire().spendTransmit(NONE, ARP_FRAME);
    }
  }

  end(op: number, a: number): void {
    if (op === ArpOp.announce) this.announced(a);
    else if (op === ArpOp.flush) this.send(a);
    else if (op === ArpOp.reply) this.reply(a);
    else this.request(a >>> 0);
  }

  /** The time to ask again has come; the row is the caller's. */
  timeout(ip: number): void {
    if (this.arp.isWaiting(ip)) this.place.machine.cpus.post(this.softint, this.component, ArpOp.request, ip | 0);
  }

  /**
   * The address is at another interface now: the next thing that the thread does is to say so to everybody. Twice, as one may be lost;
   * what RFC 5227 has before that, probes for a second or two, NetBSD leaves out where `net.inet.ip.dad_count` is 0: a switch of 56 ms has
   * no room for it.
   */
  announce(thread: number): void {
    this.place.machine.cpus.call(thread, this.component, ArpOp.announce, 1);
  }

  /** The time for the second announcement has come; the row is the caller's. */
  announceAgain(): void {
    this.place.machine.cpus.post(this.softint, this.component, ArpOp.announce, 0);
  }

  private announced(more: number): void {
    const { packets, kernel } = this.place.machine;
    const wire = this.wire();
    const announcement = packets.createArp(ArpOperation.request, wire.mac, this.ip, 0, this.ip);
    packets.setEthernet(announcement, BROADCAST, wire.mac);
    kernel.namePacket(announcement);
    wire.transmit(announcement);
    if (more > 0) kernel.schedule(ANNOUNCE_INTERVAL, Priority.timeout, this.component, ArpOp.again);
  }

  private requestSoon(ip: number): void {
    const { cpus } = this.place.machine;
    cpus.call(cpus.carrier(this.component, this.softint), this.component, ArpOp.request, ip | 0);
  }

  private request(ip: number): void {
    const { packets, kernel } = this.place.machine;
    const wire = this.wire();
    const request = packets.createArp(ArpOperation.request, wire.mac, this.ip, 0, ip);
    packets.setEthernet(request, BROADCAST, wire.mac);
    kernel.namePacket(request);
    wire.transmit(request);
    kernel.schedule(ARP_RETRY, Priority.timeout, this.component, ArpOp.timer, ip | 0);
  }

  private reply(request: number): void {
    const { packets, kernel } = this.place.machine;
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
