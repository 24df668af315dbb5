import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { createEngine } from "../../engine/create";
import { A, B, CAUSE, CHUNK_ROWS, COST, ENABLER, FIRST, PACKET, TraceChunk, WHAT, WHERE, WORD_BITS } from "../../engine/trace/chunk";
import { ChunkError, decodeChunk, encodeChunk, HEADER_BYTES } from "../../engine/trace/chunkCodec";
import { NONE, NO_VCPU, Trace, type Row } from "../../engine/trace/trace";
import { SMALL_NAMES } from "../support/randomTrace";
import { designOf } from "../support/runDesign";
import { times } from "../support/times";

interface Line {
  readonly first: boolean;
  readonly step: number;
  readonly early: number;
  readonly cost: number;
  readonly fn: number;
  readonly where: number;
  readonly packet: number;
  readonly cause: number;
  readonly enabler: number;
  readonly a: number;
  readonly b: number;
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** Mostly as rows are, with everything that a column can hold now and then. */
const line: fc.Arbitrary<Line> = fc.record({
  first: fc.boolean(),
  step: fc.oneof({ weight: 8, arbitrary: fc.nat(1000) }, fc.constantFrom(2 ** 32 - 1, 2 ** 32), fc.nat(2 ** 31 - 1), fc.integer({ min: 0, max: 2 ** 42 })),
  early: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
  cost: fc.oneof({ weight: 8, arbitrary: fc.nat(3) }, fc.constantFrom(2 ** 24 - 1, 2 ** 24), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  fn: fc.oneof({ weight: 8, arbitrary: fc.nat(3) }, fc.nat(0x7fff)),
  where: fc.oneof({ weight: 8, arbitrary: fc.nat(2) }, fc.nat(0xffff)),
  packet: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: NONE, max: 5 }) }, int32),
  cause: fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, fc.nat(5000)),
  enabler: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.nat(5000)),
  a: fc.oneof({ weight: 8, arbitrary: fc.nat(2) }, int32),
  b: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, int32),
});

/** A trace of those rows as often as asked, and what should be read from it. */
function record(lines: readonly Line[], repeats: number): { trace: Trace; rows: Row[] } {
  const trace = new Trace(SMALL_NAMES);
  const rows: Row[] = [];
  let time = 0;
  for (let k = 0; k < repeats; k++) {
    for (const l of lines) {
      const row = trace.length;
      const first = l.first || row === 0;
      if (first) time += l.step;
      const cause = l.cause > 0 && l.cause <= row ? row - l.cause : NONE;
      const enabler = l.enabler > 0 && l.enabler <= row ? row - l.enabler : NONE;
      const expected = { row, time, begin: time - l.cost - l.early, cost: l.cost, fn: l.fn, component: l.where, context: l.where >> 1, vcpu: l.where === 0 ? NO_VCPU : l.where, packet: l.packet, cause, enabler, a: l.a, b: l.b, first };
      trace.append(first, time, expected.begin, l.cost, l.fn, l.where, l.where >> 1, expected.vcpu, l.packet, cause, enabler, l.a, l.b);
      rows.push(expected);
    }
  }
  return { trace, rows };
}

/** Checks that rows are the same after they have been packed and unpacked, but for the signs of zeros; returns how many bytes they took. */
function comesBack(chunk: TraceChunk, rows: number, base: number): number {
  const bytes = encodeChunk(chunk, rows, base);
  const { length } = bytes;
  const copy = new TraceChunk();
  assert.equal(decodeChunk(bytes, base, copy), rows);
  assert.deepEqual(copy.words.subarray(0, rows << WORD_BITS), chunk.words.subarray(0, rows << WORD_BITS));
  assert.deepEqual(copy.times.subarray(0, rows * 2).map((x) => x + 0), chunk.times.subarray(0, rows * 2).map((x) => x + 0));
  return length;
}

describe("packed chunks", () => {
  it("give back every row as it was written, in any order of reading", () => {
    fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: CHUNK_ROWS / 8 }), fc.array(fc.nat(), { maxLength: 40 }), (lines, repeats, places) => {
      const { trace, rows } = record(lines, repeats);
      for (const place of places) assert.deepEqual(trace.row(place % rows.length), rows[place % rows.length]);
      rows.forEach((expected, row) => assert.deepEqual(trace.row(row), expected));
      // Those chunks that the trace has at hand have not been packed for that.
      trace.eachChunk((chunk, count, base) => void comesBack(chunk, count, base));
    }), { numRuns: times(60) });
  });

  it("keep what breaks the trace's promises", () => {
    const value = fc.oneof(fc.double(), fc.integer());
    fc.assert(fc.property(fc.array(fc.tuple(value, value, int32, int32), { minLength: 1, maxLength: 20 }), fc.integer({ min: 0, max: 1e6 }), (rows, base) => {
      const chunk = new TraceChunk();
      rows.forEach(([time, begin, one, other], i) => {
        chunk.times.set([time, begin], i * 2);
        chunk.words.set([one, other, one, other, one, other, one, other], i << WORD_BITS);
      });
      comesBack(chunk, rows.length, base);
    }));
  });

  it("are small, and equal to the chunk, for what the engine records", () => {
    const engine = createEngine(designOf(readFileSync("samples/librettos/librettos.exo.yaml", "utf8")));
    while (engine.trace.length < 3 * CHUNK_ROWS && engine.dispatch());
    let seen = 0;
    engine.trace.eachChunk((chunk, rows, base) => {
      const bytes = comesBack(chunk, rows, base);
      if (rows === CHUNK_ROWS) assert.ok(bytes < rows * 20, `${bytes} bytes for ${rows} rows`);
      seen += rows;
    });
    assert.equal(seen, engine.trace.length);
  });

  it("take a word a row, and one for each thing that is not as in most rows", () => {
    const base = 3 * CHUNK_ROWS;
    const rows = 7;
    const bytesWith = (word: number, value: (usual: number) => number): number => {
      const chunk = new TraceChunk();
      for (let i = 0; i < rows; i++) {
        chunk.words.set([50 | FIRST, 6, 7, base + i - 1, 9, NONE, 0, 0], i << WORD_BITS);
        chunk.times.set([1e12, 1e12 - 9], i * 2);
      }
      // The last row: one after it would differ in turn.
      const place = ((rows - 1) << WORD_BITS) | word;
      chunk.words[place] = value(chunk.words[place]!);
      return comesBack(chunk, rows, base);
    };
    const usual = bytesWith(COST, (cost) => cost);
    // The first row says its function, context and packet.
    assert.equal(usual, HEADER_BYTES + (rows + 3) * 4);
    for (const word of [WHAT, WHERE, PACKET, CAUSE, ENABLER, A, B]) {
      for (const by of [-7, -2, -1, 1, 2, 2 ** 30]) assert.equal(bytesWith(word, (value) => value + by), usual + 4, `word ${word}, ${by} more`);
    }
  });

  it("that are damaged are refused with the reason, or read as something else, and never do worse", () => {
    const { trace } = record(Array.from({ length: 40 }, (_, i) => ({ first: i % 3 === 0, step: 77 * i, early: i % 7 === 0 ? 5 : 0, cost: i, fn: i % 5, where: i % 4, packet: i % 6, cause: 1, enabler: i % 9 === 0 ? 2 : 0, a: i, b: 0 })), 3);
    const [bytes] = trace.tail();
    fc.assert(fc.property(fc.nat(bytes!.length - 1), fc.integer({ min: 1, max: 255 }), fc.integer({ min: 0, max: bytes!.length }), (at, flip, length) => {
      const damaged = bytes!.slice(0, length);
      if (at < length) damaged[at]! ^= flip;
      try {
        decodeChunk(damaged, 0, new TraceChunk());
      } catch (error) {
        assert.ok(error instanceof ChunkError, String(error));
      }
    }), { numRuns: times(500) });
    assert.throws(() => decodeChunk(bytes!.subarray(0, bytes!.length - 1), 0, new TraceChunk()), ChunkError);
    // Fewer rows or more, fewer words, rows that end elsewhere, an irregular row (of five words, the last ones) that there is not.
    for (const at of [0, 2, 4, HEADER_BYTES + 3, bytes!.length - 20 + 3]) {
      const damaged = bytes!.slice();
      damaged[at]! ^= 1;
      assert.throws(() => decodeChunk(damaged, 0, new TraceChunk()), ChunkError, `byte ${at}`);
    }
  });

  it("hold a chunk whose rows say everything", () => {
    const chunk = new TraceChunk();
    chunk.words.forEach((_, k) => (chunk.words[k] = Math.imul(k + 1, 0x9e3779b1)));
    chunk.times.forEach((_, k) => (chunk.times[k] = k * 2 ** 33 + 0.5));
    comesBack(chunk, CHUNK_ROWS, 0);
  });
});
