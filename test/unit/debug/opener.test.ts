import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { opener } from "../../../extension/debug/worker/opener";
import type { OpenedDesign } from "../../../extension/debug/worker/sessionServer";
import { MemoryChunks } from "../../../engine/trace/chunkStore";
import type { OpenDesignParams } from "../../../protocol/session";
import { finish } from "../../../engine/session/work";
import { threadOfContext } from "../../../engine/session/threads";
import { keepRun } from "../../support/keptRun";
import { MemoryFile } from "../../support/memoryFile";

const text = readFileSync("samples/librettos/librettos.exo.yaml", "utf8");

const disk = new Map<string, MemoryFile>();
const openAny = opener(() => new MemoryChunks(), (path) => disk.get(path)!);

function open(params: Partial<OpenDesignParams> = {}): OpenedDesign {
  const opened = openAny({ text, ...params });
  assert.ok(!("errors" in opened));
  return opened;
}

describe("opening what is to be debugged", () => {
  it("lets the launch configuration's seed and end take the place of the design's", () => {
    const record = (opened: OpenedDesign): string => {
      while (opened.session.recording.record(256));
      return opened.session.recording.engine.fingerprint();
    };
    const short = open({ until: 12e9 });
    assert.equal(short.until, 12e9);
    const fingerprint = record(short);
    assert.ok(short.session.recording.time <= 12e9);
    assert.equal(record(open({ until: 12e9, seed: 1 })), fingerprint, "seed 1 is the design's own");
    assert.notEqual(record(open({ until: 12e9, seed: 2 })), fingerprint);
  });

  it("writes what has been recorded as a capture", () => {
    const opened = open();
    opened.session.recording.record(5000);
    const capture = opened.capture();
    assert.deepEqual([...capture.subarray(0, 4)], [0x0a, 0x0d, 0x0d, 0x0a], "a pcapng section header");
    assert.ok(capture.length > 10_000);
  });

  describe("a recorded run", () => {
    const rowsOf = ({ session: { trace } }: OpenedDesign): number => trace.length;
    const opened = (name: string): OpenedDesign => {
      const found = openAny({ trace: name });
      assert.ok(!("errors" in found));
      return found;
    };
    before(() => {
      const [whole, killed] = [new MemoryFile(), new MemoryFile()];
      keepRun(whole, text);
      keepRun(killed, text, false);
      disk.set("whole", whole);
      disk.set("killed", killed);
      disk.set("none", new MemoryFile());
    });

    it("shows at every row what the run itself shows: stack, state, steps, cursor, capture", () => {
      const live = open();
      while (live.session.recording.record(1000));
      const kept = opened("whole");
      assert.equal(kept.session.recording.rowsOnly, undefined);
      assert.equal(kept.session.recording.complete, true);
      assert.deepEqual([rowsOf(kept), kept.until, kept.session.recording.time], [rowsOf(live), live.until, live.session.recording.time]);
      for (const row of [0, 1, 4000, 12_345, rowsOf(live) - 1]) {
        const thread = threadOfContext(live.session.trace.context(row));
        for (const { session } of [kept, live]) assert.equal(session.recording.record(1), false);
        assert.deepEqual(finish(kept.session.scopes(row)), finish(live.session.scopes(row)), `state at row ${row}`);
        assert.deepEqual(kept.session.stack(row, 0, 50), live.session.stack(row, 0, 50));
        assert.deepEqual(kept.session.cursor(row), live.session.cursor(row));
        assert.deepEqual(finish(kept.session.stepping.next(row, thread)), finish(live.session.stepping.next(row, thread)));
      }
      assert.deepEqual(kept.timeline.query({ kind: "tracks" }), live.timeline.query({ kind: "tracks" }));
      assert.deepEqual(kept.capture(), live.capture());
    });

    it("of a run that was killed shows the rows, says that there is no state, and knows none", () => {
      const kept = opened("killed");
      assert.match(kept.session.recording.rowsOnly ?? "", /did not come to its end, so the file has rows, but neither state nor packets/);
      assert.ok(rowsOf(kept) > 10_000);
      const row = 4000;
      const [event, ...others] = finish(kept.session.scopes(row));
      assert.equal(event?.variables.find(({ name }) => name === "row")?.number, row);
      for (const { variables } of others) assert.deepEqual(variables, []);
      assert.ok(kept.session.stack(row, 0, 50).total > 0);
      assert.equal(finish(kept.session.evaluate(row, "tcpip.connections")), undefined);
      assert.equal(finish(kept.session.evaluate(row, "row + 1"))?.number, row + 1);
      assert.equal(finish(kept.session.stepping.nextOfAny(rowsOf(kept) - 1)), undefined);
      assert.ok(kept.timeline.query({ kind: "tracks" }).kind === "tracks");
      assert.throws(() => kept.capture(), /neither state nor packets/);
    });

    it("is refused by a sentence where the file is no trace", () => {
      assert.throws(() => openAny({ trace: "none" }), /this is no trace: it does not begin with EXOTRACE/);
    });
  });

  it("answers a design with errors by their lines", () => {
    const opened = openAny({ text: "exoscope: 1\nname: Broken\nhosts: 3\n" });
    assert.ok("errors" in opened);
    assert.ok(opened.errors.some(({ line, message }) => line === 2 && message.length > 0));
  });

  it("answers any text whatever", () => {
    for (const odd of ["", "\u0000\u0001", "[", "exoscope: 1", "&a [*a, *a]"]) assert.ok("errors" in openAny({ text: odd }), JSON.stringify(odd));
  });
});
