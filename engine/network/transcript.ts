import type { Store, Table } from "../kernel/state";
import { PacketColumns } from "./packetColumns";

const NONE = -1;

/**
 * What the applications say to each other: messages of known length on payload streams. A packet carries (stream, offset,
 * length); the transcript tells which message that is part of, so that a server can read what it was asked, and an
 * exported capture holds the text.
 *
 * Like packets, messages only ever get more: their columns are shared by the engine that records and those that replay, which rewrite
 * identical values; how many there are so far, and where readers are, is an engine's state.
 */
export class Transcript {
  private readonly written: Table<{ readonly count: "i32" }>;
  private readonly stream: Table<{ readonly head: "i32"; readonly tail: "i32"; readonly cursor: "i32"; readonly end: "f64" }>;

  /** @param columns those of the packet log that carries the messages */
  constructor(store: Store, private readonly columns: PacketColumns = new PacketColumns()) {
    this.written = store.table("messages", { count: "i32" }, 1);
    this.written.alloc();
    this.stream = store.table("message streams", { head: "i32", tail: "i32", cursor: "i32", end: "f64" });
  }

  /** Appends a message to a stream: `length` bytes of `kind`, with a value that only the two ends understand. */
  write(stream: number, kind: number, length: number, value: number): void {
    this.reach(stream);
    const m = this.written.count[0]!++;
    const { columns, stream: s } = this;
    columns.reserveMessages(m + 1);
    columns.messageOffset[m] = s.end[stream]!;
    columns.messageLength[m] = length;
    columns.messageKind[m] = kind;
    columns.messageValue[m] = value;
    s.end[stream]! += length;
    if (s.tail[stream] === NONE) s.head[stream] = m;
    // A new message's own link is left alone: it is 0, or what the recording has come to know since.
    else columns.messageNext[s.tail[stream]!] = m + 1;
    s.tail[stream] = m;
    if (s.cursor[stream] === NONE) s.cursor[stream] = m;
  }

  /** The message after `m` on its stream, if it has been written by now; −1 if not. */
  private after(m: number): number {
    const next = this.columns.messageNext[m]! - 1;
    return next < this.written.count[0]! ? next : NONE;
  }

  /** The first message that the reader has not taken and that ends at or before `received` bytes of the stream; −1 if none. */
  complete(stream: number, received: number): number {
    this.reach(stream);
    const m = this.stream.cursor[stream]!;
    return m !== NONE && this.columns.messageOffset[m]! + this.columns.messageLength[m]! <= received ? m : NONE;
  }

  /** The message that begins at `offset`, for datagrams, which arrive in any order or not at all; −1 if none. Looks from the last one on. */
  at(stream: number, offset: number): number {
    this.reach(stream);
    const { stream: s } = this;
    const { messageOffset } = this.columns;
    let m = s.cursor[stream]!;
    if (m === NONE || messageOffset[m]! > offset) m = s.head[stream]!;
    while (m !== NONE && messageOffset[m]! < offset) m = this.after(m);
    if (m === NONE || messageOffset[m] !== offset) return NONE;
    s.cursor[stream] = m;
    return m;
  }

  /** Offset at which the next message of the stream will stand. */
  endOf(stream: number): number {
    this.reach(stream);
    return this.stream.end[stream]!;
  }

  /** The reader has read the message and turns to the next. */
  take(stream: number): void {
    this.stream.cursor[stream] = this.after(this.stream.cursor[stream]!);
  }

  lengthOf(message: number): number {
    return this.columns.messageLength[message]!;
  }

  kindOf(message: number): number {
    return this.columns.messageKind[message]!;
  }

  valueOf(message: number): number {
    return this.columns.messageValue[message]!;
  }

  /** Every message of a stream in order: offset, length, kind, value. */
  *messages(stream: number): Generator<{ offset: number; length: number; kind: number; value: number }> {
    if (stream >= this.stream.rows) return;
    const c = this.columns;
    for (let m = this.stream.head[stream]!; m !== NONE; m = this.after(m)) {
      yield { offset: c.messageOffset[m]!, length: c.messageLength[m]!, kind: c.messageKind[m]!, value: c.messageValue[m]! };
    }
  }

  private reach(stream: number): void {
    while (this.stream.rows <= stream) {
      const s = this.stream.alloc();
      this.stream.head[s] = this.stream.tail[s] = this.stream.cursor[s] = NONE;
    }
  }
}
