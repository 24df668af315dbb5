import type { Store } from "../kernel/state";
import { NONE } from "../trace/trace";

/** `dead`: its domain does not run. */
export const ThreadState = { idle: 0, ready: 1, running: 2, dead: 3 } as const;
/** Affinity of a thread that any vCPU of its domain may run. */
export const ANY = -1;

/**
 * Threads and their jobs, and the run queues that ready threads wait in: a local one per vCPU and a global one per domain
 * (LibrettOS 4.1; `lib/libbmk_core/sched.c`). A thread is a queue of jobs; without a job it is blocked.
 */
export class Threads {
  readonly thread;
  readonly job;
  private readonly local;
  private readonly global;

  constructor(store: Store) {
    this.thread = store.table("threads", {
      state: "u8", domain: "u16", affinity: "i16", head: "i32", tail: "i32", next: "i32", busy: "f64", jobs: "f64",
    });
    this.job = store.table("jobs", { next: "i32", component: "u16", op: "u16", a: "i32", b: "i32", cause: "i32", posted: "f64" }, 64);
    this.local = store.table("local run queues", { head: "i32", tail: "i32" });
    this.global = store.table("global run queues", { head: "i32", tail: "i32" });
  }

  /** Makes the global run queue of the next domain. */
  addDomain(): void {
    const q = this.global.alloc();
    this.global.head[q] = this.global.tail[q] = NONE;
  }

  /** Makes the local run queue of the next vCPU. */
  addVcpu(): void {
    const q = this.local.alloc();
    this.local.head[q] = this.local.tail[q] = NONE;
  }

  /** @param affinity a vCPU, or {@link ANY}; fixed for life, as in `sched.c` */
  add(domain: number, affinity: number): number {
    const { thread } = this;
    const t = thread.alloc();
    thread.domain[t] = domain;
    thread.affinity[t] = affinity;
    thread.head[t] = thread.tail[t] = thread.next[t] = NONE;
    return t;
  }

  hasJob(t: number): boolean {
    return this.thread.head[t] !== NONE;
  }

  /** Adds a job behind all others of the thread. */
  append(t: number, component: number, op: number, a: number, b: number, cause: number, now: number): void {
    const j = this.newJob(component, op, a, b, cause, now);
    const { thread } = this;
    if (thread.tail[t] === NONE) thread.head[t] = j;
    else this.job.next[thread.tail[t]!] = j;
    thread.tail[t] = j;
  }

  /** Adds a job before all others of the thread. */
  prepend(t: number, component: number, op: number, a: number, b: number, cause: number, now: number): void {
    const j = this.newJob(component, op, a, b, cause, now);
    const { thread } = this;
    this.job.next[j] = thread.head[t]!;
    thread.head[t] = j;
    if (thread.tail[t] === NONE) thread.tail[t] = j;
  }

  /** Takes the thread's first job: its row, which is readable until the next one is added. */
  takeJob(t: number): number {
    const { thread, job } = this;
    const j = thread.head[t]!;
    thread.head[t] = job.next[j]!;
    if (thread.head[t] === NONE) thread.tail[t] = NONE;
    thread.jobs[t]!++;
    job.release(j);
    return j;
  }

  /** The thread waits for a vCPU, behind the others. */
  enqueue(t: number): void {
    const { thread } = this;
    thread.state[t] = ThreadState.ready;
    thread.next[t] = NONE;
    const affinity = thread.affinity[t]!;
    const queues = affinity === ANY ? this.global : this.local;
    const q = affinity === ANY ? thread.domain[t]! : affinity;
    if (queues.tail[q] === NONE) queues.head[q] = t;
    else thread.next[queues.tail[q]!] = t;
    queues.tail[q] = t;
  }

  /** The thread that a vCPU of the domain runs next: from its local queue, else from the global one; −1: none. */
  dequeue(vcpu: number, domain: number): number {
    const fromLocal = this.local.head[vcpu] !== NONE;
    const queues = fromLocal ? this.local : this.global;
    const q = fromLocal ? vcpu : domain;
    const t = queues.head[q]!;
    if (t !== NONE) {
      queues.head[q] = this.thread.next[t]!;
      if (queues.head[q] === NONE) queues.tail[q] = NONE;
    }
    return t;
  }

  /** Does a thread wait that any vCPU of the domain may run? */
  isGlobalWaiting(domain: number): boolean {
    return this.global.head[domain] !== NONE;
  }

  /** The threads of a domain and their jobs are gone; its run queues are empty. */
  kill(domain: number, vcpus: readonly number[], threads: readonly number[]): void {
    const { thread, job } = this;
    for (const t of threads) {
      for (let j = thread.head[t]!; j !== NONE;) {
        const next = job.next[j]!;
        job.release(j);
        j = next;
      }
      thread.head[t] = thread.tail[t] = thread.next[t] = NONE;
      thread.state[t] = ThreadState.dead;
    }
    for (const v of vcpus) this.local.head[v] = this.local.tail[v] = NONE;
    this.global.head[domain] = this.global.tail[domain] = NONE;
  }

  /** They can be given jobs again. */
  revive(threads: readonly number[]): void {
    for (const t of threads) this.thread.state[t] = ThreadState.idle;
  }

  /** Threads in a queue, in order. */
  waitingLocally(vcpu: number): number[] {
    return this.chain(this.local.head[vcpu]!);
  }

  waitingGlobally(domain: number): number[] {
    return this.chain(this.global.head[domain]!);
  }

  private chain(head: number): number[] {
    const threads: number[] = [];
    for (let t = head; t !== NONE; t = this.thread.next[t]!) threads.push(t);
    return threads;
  }

  private newJob(component: number, op: number, a: number, b: number, cause: number, now: number): number {
    const j = this.job.alloc();
    const { job } = this;
    job.next[j] = NONE;
    job.component[j] = component;
    job.op[j] = op;
    job.a[j] = a;
    job.b[j] = b;
    job.cause[j] = cause;
    job.posted[j] = now;
    return j;
  }
}
