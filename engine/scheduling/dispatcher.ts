import { NONE } from "../trace/trace";
import { CpuOp, type CpuParts } from "./cpuParts";
import { Idling } from "./idling";
import type { LifeCycle } from "./lifeCycle";
import { Moves } from "./moves";
import { Wait } from "./sections";
import { Ready, WHICHEVER } from "./threadPolicy";
import { Ticks } from "./ticks";
import { JOB_A, JOB_B, JOB_CAUSE, JOB_ENABLER, JOB_OP, JOB_OWNER, JOB_PCPU, ThreadState } from "./threads";
import { Resched, VcpuState } from "./vcpus";
import type { Waking } from "./waking";
import { CAUSE, COUNT, FIRST_ARGUMENT, LOCKED, OP, OWNER, SECOND_ARGUMENT, SPECIAL, THREAD, VCPU } from "./workSlot";

/**
 * What a vCPU that has a pCPU does: interrupts first, then the thread that it runs, then the thread that the domain's policy
 * picks, and else it idles. The mechanism is here, the choice is the policy's.
 */
export class Dispatcher {
  /** In `end`: the thread lets others go first. Never outlives a dispatch. */
  yielding = false;
  private entering = false;
  waking!: Waking;
  private readonly fn;
  readonly idling: Idling;
  readonly moves: Moves;
  readonly ticks: Ticks;

  constructor(private readonly cpus: CpuParts, private readonly lifeCycle: LifeCycle) {
    this.idling = new Idling(cpus);
    const fn = cpus.kernel.functions({
      "VM exit: external interrupt": { file: "xen/arch/x86/hvm/vmx/vmx.c", kind: "hypervisor", tally: "VM exit" },
      "VM exit: EOI": { file: "xen/arch/x86/hvm/vlapic.c", kind: "hypervisor", tally: "VM exit" },
      "VM exit: HLT": { file: "xen/arch/x86/hvm/hvm.c", kind: "hypervisor", tally: "VM exit" },
      "VM exit: ICR write": { file: "xen/arch/x86/hvm/vlapic.c", kind: "hypervisor", tally: "VM exit" },
      "VM exit: timer": { file: "xen/arch/x86/hvm/vlapic.c", kind: "hypervisor", tally: "VM exit" },
      "cold cache": { kind: "thread", a: "bytes" },
      "cache-line transfer": { kind: "thread", a: "lines", b: "from pCPU" },
    });
    this.fn = fn;
    this.moves = new Moves(cpus, fn);
    this.ticks = new Ticks(cpus, fn["VM exit: timer"]);
  }

  // --- Events -------------------------------------------------------------------------------------------------------

  /** The work in a slot is done, or its present section, or a pause of spinning for a lock. */
  workEnded(w: number): void {
    const { vcpus, threads, work, kernel, charges } = this.cpus;
    const { vcpu: c } = vcpus;
    const { slot } = work;
    const v = work.get(w, VCPU);
    const thread = work.get(w, THREAD);
    const context = thread === NONE ? vcpus.contextOf[v]! : this.cpus.contextOfThread[thread]!;
    if (slot.spinning[w] === Wait.spinning) {
      this.account(v, thread, work.look(w, context));
      c.lastRow[v] = kernel.cause;
      return this.proceed(v, w);
    }
    // What it lets go of wakes others in its name.
    charges.current = w;
    const spent = work.finish(w, context);
    this.account(v, thread, spent < 0 ? -1 - spent : spent);
    c.lastRow[v] = kernel.cause;
    if (spent < 0) {
      charges.current = NONE;
      this.offer(v);
      return thread !== NONE && c.resched[v] === Resched.now ? this.next(v) : this.proceed(v, w);
    }
    if (slot.hung[w] === 1) {
      charges.current = NONE;
      this.lifeCycle.goOn(w);
      return;
    }
    if (thread === NONE) c.work[v] = NONE;
    else threads.thread.work[thread] = NONE;
    this.yielding = false;
    kernel.end(work.get(w, OWNER), work.get(w, OP), work.get(w, FIRST_ARGUMENT), work.get(w, SECOND_ARGUMENT));
    if (work.get(w, LOCKED) === 1) work.sections.leave(w, thread !== NONE && slot.goesOn[w] !== NONE && slot.goesOn[w] === threads.thread.head[thread]);
    charges.current = NONE;
    work.release(w);
    this.next(v);
  }

  /** Rows of what work that is half done did on its vCPU: they go back to what asked for it, not to what interrupts it. */
  split(w: number, v: number, thread: number): void {
    const { work, kernel } = this.cpus;
    const { cause } = kernel;
    kernel.cause = work.get(w, CAUSE);
    this.account(v, thread, work.split(w, this.cpus.contextOfThread[thread]!));
    work.set(w, CAUSE, kernel.cause);
    kernel.cause = cause;
  }

  pauseThread(v: number): void {
    const thread = this.cpus.vcpus.vcpu.thread[v]!;
    if (thread === NONE) return;
    const w = this.cpus.threads.thread.work[thread]!;
    if (w !== NONE) this.cpus.work.pause(w);
  }

  private account(v: number, thread: number, spent: number): void {
    this.cpus.vcpus.vcpu.busy[v]! += spent;
    if (thread === NONE) return;
    this.cpus.threads.thread.busy[thread]! += spent;
    this.cpus.vcpus.entry(v).policy.ran(v, thread, spent);
  }

  /** An idle vCPU looks for work. */
  idlePolled(v: number): void {
    const { vcpus, kernel } = this.cpus;
    const { vcpu: c } = vcpus;
    c.idlePoll[v] = NONE;
    const { policy, component } = vcpus.entry(v);
    const idle = c.idle[v] === 1;
    if (idle) this.idling.end(v);
    kernel.mark(policy.idleFn, component, vcpus.contextOf[v]!, kernel.now, 0, NONE, 1, 0, v);
    // An interrupt may have come in between.
    if (!idle) return;
    if (this.idling.isStuck(v)) this.idling.spinForLock(v);
    else this.next(v, true);
  }

  /** A line has reached a vCPU that runs. */
  interrupt(v: number): void {
    const { vcpu: c } = this.cpus.vcpus;
    if (c.work[v] !== NONE) return;
    if (c.idle[v] === 1 && this.idling.isStuck(v)) {
      if (c.stuckSince[v] === 0) {
        this.idling.end(v);
        this.idling.spinForLock(v);
      }
      return;
    }
    this.pauseThread(v);
    this.next(v);
  }

  // --- Choosing -----------------------------------------------------------------------------------------------------

  /** The vCPU has just been given its pCPU: it was not in guest mode, and an interrupt is injected on the way in. */
  enter(v: number): void {
    this.entering = true;
    this.next(v);
    this.entering = false;
  }

  /** @param looked a round of idling is over: what waits for whichever vCPU is this one's */
  next(v: number, looked = false): void {
    const { vcpus, threads, work, lines } = this.cpus;
    const { vcpu: c } = vcpus;
    if (c.idle[v] === 1) this.idling.end(v);
    if (c.lineHead[v] !== NONE) return this.startInterrupt(v, lines.take(v));
    const before = c.thread[v]!;
    if (before !== NONE) {
      const unfinished = threads.thread.work[before]!;
      if (c.resched[v] === 0 || (c.resched[v] === Resched.afterJob && unfinished !== NONE) || (unfinished === NONE ? this.cpus.locks.keepsOnVcpu(before) : work.keepsVcpu(unfinished))) {
        if (unfinished !== NONE) return this.proceed(v, unfinished);
        if (!this.yielding && threads.hasJob(before)) return this.startJob(v, before, NONE, false);
      }
      this.putBack(v, before, unfinished);
    }
    c.resched[v] = 0;
    this.yielding = false;
    const { policy, idle } = vcpus.entry(v);
    const chosen = policy.pick(v, idle === "spin" && !looked && policy.waitForWhichever() > 0 ? this.waking.told(v) : 0);
    if (chosen !== NONE) return this.run(v, before, chosen);
    const polled = policy.polls ? lines.poll(v) : NONE;
    if (polled !== NONE) return this.startInterrupt(v, polled);
    const later = policy.pickAfterPoll?.(v) ?? NONE;
    if (later !== NONE) return this.run(v, before, later);
    this.idle(v);
  }

  /** The vCPU's thread stops running there: blocked, or into a queue again. */
  private putBack(v: number, thread: number, unfinished: number): void {
    const { vcpus, threads, kernel } = this.cpus;
    vcpus.vcpu.thread[v] = NONE;
    if (unfinished === NONE && !threads.hasJob(thread)) {
      threads.thread.state[thread] = ThreadState.idle;
      return;
    }
    const preempted = vcpus.vcpu.resched[v] === Resched.now && !this.yielding;
    if (unfinished !== NONE) this.split(unfinished, v, thread);
    threads.thread.state[thread] = ThreadState.ready;
    const d = vcpus.entry(v);
    if (threads.watcher !== undefined) threads.watcher.changed(vcpus.domainOf[v]!);
    const target = d.policy.ready(thread, v, preempted ? Ready.preempted : Ready.yielded);
    if (preempted) {
      vcpus.counts.preemptions[vcpus.domainOf[v]!]!++;
      kernel.mark(d.fn.preempt, d.component, this.cpus.contextOfThread[thread]!, kernel.now, 0, NONE, thread, 0, v);
    }
    if (target !== v && target !== WHICHEVER) this.waking.wake(target, thread, NONE);
  }

  /** In `end`: another thread has the vCPU of the work that ends, and what is left of its slice; −1: whoever is next. */
  goOn(thread: number): void {
    const { vcpus, threads, work, charges, crossings } = this.cpus;
    const v = work.get(charges.current, VCPU);
    vcpus.vcpu.thread[v] = thread;
    if (thread === NONE) return;
    threads.thread.state[thread] = ThreadState.running;
    threads.thread.vcpu[thread] = v;
    crossings.load(v, thread, NONE);
    vcpus.counts.threadSwitches[vcpus.domainOf[v]!]!++;
  }

  private run(v: number, before: number, chosen: number): void {
    const { vcpus, threads, work } = this.cpus;
    const { vcpu: c } = vcpus;
    const { policy, kernel: domain } = vcpus.entry(v);
    c.thread[v] = chosen;
    threads.thread.state[chosen] = ThreadState.running;
    if (threads.watcher !== undefined) threads.watcher.changed(domain);
    let switching: number = NONE;
    if (chosen !== before) {
      vcpus.counts.threadSwitches[domain]!++;
      switching = policy.switchFn(v, before, chosen);
    }
    threads.thread.vcpu[chosen] = v;
    if (policy.tickPeriod > 0 && c.ticking[v] === 0) {
      c.tickCause[v] = this.cpus.kernel.cause;
      this.ticks.arm(v);
    }
    const unfinished = threads.thread.work[chosen]!;
    if (unfinished === NONE) return this.startJob(v, chosen, switching, chosen !== before);
    c.halting[v] = 0;
    work.goOn(unfinished, v, c.lastRow[v]!);
    this.moves.lead(unfinished, v, chosen, switching, chosen !== before);
    this.proceed(v, unfinished);
  }

  /** The work has the vCPU, unless it sleeps for a lock: then another thread has. */
  private proceed(v: number, w: number): void {
    if (!this.cpus.work.proceed(w)) this.sleep(v, w);
  }

  /** Rows of what the work did until now; its thread wakes when the lock may be had. */
  private sleep(v: number, w: number): void {
    const { vcpus: { vcpu: c }, threads, work, kernel, locks } = this.cpus;
    const thread = work.get(w, THREAD);
    const lock = work.slot.wants[w]!;
    const context = this.cpus.contextOfThread[thread]!;
    const { cause } = kernel;
    kernel.cause = work.get(w, CAUSE);
    this.account(v, thread, work.split(w, context));
    kernel.mark(locks.sleepFn(lock), work.componentOf(w), context, kernel.now, 0, NONE, lock, 0, v);
    c.lastRow[v] = kernel.cause;
    work.set(w, CAUSE, kernel.cause);
    kernel.cause = cause;
    threads.thread.state[thread] = ThreadState.asleep;
    c.thread[v] = NONE;
    this.next(v);
  }

  private startJob(v: number, thread: number, switching: number, switched: boolean): void {
    const { vcpus, threads, work, kernel } = this.cpus;
    const { vcpu: c } = vcpus;
    const j = threads.takeJob(thread);
    // Where it waited for an ACK and then for the vCPU, the ACK is named: what had the vCPU is the row before on it.
    const waited = threads.job(j, JOB_ENABLER);
    const enabler = waited === NONE && threads.posted(j) < kernel.now ? c.lastRow[v]! : waited;
    const w = work.begin(v, thread, threads.job(j, JOB_OWNER), threads.job(j, JOB_OP), threads.job(j, JOB_A), threads.job(j, JOB_B), threads.job(j, JOB_CAUSE), enabler);
    threads.thread.work[thread] = w;
    c.halting[v] = 0;
    const from = threads.job(j, JOB_PCPU);
    this.cpus.charges.open(w, v);
    this.moves.spend(w, v, thread, from, switching, switched);
    this.startWork(w, v, thread, NONE);
    this.offer(v);
  }

  /** The vCPU is busy now, or still, or gone; what any vCPU may run is for an idle one. */
  offer(v: number): void {
    const { policy, usable } = this.cpus.vcpus.entry(v);
    const waiting = policy.waitForWhichever();
    if (waiting > 0 && waiting > this.waking.told(v)) this.waking.wakeOneOf(usable, v);
  }

  private startInterrupt(v: number, l: number): void {
    const { vcpus, lines: { line }, work, charges } = this.cpus;
    const { vcpu: c } = vcpus;
    const w = work.begin(v, NONE, line.component[l]!, line.op[l]!, line.a[l]!, 0, line.cause[l]!, c.lastRow[v]!);
    c.work[v] = w;
    c.halting[v] = 0;
    charges.open(w, v);
    const exits = vcpus.entry(v).virtual && line.polled[l] === 0;
    if (exits && !this.entering) charges.overhead(this.fn["VM exit: external interrupt"]);
    this.startWork(w, v, NONE, exits && line.device[l] === 1 ? this.fn["VM exit: EOI"] : NONE);
  }

  /** @param thread −1: an interrupt @param last function that comes after those of the model; −1: none */
  private startWork(w: number, v: number, thread: number, last: number): void {
    const { kernel, work, charges, crossings } = this.cpus;
    const component = work.get(w, OWNER);
    charges.spending = component;
    crossings.begin(w, thread);
    const before = work.get(w, COUNT);
    kernel.begin(component, work.get(w, OP), work.get(w, FIRST_ARGUMENT), work.get(w, SECOND_ARGUMENT));
    const isCall = crossings.cut !== NONE;
    if (isCall) this.cpus.ipc.split(w);
    if (work.get(w, COUNT) === before) throw new Error(`${kernel.names.components[component]!.path}: work without a function`);
    if (last !== NONE) charges.overhead(last);
    if (isCall) this.closeCall(w);
    else charges.close();
    if (this.lifeCycle.anythingHangs) this.lifeCycle.holdUp(w, component);
    if (thread !== NONE && work.get(w, SPECIAL) !== 0) this.offerPolling(v, w);
    this.proceed(v, w);
  }

  /** A call to another process comes last. */
  private closeCall(w: number): void {
    const { work, charges } = this.cpus;
    const said = work.get(w, COUNT);
    charges.close();
    if (work.get(w, COUNT) > said) work.bringForward(w, 1);
  }

  /**
   * Work that polls on the only vCPU of its domain is cut by {@link offer} where others wait for that: before its end is scheduled, as it is scheduled once then,
   * and not first after all rounds. Of a network server with many applications, most events are such polls.
   */
  private offerPolling(v: number, w: number): void {
    const { vcpus, work } = this.cpus;
    const { usable } = vcpus.entry(v);
    if (work.slot.spin[w]! > 0 && usable.length === 1 && usable[0] === v && work.get(w, LOCKED) === 0) this.offer(v);
  }

  // --- Idling -------------------------------------------------------------------------------------------------------

  private idle(v: number): void {
    const { vcpus, kernel } = this.cpus;
    const { vcpu: c } = vcpus;
    const d = vcpus.entry(v);
    if (d.idle !== "halt" || d.policy.polls || this.idling.isStuck(v)) {
      c.halting[v] = 0;
      c.idle[v] = 1;
      c.idleSince[v] = kernel.now;
      return;
    }
    if (c.halting[v] === 0) return this.startHalt(v);
    c.halting[v] = 0;
    c.ran[v]! += kernel.now - c.since[v]!;
    c.state[v] = VcpuState.blocked;
    c.pcpu[v] = NONE;
    d.vcpuHost.block(v);
  }

  /** The halt instruction exits to the hypervisor; what comes meanwhile is found before the vCPU blocks. */
  private startHalt(v: number): void {
    const { vcpus, work, charges, id } = this.cpus;
    const w = work.begin(v, NONE, id, CpuOp.halt, v, 0, vcpus.vcpu.lastRow[v]!, NONE);
    vcpus.vcpu.work[v] = w;
    charges.open(w, v);
    this.startWork(w, v, NONE, NONE);
  }

  /** In `begin`: halting. */
  spendHalt(v: number): void {
    const { charges, vcpus } = this.cpus;
    if (vcpus.vcpu.owed[v]! > 0) this.moves.payIpis(v);
    charges.overhead(this.fn["VM exit: HLT"]);
  }
}
