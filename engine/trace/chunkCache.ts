import { CHUNK_ROWS, ROW_BYTES, TraceChunk } from "./chunk";

const CHUNK_BYTES = CHUNK_ROWS * ROW_BYTES;
/** Decoded chunks kept: 128 k rows, 6 MB. */
export const CACHED_CHUNKS = 32;

/**
 * The chunks that are at hand as plain columns: those being written, and of the packed ones those read lately. Where a buffer is
 * needed, the one goes that has not been read for longest (by the second-chance rule: a hand goes round and spares what was read
 * since it last came by).
 */
export class ChunkCache {
  /** By number of the chunk. */
  readonly plain: (TraceChunk | undefined)[] = [];
  /** Numbers of the packed chunks that are in `plain`. */
  private readonly held: number[] = [];
  private hand = 0;
  /** Buffers for chunks to come: two at most, since a dispatch may go on over the end of a chunk, which is packed after it. */
  private readonly spares: TraceChunk[] = [];
  /** Chunks in `plain` that are not packed yet. */
  private writing = 0;

  /** Number of buffers. */
  private get buffers(): number { return this.held.length + this.writing + this.spares.length; }
  /** Bytes of all buffers. */
  get bytes(): number { return this.buffers * CHUNK_BYTES; }
  /** Bytes of the chunks that are not packed yet. */
  get unpackedBytes(): number { return this.writing * CHUNK_BYTES; }

  /** A buffer for chunk `number`, whose rows are about to be written. */
  open(number: number): TraceChunk {
    const chunk = this.spares.pop() ?? new TraceChunk();
    this.writing++;
    return (this.plain[number] = chunk);
  }

  /**
   * Chunk `number` has been packed. Its columns stay for readers that follow the writer; those of the chunk packed before it are
   * written next, unless someone has read them since.
   */
  packed(number: number): void {
    const before = this.plain[number - 1];
    const index = this.held.lastIndexOf(number - 1);
    if (before !== undefined && !before.read && index >= 0) {
      this.held.splice(index, 1);
      this.plain[number - 1] = undefined;
      this.spares.push(before);
    }
    const chunk = this.plain[number]!;
    chunk.read = false;
    this.writing--;
    this.hold(number, chunk);
  }

  /** Decodes a packed chunk into a buffer; it stays until others are read. */
  load(number: number, decode: (into: TraceChunk) => void): TraceChunk {
    const chunk = this.held.length < CACHED_CHUNKS ? new TraceChunk() : this.evict();
    decode(chunk);
    chunk.read = true;
    this.hold(number, chunk);
    return chunk;
  }

  private hold(number: number, chunk: TraceChunk): void {
    if (this.held.length >= CACHED_CHUNKS) this.evict();
    this.plain[number] = chunk;
    this.held.push(number);
  }

  private evict(): TraceChunk {
    for (;;) {
      if (this.hand >= this.held.length) this.hand = 0;
      const number = this.held[this.hand]!;
      const chunk = this.plain[number]!;
      if (chunk.read) {
        chunk.read = false;
        this.hand++;
        continue;
      }
      this.held.splice(this.hand, 1);
      this.plain[number] = undefined;
      return chunk;
    }
  }
}
