import { readFileSync } from "node:fs";
import { table } from "../../engine/cli/table";
import { createEngine } from "../../engine/create";
import { Playback } from "../../engine/session/playback";
import { Recording } from "../../engine/session/recording";
import { designOf } from "../support/runDesign";
import { nextState } from "./eventQueue/holdModel";
import { number, quantile, type Section } from "./section";

const sample = "samples/scheduling/slices.exo.yaml";
/** Simulated time, picoseconds. */
const UNTIL = 4e12;
const JUMPS = 200;

/** What going back costs: time to a row anywhere, and memory for the keyframes. */
export const keyframes: Section = {
  name: "keyframes",
  title: "Going to any event",
  run() {
    const design = designOf(readFileSync(sample, "utf8"));
    const engine = createEngine({ ...design, run: { ...design.run, until: UNTIL } });
    const before = memory();
    const recording = new Recording(engine);
    const start = performance.now();
    while (recording.record(20_000));
    const seconds = (performance.now() - start) / 1000;
    const held = memory() - before;
    const traceBytes = recording.trace.chunks.length * Object.values(recording.trace.chunks[0]!).reduce((sum, column: ArrayBufferView) => sum + column.byteLength, 0);

    const playback = new Playback(recording);
    const times: number[] = [];
    let state = 1;
    for (let i = 0; i < JUMPS; i++) {
      state = nextState(state);
      const begin = performance.now();
      for (const work = playback.seek(Math.floor((state / 2 ** 32) * recording.length)); work.next().done !== true; );
      times.push(performance.now() - begin);
    }
    return [
      `${sample} for ${UNTIL / 1e12} s of simulated time, recorded with keyframes in ${seconds.toFixed(1)} s; then the machine's state at ${JUMPS} rows drawn from all.`,
      table(
        ["events", "rows", "keyframes", "p50", "p95", "greatest", "keyframes beside trace", "memory in all beside trace"],
        [[
          number(engine.dispatches), number(recording.length), number(recording.keyframeCount),
          ...[0.5, 0.95, 1].map((q) => `${quantile(times, q).toFixed(1)} ms`),
          `${((recording.keyframeBytes / traceBytes) * 100).toFixed(1)}%`, held > 0 ? `${((held / traceBytes) * 100).toFixed(0)}%` : "–",
        ]],
      ),
      "Keyframes are counted by the pages that they hold alone; memory in all is what the process holds after collecting garbage: trace, keyframes, packets and the machine itself.",
    ];
  },
};

/** Bytes in use, or NaN where garbage cannot be collected on demand. */
function memory(): number {
  if (globalThis.gc === undefined) return Number.NaN;
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
