import { dirname, join } from "node:path";
import { QueueDepths } from "../analysis/queueDepths";
import { report } from "../analysis/report";
import { createEngine, type Keyframe, type MachineEngine } from "../create";
import type { Design } from "../design/model";
import { formatQuantity, readQuantity } from "../design/units";
import { LONGEST } from "../design/vocabulary";
import { RunWriter } from "../recordedRun";
import { Recording } from "../session/recording";
import { FileChunks } from "../trace/byteFile";
import { SpillingChunks } from "../trace/chunkStore";
import { exportTrace } from "../trace/csv";
import { captureProblem, writeCapture, type CaptureOptions } from "./captures";
import { formatProblem, readDesign, type Output } from "./check";
import { NodeFile } from "./nodeFile";
import { OutputError, withOutputs } from "./output";
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
/** Rows of the table of queue lengths over the simulated time of a design. */
const LOOKS = 20_000;
/** Dispatches between two questions whether a keyframe is due, less one: a power of two, less one. */
const KEEP_MASK = 1023;
/** Dispatches between two looks at the clock. */
const SLICE = 20000;

/**
 * Runs a design and prints what came of it; problems of the design go to the error output.
 * @param progress called about once a second with the share done, 0 to 1
 * @returns the exit code: 0, or 1 where the design, an option or a file is wrong
 */
export async function run(file: string, options: RunOptions, io: Output, progress: (share: number) => void): Promise<number> {
  const read = await readDesign(file, io);
  if (read === undefined) return 1;
  const { design, problems, text, files } = read;
  for (const problem of problems) io.error(formatProblem(file, text, problem));
  if (design === undefined || problems.some(({ severity }) => severity === "error")) return 1;
  const misplaced = captureProblem(design, options);
  if (misplaced !== undefined) return refuse(io, misplaced);
  const settings = settingsOf(design, options);
  if (typeof settings === "string") return refuse(io, settings);
  const { trace: kept, pcapng, queues } = options;
  try {
    withOutputs({ trace: kept, pcapng, queues }, [file, ...[...files.keys()].map((name) => join(dirname(file), name))], (outputs) => {
      const engine = createEngine({ ...design, run: settings.run });
      const rows = kept?.endsWith(".csv") === true ? outputs.trace : undefined;
      const trace = outputs.trace !== undefined && rows === undefined ? { writer: new RunWriter(outputs.trace.growing(), engine, text, files), recording: new Recording(engine) } : undefined;
      if (trace === undefined) engine.trace.keepIn(new SpillingChunks(settings.memory, () => new FileChunks(NodeFile.temporary())));
      const depths = options.details === true || queues !== undefined ? new QueueDepths(engine, queues === undefined ? undefined : Math.ceil(settings.run.until / LOOKS)) : undefined;
      const wall = runAll(engine, () => trace?.recording.keep(), settings.run.until, progress, depths);
      const result = report(engine);
      const fingerprint = engine.fingerprint();
      const lengths = depths?.summary(result.time);
      io.out(options.json === true ? JSON.stringify({ ...result, queues: lengths, fingerprint }, undefined, 2) : summary(result, fingerprint, wall, options.details === true ? lengths : undefined));
      // All keyframes of a recording are of its engine.
      trace?.writer.end(trace.recording.end() as readonly Keyframe[]);
      writeCapture(engine, outputs, options.captureAt);
      rows?.write(exportTrace(engine.trace));
      if (depths !== undefined) outputs.queues?.write([depths.csv()]);
    });
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    return refuse(io, error.message);
  }
  return 0;
}

/** What the options and the design say about the run; a sentence: what is wrong with an option. */
function settingsOf(design: Design, { seed, until, memory }: RunOptions): { readonly run: Design["run"]; readonly memory: number } | string {
  const run = { ...design.run };
  if (seed !== undefined) {
    run.seed = Number(seed);
    if (!Number.isInteger(run.seed) || run.seed < 0 || run.seed > 0xffffffff) return `--seed ${seed}: a whole number from 0 to 4294967295 is needed.`;
  }
  if (until !== undefined) {
    const reading = readQuantity("time", until);
    if ("failure" in reading) return `--until ${until}: ${reading.message}`;
    if (reading.value < 1 || reading.value > LONGEST) return `--until ${until}: a time from 1ps to ${formatQuantity("time", LONGEST)} is needed.`;
    run.until = reading.value;
  }
  const reading = memory === undefined ? { value: TRACE_MEMORY } : readQuantity("size", memory);
  return "failure" in reading ? `--memory ${memory!}: ${reading.message}` : { run, memory: reading.value };
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
