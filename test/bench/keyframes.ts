import { readFileSync } from "node:fs";
import { table } from "../../engine/cli/table";
import { createEngine } from "../../engine/create";
import { Playback } from "../../engine/session/playback";
import { Recording } from "../../engine/session/recording";
import { designOf } from "../support/runDesign";
import { nextState } from "./eventQueue/holdModel";
import { cpuTime, memoryInUse, number, quantile, type Section } from "./section";

const sample = "samples/scheduling/slices.exo.yaml";
const EVENTS = 10_000_000;
/** Simulated time, picoseconds: more than so many events take. */
const UNTIL = 1000e12;
const JUMPS = 200;

/** What going back costs in a long run: time to a row anywhere, and memory for the keyframes. */
export const keyframes: Section = {
  name: "keyframes",
  title: "Going to any event",
  async run() {
    // The sample's client would be done after a sixth of the events.
    const sampleDesign = designOf(readFileSync(sample, "utf8").replace(/requests: \d+/, "requests: 100000000"));
    const design = { ...sampleDesign, run: { ...sampleDesign.run, until: UNTIL } };
    const alone = await grown(() => {
      const engine = createEngine(design);
      while (engine.dispatches < EVENTS && engine.dispatch());
      return engine;
    });
    const { dispatches } = alone.result;
    const { columns } = alone.result.built.machine.packets;
    const packets = Object.values(columns).reduce((sum: number, column: ArrayBufferView) => sum + column.byteLength, 0);
    let seconds = 0;
    const { result: recording, bytes } = await grown(() => {
      const engine = createEngine(design);
      const made = new Recording(engine);
      const start = cpuTime();
      while (engine.dispatches < EVENTS && made.record(Math.min(20_000, EVENTS - engine.dispatches)));
      seconds = cpuTime() - start;
      return made;
    });
    const memory = bytes - alone.bytes;
    const { trace } = recording;

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
      `${sample}, ${number(dispatches)} events, ${(recording.time / 1e12).toFixed(1)} s of simulated time, recorded with keyframes in ${seconds.toFixed(1)} s; then the machine's state at ${JUMPS} rows drawn from all.`,
      table(
        ["events", "rows", "keyframes", "to a row: p50", "p95", "greatest"],
        [[number(dispatches), number(recording.length), number(recording.keyframeCount), ...[0.5, 0.95, 1].map((q) => `${quantile(times, q).toFixed(1)} ms`)]],
      ),
      table(
        ["memory of", "in all", "an event", "beside the trace"],
        ([["trace", trace.memory], ["keyframes", memory], ["keyframes, by their own count", recording.keyframeBytes], ["packets' and messages' columns", packets]] as const).map(
          ([what, size]) => [what, megabytes(size), `${(size / dispatches).toFixed(1)} B`, `${((size / trace.memory) * 100).toFixed(1)}%`],
        ),
      ),
      "Memory of the keyframes: what the process holds after collecting garbage, less what it holds after the same run without keyframes.",
    ];
  },
};

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** What `make` makes, and the bytes that the process holds for it. */
async function grown<T>(make: () => T): Promise<{ readonly result: T; readonly bytes: number }> {
  const before = await memoryInUse();
  const result = make();
  return { result, bytes: (await memoryInUse()) - before };
}
