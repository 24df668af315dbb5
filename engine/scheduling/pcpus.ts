import type { Kernel } from "../kernel/kernel";
import { Priority } from "../kernel/queue";
import type { CostProfile } from "../profiles/profile";
import { NONE, NO_VCPU } from "../trace/trace";
import { HUNG_PIECE } from "./cpuParts";

/** What a pCPU is in: a guest, or nothing at all; the hypervisor, which has taken it from the vCPU that has it; a switch to that vCPU. */
export const Inside = { guest: 0, hypervisor: 1, aSwitch: 2 } as const;

/** The pCPUs of a host: who has each, and the rows and the time of what the hypervisor does there. */
export class Pcpus {
  /**
   * `vcpu` has it, or is switched to; `last` had it before; `since`: when it was switched to. `from`: since when the hypervisor does what it does.
   * `asked`, `ticks`, `accounts`, `ends`: it has to choose, a tick, the host's accounting and a slice's end to see to. `ticker`: the event of the next tick. `slice`: that of the slice's end; `granted`: how long the next one is.
   */
  readonly pcpu;
  private readonly contexts: number[] = [];

  /** @param component the hypervisor, to which events and rows belong */
  constructor(private readonly kernel: Kernel, private readonly costs: CostProfile, private readonly component: number, host: string, count: number) {
    this.pcpu = kernel.store.table(`pcpus of ${host}`, {
      vcpu: "i32", last: "i32", since: "f64", inside: "u8", from: "f64", asked: "u8", ticks: "u8", accounts: "u8", ends: "u8", ticker: "i32", slice: "i32", granted: "f64", switches: "f64", overhead: "f64",
    });
    for (let p = 0; p < count; p++) {
      this.pcpu.alloc();
      this.pcpu.vcpu[p] = this.pcpu.last[p] = this.pcpu.ticker[p] = this.pcpu.slice[p] = NONE;
      this.contexts.push(kernel.context("pcpu", `${host}/pcpu${p}`, host, undefined));
    }
  }

  /** Nobody has it, and the hypervisor does nothing there. */
  isIdle(p: number): boolean {
    return this.pcpu.vcpu[p] === NONE && this.pcpu.inside[p] === Inside.guest;
  }

  /** The hypervisor goes through a function on the pCPU, and comes to `op` then. */
  go(p: number, fn: number, op: number, b = 0): void {
    this.pcpu.from[p] = this.kernel.now;
    this.kernel.schedule(this.costs.of(fn, 0), Priority.scheduler, this.component, op, p, b);
  }

  /** The same of a function that takes longer the more it goes through. */
  goFor(p: number, time: number, op: number): void {
    this.pcpu.from[p] = this.kernel.now;
    this.kernel.schedule(time, Priority.scheduler, this.component, op, p);
  }

  /** It has gone through that: the row. */
  spent(p: number, fn: number, a = 0, b = 0): void {
    const { now } = this.kernel;
    const from = this.pcpu.from[p]!;
    this.pcpu.overhead[p]! += now - from;
    this.pcpu.from[p] = now;
    const vcpu = this.vcpuOn(p);
    this.kernel.mark(fn, this.component, this.contexts[p]!, from, now - from, NONE, a, b, vcpu);
    if (vcpu === NO_VCPU) this.kernel.countTime(fn, now - from);
  }

  /** A row of something that takes no time, or whose time is part of what it leads to. */
  mark(p: number, fn: number): void {
    this.kernel.mark(fn, this.component, this.contexts[p]!, this.kernel.now, 0, NONE, 0, 0, this.vcpuOn(p));
  }

  /** For the trace: the vCPU that has the pCPU, and is not switched to any more. */
  private vcpuOn(p: number): number {
    const vcpu = this.pcpu.vcpu[p]!;
    return vcpu === NONE || this.pcpu.inside[p] === Inside.aSwitch ? NO_VCPU : vcpu;
  }

  /** The slice that was granted begins, if it has an end. @param op event of that */
  armSlice(p: number, op: number): void {
    const { granted, slice } = this.pcpu;
    if (granted[p]! > 0) slice[p] = this.kernel.schedule(granted[p]!, Priority.scheduler, this.component, op, p);
    granted[p] = 0;
  }

  cancelSlice(p: number): void {
    const handle = this.pcpu.slice[p]!;
    if (handle !== NONE) this.kernel.cancel(handle);
    this.pcpu.slice[p] = NONE;
    this.pcpu.ends[p] = this.pcpu.granted[p] = 0;
  }

  /** It hangs in the hypervisor, which nothing that was to happen on it takes it out of. What it was at does not end. */
  hang(p: number, op: number): void {
    const { kernel, pcpu } = this;
    pcpu.ticks[p] = pcpu.accounts[p] = pcpu.ends[p] = pcpu.asked[p] = 0;
    pcpu.granted[p] = 0;
    pcpu.vcpu[p] = pcpu.ticker[p] = pcpu.slice[p] = NONE;
    pcpu.inside[p] = Inside.hypervisor;
    kernel.schedule(HUNG_PIECE, Priority.scheduler, this.component, op, p);
  }

  /** It is reset: what it has been at until now was the hypervisor's time, and it does nothing. */
  reset(p: number): void {
    const { pcpu } = this;
    pcpu.overhead[p] = this.overheadOf(p, this.kernel.now);
    pcpu.inside[p] = Inside.guest;
    pcpu.asked[p] = 0;
  }

  /** Its clock runs: the next tick comes at a whole number of periods (`csched_tick_resume`). The clock causes it, and not who made the pCPU busy, or the tick before. */
  startTicks(p: number, period: number, op: number): void {
    const { kernel, pcpu } = this;
    if (period === 0 || pcpu.ticker[p] !== NONE) return;
    const { cause } = kernel;
    kernel.cause = NONE;
    pcpu.ticker[p] = kernel.schedule(period - (kernel.now % period), Priority.scheduler, this.component, op, p);
    kernel.cause = cause;
  }

  /** It idles, without ticks (`csched_tick_suspend`, as `mwait_idle` asks for). */
  stopTicks(p: number): void {
    const { ticker } = this.pcpu;
    if (ticker[p] !== NONE) this.kernel.cancel(ticker[p]!);
    ticker[p] = NONE;
  }

  /** The pCPU that the vCPU has or is being given, or −1. */
  of(vcpu: number): number {
    for (let p = 0; p < this.pcpu.rows; p++) if (this.pcpu.vcpu[p] === vcpu) return p;
    return NONE;
  }

  /** Time until `now` that the hypervisor took of the pCPU: exits to its interrupts, ticks, choosing, and going from one vCPU to another; picoseconds. */
  overheadOf(p: number, now: number): number {
    return this.pcpu.overhead[p]! + (this.pcpu.inside[p] === Inside.guest ? 0 : now - this.pcpu.from[p]!);
  }
}
