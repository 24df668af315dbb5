import type { Table } from "../kernel/state";
import { NONE } from "../trace/trace";
import type { SchedulerFunctionIds } from "./schedulerFunctions";
import { ANY, type ThreadLevel, type Threads } from "./threads";
import { Ready, type DomainView, type PolicyParts, type ThreadPolicy } from "./threadPolicy";
import { ThreadQueues } from "./threadQueues";

const MS = 1e9;
/** `sysctl_sched_latency`, `sysctl_sched_min_granularity`, `sysctl_sched_wakeup_granularity` and `sched_nr_latency` of Linux 4.13, kernel/sched/fair.c, for one CPU. */
const LATENCY = 6 * MS;
const MIN_GRANULARITY = 0.75 * MS;
const WAKEUP_GRANULARITY = MS;
const NR_LATENCY = 8;
/** CPUs up to which they grow with the logarithm (`SCHED_TUNABLESCALING_LOG`, `get_update_sysctl_factor`). */
const MOST_CPUS = 8;
/** HZ=250, the configuration of Ubuntu's kernels. */
const TICK = 4 * MS;

/**
 * 1:1 and preemptive, as in a monolithic kernel: every thread is the kernel's, each CPU has a run queue in order of virtual
 * runtime, and the one that ran least comes next (Linux' CFS, kernel/sched/fair.c, all threads at nice 0). A thread loses its
 * CPU in mid-work: at a tick, when its share of the period is over, or to a thread that wakes and is far enough behind.
 * Soft interrupts come before all threads. An idle CPU pulls from the longest queue, and a tick evens the queues out.
 */
export class Preemptive implements ThreadPolicy {
  readonly polls = false;
  readonly tickPeriod = TICK;
  readonly idleFn: number;
  readonly idleLock = undefined;
  private readonly fn: SchedulerFunctionIds;
  private readonly threads: Threads;
  private readonly domain: DomainView;
  private readonly queues: ThreadQueues;
  private readonly entity: Table<{ readonly vruntime: "f64" }>;
  private readonly rq: Table<{ readonly minVruntime: "f64"; readonly exec: "f64"; readonly last: "i32" }>;
  private readonly rowOf: number[] = [];
  private readonly isSoft: boolean[] = [];

  constructor({ kernel, threads, domain, fn }: PolicyParts) {
    this.threads = threads;
    this.domain = domain;
    this.fn = fn;
    this.idleFn = fn.idle;
    this.queues = new ThreadQueues(kernel.store, `run queues of ${domain.path}`, threads);
    this.entity = kernel.store.table(`virtual runtimes of ${domain.path}`, { vruntime: "f64" });
    this.rq = kernel.store.table(`CFS run queues of ${domain.path}`, { minVruntime: "f64", exec: "f64", last: "i32" });
  }

  usable(vcpus: number): number {
    return vcpus;
  }

  addVcpu(): void {
    this.queues.add();
    const q = this.rq.alloc();
    this.rq.last[q] = NONE;
  }

  addThread(thread: number, _affinity: number, level: ThreadLevel): void {
    this.rowOf[thread] = this.entity.alloc();
    this.isSoft[thread] = level === "soft interrupt";
  }

  /** The tunables grow with the number of CPUs: 1 + log₂. */
  private get factor(): number {
    return 32 - Math.clz32(Math.min(this.domain.vcpus.length, MOST_CPUS));
  }

  ready(thread: number, by: number, why: number): number {
    const { affinity, vcpu } = this.threads.thread;
    const last = vcpu[thread]!;
    let target = affinity[thread]!;
    if (target === ANY) target = why === Ready.woken ? this.selectVcpu(last, by) : last;
    const row = this.rowOf[thread]!;
    const { vruntime } = this.entity;
    const q = this.queueOf(target);
    this.updateCurrent(target);
    if (last !== NONE && last !== target) this.renormalise(row, this.queueOf(last), q);
    // `place_entity`: a sleeper gets half a period of credit at most (GENTLE_FAIR_SLEEPERS).
    if (why === Ready.woken) vruntime[row] = Math.max(vruntime[row]!, this.rq.minVruntime[q]! - (LATENCY * this.factor) / 2);
    // `yield_task_fair`: not before the one that would be next.
    const next = this.queues.first(q);
    if (why === Ready.yielded && next !== NONE) vruntime[row] = Math.max(vruntime[row]!, vruntime[this.rowOf[next]!]!);
    this.enqueue(q, thread);
    return target;
  }

  /** `select_idle_sibling`: where it ran last if that CPU is idle, else an idle one, else where it ran last. */
  private selectVcpu(last: number, by: number): number {
    const { domain } = this;
    const home = last !== NONE ? last : by !== NONE ? by : domain.vcpus[0]!;
    if (domain.isIdle(home)) return home;
    for (const v of domain.vcpus) if (domain.isIdle(v) && this.queues.count(this.queueOf(v)) === 0) return v;
    return home;
  }

  /** Soft interrupts in order of arrival, then threads in order of virtual runtime. */
  private enqueue(q: number, thread: number): void {
    const { queues } = this;
    const { vruntime } = this.entity;
    const soft = this.isSoft[thread]!;
    const own = vruntime[this.rowOf[thread]!]!;
    let before: number = NONE;
    for (let at = queues.first(q); at !== NONE; at = queues.next(at)) {
      if (!this.isSoft[at] && (soft || vruntime[this.rowOf[at]!]! > own)) break;
      before = at;
    }
    queues.insertAfter(q, before, thread);
  }

  pick(vcpu: number): number {
    const q = this.queueOf(vcpu);
    let thread = this.queues.shift(q);
    if (thread === NONE) thread = this.pull(q, 1);
    if (thread === NONE) return NONE;
    this.rq.exec[q] = 0;
    return thread;
  }

  /** Takes a thread that may move from the longest other queue, if that has at least so many more. @returns it, or −1 */
  private pull(q: number, excess: number): number {
    const { queues } = this;
    let busiest: number = NONE;
    for (let peer = 0; peer < queues.queues; peer++) {
      if (peer !== q && queues.count(peer) >= queues.count(q) + excess && (busiest === NONE || queues.count(peer) > queues.count(busiest))) busiest = peer;
    }
    if (busiest === NONE) return NONE;
    for (let t = queues.first(busiest); t !== NONE; t = queues.next(t)) {
      if (this.threads.thread.affinity[t] !== ANY) continue;
      queues.remove(busiest, t);
      this.renormalise(this.rowOf[t]!, busiest, q);
      return t;
    }
    return NONE;
  }

  /** Virtual runtime is relative to the queue (`migrate_task_rq_fair`). */
  private renormalise(row: number, from: number, to: number): void {
    this.entity.vruntime[row]! += this.rq.minVruntime[to]! - this.rq.minVruntime[from]!;
  }

  waitForWhichever(): number {
    return 0;
  }

  /** `check_preempt_wakeup`. */
  preempts(vcpu: number, thread: number): boolean {
    const current = this.domain.current(vcpu);
    if (current === NONE) return true;
    if (this.isSoft[thread] || this.isSoft[current]) return this.isSoft[thread]! && !this.isSoft[current];
    const ahead = this.entity.vruntime[this.rowOf[current]!]! + this.domain.ranNow(vcpu) - this.entity.vruntime[this.rowOf[thread]!]!;
    return ahead > WAKEUP_GRANULARITY * this.factor;
  }

  ran(vcpu: number, thread: number, time: number): void {
    if (this.isSoft[thread]) return;
    const q = this.queueOf(vcpu);
    const row = this.rowOf[thread]!;
    this.entity.vruntime[row]! += time;
    this.rq.exec[q]! += time;
    this.updateMinimum(q, this.entity.vruntime[row]!);
  }

  /** `update_curr`, as `enqueue_entity` does first: what runs on the vCPU has run until now. */
  private updateCurrent(vcpu: number): void {
    const current = this.domain.current(vcpu);
    if (current !== NONE && !this.isSoft[current]) this.updateMinimum(this.queueOf(vcpu), this.entity.vruntime[this.rowOf[current]!]! + this.domain.ranNow(vcpu));
  }

  /** `update_min_vruntime`: that of whoever has run least, of the thread that runs and of those that wait; it never goes back. */
  private updateMinimum(q: number, current: number): void {
    const { queues, rq: { minVruntime } } = this;
    const { vruntime } = this.entity;
    let first = queues.first(q);
    while (first !== NONE && this.isSoft[first]) first = queues.next(first);
    const least = first === NONE ? current : Math.min(current, vruntime[this.rowOf[first]!]!);
    if (least > minVruntime[q]!) minVruntime[q] = least;
  }

  /** `check_preempt_tick`, after evening out the queues (`rebalance_domains`). */
  tick(vcpu: number): boolean {
    const q = this.queueOf(vcpu);
    const { queues, rq } = this;
    const pulled = this.pull(q, 2);
    if (pulled !== NONE) this.enqueue(q, pulled);
    const current = this.domain.current(vcpu);
    const next = queues.first(q);
    if (current === NONE || next === NONE || this.isSoft[current]) return false;
    const running = queues.count(q) + 1;
    const ideal = running > NR_LATENCY ? MIN_GRANULARITY * this.factor : Math.max(MIN_GRANULARITY * this.factor, (LATENCY * this.factor) / running);
    const partial = this.domain.ranNow(vcpu);
    const exec = rq.exec[q]! + partial;
    if (exec > ideal) return true;
    if (exec < MIN_GRANULARITY * this.factor) return false;
    return this.entity.vruntime[this.rowOf[current]!]! + partial - this.entity.vruntime[this.rowOf[next]!]! > ideal;
  }

  /** A soft interrupt borrows the context of what it interrupts; going back to that costs nothing. */
  switchFn(vcpu: number, _from: number, to: number): number {
    if (this.isSoft[to]) return this.fn.softint;
    const q = this.queueOf(vcpu);
    if (this.rq.last[q] === to) return NONE;
    this.rq.last[q] = to;
    return this.fn.switch;
  }

  drop(thread: number): void {
    this.queues.drop(thread);
  }

  clear(): void {
    for (let q = 0; q < this.queues.queues; q++) {
      this.queues.clear(q);
      this.rq.last[q] = NONE;
    }
  }

  waitingFor(vcpu: number): readonly number[] {
    return this.queues.list(this.queueOf(vcpu));
  }

  waitingForWhichever(): undefined {}

  describe(thread: number): string {
    return this.isSoft[thread] ? ", soft interrupt" : `, virtual runtime ${(this.entity.vruntime[this.rowOf[thread]!]! / MS).toFixed(3)} ms`;
  }

  private queueOf(vcpu: number): number {
    return vcpu - this.domain.vcpus[0]!;
  }
}
