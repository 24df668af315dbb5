/** Where a trace keeps its packed chunks: memory, a file, or first one and then the other. */
export interface ChunkStore {
  /** Chunks held. */
  readonly count: number;
  /** Bytes of all chunks. */
  readonly bytes: number;
  /** Of these, bytes of memory. */
  readonly memory: number;
  /** Takes the next chunk. The bytes belong to the store from then on. */
  add(bytes: Uint8Array): void;
  /** @throws Error where a chunk cannot be read back */
  read(chunk: number): Uint8Array;
}

/** Chunks in memory. */
export class MemoryChunks implements ChunkStore {
  bytes = 0;
  private readonly chunks: Uint8Array[] = [];

  get count(): number { return this.chunks.length; }
  get memory(): number { return this.bytes; }

  add(bytes: Uint8Array): void {
    this.chunks.push(bytes);
    this.bytes += bytes.byteLength;
  }

  read(chunk: number): Uint8Array { return this.chunks[chunk]!; }
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
