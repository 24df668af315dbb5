import { A, B, CAUSE, COST, ENABLER, PACKET, WHAT, WHERE, WORD_BITS, type TraceChunk } from "./chunk";
import type { Trace } from "./trace";

/** Rows whose columns are hashed one after the other; part of the definition, and nothing to do with how the trace is kept. */
const BLOCK_ROWS = 16384;

/** The first rows of a column, of anything that grows as the run goes on. */
export interface Written {
  readonly column: Column;
  readonly rows: number;
}

/**
 * A hash over all columns of all rows, the names that they use and the headers of all packets, 16 hexadecimal digits: equal for equal runs
 * on every platform.
 * @param packets what the run has written of its packets; nothing where only the rows are known
 */
export function fingerprint(trace: Trace, packets: readonly Written[] = []): string {
  const hash = new Hash();
  const block = new Block(Math.min(BLOCK_ROWS, trace.length));
  let filled = 0;
  trace.eachChunk((chunk, rows, base) => {
    block.fill(filled, chunk, rows);
    filled += rows;
    if (filled < BLOCK_ROWS && base + rows < trace.length) return;
    for (const column of block.columns) hash.add(column, filled);
    filled = 0;
  });
  const { functions, components, contexts, vcpus } = trace.names;
  hash.addText([...functions.map(({ name }) => name), ...[components, contexts, vcpus].flatMap((all) => all.map(({ path }) => path))].join("\n"));
  for (const { column, rows } of packets) hash.add(column, rows);
  return hash.digest(trace.length);
}

/** Two 32-bit multiply-and-rotate lanes over words (the finaliser is MurmurHash3's). */
class Hash {
  private h1 = 0x9747b28c;
  private h2 = 0x2f0b4c47;

  add(column: Column, rows: number): void {
    let { h1, h2 } = this;
    const bytes = rows * column.BYTES_PER_ELEMENT;
    const view = new DataView(column.buffer, column.byteOffset, bytes);
    let at = 0;
    for (; at + 4 <= bytes; at += 4) {
      const word = view.getUint32(at, true);
      h1 = Math.imul(h1 ^ word, 0xcc9e2d51);
      h1 = (h1 << 15) | (h1 >>> 17);
      h2 = (Math.imul(h2 + word, 0x1b873593) ^ (h1 >>> 7)) | 0;
    }
    for (; at < bytes; at++) h1 = Math.imul(h1 ^ view.getUint8(at), 0x85ebca6b);
    this.h1 = h1;
    this.h2 = h2;
  }

  addText(text: string): void {
    this.add(Uint16Array.from(text, (_, i) => text.charCodeAt(i)), text.length);
  }

  digest(rows: number): string {
    return hex(mix(this.h1)) + hex(mix(this.h2 ^ this.h1 ^ rows));
  }
}

type Column = Float64Array | Uint32Array | Uint16Array | Int32Array | Uint8Array;

/** Rows as columns. */
class Block {
  private readonly time: Float64Array;
  private readonly begin: Float64Array;
  private readonly cost: Uint32Array;
  private readonly fn: Uint16Array;
  private readonly component: Uint16Array;
  private readonly context: Uint16Array;
  private readonly vcpu: Uint16Array;
  private readonly packet: Int32Array;
  private readonly cause: Int32Array;
  private readonly enabler: Int32Array;
  private readonly a: Int32Array;
  private readonly b: Int32Array;
  /** In the order in which they are hashed. */
  readonly columns: readonly Column[];

  constructor(rows: number) {
    this.columns = [
      this.time = new Float64Array(rows), this.begin = new Float64Array(rows), this.cost = new Uint32Array(rows),
      this.fn = new Uint16Array(rows), this.component = new Uint16Array(rows), this.context = new Uint16Array(rows), this.vcpu = new Uint16Array(rows),
      this.packet = new Int32Array(rows), this.cause = new Int32Array(rows), this.enabler = new Int32Array(rows),
      this.a = new Int32Array(rows), this.b = new Int32Array(rows),
    ];
  }

  /** Puts in the first `rows` rows of a chunk, from `start` on. */
  fill(start: number, { times, words }: TraceChunk, rows: number): void {
    for (let i = 0; i < rows; i++) {
      const to = start + i;
      const w = i << WORD_BITS;
      this.time[to] = times[i * 2]!;
      this.begin[to] = times[i * 2 + 1]!;
      this.cost[to] = words[w + COST]!;
      // The function with the mark of a dispatch's first row; the columns take the lower half of a word.
      this.fn[to] = words[w + WHAT]!;
      this.component[to] = words[w + WHAT]! >>> 16;
      this.context[to] = words[w + WHERE]!;
      this.vcpu[to] = words[w + WHERE]! >>> 16;
      this.packet[to] = words[w + PACKET]!;
      this.cause[to] = words[w + CAUSE]!;
      this.enabler[to] = words[w + ENABLER]!;
      this.a[to] = words[w + A]!;
      this.b[to] = words[w + B]!;
    }
  }
}

function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}
