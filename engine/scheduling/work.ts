import type { Kernel } from "../kernel/kernel";
import type { CostProfile } from "../profiles/profile";
import { Priority } from "../kernel/queue";
import { Shares } from "../kernel/shares";
import { NONE } from "../trace/trace";
import type { Locks } from "./locks";
import { Sections, Wait, type SectionParts } from "./sections";
import { CAUSE, COUNT, DONE, ENABLER, EVENT, FIRST_ARGUMENT, LOCKED, NEXT, OP, OWNER, SECOND_ARGUMENT, SHARES, SPECIAL, THREAD, VCPU, slotColumns } from "./workSlot";

/** A slot's words are at `w << WORK_BITS`. */
const WORK_BITS = 4;

/**
 * Pieces of work in progress, by slot: what they are, the functions that they go through with the time of each, and how
 * much is left. A piece that loses its vCPU is paused and pays the rest later, on the same vCPU or on another.
 *
 * A piece with functions under locks goes section by section: see {@link Sections}.
 */
export class WorkSlots {
  /** What few pieces of work have, and times in picoseconds. */
  readonly slot;
  /** Of each slot: the words below, which all work has, side by side. */
  private readonly words;
  readonly share: Shares;
  private readonly free;
  private readonly continued: number;
  readonly sections: Sections;
  /** What follows from letting go of a lock, for threads: wiring. */
  threads!: Pick<SectionParts, "wake" | "call">;

  /** @param component whose event `op` tells that the work, or its present section, in slot `a` is done */
  constructor(private readonly kernel: Kernel, locks: Locks, costs: CostProfile, private readonly component: number, private readonly op: number) {
    this.slot = kernel.store.table("work", slotColumns);
    this.words = kernel.store.table("work, in words", { word: "i32" });
    this.share = new Shares(kernel.store, "work shares");
    this.continued = kernel.functions({ "goes on after preemption": { kind: "thread", a: "function" } })["goes on after preemption"];
    this.free = kernel.store.table("free work slots", { head: "i32" }, 1);
    this.free.alloc();
    this.free.head[0] = NONE;
    this.sections = new Sections({
      kernel, locks, work: this, component, op, costOf: (fn) => costs.of(fn, 0),
      wake: (thread) => this.threads.wake(thread), call: (thread, owner, jobOp, a) => this.threads.call(thread, owner, jobOp, a),
    });
  }

  /** One of the words above. */
  get(w: number, word: number): number { return this.words.word[(w << WORK_BITS) | word]!; }
  set(w: number, word: number, value: number): void { this.words.word[(w << WORK_BITS) | word] = value | 0; }

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
    this.set(w, ENABLER, enabler);
    this.set(w, COUNT, 0);
    this.slot.remaining[w] = 0;
    this.slot.begin[w] = this.kernel.now;
    if (this.get(w, SPECIAL) !== 0) this.makePlain(w);
    return w;
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

  /** The work does not end: its last function goes on and on. */
  hang(w: number): void {
    this.slot.hung[w] = 1;
    this.slot.spin[w] = 0;
    this.set(w, SPECIAL, 1);
  }

  /** All functions are done: the last one anew, with the locks that it has. */
  repeatLast(w: number, time: number): void {
    const { slot, share } = this;
    const last = this.get(w, COUNT) - 1;
    this.set(w, DONE, last);
    this.set(w, ENABLER, NONE);
    share.setCost(w * SHARES + last, time);
    slot.remaining[w] = time;
    slot.begin[w] = this.kernel.now;
  }

  /**
   * Clears what most work leaves as it is: clearing all of it before each piece took as long as filling the slot. `special` says where there is something;
   * what is there because of locks goes with them, where the work ends as it should.
   */
  private makePlain(w: number): void {
    const { slot } = this;
    slot.spin[w] = slot.cut[w] = slot.noted[w] = slot.hung[w] = slot.started[w] = slot.spinning[w] = slot.spun[w] = slot.spunSecond[w] = slot.instead[w] = slot.led[w] = 0;
    this.set(w, DONE, 0);
    this.set(w, LOCKED, 0);
    this.set(w, SPECIAL, 0);
    slot.held[w] = slot.second[w] = slot.wants[w] = slot.goesOn[w] = NONE;
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
    slot.held[added] = slot.second[added] = slot.wants[added] = slot.goesOn[added] = NONE;
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

  /** @throws Error for more functions than a slot has room for */
  spend(w: number, component: number, fn: number, cost: number, packet: number, a: number, b: number): void {
    const n = this.get(w, COUNT);
    this.set(w, COUNT, n + 1);
    if (n >= SHARES) throw new Error("a piece of work names too many functions");
    this.share.put(w * SHARES + n, fn, component, cost, packet, a, b);
    this.slot.remaining[w]! += cost;
  }

  /** The last function is under a lock, or two. @param instead function of a soft interrupt that finds it owned; −1: it waits */
  lockLast(w: number, lock: number, second: number, instead: number): void {
    this.share.putLock(w * SHARES + this.get(w, COUNT) - 1, lock, second, instead);
    this.set(w, LOCKED, 1);
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

  /** The work has its vCPU from now on. @returns false: it sleeps until it gets a lock, and needs none */
  proceed(w: number): boolean {
    const { slot } = this;
    if (this.get(w, LOCKED) === 1 && !this.sections.enter(w)) return slot.spinning[w] !== Wait.asleep;
    const remaining = slot.remaining[w]!;
    slot.end[w] = this.kernel.now + remaining;
    this.set(w, EVENT, this.kernel.schedule(remaining, Priority.cpu, this.component, this.op, w));
    return true;
  }

  /** The work loses its vCPU. @returns whether it had it */
  pause(w: number): boolean {
    const { slot, kernel } = this;
    if (slot.spinning[w] === Wait.spinning) {
      this.sections.stopSpinning(w);
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
    if (this.get(w, LOCKED) === 1) this.sections.drop(w);
    this.set(w, SPECIAL, 1);
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
    const left = this.get(w, EVENT) === NONE || slot.spinning[w] === Wait.spinning ? slot.remaining[w]! : slot.end[w]! - now;
    return this.total(w) - left + (this.get(w, LOCKED) === 1 ? this.sections.spun(w, now) : 0);
  }

  /** Of the present section where there are locks, else of all. */
  private total(w: number): number {
    const { slot, share } = this;
    const first = w * SHARES + this.get(w, DONE);
    if (this.get(w, LOCKED) === 1) return slot.started[w] === 1 ? this.sections.cost(w) : slot.remaining[w]!;
    let sum = 0;
    for (let s = first, end = w * SHARES + this.get(w, COUNT); s < end; s++) sum += share.cost(s);
    return sum;
  }

  /** The event of work that spins: it is about to look whether the lock is free, and its pauses until now are a row. @returns their time, picoseconds */
  look(w: number, context: number): number {
    const { sections, kernel } = this;
    this.set(w, EVENT, NONE);
    kernel.cause = this.get(w, CAUSE);
    sections.stopSpinning(w);
    const spent = sections.markSpinning(w, context);
    this.set(w, CAUSE, kernel.cause);
    this.slot.begin[w] = kernel.now;
    return spent;
  }

  /**
   * The event of the slot: writes the rows of what is done, on `context`.
   * @returns the time spent, picoseconds; −1 less that time where the work goes on with its next section
   */
  finish(w: number, context: number): number {
    const { slot, share, kernel } = this;
    this.set(w, EVENT, NONE);
    kernel.cause = this.get(w, CAUSE);
    if (this.get(w, LOCKED) === 1) return this.sections.finish(w, context);
    const base = w * SHARES;
    return kernel.markShares(share, base + this.get(w, DONE), base + this.get(w, COUNT), context, slot.begin[w]!, this.get(w, VCPU), this.get(w, ENABLER));
  }

  /**
   * The work is taken off its vCPU for a thread: writes the rows of what it did there, since it may go on elsewhere.
   * It must be paused. @returns the time spent, picoseconds
   */
  split(w: number, context: number): number {
    const { slot, share, kernel } = this;
    this.set(w, SPECIAL, 1);
    if (this.get(w, DONE) > 0) this.compact(w);
    let done = this.total(w) - slot.remaining[w]!;
    let spent = 0;
    if (this.get(w, LOCKED) === 1) {
      spent = this.sections.markSpinning(w, context);
      slot.started[w] = 0;
    }
    for (let s = w * SHARES + this.get(w, DONE); done > 0; s++) {
      const part = Math.min(done, share.cost(s));
      kernel.mark(share.fn(s), share.component(s), context, slot.begin[w]! + spent, part, share.packet(s), share.a(s), share.b(s), this.get(w, VCPU), this.get(w, ENABLER));
      this.set(w, ENABLER, NONE);
      if (part === share.cost(s) && this.get(w, DONE) < this.get(w, COUNT) - 1) this.set(w, DONE, this.get(w, DONE) + 1);
      else {
        share.setCost(s, share.cost(s) - part);
        this.goesOn(s);
      }
      done -= part;
      spent += part;
    }
    return spent;
  }

  /** Of the function that it goes through now, or next. */
  componentOf(w: number): number {
    return this.share.component(w * SHARES + this.get(w, DONE));
  }

  /** Whether the work's vCPU is not to be taken for another thread now, because of a lock. */
  keepsVcpu(w: number): boolean {
    return this.get(w, LOCKED) === 1 && this.sections.keepsVcpu(w);
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
