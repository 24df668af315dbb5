/** Where a trace keeps its packed chunks: memory, a file, or first one and then the other. */
export interface ChunkStore {
  /** Chunks held. */
  readonly count: number;
  /** Bytes of all chunks. */
  readonly bytes: number;
  /** Of these, bytes of memory. */
  readonly memory: number;
  /** Takes the next chunk, by a copy: the bytes are the codec's. */
  add(bytes: Uint8Array): void;
  /** @throws Error where a chunk cannot be read back */
  read(chunk: number): Uint8Array;
}

/** Bytes of the first slab, and of the last ones: each is twice as long as the one before. */
const FIRST_SLAB = 1 << 16;
const LONGEST_SLAB = 1 << 20;
/** Of so many slabs V8 counts one. */
const COUNTED = 8;

/**
 * Chunks in memory, one behind the other in slabs. An array of its own for each took two hundredths of a run to allocate, and as much to collect
 * garbage around: V8 collects as the bytes of array buffers grow, and looks at each of them.
 */
export class MemoryChunks implements ChunkStore {
  bytes = 0;
  private readonly chunks: Uint8Array[] = [];
  private slab: Uint8Array = new Uint8Array(0);
  private slabs = 0;
  private used = 0;

  get count(): number { return this.chunks.length; }
  /** What is left of the last slab has not been touched, and has no memory yet. */
  get memory(): number { return this.bytes; }

  add(bytes: Uint8Array): void {
    const { length } = bytes;
    if (this.used + length > this.slab.length) this.open(length);
    const chunk = this.slab.subarray(this.used, (this.used += length));
    chunk.set(bytes);
    this.chunks.push(chunk);
    this.bytes += length;
  }

  private open(least: number): void {
    this.slab = slab(Math.max(least, Math.min(LONGEST_SLAB, Math.max(FIRST_SLAB, this.slab.length * 2))), this.slabs++ % COUNTED === 0);
    this.used = 0;
  }

  read(chunk: number): Uint8Array { return this.chunks[chunk]!; }
}

/**
 * For every 64 to 80 MiB of array buffers V8 marks all objects that live (seen with `--trace-gc` in V8 11.3): on threads beside the one that simulates, a
 * twentieth of a run's CPU time. What is in shared buffers it does not count; were none counted, traces that nobody has any more would stay.
 */
function slab(length: number, counted: boolean): Uint8Array {
  // A page in a browser has shared buffers only where it is isolated from others.
  return new Uint8Array(counted || typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(length) : new SharedArrayBuffer(length));
}

/** Chunks in memory up to a budget; when they exceed it, all of them move to another store, and those to come go there. */
export class SpillingChunks implements ChunkStore {
  private store: ChunkStore = new MemoryChunks();
  private spilled = false;

  /**
   * @param budget bytes
   * @param open makes the store for what exceeds the budget; called at most once
   */
  constructor(private readonly budget: number, private readonly open: () => ChunkStore) {}

  get count(): number { return this.store.count; }
  get bytes(): number { return this.store.bytes; }
  get memory(): number { return this.store.memory; }

  add(bytes: Uint8Array): void {
    this.store.add(bytes);
    if (this.spilled || this.store.memory <= this.budget) return;
    const larger = this.open();
    for (let chunk = 0; chunk < this.store.count; chunk++) larger.add(this.store.read(chunk));
    this.store = larger;
    this.spilled = true;
  }

  read(chunk: number): Uint8Array { return this.store.read(chunk); }
}
