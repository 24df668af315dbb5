import type { Store, Words } from "../kernel/state";
import { NONE } from "../trace/trace";
import type { Threads } from "./threads";

/** Words of a queue: its first thread, its last, how many they are. */
const HEAD = 0;
const TAIL = 1;
const COUNT = 2;
const WORDS = 3;

/** Queues of ready threads. A thread is in at most one of them; the links are in the table of threads. */
export class ThreadQueues {
  private readonly words: Words;
  /** The first word of each queue. */
  private readonly bases: number[] = [];

  constructor(private readonly store: Store, private readonly name: string, private readonly threads: Threads) {
    this.words = store.words;
  }

  /** Makes a queue. @returns its number: from 0 on */
  add(): number {
    const base = this.store.addWords(this.name, WORDS);
    this.words.word[base + HEAD] = this.words.word[base + TAIL] = NONE;
    return this.bases.push(base) - 1;
  }

  /** How many there are. */
  get queues(): number {
    return this.bases.length;
  }

  /** Threads in a queue. */
  count(q: number): number {
    return this.words.word[this.bases[q]! + COUNT]!;
  }

  /** The thread that `shift` would take, or −1. */
  first(q: number): number {
    return this.words.word[this.bases[q]! + HEAD]!;
  }

  /** Behind all others. */
  push(q: number, t: number): void {
    this.insertAfter(q, this.words.word[this.bases[q]! + TAIL]!, t);
  }

  /** @param before the thread that it comes after; −1: the first */
  insertAfter(q: number, before: number, t: number): void {
    const { word } = this.words;
    const base = this.bases[q]!;
    const { next } = this.threads.thread;
    const after = before === NONE ? word[base + HEAD]! : next[before]!;
    next[t] = after;
    if (before === NONE) word[base + HEAD] = t;
    else next[before] = t;
    if (after === NONE) word[base + TAIL] = t;
    word[base + COUNT]!++;
  }

  /** Takes the first; −1 where there is none. */
  shift(q: number): number {
    const { word } = this.words;
    const base = this.bases[q]!;
    const t = word[base + HEAD]!;
    if (t === NONE) return t;
    const { next } = this.threads.thread;
    if ((word[base + HEAD] = next[t]!) === NONE) word[base + TAIL] = NONE;
    next[t] = NONE;
    word[base + COUNT]!--;
    return t;
  }

  /** Takes a thread out of the queue that it is in. @throws Error if it is not there */
  remove(q: number, t: number): void {
    const { word } = this.words;
    const base = this.bases[q]!;
    const { next } = this.threads.thread;
    let before: number = NONE;
    for (let at = word[base + HEAD]!; at !== t; at = next[at]!) {
      if (at === NONE) throw new Error(`thread ${t} is not in queue ${q}`);
      before = at;
    }
    if (before === NONE) word[base + HEAD] = next[t]!;
    else next[before] = next[t]!;
    if (word[base + TAIL] === t) word[base + TAIL] = before;
    next[t] = NONE;
    word[base + COUNT]!--;
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
    for (let t = this.first(q); t !== NONE; t = this.next(t)) threads.push(t);
    return threads;
  }
}
