import type { Store } from "../kernel/state";
import { NONE } from "../trace/trace";
import type { Threads } from "./threads";

/** Queues of ready threads. A thread is in at most one of them; the links are in the table of threads. */
export class ThreadQueues {
  private readonly queue;

  constructor(store: Store, name: string, private readonly threads: Threads) {
    this.queue = store.table(name, { head: "i32", tail: "i32", count: "i32" });
  }

  /** Makes a queue. @returns its number: from 0 on */
  add(): number {
    const q = this.queue.alloc();
    this.queue.head[q] = this.queue.tail[q] = NONE;
    return q;
  }

  /** How many there are. */
  get queues(): number {
    return this.queue.rows;
  }

  /** Threads in a queue. */
  count(q: number): number {
    return this.queue.count[q]!;
  }

  /** The thread that `shift` would take, or −1. */
  first(q: number): number {
    return this.queue.head[q]!;
  }

  /** Behind all others. */
  push(q: number, t: number): void {
    this.insertAfter(q, this.queue.tail[q]!, t);
  }

  /** Before all others. */
  unshift(q: number, t: number): void {
    this.insertAfter(q, NONE, t);
  }

  /** @param before the thread that it comes after; −1: the first */
  insertAfter(q: number, before: number, t: number): void {
    const { queue } = this;
    const { next } = this.threads.thread;
    const after = before === NONE ? queue.head[q]! : next[before]!;
    next[t] = after;
    if (before === NONE) queue.head[q] = t;
    else next[before] = t;
    if (after === NONE) queue.tail[q] = t;
    queue.count[q]!++;
  }

  /** Takes the first; −1 where there is none. */
  shift(q: number): number {
    const { queue } = this;
    const { next } = this.threads.thread;
    const t = queue.head[q]!;
    if (t === NONE) return t;
    if ((queue.head[q] = next[t]!) === NONE) queue.tail[q] = NONE;
    next[t] = NONE;
    queue.count[q]!--;
    return t;
  }

  /** Takes a thread out of the queue that it is in. @throws Error if it is not there */
  remove(q: number, t: number): void {
    const { queue } = this;
    const { next } = this.threads.thread;
    let before: number = NONE;
    for (let at = queue.head[q]!; at !== t; at = next[at]!) {
      if (at === NONE) throw new Error(`thread ${t} is not in queue ${q}`);
      before = at;
    }
    if (before === NONE) queue.head[q] = next[t]!;
    else next[before] = next[t]!;
    if (queue.tail[q] === t) queue.tail[q] = before;
    next[t] = NONE;
    queue.count[q]!--;
  }

  /** Takes a thread out of whichever queue it is in. */
  drop(t: number): void {
    for (let q = 0; q < this.queues; q++) if (this.list(q).includes(t)) return this.remove(q, t);
  }

  /** Forgets all that wait. */
  clear(q: number): void {
    while (this.shift(q) !== NONE);
  }

  next(t: number): number {
    return this.threads.thread.next[t]!;
  }

  /** The threads in order. */
  list(q: number): number[] {
    const threads: number[] = [];
    for (let t = this.queue.head[q]!; t !== NONE; t = this.next(t)) threads.push(t);
    return threads;
  }
}
