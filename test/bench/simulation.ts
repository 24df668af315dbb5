import { readFileSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { table } from "../../engine/cli/table";
import { MachineEngine } from "../../engine/create";
import type { Design } from "../../engine/design/model";
import { PacketColumns } from "../../engine/network/packetColumns";
import { designOf } from "../support/runDesign";
import { cpuTime, least, median, number, type Section } from "./section";

/** Measured runs of a sample with its trace and without, after some to have it compiled; in every other one the machine without goes first. */
const ROUNDS = 8;
const WARM = 2;
/** Simulated for at least so many dispatches, by running the sample again, so that a measurement is not all start-up. */
const LEAST_DISPATCHES = 150_000;
/** Dispatches of one turn: with the trace, then the same ones without. */
const SLICE = 2000;

/** Every sample, whole, with and without its trace. */
export const simulation: Section = {
  name: "simulation",
  title: "Whole simulation",
  run() {
    const samples = readdirSync("samples", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".exo.yaml")).sort();
    const costs: number[] = [];
    const rows = samples.map((sample) => {
      const folder = dirname(`samples/${sample}`);
      const files = Object.fromEntries(readdirSync(folder).filter((name) => name.endsWith(".csv")).map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]));
      const { dispatches, rows, packets, traceBytes, on, off } = measure(designOf(readFileSync(`samples/${sample}`, "utf8"), files));
      costs.push(on / off - 1);
      return [
        sample, number(dispatches), number(dispatches / on), number(rows / on), number(packets / on),
        packets === 0 ? "–" : (dispatches / packets).toFixed(1), percent(on / off - 1), (traceBytes / rows).toFixed(1), (traceBytes / dispatches).toFixed(1),
      ];
    });
    return [
      `CPU time from the first event of a sample to its last, machine already built. Two machines take turns, one with a trace and one without, ${number(SLICE)} dispatches each; every turn does the same work in each of ${ROUNDS} runs, and counts with its least time; each of the two is built first, and goes first, in half of the runs. A sample that ends sooner is run again and again, each time with new machines. The cost of tracing is the time with a trace over the time without, less one. Bytes are those of the packed rows; besides, a trace has a few hundred KiB of buffers, however long it gets.`,
      table(["sample", "events", "events/s", "rows/s", "packets/s", "events per packet", "cost of tracing", "bytes per row", "bytes per event"], rows),
      `The cost of tracing: median ${percent(median(costs))}, greatest ${percent(Math.max(...costs))}.`,
    ];
  },
};

interface Measured {
  readonly dispatches: number;
  readonly rows: number;
  readonly packets: number;
  readonly traceBytes: number;
  /** CPU time with a trace and without, seconds. */
  readonly on: number;
  readonly off: number;
}

/**
 * Whichever machine goes first pays for what both use: code that is compiled or thrown away, and caches that the building of the second has emptied. With the
 * trace first in all runs, 700 events of sysbench seemed to cost half as much again with it; in either order it is about a tenth.
 */
function measure(design: Design): Measured {
  /** By turn: the time it took in each run. */
  const on: number[][] = [];
  const off: number[][] = [];
  let dispatches = 0;
  let rows = 0;
  let packets = 0;
  let traceBytes = 0;
  // What was compiled for a machine lives as long as it does: the first are held.
  const held: MachineEngine[] = [];
  for (let round = -WARM; round < ROUNDS; round++) {
    let turn = 0;
    dispatches = rows = packets = traceBytes = 0;
    const traceFirst = round % 2 === 0;
    while (dispatches < LEAST_DISPATCHES) {
      const first = engineOf(design, traceFirst);
      const second = engineOf(design, !traceFirst);
      const recording = traceFirst ? first : second;
      if (held.length === 0) held.push(first, second);
      for (let more = true; more; turn++) {
        const start = cpuTime();
        more = advance(first);
        const middle = cpuTime();
        advance(second);
        const end = cpuTime();
        if (round < 0) continue;
        (on[turn] ??= []).push(traceFirst ? middle - start : end - middle);
        (off[turn] ??= []).push(traceFirst ? end - middle : middle - start);
      }
      dispatches += recording.dispatches;
      rows += recording.rows;
      packets += recording.built.machine.packets.length;
      traceBytes += recording.trace.packedBytes;
    }
  }
  return { dispatches, rows, packets, traceBytes, on: sumOfLeast(on), off: sumOfLeast(off) };
}

/** An engine that is given a packet log is one that replays: it writes no trace. */
function engineOf(design: Design, trace: boolean): MachineEngine {
  return new MachineEngine(design, trace ? undefined : new PacketColumns());
}

/** One turn. @returns whether the run goes on */
function advance(engine: MachineEngine): boolean {
  for (let i = 0; i < SLICE; i++) if (!engine.dispatch()) return false;
  return true;
}

function sumOfLeast(turns: readonly (readonly number[])[]): number {
  return turns.reduce((sum, times) => sum + least(times), 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)}%`;
}
