import { A, B, CAUSE, CHUNK_ROWS, COST, ENABLER, FIRST, PACKET, WHAT, WHERE, WORD_BITS, type TraceChunk } from "./chunk";
import {
  COST_BITS, HAS_A, HAS_B, HAS_CAUSE, HAS_ENABLER, HAS_PACKET, HAS_STEP, HAS_WHAT, HAS_WHERE, HEADER_WORDS, IRREGULAR_WORDS, MOST_WORDS,
} from "./chunkLayout";
import module from "./simd/encodeRows.json";

/**
 * Packs and unpacks chunks, as chunkLayout.ts says.
 *
 * Every row of a trace is packed. In JavaScript, without a branch that is guessed wrong, that was 217 instructions a row and 10.4 ns, a tenth of all
 * that a simulation does. With the processor's vectors, which WebAssembly has, it is some 60 and 4.6 ns, a quarter of which is for copying the rows to
 * the module's memory: there is one for all traces, since each takes gigabytes of address space.
 *
 * To look each row up in a table of those that the chunk has had takes half as long again as JavaScript did without, and up to a third fewer bytes
 * where rows repeat, but none where a trace has most bytes an event.
 */

const COST_MASK = (1 << COST_BITS) - 1;
export const HEADER_BYTES = HEADER_WORDS * 4;
/** As in the trace. */
const NONE = -1;

/** The bytes of a chunk are not what the codec writes. */
export class ChunkError extends Error {}

/** What a chunk begins with. */
interface Head {
  readonly rows: number;
  readonly irregular: number;
  /** With those of the head. */
  readonly words: number;
  /** Time of the first row and begin of the last, picoseconds. */
  readonly start: number;
  readonly lastBegin: number;
}

/** What a chunk's first {@link HEADER_BYTES} say. @throws ChunkError for fewer */
export function chunkHead(bytes: Uint8Array): Head {
  if (bytes.length < HEADER_BYTES) throw new ChunkError(`${bytes.length} bytes are no chunk`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    rows: view.getUint16(0, true), irregular: view.getUint16(2, true), words: view.getUint32(4, true),
    start: view.getFloat64(8, true), lastBegin: view.getFloat64(16, true),
  };
}

/** Of what every host of the engine has, as far as it is used here. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Encoder };
};

/** What simd/encodeRows.ts exports: places in its memory, and what packs the rows that are there. */
interface Encoder {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly TIMES: { readonly value: number };
  readonly WORDS: { readonly value: number };
  readonly PACKED: { readonly value: number };
  encode(rows: number, base: number): number;
}

let encoder: { readonly times: Float64Array; readonly words: Int32Array; readonly packed: Uint8Array; readonly encode: Encoder["encode"] } | undefined;

/** Made when it is first asked for: a webview, which may not compile WebAssembly, imports this file and packs nothing. */
function makeEncoder(): NonNullable<typeof encoder> {
  const { memory: { buffer }, TIMES, WORDS, PACKED, encode } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(module))).exports;
  return {
    times: new Float64Array(buffer, TIMES.value, CHUNK_ROWS * 2), words: new Int32Array(buffer, WORDS.value, CHUNK_ROWS << WORD_BITS),
    packed: new Uint8Array(buffer, PACKED.value), encode,
  };
}

/**
 * @param rows of the chunk, from its first on; at least one
 * @param base number of its first row in the trace
 * @returns bytes that are valid until the next chunk is encoded
 */
export function encodeChunk({ times, words }: TraceChunk, rows: number, base: number): Uint8Array {
  encoder ??= makeEncoder();
  encoder.times.set(times);
  encoder.words.set(words);
  return encoder.packed.subarray(0, encoder.encode(rows, base));
}

/** Where a chunk is unpacked from: one buffer for all. */
const packed = new Int32Array(HEADER_WORDS + CHUNK_ROWS * (MOST_WORDS + IRREGULAR_WORDS));
const packedBytes = new Uint8Array(packed.buffer);

/**
 * @param base number of the chunk's first row in the trace
 * @returns number of rows
 * @throws ChunkError for bytes that {@link encodeChunk} has not written
 */
export function decodeChunk(bytes: Uint8Array, base: number, into: TraceChunk): number {
  const { rows, irregular, words: end, start, lastBegin } = chunkHead(bytes);
  if (rows > CHUNK_ROWS || irregular > rows || end * 4 !== bytes.length || bytes.length > packedBytes.length) {
    throw new ChunkError(`${rows} rows, ${irregular} of them irregular, in ${end} words are no chunk of ${bytes.length} bytes`);
  }
  packedBytes.set(bytes);
  const { times, words } = into;
  const entries = end - irregular * IRREGULAR_WORDS;
  let entry = entries;
  let at = HEADER_WORDS;
  let time = start;
  let what = 0;
  let where = 0;
  let packet = NONE;
  for (let i = 0; i < rows; i++) {
    const w = i << WORD_BITS;
    const says = packed[at]! >>> COST_BITS;
    let cost = packed[at++]! & COST_MASK;
    if ((says & HAS_WHAT) !== 0) what = packed[at++]!;
    if ((says & HAS_WHERE) !== 0) where = packed[at++]!;
    if ((says & HAS_PACKET) !== 0) packet = packed[at++]!;
    words[w | CAUSE] = (says & HAS_CAUSE) !== 0 ? packed[at++]! : base + i - 1;
    if ((says & HAS_STEP) !== 0) time += packed[at++]! >>> 0;
    words[w | ENABLER] = (says & HAS_ENABLER) !== 0 ? packed[at++]! : NONE;
    words[w | A] = (says & HAS_A) !== 0 ? packed[at++]! : 0;
    words[w | B] = (says & HAS_B) !== 0 ? packed[at++]! : 0;
    if (entry < end && packed[entry]! >>> (32 - COST_BITS) === i) {
      cost |= packed[entry]! << COST_BITS;
      time = doubleAt(entry + 1);
      entry += IRREGULAR_WORDS;
    }
    if (at > entries) throw new ChunkError(`row ${base + i} ends at word ${at} of ${entries}`);
    words[w | WHAT] = what;
    words[w | WHERE] = where;
    words[w | PACKET] = packet;
    words[w | COST] = cost;
    times[i << 1] = time;
  }
  if (at !== entries || entry !== end) throw new ChunkError(`the rows end at word ${at} of ${entries}, the irregular ones at ${entry} of ${end}`);
  // When a row began follows from the row after it, or is said there.
  let begin = lastBegin;
  for (let i = rows - 1; i >= 0; i--) {
    times[(i << 1) | 1] = begin;
    const w = i << WORD_BITS;
    if (entry > entries && packed[entry - IRREGULAR_WORDS]! >>> (32 - COST_BITS) === i) {
      entry -= IRREGULAR_WORDS;
      begin = doubleAt(entry + 3);
    } else if (i > 0) {
      begin = ((words[w | WHAT]! & FIRST) !== 0 ? times[(i - 1) << 1]! : begin) - (words[(w - (1 << WORD_BITS)) | COST]! >>> 0);
    }
  }
  return rows;
}

const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

function doubleAt(at: number): number {
  halves[0] = packed[at]!;
  halves[1] = packed[at + 1]!;
  return double[0]!;
}
