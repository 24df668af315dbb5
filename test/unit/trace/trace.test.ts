import assert from "node:assert/strict";
import { CHUNK_ROWS, type TraceChunk } from "../../../engine/trace/chunk";
import { CACHED_CHUNKS, ChunkCache } from "../../../engine/trace/chunkCache";
import { MemoryChunks, SpillingChunks } from "../../../engine/trace/chunkStore";
import { NONE, Trace } from "../../../engine/trace/trace";
import { SMALL_NAMES } from "../../support/randomTrace";

/** Rows of two to a dispatch; `a` is the row's number. */
function append(trace: Trace, rows: number): void {
  for (let i = 0; i < rows; i++) {
    const row = trace.length;
    trace.append(row % 2 === 0, (row >> 1) * 100, (row >> 1) * 100 - 10, 10, 1, 2, 3, 0, row % 7, row - 1, NONE, row, 0);
  }
}

describe("trace", () => {
  it("takes a third of its columns' memory where rows repeat, and says how much", () => {
    const trace = new Trace(SMALL_NAMES);
    for (let row = 0; row < 100 * CHUNK_ROWS; row++) trace.append(row % 2 === 0, (row >> 1) * 100, (row >> 1) * 100 - (row % 2 === 0 ? 20 : 10), 10, 1, 2, 3, 0, row >> 1, row - 1, NONE, row % 14, 0);
    assert.ok(trace.bytes < trace.length * 17, `${trace.bytes / trace.length} bytes a row`);
    assert.ok(trace.memory >= trace.bytes);
    assert.ok(trace.memory < trace.bytes + 4 * CHUNK_ROWS * 48, "buffers of chunks that nobody reads are used again");
  });

  it("uses buffers again although dispatches go on from one chunk to the next", () => {
    const trace = new Trace(SMALL_NAMES);
    for (let row = 0; row < 100 * CHUNK_ROWS; row++) trace.append(row % 3 === 0, Math.floor(row / 3) * 100, 0, 10, 1, 2, 3, 0, NONE, row - 1, NONE, 0, 0);
    assert.ok(trace.memory < trace.bytes + 4 * CHUNK_ROWS * 48, `${trace.memory - trace.bytes} bytes of buffers`);
  });

  it("finds the first row at a time, whatever chunk that is in", () => {
    const trace = new Trace(SMALL_NAMES);
    append(trace, 5 * CHUNK_ROWS + 7);
    const last = trace.time(trace.length - 1);
    for (const time of [-1, 0, 1, 99, 100, (CHUNK_ROWS / 2) * 100 - 1, (CHUNK_ROWS / 2) * 100, (CHUNK_ROWS / 2) * 100 + 1, last - 1, last]) {
      const expected = Math.max(0, Math.ceil(time / 100)) * 2;
      assert.equal(trace.firstAt(time), expected, `at ${time}`);
    }
    assert.equal(trace.firstAt(last + 1), trace.length);
    assert.equal(new Trace(SMALL_NAMES).firstAt(0), 0);
  });

  it("lets a dispatch name its packet although it spans chunks", () => {
    const trace = new Trace(SMALL_NAMES);
    append(trace, CHUNK_ROWS - 2);
    const start = trace.length;
    for (let i = 0; i < CHUNK_ROWS + 5; i++) trace.append(i === 0, 1e9, 0, 0, 0, 0, 0, 0, NONE, start + i - 1, NONE, i, 0);
    trace.namePacket(77);
    assert.equal(trace.packet(start - 1), (start - 1) % 7, "no row of another dispatch");
    assert.equal(trace.dispatchStart(trace.length - 1), start);
    append(trace, 3 * CHUNK_ROWS);
    for (const row of [start, start + 2, start + CHUNK_ROWS + 4]) assert.deepEqual([trace.packet(row), trace.a(row)], [77, row - start]);
  });

  it("moves its chunks to another store, and goes on there", () => {
    const trace = new Trace(SMALL_NAMES);
    append(trace, 3 * CHUNK_ROWS + 1);
    const store = new MemoryChunks();
    trace.keepIn(store);
    assert.equal(store.count, 3);
    append(trace, 2 * CHUNK_ROWS);
    assert.equal(store.count, 5);
    for (let row = 0; row < trace.length; row += 101) assert.equal(trace.a(row), row);
  });
});

describe("chunks in memory", () => {
  it("are copies, whole and in order, short ones and those that are longer than a slab", () => {
    const store = new MemoryChunks();
    const bytes = new Uint8Array(3 << 20);
    const lengths = [10, 70_000, 1, 3 << 20, 200_000, 0, 900_000, 5];
    // The codec hands out the same bytes again and again.
    lengths.forEach((length, k) => store.add(bytes.fill(k + 1).subarray(0, length)));
    lengths.forEach((length, k) => assert.ok(store.read(k).length === length && store.read(k).every((byte) => byte === k + 1), `chunk ${k}`));
    assert.equal(store.bytes, lengths.reduce((sum, length) => sum + length, 0));
  });

  it("are in buffers that V8 does not count, but for one in eight, by which it hears of traces that nobody has any more", () => {
    const store = new MemoryChunks();
    for (let k = 0; k < 16; k++) store.add(new Uint8Array(1 << 20));
    const counted = Array.from({ length: store.count }, (_, k) => store.read(k).buffer instanceof ArrayBuffer);
    assert.deepEqual(counted, Array.from({ length: 16 }, (_, k) => k % 8 === 0));
  });
});

describe("spilling chunks", () => {
  it("leave memory when the budget is exceeded, once", () => {
    let opened = 0;
    const larger = new MemoryChunks();
    const store = new SpillingChunks(25, () => {
      opened++;
      return larger;
    });
    for (let k = 0; k < 10; k++) {
      store.add(new Uint8Array(10).fill(k));
      assert.equal(larger.count, k < 2 ? 0 : k + 1);
    }
    assert.equal(opened, 1);
    assert.equal(store.count, 10);
    assert.equal(store.bytes, 100);
    for (let k = 0; k < 10; k++) assert.equal(store.read(k)[0], k);
  });
});

describe("chunks at hand", () => {
  const decodeAs = (number: number, log: number[]) => (into: TraceChunk): void => {
    log.push(number);
    into.words[0] = number;
  };

  it("keep those that are read again and again, and decode no other twice while there is room", () => {
    const cache = new ChunkCache();
    const log: number[] = [];
    const read = (number: number): number => {
      const chunk = cache.plain[number] ?? cache.load(number, decodeAs(number, log));
      chunk.read = true;
      return chunk.words[0]!;
    };
    for (let round = 0; round < 3; round++) for (let number = 0; number < CACHED_CHUNKS; number++) assert.equal(read(number), number);
    assert.equal(log.length, CACHED_CHUNKS);
    // Number 0 is read between all others that come by.
    for (let number = CACHED_CHUNKS; number < 10 * CACHED_CHUNKS; number++) {
      assert.equal(read(number), number);
      assert.equal(read(0), 0);
    }
    assert.ok(log.filter((number) => number === 0).length <= 2, "what is read all the time stays");
    assert.ok(cache.bytes <= (CACHED_CHUNKS + 1) * CHUNK_ROWS * 48);
    assert.equal(cache.plain.filter((chunk) => chunk !== undefined).length, CACHED_CHUNKS);
  });

  it("give the writer the buffer of a chunk that nobody has read since", () => {
    const cache = new ChunkCache();
    const buffers = new Set<TraceChunk>();
    for (let number = 0; number < 50; number++) {
      buffers.add(cache.open(number));
      cache.packed(number);
    }
    assert.ok(buffers.size <= 3);
    const read = cache.plain[49]!;
    read.read = true;
    for (let number = 50; number < 60; number++) {
      assert.notEqual(cache.open(number), read);
      cache.packed(number);
    }
    assert.equal(cache.plain[49], read);
  });
});
