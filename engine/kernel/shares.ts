import { FUNCTION } from "../trace/chunk";
import { NONE } from "../trace/trace";
import type { Store } from "./state";

/**
 * Words of a function. WHAT is its number, and its component in the upper half, as in the trace. LOCK is held while it runs, and with it SECOND;
 * −1: none. INSTEAD is the function that a soft interrupt goes through where a process owns the lock; −1: it waits. The last two mean nothing where
 * there is no lock.
 */
export const WHAT = 0;
export const PACKET = 1;
export const A = 2;
export const B = 3;
const LOCK = 4;
const SECOND = 5;
const INSTEAD = 6;
/** A function's words are at `s << SHARE_BITS`. */
export const SHARE_BITS = 3;

/**
 * Functions that pieces of work go through, each with its share of the time. A function's numbers lie side by side, as those of a row
 * of the trace do: they are written and read together, for every row, and seven columns for them took twice as long.
 */
export class Shares {
  /** Of each function, picoseconds. */
  readonly time;
  /** Of each function: the words above. */
  readonly words;

  constructor(store: Store, name: string) {
    this.time = store.table(name, { cost: "f64" });
    this.words = store.table(`${name}, in words`, { word: "i32" });
  }

  /** Makes room for `count` functions. @returns the first one's number */
  add(count: number): number {
    const first = this.time.rows;
    for (let i = 0; i < count; i++) this.time.alloc();
    for (let i = 0; i < count << SHARE_BITS; i++) this.words.alloc();
    return first;
  }

  put(s: number, fn: number, component: number, cost: number, packet: number, a: number, b: number): void {
    this.time.cost[s] = cost;
    const { word } = this.words;
    const at = s << SHARE_BITS;
    word[at | WHAT] = fn | (component << 16);
    word[at | PACKET] = packet | 0;
    word[at | A] = a | 0;
    word[at | B] = b | 0;
    word[at | LOCK] = NONE;
  }

  fn(s: number): number { return this.words.word[(s << SHARE_BITS) | WHAT]! & FUNCTION; }
  component(s: number): number { return this.words.word[(s << SHARE_BITS) | WHAT]! >>> 16; }
  packet(s: number): number { return this.words.word[(s << SHARE_BITS) | PACKET]!; }
  a(s: number): number { return this.words.word[(s << SHARE_BITS) | A]!; }
  b(s: number): number { return this.words.word[(s << SHARE_BITS) | B]!; }
  lock(s: number): number { return this.words.word[(s << SHARE_BITS) | LOCK]!; }
  second(s: number): number { return this.lock(s) < 0 ? -1 : this.words.word[(s << SHARE_BITS) | SECOND]!; }
  instead(s: number): number { return this.lock(s) < 0 ? -1 : this.words.word[(s << SHARE_BITS) | INSTEAD]!; }
  cost(s: number): number { return this.time.cost[s]!; }

  /** What else there is to a function under a lock. */
  putLock(s: number, lock: number, second: number, instead: number): void {
    const { word } = this.words;
    const at = s << SHARE_BITS;
    word[at | LOCK] = lock;
    word[at | SECOND] = second;
    word[at | INSTEAD] = instead;
  }

  setFn(s: number, fn: number): void { this.words.word[(s << SHARE_BITS) | WHAT] = fn | (this.component(s) << 16); }
  setA(s: number, a: number): void { this.words.word[(s << SHARE_BITS) | A] = a; }
  setCost(s: number, cost: number): void { this.time.cost[s] = cost; }

  /** Copies functions `first` … `end` − 1 of a list, this one or another, to `to`. */
  copy(from: Shares, first: number, end: number, to: number): void {
    this.time.cost.set(from.time.cost.subarray(first, end), to);
    this.words.word.set(from.words.word.subarray(first << SHARE_BITS, end << SHARE_BITS), to << SHARE_BITS);
  }

  /** Of functions `first` … `end` − 1, the last `count` come first. */
  bringForward(first: number, end: number, count: number): void {
    const moved = [this.time.cost.slice(end - count, end), this.words.word.slice((end - count) << SHARE_BITS, end << SHARE_BITS)] as const;
    this.copy(this, first, end - count, first + count);
    this.time.cost.set(moved[0], first);
    this.words.word.set(moved[1], first << SHARE_BITS);
  }
}
