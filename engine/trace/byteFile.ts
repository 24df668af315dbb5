import type { ChunkStore } from "./chunkStore";

/** A file as the engine sees one: what a host of the engine gives it to write traces to and read them from. */
export interface ByteFile {
  /** For people. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** @throws Error where the bytes cannot be written, such as for want of room */
  append(bytes: Uint8Array): void;
  /** Bytes from `offset` on: fewer than `length` at the end of the file. */
  read(offset: number, length: number): Uint8Array;
}

/** Chunks in a file that holds nothing else and that nobody opens again: for a trace that outgrows memory. */
export class FileChunks implements ChunkStore {
  private readonly ends: number[] = [];

  constructor(private readonly file: ByteFile) {}

  get count(): number { return this.ends.length; }
  get bytes(): number { return this.ends.at(-1) ?? 0; }
  get memory(): number { return this.ends.length * 8; }

  add(bytes: Uint8Array): void {
    this.file.append(bytes);
    this.ends.push(this.bytes + bytes.length);
  }

  read(chunk: number): Uint8Array {
    const start = chunk === 0 ? 0 : this.ends[chunk - 1]!;
    const length = this.ends[chunk]! - start;
    const bytes = this.file.read(start, length);
    if (bytes.length !== length) throw new Error(`${this.file.name} has lost what was written to it: ${bytes.length} bytes at ${start} in place of ${length}.`);
    return bytes;
  }
}
