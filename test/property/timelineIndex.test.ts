import assert from "node:assert/strict";
import fc from "fast-check";
import { SliceList } from "../../engine/trace/sliceList";
import { TimelineIndex } from "../../engine/trace/timelineIndex";
import type { Slices } from "../../engine/trace/timelineQuery";
import { NO_VCPU, NONE, Trace } from "../../engine/trace/trace";
import { appendRows, SMALL_NAMES, smallRows } from "../support/randomTrace";
import { timelineOracle } from "../support/timelineOracle";
import { times } from "../support/times";

function traceOf(rows: Parameters<typeof appendRows>[1]): Trace {
  const trace = new Trace(SMALL_NAMES);
  appendRows(trace, rows);
  return trace;
}

const window = fc.record({ from: fc.nat(300), span: fc.integer({ min: 1, max: 300 }), buckets: fc.integer({ min: 1, max: 60 }) });

function* slicesOf(slices: Slices): Generator<{ track: number; lane: number; list: { start: number; end: number; row: number; fill: number }[] }> {
  for (const { track, lane, offset, count } of slices.ranges) {
    const list = Array.from({ length: count }, (_, k) => ({
      start: slices.start[offset + k]!, end: slices.end[offset + k]!, row: slices.row[offset + k]!, fill: slices.fill[offset + k]!,
    }));
    yield { track, lane, list };
  }
}

describe("timeline index", () => {
  it("gives every picosecond of a CPU to the row that the oracle gives it to", () => {
    fc.assert(fc.property(smallRows, (rows) => {
      const trace = traceOf(rows);
      const index = new TimelineIndex(trace);
      index.update();
      for (const [track, lanes] of timelineOracle(trace, (r) => index.trackOf(r)).tracks) {
        if (track === 5 || track === 6) continue;
        lanes[0]!.at.forEach((owner, t) => assert.equal(index.rowAt(track, 0, t + 0.5, 0), owner, `track ${track} at ${t}`));
      }
    }));
  });

  it("shows every device's work on some lane while there are lanes", () => {
    fc.assert(fc.property(smallRows, (rows) => {
      const trace = traceOf(rows);
      const index = new TimelineIndex(trace);
      const { tracks } = index.query({ kind: "tracks" });
      for (const { id, kind, lanes } of tracks) {
        if ((kind !== "device" && kind !== "link") || lanes === 4) continue;
        for (let row = 0; row < trace.length; row++) {
          if (index.trackOf(row) !== id) continue;
          for (let t = trace.begin(row); t < trace.begin(row) + trace.cost(row); t++) {
            const found = Array.from({ length: lanes }, (_, lane) => index.rowAt(id, lane, t + 0.5, 0));
            assert.ok(found.includes(row), `row ${row} at ${t}`);
          }
        }
      }
    }));
  });

  it("answers a window with at most one slice a bucket and lane, sorted, and accounts for all work in it", () => {
    fc.assert(fc.property(smallRows, window, (rows, { from, span, buckets }) => {
      const trace = traceOf(rows);
      const index = new TimelineIndex(trace);
      const all = index.query({ kind: "tracks" }).tracks.map((t) => t.id);
      const { slices } = index.query({ kind: "window", from, to: from + span, buckets, tracks: all });
      const oracle = timelineOracle(trace, (r) => index.trackOf(r));
      slices.row.forEach((row, k) => {
        assert.deepEqual([slices.place[k], slices.packet[k]], [trace.context(row), trace.packet(row)]);
        const keys = SMALL_NAMES.contexts[trace.context(row)]!.kind === "pcpu" ? [trace.vcpu(row), NO_VCPU] : [trace.fn(row)];
        assert.ok(keys.includes(slices.key[k]!), `key ${slices.key[k]} of row ${row}`);
      });
      for (const { track, list } of slicesOf(slices)) {
        assert.ok(list.length <= buckets);
        list.forEach((s, k) => {
          assert.ok(s.start <= s.end && s.start < from + span && s.end >= from);
          if (k > 0) assert.ok(list[k - 1]!.end <= s.start);
        });
        if (track === 5 || track === 6) continue;
        const owners = oracle.tracks.get(track)?.[0]?.at;
        if (!owners) continue;
        for (let t = from; t < from + span; t++) {
          if ((owners[t] ?? NONE) !== NONE) assert.ok(list.some((s) => s.start <= t && t < s.end), `track ${track} at ${t}`);
        }
        for (const s of list) {
          const inside = owners.subarray(s.start, s.end);
          const busy = inside.filter((o) => o !== NONE).length;
          if (s.end > s.start) {
            assert.ok(Math.abs(busy / (s.end - s.start) - s.fill / 255) < 1 / 255);
            assert.ok(busy === 0 || inside.includes(s.row));
          }
        }
      }
    }));
  });

  it("walks over every event of a track, each once, in order of time, the same both ways", () => {
    fc.assert(fc.property(smallRows, (rows) => {
      const trace = traceOf(rows);
      const index = new TimelineIndex(trace);
      index.update();
      for (const [track, expected] of timelineOracle(trace, (r) => index.trackOf(r)).rows) {
        const forth: number[] = [];
        for (let row = index.neighbour(track, NONE, 1); row !== NONE && forth.length <= trace.length; row = index.neighbour(track, row, 1)) forth.push(row);
        const back: number[] = [];
        for (let row = index.neighbour(track, NONE, -1); row !== NONE && back.length <= trace.length; row = index.neighbour(track, row, -1)) back.push(row);
        assert.deepEqual(new Set(forth), new Set(expected));
        assert.equal(forth.length, expected.size);
        assert.deepEqual(back.reverse(), forth);
      }
    }));
  });

  it("is the same whether it absorbs a trace at once or as it grows", () => {
    fc.assert(fc.property(smallRows, smallRows, fc.integer({ min: 1, max: 7 }), window, (some, more, limit, { from, span, buckets }) => {
      const trace = new Trace(SMALL_NAMES);
      const growing = new TimelineIndex(trace);
      appendRows(trace, some);
      while (growing.rows < trace.length) growing.update(limit);
      appendRows(trace, more);
      const fresh = new TimelineIndex(trace);
      const all = fresh.query({ kind: "tracks" });
      assert.deepEqual(growing.query({ kind: "tracks" }), all);
      const query = { kind: "window", from, to: from + span, buckets, tracks: all.tracks.map((t) => t.id) } as const;
      assert.deepEqual(growing.query(query), fresh.query(query));
      const packets = { kind: "packets", from, to: from + span, buckets, budget: 7, packet: NONE } as const;
      assert.deepEqual(growing.query(packets), fresh.query(packets));
    }));
  });

  it("shows the packet asked for first, then only packets that live in the window, at most as many as asked", () => {
    fc.assert(fc.property(smallRows, window, fc.integer({ min: -1, max: 40 }), fc.nat(9), (rows, { from, span, buckets }, packet, budget) => {
      const trace = traceOf(rows);
      const to = from + span;
      const { lanes, slices } = new TimelineIndex(trace).query({ kind: "packets", from, to, buckets, budget, packet });
      const lives = new Map<number, { from: number; to: number }>();
      for (let row = 0; row < trace.length; row++) {
        if (trace.packet(row) === NONE) continue;
        const life = lives.get(trace.packet(row));
        lives.set(trace.packet(row), { from: Math.min(life?.from ?? Infinity, trace.begin(row)), to: trace.time(row) });
      }
      const inWindow = [...lives].filter(([, life]) => life.from < to && life.to >= from).map(([p]) => p);
      const wanted = lives.has(packet) && budget > 0;
      const others = inWindow.filter((p) => p !== packet || !wanted).length;
      assert.equal(lanes.length, Math.min(budget, (wanted ? 1 : 0) + others));
      if (wanted) assert.equal(lanes[0]!.packet, packet);
      for (const lane of lanes) {
        assert.deepEqual({ from: lane.from, to: lane.to }, lives.get(lane.packet));
        assert.ok(lane.packet === packet || inWindow.includes(lane.packet));
      }
      for (const { list } of slicesOf(slices)) {
        assert.ok(list.length <= buckets);
        list.forEach((s, k) => assert.ok(k === 0 || list[k - 1]!.end <= s.start));
      }
    }));
  });
});

describe("slice list", () => {
  it("sums up any run of slices as a loop would, however they came in", () => {
    const gaps = fc.array(fc.record({ gap: fc.nat(3), length: fc.nat(9), key: fc.nat(1000) }), { minLength: 1, maxLength: 700, size: "max" });
    fc.assert(fc.property(gaps, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 50 }), (parts, a, b, batch) => {
      let time = 0;
      const slices = parts.map(({ gap, length, key }, row) => {
        const begin = time + gap + (length === 0 ? 1 : 0);
        time = begin + length + (length === 0 ? 1 : 0);
        return { begin, end: begin + length, row, key };
      });
      const list = new SliceList();
      [...slices].sort((x, y) => x.key - y.key).forEach((s, k) => {
        assert.ok(list.isFree(s.begin, s.end));
        list.insert(s.begin, s.end, s.row);
        if (k % batch === 0) list.settle();
      });
      list.settle();
      assert.deepEqual([...list.row.subarray(0, list.length)], slices.map((s) => s.row));
      const first = Math.min(a % slices.length, b % slices.length);
      const last = Math.max(a % slices.length, b % slices.length);
      const group = { first: 0, last: 0, longest: 0, busy: 0 };
      list.group(first, last, group);
      const inside = slices.slice(first, last + 1);
      const length = Math.max(...inside.map((s) => s.end - s.begin));
      assert.equal(group.busy, inside.reduce((sum, s) => sum + s.end - s.begin, 0));
      assert.equal(group.longest, inside.find((s) => s.end - s.begin === length)!.row);
    }), { numRuns: times(60) });
  });
});
