import { closeSync, constants, fstatSync, ftruncateSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import type { ByteFile } from "../trace/byteFile";
import { isFileError, unwritable } from "./fileErrors";
import { NodeFile } from "./nodeFile";

/** A file that cannot be written: the option that names it, the reason, and what to do. */
export class OutputError extends Error {
  constructor(option: string, path: string, reason: string) {
    super(`--${option} ${path}: ${reason}`);
  }
}

/** A file that a command was asked for, open: what it held before goes when it is written. */
export class OutputFile {
  private begun = false;

  private constructor(readonly option: string, private readonly path: string, private readonly descriptor: number, private readonly isNew: boolean) {}

  /** @throws OutputError where it cannot be written */
  static open(option: string, path: string): OutputFile {
    try {
      return new OutputFile(option, path, openSync(path, "wx+"), true);
    } catch (error) {
      if (!isFileError(error, "EEXIST")) throw new OutputError(option, path, unwritable(error, path));
    }
    try {
      // A file is read as well, by a run that goes back to its trace; a pipe or a terminal may be for writing only.
      const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
      return new OutputFile(option, path, openSync(path, isFile ? constants.O_RDWR | constants.O_CREAT : constants.O_WRONLY), false);
    } catch (error) {
      throw new OutputError(option, path, unwritable(error, path));
    }
  }

  /** Whether both are one file: what one writes, the other would write over. */
  isSameAs(other: OutputFile): boolean {
    const a = fstatSync(this.descriptor, { bigint: true });
    const b = fstatSync(other.descriptor, { bigint: true });
    return a.isFile() && a.dev === b.dev && a.ino === b.ino;
  }

  /** Whether it is the file that a command reads. */
  isFile(path: string): boolean {
    const own = fstatSync(this.descriptor, { bigint: true });
    const read = statSync(path, { bigint: true, throwIfNoEntry: false });
    return own.isFile() && read !== undefined && own.dev === read.dev && own.ino === read.ino;
  }

  /** Writes the whole file, piece by piece, so that it may be larger than memory. @throws OutputError where that fails */
  write(pieces: Iterable<string | Uint8Array>): void {
    this.begin();
    for (const piece of pieces) {
      const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
      this.attempt(() => {
        for (let done = 0; done < bytes.length; ) done += writeSync(this.descriptor, bytes, done);
      });
    }
  }

  /** The file for a trace, which is written as the run goes. Its `append` throws OutputErrors. */
  growing(): ByteFile {
    this.begin();
    const file = NodeFile.over(this.path, this.descriptor);
    return {
      name: this.path,
      get size() { return file.size; },
      append: (bytes) => this.attempt(() => file.append(bytes)),
      read: (offset, length) => file.read(offset, length),
    };
  }

  /** A file that was made for what has not been written in the end goes again. */
  close(): void {
    closeSync(this.descriptor);
    if (this.isNew && !this.begun) rmSync(this.path, { force: true });
  }

  private begin(): void {
    this.begun = true;
    if (fstatSync(this.descriptor).isFile()) this.attempt(() => ftruncateSync(this.descriptor));
  }

  private attempt(write: () => void): void {
    try {
      write();
    } catch (error) {
      throw new OutputError(this.option, this.path, unwritable(error, this.path));
    }
  }
}

/** The files that options of a command name, by option: those that are given. */
export type Outputs<Option extends string> = Readonly<Partial<Record<Option, OutputFile>>>;

/**
 * Opens all files that a command is to write, and does its work: whatever is wrong with a file is said before, not when the result is there.
 * @param paths by option; undefined: not asked for
 * @param inputs files that the command reads: they are not written over
 * @throws OutputError where one cannot be written, before any work
 */
export function withOutputs<Option extends string, Result>(paths: Readonly<Partial<Record<Option, string | undefined>>>, inputs: readonly string[], work: (outputs: Outputs<Option>) => Result): Result {
  const open: OutputFile[] = [];
  const outputs: Partial<Record<Option, OutputFile>> = {};
  try {
    for (const option of Object.keys(paths) as Option[]) {
      const path = paths[option];
      if (path === undefined) continue;
      const file = OutputFile.open(option, path);
      const same = open.find((other) => file.isSameAs(other));
      open.push(file);
      if (same !== undefined) throw new OutputError(option, path, `--${same.option} writes to this file; name another.`);
      if (inputs.some((input) => file.isFile(input))) throw new OutputError(option, path, "this file is read, and would be written over. Name another.");
      outputs[option] = file;
    }
    return work(outputs);
  } finally {
    for (const file of open) file.close();
  }
}
