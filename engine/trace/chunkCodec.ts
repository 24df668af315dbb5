import { A, B, CAUSE, CHUNK_ROWS, COST, ENABLER, FIRST, PACKET, WHAT, WHERE, WORD_BITS, type TraceChunk } from "./chunk";

/**
 * The packed form of a chunk: a stream of words, of which a row takes as many as it has news, about 20 bytes in place of 48. It stands
 * alone: what is learnt in one chunk is not used in the next.
 *
 * A row begins with its function and component, and with its cost in the lower three bytes of a word whose upper byte says which words
 * follow. What most rows have is not said: the time, the packet and the context of the row before, the row before as their cause, nothing
 * that they waited for, no values. Nor is when a function began: when the one before it in its dispatch ended, and the last one ends
 * at the dispatch's instant.
 *
 * Every word is written where it would be, and the place moves on only if it counts: rows differ so much in what they say that of the
 * branches that this spares every other one would be guessed wrong. To look each row up in a table of those that the chunk has had takes half
 * as long again, and up to a third fewer bytes where rows repeat, but none where a trace has most bytes an event.
 *
 * Layout, little-endian: rows, words with the header's (u32 each), time of the first row, begin of the last (f64 each), the rows.
 */

/** Which words follow a row's first two, in this order: bits of the upper byte of the second. */
const STEP = 0x01;
const ELSEWHERE = 0x02;
const OTHER_PACKET = 0x04;
const FURTHER = 0x08;
const WAITED = 0x10;
const HAS_A = 0x20;
const HAS_B = 0x40;
/** What those cannot say: the cost, the time, and when the row before began, the last two as two words each. */
const LONG = 0x80;
const LONG_WORDS = 5;
/** Bits of the second word that hold the cost, picoseconds. */
const COST_BITS = 24;
const COST_MASK = (1 << COST_BITS) - 1;

const HEADER_WORDS = 6;
export const HEADER_BYTES = HEADER_WORDS * 4;
/** Words of a row that says everything. */
const MOST_WORDS = 2 + 7 + LONG_WORDS;
/** As in the trace. */
const NONE = -1;

/** The bytes of a chunk are not what the codec writes. */
export class ChunkError extends Error {}

/** What a chunk begins with. */
interface Head {
  readonly rows: number;
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
  return { rows: view.getUint32(0, true), words: view.getUint32(4, true), start: view.getFloat64(8, true), lastBegin: view.getFloat64(16, true) };
}

/** Where a packed chunk is put together: one buffer for all. */
const packed = new Int32Array(HEADER_WORDS + CHUNK_ROWS * MOST_WORDS);
const packedBytes = new Uint8Array(packed.buffer);

/**
 * @param rows of the chunk, from its first on
 * @param base number of its first row in the trace
 * @returns bytes that are valid until the next chunk is encoded
 */
export function encodeChunk({ times, words }: TraceChunk, rows: number, base: number): Uint8Array {
  const start = rows > 0 ? times[0]! : 0;
  let at = HEADER_WORDS;
  let timeBefore = start;
  let beginBefore = 0;
  let costBefore = 0;
  let whereBefore = 0;
  let packetBefore = NONE;
  for (let i = 0; i < rows; i++) {
    const w = i << WORD_BITS;
    const row = (base + i) | 0;
    const what = words[w | WHAT]!;
    const where = words[w | WHERE]!;
    const packet = words[w | PACKET]!;
    const cost = words[w | COST]!;
    const time = times[i << 1]!;
    const begin = times[(i << 1) | 1]!;
    const head = at;
    packed[at] = what;
    at = (at + 2) | 0;
    // The sign of n | −n says whether n is anything but 0.
    let says = 0;
    let news = 0;
    let is = 0;

    const step = time - timeBefore;
    news = step | 0;
    packed[at] = news;
    is = (news | (0 - news)) >>> 31;
    at = (at + is) | 0;
    says = is;

    packed[at] = where;
    news = where ^ whereBefore;
    is = (news | (0 - news)) >>> 31;
    at = (at + is) | 0;
    says |= is << 1;

    packed[at] = packet;
    news = packet ^ packetBefore;
    is = (news | (0 - news)) >>> 31;
    at = (at + is) | 0;
    says |= is << 2;

    news = (row - words[w | CAUSE]!) | 0;
    packed[at] = news;
    news = (news - 1) | 0;
    is = (news | (0 - news)) >>> 31;
    at = (at + is) | 0;
    says |= is << 3;

    // Few rows have waited, and few have a second value: these branches are guessed right.
    news = words[w | ENABLER]!;
    if (news !== NONE) {
      packed[at] = (row - news) | 0;
      at = (at + 1) | 0;
      says |= WAITED;
    }

    news = words[w | A]!;
    packed[at] = news;
    is = (news | (0 - news)) >>> 31;
    at = (at + is) | 0;
    says |= is << 5;

    news = words[w | B]!;
    if (news !== 0) {
      packed[at] = news;
      at = (at + 1) | 0;
      says |= HAS_B;
    }

    // When the row before should have begun: when it would have ended, less its cost.
    const expected = ((what & FIRST) !== 0 ? timeBefore : begin) - costBefore;
    if ((expected !== beginBefore && i > 0) || (cost & ~COST_MASK) !== 0 || (step | 0) >>> 0 !== step) {
      says |= LONG;
      packed[at] = cost;
      putDouble(at + 1, time);
      putDouble(at + 3, beginBefore);
      at += LONG_WORDS;
    }
    packed[head + 1] = (says << COST_BITS) | (cost & COST_MASK);
    timeBefore = time;
    beginBefore = begin;
    costBefore = cost >>> 0;
    whereBefore = where;
    packetBefore = packet;
  }
  const header = new DataView(packed.buffer);
  header.setUint32(0, rows, true);
  header.setUint32(4, at, true);
  header.setFloat64(8, start, true);
  header.setFloat64(16, beginBefore, true);
  return packedBytes.subarray(0, at * 4);
}

/**
 * @param base number of the chunk's first row in the trace
 * @returns number of rows
 * @throws ChunkError for bytes that {@link encodeChunk} has not written
 */
export function decodeChunk(bytes: Uint8Array, base: number, into: TraceChunk): number {
  const { rows, words: end, start, lastBegin } = chunkHead(bytes);
  if (rows > CHUNK_ROWS || end * 4 !== bytes.length) throw new ChunkError(`${rows} rows in ${end} words are no chunk of ${bytes.length} bytes`);
  packedBytes.set(bytes.subarray(0, packedBytes.length));
  const { times, words } = into;
  /** Rows whose begin does not follow from the rest. */
  const said: number[] = [];
  let at = HEADER_WORDS;
  let time = start;
  let where = 0;
  let packet = NONE;
  for (let i = 0; i < rows; i++) {
    const row = base + i;
    const says = packed[at + 1]! >>> COST_BITS;
    let cost = packed[at + 1]! & COST_MASK;
    let distance = 1;
    let waited = 0;
    let a = 0;
    let b = 0;
    const w = i << WORD_BITS;
    words[w + WHAT] = packed[at]!;
    at += 2;
    if ((says & STEP) !== 0) time += packed[at++]! >>> 0;
    if ((says & ELSEWHERE) !== 0) where = packed[at++]!;
    if ((says & OTHER_PACKET) !== 0) packet = packed[at++]!;
    if ((says & FURTHER) !== 0) distance = packed[at++]!;
    if ((says & WAITED) !== 0) waited = packed[at++]!;
    if ((says & HAS_A) !== 0) a = packed[at++]!;
    if ((says & HAS_B) !== 0) b = packed[at++]!;
    if ((says & LONG) !== 0) {
      cost = packed[at]!;
      time = doubleAt(at + 1);
      if (i > 0) times[i * 2 - 1] = doubleAt(at + 3);
      said.push(i - 1);
      at += LONG_WORDS;
    }
    if (at > end) throw new ChunkError(`row ${row} ends at word ${at} of ${end}`);
    times[i * 2] = time;
    words[w + WHERE] = where;
    words[w + PACKET] = packet;
    words[w + CAUSE] = row - distance;
    words[w + COST] = cost;
    words[w + ENABLER] = waited === 0 ? NONE : row - waited;
    words[w + A] = a;
    words[w + B] = b;
  }
  if (at !== end) throw new ChunkError(`the rows end at word ${at}, not ${end}`);
  // When a row began follows from the row after it.
  let begin = lastBegin;
  for (let i = rows - 1; i >= 0; i--) {
    const w = i << WORD_BITS;
    if (said.at(-1) === i) {
      said.pop();
      begin = times[i * 2 + 1]!;
    } else if (i < rows - 1) {
      begin = ((words[w + (1 << WORD_BITS) + WHAT]! & FIRST) !== 0 ? times[i * 2]! : begin) - (words[w + COST]! >>> 0);
    }
    times[i * 2 + 1] = begin;
  }
  return rows;
}

const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

function putDouble(at: number, value: number): void {
  double[0] = value;
  packed[at] = halves[0]!;
  packed[at + 1] = halves[1]!;
}

function doubleAt(at: number): number {
  halves[0] = packed[at]!;
  halves[1] = packed[at + 1]!;
  return double[0]!;
}
