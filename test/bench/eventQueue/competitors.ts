import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holdEngine, increments, type HoldResult } from "./holdModel";
import { holdSimjs } from "./holdSimjs";
import { loadSimjs } from "./simjs";

/** A queue under the hold model. */
export interface Competitor {
  readonly name: string;
  /** Events fired in one measurement with 1,000 pending; fewer with more pending, see {@link firedBy}. */
  readonly fired: number;
  readonly mostPending: number;
  run(pending: number, fired: number): HoldResult;
}

export interface Competition {
  readonly competitors: readonly Competitor[];
  /** Which queues could not be measured, and why. */
  readonly missing: readonly string[];
  close(): void;
}

/** Measurements are to take about as long whatever is pending. */
export function firedBy(competitor: Competitor, pending: number): number {
  return pending > 100_000 ? competitor.fired / 2 : competitor.fired;
}

const sources = "test/bench/eventQueue";

/** Builds what there is to build. The engine's queue is the first. */
export function prepare(): Competition {
  const folder = mkdtempSync(join(tmpdir(), "exoscope-bench-"));
  const delays = increments();
  const file = join(folder, "increments");
  writeFileSync(file, delays);
  const missing: string[] = [];
  const competitors: Competitor[] = [
    { name: "Exoscope", fired: 1_000_000, mostPending: Infinity, run: (pending, fired) => holdEngine(delays, pending, fired) },
  ];

  const program = join(folder, "hold");
  if (succeeds("g++", ["-O3", "-std=c++17", "-o", program, join(sources, "hold.cpp")])) {
    competitors.push({ name: "std::priority_queue -O3", fired: 1_000_000, mostPending: Infinity, run: (pending, fired) => measured(program, [file, `${pending}`, `${fired}`]) });
  } else {
    missing.push("std::priority_queue: there is no g++ (Debian: g++).");
  }
  const simjs = loadSimjs();
  competitors.push({ name: "simjs 2.0.3", fired: 100_000, mostPending: 100_000, run: (pending, fired) => holdSimjs(simjs, delays, pending, fired) });
  const python = ["/usr/bin/python3", "python3"].find((command) => succeeds(command, ["-c", "import simpy; simpy.Environment"]));
  if (python !== undefined) {
    const version = execFileSync(python, ["-c", "import simpy; print(simpy.__version__)"], { encoding: "utf8" }).trim();
    competitors.push({ name: `SimPy ${version}`, fired: 50_000, mostPending: 100_000, run: (pending, fired) => measured(python, [join(sources, "hold.py"), file, `${pending}`, `${fired}`]) });
  } else {
    missing.push("SimPy: no Python has it (Debian: python3-simpy3).");
  }
  return { competitors, missing, close: () => rmSync(folder, { recursive: true, force: true }) };
}

function succeeds(command: string, parameters: readonly string[]): boolean {
  try {
    execFileSync(command, parameters, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Runs a program that prints nanoseconds per event and the last instant. */
function measured(command: string, parameters: readonly string[]): HoldResult {
  const [nanoseconds, last] = execFileSync(command, parameters, { encoding: "utf8" }).trim().split(" ").map(Number);
  if (nanoseconds === undefined || last === undefined || Number.isNaN(nanoseconds) || Number.isNaN(last)) throw new Error(`${command} printed no result`);
  return { nanoseconds, last };
}
