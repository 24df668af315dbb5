import type { Store } from "../kernel/state";
import { NONE } from "../trace/trace";

/**
 * `idle`: blocked, nothing to do; `dead`: its domain does not run; `waiting`: for the answer of another process, or in a call for something
 * else, which jobs that it is given meanwhile do not end; `asleep`: in the middle of its work, until it may have a lock.
 */
export const ThreadState = { idle: 0, ready: 1, running: 2, dead: 3, waiting: 4, asleep: 5 } as const;
/** Affinity of a thread that any vCPU of its domain may run. */
export const ANY = -1;
/** What a thread is for: soft interrupts come before all that runs in thread context, where the scheduler tells them apart. */
export type ThreadLevel = "thread" | "soft interrupt";

/** Words of a job: the next of its thread, or of those that are free; whose it is, with op and arguments; the row that asked for it, and of what it has waited for; the pCPU that added it. */
export const JOB_NEXT = 0;
export const JOB_OWNER = 1;
export const JOB_OP = 2;
export const JOB_A = 3;
export const JOB_B = 4;
export const JOB_CAUSE = 5;
export const JOB_ENABLER = 6;
export const JOB_PCPU = 7;
/** A job's words are at `j << JOB_BITS`, side by side as those of work. */
const JOB_BITS = 3;

/** Told when threads become ready or are no longer, by the domain whose vCPUs they run on; it is no part of the simulation. */
export interface ReadyWatcher {
  changed(domain: number): void;
}

/** Threads and their jobs. A thread is a queue of jobs; without a job, and with none half done, it is blocked. */
export class Threads {
  readonly thread;
  watcher: ReadyWatcher | undefined = undefined;
  private readonly jobs;
  private readonly words;
  /** The free jobs: a list of the jobs' own, as that of the pieces of work is. By the table's, taking a job and giving it back took as long as filling it. */
  private readonly free;

  constructor(store: Store) {
    this.thread = store.table("threads", {
      state: "u8", domain: "u16", affinity: "i16", head: "i32", tail: "i32", next: "i32", work: "i32", vcpu: "i16", pcpu: "i16", busy: "f64", jobs: "f64",
    });
    this.jobs = store.table("jobs", { posted: "f64" }, 64, true);
    this.words = store.table("jobs, in words", { word: "i32" }, 64 << JOB_BITS, true);
    this.free = store.table("free jobs", { head: "i32" }, 1, true);
    this.free.alloc();
    this.free.head[0] = NONE;
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

  /** One of a job's words. */
  job(j: number, word: number): number { return this.words.word[(j << JOB_BITS) | word]!; }
  /** When a job was added, picoseconds. */
  posted(j: number): number { return this.jobs.posted[j]!; }

  /** How many of these wait for a vCPU. */
  waiting(threads: readonly number[]): number {
    let ready = 0;
    for (const t of threads) if (this.thread.state[t] === ThreadState.ready) ready++;
    return ready;
  }

  hasJob(t: number): boolean {
    return this.thread.head[t] !== NONE;
  }

  /** Adds a job behind all others of the thread. @param enabler row of what it has waited for so far; −1: nothing @param pcpu that adds it; −1: none, a device or a timer */
  append(t: number, component: number, op: number, a: number, b: number, cause: number, enabler: number, pcpu: number, now: number): void {
    const j = this.newJob(component, op, a, b, cause, enabler, pcpu, now);
    const { head, tail } = this.thread;
    const last = tail[t]!;
    if (last === NONE) head[t] = j;
    else this.words.word[(last << JOB_BITS) | JOB_NEXT] = j;
    tail[t] = j;
  }

  /** Adds a job before all others of the thread. */
  prepend(t: number, component: number, op: number, a: number, b: number, cause: number, enabler: number, pcpu: number, now: number): void {
    const j = this.newJob(component, op, a, b, cause, enabler, pcpu, now);
    const { thread } = this;
    this.words.word[(j << JOB_BITS) | JOB_NEXT] = thread.head[t]!;
    thread.head[t] = j;
    if (thread.tail[t] === NONE) thread.tail[t] = j;
  }

  /**
   * Takes the thread's first job: its row, which is readable until the next one is added.
   * @throws Error where it has none: it should not have been chosen
   */
  takeJob(t: number): number {
    const { head, tail, jobs } = this.thread;
    const j = head[t]!;
    if (j === NONE) throw new Error(`thread ${t} has no job`);
    const next = this.job(j, JOB_NEXT);
    head[t] = next;
    if (next === NONE) tail[t] = NONE;
    jobs[t]!++;
    this.release(j);
    return j;
  }

  /** The threads and their jobs are gone. */
  kill(threads: readonly number[]): void {
    const { thread } = this;
    for (const t of threads) {
      for (let j = thread.head[t]!; j !== NONE;) {
        const next = this.job(j, JOB_NEXT);
        this.release(j);
        j = next;
      }
      thread.head[t] = thread.tail[t] = thread.next[t] = thread.work[t] = NONE;
      thread.state[t] = ThreadState.dead;
      if (this.watcher !== undefined) this.watcher.changed(thread.domain[t]!);
    }
  }

  /** They can be given jobs again. */
  revive(threads: readonly number[]): void {
    for (const t of threads) this.thread.state[t] = ThreadState.idle;
  }

  private newJob(component: number, op: number, a: number, b: number, cause: number, enabler: number, pcpu: number, now: number): number {
    const j = this.take();
    const { word } = this.words;
    const at = j << JOB_BITS;
    word[at | JOB_NEXT] = NONE;
    word[at | JOB_OWNER] = component | 0;
    word[at | JOB_OP] = op | 0;
    word[at | JOB_A] = a | 0;
    word[at | JOB_B] = b | 0;
    word[at | JOB_CAUSE] = cause | 0;
    word[at | JOB_ENABLER] = enabler | 0;
    word[at | JOB_PCPU] = pcpu | 0;
    this.jobs.posted[j] = now;
    return j;
  }

  private take(): number {
    const { head } = this.free;
    const j = head[0]!;
    if (j === NONE) return this.extend();
    head[0] = this.job(j, JOB_NEXT);
    return j;
  }

  private extend(): number {
    for (let word = 0; word < 1 << JOB_BITS; word++) this.words.alloc();
    return this.jobs.alloc();
  }

  private release(j: number): void {
    const { head } = this.free;
    this.words.word[(j << JOB_BITS) | JOB_NEXT] = head[0]!;
    head[0] = j;
  }
}
