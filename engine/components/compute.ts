import { Books } from "../analysis/books";
import type { Scope } from "../inspect";
import { NONE } from "../trace/trace";
import type { PlacedModel, Placement, WorkloadReport } from "../machine/machine";
import { spinLock } from "../scheduling/lockClasses";

/** Longest piece of work that leaves one row: a row's cost is a 32-bit number of picoseconds. */
const PIECE = 1e9;

/**
 * Threads that do nothing but compute, in bursts, and let others go between two bursts (Sysbench/CPU, LibrettOS 5.2). With a number of
 * events they stop when these are done, and the result is reported as sysbench does: events a second and the time of an event.
 */
export class Compute implements PlacedModel {
  readonly id: number;
  private readonly fn;
  private readonly threads: number[] = [];
  private readonly lock: number;
  /** Of the program since it was started: events begun and done. What it has achieved is in the books, which outlive it. */
  private readonly counters;
  private readonly since;
  private readonly books: Books;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    this.id = machine.kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = machine.kernel.functions({ cpu_execute_event: { file: "src/tests/cpu/sb_cpu.c", kind: "application" } });
    this.lock = this.locked > 0 ? machine.cpus.addLock(domain.id, spinLock, `lock of ${spec.id}`) : NONE;
    for (let i = 0; i < Number(spec.options["threads"]); i++) this.threads.push(machine.cpus.addThread(domain.id, `compute-${i}`));
    this.counters = machine.kernel.store.table(`compute ${spec.path}`, { begun: "f64", done: "f64" }, 1);
    this.counters.alloc();
    this.since = machine.kernel.store.table(`compute threads ${spec.path}`, { begin: "f64" }, this.threads.length);
    for (const _ of this.threads) this.since.alloc();
    this.books = new Books(machine.kernel.store, spec.path);
  }

  private get burst(): number {
    return Number(this.place.spec.options["burst"]);
  }

  /** Time of a burst, at its end, that is under the lock. */
  private get locked(): number {
    return Math.min(this.burst, Number(this.place.spec.options["lock"] ?? 0));
  }

  /** Events in all; 0: without end. */
  private get events(): number {
    return Number(this.place.spec.options["events"] ?? 0);
  }

  start(): void {
    const { now } = this.place.machine.kernel;
    this.books.begin(now);
    this.books.wait(now);
    this.threads.forEach((thread, i) => {
      if (this.take(i)) this.place.machine.cpus.post(thread, this.id, i, 0);
    });
  }

  reclaim(): void {
    this.books.died(this.isOver ? 0 : Infinity);
  }

  private get isOver(): boolean {
    return this.events > 0 && this.counters.done[0]! >= this.events;
  }

  /** The thread takes the next event. @returns false: there is none left */
  private take(thread: number): boolean {
    if (this.events > 0 && this.counters.begun[0]! >= this.events) return false;
    this.counters.begun[0]!++;
    this.books.totals.sent++;
    this.since.begin[thread] = this.place.machine.kernel.now;
    return true;
  }

  /** @param done part of the burst that earlier pieces have done, in pieces */
  begin(_thread: number, done: number): void {
    const { cpus } = this.place.machine;
    const begin = done * PIECE;
    const end = Math.min(begin + PIECE, this.burst);
    // The lock is let go at the end of a piece, and taken again.
    const free = Math.max(begin, Math.min(end, this.burst - this.locked));
    if (free > begin || this.locked === 0) cpus.spendTime(this.fn.cpu_execute_event, free - begin, NONE, done);
    cpus.under(this.lock);
    if (end > free) cpus.spendTime(this.fn.cpu_execute_event, end - free, NONE, done);
  }

  end(thread: number, done: number): void {
    const { cpus, kernel } = this.place.machine;
    const over = (done + 1) * PIECE >= this.burst;
    if (over) {
      this.counters.done[0]!++;
      this.books.complete(kernel.now - this.since.begin[thread]!);
      this.books.advance(kernel.now, !this.isOver);
      if (!this.take(thread)) return;
      cpus.yield();
    }
    cpus.call(this.threads[thread]!, this.id, thread, over ? 0 : done + 1);
  }

  fire(): void {}

  /** Only where a number of events was asked for: without, it is a neighbour that keeps CPUs busy. */
  reports(end = this.place.machine.kernel.now): WorkloadReport[] {
    if (this.events === 0) return [];
    const { totals: { sent, completed }, lives, beganAgain, latency } = this.books;
    const until = this.isOver ? 0 : end;
    return [{
      path: this.place.spec.path, kind: "sysbench-cpu", requests: this.events * Math.max(1, lives), sent, beganAgain, completed, duplicates: 0, errors: 0, failures: {},
      duration: this.books.duration(until), bytes: 0, latency, fairness: undefined, silence: this.books.silence(until),
    }];
  }

  describe(): Scope[] {
    return [{ name: "Compute", variables: [{ name: "bursts done", value: `${this.counters.done[0]!}`, number: this.counters.done[0]! }] }];
  }
}
