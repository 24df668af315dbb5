import type { Store } from "../kernel/state";
import { NONE } from "../trace/trace";

/** `idle`: blocked, nothing to do; `dead`: its domain does not run. */
export const ThreadState = { idle: 0, ready: 1, running: 2, dead: 3 } as const;
/** Affinity of a thread that any vCPU of its domain may run. */
export const ANY = -1;
/** What a thread is for: soft interrupts come before all that runs in thread context, where the scheduler tells them apart. */
export type ThreadLevel = "thread" | "soft interrupt";

/** Threads and their jobs. A thread is a queue of jobs; without a job, and with none half done, it is blocked. */
export class Threads {
  readonly thread;
  readonly job;

  constructor(store: Store) {
    this.thread = store.table("threads", {
      state: "u8", domain: "u16", affinity: "i16", head: "i32", tail: "i32", next: "i32", work: "i32", vcpu: "i16", pcpu: "i16", busy: "f64", jobs: "f64",
    });
    this.job = store.table("jobs", { next: "i32", component: "u16", op: "u16", a: "i32", b: "i32", cause: "i32", enabler: "i32", pcpu: "i16", posted: "f64" }, 64);
  }

  /** @param affinity a vCPU, or {@link ANY}; fixed for life */
  add(domain: number, affinity: number): number {
    const { thread } = this;
    const t = thread.alloc();
    thread.domain[t] = domain;
    thread.affinity[t] = affinity;
    thread.head[t] = thread.tail[t] = thread.next[t] = thread.work[t] = thread.vcpu[t] = thread.pcpu[t] = NONE;
    return t;
  }

  hasJob(t: number): boolean {
    return this.thread.head[t] !== NONE;
  }

  /** Adds a job behind all others of the thread. @param enabler row of what it has waited for so far; −1: nothing @param pcpu that adds it; −1: none, a device or a timer */
  append(t: number, component: number, op: number, a: number, b: number, cause: number, enabler: number, pcpu: number, now: number): void {
    const j = this.newJob(component, op, a, b, cause, enabler, pcpu, now);
    const { thread } = this;
    if (thread.tail[t] === NONE) thread.head[t] = j;
    else this.job.next[thread.tail[t]!] = j;
    thread.tail[t] = j;
  }

  /** Adds a job before all others of the thread. */
  prepend(t: number, component: number, op: number, a: number, b: number, cause: number, enabler: number, pcpu: number, now: number): void {
    const j = this.newJob(component, op, a, b, cause, enabler, pcpu, now);
    const { thread } = this;
    this.job.next[j] = thread.head[t]!;
    thread.head[t] = j;
    if (thread.tail[t] === NONE) thread.tail[t] = j;
  }

  /**
   * Takes the thread's first job: its row, which is readable until the next one is added.
   * @throws Error where it has none: it should not have been chosen
   */
  takeJob(t: number): number {
    const { thread, job } = this;
    const j = thread.head[t]!;
    if (j === NONE) throw new Error(`thread ${t} has no job`);
    thread.head[t] = job.next[j]!;
    if (thread.head[t] === NONE) thread.tail[t] = NONE;
    thread.jobs[t]!++;
    job.release(j);
    return j;
  }

  /** The threads and their jobs are gone. */
  kill(threads: readonly number[]): void {
    const { thread, job } = this;
    for (const t of threads) {
      for (let j = thread.head[t]!; j !== NONE;) {
        const next = job.next[j]!;
        job.release(j);
        j = next;
      }
      thread.head[t] = thread.tail[t] = thread.next[t] = thread.work[t] = NONE;
      thread.state[t] = ThreadState.dead;
    }
  }

  /** They can be given jobs again. */
  revive(threads: readonly number[]): void {
    for (const t of threads) this.thread.state[t] = ThreadState.idle;
  }

  private newJob(component: number, op: number, a: number, b: number, cause: number, enabler: number, pcpu: number, now: number): number {
    const j = this.job.take();
    const { job } = this;
    job.next[j] = NONE;
    job.component[j] = component;
    job.op[j] = op;
    job.a[j] = a;
    job.b[j] = b;
    job.cause[j] = cause;
    job.enabler[j] = enabler;
    job.pcpu[j] = pcpu;
    job.posted[j] = now;
    return j;
  }
}
