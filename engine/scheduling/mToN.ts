import { NONE } from "../trace/trace";
import { ANY, type Threads } from "./threads";
import { WHICHEVER, type PolicyParts, type ThreadPolicy } from "./threadPolicy";
import { NonPreemptive } from "./nonPreemptive";
import { ThreadQueues } from "./threadQueues";

/** How long `schedule()` of `sched.c` holds `timeq_lock` in a round, picoseconds: it looks at the heads of two lists. An estimate: two loads beside the atomic exchange. */
export const TIMEQ_HOLD = 20_000;

/**
 * M:N, non-preemptive, with a local queue per vCPU and a global one, both lock-free (LibrettOS 4.1; `lib/libbmk_core/sched.c`):
 * a vCPU looks into its own queue, then into the global one, then, under a lock, for timeouts that have expired, then it idles.
 */
export class MToN extends NonPreemptive implements ThreadPolicy {
  readonly polls = false;
  readonly idleFn: number;
  readonly idleLock: number | undefined;
  protected readonly switching: number;
  private readonly threads: Threads;
  private readonly local: ThreadQueues;
  private readonly global: ThreadQueues;
  private first: number = NONE;

  constructor({ kernel, threads, domain }: PolicyParts) {
    super();
    this.threads = threads;
    const fn = kernel.functions({
      bmk_sched: { file: "lib/libbmk_core/sched.c", kind: "thread" },
      "idle poll": { file: "lib/libbmk_core/sched.c", kind: "thread", a: "rounds" },
    });
    this.switching = fn.bmk_sched;
    this.idleFn = fn["idle poll"];
    this.idleLock = TIMEQ_HOLD;
    this.local = new ThreadQueues(kernel.store, `local run queues of ${domain.path}`, threads);
    this.global = new ThreadQueues(kernel.store, `global run queue of ${domain.path}`, threads);
    this.global.add();
  }

  usable(vcpus: number): number {
    return vcpus;
  }

  addVcpu(vcpu: number): void {
    if (this.first === NONE) this.first = vcpu;
    this.local.add();
  }

  ready(thread: number): number {
    const affinity = this.threads.thread.affinity[thread]!;
    if (affinity === ANY) this.global.push(0, thread);
    else this.local.push(affinity - this.first, thread);
    return affinity === ANY ? WHICHEVER : affinity;
  }

  pick(vcpu: number, told: number): number {
    const thread = this.local.shift(vcpu - this.first);
    return thread !== NONE || this.global.count(0) <= told ? thread : this.global.shift(0);
  }

  waitForWhichever(): number {
    return this.global.count(0);
  }

  drop(thread: number): void {
    this.global.drop(thread);
    this.local.drop(thread);
  }

  clear(): void {
    this.global.clear(0);
    for (let q = 0; q < this.local.queues; q++) this.local.clear(q);
  }

  waitingFor(vcpu: number): readonly number[] {
    return this.local.list(vcpu - this.first);
  }

  waitingForWhichever(): readonly number[] {
    return this.global.list(0);
  }
}
