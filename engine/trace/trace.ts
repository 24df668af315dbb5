import { ChunkCache } from "./chunkCache";
import {
  A, B, CAUSE, CHUNK_BITS, CHUNK_MASK, CHUNK_ROWS, COST, ENABLER, FIRST, FUNCTION, PACKET, WHAT, WHERE, WORD_BITS, type TraceChunk,
} from "./chunk";
import { decodeChunk, encodeChunk } from "./chunkCodec";
import { MemoryChunks, type ChunkStore } from "./chunkStore";

/**
 * The trace: columns in chunks. A chunk that is full is packed ({@link encodeChunk}) into a {@link ChunkStore}, and unpacked when it is read.
 *
 * A *dispatch* is one atomic change of the simulated machine's state, at the instant its work ends. It leaves one or
 * more *rows*: the functions that its work went through, each with its share of the time. All rows of a dispatch have
 * the same `time` (the instant of the dispatch), so `time` never decreases with the row number. "The state at row k" is
 * the state before the effect of k's dispatch.
 *
 * Within a dispatch each row's cause is the row before it (the caller), and what the dispatch sets off has the
 * dispatch's last row as its cause: following causes gives a call stack, across domains and down to the request. What was asked
 * for before, and has only waited for the dispatch (a segment for an ACK that opens the window, a packet for its neighbour's
 * address), keeps the row that asked for it as its cause, and has the dispatch as its enabler.
 */

/** "No row", "no packet". */
export const NONE = -1;
/** "No vCPU": hardware rows. */
export const NO_VCPU = 0xffff;

/** What kind of thing happened; decides its colour in the timeline and which exception breakpoints it meets. */
export type FunctionKind =
  | "application"
  | "libc"
  | "socket"
  | "tcp"
  | "udp"
  | "ip"
  | "ethernet"
  | "driver"
  | "vif"
  | "server"
  | "interrupt"
  | "thread"
  | "kernel"
  | "hypervisor"
  | "device"
  | "dma"
  | "wire"
  | "workload"
  | "drop"
  | "violation"
  | "timeout"
  | "fault";

/** What reports count a function's rows as: what crossing a boundary, or a copy of `a` bytes, stands for. */
export type Tally = "copy" | "notification" | "VM exit" | "hypercall" | "system call" | "IPC" | "vCPU switch" | "thread switch" | "interrupt";

/** A function of the simulated system: what a row stands for. */
export interface FunctionInfo {
  readonly id: number;
  /** e.g. `tcp_output`. */
  readonly name: string;
  /** The file it lives in, in the system's own source tree, e.g. `sys/netinet/tcp_output.c`; undefined for hardware. */
  readonly file: string | undefined;
  readonly kind: FunctionKind;
  /** What the columns `a` and `b` hold for this function, with the unit, e.g. `bytes`; undefined: unused. */
  readonly a: string | undefined;
  readonly b: string | undefined;
  readonly tally?: Tally | undefined;
  /** A violation that ends the frame that it is found in: a drop as well. */
  readonly discards?: boolean | undefined;
}

/** A component instance of the machine: a tile of the diagram. */
export interface ComponentInfo {
  readonly id: number;
  /** The design's path, e.g. `server/nginx/tcpip`, `server/nic0/vf0`, `server/hypervisor`, `client`. */
  readonly path: string;
  readonly type: string;
  readonly host: string;
  /** Path of the domain it is placed in; undefined for hardware and hypervisor. */
  readonly domain: string | undefined;
}

/** Something that executes: a track of the timeline, a thread of the debugger. */
export interface ContextInfo {
  readonly id: number;
  readonly kind: "pcpu" | "thread" | "device" | "link";
  /** e.g. `server/pcpu0`, `server/nginx/worker-3`, `server/nic0`, `client-link`. */
  readonly path: string;
  readonly host: string;
  readonly domain: string | undefined;
}

export interface VcpuInfo {
  readonly id: number;
  /** e.g. `server/nginx/vcpu1`. */
  readonly path: string;
  readonly domain: string;
}

/** The names behind the trace's numbers. Ids are indices. Complete before the first row. */
export interface TraceNames {
  readonly functions: readonly FunctionInfo[];
  readonly components: readonly ComponentInfo[];
  readonly contexts: readonly ContextInfo[];
  readonly vcpus: readonly VcpuInfo[];
}

/** One row, as an object: for the debugger and for people; bulk readers use the columns. */
export interface Row {
  readonly row: number;
  /** The instant of the dispatch, picoseconds. */
  readonly time: number;
  /** When this function began, picoseconds; preemption can put more than `cost` between `begin` and `time`. */
  readonly begin: number;
  /** CPU or device time spent in this function, picoseconds. */
  readonly cost: number;
  readonly fn: number;
  readonly component: number;
  readonly context: number;
  /** The vCPU it ran on, or {@link NO_VCPU}. In a row of a pCPU context (a hypervisor switch): the vCPU that runs from now. */
  readonly vcpu: number;
  /** Packet number or {@link NONE}. */
  readonly packet: number;
  /** The row that asked for it, or {@link NONE}. */
  readonly cause: number;
  /**
   * The row of what it waited for (an ACK, an address; else the vCPU or the thread, which is busy with that row), or {@link NONE} where it
   * did not wait.
   */
  readonly enabler: number;
  readonly a: number;
  readonly b: number;
  /** First row of its dispatch. */
  readonly first: boolean;
}

/** The chunks of a trace that was recorded before. */
export interface RecordedChunks {
  readonly store: ChunkStore;
  readonly rows: number;
  /** Time of each chunk's first row, picoseconds. */
  readonly starts: readonly number[];
}

/** Rows in order of dispatch; grows at the end only. */
export class Trace {
  length = 0;
  /** Of the chunk that is written: see {@link hasRoom}. */
  times: Float64Array = new Float64Array(0);
  words: Int32Array = new Int32Array(0);
  private store: ChunkStore = new MemoryChunks();
  private readonly starts: number[] = [];
  private readonly cache = new ChunkCache();
  private readonly plain = this.cache.plain;
  /** Chunks that are full and not packed: the dispatch that ends in the last of them may go on, and name its packet. */
  private full = 0;

  /** @param recorded rows to read; a trace that has them does not grow */
  constructor(readonly names: TraceNames, recorded?: RecordedChunks) {
    if (recorded === undefined) return;
    this.store = recorded.store;
    this.length = recorded.rows;
    this.starts.push(...recorded.starts);
  }

  /** Keeps chunks in another store from now on; those packed so far move there. */
  keepIn(store: ChunkStore): void {
    for (let chunk = 0; chunk < this.store.count; chunk++) store.add(this.store.read(chunk));
    this.store = store;
  }

  /** Appends a row and returns its number. */
  append(
    first: boolean, time: number, begin: number, cost: number, fn: number, component: number, context: number,
    vcpu: number, packet: number, cause: number, enabler: number, a: number, b: number,
  ): number {
    if (first && this.full > 0) this.pack();
    const row = this.length++;
    const i = row & CHUNK_MASK;
    if (i === 0) this.open(row >> CHUNK_BITS, time);
    const { times, words } = this;
    times[i << 1] = time;
    times[(i << 1) | 1] = begin;
    const w = i << WORD_BITS;
    words[w | WHAT] = (first ? fn | FIRST : fn) | (component << 16);
    words[w | WHERE] = context | (vcpu << 16);
    words[w | PACKET] = packet | 0;
    words[w | CAUSE] = cause | 0;
    words[w | COST] = cost | 0;
    words[w | ENABLER] = enabler | 0;
    words[w | A] = a | 0;
    words[w | B] = b | 0;
    if (i === CHUNK_MASK) this.full++;
    return row;
  }

  /** Whether so many rows can be written behind the last one, and {@link length} moved on: the chunk that is written goes on after them. */
  hasRoom(rows: number): boolean {
    const i = this.length & CHUNK_MASK;
    return i > 0 && i + rows < CHUNK_ROWS;
  }

  private open(chunk: number, time: number): void {
    const { times, words } = this.cache.open(chunk);
    this.times = times;
    this.words = words;
    this.starts.push(time);
  }

  private pack(): void {
    for (; this.full > 0; this.full--) {
      const chunk = this.store.count;
      this.store.add(this.encode(chunk));
      this.cache.packed(chunk);
    }
  }

  private encode(chunk: number): Uint8Array {
    const base = chunk << CHUNK_BITS;
    return encodeChunk(this.plain[chunk]!, Math.min(CHUNK_ROWS, this.length - base), base);
  }

  /** The rows that are not in the store yet, packed; what ends a file of the trace. */
  tail(): Uint8Array[] {
    const tail: Uint8Array[] = [];
    for (let chunk = this.store.count; chunk << CHUNK_BITS < this.length; chunk++) tail.push(this.encode(chunk).slice());
    return tail;
  }

  /** The chunk of a row, as columns. */
  private at(row: number): TraceChunk {
    const chunk = this.plain[row >> CHUNK_BITS] ?? this.load(row >> CHUNK_BITS);
    chunk.read = true;
    return chunk;
  }

  private load(chunk: number): TraceChunk {
    return this.cache.load(chunk, (into) => decodeChunk(this.store.read(chunk), chunk << CHUNK_BITS, into));
  }

  /** Bytes of memory: packed chunks, and those at hand as columns. */
  get memory(): number { return this.store.memory + this.cache.bytes + this.starts.length * 8; }
  /** Bytes of all rows as they are kept, in memory or not. */
  get bytes(): number {
    return this.store.bytes + this.cache.unpackedBytes + this.starts.length * 8;
  }

  private word(row: number, word: number): number { return this.at(row).words[((row & CHUNK_MASK) << WORD_BITS) + word]!; }

  /** Bytes that the rows take when all of them are packed. */
  get packedBytes(): number { return this.store.bytes + this.tail().reduce((sum, { length }) => sum + length, 0); }

  time(row: number): number { return this.at(row).times[(row & CHUNK_MASK) * 2]!; }
  begin(row: number): number { return this.at(row).times[(row & CHUNK_MASK) * 2 + 1]!; }
  cost(row: number): number { return this.word(row, COST) >>> 0; }
  fn(row: number): number { return this.word(row, WHAT) & FUNCTION; }
  component(row: number): number { return this.word(row, WHAT) >>> 16; }
  context(row: number): number { return this.word(row, WHERE) & 0xffff; }
  vcpu(row: number): number { return this.word(row, WHERE) >>> 16; }
  packet(row: number): number { return this.word(row, PACKET); }
  cause(row: number): number { return this.word(row, CAUSE); }
  enabler(row: number): number { return this.word(row, ENABLER); }
  a(row: number): number { return this.word(row, A); }
  b(row: number): number { return this.word(row, B); }
  isFirst(row: number): boolean { return (this.word(row, WHAT) & FIRST) !== 0; }

  /** Chunk by chunk, for those who read everything: the chunk, which is valid during the visit only, how many rows it has, and the number of its first. */
  eachChunk(visit: (chunk: TraceChunk, rows: number, base: number) => void): void {
    for (let base = 0; base < this.length; base += CHUNK_ROWS) visit(this.at(base), Math.min(CHUNK_ROWS, this.length - base), base);
  }

  /** Names the packet of the last dispatch's rows, from the last to the first that has one: it has just made it. */
  namePacket(packet: number): void {
    // Where the dispatch lies in the chunk that is written, as nearly all do, its rows need not be looked up.
    const { words } = this;
    let w = ((this.length - 1) & CHUNK_MASK) << WORD_BITS;
    for (; w >= 0; w -= 1 << WORD_BITS) {
      if (words[w + PACKET] !== NONE) return;
      words[w + PACKET] = packet;
      if ((words[w + WHAT]! & FIRST) !== 0) return;
    }
    for (let row = ((this.length - 1) & ~CHUNK_MASK) - 1; row >= 0 && this.packet(row) === NONE; row--) {
      this.setPacket(row, packet);
      if (this.isFirst(row)) return;
    }
  }

  /** Names the packet of a row of the dispatch that goes on. */
  private setPacket(row: number, packet: number): void {
    this.at(row).words[((row & CHUNK_MASK) << WORD_BITS) + PACKET] = packet;
  }

  /** First row of the dispatch that `row` belongs to. */
  dispatchStart(row: number): number {
    while (!this.isFirst(row)) row--;
    return row;
  }

  /** First row whose time is at or after `time`; `length` if there is none. */
  firstAt(time: number): number {
    const { starts } = this;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (starts[mid]! < time) low = mid + 1;
      else high = mid;
    }
    if (low === 0) return 0;
    // In the last chunk that begins before `time`, or the first row after it.
    let row = (low - 1) << CHUNK_BITS;
    let end = Math.min(this.length, low << CHUNK_BITS);
    while (row < end) {
      const mid = (row + end) >>> 1;
      if (this.time(mid) < time) row = mid + 1;
      else end = mid;
    }
    return row;
  }

  /** @throws RangeError outside 0 … length − 1. */
  row(row: number): Row {
    if (!(row >= 0 && row < this.length)) throw new RangeError(`row ${row} is outside 0 … ${this.length - 1}`);
    return {
      row, time: this.time(row), begin: this.begin(row), cost: this.cost(row), fn: this.fn(row),
      component: this.component(row), context: this.context(row), vcpu: this.vcpu(row), packet: this.packet(row),
      cause: this.cause(row), enabler: this.enabler(row), a: this.a(row), b: this.b(row), first: this.isFirst(row),
    };
  }
}
