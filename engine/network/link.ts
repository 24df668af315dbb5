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

const Op = { serialised: 0, arrived: 1 } as const;

/** A full-duplex Ethernet link: serialisation at the line rate, propagation, independent random loss in each direction. */
export class Link implements Model {
  readonly id: number;
  private readonly ends: LinkEnd[] = [];
  private readonly contexts: readonly number[];
  private readonly streams: readonly number[];
  private readonly state;
  private readonly fn;
  /** Picoseconds a byte. */
  private readonly byteTime: number;

  /**
   * @param rate bits per second
   * @param delay one way, picoseconds
   * @param loss probability that a frame is lost
   */
  constructor(
    private readonly kernel: Kernel, private readonly packets: PacketLog, path: string, host: string,
    rate: number, private readonly delay: number, private readonly loss: number,
  ) {
    this.id = kernel.component(path, "link", host, undefined, this);
    this.byteTime = 8e12 / rate;
    this.fn = kernel.functions({
      serialise: { kind: "wire", a: "bytes on the wire" },
      arrive: { kind: "wire", a: "bytes on the wire" },
      "lost on the link": { kind: "drop" },
    });
    this.contexts = [kernel.context("link", `${path} out`, host, undefined), kernel.context("link", `${path} in`, host, undefined)];
    this.streams = [kernel.random.open(path, "loss out"), kernel.random.open(path, "loss in")];
    this.state = kernel.store.table(`link ${path}`, { frames: "f64", bytes: "f64", lost: "f64", busyUntil: "f64" }, 2);
    this.state.alloc();
    this.state.alloc();
  }

  /** Plugs an end in; the first is end 0 (from the load generator), the second end 1. */
  attach(end: LinkEnd): number {
    return this.ends.push(end) - 1;
  }

  /** Ids of the two directions as trace contexts: frames sent by end 0, by end 1. */
  get directions(): readonly number[] {
    return this.contexts;
  }

  /** Function id of a frame's transmission: the rows that a capture is made from. */
  get serialise(): number {
    return this.fn.serialise;
  }

  /** Time on the wire, picoseconds, overhead included. */
  wireTime(packet: number): number {
    return Math.round(this.wireBytes(packet) * this.byteTime);
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
    else this.arrived(packet, end);
  }

  private serialised(packet: number, end: number): void {
    const time = this.wireTime(packet);
    const bytes = this.wireBytes(packet);
    const { kernel, state } = this;
    kernel.mark(this.fn.serialise, this.id, this.contexts[end]!, kernel.now - time, time, packet, bytes);
    state.frames[end]!++;
    state.bytes[end]! += bytes;
    if (this.loss > 0 && kernel.random.uniform(this.streams[end]!) < this.loss) {
      state.lost[end]!++;
      kernel.mark(this.fn["lost on the link"], this.id, this.contexts[end]!, kernel.now, 0, packet);
    } else {
      kernel.schedule(this.delay, Priority.hardware, this.id, Op.arrived, packet, end);
    }
    this.ends[end]!.transmitted(packet);
  }

  private arrived(packet: number, end: number): void {
    this.kernel.mark(this.fn.arrive, this.id, this.contexts[end]!, this.kernel.now, 0, packet, this.wireBytes(packet));
    this.ends[1 - end]!.received(packet);
  }

  describe(): Scope[] {
    const direction = (end: number): { name: string; value: string; number: number }[] => [
      { name: "frames", value: `${this.state.frames[end]!}`, number: this.state.frames[end]! },
      { name: "bytes", value: `${this.state.bytes[end]!}`, number: this.state.bytes[end]! },
      { name: "lost", value: `${this.state.lost[end]!}`, number: this.state.lost[end]! },
    ];
    return [{ name: "Out", variables: direction(0) }, { name: "In", variables: direction(1) }];
  }

  /** Frames lost, by direction. */
  lost(end: number): number {
    return this.state.lost[end]!;
  }

  bytes(end: number): number {
    return this.state.bytes[end]!;
  }
}
