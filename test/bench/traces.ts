import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { report } from "../../engine/analysis/report";
import { NodeFile } from "../../engine/cli/nodeFile";
import { table } from "../../engine/cli/table";
import { createEngine, type Keyframe } from "../../engine/create";
import { RecordedRun, RunWriter } from "../../engine/recordedRun";
import { Recording } from "../../engine/session/recording";
import { designOf } from "../support/runDesign";
import { nextState } from "./eventQueue/holdModel";
import { number, quantile, type Section } from "./section";

const sample = "samples/scheduling/slices.exo.yaml";
const EVENTS = 10_000_000;
const JUMPS = 200;

/** What it takes to open a long run that is on disk. */
export const traces: Section = {
  name: "traces",
  title: "Traces on disk",
  run() {
    const folder = mkdtempSync(join(tmpdir(), "exoscope-bench-"));
    try {
      return measure(join(folder, "run.exotrace"));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function measure(path: string): readonly string[] {
  // Simulated time without end: the events decide.
  const text = readFileSync(sample, "utf8").replace(/requests: \d+/, "requests: 100000000").replace(/until: \w+/, "until: 1000s");
  const engine = createEngine(designOf(text));
  const file = NodeFile.create(path);
  const writer = new RunWriter(file, engine, text, new Map());
  const recording = new Recording(engine);
  while (engine.dispatches < EVENTS && recording.record(Math.min(20_000, EVENTS - engine.dispatches)));
  writer.end(recording.end() as readonly Keyframe[]);
  const { size } = file;
  file.close();

  const opened = NodeFile.open(path);
  const lines: [string, number, number][] = [];
  const step = <T>(what: string, act: () => T): T => {
    const before = opened.bytesRead;
    const begin = performance.now();
    const result = act();
    lines.push([what, performance.now() - begin, opened.bytesRead - before]);
    return result;
  };
  const run = step("open", () => new RecordedRun(opened));
  step("result of the run", () => report(run.atEnd()));
  const { trace } = run;
  const times: number[] = [];
  let state = 1;
  step(`${JUMPS} rows drawn from all`, () => {
    for (let i = 0; i < JUMPS; i++) {
      state = nextState(state);
      const begin = performance.now();
      trace.row(Math.floor((state / 2 ** 32) * trace.length));
      times.push(performance.now() - begin);
    }
  });
  step("packets", () => run.loadPackets());
  step("state at the middle row", () => run.at(trace.length >> 1));
  step("all rows", () => {
    let sum = 0;
    for (let row = 0; row < trace.length; row++) sum += trace.cost(row);
    return sum;
  });
  opened.close();
  return [
    `${sample}, ${number(engine.dispatches)} events, ${number(trace.length)} rows, ${number(engine.built.machine.packets.length)} packets: a file of ${megabytes(size)}, ${(size / engine.dispatches).toFixed(1)} bytes an event, written as the run went. Then, in the order of asking:`,
    table(["", "time", "read"], lines.map(([what, time, bytes]) => [what, `${time.toFixed(1)} ms`, megabytes(bytes)])),
    `One row, wherever it is: ${quantile(times, 0.5).toFixed(2)} ms (p50), ${quantile(times, 0.95).toFixed(2)} ms (p95).`,
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}
