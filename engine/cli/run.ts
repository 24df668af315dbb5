import { writeFile } from "node:fs/promises";
import { QueueDepths } from "../analysis/queueDepths";
import { report } from "../analysis/report";
import { createEngine, type MachineEngine } from "../create";
import { readQuantity } from "../design/units";
import { exportCapture } from "../trace/capture";
import { exportTrace } from "../trace/csv";
import { formatProblem, readDesign, type Output } from "./check";
import { summary } from "./summary";

export interface RunOptions {
  readonly seed?: string;
  readonly until?: string;
  readonly json?: boolean;
  readonly trace?: string;
  readonly pcapng?: string;
  readonly details?: boolean;
  readonly queues?: string;
}

/** Longest time without a word to the terminal, milliseconds. */
const PROGRESS_INTERVAL = 1000;
/** Looks at the queues over the simulated time of a design. */
const LOOKS = 20_000;
/** Dispatches between two looks at the clock. */
const SLICE = 20000;

/**
 * Runs a design and prints what came of it; problems of the design go to the error output.
 * @param progress called about once a second with the share done, 0 to 1
 * @returns the exit code: 0, or 1 where the design or an option is wrong
 */
export async function run(file: string, options: RunOptions, io: Output, progress: (share: number) => void): Promise<number> {
  const read = await readDesign(file, io);
  if (read === undefined) return 1;
  const { design, problems, text } = read;
  for (const problem of problems) io.error(formatProblem(file, text, problem));
  if (design === undefined || problems.some(({ severity }) => severity === "error")) return 1;
  const settings = { ...design.run };
  if (options.seed !== undefined) {
    const seed = Number(options.seed);
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) return refuse(io, `--seed ${options.seed}: a whole number from 0 to 4294967295 is needed.`);
    settings.seed = seed;
  }
  if (options.until !== undefined) {
    const reading = readQuantity("time", options.until);
    if ("failure" in reading) return refuse(io, `--until ${options.until}: ${reading.message}`);
    settings.until = reading.value;
  }
  const engine = createEngine({ ...design, run: settings });
  const depths = options.details === true || options.queues !== undefined ? new QueueDepths(engine, Math.ceil(settings.until / LOOKS)) : undefined;
  const wall = runAll(engine, settings.until, progress, depths);
  if (options.pcapng !== undefined) await writeFile(options.pcapng, exportCapture(engine));
  if (options.trace !== undefined) await writeFile(options.trace, exportTrace(engine));
  const result = report(engine);
  const fingerprint = engine.fingerprint();
  const queues = depths?.summary();
  if (options.queues !== undefined) await writeFile(options.queues, depths?.csv() ?? "");
  io.out(options.json === true ? JSON.stringify({ ...result, queues, fingerprint }, undefined, 2) : summary(result, fingerprint, wall, options.details === true ? queues : undefined));
  return 0;
}

/** @returns wall-clock seconds */
function runAll(engine: MachineEngine, until: number, progress: (share: number) => void, depths: QueueDepths | undefined): number {
  const start = performance.now();
  let told = start;
  for (let more = true; more; ) {
    for (let i = 0; i < SLICE && more; i++) {
      more = engine.dispatch();
      depths?.observe();
    }
    if (performance.now() - told > PROGRESS_INTERVAL) {
      told = performance.now();
      progress(engine.time / until);
    }
  }
  return (performance.now() - start) / 1000;
}

function refuse(io: Output, message: string): number {
  io.error(message);
  return 1;
}
