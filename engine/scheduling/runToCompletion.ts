import type { Table } from "../kernel/state";
import { NONE } from "../trace/trace";
import { ANY, type Threads } from "./threads";
import { Ready, type PolicyParts, type ThreadPolicy } from "./threadPolicy";
import { NonPreemptive } from "./nonPreemptive";
import { ThreadQueues } from "./threadQueues";

/** Jobs that other vCPUs have added, after which a vCPU polls: DPDK's usual burst, of a ring between cores (`rte_ring_dequeue_burst`) as of a device. */
const BATCH = 32;

/**
 * Polling, run to completion (DPDK's `rte_eal` lcores; IX, OSDI 2014, section 4.1): a vCPU takes no interrupts. It polls its
 * queues, takes a batch, and does all that the batch leads to, the application's part included, on the same vCPU and without
 * preemption, before it polls again. Idle, it goes on polling. What other vCPUs leave to it, where an application has fewer threads than that, never
 * ends while they poll: of that too it takes a batch.
 */
export class RunToCompletion extends NonPreemptive implements ThreadPolicy {
  readonly polls = true;
  readonly idleFn: number;
  /** Nothing is shared between the vCPUs (IX 3: "synchronization-free"). */
  readonly idleLock = undefined;
  protected readonly switching: number;
  private readonly threads: Threads;
  private readonly vcpus: readonly number[];
  private readonly queues: ThreadQueues;
  /** What has yielded: it goes on when the vCPU has polled again. */
  private readonly later: ThreadQueues;
  /** By vCPU: jobs of others' since it has polled. */
  private readonly others: Table<{ readonly jobs: "u16" }>;

  constructor({ kernel, threads, domain }: PolicyParts) {
    super();
    this.threads = threads;
    this.vcpus = domain.vcpus;
    const fn = kernel.functions({
      "empty poll": { name: "rte_eth_rx_burst: empty", file: "lib/ethdev/rte_ethdev.h", kind: "thread", a: "rounds" },
      "next stage": { name: "run to completion: next stage", file: "lib/eal/common/eal_common_launch.c", kind: "thread" },
    });
    this.idleFn = fn["empty poll"];
    this.switching = fn["next stage"];
    this.queues = new ThreadQueues(kernel.store, `stages of ${domain.path}`, threads);
    this.later = new ThreadQueues(kernel.store, `stages of ${domain.path} after a poll`, threads);
    this.others = kernel.store.table(`jobs for ${domain.path} of other vCPUs`, { jobs: "u16" });
  }

  usable(vcpus: number): number {
    return vcpus;
  }

  addVcpu(): void {
    this.queues.add();
    this.later.add();
    this.others.alloc();
  }

  /** What a batch leads to stays on its vCPU. */
  ready(thread: number, by: number, why: number): number {
    const { affinity, vcpu } = this.threads.thread;
    const last = vcpu[thread]!;
    let target = affinity[thread]!;
    if (target === ANY) target = by !== NONE && why === Ready.woken ? by : last !== NONE ? last : this.vcpus[0]!;
    (why === Ready.yielded ? this.later : this.queues).push(target - this.vcpus[0]!, thread);
    return target;
  }

  fed(vcpu: number): boolean {
    return this.vcpus.length > 1 && ++this.others.jobs[vcpu - this.vcpus[0]!]! >= BATCH;
  }

  pick(vcpu: number): number {
    const q = vcpu - this.vcpus[0]!;
    return this.others.jobs[q]! >= BATCH ? NONE : this.queues.shift(q);
  }

  /** What the poll has led to comes before what has yielded, or the one would keep the other from its turn. */
  pickAfterPoll(vcpu: number): number {
    const q = vcpu - this.vcpus[0]!;
    this.others.jobs[q] = 0;
    const thread = this.queues.shift(q);
    return thread === NONE ? this.later.shift(q) : thread;
  }

  waitForWhichever(): number {
    return 0;
  }

  drop(thread: number): void {
    this.queues.drop(thread);
    this.later.drop(thread);
  }

  clear(): void {
    for (let q = 0; q < this.queues.queues; q++) {
      this.queues.clear(q);
      this.later.clear(q);
      this.others.jobs[q] = 0;
    }
  }

  waitingFor(vcpu: number): readonly number[] {
    const q = vcpu - this.vcpus[0]!;
    return [...this.queues.list(q), ...this.later.list(q)];
  }

  waitingForWhichever(): undefined {}
}
