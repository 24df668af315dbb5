import type { Store } from "../kernel/state";
import { TcpFlag, TcpOption, type PacketLog } from "../network/packets";
import { joinSegments } from "../network/segmentation";
import { NONE } from "../trace/trace";

/** Flows whose segments a queue holds at once (Linux `MAX_GRO_SKBS`). */
const FLOWS = 8;
/** Longest IPv4 datagram that is joined, bytes (Linux `GRO_MAX_SIZE`). */
const LONGEST = 65535;

/**
 * Joins TCP segments that arrive one after the other before the stack sees them, in software, a list of flows a receive queue
 * (Linux `net/core/gro.c`, `tcp_gro_receive`; LRO of BSD drivers is the same in essence). A segment is held while the next one of its
 * flow may follow: the same acknowledgement number, window and options, no gap, none longer than the first, together at most an IPv4
 * datagram. A shorter one, PSH or FIN ends it, and so does anything else of the flow, which is passed on behind it. What is held goes on when
 * the driver has emptied the ring.
 */
export class ReceiveOffload {
  /** FLOWS rows a queue, those in use first, the oldest before the others. */
  private readonly held;
  /** What `take` and `flush` pass on, in order. Scratch: read and emptied at once, no part of the state. */
  readonly passed: number[] = [];

  constructor(store: Store, private readonly packets: PacketLog, name: string, queues: number) {
    const held = store.table(`segments held by ${name}`, { first: "i32", last: "i32", bytes: "u32" }, queues * FLOWS);
    this.held = held;
    for (let i = 0; i < queues * FLOWS; i++) {
      const row = held.alloc();
      held.first[row] = NONE;
    }
  }

  /** Whether a packet goes on by itself, at once, and nothing else with it. Changes nothing. */
  passes(q: number, packet: number): boolean {
    return (!this.mayBeHeld(packet) || this.ends(packet, packet)) && this.find(q, packet) === NONE;
  }

  /** Takes a packet in; what goes on because of it is added to {@link passed}. */
  take(q: number, packet: number): void {
    const { held, packets, passed } = this;
    const row = this.find(q, packet);
    if (row !== NONE && this.mayBeHeld(packet) && this.follows(row, packet)) {
      held.last[row] = packet;
      held.bytes[row]! += packets.payloadLength(packet);
      if (this.ends(packet, held.first[row]!)) this.release(q, row);
      return;
    }
    if (row !== NONE) this.release(q, row);
    if (!this.mayBeHeld(packet) || this.ends(packet, packet)) {
      passed.push(packet);
      return;
    }
    const end = (q + 1) * FLOWS;
    if (held.first[end - 1] !== NONE) this.release(q, q * FLOWS);
    let free = q * FLOWS;
    while (held.first[free] !== NONE) free++;
    held.first[free] = held.last[free] = packet;
    held.bytes[free] = packets.payloadLength(packet);
  }

  /** Everything that a queue holds goes on: it is added to {@link passed}. */
  flush(q: number): void {
    while (this.holds(q)) this.release(q, q * FLOWS);
  }

  holds(q: number): boolean {
    return this.held.first[q * FLOWS] !== NONE;
  }

  private find(q: number, packet: number): number {
    const { packets, held } = this;
    if (!packets.isTcp(packet)) return NONE;
    for (let row = q * FLOWS, end = row + FLOWS; row < end; row++) {
      const first = held.first[row]!;
      if (first === NONE) return NONE;
      if (
        packets.sourcePort(first) === packets.sourcePort(packet) && packets.destinationPort(first) === packets.destinationPort(packet) &&
        packets.sourceIp(first) === packets.sourceIp(packet) && packets.destinationIp(first) === packets.destinationIp(packet)
      ) return row;
    }
    return NONE;
  }

  private mayBeHeld(packet: number): boolean {
    const { packets } = this;
    return packets.isTcp(packet) && packets.payloadLength(packet) > 0 && !packets.isCorrupted(packet) && packets.sackCount(packet) === 0 &&
      (packets.flags(packet) & (TcpFlag.syn | TcpFlag.rst | TcpFlag.urg)) === 0;
  }

  private ends(packet: number, first: number): boolean {
    const { packets } = this;
    return (packets.flags(packet) & (TcpFlag.psh | TcpFlag.fin)) !== 0 || packets.payloadLength(packet) < packets.payloadLength(first);
  }

  private follows(row: number, packet: number): boolean {
    const { packets, held } = this;
    const first = held.first[row]!;
    const bytes = held.bytes[row]!;
    return ((packets.sequence(first) + bytes) >>> 0) === packets.sequence(packet) && packets.payloadLength(packet) <= packets.payloadLength(first) &&
      packets.acknowledgement(first) === packets.acknowledgement(packet) && packets.window(first) === packets.window(packet) &&
      this.sameOptions(first, packet) && packets.ipLength(first) - packets.payloadLength(first) + bytes + packets.payloadLength(packet) <= LONGEST;
  }

  private sameOptions(a: number, b: number): boolean {
    const { packets } = this;
    const stamped = packets.hasOption(a, TcpOption.timestamps);
    return stamped === packets.hasOption(b, TcpOption.timestamps) &&
      (!stamped || (packets.timestampValue(a) === packets.timestampValue(b) && packets.timestampEcho(a) === packets.timestampEcho(b)));
  }

  private release(q: number, row: number): void {
    const { held } = this;
    const first = held.first[row]!;
    const last = held.last[row]!;
    this.passed.push(first === last ? first : joinSegments(this.packets, first, last, held.bytes[row]!));
    const end = (q + 1) * FLOWS;
    for (let i = row; i < end - 1; i++) {
      held.first[i] = held.first[i + 1]!;
      held.last[i] = held.last[i + 1]!;
      held.bytes[i] = held.bytes[i + 1]!;
    }
    held.first[end - 1] = NONE;
  }
}
