import assert from "node:assert/strict";
import type { Track, WindowQuery } from "../../engine/trace/timelineQuery";
import { TimelineIndex } from "../../engine/trace/timelineIndex";
import { TIMELINE_STRINGS } from "../../protocol/timelineStrings";
import { formatDuration, formatTime, ruler } from "../../webview/timeline/timeFormat";
import { Questions, Unanswered } from "../../webview/timeline/questions";
import { Tiles, TILE_BUCKETS } from "../../webview/timeline/tiles";
import { trackRows } from "../../webview/timeline/trackTree";
import { viewOf } from "../../webview/timeline/memory";
import { Viewport } from "../../webview/timeline/viewport";
import { syntheticTrace } from "../support/syntheticTrace";

describe("timeline's window of time", () => {
  it("keeps the instant under the pointer where it is when it zooms", () => {
    const viewport = new Viewport();
    viewport.width = 1000;
    viewport.setRun(1e12);
    viewport.fit();
    const time = viewport.time(250);
    for (let k = 0; k < 40; k++) viewport.zoom(0.7, 250);
    assert.ok(Math.abs(viewport.time(250) - time) < 1);
    for (let k = 0; k < 60; k++) viewport.zoom(1.6, 250);
    assert.deepEqual([viewport.from, viewport.to], [0, viewport.end]);
  });

  it("stays inside the run, however it is panned", () => {
    const viewport = new Viewport();
    viewport.width = 500;
    viewport.setRun(1e9);
    viewport.set(4e8, 5e8);
    viewport.pan(-1e6);
    assert.deepEqual([viewport.from, viewport.to], [0, 1e8]);
    viewport.pan(1e9);
    assert.equal(viewport.to, viewport.end);
    assert.ok(Math.abs(viewport.span - 1e8) < 1);
  });

  it("reaches as far as anything was that is known of the run, until there is another run", () => {
    const viewport = new Viewport();
    viewport.setRun(1e9);
    viewport.reach(3e9);
    viewport.set(2.5e9, 2.6e9);
    // What comes late tells of an earlier time.
    viewport.reach(2e9);
    assert.deepEqual([viewport.from, viewport.to, viewport.end], [2.5e9, 2.6e9, 3.06e9]);
    viewport.setRun(2e9);
    assert.ok(viewport.to <= 2.04e9);
  });
});

describe("timeline's words for times", () => {
  it("writes lengths with four digits in the unit that fits", () => {
    assert.deepEqual([0, 999, 1234, 800_000, 12_345_678, 1.5e12].map(formatDuration), ["0 ns", "999 ps", "1.234 ns", "800 ns", "12.35 µs", "1.5 s"]);
  });

  it("writes instants to the nanosecond or finer", () => {
    assert.deepEqual([0, 1500, 2_345_678, 12_345_678_901, 1.000000001e12].map(formatTime), ["0 ns", "1.500 ns", "2.346 µs", "12.345679 ms", "1.000000001 s"]);
  });

  it("puts ticks at round times with labels that differ", () => {
    for (const [from, to] of [[0, 2e11], [63.25e9, 63.27e9], [1e12, 1e12 + 5000]] as const) {
      const { ticks } = ruler(from, to, 1000, 110);
      assert.ok(ticks.length >= 4 && ticks.length <= 20, String(ticks.length));
      assert.equal(new Set(ticks.map((t) => t.label)).size, ticks.length);
      ticks.forEach(({ x, label }) => assert.ok(x >= 0 && x <= 1000 && label.length <= 18, label));
    }
  });
});

describe("timeline's tiles", () => {
  const trace = syntheticTrace(20_000);
  const index = new TimelineIndex(trace);
  index.update();
  const tracks = [6, 13, 14];
  const unexpected = (error: unknown): void => assert.fail(String(error));
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

  it("asks for a window once, in aligned parts that cover it", async () => {
    const asked: WindowQuery[] = [];
    const tiles = new Tiles(async (query) => { asked.push(query); return index.query(query); }, () => undefined, unexpected);
    tiles.grew(trace.length, index.time, true);
    const wish = [{ level: 15, from: 1e8, to: 3e8, tracks }];
    for (let k = 0; k < 8; k++) {
      tiles.want(wish);
      await settled();
    }
    const width = TILE_BUCKETS * 2 ** 15;
    assert.deepEqual(asked.map((q) => q.from / width), [2, 3, 4, 5, 6, 7, 8]);
    asked.forEach((q) => assert.deepEqual([q.to - q.from, q.buckets, q.tracks], [width, TILE_BUCKETS, tracks]));
  });

  it("shows the nearest coarser level until the exact one has come", async () => {
    const tiles = new Tiles(async (query) => index.query(query), () => undefined, unexpected);
    tiles.grew(trace.length, index.time, true);
    tiles.want([{ level: tiles.overviewLevel, from: 0, to: index.time, tracks }]);
    await settled();
    const widths = (): Set<number> => {
      const found = new Set<number>();
      tiles.best(13, 15, 1e8, 3e8, ({ answer }) => found.add(answer.query.to - answer.query.from));
      return found;
    };
    assert.deepEqual([...widths()], [TILE_BUCKETS * 2 ** tiles.overviewLevel]);
    for (let k = 0; k < 8; k++) {
      tiles.want([{ level: 15, from: 1e8, to: 3e8, tracks }]);
      await settled();
    }
    assert.deepEqual([...widths()], [TILE_BUCKETS * 2 ** 15]);
  });

  it("asks again for what a growing trace has outdated, and not for what failed a moment ago", async () => {
    let asked = 0;
    let failing = false;
    const failures: unknown[] = [];
    const tiles = new Tiles(async (query) => {
      asked++;
      if (failing) throw new Error("no worker");
      return { ...index.query(query), rows: 100, time: 1e6 };
    }, () => undefined, (error) => failures.push(error));
    const want = async (): Promise<void> => {
      tiles.want([{ level: 20, from: 0, to: 1e6, tracks }]);
      await settled();
    };
    tiles.grew(100, 1e6, false);
    await want();
    await want();
    assert.equal(asked, 1);
    tiles.grew(200, 2e6, false);
    failing = true;
    await want();
    await want();
    assert.equal(asked, 2);
    assert.equal(failures.length, 1);
  });
});

describe("timeline's questions", () => {
  it("drops the answers of a simulation that is gone, and rejects what was open", async () => {
    const sent: unknown[] = [];
    const questions = new Questions((message) => sent.push(message));
    questions.restart(1);
    const old = questions.ask<"tracks">({ kind: "tracks" });
    questions.restart(2);
    await assert.rejects(old, (error) => error instanceof Unanswered && error.stale);
    const asked = questions.ask<"tracks">({ kind: "tracks" });
    questions.receive({ type: "answer", generation: 1, id: 2, result: { kind: "tracks", tracks: [], outages: [], rows: 1, time: 1 } });
    questions.receive({ type: "answer", generation: 2, id: 2, result: { kind: "tracks", tracks: [], outages: [], rows: 7, time: 1 } });
    assert.equal((await asked).rows, 7);
  });

  it("rejects what the host refuses", async () => {
    const questions = new Questions(() => undefined);
    questions.restart(1);
    const asked = questions.ask<"event">({ kind: "event", row: 3 });
    questions.receive({ type: "refused", generation: 1, id: 1, reason: "the worker has ended" });
    await assert.rejects(asked, (error) => error instanceof Unanswered && !error.stale && error.message === "the worker has ended");
  });
});

describe("timeline's track list", () => {
  const track = (id: number, kind: Track["kind"], path: string, domain?: string): Track => ({ id, kind, path, host: "server", domain, lanes: 1, slices: 1 });
  const tracks = [track(0, "pcpu", "server/pcpu0"), track(1, "device", "server/nic0/vf0"), track(2, "thread", "server/nginx/irq", "server/nginx"), track(3, "vcpu", "server/nginx/vcpu0", "server/nginx")];

  it("groups by host: CPUs, domains with their vCPUs first, devices", () => {
    const rows = trackRows(tracks, [], -1, new Set(), TIMELINE_STRINGS);
    assert.deepEqual(rows.map((r) => `${"  ".repeat(r.level)}${r.label}`), [
      "Packets", "server", "  CPUs", "    pcpu0", "  nginx", "    vcpu0", "    irq", "  Devices and Links", "    nic0/vf0",
    ]);
    rows.forEach((r, k) => assert.equal(r.top, k === 0 ? 0 : rows[k - 1]!.top + rows[k - 1]!.height));
  });

  it("keeps a collapsed group's tracks in its row", () => {
    const rows = trackRows(tracks, [], -1, new Set(["server"]), TIMELINE_STRINGS);
    assert.deepEqual(rows.map((r) => r.label), ["Packets", "server"]);
    assert.deepEqual(rows[1]!.inside.map((t) => t.id), [0, 3, 2, 1]);
  });
});

describe("timeline's memory", () => {
  it("is taken for the same design only, and only where it has its shape", () => {
    const memory = { key: "a", from: 1, to: 2, collapsed: ["x"] };
    assert.deepEqual(viewOf(memory, "a"), memory);
    for (const other of [undefined, null, 3, {}, { ...memory, to: 0 }, { ...memory, from: "1" }]) assert.equal(viewOf(other, "a"), undefined);
    assert.equal(viewOf(memory, "b"), undefined);
  });
});
