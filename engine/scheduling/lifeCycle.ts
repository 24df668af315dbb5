import { NONE } from "../trace/trace";
import { CpuOp, HUNG_PIECE, type CpuParts } from "./cpuParts";
import type { Dispatcher } from "./dispatcher";
import { ThreadState } from "./threads";
import { VcpuState } from "./vcpus";
import { COUNT, SHARES, THREAD, VCPU } from "./workSlot";

/** What becomes of the CPUs when a domain stops, boots or freezes, and when a component hangs. */
export class LifeCycle {
  /** By component: the next work that is its own, or goes through a function of it, does not end. `count`: how many. */
  private readonly hung;
  private readonly hangs;
  private readonly fn;
  dispatcher!: Dispatcher;

  constructor(private readonly cpus: CpuParts) {
    const { store } = cpus.kernel;
    this.hung = store.table("hung components", { hung: "u8" });
    this.hangs = store.table("hangs", { count: "i32" }, 1);
    this.hangs.alloc();
    this.fn = cpus.kernel.functions({ "no progress": { kind: "thread" } });
  }

  /** See {@link Cpus.stop}. */
  stop(domain: number): void {
    const { kernel, vcpus, lines, threads, locks } = this.cpus;
    if (vcpus.domains[domain]!.kernel !== domain) return this.stopProcess(domain);
    // Its processes' threads run on its vCPUs.
    for (const process of vcpus.processesOf(domain)) this.stopProcess(process);
    const { vcpu: c } = vcpus;
    const { vcpus: own, threads: all, vcpuHost, policy } = vcpus.domains[domain]!;
    locks.clear(domain);
    for (const v of own) {
      if (c.state[v] === VcpuState.running) c.ran[v]! += kernel.now - c.since[v]!;
      if (c.idle[v] === 1) this.dispatcher.idling.end(v);
      if (c.state[v] === VcpuState.runnable || c.state[v] === VcpuState.running) vcpuHost.takeDown(v);
      if (c.work[v] !== NONE) this.giveUp(c.work[v]!);
      c.state[v] = VcpuState.off;
      c.idle[v] = c.frozen[v] = c.kicked[v] = c.resched[v] = c.halting[v] = c.ticking[v] = c.owed[v] = c.cold[v] = 0;
      c.thread[v] = c.work[v] = c.lineHead[v] = c.lineTail[v] = c.idlePoll[v] = c.pcpu[v] = NONE;
    }
    for (const t of all) if (threads.thread.work[t] !== NONE) this.giveUp(threads.thread.work[t]!);
    locks.clear(domain);
    lines.clear(domain);
    this.cancelInterrupts(domain);
    policy.clear();
    threads.kill(all);
  }

  /** Nothing that was on its way to a vCPU of the domain arrives, and none of their timers rings. */
  private cancelInterrupts(domain: number): void {
    const { kernel, vcpus, lines, id } = this.cpus;
    kernel.queue.cancelWhere((component, op, a) => {
      if (component !== id || op === CpuOp.workEnd) return false;
      return vcpus.domainOf[op === CpuOp.deliver ? lines.line.vcpu[a]! : a] === domain;
    });
  }

  /** See {@link Cpus.hold}. */
  hold(domain: number): void {
    const { vcpus } = this.cpus;
    for (const v of vcpus.domains[domain]!.vcpus) {
      if (vcpus.vcpu.state[v] === VcpuState.off) continue;
      this.dispatcher.idling.cancelPoll(v);
      vcpus.vcpu.state[v] = VcpuState.held;
    }
    this.cancelInterrupts(domain);
  }

  /** A process ends: its threads are gone, from the run queues as well, and who waits for an answer of theirs gets none. */
  private stopProcess(process: number): void {
    const { vcpus, threads, crossings, ipc } = this.cpus;
    const { vcpu: c } = vcpus;
    const { vcpus: own, threads: all, policy } = vcpus.domains[process]!;
    const { state, work: unfinished } = threads.thread;
    const left = own.filter((v) => all.includes(c.thread[v]!));
    for (const t of all) {
      if (state[t] === ThreadState.ready) policy.drop(t);
      if (unfinished[t] !== NONE) this.giveUp(unfinished[t]!);
    }
    this.cpus.locks.abandon(all);
    threads.kill(all);
    crossings.forget(all);
    for (const caller of ipc.abandon(all)) {
      state[caller] = ThreadState.idle;
      if (threads.hasJob(caller)) this.dispatcher.waking.makeReady(caller);
    }
    for (const v of left) {
      c.thread[v] = NONE;
      if (c.state[v] === VcpuState.running && c.work[v] === NONE) this.dispatcher.next(v);
    }
  }

  /** See {@link Cpus.boot}. */
  boot(domain: number): void {
    const { kernel, vcpus, threads } = this.cpus;
    const { path, kernel: above, vcpus: own, threads: all, vcpuHost } = vcpus.domains[domain]!;
    threads.revive(all);
    if (above !== domain) return;
    // A process that the design does not name comes and goes with its kernel; the others are started by themselves.
    for (const process of vcpus.processesOf(domain)) if (vcpus.domains[process]!.path === path) threads.revive(vcpus.domains[process]!.threads);
    for (const v of own) {
      vcpus.vcpu.lastRow[v] = kernel.cause;
      vcpuHost.wake(v, NONE);
    }
  }

  /** See {@link Cpus.freeze}. */
  freeze(domain: number): void {
    const { vcpus, work } = this.cpus;
    const { vcpu: c } = vcpus;
    const { vcpus: own, vcpuHost, kernel } = vcpus.domains[domain]!;
    if (kernel !== domain) return this.cpus.crossings.componentsOf(domain).forEach((component) => this.hang(component, true));
    for (const v of own) {
      if (c.state[v] === VcpuState.off || c.frozen[v] === 1) continue;
      c.frozen[v] = 1;
      if (c.idle[v] === 1) this.dispatcher.idling.end(v);
      this.dispatcher.idling.cancelPoll(v);
      this.dispatcher.pauseThread(v);
      if (c.work[v] !== NONE) this.giveUp(c.work[v]!);
      this.burn(v);
      if (c.state[v] === VcpuState.running) work.proceed(c.work[v]!);
      else if (c.state[v] === VcpuState.blocked) vcpuHost.wake(v, NONE);
    }
  }

  /** See {@link Cpus.hang}. */
  hang(component: number, on: boolean): void {
    while (this.hung.rows <= component) this.hung.alloc();
    this.hangs.count[0]! += Number(on) - this.hung.hung[component]!;
    this.hung.hung[component] = on ? 1 : 0;
  }

  isHung(component: number): boolean {
    return this.anythingHangs && this.hung.hung[component] === 1;
  }

  /** Whether any component of the machine does: asked before each piece of work. */
  get anythingHangs(): boolean {
    return this.hangs.count[0]! > 0;
  }

  /**
   * Whether work that comes to a function of a component, or is its own, will not end. An interrupt of a process' device is its kernel's own work, which tells the process of it:
   * a driver that hangs in user mode does not take the kernel along (MINIX' `generic_handler`, minix/kernel/system/do_irqctl.c; Linux' `uio_interrupt`,
   * drivers/uio/uio.c).
   * @param thread that it is on; −1: an interrupt's
   */
  holdsUp(component: number, thread: number): boolean {
    if (!this.isHung(component)) return false;
    const { crossings } = this.cpus;
    const space = crossings.spaceOf(component);
    return thread !== NONE || space === NONE || crossings.kernelOf(space) === space;
  }

  /** Work is gone, unfinished: no row says what it took, but its CPU was busy. */
  private giveUp(w: number): void {
    const { vcpus, threads, work } = this.cpus;
    const spent = work.ranSince(w);
    const thread = work.get(w, THREAD);
    vcpus.vcpu.busy[work.get(w, VCPU)]! += spent;
    if (thread !== NONE) threads.thread.busy[thread]! += spent;
    work.drop(w);
  }

  /** The next piece of a frozen vCPU's time, as an interrupt that does not end. */
  private burn(v: number): void {
    const { vcpus, work, kernel } = this.cpus;
    const { component } = vcpus.entry(v);
    const w = work.begin(v, NONE, component, 0, 0, 0, kernel.cause, NONE);
    vcpus.vcpu.work[v] = w;
    work.spend(w, component, this.fn["no progress"], HUNG_PIECE, NONE, 0, 0);
    work.hang(w);
  }

  /**
   * Whoever's work it is that begins: it gets as far as the first function of a hung component, and has the locks there that this is under. Of such a
   * component's own work that only goes through functions of others, the effect does not come.
   * @param owner whose work it is
   */
  holdUp(w: number, owner: number): void {
    const { work } = this.cpus;
    const thread = work.get(w, THREAD);
    const count = work.get(w, COUNT);
    for (let n = 0; n < count; n++) {
      const component = work.share.component(w * SHARES + n);
      if (this.holdsUp(component, thread)) return this.hangAt(w, n, component);
    }
    if (this.holdsUp(owner, thread)) this.hangAt(w, count, owner);
  }

  /** The work's functions from the one with this number on are one that does not end. */
  private hangAt(w: number, n: number, component: number): void {
    const { work } = this.cpus;
    const { share } = work;
    // There is room for so many.
    const at = Math.min(n, SHARES - 1);
    const s = w * SHARES + at;
    const lock = at < work.get(w, COUNT) ? share.lock(s) : NONE;
    const second = share.second(s);
    const instead = share.instead(s);
    work.shorten(w, at);
    work.spend(w, component, this.fn["no progress"], HUNG_PIECE, NONE, 0, 0);
    if (lock !== NONE) work.lockLast(w, lock, second, instead);
    work.hang(w);
  }

  /** A piece of work that does not end is over: the next one, under the same locks. */
  goOn(w: number): void {
    this.cpus.work.repeatLast(w, HUNG_PIECE);
    this.cpus.work.proceed(w);
  }
}
