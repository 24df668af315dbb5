import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteFile } from "../trace/byteFile";

/** A file of the machine that the engine runs on, read and written synchronously, as the engine does its work. */
export class NodeFile implements ByteFile {
  /** Bytes read so far, for whoever watches what opening costs. */
  bytesRead = 0;
  private end: number;

  private constructor(readonly name: string, private readonly descriptor: number) {
    this.end = fstatSync(descriptor).size;
  }

  /** A new file, or an old one emptied. @throws Error where it cannot be written */
  static create(path: string): NodeFile {
    return new NodeFile(path, openSync(path, "w+"));
  }

  /** A file that is open already, from its beginning. */
  static over(path: string, descriptor: number): NodeFile {
    return new NodeFile(path, descriptor);
  }

  /** @throws Error where it cannot be read */
  static open(path: string): NodeFile {
    return new NodeFile(path, openSync(path, "r"));
  }

  /** A file for this process alone, which is gone when the process is, however that ends (on Windows: if it ends by itself). */
  static temporary(): NodeFile {
    const folder = mkdtempSync(join(tmpdir(), "exoscope-"));
    const path = join(folder, "trace");
    const file = NodeFile.create(path);
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    try {
      // The name goes, the file stays as long as it is open.
      remove();
    } catch {
      process.once("exit", () => {
        file.close();
        remove();
      });
    }
    return file;
  }

  get size(): number { return this.end; }

  append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.descriptor, bytes, done, bytes.length - done, this.end + done);
    this.end += bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.end - offset)));
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(this.descriptor, bytes, done, bytes.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    this.bytesRead += done;
    return bytes.subarray(0, done);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
