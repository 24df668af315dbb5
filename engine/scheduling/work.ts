import type { Kernel } from "../kernel/kernel";
import { Priority } from "../kernel/queue";
import { NONE } from "../trace/trace";

/** Functions that one piece of work can name. */
export const SHARES = 24;

/**
 * Pieces of work in progress, by slot: what they are, the functions that they go through with the time of each, and how
 * much is left. A piece that loses its vCPU is paused and pays the rest later.
 */
export class WorkSlots {
  readonly slot;
  readonly share;

  /** @param component whose event `op` tells that the work in slot `a` is done */
  constructor(private readonly kernel: Kernel, private readonly component: number, private readonly op: number) {
    this.slot = kernel.store.table("work", {
      active: "u8", component: "u16", op: "u16", a: "i32", b: "i32", cause: "i32", enabler: "i32",
      begin: "f64", end: "f64", remaining: "f64", event: "i32", shares: "u8", spin: "f64", cut: "u8", noted: "i32", thread: "i32", hung: "u8",
    });
    this.share = kernel.store.table("work shares", { fn: "u16", component: "u16", cost: "f64", packet: "i32", a: "i32", b: "i32" });
  }

  addSlot(): void {
    const row = this.slot.alloc();
    this.slot.event[row] = NONE;
    for (let i = 0; i < SHARES; i++) this.share.alloc();
  }

  /** Fills a slot; its functions follow by `spend`, then `proceed`. */
  begin(w: number, thread: number, component: number, op: number, a: number, b: number, cause: number, enabler: number): void {
    const { slot } = this;
    slot.active[w] = 1;
    slot.thread[w] = thread;
    slot.component[w] = component;
    slot.op[w] = op;
    slot.a[w] = a;
    slot.b[w] = b;
    slot.cause[w] = cause;
    slot.enabler[w] = enabler;
    slot.shares[w] = slot.spin[w] = slot.cut[w] = slot.noted[w] = slot.remaining[w] = slot.hung[w] = 0;
    slot.begin[w] = this.kernel.now;
  }

  /** @throws Error for more functions than a slot has room for */
  spend(w: number, component: number, fn: number, cost: number, packet: number, a: number, b: number): void {
    const n = this.slot.shares[w]!++;
    if (n >= SHARES) throw new Error("a piece of work names too many functions");
    const { share } = this;
    const s = w * SHARES + n;
    share.fn[s] = fn;
    share.component[s] = component;
    share.cost[s] = cost;
    share.packet[s] = packet;
    share.a[s] = a;
    share.b[s] = b;
    this.slot.remaining[w]! += cost;
  }

  /** Takes back all functions of work that has not started but the first `shares`. */
  shorten(w: number, shares: number): void {
    const { slot, share } = this;
    for (let s = w * SHARES + shares; s < w * SHARES + slot.shares[w]!; s++) slot.remaining[w]! -= share.cost[s]!;
    slot.shares[w] = shares;
  }

  isActive(w: number): boolean {
    return this.slot.active[w] === 1;
  }

  /** The work has its vCPU from now on. */
  proceed(w: number): void {
    const { slot } = this;
    const remaining = slot.remaining[w]!;
    slot.end[w] = this.kernel.now + remaining;
    slot.event[w] = this.kernel.schedule(remaining, Priority.cpu, this.component, this.op, w);
  }

  /** The work loses its vCPU. @returns whether it had it */
  pause(w: number): boolean {
    const { slot } = this;
    if (slot.active[w] === 0 || slot.event[w] === NONE) return false;
    slot.remaining[w] = slot.end[w]! - this.kernel.now;
    this.kernel.cancel(slot.event[w]!);
    slot.event[w] = NONE;
    return true;
  }

  /** The work is given up, unfinished. */
  drop(w: number): void {
    this.pause(w);
    this.slot.active[w] = 0;
  }

  /** Takes the rounds of polling that have not begun off work that spins, once; the first is always made. */
  cut(w: number): void {
    const { slot, share } = this;
    const round = slot.spin[w]!;
    if (slot.active[w] === 0 || round === 0 || slot.cut[w] === 1) return;
    slot.cut[w] = 1;
    const had = this.pause(w);
    const last = w * SHARES + slot.shares[w]! - 1;
    const saved = Math.min(Math.floor(Math.min(slot.remaining[w]!, share.cost[last]!) / round) * round, share.cost[last]! - round);
    slot.remaining[w]! -= saved;
    share.cost[last]! -= saved;
    share.a[last] = Math.round(share.cost[last]! / round);
    if (had) this.proceed(w);
  }

  /** Rounds of polling that work which spins has made, when it is done. */
  rounds(w: number): number {
    return this.share.a[w * SHARES + this.slot.shares[w]! - 1]!;
  }

  /** The work is done: writes its rows, on `context` and vCPU `v`. @returns the time spent, picoseconds */
  finish(w: number, context: number, v: number): number {
    const { slot, share, kernel } = this;
    slot.active[w] = 0;
    slot.event[w] = NONE;
    kernel.cause = slot.cause[w]!;
    let begin = slot.begin[w]!;
    let enabler = slot.enabler[w]!;
    let spent = 0;
    for (let s = w * SHARES, end = s + slot.shares[w]!; s < end; s++) {
      const cost = share.cost[s]!;
      kernel.mark(share.fn[s]!, share.component[s]!, context, begin, cost, share.packet[s]!, share.a[s]!, share.b[s]!, v, enabler);
      begin += cost;
      spent += cost;
      enabler = NONE;
    }
    return spent;
  }
}
