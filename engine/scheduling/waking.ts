import { Priority } from "../kernel/queue";
import { NONE } from "../trace/trace";
import { CpuOp, type CpuParts } from "./cpuParts";
import type { Dispatcher } from "./dispatcher";
import { Ready, WHICHEVER } from "./threadPolicy";
import { Resched, VcpuState } from "./vcpus";
import { ThreadState } from "./threads";
import { VCPU } from "./workSlot";

/**
 * What becomes of a thread that is ready: it waits in a queue, and a vCPU has to learn of it. One that idles notices by itself, one
 * that spins in a poll at its round's end, one that is halted is kicked through the hypervisor, and one that runs something
 * that has to give way gets an interrupt from the vCPU that woke the thread.
 */
export class Waking {
  private readonly fn;

  constructor(private readonly cpus: CpuParts, private readonly dispatcher: Dispatcher) {
    this.fn = cpus.kernel.functions({
      vcpu_kick: { file: "xen/common/domain.c", kind: "hypervisor" },
      "reschedule interrupt": { name: "smp_reschedule_interrupt", file: "arch/x86/kernel/smp.c", kind: "interrupt" },
    });
  }

  /** A thread that was blocked has something to do. */
  makeReady(thread: number): void {
    const { vcpus, threads } = this.cpus;
    const domain = threads.thread.domain[thread]!;
    const { policy, usable, idle } = vcpus.domains[domain]!;
    const by = this.wakerIn(domain);
    threads.thread.state[thread] = ThreadState.ready;
    if (threads.watcher !== undefined) threads.watcher.changed(domain);
    const target = policy.ready(thread, by, Ready.woken);
    if (target !== WHICHEVER) this.wake(target, thread, by);
    // A vCPU that makes a thread ready for any looks there itself before it asks others to: see `Dispatcher.offer`. Those that spin need not be asked.
    else if (by === NONE) this.wakeOneOf(usable, by);
    else if (idle === "spin") this.tellIdle(usable);
  }

  /** The vCPU of the domain whose work makes something ready now, or −1. */
  private wakerIn(domain: number): number {
    const { charges, work, vcpus } = this.cpus;
    if (charges.current === NONE) return NONE;
    const v = work.get(charges.current, VCPU);
    return vcpus.domainOf[v] === domain ? v : NONE;
  }

  /** A vCPU that is to run the thread, which waits in its queue, learns of it. @param by the vCPU that tells it, or −1 */
  wake(v: number, thread: number, by: number): void {
    const { vcpus, threads, work } = this.cpus;
    const { vcpu: c } = vcpus;
    if (c.state[v] === VcpuState.blocked) return this.kick(v, by);
    if (c.state[v] !== VcpuState.running) return;
    if (c.idle[v] === 1) return this.nudge(v);
    const running = c.thread[v]!;
    if (running === NONE) return;
    const { policy } = vcpus.entry(v);
    if (policy.preempts(v, thread)) return this.preempt(v, by);
    const w = threads.thread.work[running]!;
    if (policy.tickPeriod === 0 && w !== NONE && c.work[v] === NONE && work.slot.spin[w]! > 0) work.cut(w);
  }

  /** What runs on the vCPU gives way: at once where it is the one that woke, else when an interrupt has told it. */
  private preempt(v: number, by: number): void {
    if (v === by) {
      this.cpus.vcpus.vcpu.resched[v] = Resched.now;
      return;
    }
    this.interrupt(v, by, this.fn["reschedule interrupt"]);
  }

  /** Any of these vCPUs may run what waits: tells the one that learns of it soonest. */
  wakeOneOf(candidates: readonly number[], by: number): void {
    const { vcpus, threads, work } = this.cpus;
    const { vcpu: c } = vcpus;
    if (this.tellIdle(candidates)) return;
    for (const v of candidates) {
      const running = c.thread[v]!;
      if (running === NONE || c.state[v] !== VcpuState.running) continue;
      const w = threads.thread.work[running]!;
      if (w !== NONE && work.slot.spin[w]! > 0) return work.cut(w);
    }
    for (const v of candidates) if (c.state[v] === VcpuState.blocked) return this.kick(v, by);
  }

  /** Of those that idle and that nothing has been found for yet, the one whose round is over first. @returns whether any idles */
  private tellIdle(candidates: readonly number[]): boolean {
    const { vcpu: c } = this.cpus.vcpus;
    let found = false;
    let first: number = NONE;
    for (const v of candidates) {
      if (c.idle[v] !== 1 || c.state[v] !== VcpuState.running) continue;
      found = true;
      if (c.idlePoll[v] === NONE && (first === NONE || this.untilLook(v) < this.untilLook(first))) first = v;
    }
    if (first !== NONE) this.nudge(first);
    return found;
  }

  /**
   * How many of the vCPU's domain are about to find something for whichever vCPU in a round of idling. They come before a vCPU that has made it ready: that has
   * the rest of its own way to go until it is in `schedule()` (`lib/libbmk_core/sched.c`).
   */
  told(v: number): number {
    const { vcpu: c, domains, domainOf } = this.cpus.vcpus;
    let count = 0;
    for (const other of domains[domainOf[v]!]!.usable) {
      if (other !== v && c.idlePoll[other] !== NONE && c.idle[other] === 1 && c.stuckSince[other] === 0 && c.state[other] === VcpuState.running) count++;
    }
    return count;
  }

  /** An idle vCPU looks when its round is over; a core that waits is woken by an interrupt. */
  nudge(v: number): void {
    const { vcpus, kernel, id } = this.cpus;
    if (vcpus.vcpu.idlePoll[v] === NONE) vcpus.vcpu.idlePoll[v] = kernel.schedule(this.untilLook(v), Priority.cpu, id, CpuOp.idlePoll, v);
  }

  /** Time until an idle vCPU looks, picoseconds. */
  private untilLook(v: number): number {
    const { vcpus, kernel, costs } = this.cpus;
    const { idle, policy } = vcpus.entry(v);
    if (idle === "wait" && !policy.polls) return costs.of(this.fn["reschedule interrupt"], 0);
    const round = costs.of(policy.idleFn, 0);
    return round === 0 ? 0 : round - ((kernel.now - vcpus.vcpu.idleSince[v]!) % round);
  }

  private kick(v: number, by: number): void {
    this.interrupt(v, by, this.fn.vcpu_kick);
  }

  /** Sends a vCPU an interrupt, which takes the time of `fn` to come, unless one is under way. */
  private interrupt(v: number, by: number, fn: number): void {
    const { vcpus, kernel, costs, id } = this.cpus;
    const { vcpu: c, counts } = vcpus;
    if (c.kicked[v] === 1) return;
    c.kicked[v] = 1;
    if (by !== NONE) {
      counts.ipis[vcpus.domainOf[v]!]!++;
      c.owed[by]!++;
    }
    kernel.schedule(costs.of(fn, 0), Priority.interrupt, id, CpuOp.kick, v, by === NONE ? NONE : c.pcpu[by]!);
  }

  /** The kick, or the interrupt, has arrived. @param from the pCPU of the vCPU that kicked; −1: none did, but a timer */
  kicked(v: number, from: number): void {
    const { vcpus, kernel } = this.cpus;
    const { vcpu: c } = vcpus;
    const d = vcpus.entry(v);
    const blocked = c.state[v] === VcpuState.blocked;
    c.kicked[v] = 0;
    kernel.mark(blocked ? this.fn.vcpu_kick : this.fn["reschedule interrupt"], blocked ? d.vcpuHost.id : d.component, vcpus.contextOf[v]!, kernel.now, 0);
    if (blocked) return d.vcpuHost.wake(v, from === NONE ? this.timerInterrupt(v) : from);
    if (d.policy.tickPeriod === 0 || c.frozen[v] === 1) return;
    c.resched[v] = Resched.now;
    if (c.state[v] !== VcpuState.running || c.work[v] !== NONE || c.idle[v] === 1) return;
    this.dispatcher.pauseThread(v);
    this.dispatcher.next(v);
  }

  /** A vCPU's timer is on the pCPU on which that ran last (`hvm_migrate_timers`, xen/arch/x86/hvm/hvm.c). @returns it; −1: it has run on none */
  private timerInterrupt(v: number): number {
    const { vcpus } = this.cpus;
    const at = vcpus.vcpu.lastPcpu[v]!;
    if (at !== NONE) vcpus.entry(v).vcpuHost.timerInterrupt(at);
    return at;
  }
}
