import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { report } from "../../../engine/analysis/report";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { RecordedRun } from "../../../engine/recordedRun";
import type { Recording } from "../../../engine/session/recording";
import { exportCapture } from "../../../engine/trace/capture";
import { CHUNK_ROWS } from "../../../engine/trace/chunk";
import { Trace } from "../../../engine/trace/trace";
import { TraceFile, TraceFileError, TraceFileWriter } from "../../../engine/trace/traceFile";
import { ENGINE_VERSION } from "../../../engine/version";
import { keepRun } from "../../support/keptRun";
import { MemoryFile } from "../../support/memoryFile";
import { designOf } from "../../support/runDesign";

const text = readFileSync("samples/librettos/librettos.exo.yaml", "utf8");

describe("trace file", () => {
  const file = new MemoryFile();
  let engine: MachineEngine;
  let recording: Recording;
  before(() => ({ engine, recording } = keepRun(file, text)));

  it("gives back the run: rows, result, capture, and the state at any row", () => {
    const run = new RecordedRun(file);
    assert.ok(run.finished);
    assert.equal(run.trace.length, engine.rows);
    const again = run.atEnd();
    assert.deepEqual(report(again), report(engine));
    run.loadPackets();
    assert.equal(again.fingerprint(), engine.fingerprint());
    assert.deepEqual(exportCapture(again), exportCapture(engine));
    assert.equal(run.keyframes, recording.keyframeCount);
    const replayer = createEngine(designOf(text));
    for (const row of [0, 1, 2999, 3001, 20_000, engine.rows - 1]) {
      const start = engine.trace.dispatchStart(row);
      while (replayer.rows < start) replayer.dispatch();
      const there = run.at(row);
      assert.deepEqual([there.rows, there.time, there.dispatches], [replayer.rows, replayer.time, replayer.dispatches]);
      for (const { id } of engine.names.components) assert.deepEqual(there.describeComponent(id), replayer.describeComponent(id), `component ${id} at row ${row}`);
    }
  });

  it("opens, and tells the result of the run, without reading the rows or the packets", () => {
    file.bytesRead = 0;
    const run = new RecordedRun(file);
    assert.ok(file.bytesRead < 64 << 10, `${file.bytesRead} bytes to open`);
    report(run.atEnd());
    assert.ok(file.bytesRead < file.size / 3, `${file.bytesRead} of ${file.size} bytes to tell the result`);
  });

  it("of ten million rows opens with less than a megabyte read", () => {
    const names = engine.names;
    const large = new MemoryFile();
    const writer = new TraceFileWriter(large, { names });
    const one = new TraceFile(file).read(0);
    const chunks = Math.ceil(10_000_000 / CHUNK_ROWS);
    for (let k = 0; k < chunks; k++) writer.add(one);
    writer.finish(chunks * CHUNK_ROWS, []);
    const opened = new TraceFile(large);
    const trace = new Trace(names, { store: opened, rows: opened.rows, starts: opened.starts });
    assert.ok(trace.length >= 10_000_000);
    assert.equal(trace.fn(7_000_000), trace.fn(7_000_000 % CHUNK_ROWS));
    assert.ok(large.bytesRead < 1 << 20, `${large.bytesRead} of ${large.size} bytes`);
  });

  it("of a run that was killed has its rows up to the last whole chunk, wherever it was cut", () => {
    const killed = new MemoryFile();
    const run = keepRun(killed, text, false);
    const whole = new RecordedRun(killed);
    assert.ok(!whole.finished);
    assert.equal(whole.trace.length, Math.floor(run.engine.rows / CHUNK_ROWS) * CHUNK_ROWS);
    for (const row of [0, 12_345, whole.trace.length - 1]) assert.deepEqual(whole.trace.row(row), run.engine.trace.row(row));
    assert.throws(() => whole.atEnd(), (error: Error) => error instanceof TraceFileError && /did not come to its end.*Run the design again/.test(error.message));
    const third = killed.find("CHNK", killed.find("CHNK", killed.find("CHNK") + 1) + 1);
    for (const [size, chunks] of [[third, 2], [third + 1, 2], [third + 15, 2], [third + 16, 2], [third + 40, 2], [killed.size - 1, whole.trace.length / CHUNK_ROWS - 1]] as const) {
      const { trace } = new RecordedRun(killed.cut(size));
      assert.equal(trace.length, chunks * CHUNK_ROWS, `cut at ${size}`);
      assert.deepEqual(trace.row(trace.length - 1), run.engine.trace.row(trace.length - 1));
    }
    // A finished file that lost its end is as one of a run that was killed.
    assert.equal(new RecordedRun(file.cut(file.size - 3)).trace.length, engine.rows);
  });

  it("that is damaged says where, why and what to do", () => {
    const damagedAt = (offset: number): MemoryFile => {
      const copy = file.cut(file.size);
      copy.flip(offset);
      return copy;
    };
    const says = (pattern: RegExp) => (error: Error): boolean => error instanceof TraceFileError && pattern.test(error.message);
    assert.throws(() => new RecordedRun(new MemoryFile()), says(/^run\.exotrace: this is no trace.*exoscope run DESIGN --trace FILE/));
    assert.throws(() => new RecordedRun(damagedAt(3)), says(/this is no trace/));
    assert.throws(() => new RecordedRun(damagedAt(8)), says(/at byte 8: a trace of version 20; this Exoscope reads version 4\..*run the design again/));
    assert.throws(() => new RecordedRun(damagedAt(16)), says(/at byte 16: the description of the run is missing/));
    assert.throws(() => new RecordedRun(damagedAt(100)), says(/at byte 16: the description of the run is not what was written: its checksum differs\..*run the design again/));
    assert.throws(() => new RecordedRun(damagedAt(file.size - 10)), says(/at byte .*: the index is not where the file's end says\. Without the last 16 bytes/));
    assert.throws(() => new RecordedRun(damagedAt(file.find("INDX") + 30)), says(/the index is not what was written/));
    const second = file.find("CHNK", file.find("CHNK") + 1);
    const run = new RecordedRun(damagedAt(second + 1000));
    assert.equal(run.trace.row(0).row, 0);
    assert.throws(() => run.trace.row(CHUNK_ROWS), says(new RegExp(`at byte ${second}: chunk 1 of the rows is not what was written.*the rest of the file can be read`)));
    assert.equal(run.trace.row(2 * CHUNK_ROWS).row, 2 * CHUNK_ROWS);
    assert.throws(() => new RecordedRun(damagedAt(file.find("KEYF") + 20)).atEnd().rows, says(/keyframe 0 is not what was written/));
    assert.throws(() => new RecordedRun(damagedAt(file.find("COLM") + 20)).loadPackets(), says(/the packets' column \w+ is not what was written/));
  });

  it("of another engine's machine says so", () => {
    const changed = new MemoryFile();
    const head = { ...(new TraceFile(file).head as object), engine: "9.9.9", layout: 1 };
    new TraceFileWriter(changed, head).finish(0, []);
    const run = new RecordedRun(changed);
    assert.throws(() => run.atEnd(), /written by Exoscope 9\.9\.9, whose machines differ.*rows can be read.*run the design again/);
  });

  it("names the version of the package", () => {
    assert.equal(ENGINE_VERSION, (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version);
  });
});
