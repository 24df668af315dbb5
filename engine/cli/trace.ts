import { report } from "../analysis/report";
import type { Scope, Variable } from "../inspect";
import { RecordedRun } from "../recordedRun";
import { exportTrace } from "../trace/csv";
import { NONE } from "../trace/trace";
import { TraceFileError } from "../trace/traceFile";
import { captureProblem, writeCapture, type CaptureOptions } from "./captures";
import type { Output } from "./check";
import { unreadable } from "./fileErrors";
import { NodeFile } from "./nodeFile";
import { OutputError, withOutputs, type Outputs } from "./output";
import { duration, summary } from "./summary";

export interface TraceOptions extends CaptureOptions {
  readonly json?: boolean;
  readonly csv?: string;
  readonly row?: string;
}

/**
 * Opens a trace file and prints what came of its run, or writes or prints parts of it. Reads what that takes and no more.
 * @returns the exit code: 0, or 1 where the file or an option is wrong
 */
export function trace(path: string, options: TraceOptions, io: Output): number {
  let file: NodeFile | undefined;
  try {
    file = NodeFile.open(path);
    const run = new RecordedRun(file);
    return withOutputs({ csv: options.csv, pcapng: options.pcapng }, [path], (outputs) => show(run, path, options, outputs, io));
  } catch (error) {
    // Some errors say where and what to do; what the system reports needs the file's name.
    io.error(error instanceof TraceFileError || error instanceof OutputError ? error.message : `${path}: ${unreadable(error, "a trace, as `exoscope run --trace` writes it")}`);
    return 1;
  } finally {
    file?.close();
  }
}

function show(run: RecordedRun, path: string, options: TraceOptions, outputs: Outputs<"csv" | "pcapng">, io: Output): number {
  if (options.row !== undefined) {
    const row = Number(options.row);
    if (!Number.isInteger(row) || row < 0 || row >= run.trace.length) {
      io.error(`--row ${options.row}: the trace has rows 0 to ${run.trace.length - 1}.`);
      return 1;
    }
    io.out(describeRow(run, row));
    return 0;
  }
  if (options.captureAt !== undefined) {
    const misplaced = captureProblem(run.atEnd().design, options);
    if (misplaced !== undefined) {
      io.error(misplaced);
      return 1;
    }
  }
  outputs.csv?.write(exportTrace(run.trace));
  if (outputs.pcapng !== undefined) {
    const engine = run.atEnd();
    run.loadPackets();
    writeCapture(engine, outputs, options.captureAt);
  }
  if (!run.finished) {
    const { length } = run.trace;
    const reached = length === 0 ? "before its first event" : `at ${duration(run.trace.time(length - 1))} of ${duration(run.until)}`;
    io.error(`${path}: the run was ended ${reached}. The file has ${length.toLocaleString("en-GB")} rows, which --csv and --row can show; state and packets it has not.`);
    return 0;
  }
  const result = report(run.atEnd());
  io.out(options.json === true ? JSON.stringify(result, undefined, 2) : summary(result));
  return 0;
}

/** A row in words; of a finished run also the state of its component and the headers of its packet, before the row's effect. */
function describeRow(run: RecordedRun, number: number): string {
  const row = run.trace.row(number);
  const { functions, components, contexts, vcpus } = run.trace.names;
  const fn = functions[row.fn]!;
  const lines = [
    `row ${number} at ${duration(row.time)}: ${fn.name}${fn.file === undefined ? "" : ` (${fn.file})`} of ${components[row.component]!.path}`,
    `  in ${contexts[row.context]!.path}${vcpus[row.vcpu] === undefined ? "" : ` on ${vcpus[row.vcpu]!.path}`}, ${duration(row.cost)} from ${duration(row.begin)} on`,
  ];
  const details = [
    ...(row.cause === NONE ? [] : [`caused by row ${row.cause}`]), ...(row.enabler === NONE ? [] : [`enabled by row ${row.enabler}`]),
    ...(fn.a === undefined ? [] : [`${row.a} ${fn.a}`]), ...(fn.b === undefined ? [] : [`${row.b} ${fn.b}`]),
  ];
  if (details.length > 0) lines.push(`  ${details.join(", ")}`);
  if (!run.finished) return lines.join("\n");
  const engine = run.at(number);
  if (row.packet >= 0) lines.push(`  packet ${row.packet}: ${engine.summarizePacket(row.packet)}`);
  return [...lines, ...engine.describeComponent(row.component).map(scopeText)].join("\n");
}

function scopeText({ name, variables }: Scope): string {
  return [name, ...variables.flatMap((variable) => variableLines(variable, "  "))].join("\n");
}

function variableLines({ name, value, children }: Variable, indent: string): string[] {
  return [`${indent}${name}: ${value}`, ...(children ?? []).flatMap((child) => variableLines(child, `${indent}  `))];
}
