import type { Kernel } from "../kernel/kernel";
import { Priority } from "../kernel/queue";
import { NONE } from "../trace/trace";
import { A, B, COMPONENT, FN, PACKET, SHARE_BITS, Shares } from "./shares";
import type { SpinLocks } from "./spinLocks";

/** Functions that one piece of work can name. */
export const SHARES = 24;

/** Words of a slot: its vCPU; its thread, −1: an interrupt; the component whose work it is, with op and arguments; the row that asked for it, the one that it last waited for. */
export const VCPU = 0;
export const THREAD = 1;
export const OWNER = 2;
export const OP = 3;
export const FIRST_ARGUMENT = 4;
export const SECOND_ARGUMENT = 5;
export const CAUSE = 6;
const ENABLER = 7;
/** How many functions it has, and how many of these are done. */
export const COUNT = 8;
export const DONE = 9;
/** The next free slot, of one that is free. */
const NEXT = 10;
/** Whether there is anything in the columns that most work leaves as they are; whether one of its functions is under a lock. */
const SPECIAL = 11;
const LOCKED = 12;
/** The event of its end; −1: it does not run. */
const EVENT = 13;
/** A slot's words are at `w << WORK_BITS`. */
const WORK_BITS = 4;

/** What a piece of work does about a lock: nothing, spins on its vCPU, or would, but has lost it. */
const Spin = { no: 0, spinning: 1, paused: 2 } as const;

/**
 * Pieces of work in progress, by slot: what they are, the functions that they go through with the time of each, and how
 * much is left. A piece that loses its vCPU is paused and pays the rest later, on the same vCPU or on another.
 *
 * A piece with functions under a spin lock goes function by function, since others may hold the lock when its turn comes,
 * and since it may lose its vCPU while it holds it: the others then spin until it is back.
 */
export class WorkSlots {
  /** What few pieces of work have, and times in picoseconds. */
  readonly slot;
  /** Of each slot: the words below, which all work has, side by side. */
  private readonly words;
  readonly share: Shares;
  private readonly free;
  private readonly continued: number;

  /** @param component whose event `op` tells that the work, or its present function, in slot `a` is done */
  constructor(private readonly kernel: Kernel, private readonly locks: SpinLocks, private readonly component: number, private readonly op: number) {
    this.slot = kernel.store.table("work", {
      begin: "f64", end: "f64", remaining: "f64", spin: "f64", cut: "u8", noted: "i32", hung: "u8",
      started: "u8", held: "i16", spinning: "u8", spun: "f64",
      led: "u8", ledFirst: "u8", ledLeft: "f64",
    });
    this.words = kernel.store.table("work, in words", { word: "i32" });
    this.share = new Shares(kernel.store, "work shares");
    this.continued = kernel.functions({ "goes on after preemption": { kind: "thread", a: "function" } })["goes on after preemption"];
    this.free = kernel.store.table("free work slots", { head: "i32" }, 1);
    this.free.alloc();
    this.free.head[0] = NONE;
  }

  /** One of the words above. */
  get(w: number, word: number): number { return this.words.word[(w << WORK_BITS) + word]!; }
  set(w: number, word: number, value: number): void { this.words.word[(w << WORK_BITS) + word] = value; }

  /** Fills a slot; its functions follow by `spend`, then `proceed`. @param thread −1: an interrupt */
  begin(v: number, thread: number, component: number, op: number, a: number, b: number, cause: number, enabler: number): number {
    const w = this.take();
    this.set(w, VCPU, v);
    this.set(w, THREAD, thread);
    this.set(w, OWNER, component);
    this.set(w, OP, op);
    this.set(w, FIRST_ARGUMENT, a);
    this.set(w, SECOND_ARGUMENT, b);
    this.set(w, CAUSE, cause);
    this.restart(w, enabler);
    return w;
  }

  /** The same work anew, without functions yet. */
  restart(w: number, enabler: number): void {
    const { slot } = this;
    this.set(w, ENABLER, enabler);
    this.set(w, COUNT, 0);
    this.slot.remaining[w] = 0;
    slot.begin[w] = this.kernel.now;
    if (this.get(w, SPECIAL) !== 0) this.makePlain(w);
  }

  /** The work's last function is polling, in rounds of this time. */
  spin(w: number, round: number): void {
    this.slot.spin[w] = round;
    this.set(w, SPECIAL, 1);
  }

  /** What the work's `begin` has to tell its `end`. */
  note(w: number, count: number): void {
    this.slot.noted[w] = count;
    this.set(w, SPECIAL, 1);
  }

  /** The work does not end. */
  hang(w: number): void {
    this.slot.hung[w] = 1;
    this.set(w, SPECIAL, 1);
  }

  /** Clears what most work leaves as it is: clearing all of it before each piece took as long as filling the slot. `special` says where there is something. */
  private makePlain(w: number): void {
    const { slot } = this;
    slot.spin[w] = slot.cut[w] = slot.noted[w] = slot.hung[w] = slot.started[w] = slot.spinning[w] = slot.spun[w] = slot.led[w] = 0;
    this.set(w, DONE, 0);
    this.set(w, LOCKED, 0);
    this.set(w, SPECIAL, 0);
    slot.held[w] = NONE;
  }

  private take(): number {
    const { slot, free } = this;
    const w = free.head[0]!;
    if (w !== NONE) {
      free.head[0] = this.get(w, NEXT);
      return w;
    }
    this.share.add(SHARES);
    for (let word = 0; word < 1 << WORK_BITS; word++) this.words.alloc();
    const added = slot.alloc();
    slot.held[added] = NONE;
    this.set(added, EVENT, NONE);
    return added;
  }

  /** The slot is free again; what it says can still be read until the next one begins. */
  release(w: number): void {
    this.set(w, NEXT, this.free.head[0]!);
    this.free.head[0] = w;
  }

  /** Takes back all functions of work that has not started but the first `shares`. */
  shorten(w: number, shares: number): void {
    const { slot, share } = this;
    for (let s = w * SHARES + shares; s < w * SHARES + this.get(w, COUNT); s++) slot.remaining[w]! -= share.cost(s);
    this.set(w, COUNT, shares);
  }

  /** @param lock held while the function runs; −1: none @throws Error for more functions than a slot has room for */
  spend(w: number, component: number, fn: number, cost: number, packet: number, a: number, b: number, lock: number = NONE): void {
    const n = this.get(w, COUNT);
    this.set(w, COUNT, n + 1);
    if (n >= SHARES) throw new Error("a piece of work names too many functions");
    this.share.put(w * SHARES + n, fn, component, cost, packet, a, b, lock);
    if (lock !== NONE) {
      this.set(w, LOCKED, 1);
      this.set(w, SPECIAL, 1);
    }
    this.slot.remaining[w]! += cost;
  }

  /** The last `count` functions come first: what has to be done before a piece of work goes on. */
  bringForward(w: number, count: number): void {
    const { share } = this;
    share.bringForward(w * SHARES + this.get(w, DONE), w * SHARES + this.get(w, COUNT), count);
  }

  /** The first `count` functions are there because of a move only. */
  noteMove(w: number, count: number): void {
    const { slot } = this;
    slot.led[w] = count;
    this.set(w, SPECIAL, 1);
    slot.ledFirst[w] = this.get(w, DONE);
    slot.ledLeft[w] = slot.remaining[w]!;
  }

  /** Takes back what the last move costs, if nothing has been done since: work that is moved on and on without running pays for one move. */
  takeBackMove(w: number): void {
    const { share, slot } = this;
    const count = slot.led[w]!;
    slot.led[w] = 0;
    if (count === 0 || this.get(w, DONE) !== slot.ledFirst[w] || slot.remaining[w] !== slot.ledLeft[w] || slot.started[w] === 1) return;
    const begin = w * SHARES + this.get(w, DONE);
    const end = w * SHARES + this.get(w, COUNT);
    for (let s = begin; s < begin + count; s++) slot.remaining[w]! -= share.cost(s);
    share.copy(share, begin + count, end, begin);
    this.set(w, COUNT, this.get(w, COUNT) - count);
  }

  /**
   * The first `count` functions switch to the work's thread: what an earlier switch by one of these functions has left is not paid as well. A kernel
   * does not leave a switch half way, so that none goes on: the thread is switched to anew.
   * @param space loads the thread's address space
   */
  startOver(w: number, count: number, switching: number, space: number): void {
    const { share, slot } = this;
    const first = w * SHARES + this.get(w, DONE) + count;
    for (let s = first - count; s < first; s++) {
      const fn = share.fn(s);
      if (fn !== switching && fn !== space) continue;
      for (let left = first; left < w * SHARES + this.get(w, COUNT); left++) {
        const isRest = share.fn(left) === this.continued && share.a(left) === fn;
        if (!isRest && share.fn(left) !== fn) continue;
        slot.remaining[w]! -= share.cost(left);
        share.copy(share, left + 1, w * SHARES + this.get(w, COUNT), left);
        this.set(w, COUNT, this.get(w, COUNT) - 1);
        left--;
      }
    }
  }

  /** The work has its vCPU from now on. */
  proceed(w: number): void {
    const { slot } = this;
    if (this.get(w, LOCKED) === 1 && !this.proceedLocked(w)) return;
    const remaining = slot.remaining[w]!;
    slot.end[w] = this.kernel.now + remaining;
    this.set(w, EVENT, this.kernel.schedule(remaining, Priority.cpu, this.component, this.op, w));
  }

  /** Function by function: takes the lock of the next one. @returns false: it spins */
  private proceedLocked(w: number): boolean {
    const { slot, share, kernel } = this;
    const s = w * SHARES + this.get(w, DONE);
    if (slot.started[w] === 0) {
      slot.started[w] = 1;
      slot.remaining[w] = share.cost(s);
    }
    const lock = share.lock(s);
    if (lock === NONE || slot.held[w] === lock) return true;
    if (slot.spinning[w] === Spin.spinning) slot.spun[w]! += kernel.now - slot.end[w]!;
    if (this.locks.acquire(lock, this.get(w, VCPU))) {
      slot.held[w] = lock;
      slot.spinning[w] = Spin.no;
      return true;
    }
    if (slot.spinning[w] === Spin.no) this.locks.contend(lock);
    slot.spinning[w] = Spin.spinning;
    slot.end[w] = kernel.now;
    return false;
  }

  /** Lets the lock go: of those that spin for it on a vCPU, the first that began gets it. */
  private unlock(w: number): void {
    const { slot, share, locks } = this;
    const lock = slot.held[w]!;
    slot.held[w] = NONE;
    locks.release(lock);
    let next: number = NONE;
    for (let other = 0; other < slot.rows; other++) {
      if (slot.spinning[other] !== Spin.spinning || share.lock(other * SHARES + this.get(other, DONE)) !== lock) continue;
      if (next === NONE || slot.end[other]! < slot.end[next]!) next = other;
    }
    if (next !== NONE) this.proceed(next);
  }

  /** The work loses its vCPU. @returns whether it had it */
  pause(w: number): boolean {
    const { slot, kernel } = this;
    if (slot.spinning[w] === Spin.spinning) {
      slot.spun[w]! += kernel.now - slot.end[w]!;
      slot.spinning[w] = Spin.paused;
      return true;
    }
    if (this.get(w, EVENT) === NONE) return false;
    slot.remaining[w] = slot.end[w]! - kernel.now;
    kernel.cancel(this.get(w, EVENT));
    this.set(w, EVENT, NONE);
    return true;
  }

  /** The work is given up, unfinished. */
  drop(w: number): void {
    this.pause(w);
    this.slot.spinning[w] = Spin.no;
    if (this.slot.held[w] !== NONE) this.unlock(w);
    this.release(w);
  }

  /** Takes the rounds of polling that have not begun off work that spins, once; the first is always made. */
  cut(w: number): void {
    const { slot, share } = this;
    const round = slot.spin[w]!;
    if (round === 0 || slot.cut[w] === 1) return;
    slot.cut[w] = 1;
    this.set(w, SPECIAL, 1);
    const had = this.pause(w);
    const last = w * SHARES + this.get(w, COUNT) - 1;
    const saved = Math.min(Math.floor(Math.min(slot.remaining[w]!, share.cost(last)) / round) * round, share.cost(last) - round);
    slot.remaining[w]! -= saved;
    share.setCost(last, share.cost(last) - saved);
    share.setA(last, Math.round(share.cost(last) / round));
    if (had) this.proceed(w);
  }

  /** Rounds of polling that work which spins has made, when it is done. */
  rounds(w: number): number {
    return this.share.a(w * SHARES + this.get(w, COUNT) - 1);
  }

  /** How long the work has run since it began, or since it was split, until now or a later time at which it has not ended, picoseconds. */
  ranSince(w: number, now = this.kernel.now): number {
    const { slot } = this;
    if (slot.spinning[w] === Spin.spinning) return slot.spun[w]! + now - slot.end[w]!;
    const left = this.get(w, EVENT) === NONE ? slot.remaining[w]! : slot.end[w]! - now;
    return slot.spun[w]! + this.total(w) - left;
  }

  /** Of the present function where there are locks, else of all. */
  private total(w: number): number {
    const { slot, share } = this;
    const first = w * SHARES + this.get(w, DONE);
    if (this.get(w, LOCKED) === 1) return slot.started[w] === 1 ? share.cost(first) : slot.remaining[w]!;
    let sum = 0;
    for (let s = first, end = w * SHARES + this.get(w, COUNT); s < end; s++) sum += share.cost(s);
    return sum;
  }

  /**
   * The event of the slot: writes the rows of what is done, on `context`.
   * @returns the time spent, picoseconds; −1 less that time where the work goes on with its next function
   */
  finish(w: number, context: number): number {
    const { slot, share, kernel } = this;
    this.set(w, EVENT, NONE);
    kernel.cause = this.get(w, CAUSE);
    if (this.get(w, LOCKED) === 1) return this.finishFunction(w, context);
    const { cost: costs } = share.time;
    const { word } = share.words;
    const v = this.get(w, VCPU);
    let begin = slot.begin[w]!;
    let enabler = this.get(w, ENABLER);
    let spent = 0;
    for (let s = w * SHARES + this.get(w, DONE), end = w * SHARES + this.get(w, COUNT); s < end; s++) {
      const cost = costs[s]!;
      const at = s << SHARE_BITS;
      kernel.mark(word[at + FN]!, word[at + COMPONENT]!, context, begin, cost, word[at + PACKET]!, word[at + A]!, word[at + B]!, v, enabler);
      begin += cost;
      spent += cost;
      enabler = NONE;
    }
    return spent;
  }

  /** The present function of work with locks is over. */
  private finishFunction(w: number, context: number): number {
    const { slot, share, kernel } = this;
    const s = w * SHARES + this.get(w, DONE);
    const spent = this.markPresent(w, context, share.cost(s));
    if (slot.held[w] !== NONE && slot.held[w] === share.lock(s)) this.unlock(w);
    slot.started[w] = 0;
    this.set(w, ENABLER, NONE);
    this.set(w, CAUSE, kernel.cause);
    slot.begin[w] = kernel.now;
    this.set(w, DONE, this.get(w, DONE) + 1);
    if (this.get(w, DONE) >= this.get(w, COUNT)) return spent;
    this.proceed(w);
    return -1 - spent;
  }

  /** Rows of the present function: of the spinning for its lock, and of `done` of itself. */
  private markPresent(w: number, context: number, done: number): number {
    const { slot, share, kernel } = this;
    const s = w * SHARES + this.get(w, DONE);
    const v = this.get(w, VCPU);
    const spun = slot.spun[w]!;
    const begin = slot.begin[w]!;
    if (spun > 0) kernel.mark(this.locks.spinFn, share.component(s), context, begin, spun, NONE, share.lock(s), 0, v, this.get(w, ENABLER));
    slot.spun[w] = 0;
    if (done > 0 || spun === 0) {
      kernel.mark(share.fn(s), share.component(s), context, begin + spun, done, share.packet(s), share.a(s), share.b(s), v, spun > 0 ? NONE : this.get(w, ENABLER));
    }
    return spun + done;
  }

  /**
   * The work is taken off its vCPU for a thread: writes the rows of what it did there, since it may go on elsewhere.
   * It must be paused. @returns the time spent, picoseconds
   */
  split(w: number, context: number): number {
    const { slot, share, kernel } = this;
    let spent = 0;
    this.set(w, SPECIAL, 1);
    if (this.get(w, DONE) > 0) this.compact(w);
    if (this.get(w, LOCKED) === 1) {
      const s = w * SHARES + this.get(w, DONE);
      if (slot.started[w] === 1) {
        spent = this.markPresent(w, context, share.cost(s) - slot.remaining[w]!);
        share.setCost(s, slot.remaining[w]!);
        if (spent > 0) this.goesOn(s);
        slot.started[w] = 0;
      }
    } else {
      let done = this.total(w) - slot.remaining[w]!;
      let begin = slot.begin[w]!;
      for (let s = w * SHARES + this.get(w, DONE); done > 0; s++) {
        const part = Math.min(done, share.cost(s));
        kernel.mark(share.fn(s), share.component(s), context, begin, part, share.packet(s), share.a(s), share.b(s), this.get(w, VCPU), this.get(w, ENABLER));
        this.set(w, ENABLER, NONE);
        if (part === share.cost(s) && this.get(w, DONE) < this.get(w, COUNT) - 1) this.set(w, DONE, this.get(w, DONE) + 1);
        else {
          share.setCost(s, share.cost(s) - part);
          this.goesOn(s);
        }
        begin += part;
        done -= part;
        spent += part;
      }
    }
    return spent;
  }

  /** What counts as a crossing, a copy or the like does so once: its first row. */
  private goesOn(s: number): void {
    const { share } = this;
    const { kind, tally } = this.kernel.names.functions[share.fn(s)]!;
    if (kind !== "kernel" && tally === undefined) return;
    share.setA(s, share.fn(s));
    share.setFn(s, this.continued);
  }

  /** Forgets the functions that are done: work that is preempted again and again names what comes first again and again. */
  private compact(w: number): void {
    const { share } = this;
    const base = w * SHARES;
    const first = base + this.get(w, DONE);
    const end = base + this.get(w, COUNT);
    share.copy(share, first, end, base);
    this.set(w, COUNT, end - first);
    this.set(w, DONE, 0);
    this.slot.led[w] = 0;
  }

  /** Work that was split goes on. */
  goOn(w: number, v: number, enabler: number): void {
    const { slot } = this;
    if (this.get(w, DONE) > 0) this.compact(w);
    this.set(w, VCPU, v);
    slot.begin[w] = this.kernel.now;
    this.set(w, ENABLER, enabler);
  }
}
