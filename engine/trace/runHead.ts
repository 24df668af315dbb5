import type { ByteFile } from "./byteFile";
import type { TraceNames } from "./trace";
import { TraceFile } from "./traceFile";

/** The `HEAD` record of a trace file: what ran. */
export interface RunHead {
  /** Version of the engine that wrote it. */
  readonly engine: string;
  /** Checksum over the layout of the state: keyframes of another layout mean nothing. */
  readonly layout: number;
  /** Text of the design. */
  readonly design: string;
  /** Files that the design names, by name. */
  readonly files: Readonly<Record<string, string>>;
  readonly run: { readonly seed: number; readonly until: number };
  readonly names: TraceNames;
}

/** What a trace file says of its run, without its machine being built. */
export interface RunSummary {
  readonly head: RunHead;
  readonly rows: number;
  /** The run came to its end. */
  readonly finished: boolean;
  /** Bytes of the file. */
  readonly size: number;
}

/** @throws TraceFileError where the file is no trace, or damaged where everything begins */
export function summarizeRun(file: ByteFile): RunSummary {
  const { head, rows, finished } = new TraceFile(file);
  // What is read here, a `RunWriter` has written: the signature and the checksum say so.
  return { head: head as RunHead, rows, finished, size: file.size };
}
