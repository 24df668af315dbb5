import type { Kernel } from "../kernel/kernel";
import { Priority } from "../kernel/queue";
import type { Shares } from "../kernel/shares";
import type { Table } from "../kernel/state";
import { NONE } from "../trace/trace";
import type { Locks } from "./locks";
import { CAUSE, COUNT, DONE, ENABLER, EVENT, LOCKED, SHARES, SPECIAL, THREAD, VCPU, type slotColumns } from "./workSlot";

/** What a piece of work does about a lock that it wants: nothing, spins on its vCPU, would but has lost that, or sleeps. */
export const Wait = { no: 0, spinning: 1, paused: 2, asleep: 3 } as const;

/** Pieces of work, as {@link Sections} sees them: see `work.ts`. */
export interface Work {
  readonly slot: Table<typeof slotColumns>;
  readonly share: Shares;
  get(w: number, word: number): number;
  set(w: number, word: number, value: number): void;
  proceed(w: number): boolean;
}

/** What sections need of the work that they are of. */
export interface SectionParts {
  readonly kernel: Kernel;
  readonly locks: Locks;
  /** Whose event, with the work, is its end, or that of a pause. */
  readonly component: number;
  readonly op: number;
  readonly work: Work;
  /** What a function costs that takes the place of another; of one that spins, a `pause`. */
  costOf(fn: number): number;
  /** The thread whose work slept may go on. */
  wake(thread: number): void;
  /** The thread has a job to do before it lets go of a lock. */
  call(thread: number, component: number, op: number, a: number): void;
}

/** SPINLOCK_BACKOFF_MIN and SPINLOCK_BACKOFF_MAX, `sys/sys/lock.h`. */
const FEWEST_PAUSES = 4;
const MOST_PAUSES = 128;

/**
 * Work under locks goes section by section: functions on end that hold the same ones. Each section takes its locks when its turn comes,
 * since others may hold them by then, and keeps from the one before what it needs too. Where there are two, the second is taken while the
 * first is held, and let go before it.
 */
export class Sections {
  constructor(private readonly parts: SectionParts) {}

  private word(w: number, word: number): number {
    return this.parts.work.get(w, word);
  }

  /** Begins, or goes on with, the present section: takes its locks. @returns false: it waits for one */
  enter(w: number): boolean {
    const { work: { slot, share } } = this.parts;
    const s = w * SHARES + this.word(w, DONE);
    if (slot.started[w] === 0) this.measure(w, s);
    return this.obtain(w, s, share.lock(s), slot.held) && this.obtain(w, s, share.second(s), slot.second);
  }

  private measure(w: number, s: number): void {
    const { work: { slot, share } } = this.parts;
    const lock = share.lock(s);
    const second = share.second(s);
    const end = w * SHARES + this.word(w, COUNT);
    let n = s;
    let time = 0;
    do time += share.cost(n);
    while (++n < end && share.lock(n) === lock && share.second(n) === second);
    slot.started[w] = 1;
    slot.section[w] = n - s;
    slot.remaining[w] = time;
  }

  /** Time of the present section. */
  cost(w: number): number {
    const { work: { slot, share } } = this.parts;
    let sum = 0;
    for (let s = w * SHARES + this.word(w, DONE), end = s + slot.section[w]!; s < end; s++) sum += share.cost(s);
    return sum;
  }

  /** @param held the column of what is held in this place @returns false: it waits */
  private obtain(w: number, s: number, lock: number, held: Int32Array): boolean {
    const { locks, kernel, work: { slot, share } } = this.parts;
    if (lock === NONE || held[w] === lock) return true;
    if (slot.spinning[w] !== Wait.no) this.stopSpinning(w);
    const soft = share.instead(s) !== NONE;
    if (locks.acquire(lock, this.word(w, VCPU), w, this.word(w, THREAD), soft)) {
      held[w] = lock;
      this.wantNothing(w);
      return true;
    }
    if (soft && !locks.isSoft(lock)) {
      this.goInstead(w, s);
      return true;
    }
    if (slot.wants[w] === NONE) {
      slot.wants[w] = lock;
      slot.waits[w] = kernel.now;
      locks.contend(lock);
    }
    slot.spinning[w] = this.sleepsFor(lock, w) ? Wait.asleep : Wait.spinning;
    slot.end[w] = kernel.now;
    if (slot.spinning[w] === Wait.asleep) locks.countSleep(lock);
    return false;
  }

  private sleepsFor(lock: number, w: number): boolean {
    const { locks, work: { slot } } = this.parts;
    const { waiting } = locks.classOf(lock);
    if (waiting === "spin" || this.word(w, THREAD) === NONE) return false;
    if (waiting === "queue") return true;
    if (waiting === "own") return !locks.isSoft(lock);
    const holder = locks.work(lock);
    return holder !== NONE && slot.wants[holder] !== NONE;
  }

  /** A process owns what the soft interrupt wants: it leaves its work there, with a function of its own and no lock. */
  private goInstead(w: number, s: number): void {
    const { costOf, work: { slot, share } } = this.parts;
    const fn = share.instead(s);
    this.wantNothing(w);
    share.setFn(s, fn);
    share.setCost(s, costOf(fn));
    share.putLock(s, NONE, NONE, NONE);
    slot.remaining[w] = share.cost(s);
    slot.section[w] = 1;
    slot.instead[w] = 1;
    this.parts.work.set(w, SPECIAL, 1);
  }

  private wantNothing(w: number): void {
    const { locks, work: { slot } } = this.parts;
    slot.spinning[w] = Wait.no;
    if (slot.wants[w] === NONE) return;
    locks.leave(slot.wants[w]!);
    slot.wants[w] = NONE;
  }

  /** The time of spinning until now counts as that, for the lock that it was for. */
  stopSpinning(w: number): void {
    const { kernel, work: { slot } } = this.parts;
    if (slot.spinning[w] !== Wait.spinning) return;
    const time = kernel.now - slot.end[w]!;
    if (slot.held[w] === NONE) {
      slot.spun[w]! += time;
      slot.spunFor[w] = slot.wants[w]!;
    } else {
      slot.spunSecond[w]! += time;
      slot.spunForSecond[w] = slot.wants[w]!;
    }
    slot.spinning[w] = Wait.paused;
    if (this.word(w, EVENT) === NONE) return;
    kernel.cancel(this.word(w, EVENT));
    this.parts.work.set(w, EVENT, NONE);
  }

  /** Time that the present section has spun until `now` and is not in the trace yet. */
  spun(w: number, now: number): number {
    const { slot } = this.parts.work;
    return slot.spun[w]! + slot.spunSecond[w]! + (slot.spinning[w] === Wait.spinning ? now - slot.end[w]! : 0);
  }

  /** Rows of the spinning before the present section. @returns its time */
  markSpinning(w: number, context: number): number {
    const { work: { slot, share } } = this.parts;
    const { spun, spunSecond } = slot;
    const time = spun[w]! + spunSecond[w]!;
    if (time === 0) return 0;
    const component = share.component(w * SHARES + this.word(w, DONE));
    if (spun[w]! > 0) this.markSpin(w, component, context, slot.begin[w]!, spun[w]!, slot.spunFor[w]!);
    if (spunSecond[w]! > 0) this.markSpin(w, component, context, slot.begin[w]! + spun[w]!, spunSecond[w]!, slot.spunForSecond[w]!);
    spun[w] = spunSecond[w] = 0;
    return time;
  }

  private markSpin(w: number, component: number, context: number, begin: number, time: number, lock: number): void {
    const { kernel, locks } = this.parts;
    kernel.mark(locks.spinFn(lock), component, context, begin, time, NONE, lock, 0, this.word(w, VCPU), this.word(w, ENABLER));
    this.parts.work.set(w, ENABLER, NONE);
  }

  /** The present section is over: its rows, and the locks that the next one does not need. @returns as `WorkSlots.finish` */
  finish(w: number, context: number): number {
    const { kernel, work, work: { slot, share } } = this.parts;
    const spun = this.markSpinning(w, context);
    const first = w * SHARES + this.word(w, DONE);
    const spent = spun + kernel.markShares(share, first, first + slot.section[w]!, context, slot.begin[w]! + spun, this.word(w, VCPU), this.word(w, ENABLER));
    work.set(w, ENABLER, NONE);
    work.set(w, DONE, work.get(w, DONE) + slot.section[w]!);
    slot.started[w] = 0;
    work.set(w, CAUSE, kernel.cause);
    slot.begin[w] = kernel.now;
    if (this.word(w, DONE) >= this.word(w, COUNT)) return spent;
    const next = w * SHARES + this.word(w, DONE);
    this.keep(w, share.lock(next), share.second(next));
    return -1 - spent;
  }

  /** The work is over, and so is its effect: the slot is as it was before the locks. @param goesOn the thread's next job is under the same lock, and the thread keeps it */
  leave(w: number, goesOn: boolean): void {
    const { locks, work, work: { slot: { held } } } = this.parts;
    work.set(w, LOCKED, 0);
    work.set(w, DONE, 0);
    if (goesOn && held[w] !== NONE) {
      this.keep(w, held[w]!, NONE);
      locks.keepFor(held[w]!, this.word(w, THREAD));
      held[w] = NONE;
    } else {
      this.keep(w, NONE, NONE);
    }
  }

  /** The work is given up: it waits for nothing, and holds nothing. */
  drop(w: number): void {
    this.wantNothing(w);
    this.parts.work.set(w, THREAD, NONE);
    this.keep(w, NONE, NONE);
  }

  /** Lets go what it holds but for these. */
  private keep(w: number, lock: number, second: number): void {
    const { held, second: inner } = this.parts.work.slot;
    const had = held[w]!;
    const hadInner = inner[w]!;
    if (hadInner !== NONE && hadInner !== second) {
      inner[w] = NONE;
      this.letGo(hadInner, this.word(w, THREAD));
    }
    if (had !== NONE && had !== lock) {
      held[w] = NONE;
      this.letGo(had, this.word(w, THREAD));
    }
  }

  /** @param thread that has it; −1: an interrupt, or a thread that is gone */
  private letGo(lock: number, thread: number): void {
    const { locks } = this.parts;
    if (thread === NONE || !locks.hasJob(lock)) return this.unlock(lock);
    locks.keepFor(lock, thread);
    if (!locks.post(lock)) return;
    const [component, op, a] = locks.jobOf(lock);
    this.parts.call(thread, component, op, a);
  }

  /** The thread that kept the lock has done what was left to it. */
  finishJob(lock: number): void {
    const { locks } = this.parts;
    locks.clearJob(lock);
    if (locks.keptFor(lock) !== NONE) this.unlock(lock);
  }

  /** Of those that spin for it on a vCPU, the first that began gets it, or the first that looks; those that sleep are woken, all or the first. */
  private unlock(lock: number): void {
    const { locks, wake, work: { slot } } = this.parts;
    if (!locks.release(lock) || locks.waiting(lock) === 0) return;
    const { waiting } = locks.classOf(lock);
    const spinner = this.first(lock, Wait.spinning);
    if (spinner !== NONE && locks.classOf(lock).backsOff === true) this.letLook(lock);
    else if (spinner !== NONE) this.parts.work.proceed(spinner);
    if (waiting === "queue" && spinner !== NONE) return;
    for (let w = this.first(lock, Wait.asleep); w !== NONE; w = this.first(lock, Wait.asleep)) {
      slot.spinning[w] = Wait.paused;
      if (waiting === "queue") this.give(w, lock);
      wake(this.word(w, THREAD));
      if (waiting !== "adapt") return;
    }
  }

  /**
   * It is free, and who spins for it knows when a pause is over: 4 `pause` instructions after the first look, then 8, and so on until 128
   * (SPINLOCK_BACKOFF, `sys/sys/lock.h`; `mutex_vector_enter`, `sys/kern/kern_mutex.c`). Whoever comes before has it.
   */
  private letLook(lock: number): void {
    const { kernel, locks, costOf, work: { slot } } = this.parts;
    const pause = costOf(locks.spinFn(lock));
    for (let w = 0; w < slot.rows; w++) {
      if (slot.wants[w] !== lock || slot.spinning[w] !== Wait.spinning || this.word(w, EVENT) !== NONE) continue;
      let at = slot.waits[w]!;
      for (let count = FEWEST_PAUSES; at < kernel.now || at <= slot.end[w]!; at += count * pause, count = Math.min(2 * count, MOST_PAUSES));
      this.parts.work.set(w, EVENT, kernel.schedule(at - kernel.now, Priority.cpu, this.parts.component, this.parts.op, w));
    }
  }

  /** Of those that wait for it in a way, the one that has for longest, or −1. */
  private first(lock: number, how: number): number {
    const { work: { slot } } = this.parts;
    let found: number = NONE;
    for (let w = 0; w < slot.rows; w++) {
      if (slot.wants[w] === lock && slot.spinning[w] === how && (found === NONE || slot.end[w]! < slot.end[found]!)) found = w;
    }
    return found;
  }

  /** Who sleeps has it from now on, and finds it so when it runs. */
  private give(w: number, lock: number): void {
    const { locks, work: { slot, share } } = this.parts;
    locks.acquire(lock, this.word(w, VCPU), w, this.word(w, THREAD));
    if (share.lock(w * SHARES + this.word(w, DONE)) === lock) slot.held[w] = lock;
    else slot.second[w] = lock;
    this.wantNothing(w);
  }

  /** Whether the work's vCPU is not to be taken for another thread now. */
  keepsVcpu(w: number): boolean {
    const { locks, work: { slot } } = this.parts;
    return this.stays(slot.held[w]!) || this.stays(slot.second[w]!) || (slot.wants[w] !== NONE && locks.classOf(slot.wants[w]!).spinnerStays);
  }

  private stays(lock: number): boolean {
    return lock !== NONE && this.parts.locks.classOf(lock).holderStays;
  }
}
