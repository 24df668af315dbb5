import { NonPreemptive } from "./nonPreemptive";
import type { PolicyParts, ThreadPolicy } from "./threadPolicy";
import { ThreadQueues } from "./threadQueues";

/**
 * N:1, non-preemptive: all threads of the domain share one vCPU, and one queue, in the order in which they became ready. That is
 * rumprun's scheduler before it knew of SMP (`lib/libbmk_core/sched.c` of rumprun: `runq`): a domain with more vCPUs runs on its first.
 */
export class NToOne extends NonPreemptive implements ThreadPolicy {
  readonly polls = false;
  readonly idleFn: number;
  /** One vCPU has nobody to keep out. */
  readonly idleLock = undefined;
  protected readonly switching: number;
  private readonly queue: ThreadQueues;
  private readonly vcpus: readonly number[];

  constructor({ kernel, threads, domain }: PolicyParts) {
    super();
    const fn = kernel.functions({
      bmk_sched: { file: "lib/libbmk_core/sched.c", kind: "thread" },
      "idle poll": { file: "lib/libbmk_core/sched.c", kind: "thread", a: "rounds" },
    });
    this.switching = fn.bmk_sched;
    this.idleFn = fn["idle poll"];
    this.vcpus = domain.vcpus;
    this.queue = new ThreadQueues(kernel.store, `run queue of ${domain.path}`, threads);
    this.queue.add();
  }

  usable(): number {
    return 1;
  }

  addVcpu(): void {}

  ready(thread: number): number {
    this.queue.push(0, thread);
    return this.vcpus[0]!;
  }

  pick(vcpu: number): number {
    return vcpu === this.vcpus[0] ? this.queue.shift(0) : -1;
  }

  waitForWhichever(): number {
    return 0;
  }

  drop(thread: number): void {
    this.queue.drop(thread);
  }

  clear(): void {
    this.queue.clear(0);
  }

  waitingFor(vcpu: number): readonly number[] {
    return vcpu === this.vcpus[0] ? this.queue.list(0) : [];
  }

  waitingForWhichever(): undefined {}
}
