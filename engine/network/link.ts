import type { LinkConditions } from "../design/model";
import type { Scope } from "../inspect";
import type { Kernel, Model } from "../kernel/kernel";
import { Priority } from "../kernel/queue";
import type { PacketLog } from "./packets";

/** Whatever has a port on a link. */
export interface LinkEnd {
  /** The last bit of a frame has left; the wire is free. */
  transmitted(packet: number): void;
  /** A frame has arrived whole. */
  received(packet: number): void;
}

/**
 * Bytes that a frame occupies on the wire beyond its header and payload: frame check sequence 4, preamble and start
 * delimiter 8, inter-frame gap 12 (IEEE 802.3 clauses 3.1.1, 4.4.2).
 */
const OVERHEAD = 4 + 8 + 12;
/** Shortest frame without its check sequence (IEEE 802.3 clause 4.4.2: 64 with it). */
const SHORTEST = 60;

const Op = { serialised: 0, due: 1, arrived: 2 } as const;

/** A link that only carries. */
export const perfect: LinkConditions = { loss: 0, corrupt: 0, duplicate: 0, reorder: 0, reorderBy: 0 };

/**
 * A full-duplex Ethernet link: serialisation at the line rate, propagation, and in each direction, independently, what may
 * happen to a frame on its way: the same as Linux' `tc-netem(8)` offers.
 *
 * * *Loss*, which includes bit errors on the wire: the frame check sequence would tell the receiving MAC.
 * * *Corruption*: a device on the way flips a bit of what it stores and sends it on with a frame check sequence that fits (Stone
 *   and Partridge, "When the CRC and TCP checksum disagree", SIGCOMM 2000). The MAC sees nothing; the checksums of IP and
 *   of what it carries do, since they detect every single bit. Ethernet addresses are left alone (the frame would be lost), and
 *   so is ARP, which has no checksum. The frame that arrives is a packet of its own, whose parent is the one that was sent.
 * * *Duplication*: the frame arrives again, right behind itself.
 * * *Reordering*: the frame is held back for a time, and those behind it overtake it.
 */
export class Link implements Model {
  readonly id: number;
  private readonly ends: LinkEnd[] = [];
  private readonly contexts: readonly number[];
  private readonly streams: readonly { readonly loss: number; readonly corruption: number; readonly duplication: number; readonly reordering: number }[];
  private readonly state;
  private readonly conditions;
  private readonly fn;
  /** Picoseconds a byte. */
  private readonly byteTime: number;

  /**
   * @param rate bits per second
   * @param delay one way, picoseconds
   * @param own conditions at the start and whenever no fault changes them
   */
  constructor(
    private readonly kernel: Kernel, private readonly packets: PacketLog, path: string, host: string,
    rate: number, private readonly delay: number, private readonly own: LinkConditions = perfect,
  ) {
    this.id = kernel.component(path, "link", host, undefined, this);
    this.byteTime = 8e12 / rate;
    this.fn = kernel.functions({
      serialise: { kind: "wire", a: "bytes on the wire" },
      arrive: { kind: "wire", a: "bytes on the wire" },
      "lost on the link": { kind: "drop" },
      "corrupted on the link": { kind: "wire", a: "flipped bit" },
      "duplicated on the link": { kind: "wire" },
      "held back on the link": { kind: "wire", a: "nanoseconds" },
      "waits for the far port": { kind: "wire" },
    });
    this.contexts = [kernel.context("link", `${path} out`, host, undefined), kernel.context("link", `${path} in`, host, undefined)];
    this.streams = ["out", "in"].map((way) => ({
      loss: kernel.random.open(path, `loss ${way}`), corruption: kernel.random.open(path, `corruption ${way}`),
      duplication: kernel.random.open(path, `duplication ${way}`), reordering: kernel.random.open(path, `reordering ${way}`),
    }));
    this.state = kernel.store.table(`link ${path}`, {
      frames: "f64", bytes: "f64", lost: "f64", corrupted: "f64", duplicated: "f64", reordered: "f64", busyUntil: "f64", portFree: "f64",
    }, 2);
    this.state.alloc();
    this.state.alloc();
    this.conditions = kernel.store.table(`conditions of ${path}`, { any: "u8", loss: "f64", corrupt: "f64", duplicate: "f64", reorder: "f64", reorderBy: "f64" }, 1);
    this.conditions.alloc();
    this.change(own);
  }

  /** Plugs an end in; the first is end 0 (from the load generator), the second end 1. */
  attach(end: LinkEnd): number {
    return this.ends.push(end) - 1;
  }

  /** Conditions from now on; what is not named is as the design says. Frames on their way keep theirs. */
  change(to: Partial<LinkConditions>): void {
    const c = this.conditions;
    const { loss, corrupt, duplicate, reorder, reorderBy } = { ...this.own, ...to };
    c.loss[0] = loss;
    c.corrupt[0] = corrupt;
    c.duplicate[0] = duplicate;
    c.reorder[0] = reorder;
    c.reorderBy[0] = reorderBy;
    c.any[0] = loss + corrupt + duplicate + reorder > 0 ? 1 : 0;
  }

  /** Ids of the two directions as trace contexts: frames sent by end 0, by end 1. */
  get directions(): readonly number[] {
    return this.contexts;
  }

  /** Function ids of a frame's transmission and of its arrival: the rows that captures are made from. */
  get serialise(): number {
    return this.fn.serialise;
  }

  get arrive(): number {
    return this.fn.arrive;
  }

  /** Time on the wire, picoseconds, overhead included. */
  wireTime(packet: number): number {
    return this.timeOf(this.wireBytes(packet));
  }

  private timeOf(bytes: number): number {
    return Math.round(bytes * this.byteTime);
  }

  private wireBytes(packet: number): number {
    const length = this.packets.frameLength(packet);
    return (length < SHORTEST ? SHORTEST : length) + OVERHEAD;
  }

  /** Begins to transmit; the sender waits for `transmitted` before the next. */
  send(end: number, packet: number): void {
    const time = this.wireTime(packet);
    this.state.busyUntil[end] = this.kernel.now + time;
    this.kernel.schedule(time, Priority.hardware, this.id, Op.serialised, packet, end);
  }

  fire(op: number, packet: number, end: number): void {
    if (op === Op.serialised) this.serialised(packet, end);
    else if (op === Op.due) this.due(packet, end);
    else this.arrived(packet, end, this.wireBytes(packet));
  }

  private serialised(packet: number, end: number): void {
    const bytes = this.wireBytes(packet);
    const time = this.timeOf(bytes);
    const { kernel, state } = this;
    kernel.mark(this.fn.serialise, this.id, this.contexts[end]!, kernel.now - time, time, packet, bytes);
    state.frames[end]!++;
    state.bytes[end]! += bytes;
    if (this.conditions.any[0] === 0) kernel.schedule(this.delay, Priority.hardware, this.id, Op.due, packet, end);
    else this.carry(packet, end);
    this.ends[end]!.transmitted(packet);
  }

  /** What happens to a frame on its way. */
  private carry(sent: number, end: number): void {
    const { kernel, state, conditions, fn, packets } = this;
    const streams = this.streams[end]!;
    const context = this.contexts[end]!;
    if (this.happens(conditions.loss[0]!, streams.loss)) {
      state.lost[end]!++;
      kernel.mark(fn["lost on the link"], this.id, context, kernel.now, 0, sent);
      return;
    }
    let packet = sent;
    if (!packets.isArp(sent) && this.happens(conditions.corrupt[0]!, streams.corruption)) {
      packet = packets.copy(sent);
      const bit = 8 * packets.ipStart(sent) + Math.floor(kernel.random.uniform(streams.corruption) * 8 * packets.ipLength(sent));
      packets.corrupt(packet, bit);
      state.corrupted[end]!++;
      kernel.mark(fn["corrupted on the link"], this.id, context, kernel.now, 0, packet, bit);
    }
    let delay = this.delay;
    if (this.happens(conditions.reorder[0]!, streams.reordering)) {
      delay += conditions.reorderBy[0]!;
      state.reordered[end]!++;
      kernel.mark(fn["held back on the link"], this.id, context, kernel.now, 0, packet, Math.round(conditions.reorderBy[0]! / 1e3));
    }
    kernel.schedule(delay, Priority.hardware, this.id, Op.due, packet, end);
    if (this.happens(conditions.duplicate[0]!, streams.duplication)) {
      const twin = packets.copy(packet);
      state.duplicated[end]!++;
      kernel.mark(fn["duplicated on the link"], this.id, context, kernel.now, 0, twin);
      kernel.schedule(delay, Priority.hardware, this.id, Op.due, twin, end);
    }
  }

  /** Draws only where there is something to decide, so that one condition does not change what another does. */
  private happens(probability: number, stream: number): boolean {
    return probability > 0 && this.kernel.random.uniform(stream) < probability;
  }

  /** The far port takes one frame after the other: what was held back or doubled may have to wait for it, and what comes behind as well. */
  private due(packet: number, end: number): void {
    const { kernel, state } = this;
    const bytes = this.wireBytes(packet);
    const done = state.portFree[end]! + this.timeOf(bytes);
    if (done <= kernel.now) {
      state.portFree[end] = kernel.now;
      this.arrived(packet, end, bytes);
      return;
    }
    state.portFree[end] = done;
    kernel.mark(this.fn["waits for the far port"], this.id, this.contexts[end]!, kernel.now, 0, packet);
    kernel.schedule(done - kernel.now, Priority.hardware, this.id, Op.arrived, packet, end);
  }

  private arrived(packet: number, end: number, bytes: number): void {
    const { kernel } = this;
    kernel.mark(this.fn.arrive, this.id, this.contexts[end]!, kernel.now, 0, packet, bytes);
    this.ends[1 - end]!.received(packet);
  }

  describe(): Scope[] {
    const columns = ["frames", "bytes", "lost", "corrupted", "duplicated", "reordered"] as const;
    const direction = (end: number): { name: string; value: string; number: number }[] =>
      columns.map((name) => ({ name, value: `${this.state[name][end]!}`, number: this.state[name][end]! }));
    return [{ name: "Out", variables: direction(0) }, { name: "In", variables: direction(1) }];
  }

  /** What has happened to frames of a direction so far. */
  happened(end: number): Readonly<Record<"lost" | "corrupted" | "duplicated" | "reordered", number>> {
    const s = this.state;
    return { lost: s.lost[end]!, corrupted: s.corrupted[end]!, duplicated: s.duplicated[end]!, reordered: s.reordered[end]! };
  }

  bytes(end: number): number {
    return this.state.bytes[end]!;
  }
}
