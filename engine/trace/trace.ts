/**
 * The trace: columns, 48 bytes a row, in chunks.
 *
 * A *dispatch* is one atomic change of the simulated machine's state, at the instant its work ends. It leaves one or
 * more *rows*: the functions that its work went through, each with its share of the time. All rows of a dispatch have
 * the same `time` (the instant of the dispatch), so `time` never decreases with the row number. "The state at row k" is
 * the state before the effect of k's dispatch.
 *
 * Within a dispatch each row's cause is the row before it (the caller), and what the dispatch sets off has the
 * dispatch's last row as its cause: following causes gives a call stack, across domains and down to the request.
 */

/** "No row", "no packet". */
export const NONE = -1;
/** "No vCPU": hardware rows. */
export const NO_VCPU = 0xffff;

const CHUNK_BITS = 14;
const CHUNK_ROWS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_ROWS - 1;
const FIRST = 0x8000;

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
export type Tally = "copy" | "notification" | "VM exit" | "hypercall" | "system call" | "IPC" | "context switch" | "interrupt";

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
  /** The row of the last thing it waited for (a vCPU, the thread, a ring slot, an ACK), or {@link NONE} where it did not wait. */
  readonly enabler: number;
  readonly a: number;
  readonly b: number;
  /** First row of its dispatch. */
  readonly first: boolean;
}

/** One chunk's columns; also the unit that goes between threads and to disk. */
export class TraceChunk {
  readonly time = new Float64Array(CHUNK_ROWS);
  readonly begin = new Float64Array(CHUNK_ROWS);
  readonly cost = new Uint32Array(CHUNK_ROWS);
  /** Function id; the top bit marks the first row of a dispatch. */
  readonly fn = new Uint16Array(CHUNK_ROWS);
  readonly component = new Uint16Array(CHUNK_ROWS);
  readonly context = new Uint16Array(CHUNK_ROWS);
  readonly vcpu = new Uint16Array(CHUNK_ROWS);
  readonly packet = new Int32Array(CHUNK_ROWS);
  readonly cause = new Int32Array(CHUNK_ROWS);
  readonly enabler = new Int32Array(CHUNK_ROWS);
  readonly a = new Int32Array(CHUNK_ROWS);
  readonly b = new Int32Array(CHUNK_ROWS);

  /** Bytes of all columns. */
  get bytes(): number {
    return Object.values(this).reduce((sum: number, column: ArrayBufferView) => sum + column.byteLength, 0);
  }
}

/** Rows in order of dispatch; grows at the end only. */
export class Trace {
  readonly chunks: TraceChunk[] = [];
  length = 0;
  private head: TraceChunk | undefined;

  constructor(readonly names: TraceNames) {}

  /** Appends a row and returns its number. */
  append(
    first: boolean, time: number, begin: number, cost: number, fn: number, component: number, context: number,
    vcpu: number, packet: number, cause: number, enabler: number, a: number, b: number,
  ): number {
    const row = this.length++;
    const i = row & CHUNK_MASK;
    if (i === 0) this.chunks.push((this.head = new TraceChunk()));
    const c = this.head!;
    c.time[i] = time;
    c.begin[i] = begin;
    c.cost[i] = cost;
    c.fn[i] = first ? fn | FIRST : fn;
    c.component[i] = component;
    c.context[i] = context;
    c.vcpu[i] = vcpu;
    c.packet[i] = packet;
    c.cause[i] = cause;
    c.enabler[i] = enabler;
    c.a[i] = a;
    c.b[i] = b;
    return row;
  }

  /** Bytes of all chunks. */
  get bytes(): number { return this.chunks.length * (this.chunks[0]?.bytes ?? 0); }

  time(row: number): number { return this.chunks[row >> CHUNK_BITS]!.time[row & CHUNK_MASK]!; }
  begin(row: number): number { return this.chunks[row >> CHUNK_BITS]!.begin[row & CHUNK_MASK]!; }
  cost(row: number): number { return this.chunks[row >> CHUNK_BITS]!.cost[row & CHUNK_MASK]!; }
  fn(row: number): number { return this.chunks[row >> CHUNK_BITS]!.fn[row & CHUNK_MASK]! & ~FIRST; }
  component(row: number): number { return this.chunks[row >> CHUNK_BITS]!.component[row & CHUNK_MASK]!; }
  context(row: number): number { return this.chunks[row >> CHUNK_BITS]!.context[row & CHUNK_MASK]!; }
  vcpu(row: number): number { return this.chunks[row >> CHUNK_BITS]!.vcpu[row & CHUNK_MASK]!; }
  packet(row: number): number { return this.chunks[row >> CHUNK_BITS]!.packet[row & CHUNK_MASK]!; }
  cause(row: number): number { return this.chunks[row >> CHUNK_BITS]!.cause[row & CHUNK_MASK]!; }
  enabler(row: number): number { return this.chunks[row >> CHUNK_BITS]!.enabler[row & CHUNK_MASK]!; }
  a(row: number): number { return this.chunks[row >> CHUNK_BITS]!.a[row & CHUNK_MASK]!; }
  b(row: number): number { return this.chunks[row >> CHUNK_BITS]!.b[row & CHUNK_MASK]!; }
  isFirst(row: number): boolean { return (this.chunks[row >> CHUNK_BITS]!.fn[row & CHUNK_MASK]! & FIRST) !== 0; }

  /** Names the packet of a row whose dispatch has just made it. */
  setPacket(row: number, packet: number): void {
    this.chunks[row >> CHUNK_BITS]!.packet[row & CHUNK_MASK] = packet;
  }

  /** First row of the dispatch that `row` belongs to. */
  dispatchStart(row: number): number {
    while (!this.isFirst(row)) row--;
    return row;
  }

  /** First row whose time is at or after `time`; `length` if there is none. */
  firstAt(time: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.time(mid) < time) low = mid + 1;
      else high = mid;
    }
    return low;
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
