import { NONE } from "../trace/trace";
import { BsdPriorities, TICK, TICKS_A_SCHEDCLOCK } from "./bsdPriorities";
import type { SchedulerFunctionIds } from "./schedulerFunctions";
import { ANY, type ThreadLevel, type Threads } from "./threads";
import { Ready, type DomainView, type PolicyParts, type ThreadPolicy } from "./threadPolicy";
import { ThreadQueues } from "./threadQueues";

/** `rrticks`, hz / 10: how often `sched_tick` looks at what runs. */
const ROUND_ROBIN = 100e9;
/** `balance_period` of `kern_runq.c`. */
const BALANCE = 300e9;
/** What `sched_tick` has seen of the thread that runs: SPCF_SEENRR once it has, and the next time it must yield. */
const Seen = { no: 0, once: 1 } as const;
/** Above all priorities of threads: `PRI_COUNT`. */
const PRI_COUNT = 224;

/**
 * 1:1 and preemptive, as NetBSD 8's kernel is by default: `sys/kern/sched_4bsd.c` (revision 1.30) on the run queues of `kern_runq.c` (1.44).
 * Each CPU has a queue in order of priority, first come, first served within one. A thread that wakes has a priority above all that run in
 * user mode, and takes the CPU at once; one that computes keeps it until a second look of the round robin, after 100 to 200 ms, if
 * another of its priority waits. A thread that wakes stays on its CPU if nobody else waits there, busy or not.
 * Soft interrupts are threads of their own that come before all others.
 *
 * Left out: a thread in the kernel would not give way to one in user mode's range before it returns; a CPU that idles looks for
 * threads of others when it begins to, and would again at every tick.
 */
export class FourBsd implements ThreadPolicy {
  readonly polls = false;
  readonly tickPeriod = TICK;
  readonly idleFn: number;
  readonly idleLock = undefined;
  private readonly fn: SchedulerFunctionIds;
  private readonly threads: Threads;
  private readonly domain: DomainView;
  private readonly queues: ThreadQueues;
  private readonly priorities: BsdPriorities;
  private readonly spc;
  private readonly balancer;
  private readonly isSoft: boolean[] = [];

  constructor(private readonly parts: PolicyParts) {
    const { kernel, threads, domain, fn } = parts;
    this.threads = threads;
    this.domain = domain;
    this.fn = fn;
    this.idleFn = fn.idle;
    this.queues = new ThreadQueues(kernel.store, `run queues of ${domain.path}`, threads);
    this.priorities = new BsdPriorities(kernel, threads, domain, (thread) => this.takeVcpu(thread, threads.thread.vcpu[thread]!, NONE));
    this.spc = kernel.store.table(`schedstate of ${domain.path}`, { seen: "u8", round: "i32", schedticks: "i32", average: "i32", last: "i32", forked: "i32" });
    this.balancer = kernel.store.table(`balancer of ${domain.path}`, { periods: "f64", busiest: "i32" }, 1);
    this.balancer.alloc();
  }

  usable(vcpus: number): number {
    return vcpus;
  }

  addVcpu(): void {
    this.queues.add();
    const q = this.spc.alloc();
    this.spc.last[q] = NONE;
  }

  addThread(thread: number, _affinity: number, level: ThreadLevel): void {
    this.isSoft[thread] = level === "soft interrupt";
    if (!this.isSoft[thread]) this.priorities.add(thread);
  }

  ready(thread: number, by: number, why: number): number {
    const { affinity, vcpu } = this.threads.thread;
    this.secondsPass();
    let target = affinity[thread]!;
    if (!this.isSoft[thread]) {
      const woken = why === Ready.woken;
      if (woken) this.priorities.wake(thread);
      const better = woken ? this.takeVcpu(thread, vcpu[thread] === NONE ? this.forkedOn() : vcpu[thread]!, by) : this.priorities.stop(thread);
      if (target === ANY) target = better === NONE ? vcpu[thread]! : better;
    }
    this.enqueue(this.queueOf(target), thread);
    return target;
  }

  /**
   * A thread starts on the CPU of who created it, which no design says: here on that with the fewest that started there, the last of equals.
   * The first takes the interrupts, and of a machine's many CPUs a process is hardly ever started on just that one.
   */
  private forkedOn(): number {
    const { forked } = this.spc;
    let q = 0;
    for (let other = 1; other < this.queues.queues; other++) if (forked[other]! <= forked[q]!) q = other;
    forked[q]!++;
    return this.domain.vcpus[q]!;
  }

  /** `sched_takecpu`, for a thread that may run anywhere. @param home the vCPU that it ran on last @param by the one that wakes it, or −1 */
  private takeVcpu(thread: number, home: number, by: number): number {
    const { vcpus } = this.domain;
    if (this.queues.count(this.queueOf(home)) === 0) return home;
    const priority = this.priorities.effective(thread);
    if (this.priorities.isCacheHot(thread) && priority >= this.priorityOn(home)) return home;
    if (by !== NONE && priority > this.priorityOn(by)) return by;
    // The one with the lowest priority, of equals the one with the fewest that wait: from `home` on, in a circle.
    let best = home;
    let lowest = PRI_COUNT;
    for (let i = 0; i < vcpus.length; i++) {
      const v = vcpus[(this.queueOf(home) + i) % vcpus.length]!;
      const q = this.queueOf(v);
      const first = this.queues.first(q);
      const highest = Math.max(this.priorityOn(v), first === NONE ? 0 : this.priorityOf(first));
      if (highest > lowest || (highest === lowest && this.queues.count(this.queueOf(best)) < this.queues.count(q))) continue;
      lowest = highest;
      best = v;
    }
    return best;
  }

  /** Of whatever runs there: the idle loop's is the lowest. */
  private priorityOn(vcpu: number): number {
    const current = this.domain.current(vcpu);
    return current === NONE ? 0 : this.isSoft[current] ? PRI_COUNT : this.priorities.own(current);
  }

  private priorityOf(thread: number): number {
    return this.isSoft[thread] ? PRI_COUNT : this.priorities.effective(thread);
  }

  /** Behind all of at least its priority. */
  private enqueue(q: number, thread: number): void {
    const { queues } = this;
    const priority = this.priorityOf(thread);
    let before: number = NONE;
    for (let at = queues.first(q); at !== NONE && this.priorityOf(at) >= priority; at = queues.next(at)) before = at;
    queues.insertAfter(q, before, thread);
  }

  pick(vcpu: number): number {
    const q = this.queueOf(vcpu);
    const thread = this.queues.first(q) === NONE ? this.catch(vcpu) : this.queues.shift(q);
    if (thread === NONE || this.isSoft[thread]) return thread;
    const { spc } = this;
    spc.seen[q] = Seen.no;
    spc.round[q] = this.round;
    this.priorities.run(thread);
    return thread;
  }

  /** `sched_catchlwp`: a thread of the busiest queue, of the highest priority there, that may move and is not cache-hot; −1: none. */
  private catch(vcpu: number): number {
    this.spc.average[this.queueOf(vcpu)] = 0;
    this.balance(vcpu);
    const { queues } = this;
    const from = this.balancer.busiest[0]!;
    const first = from === this.queueOf(vcpu) ? NONE : queues.first(from);
    if (first === NONE) return NONE;
    const highest = this.priorityOf(first);
    for (let t = first; t !== NONE && this.priorityOf(t) === highest; t = queues.next(t)) {
      if (!this.isMovable(t) || this.priorities.isCacheHot(t)) continue;
      queues.remove(from, t);
      return t;
    }
    return NONE;
  }

  private isMovable(thread: number): boolean {
    return !this.isSoft[thread] && this.threads.thread.affinity[thread] === ANY;
  }

  /** `sched_balance`: halves round down, so that one thread that waits is never too many. */
  private balance(vcpu: number): void {
    const { average } = this.spc;
    let busiest = this.queueOf(vcpu);
    let highest = 0;
    for (let q = 0; q < this.queues.queues; q++) {
      let movable = 0;
      for (let t = this.queues.first(q); t !== NONE; t = this.queues.next(t)) if (this.isMovable(t)) movable++;
      average[q] = (average[q]! + movable) >> 1;
      if (average[q]! <= highest) continue;
      highest = average[q]!;
      busiest = q;
    }
    this.balancer.busiest[0] = busiest;
  }

  waitForWhichever(): number {
    return 0;
  }

  /** `sched_enqueue`: a higher priority has the CPU at once. */
  preempts(vcpu: number, thread: number): boolean {
    const current = this.domain.current(vcpu);
    return current === NONE || this.priorityOf(thread) > this.priorityOn(vcpu);
  }

  ran(_vcpu: number, thread: number): void {
    if (!this.isSoft[thread]) this.priorities.ran(thread);
  }

  /** `hardclock`: every fourth counts as use of the CPU, every tenth is one of the round robin. */
  tick(vcpu: number): boolean {
    const { spc, balancer } = this;
    const q = this.queueOf(vcpu);
    const current = this.domain.current(vcpu);
    const shares = current !== NONE && !this.isSoft[current];
    if (shares && ++spc.schedticks[q]! % TICKS_A_SCHEDCLOCK === 0) this.priorities.charge(current);
    this.secondsPass();
    for (const now = Math.floor(this.now / BALANCE); balancer.periods[0]! < now; balancer.periods[0]!++) this.balance(vcpu);
    if (!shares || spc.round[q] === this.round) return false;
    spc.round[q] = this.round;
    const first = this.queues.first(q);
    if (spc.seen[q] === Seen.once) return first !== NONE && this.priorityOf(first) >= this.priorityOn(vcpu);
    spc.seen[q] = Seen.once;
    return false;
  }

  private get now(): number {
    return this.parts.kernel.now;
  }

  /** Number of the round robin's period: all CPUs' are the same. */
  private get round(): number {
    return Math.floor(this.now / ROUND_ROBIN);
  }

  /** Once a second priorities change, and queues with them. */
  private secondsPass(): void {
    if (!this.priorities.secondsPass()) return;
    for (let q = 0; q < this.queues.queues; q++) {
      const waiting = this.queues.list(q);
      this.queues.clear(q);
      for (const thread of waiting) this.enqueue(q, thread);
    }
  }

  /** A soft interrupt borrows the address space of what it interrupts, and going back to that costs nothing. */
  switchFn(vcpu: number, _from: number, to: number): number {
    if (this.isSoft[to]) return this.fn.softint;
    const q = this.queueOf(vcpu);
    if (this.spc.last[q] === to) return NONE;
    this.spc.last[q] = to;
    return this.fn.switch;
  }

  drop(thread: number): void {
    this.queues.drop(thread);
  }

  clear(): void {
    for (let q = 0; q < this.queues.queues; q++) {
      this.queues.clear(q);
      this.spc.last[q] = NONE;
    }
  }

  waitingFor(vcpu: number): readonly number[] {
    return this.queues.list(this.queueOf(vcpu));
  }

  waitingForWhichever(): undefined {}

  describe(thread: number): string {
    return this.isSoft[thread] ? ", soft interrupt" : `, priority ${this.priorityOf(thread)}`;
  }

  private queueOf(vcpu: number): number {
    return vcpu - this.domain.vcpus[0]!;
  }
}
