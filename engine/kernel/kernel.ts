import * as ROW from "../trace/chunk";
import { NO_VCPU, NONE, Trace, type ComponentInfo, type ContextInfo, type FunctionInfo, type FunctionKind, type Tally, type TraceNames, type VcpuInfo } from "../trace/trace";
import type { Scope } from "../inspect";
import { DISPATCHES, NOW } from "./clock";
import { A, B, CAUSE, COMPONENT, EVENT_BITS, OP } from "./eventLists";
import { EventQueue, type Priority } from "./queue";
import { RandomStreams } from "./random";
import * as SHARE from "./shares";
import { Store } from "./state";

/** A model of one component, device or scheduler. All its state is in tables of the kernel's store. */
export interface Model {
  /** An event's instant has come. It must mark at least one row, and mark before it schedules. */
  fire(op: number, a: number, b: number): void;
  /** A CPU begins a piece of work for this component: say what it costs (`Cpus.spend`). Changes no state. */
  begin?(op: number, a: number, b: number): void;
  /** The work is done: its effect, atomically. */
  end?(op: number, a: number, b: number): void;
  /** State for people. */
  describe?(): Scope[];
}

/** What a model says about a function that it goes through. */
export interface FunctionSource {
  /** Its name in this system, where the key is only ours. */
  readonly name?: string;
  readonly file?: string;
  readonly kind: FunctionKind;
  /** Meaning and unit of the trace's columns `a` and `b`. */
  readonly a?: string;
  readonly b?: string;
  readonly tally?: Tally;
  /** Of a violation: a guard has found it, and discards the frame. */
  readonly discards?: boolean;
}

type Handler = (op: number, a: number, b: number) => void;
const nothing: Handler = () => {};

interface Methods {
  readonly fire: Handler;
  readonly begin: Handler;
  readonly end: Handler;
}

/** What is counted of a function: rows, time on a CPU in picoseconds, sum of the rows' values `a` (its unit is the function's). */
const COUNT = 0;
const TIME = 1;
const SUM = 2;
/** A function's counts are at `fn << COUNTS_BITS`. */
const COUNTS_BITS = 2;

/** Where the kernel is: between dispatches, in one that has left no row yet, or in one that has. */
const Stage = { between: 0, begun: 1, marked: 2 } as const;

/**
 * Clock, pending events, names and the trace of one machine. It knows nothing of CPUs or packets.
 *
 * Causes: whatever is scheduled during a dispatch has the dispatch's last row as its cause.
 */
export class Kernel {
  readonly store = new Store();
  readonly queue = new EventQueue(this.store);
  readonly random: RandomStreams;
  readonly names: { functions: FunctionInfo[]; components: ComponentInfo[]; contexts: ContextInfo[]; vcpus: VcpuInfo[] } & TraceNames = {
    functions: [], components: [], contexts: [], vcpus: [],
  };
  readonly models: Model[] = [];
  /**
   * Of each model its methods, in objects of one shape: models are of dozens of classes, and looking a method up in an object that
   * may be of any of them took a tenth of all time. All models of a class have one such object.
   */
  private readonly methods: Methods[] = [];
  readonly trace: Trace | undefined;
  /** The row that caused what happens now: first the event's own cause, then each row marked in this dispatch. */
  cause = NONE;

  private readonly written = this.store.table("rows", { count: "i32" }, 1);
  /** Of each function the numbers {@link COUNT}, {@link TIME} and {@link SUM}, side by side: every row adds to all. */
  private readonly counts = this.store.table("rows by function", { number: "f64" }, 64 << COUNTS_BITS);
  private readonly functionIds = new Map<string, number>();
  private stage: number = Stage.between;

  /** @param record false in an engine that replays: rows are counted, not written. */
  constructor(seed: number, record: boolean) {
    this.random = new RandomStreams(this.store, seed);
    this.trace = record ? new Trace(this.names) : undefined;
    this.written.alloc();
  }

  /** Simulated time, picoseconds. */
  get now(): number {
    return this.queue.clock.number[NOW]!;
  }

  get rows(): number {
    return this.written.count[0]!;
  }

  get dispatches(): number {
    return this.queue.clock.number[DISPATCHES]!;
  }

  /** Registers a component; its id is what events are addressed to. */
  component(path: string, type: string, host: string, domain: string | undefined, model: Model): number {
    this.models.push(model);
    const { fire, begin = nothing, end = nothing } = model;
    this.methods.push(this.methods.find((known) => known.fire === fire && known.begin === begin && known.end === end) ?? { fire, begin, end });
    return this.names.components.push({ id: this.names.components.length, path, type, host, domain }) - 1;
  }

  context(kind: ContextInfo["kind"], path: string, host: string, domain: string | undefined): number {
    return this.names.contexts.push({ id: this.names.contexts.length, kind, path, host, domain }) - 1;
  }

  /** Registers functions by name, or finds them where another component has. */
  functions<K extends string>(sources: Readonly<Record<K, FunctionSource>>): Readonly<Record<K, number>> {
    const ids = {} as Record<K, number>;
    for (const key of Object.keys(sources) as K[]) {
      const { name = key, file, kind, a, b, tally, discards } = sources[key];
      const identity = `${name} ${file ?? ""}`;
      let id = this.functionIds.get(identity);
      if (id === undefined) {
        id = this.names.functions.length;
        this.functionIds.set(identity, id);
        this.names.functions.push({ id, name, file, kind, a, b, tally, discards });
        for (let n = 0; n < 1 << COUNTS_BITS; n++) this.counts.alloc();
      }
      // Not by assignment, for the reason given in `state.ts`: models look functions up in each piece of work.
      Object.defineProperty(ids, key, { value: id, writable: true, enumerable: true, configurable: true });
    }
    return ids;
  }

  /** Schedules `fire(op, a, b)` of a component `delay` picoseconds from now; returns a handle for `cancel`. @throws Error for a delay that is no time */
  schedule(delay: number, priority: Priority, component: number, op: number, a = 0, b = 0): number {
    if (!(delay >= 0 && delay < Infinity)) throw new Error(`${this.names.components[component]!.path}: op ${op} cannot be scheduled in ${delay} ps`);
    return this.queue.schedule(this.now + delay, priority, component, op, a, b, this.cause);
  }

  cancel(handle: number): void {
    this.queue.cancel(handle);
  }

  /** One event. @returns false, and nothing happens, if none is left at or before `until` */
  dispatch(until = Infinity): boolean {
    const { queue } = this;
    const event = queue.pop(until);
    if (event < 0) return false;
    const { word } = queue.words;
    const at = event << EVENT_BITS;
    queue.clock.number[DISPATCHES]!++;
    this.cause = word[at | CAUSE]!;
    this.stage = Stage.begun;
    const component = word[at | COMPONENT]!;
    const op = word[at | OP]!;
    this.methods[component]!.fire.call(this.models[component]!, op, word[at | A]!, word[at | B]!);
    if (this.stage === Stage.begun) throw new Error(`${this.names.components[component]!.path}: op ${op} left no row`);
    this.stage = Stage.between;
    return true;
  }

  /** A component's `begin`. */
  begin(component: number, op: number, a: number, b: number): void {
    this.methods[component]!.begin.call(this.models[component]!, op, a, b);
  }

  /** A component's `end`. */
  end(component: number, op: number, a: number, b: number): void {
    this.methods[component]!.end.call(this.models[component]!, op, a, b);
  }

  /**
   * Writes a row of the current dispatch. Times in picoseconds; see the trace's columns.
   * @throws Error outside of a dispatch: nobody could go back to before such a row
   */
  mark(
    fn: number, component: number, context: number, begin: number, cost: number,
    packet: number = NONE, a = 0, b = 0, vcpu: number = NO_VCPU, enabler: number = NONE,
  ): void {
    if (this.stage === Stage.between) throw new Error(`${this.names.functions[fn]!.name} of ${this.names.components[component]!.path} belongs to no dispatch`);
    const row = this.written.count[0]!++;
    this.trace?.append(this.stage === Stage.begun, this.now, begin, cost, fn, component, context, vcpu, packet, this.cause, enabler, a, b);
    const { number } = this.counts;
    const at = fn << COUNTS_BITS;
    number[at | COUNT]!++;
    if (vcpu !== NO_VCPU) number[at | TIME]! += cost;
    number[at | SUM]! += a;
    this.stage = Stage.marked;
    this.cause = row;
  }

  /**
   * Writes the rows of functions that a CPU went through, one after the other: as {@link mark} does for each, but what they have in common is looked up once.
   * Most rows are written here.
   * @param from the first of them in the list, to the one before `end`
   * @param begin of the first, picoseconds
   * @param enabler of the first
   * @returns their time, picoseconds
   */
  markShares(shares: SHARE.Shares, from: number, end: number, context: number, begin: number, vcpu: number, enabler: number): number {
    const { trace } = this;
    if (trace === undefined || from === end || this.stage === Stage.between || !trace.hasRoom(end - from)) return this.markEach(shares, from, end, context, begin, vcpu, enabler);
    const { number } = this.counts;
    const { cost: costs } = shares.time;
    const { word } = shares.words;
    const { times, words } = trace;
    const time = this.now;
    const where = context | (vcpu << 16);
    let row = trace.length;
    let first = this.stage === Stage.begun ? ROW.FIRST : 0;
    let cause = this.cause;
    let spent = 0;
    for (let s = from; s < end; s++) {
      const at = s << SHARE.SHARE_BITS;
      const what = word[at | SHARE.WHAT]!;
      const cost = costs[s]!;
      const a = word[at | SHARE.A]!;
      const i = row & ROW.CHUNK_MASK;
      const w = i << ROW.WORD_BITS;
      times[i << 1] = time;
      times[(i << 1) | 1] = begin + spent;
      words[w | ROW.WHAT] = what | first;
      words[w | ROW.WHERE] = where;
      words[w | ROW.PACKET] = word[at | SHARE.PACKET]!;
      words[w | ROW.CAUSE] = cause | 0;
      words[w | ROW.COST] = cost | 0;
      words[w | ROW.ENABLER] = enabler | 0;
      words[w | ROW.A] = a;
      words[w | ROW.B] = word[at | SHARE.B]!;
      const counted = (what & ROW.FUNCTION) << COUNTS_BITS;
      number[counted | COUNT]!++;
      number[counted | TIME]! += cost;
      number[counted | SUM]! += a;
      spent += cost;
      cause = row;
      row = (row + 1) | 0;
      first = 0;
      enabler = NONE;
    }
    trace.length = row;
    this.written.count[0] = row;
    this.stage = Stage.marked;
    this.cause = cause;
    return spent;
  }

  /** The same where the chunk ends with these rows or before, or where none is written. */
  private markEach(shares: SHARE.Shares, from: number, end: number, context: number, begin: number, vcpu: number, enabler: number): number {
    let spent = 0;
    for (let s = from; s < end; s++) {
      this.mark(shares.fn(s), shares.component(s), context, begin + spent, shares.cost(s), shares.packet(s), shares.a(s), shares.b(s), vcpu, s === from ? enabler : NONE);
      spent += shares.cost(s);
    }
    return spent;
  }

  /** The row that was marked last took this long on a pCPU that no vCPU has: {@link mark} takes what is on no vCPU for a device's or a wire's. */
  countTime(fn: number, time: number): void {
    this.counts.number[(fn << COUNTS_BITS) | TIME]! += time;
  }

  /** Rows of a function so far. */
  count(fn: number): number {
    return this.counts.number[(fn << COUNTS_BITS) | COUNT]!;
  }

  /** CPU time that they cost, picoseconds: what a device or a wire does takes none. */
  timeIn(fn: number): number {
    return this.counts.number[(fn << COUNTS_BITS) | TIME]!;
  }

  /** Sum of their values `a`. */
  sumOf(fn: number): number {
    return this.counts.number[(fn << COUNTS_BITS) | SUM]!;
  }

  /** Names the packet of this dispatch's rows that have none: its effect has just made the packet. */
  namePacket(packet: number): void {
    this.trace?.namePacket(packet);
  }
}
