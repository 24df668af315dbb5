import type { ByteFile } from "../../engine/trace/byteFile";

/** A file that is only in memory, counts what is read, and can be cut or damaged. */
export class MemoryFile implements ByteFile {
  readonly name = "run.exotrace";
  bytesRead = 0;
  private bytes = new Uint8Array(1 << 16);

  constructor(public size = 0) {}

  append(bytes: Uint8Array): void {
    if (this.size + bytes.length > this.bytes.length) {
      const longer = new Uint8Array(Math.max(this.bytes.length * 2, this.size + bytes.length));
      longer.set(this.bytes);
      this.bytes = longer;
    }
    this.bytes.set(bytes, this.size);
    this.size += bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = this.bytes.slice(Math.max(0, offset), Math.max(0, Math.min(this.size, offset + length)));
    this.bytesRead += bytes.length;
    return bytes;
  }

  /** A copy of its first `size` bytes. */
  cut(size: number): MemoryFile {
    const copy = new MemoryFile();
    copy.append(this.bytes.subarray(0, size));
    return copy;
  }

  flip(offset: number): void {
    this.bytes[offset]! ^= 0x10;
  }

  /** Offset of the first record of a kind, from `from` on. */
  find(kind: string, from = 0): number {
    return Buffer.from(this.bytes.buffer, 0, this.size).indexOf(kind, from, "latin1");
  }
}
