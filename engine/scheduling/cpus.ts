import type { CostProfile } from "../profiles/profile";
import type { Kernel, Model } from "../kernel/kernel";
import { NONE } from "../trace/trace";
import { Charges } from "./charges";
import { CpuOp, type CpuParts } from "./cpuParts";
import { Crossings, type KernelSystem } from "./crossing";
import { CpuTimes } from "./cpuTimes";
import { Delivery } from "./delivery";
import { Dispatcher } from "./dispatcher";
import { addDomain, addProcess } from "./domains";
import { InterruptLines, type LineKind } from "./interruptLines";
import { Ipc } from "./ipc";
import { LifeCycle } from "./lifeCycle";
import type { LockClass } from "./lockClasses";
import { Locks } from "./locks";
import { rendezvous } from "./rendezvous";
import { Residence } from "./residence";
import { ANY, Threads, ThreadState, type ThreadLevel } from "./threads";
import { VcpuState, Vcpus, type DomainSetup, type VcpuHost } from "./vcpus";
import { Waking } from "./waking";
import { WorkSlots } from "./work";
import { SPECIAL, THREAD, VCPU } from "./workSlot";

export { HostState, VcpuState, type VcpuHost } from "./vcpus";

/**
 * The upper level of scheduling: threads on vCPUs, by the policy of each domain. A thread is a queue of jobs; a job is
 * (component, op, a, b). When a job begins, its component says what it costs; when the time has been spent, the effect
 * happens, atomically. The hypervisor may take the vCPU away in between, an interrupt may come, and another thread where
 * the policy is preemptive: the rest of the cost is then paid later.
 *
 * This is what models and hypervisors talk to. What a vCPU does next is the {@link Dispatcher}'s, who is told of a thread that
 * is ready is {@link Waking}'s, how interrupts come is the {@link Delivery}'s, and a domain's end and beginning the {@link LifeCycle}'s.
 */
export class Cpus implements Model, CpuParts {
  readonly id: number;
  readonly vcpus: Vcpus;
  readonly threads: Threads;
  readonly locks: Locks;
  readonly work: WorkSlots;
  readonly lines: InterruptLines;
  readonly charges: Charges;
  readonly crossings: Crossings;
  readonly ipc: Ipc;
  readonly contextOfThread: number[] = [];
  readonly dispatcher: Dispatcher;
  readonly times = new CpuTimes(this);
  readonly waking: Waking;
  private readonly lifeCycle: LifeCycle;
  private readonly delivery: Delivery;
  private readonly residence: Residence;

  constructor(readonly kernel: Kernel, readonly costs: CostProfile) {
    this.id = kernel.component("cpus", "cpus", "", undefined, this);
    const fn = kernel.functions({
      vcpu_mark_events_pending: { file: "xen/arch/x86/hvm/irq.c", kind: "hypervisor" },
      "remote memory": { kind: "thread" },
    });
    this.vcpus = new Vcpus(kernel);
    this.threads = new Threads(kernel.store);
    this.locks = new Locks(kernel);
    this.work = new WorkSlots(kernel, this.locks, costs, this.id, CpuOp.workEnd);
    this.lines = new InterruptLines(kernel, this.vcpus);
    this.crossings = new Crossings(kernel, costs, this.work);
    this.charges = new Charges(costs, kernel.names.functions, this.work, this.vcpus, this.crossings, fn["remote memory"]);
    this.lifeCycle = new LifeCycle(this);
    this.ipc = new Ipc(kernel, this.work, this.crossings, rendezvous(this));
    this.dispatcher = new Dispatcher(this, this.lifeCycle);
    this.waking = new Waking(this, this.dispatcher);
    this.dispatcher.waking = this.waking;
    this.delivery = new Delivery(this, this.dispatcher, this.waking, fn.vcpu_mark_events_pending);
    this.residence = new Residence(this, this.dispatcher);
    this.work.threads = { wake: (thread) => this.waking.makeReady(thread), call: (thread, component, op, a) => this.call(thread, component, op, a) };
    this.lifeCycle.dispatcher = this.dispatcher;
  }

  get vcpu(): Vcpus["vcpu"] {
    return this.vcpus.vcpu;
  }

  // --- Building -----------------------------------------------------------------------------------------------------

  /** See {@link addDomain}. */
  addDomain(setup: DomainSetup): number {
    return addDomain(this, setup);
  }

  /** See {@link addProcess}. */
  addProcess(path: string, kernel: number, system: KernelSystem): number {
    return addProcess(this, path, kernel, system);
  }

  addVcpu(domain: number): number {
    const v = this.vcpus.add(domain);
    this.crossings.addVcpu();
    if (this.vcpus.domains[domain]!.policy.tickPeriod > 0) this.delivery.addTimer(v);
    return v;
  }

  /** @param affinity index of the vCPU in the domain that runs it, or −1 for any; fixed for life, as in `sched.c` */
  addThread(domain: number, name: string, affinity: number = ANY, level: ThreadLevel = "thread"): number {
    const d = this.vcpus.domains[domain]!;
    const usable = this.vcpusOf(domain);
    const vcpu = affinity < 0 ? ANY : usable[affinity % usable.length]!;
    const t = this.threads.add(d.kernel, vcpu);
    d.threads.push(t);
    this.crossings.addThread(domain);
    this.ipc.addThread(this.crossings.canCall(domain));
    d.policy.addThread(t, vcpu, level);
    this.contextOfThread[t] = this.kernel.context("thread", `${d.path}/${name}`, d.host, d.path);
    return t;
  }

  /**
   * @param vcpu the one that takes the interrupt
   * @param latency from raising to the vCPU noticing it, picoseconds
   */
  addLine(vcpu: number, component: number, op: number, a: number, latency: number, kind: LineKind = "event"): number {
    return this.lines.add(vcpu, component, op, a, latency, kind);
  }

  /** A lock among the domain's threads: see {@link under}. */
  addLock(domain: number, cls: LockClass, name: string): number {
    return this.locks.add(this.vcpus.domains[domain]!.kernel, cls, name);
  }

  /** Whether a lock of the class can ever be found held in the domain: another vCPU may have it, or a thread that has lost its vCPU. */
  canContend(domain: number, { holderStays }: LockClass): boolean {
    return this.vcpusOf(domain).length > 1 || (!holderStays && this.vcpus.domains[domain]!.policy.tickPeriod > 0);
  }

  /** Whether the thread has nothing to do and waits for nobody's answer. */
  isBlocked(thread: number): boolean {
    return this.threads.thread.state[thread] === ThreadState.idle;
  }

  /** The thread's id as a context of the trace. */
  contextOf(thread: number): number {
    return this.contextOfThread[thread]!;
  }

  /** The domain as a component of the trace. */
  componentOf(domain: number): number {
    return this.vcpus.domains[domain]!.component;
  }

  /** The domain's vCPUs that run threads and take interrupts; of a process, its kernel's. */
  vcpusOf(domain: number): readonly number[] {
    const { domains } = this.vcpus;
    return domains[domains[domain]!.kernel]!.usable;
  }

  /** Whether the domain's vCPUs poll their devices instead of being interrupted. */
  polls(domain: number): boolean {
    return this.vcpus.domains[domain]!.policy.polls;
  }

  // --- What models say --------------------------------------------------------------------------------------------

  /** In `begin`: this work goes through `fn`, at the cost that the profile gives it for `bytes`. */
  spend(fn: number, packet: number = NONE, bytes = 0, b = 0): void {
    this.charges.spend(fn, packet, bytes, b);
  }

  /** In `begin`: this work goes through `fn` for `cost` picoseconds. */
  spendTime(fn: number, cost: number, packet: number = NONE, a = 0, b = 0): void {
    this.charges.spendTime(fn, cost, packet, a, b);
  }

  /**
   * In `begin`: the work goes through what is spent from now on under a lock, for which it waits if it is held, or under two.
   * @param lock −1: none any more
   * @param second another one, taken while the first is held
   * @param instead what a soft interrupt goes through if a process owns the lock; see {@link wentInstead}
   */
  under(lock: number, second: number = NONE, instead: number = NONE): void {
    this.charges.under(lock, second, instead);
  }

  /** In `end`: whoever owns a lock is to do this job before it lets go. @returns false: no process owns it */
  leaveTo(lock: number, component: number, op: number, a: number): boolean {
    return this.locks.leaveJob(lock, component, op, a);
  }

  /** In `end` of such a job: nothing more is left. */
  leftNothing(lock: number): void {
    this.work.sections.finishJob(lock);
  }

  /** In `end`: the work found a lock owned, and went through what `under` said for that. */
  get wentInstead(): boolean {
    return this.work.slot.instead[this.charges.current] === 1;
  }

  /** In `begin`: reads cache lines that were written last on the pCPU `from`, as {@link here} said there; −1: nobody wrote them. */
  spendLines(from: number, lines: number): void {
    const here = this.here;
    if (from === NONE || here === NONE || from === here) return;
    this.dispatcher.moves.spendLines(this.work.get(this.charges.current, VCPU), from, here, lines);
  }

  /** Which of the domain's vCPUs has the work that begins or ends now, or −1. */
  indexIn(domain: number): number {
    const { current } = this.charges;
    if (current === NONE) return NONE;
    const usable = this.vcpusOf(domain);
    const v = this.work.get(current, VCPU);
    return v >= usable[0]! && v < usable[0]! + usable.length ? v - usable[0]! : NONE;
  }

  /** The pCPU, numbered within its host, on which work begins or ends now, or −1. */
  get here(): number {
    const { current } = this.charges;
    return current === NONE ? NONE : this.vcpu.pcpu[this.work.get(current, VCPU)]!;
  }

  /** In `begin`: what is spent from now on belongs to `component`, a neighbour that is called. @returns whose it was, for the way back */
  enter(component: number): number {
    const before = this.charges.spending;
    this.charges.spending = component;
    return before;
  }

  /** In `begin`: call `fn` at most `limit` times in vain; ends early, after the call under way, when {@link cutShort}. */
  spinOn(fn: number, limit: number): void {
    const round = this.costs.of(fn, 0);
    this.spendTime(fn, round * limit, NONE, limit);
    this.work.spin(this.charges.current, round);
  }

  /** In `end`: how often the function was called in vain. */
  get rounds(): number {
    return this.work.rounds(this.charges.current);
  }

  /** In `begin`: how much of what waits this work is for, which its cost was said for. Its `end` reads it by {@link noted}: more may wait by then. */
  note(count: number): void {
    this.work.note(this.charges.current, count);
  }

  get noted(): number {
    return this.work.slot.noted[this.charges.current]!;
  }

  /** The thread whose work runs now, or −1 in an interrupt. */
  get currentThread(): number {
    const { current } = this.charges;
    return current >= 0 ? this.work.get(current, THREAD) : NONE;
  }

  /** The thread whose work runs now, where it may run the component's code itself; else the other one given. */
  carrier(component: number, otherwise: number): number {
    const thread = this.currentThread;
    return thread !== NONE && this.crossings.reaches(thread, component) ? thread : otherwise;
  }

  /** In `end`: lets the other threads of the vCPU go first. */
  yield(): void {
    this.dispatcher.yielding = true;
  }

  /** In `end`: the thread that runs now is in a call that waits for something. Jobs that it is given meanwhile wait with it, until {@link wakeUp}. */
  sleep(): void {
    this.threads.thread.state[this.currentThread] = ThreadState.waiting;
    this.dispatcher.goOn(NONE);
  }

  /** What a thread waits for since {@link sleep} is there: it goes on with this job. @param cause as in {@link post} */
  wakeUp(thread: number, component: number, op: number, a: number, b: number, cause: number): void {
    if (this.threads.thread.state[thread] !== ThreadState.waiting) return;
    this.call(thread, component, op, a, b, cause);
    this.waking.makeReady(thread);
  }

  /**
   * Adds a job at the end of a thread's queue and wakes the thread if it was blocked. A thread of a domain that does not run takes none.
   * @param cause the row that asked for it, where what happens now only enables it
   */
  post(thread: number, component: number, op: number, a = 0, b = 0, cause = this.kernel.cause): void {
    const { state } = this.threads.thread;
    if (state[thread] === ThreadState.dead) return;
    this.threads.append(thread, component, op, a, b, cause, this.enabling(cause), this.here, this.kernel.now);
    if (state[thread] === ThreadState.idle) this.waking.makeReady(thread);
  }

  /** Adds a job before all others of the thread: a call, or the rest of what it does now. @param cause as in {@link post} */
  call(thread: number, component: number, op: number, a = 0, b = 0, cause = this.kernel.cause): void {
    const { state } = this.threads.thread;
    if (state[thread] === ThreadState.dead) return;
    if (thread === this.currentThread) this.crossings.called(thread);
    this.threads.prepend(thread, component, op, a, b, cause, this.enabling(cause), this.here, this.kernel.now);
    if (state[thread] === ThreadState.idle) this.waking.makeReady(thread);
  }

  /** In `end`: a call which, if it is the next thing that this thread does, is under the same lock, which the thread keeps until then. */
  callOn(thread: number, component: number, op: number, a = 0, b = 0, cause = this.kernel.cause): void {
    this.call(thread, component, op, a, b, cause);
    const { current } = this.charges;
    if (thread !== this.currentThread) return;
    this.work.slot.goesOn[current] = this.threads.thread.head[thread]!;
    this.work.set(current, SPECIAL, 1);
  }

  /** What happens now is what a job has waited for, if something else asked for it. */
  private enabling(cause: number): number {
    return cause === this.kernel.cause ? NONE : this.kernel.cause;
  }

  /** Ends a thread's spinning at the end of the round it is in. */
  cutShort(thread: number): void {
    const w = this.threads.thread.work[thread]!;
    if (w !== NONE) this.work.cut(w);
  }

  /** Makes an interrupt or event pending; nothing more happens if it already is, or where the domain does not run. @returns whether it was newly raised */
  raise(line: number): boolean {
    return this.delivery.raise(line, this.here);
  }

  /** In the `end` of an interrupt's work: the handler found more to do and goes on, before any other line of its vCPU. */
  repeat(line: number): void {
    if (this.lines.line.pending[line] === 0) this.lines.repeat(line, this.kernel.cause);
  }

  // --- What the hypervisor says -----------------------------------------------------------------------------------

  /** The vCPU has a pCPU from now on. @param pcpu its number in its host */
  resume(v: number, pcpu: number): void {
    this.residence.resume(v, pcpu);
  }

  /** The hypervisor takes the vCPU's pCPU, for itself or another; the vCPU stays runnable. */
  suspend(v: number): void {
    this.residence.suspend(v);
  }

  // --- Life and death of domains ------------------------------------------------------------------------------------

  /**
   * The domain stops between two instructions: what its vCPUs do and what its threads were to do is gone, its lines deliver
   * nothing, its pCPUs are free. Must be called in a dispatch of its own, not from a CPU's work.
   */
  stop(domain: number): void {
    this.lifeCycle.stop(domain);
  }

  /** A domain that was stopped runs again: its vCPUs boot, its threads have nothing to do yet. */
  boot(domain: number): void {
    this.lifeCycle.boot(domain);
  }

  /** The domain makes no progress from now on, with interrupts disabled, and burns all the time that its vCPUs get, until it is stopped. */
  freeze(domain: number): void {
    this.lifeCycle.freeze(domain);
  }

  /** Their hypervisor has no vCPU of the domain run any more, and does not hear of what comes for them, until the domain is stopped. None may have a pCPU. */
  hold(domain: number): void {
    this.lifeCycle.hold(domain);
  }

  /** From now on, work that is the component's or comes to a function of it does not end, and holds its vCPU. @param on false: it works again */
  hang(component: number, on: boolean): void {
    this.lifeCycle.hang(component, on);
  }

  /** How the domain's host is, of {@link HostState}, and what runs that as a component of the trace. */
  hostOf(domain: number): Pick<VcpuHost, "id" | "state"> {
    return this.vcpus.domains[domain]!.vcpuHost;
  }

  /** Whether the domain runs: false after `stop`, until `boot`. */
  isOn(domain: number): boolean {
    const { vcpus, threads } = this.vcpus.domains[domain]!;
    return this.vcpu.state[vcpus[0]!] !== VcpuState.off && !threads.some((thread) => this.threads.thread.state[thread] === ThreadState.dead);
  }

  // --- Events -----------------------------------------------------------------------------------------------------

  fire(op: number, a: number, b: number): void {
    if (op === CpuOp.workEnd) this.dispatcher.workEnded(a);
    else if (op === CpuOp.idlePoll) this.dispatcher.idlePolled(a);
    else if (op === CpuOp.kick) this.waking.kicked(a, b);
    else if (op === CpuOp.deliver) this.delivery.delivered(a, b);
    else this.delivery.timer(a);
  }

  begin(op: number, v: number): void {
    if (op === CpuOp.tick) this.dispatcher.ticks.spend(v);
    else this.dispatcher.spendHalt(v);
  }

  end(op: number, v: number): void {
    if (op === CpuOp.tick) this.dispatcher.ticks.ended(v);
    else this.vcpu.halting[v] = 1;
  }
}
