import { writeFile } from "node:fs/promises";
import { QueueDepths } from "../analysis/queueDepths";
import { report } from "../analysis/report";
import { createEngine, type Keyframe, type MachineEngine } from "../create";
import { readQuantity } from "../design/units";
import { RunWriter } from "../recordedRun";
import { Recording } from "../session/recording";
import { FileChunks } from "../trace/byteFile";
import { SpillingChunks } from "../trace/chunkStore";
import { exportTrace } from "../trace/csv";
import { captureProblem, writeCapture, type CaptureOptions } from "./captures";
import { formatProblem, readDesign, type Output } from "./check";
import { NodeFile } from "./nodeFile";
import { writePieces } from "./output";
import { summary } from "./summary";

export interface RunOptions extends CaptureOptions {
  readonly seed?: string;
  readonly until?: string;
  readonly json?: boolean;
  readonly trace?: string;
  readonly memory?: string;
  readonly details?: boolean;
  readonly queues?: string;
}

/** Memory for the trace, bytes, before it goes to a temporary file: about 80 million events. */
const TRACE_MEMORY = 1 << 30;
/** Longest time without a word to the terminal, milliseconds. */
const PROGRESS_INTERVAL = 1000;
/** Looks at the queues over the simulated time of a design. */
const LOOKS = 20_000;
/** Dispatches between two questions whether a keyframe is due, less one: a power of two, less one. */
const KEEP_MASK = 1023;
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
  const { design, problems, text, files } = read;
  for (const problem of problems) io.error(formatProblem(file, text, problem));
  if (design === undefined || problems.some(({ severity }) => severity === "error")) return 1;
  const misplaced = captureProblem(design, options);
  if (misplaced !== undefined) return refuse(io, misplaced);
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
  let memory = TRACE_MEMORY;
  if (options.memory !== undefined) {
    const reading = readQuantity("size", options.memory);
    if ("failure" in reading) return refuse(io, `--memory ${options.memory}: ${reading.message}`);
    memory = reading.value;
  }
  const engine = createEngine({ ...design, run: settings });
  const asRows = options.trace?.endsWith(".csv") === true;
  let kept: { readonly writer: RunWriter; readonly recording: Recording } | undefined;
  if (options.trace === undefined || asRows) engine.trace.keepIn(new SpillingChunks(memory, () => new FileChunks(NodeFile.temporary())));
  else {
    try {
      kept = { writer: new RunWriter(NodeFile.create(options.trace), engine, text, files), recording: new Recording(engine) };
    } catch (error) {
      return refuse(io, `--trace ${options.trace}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const depths = options.details === true || options.queues !== undefined ? new QueueDepths(engine, Math.ceil(settings.until / LOOKS)) : undefined;
  const wall = runAll(engine, () => kept?.recording.keep(), settings.until, progress, depths);
  // All keyframes of a recording are of its engine.
  kept?.writer.end(kept.recording.end() as readonly Keyframe[]);
  writeCapture(engine, options);
  if (options.trace !== undefined && asRows) writePieces(options.trace, exportTrace(engine.trace));
  const result = report(engine);
  const fingerprint = engine.fingerprint();
  const queues = depths?.summary();
  if (options.queues !== undefined) await writeFile(options.queues, depths?.csv() ?? "");
  io.out(options.json === true ? JSON.stringify({ ...result, queues, fingerprint }, undefined, 2) : summary(result, fingerprint, wall, options.details === true ? queues : undefined));
  return 0;
}

/**
 * @param keep called now and then: keyframes may be due
 * @returns wall-clock seconds
 */
function runAll(engine: MachineEngine, keep: () => void, until: number, progress: (share: number) => void, depths: QueueDepths | undefined): number {
  const start = performance.now();
  let told = start;
  for (let more = true; more; ) {
    for (let i = 0; i < SLICE && more; i++) {
      more = engine.dispatch();
      depths?.observe();
      if ((i & KEEP_MASK) === 0) keep();
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
