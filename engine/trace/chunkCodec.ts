import { A, B, CAUSE, CHUNK_ROWS, COST, ENABLER, FIRST, PACKET, ROW_BYTES, WHAT, WHERE, WORD_BITS, type TraceChunk } from "./chunk";
import { VarintReader, writeVarint } from "./varint";

/**
 * The packed form of a chunk: about 6 bytes a row in place of 48. It stands alone: what is learnt in one chunk is not used in the next.
 *
 * Rows repeat: the same function of the same component runs in the same context on the same vCPU, mostly after the same
 * predecessor, with the same cost. So a row is what differs from what is expected. Expected are
 * - in a dispatch's later rows the *kind* (function, first or not, component, context, vCPU): what came after the last row of the kind
 *   before. What comes first in a dispatch is too hard to tell, and is always said;
 * - the time: that of the row before;
 * - cost, `a`, `b`, the distance to the cause, and in a dispatch's first row the packet: those of the last row of its kind;
 * - in a dispatch's later rows the packet: that of the row before;
 * - no enabler.
 *
 * Each of these eight has two bits in the row's control word, which say whether the difference (of a time; elsewhere the exclusive or)
 * takes 0, 1, 2 or 4 bytes. So neither way has a branch that depends on data, which a processor would guess wrong twice a row
 * (the idea of Stream VByte: Lemire, Kurz, Rupp, "Stream VByte: faster byte-oriented integer compression", 2018).
 *
 * `begin` follows from the rest: a function begins when the one before it in its dispatch ends, and the last one ends at the
 * dispatch's instant. Exceptions are listed, and so are steps in time that do not fit 4 bytes.
 *
 * Layout, little-endian: form (u32: 0 plain, 1 packed), rows (u32), offset of the exceptions (u32), their number (u32), number of
 * long steps (u32), 0 (u32), time of the first row (f64), control words (u16 each), differences, 4 bytes of zero, exceptions, long steps.
 * The plain form has times and words as in memory after the rows' number; a chunk that does not keep the trace's promises (whole times that
 * never decrease, causes before their rows) is written so.
 */
const PLAIN = 0;
const PACKED = 1;
const PLAIN_HEADER = 8;
const PACKED_HEADER = 32;
/** Differences are read four bytes at a time. */
const PADDING = 4;

/** Two bits of a control word for each, after those of the kind. */
const Control = { time: 2, packet: 4, cause: 6, cost: 8, enabler: 10, a: 12, b: 14 } as const;

/**
 * What is known of a kind of row, in the places of a row's own words: WHAT and WHERE, its last row's packet + 1, cost, `a` and `b`,
 * the distance to the cause, and, in the place of the enabler, the kind that followed.
 */
const FOLLOWER = ENABLER;

/** Control word, eight differences, a new kind's two words; an exception or a long step: two numbers of up to 8 bytes each. */
const MOST_BYTES_A_ROW = 2 + 8 * 4 + 2 * 4 + 2 * 16;
/** As in the trace. */
const NONE = -1;
const SLOTS = CHUNK_ROWS * 2;

/** By the number of leading zeros: how a difference is written. */
const CODES = Uint8Array.from({ length: 33 }, (_, zeros) => (zeros === 32 ? 0 : zeros >= 24 ? 1 : zeros >= 16 ? 2 : 3));
/** By code: which bits of four bytes belong to the difference. */
const MASKS = Int32Array.of(0, 0xff, 0xffff, -1);

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
  private readonly scratch = new Uint8Array(PACKED_HEADER + CHUNK_ROWS * MOST_BYTES_A_ROW + PADDING);
  private readonly view = new DataView(this.scratch.buffer);
  /** Hash table over the kinds; −1: empty. */
  private readonly slots = new Int16Array(SLOTS);
  /** Eight words for each kind of row, numbered as they come. */
  private readonly kinds = new Int32Array(CHUNK_ROWS << WORD_BITS);

  /**
   * @param rows of the chunk, from its first on
   * @param base number of its first row in the trace
   */
  encode(chunk: TraceChunk, rows: number, base: number): Uint8Array {
    const bytes = rows === 0 ? -1 : this.pack(chunk, rows, base);
    return bytes < 0 ? plain(chunk, rows) : this.scratch.slice(0, bytes);
  }

  /** @returns bytes in the scratch buffer; −1 where the chunk cannot be packed */
  private pack(chunk: TraceChunk, rows: number, base: number): number {
    const { times, words } = chunk;
    const { view, kinds } = this;
    const steps: number[] = [];
    const exceptions: number[] = [];
    this.slots.fill(-1);
    // No later row is of this kind.
    this.note(0, FIRST, 0);
    let count = 0;
    let kind = 0;
    let timeBefore = times[0]!;
    let beginBefore = 0;
    let costBefore = 0;
    let packetBefore = 0;
    let promises = 0;
    let control = PACKED_HEADER;
    let at = PACKED_HEADER + rows * 2;
    for (let i = 0; i < rows; i++, control += 2) {
      const w = i << WORD_BITS;
      const row = base + i;
      const what = words[w + WHAT]!;
      const where = words[w + WHERE]!;
      const first = what & FIRST;
      const p = (words[w + PACKET]! + 1) | 0;
      const asked = words[w + CAUSE]!;
      const spent = words[w + COST]!;
      const enabled = words[w + ENABLER]!;
      const a = words[w + A]!;
      const b = words[w + B]!;
      const instant = times[i * 2]!;
      const begin = times[i * 2 + 1]!;

      // Where the row before should have ended, and so begun.
      const expected = (first !== 0 ? timeBefore : begin) - costBefore;
      if (expected !== beginBefore && i > 0) exceptions.push(i - 1, expected - beginBefore);
      beginBefore = begin;
      costBefore = spent >>> 0;

      const before = kind;
      kind = kinds[before + FOLLOWER]!;
      const change = (what ^ kinds[kind + WHAT]!) | (where ^ kinds[kind + WHERE]!) | (asked - row + 1) | (p ^ packetBefore)
        | (spent ^ kinds[kind + COST]!) | (enabled ^ NONE) | (a ^ kinds[kind + A]!) | (b ^ kinds[kind + B]!);
      // Nothing to say of a later row of a dispatch that is as later rows are.
      if (change === 0 && first === 0 && instant === timeBefore) {
        view.setInt16(control, 0, true);
        continue;
      }

      let code = 0;
      let word = 0;
      const number = this.find(what, where, count);
      kind = number << WORD_BITS;
      if (first !== 0 || kind !== kinds[before + FOLLOWER] || number === count) {
        word = CODES[Math.clz32(number + 1)]!;
        view.setInt32(at, number + 1, true);
        at += (1 << word) >> 1;
        if (number === count) {
          count++;
          view.setInt32(at, what, true);
          view.setInt32(at + 4, where, true);
          at += 8;
        }
        if (first === 0) kinds[before + FOLLOWER] = kind;
      }

      let step = instant - timeBefore;
      timeBefore = instant;
      if (step >>> 0 !== step) {
        if (!(step > 0 && Number.isSafeInteger(step))) return -1;
        steps.push(i, step);
        step = 0;
      }
      code = CODES[Math.clz32(step)]!;
      view.setInt32(at, step, true);
      at += (1 << code) >> 1;
      word |= code << Control.time;

      const own = -(first >>> 15);
      let difference = p ^ ((kinds[kind + PACKET]! & own) | (packetBefore & ~own));
      packetBefore = p;
      kinds[kind + PACKET] = p;
      code = CODES[Math.clz32(difference)]!;
      view.setInt32(at, difference, true);
      at += (1 << code) >> 1;
      word |= code << Control.packet;

      const distance = (row - asked) & ~(asked >> 31);
      promises |= (asked + 1) | (row - 1 - asked);
      difference = distance ^ kinds[kind + CAUSE]!;
      kinds[kind + CAUSE] = (distance & own) | (1 & ~own);
      code = CODES[Math.clz32(difference)]!;
      view.setInt32(at, difference, true);
      at += (1 << code) >> 1;
      word |= code << Control.cause;

      // What changes seldom is worth a branch.
      if (((spent ^ kinds[kind + COST]!) | (enabled ^ NONE) | (a ^ kinds[kind + A]!) | (b ^ kinds[kind + B]!)) !== 0) {
        difference = spent ^ kinds[kind + COST]!;
        kinds[kind + COST] = spent;
        code = CODES[Math.clz32(difference)]!;
        view.setInt32(at, difference, true);
        at += (1 << code) >> 1;
        word |= code << Control.cost;

        promises |= (enabled + 1) | (row - 1 - enabled);
        difference = (row - enabled) & ~(enabled >> 31);
        code = CODES[Math.clz32(difference)]!;
        view.setInt32(at, difference, true);
        at += (1 << code) >> 1;
        word |= code << Control.enabler;

        difference = a ^ kinds[kind + A]!;
        kinds[kind + A] = a;
        code = CODES[Math.clz32(difference)]!;
        view.setInt32(at, difference, true);
        at += (1 << code) >> 1;
        word |= code << Control.a;

        difference = b ^ kinds[kind + B]!;
        kinds[kind + B] = b;
        code = CODES[Math.clz32(difference)]!;
        view.setInt32(at, difference, true);
        at += (1 << code) >> 1;
        word |= code << Control.b;
      }
      view.setInt16(control, word, true);
    }
    if (promises < 0 || !Number.isSafeInteger(times[0]) || !Number.isSafeInteger(timeBefore)) return -1;
    if (timeBefore - costBefore !== beginBefore) exceptions.push(rows - 1, timeBefore - costBefore - beginBefore);
    return this.finish(times, rows, at, exceptions, steps);
  }

  /** The exceptions of `begin`, the long steps, and the header. */
  private finish(times: Float64Array, rows: number, differencesEnd: number, exceptions: readonly number[], steps: readonly number[]): number {
    const { scratch, view } = this;
    const start = differencesEnd + PADDING;
    scratch.fill(0, differencesEnd, start);
    let at = start;
    for (let k = 0; k < exceptions.length; k += 2) {
      const row = exceptions[k]!;
      const early = exceptions[k + 1]!;
      if (!Number.isSafeInteger(early) || !Number.isSafeInteger(times[row * 2 + 1])) return -1;
      at = writeVarint(scratch, at, row * 2 + (early < 0 ? 1 : 0));
      at = writeVarint(scratch, at, early < 0 ? -early : early);
    }
    for (const value of steps) at = writeVarint(scratch, at, value);
    view.setUint32(0, PACKED, true);
    view.setUint32(4, rows, true);
    view.setUint32(8, start, true);
    view.setUint32(12, exceptions.length / 2, true);
    view.setUint32(16, steps.length / 2, true);
    view.setUint32(20, 0, true);
    view.setFloat64(24, times[0]!, true);
    return at;
  }

  /** Begins a kind anew. */
  private note(number: number, what: number, where: number): void {
    const { kinds } = this;
    kinds.fill(0, number << WORD_BITS, (number + 1) << WORD_BITS);
    kinds[(number << WORD_BITS) + WHAT] = what;
    kinds[(number << WORD_BITS) + WHERE] = where;
    if ((what & FIRST) === 0) kinds[(number << WORD_BITS) + CAUSE] = 1;
  }

  /** The number of a kind; `count` where it is new, which is then noted. */
  private find(what: number, where: number, count: number): number {
    const { slots, kinds } = this;
    let slot = Math.imul(what ^ Math.imul(where, 0x85ebca6b), 0xc2b2ae35) >>> 17;
    for (;;) {
      slot &= SLOTS - 1;
      const number = slots[slot]!;
      if (number < 0) {
        slots[slot] = count;
        this.note(count, what, where);
        return count;
      }
      if (kinds[(number << WORD_BITS) + WHAT] === what && kinds[(number << WORD_BITS) + WHERE] === where) return number;
      slot++;
    }
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
    else if (bytes.length < PACKED_HEADER + rows * 2 + PADDING) throw new ChunkError(`a packed chunk of ${rows} rows is longer than ${bytes.length} bytes`);
    else {
      try {
        this.unpack(bytes, view, base, rows, into);
      } catch (error) {
        if (error instanceof RangeError) throw new ChunkError(`a chunk of ${bytes.length} bytes ends early`);
        throw error;
      }
    }
    return rows;
  }

  private unpack(bytes: Uint8Array, view: DataView, base: number, rows: number, into: TraceChunk): void {
    const { times, words } = into;
    const { kinds } = this;
    const exceptionsAt = view.getUint32(8, true);
    const reader = new VarintReader(bytes, exceptionsAt);
    const jumps = begins(reader, view.getUint32(12, true), view.getUint32(16, true), rows);
    this.note(0, 0, 0);
    let nextJump = 0;
    let jumpRow = jumps.steps.length > 0 ? jumps.steps[0]! : -1;
    let count = 0;
    let kind = 0;
    let instant = view.getFloat64(24, true);
    let packetBefore = 0;
    let control = PACKED_HEADER;
    let at = PACKED_HEADER + rows * 2;
    for (let i = 0; i < rows; i++, control += 2) {
      const word = view.getUint16(control, true);
      const before = kind;
      let code = word & 3;
      kind = kinds[before + FOLLOWER]!;
      if (code !== 0) {
        const number = (view.getInt32(at, true) & MASKS[code]!) - 1;
        at += (1 << code) >> 1;
        if (!(number >= 0 && number <= count && number < CHUNK_ROWS)) throw new ChunkError(`row ${base + i} is of kind ${number} of ${count}`);
        if (number === count) {
          count++;
          this.note(number, view.getInt32(at, true), view.getInt32(at + 4, true));
          at += 8;
        }
        kind = number << WORD_BITS;
        if ((kinds[kind + WHAT]! & FIRST) === 0) kinds[before + FOLLOWER] = kind;
      }

      code = (word >>> Control.time) & 3;
      instant += (view.getInt32(at, true) & MASKS[code]!) >>> 0;
      at += (1 << code) >> 1;
      if (i === jumpRow) {
        instant += jumps.steps[nextJump + 1]!;
        nextJump += 2;
        jumpRow = nextJump < jumps.steps.length ? jumps.steps[nextJump]! : -1;
      }
      times[i * 2] = instant;

      const what = kinds[kind + WHAT]!;
      const where = kinds[kind + WHERE]!;
      const w = i << WORD_BITS;
      words[w + WHAT] = what;
      words[w + WHERE] = where;

      code = (word >>> Control.packet) & 3;
      const own = -((what >>> 15) & 1);
      packetBefore = ((kinds[kind + PACKET]! & own) | (packetBefore & ~own)) ^ (view.getInt32(at, true) & MASKS[code]!);
      at += (1 << code) >> 1;
      kinds[kind + PACKET] = packetBefore;
      words[w + PACKET] = packetBefore - 1;

      code = (word >>> Control.cause) & 3;
      const distance = kinds[kind + CAUSE]! ^ (view.getInt32(at, true) & MASKS[code]!);
      at += (1 << code) >> 1;
      kinds[kind + CAUSE] = (distance & own) | (1 & ~own);
      const row = base + i;
      // Distance 0 is "no row", −1.
      words[w + CAUSE] = (row - distance) | -Number(distance === 0);

      code = (word >>> Control.cost) & 3;
      const spent = kinds[kind + COST]! ^ (view.getInt32(at, true) & MASKS[code]!);
      at += (1 << code) >> 1;
      words[w + COST] = kinds[kind + COST] = spent;

      code = (word >>> Control.enabler) & 3;
      const waited = view.getInt32(at, true) & MASKS[code]!;
      at += (1 << code) >> 1;
      words[w + ENABLER] = (row - waited) | -Number(waited === 0);

      code = (word >>> Control.a) & 3;
      words[w + A] = kinds[kind + A]! ^= view.getInt32(at, true) & MASKS[code]!;
      at += (1 << code) >> 1;

      code = word >>> Control.b;
      words[w + B] = kinds[kind + B]! ^= view.getInt32(at, true) & MASKS[code]!;
      at += (1 << code) >> 1;
    }
    if (at + PADDING !== exceptionsAt) throw new ChunkError(`the differences end at byte ${at}, not ${exceptionsAt - PADDING}`);
    if (reader.at !== bytes.length) throw new ChunkError(`the chunk ends at byte ${reader.at}, not ${bytes.length}`);
    fillBegins(jumps.exceptions, rows, into);
  }
}

/** The lists at a chunk's end: pairs of a row (with the sign in the lowest bit) and how early it began; pairs of row and step. */
function begins(reader: VarintReader, exceptions: number, steps: number, rows: number): { readonly exceptions: readonly number[]; readonly steps: readonly number[] } {
  if (exceptions > rows || steps > rows) throw new ChunkError(`${exceptions} exceptions and ${steps} steps in ${rows} rows`);
  const read = (pairs: number): number[] => Array.from({ length: pairs * 2 }, () => reader.next());
  return { exceptions: read(exceptions), steps: read(steps) };
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
