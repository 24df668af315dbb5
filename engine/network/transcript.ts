import type { Store, Table } from "../kernel/state";

const NONE = -1;

/**
 * What the applications say to each other: messages of known length on payload streams. A packet carries (stream, offset,
 * length); the transcript tells which message that is part of, so that a server can read what it was asked, and an
 * exported capture holds the text.
 */
export class Transcript {
  private readonly message: Table<{
    readonly next: "i32"; readonly offset: "f64"; readonly length: "f64"; readonly kind: "u16"; readonly value: "f64";
  }>;
  private readonly stream: Table<{ readonly head: "i32"; readonly tail: "i32"; readonly cursor: "i32"; readonly end: "f64" }>;

  constructor(store: Store) {
    this.message = store.table("messages", { next: "i32", offset: "f64", length: "f64", kind: "u16", value: "f64" }, 64);
    this.stream = store.table("message streams", { head: "i32", tail: "i32", cursor: "i32", end: "f64" });
  }

  /** Appends a message to a stream: `length` bytes of `kind`, with a value that only the two ends understand. */
  write(stream: number, kind: number, length: number, value: number): void {
    this.reach(stream);
    const m = this.message.alloc();
    const { message, stream: s } = this;
    message.next[m] = NONE;
    message.offset[m] = s.end[stream]!;
    message.length[m] = length;
    message.kind[m] = kind;
    message.value[m] = value;
    s.end[stream]! += length;
    if (s.tail[stream] === NONE) s.head[stream] = m;
    else message.next[s.tail[stream]!] = m;
    s.tail[stream] = m;
    if (s.cursor[stream] === NONE) s.cursor[stream] = m;
  }

  /** The first message that the reader has not taken and that ends at or before `received` bytes of the stream; −1 if none. */
  complete(stream: number, received: number): number {
    this.reach(stream);
    const m = this.stream.cursor[stream]!;
    return m !== NONE && this.message.offset[m]! + this.message.length[m]! <= received ? m : NONE;
  }

  /** The message that begins at `offset`, for datagrams, which arrive in any order or not at all; −1 if none. Looks from the last one on. */
  at(stream: number, offset: number): number {
    this.reach(stream);
    const { message, stream: s } = this;
    let m = s.cursor[stream]!;
    if (m === NONE || message.offset[m]! > offset) m = s.head[stream]!;
    while (m !== NONE && message.offset[m]! < offset) m = message.next[m]!;
    if (m === NONE || message.offset[m] !== offset) return NONE;
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
    this.stream.cursor[stream] = this.message.next[this.stream.cursor[stream]!]!;
  }

  lengthOf(message: number): number {
    return this.message.length[message]!;
  }

  kindOf(message: number): number {
    return this.message.kind[message]!;
  }

  valueOf(message: number): number {
    return this.message.value[message]!;
  }

  /** Every message of a stream in order: offset, length, kind, value. */
  *messages(stream: number): Generator<{ offset: number; length: number; kind: number; value: number }> {
    if (stream >= this.stream.rows) return;
    for (let m = this.stream.head[stream]!; m !== NONE; m = this.message.next[m]!) {
      yield { offset: this.message.offset[m]!, length: this.message.length[m]!, kind: this.message.kind[m]!, value: this.message.value[m]! };
    }
  }

  private reach(stream: number): void {
    while (this.stream.rows <= stream) {
      const s = this.stream.alloc();
      this.stream.head[s] = this.stream.tail[s] = this.stream.cursor[s] = NONE;
    }
  }
}
