import { A, B, CAUSE, CHUNK_BITS, CHUNK_ROWS, COST, ENABLER, FIRST, PACKET, ROW_BYTES, WHAT, WHERE, WORD_BITS, type TraceChunk } from "./chunk";
import { VarintReader, writeVarint } from "./varint";

/**
 * The packed form of a chunk: 9 to 17 bytes a row in place of 48. It stands alone: what is learnt in one chunk is not used in the next.
 *
 * Rows repeat: the same function of the same component runs in the same context on the same vCPU with the same cost and values. Such a
 * *kind* of row is written once a chunk, and rows are numbers of kinds. Guessing a row's kind from the one before it, and looking it up
 * where that fails (for one row in five to one in two), cost the processor more than looking each up. Besides its kind
 * - the first row of a dispatch has its step in time, packet, and distance to its cause;
 * - a later row has nothing: it has the time and the packet of the row before, which is its cause;
 * - a row with more to say (an enabler; a step that is too long; in a later row another packet or cause) is flagged, and says all.
 *
 * All of these are whole words. Fields of as many bytes as they need took two thirds of the space and twice the time.
 *
 * `begin` follows from the rest: a function begins when the one before it in its dispatch ends, and the last one ends at the
 * dispatch's instant. Exceptions are listed.
 *
 * Layout, little-endian: form (u32: 0 plain, 1 packed), rows, kinds, words, exceptions (u32 each), 0 (u32), time of the first row (f64), the kinds
 * (five words each), the words, the rows (u16 each, made even), the exceptions (varints). The plain form has times and words as in memory
 * after the rows' number; a chunk that does not keep the trace's promises (whole times that never decrease, causes before their rows) is written so.
 */
const PLAIN = 0;
const PACKED = 1;
const PLAIN_HEADER = 8;
const PACKED_HEADER = 32;

/** In a row: it says more than its kind does. */
const FLAGGED = 0x8000;
/** Words of a kind, in the order of the layout. */
const KIND = { what: 0, where: 1, cost: 2, a: 3, b: 4, words: 5 } as const;
const { what: KIND_WHAT, where: KIND_WHERE, cost: KIND_COST, a: KIND_A, b: KIND_B, words: KIND_WORDS } = KIND;
/** Words that a row says at most, besides its kind. */
const MOST_WORDS = 5;
/** An exception: two numbers of up to 8 bytes each. */
const EXCEPTION_BYTES = 16;
/** As in the trace. */
const NONE = -1;
const SLOT_BITS = CHUNK_BITS + 1;
const SLOTS = 1 << SLOT_BITS;
const HIGH = 0x1_0000_0000;

/** The bytes of a chunk are not what the codec writes. */
export class ChunkError extends Error {}

/** Time of the first row of a packed or plain chunk, from its first 32 bytes; 0 where it has none. */
export function chunkStart(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = view.getUint32(0, true) === PLAIN ? PLAIN_HEADER : PACKED_HEADER - 8;
  return at + 8 <= bytes.length ? view.getFloat64(at, true) : 0;
}

/** Packs and unpacks chunks; holds the tables that this takes, so that one serves a whole trace. */
export class ChunkCodec {
  private readonly kinds = new Int32Array(CHUNK_ROWS * KIND_WORDS);
  private readonly words = new Int32Array(CHUNK_ROWS * MOST_WORDS);
  private readonly rows = new Uint16Array(CHUNK_ROWS);
  /** Hash table over the kinds: number plus one; 0: empty. */
  private readonly slots = new Uint16Array(SLOTS);
  private readonly exceptions = new Uint8Array(CHUNK_ROWS * EXCEPTION_BYTES);
  /** Where a packed chunk is put together: a new array for each was the most expensive line of a run, and its garbage. */
  private readonly packed = new Uint8Array(sizesOf(CHUNK_ROWS, CHUNK_ROWS, CHUNK_ROWS * MOST_WORDS).exceptions + CHUNK_ROWS * EXCEPTION_BYTES);

  /**
   * @param rows of the chunk, from its first on
   * @param base number of its first row in the trace
   * @returns bytes that are valid until the next chunk is encoded
   */
  encode(chunk: TraceChunk, rows: number, base: number): Uint8Array {
    return (rows === 0 ? undefined : this.pack(chunk, rows, base)) ?? plain(chunk, rows);
  }

  /** @returns undefined where the chunk cannot be packed */
  private pack(chunk: TraceChunk, count: number, base: number): Uint8Array | undefined {
    const { times } = chunk;
    const source = chunk.words;
    const { kinds, words, rows, slots } = this;
    slots.fill(0);
    let known = 0;
    let at = 0;
    let timeBefore = times[0]!;
    let beginBefore = 0;
    let costBefore = 0;
    let packetBefore = NONE;
    let promises = 0;
    let exceptions = 0;
    let exceptionsEnd = 0;
    for (let i = 0; i < count; i++) {
      const w = i << WORD_BITS;
      const row = base + i;
      const what = source[w + WHAT]!;
      const where = source[w + WHERE]!;
      const packet = source[w + PACKET]!;
      const cause = source[w + CAUSE]!;
      const cost = source[w + COST]!;
      const enabler = source[w + ENABLER]!;
      const a = source[w + A]!;
      const b = source[w + B]!;
      const instant = times[i * 2]!;
      const begin = times[i * 2 + 1]!;
      const first = what & FIRST;

      // Where the row before should have ended, and so begun.
      const expected = (first !== 0 ? timeBefore : begin) - costBefore;
      if (expected !== beginBefore && i > 0) {
        exceptionsEnd = this.except(exceptionsEnd, times, i - 1, expected - beginBefore);
        if (exceptionsEnd < 0) return undefined;
        exceptions++;
      }
      beginBefore = begin;
      costBefore = cost >>> 0;

      let slot = (Math.imul(what, 0x9e3779b1) + Math.imul(a, 0x85ebca6b) + Math.imul(where ^ cost ^ (b << 8), 0xc2b2ae35)) >>> (32 - SLOT_BITS);
      let number = slots[slot]! - 1;
      let k = number * KIND_WORDS;
      while (number >= 0 && ((kinds[k + KIND_WHAT]! ^ what) | (kinds[k + KIND_WHERE]! ^ where) | (kinds[k + KIND_COST]! ^ cost) | (kinds[k + KIND_A]! ^ a) | (kinds[k + KIND_B]! ^ b)) !== 0) {
        slot = (slot + 1) & (SLOTS - 1);
        number = slots[slot]! - 1;
        k = number * KIND_WORDS;
      }
      if (number < 0) {
        number = known++;
        slots[slot] = known;
        k = number * KIND_WORDS;
        kinds[k + KIND_WHAT] = what;
        kinds[k + KIND_WHERE] = where;
        kinds[k + KIND_COST] = cost;
        kinds[k + KIND_A] = a;
        kinds[k + KIND_B] = b;
      }

      promises |= (cause + 1) | (row - 1 - cause) | (enabler + 1) | (row - 1 - enabler);
      if (first !== 0) {
        const step = instant - timeBefore;
        words[at++] = step;
        words[at++] = packet;
        words[at++] = cause === NONE ? 0 : row - cause;
        if (enabler !== NONE || step >= HIGH) {
          number |= FLAGGED;
          words[at++] = enabler === NONE ? 0 : row - enabler;
          words[at++] = step / HIGH;
        }
        if (!(step >= 0 && Number.isSafeInteger(step))) return undefined;
        timeBefore = instant;
      } else {
        if (instant !== timeBefore) return undefined;
        if (((packet ^ packetBefore) | (cause - row + 1) | (enabler ^ NONE)) !== 0) {
          number |= FLAGGED;
          words[at++] = packet;
          words[at++] = cause === NONE ? 0 : row - cause;
          words[at++] = enabler === NONE ? 0 : row - enabler;
        }
      }
      packetBefore = packet;
      rows[i] = number;
    }
    if (promises < 0 || !Number.isSafeInteger(times[0]) || !Number.isSafeInteger(timeBefore)) return undefined;
    if (timeBefore - costBefore !== beginBefore) {
      exceptionsEnd = this.except(exceptionsEnd, times, count - 1, timeBefore - costBefore - beginBefore);
      if (exceptionsEnd < 0) return undefined;
      exceptions++;
    }

    const sizes = sizesOf(count, known, at);
    const { packed } = this;
    const header = new DataView(packed.buffer);
    [PACKED, count, known, at, exceptions, 0].forEach((value, field) => header.setUint32(field * 4, value, true));
    header.setFloat64(PACKED_HEADER - 8, times[0]!, true);
    new Int32Array(packed.buffer, PACKED_HEADER, known * KIND_WORDS).set(kinds.subarray(0, known * KIND_WORDS));
    new Int32Array(packed.buffer, sizes.words, at).set(words.subarray(0, at));
    // Rows are padded to whole words.
    packed[sizes.exceptions - 2] = packed[sizes.exceptions - 1] = 0;
    new Uint16Array(packed.buffer, sizes.rows, count).set(rows.subarray(0, count));
    packed.set(this.exceptions.subarray(0, exceptionsEnd), sizes.exceptions);
    return packed.subarray(0, sizes.exceptions + exceptionsEnd);
  }

  /** Lists a row that began `early` picoseconds before it should have. @returns where the next exception goes; −1 where it cannot be said */
  private except(at: number, times: Float64Array, row: number, early: number): number {
    if (!Number.isSafeInteger(early) || !Number.isSafeInteger(times[row * 2 + 1])) return -1;
    at = writeVarint(this.exceptions, at, row * 2 + (early < 0 ? 1 : 0));
    return writeVarint(this.exceptions, at, early < 0 ? -early : early);
  }

  /**
   * @param base number of the chunk's first row in the trace
   * @param into as long as a chunk at least
   * @returns number of rows
   * @throws ChunkError for bytes that `encode` has not written
   */
  decode(bytes: Uint8Array, base: number, into: TraceChunk): number {
    if (bytes.length < PLAIN_HEADER) throw new ChunkError(`${bytes.length} bytes are no chunk`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const form = view.getUint32(0, true);
    const rows = view.getUint32(4, true);
    if (rows > CHUNK_ROWS || form > PACKED) throw new ChunkError(`form ${form} with ${rows} rows is no chunk`);
    if (form === PLAIN) unplain(bytes, rows, into);
    else this.unpack(bytes, view, base, rows, into);
    return rows;
  }

  private unpack(bytes: Uint8Array, view: DataView, base: number, count: number, into: TraceChunk): void {
    if (bytes.length < PACKED_HEADER) throw new ChunkError(`a packed chunk is longer than ${bytes.length} bytes`);
    const known = view.getUint32(8, true);
    const said = view.getUint32(12, true);
    const sizes = sizesOf(count, known, said);
    if (known > count || said > count * MOST_WORDS || sizes.exceptions > bytes.length) {
      throw new ChunkError(`${known} kinds and ${said} words of ${count} rows are not in ${bytes.length} bytes`);
    }
    const { kinds, words, rows } = this;
    const part = (start: number, end: number): Uint8Array => bytes.subarray(start, end);
    new Uint8Array(kinds.buffer).set(part(PACKED_HEADER, sizes.words));
    new Uint8Array(words.buffer).set(part(sizes.words, sizes.rows));
    new Uint8Array(rows.buffer).set(part(sizes.rows, sizes.rows + count * 2));
    const { times, words: target } = into;
    let at = 0;
    let instant = view.getFloat64(PACKED_HEADER - 8, true);
    let packet = NONE;
    for (let i = 0; i < count; i++) {
      const row = base + i;
      const flagged = rows[i]! & FLAGGED;
      const number = rows[i]! & (FLAGGED - 1);
      if (number >= known) throw new ChunkError(`row ${row} is of kind ${number} of ${known}`);
      const k = number * KIND_WORDS;
      const what = kinds[k + KIND_WHAT]!;
      let distance = 1;
      let waited = 0;
      if ((what & FIRST) !== 0) {
        instant += words[at]! >>> 0;
        packet = words[at + 1]!;
        distance = words[at + 2]!;
        at += 3;
        if (flagged !== 0) {
          waited = words[at]!;
          instant += (words[at + 1]! >>> 0) * HIGH;
          at += 2;
        }
      } else if (flagged !== 0) {
        packet = words[at]!;
        distance = words[at + 1]!;
        waited = words[at + 2]!;
        at += 3;
      }
      if (at > said) throw new ChunkError(`row ${row} needs ${at} words of ${said}`);
      const w = i << WORD_BITS;
      times[i * 2] = instant;
      target[w + WHAT] = what;
      target[w + WHERE] = kinds[k + KIND_WHERE]!;
      target[w + PACKET] = packet;
      target[w + CAUSE] = distance === 0 ? NONE : row - distance;
      target[w + COST] = kinds[k + KIND_COST]!;
      target[w + ENABLER] = waited === 0 ? NONE : row - waited;
      target[w + A] = kinds[k + KIND_A]!;
      target[w + B] = kinds[k + KIND_B]!;
    }
    if (at !== said) throw new ChunkError(`the rows say ${at} words, not ${said}`);
    fillBegins(readExceptions(bytes, sizes.exceptions, view.getUint32(16, true), count), count, into);
  }
}

/** Where the parts of a packed chunk start, bytes. */
function sizesOf(rows: number, kinds: number, words: number): { readonly words: number; readonly rows: number; readonly exceptions: number } {
  const wordsAt = PACKED_HEADER + kinds * KIND_WORDS * 4;
  const rowsAt = wordsAt + words * 4;
  return { words: wordsAt, rows: rowsAt, exceptions: rowsAt + (rows + (rows & 1)) * 2 };
}

/** Pairs of a row (with the sign in the lowest bit) and how early it began. */
function readExceptions(bytes: Uint8Array, start: number, exceptions: number, rows: number): readonly number[] {
  if (exceptions > rows) throw new ChunkError(`${exceptions} exceptions in ${rows} rows`);
  const reader = new VarintReader(bytes, start);
  try {
    const pairs = Array.from({ length: exceptions * 2 }, () => reader.next());
    if (reader.at !== bytes.length) throw new ChunkError(`the chunk ends at byte ${reader.at}, not ${bytes.length}`);
    return pairs;
  } catch (error) {
    if (error instanceof RangeError) throw new ChunkError(`a chunk of ${bytes.length} bytes ends early`);
    throw error;
  }
}

/** Fills in when each row began, from the last row to the first. */
function fillBegins(exceptions: readonly number[], rows: number, { times, words }: TraceChunk): void {
  let next = exceptions.length - 2;
  let end = 0;
  let last = true;
  for (let i = rows - 1; i >= 0; i--) {
    const w = i << WORD_BITS;
    end = (last ? times[i * 2]! : end) - (words[w + COST]! >>> 0);
    if (next >= 0 && exceptions[next]! >> 1 === i) {
      end -= (exceptions[next]! & 1) === 0 ? exceptions[next + 1]! : -exceptions[next + 1]!;
      next -= 2;
    }
    times[i * 2 + 1] = end;
    last = (words[w + WHAT]! & FIRST) !== 0;
  }
}

function plain(chunk: TraceChunk, rows: number): Uint8Array {
  const bytes = new Uint8Array(PLAIN_HEADER + rows * ROW_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, PLAIN, true);
  view.setUint32(4, rows, true);
  let at = PLAIN_HEADER;
  for (const part of plainParts(chunk, rows)) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function unplain(bytes: Uint8Array, rows: number, into: TraceChunk): void {
  let at = PLAIN_HEADER;
  if (bytes.length !== at + rows * ROW_BYTES) throw new ChunkError(`a plain chunk of ${rows} rows has ${at + rows * ROW_BYTES} bytes, not ${bytes.length}`);
  for (const part of plainParts(into, rows)) {
    part.set(bytes.subarray(at, at + part.length));
    at += part.length;
  }
}

function plainParts({ times, words }: TraceChunk, rows: number): readonly Uint8Array[] {
  return [new Uint8Array(times.buffer, 0, rows * 2 * 8), new Uint8Array(words.buffer, 0, (rows << WORD_BITS) * 4)];
}
