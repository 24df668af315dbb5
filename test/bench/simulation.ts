import { readFileSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { table } from "../../engine/cli/table";
import { MachineEngine } from "../../engine/create";
import type { Design } from "../../engine/design/model";
import { PacketColumns } from "../../engine/network/packetColumns";
import { designOf } from "../support/runDesign";
import { cpuTime, median, number, type Section } from "./section";

const ROUNDS = 5;
/** Simulated for at least so many dispatches, by running the sample again, so that a measurement is not all start-up. */
const LEAST_DISPATCHES = 150_000;

interface Run {
  readonly seconds: number;
  readonly dispatches: number;
  readonly rows: number;
  readonly packets: number;
  readonly traceBytes: number;
}

/** Every sample, whole, with and without its trace. */
export const simulation: Section = {
  name: "simulation",
  title: "Whole simulation",
  run() {
    const samples = readdirSync("samples", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".exo.yaml")).sort();
    const rows = samples.map((sample) => {
      const folder = dirname(`samples/${sample}`);
      const files = Object.fromEntries(readdirSync(folder).filter((name) => name.endsWith(".csv")).map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]));
      const design = designOf(readFileSync(`samples/${sample}`, "utf8"), files);
      const recorded: Run[] = [];
      const unrecorded: Run[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        recorded.push(measure(design, true));
        unrecorded.push(measure(design, false));
      }
      const run = recorded[0]!;
      const on = median(recorded.map(({ seconds }) => seconds));
      const off = median(unrecorded.map(({ seconds }) => seconds));
      return [
        sample, number(run.dispatches), number(run.dispatches / on), number(run.rows / on), number(run.packets / on),
        run.packets === 0 ? "–" : (run.dispatches / run.packets).toFixed(1), `${((on / off - 1) * 100).toFixed(0)}%`, (run.traceBytes / run.rows).toFixed(1), (run.traceBytes / run.dispatches).toFixed(1),
      ];
    });
    return [
      "CPU time from the first event of a sample to its last, machine already built; medians of interleaved measurements with and without a trace. The cost of tracing is the time with a trace over the time without, less one. Bytes are those of the packed rows; besides, a trace has a few hundred KiB of buffers, however long it gets.",
      table(["sample", "events", "events/s", "rows/s", "packets/s", "events per packet", "cost of tracing", "bytes per row", "bytes per event"], rows),
    ];
  },
};

function measure(design: Design, record: boolean): Run {
  let run: Run = { seconds: 0, dispatches: 0, rows: 0, packets: 0, traceBytes: 0 };
  do {
    // An engine that is given a packet log is one that replays: it writes no trace.
    const engine = new MachineEngine(design, record ? undefined : new PacketColumns());
    const start = cpuTime();
    while (engine.dispatch());
    const seconds = cpuTime() - start;
    run = {
      seconds: run.seconds + seconds,
      dispatches: run.dispatches + engine.dispatches,
      rows: run.rows + engine.rows,
      packets: run.packets + engine.built.machine.packets.length,
      traceBytes: run.traceBytes + engine.trace.packedBytes,
    };
  } while (run.dispatches < LEAST_DISPATCHES);
  return run;
}
