import type { Kernel } from "../kernel/kernel";
import type { SchedulerFunctionIds } from "./schedulerFunctions";
import type { Threads, ThreadLevel } from "./threads";

/** Why a thread is ready: it was blocked, it let others go first, or it was taken off its vCPU in the middle of its work. */
export const Ready = { woken: 0, yielded: 1, preempted: 2 } as const;
/** Instead of a vCPU: whichever of the domain looks first. */
export const WHICHEVER = -1;

/** What a policy knows of its domain. vCPUs and threads go by their numbers in the machine; a domain's vCPUs are consecutive. */
export interface DomainView {
  readonly path: string;
  /** vCPUs of the domain, all of them. */
  readonly vcpus: readonly number[];
  /** It waits for something to do. */
  isIdle(vcpu: number): boolean;
  /** The thread that has the vCPU, or −1. */
  current(vcpu: number): number;
  /** How long the piece of work that the vCPU's thread does has run, picoseconds; it is not in `ran` yet. */
  ranNow(vcpu: number): number;
}

/** What a policy is made with. */
export interface PolicyParts {
  readonly kernel: Kernel;
  readonly threads: Threads;
  readonly domain: DomainView;
  /** What the domain's kernel calls what it does. */
  readonly fn: SchedulerFunctionIds;
}

/** A scheduler of a domain's threads on its vCPUs. A further one is one file beside `mToN.ts`, and a line in `threadPolicies.ts`. */
export interface ThreadPolicy {
  /** vCPUs poll their interrupt lines instead of being interrupted. */
  readonly polls: boolean;
  /** Period of `tick` on a vCPU that runs a thread, picoseconds; 0: none. */
  readonly tickPeriod: number;
  /** The function that an idle vCPU goes round in. */
  readonly idleFn: number;
  /**
   * The lock that an idle vCPU takes in each round, at the round's beginning: for how long, picoseconds; undefined: none. A vCPU
   * that loses its pCPU meanwhile keeps it.
   */
  readonly idleLock: number | undefined;
  /** The vCPUs that run threads and take interrupts: of those of the domain, the first so many. */
  usable(vcpus: number): number;
  addVcpu(vcpu: number): void;
  /** @param affinity a vCPU, or {@link ANY} */
  addThread(thread: number, affinity: number, level: ThreadLevel): void;
  /**
   * The thread is ready: into a queue. @param by the vCPU of the domain on which that happened, or −1
   * @returns the vCPU that is to run it, or {@link WHICHEVER}
   */
  ready(thread: number, by: number, why: number): number;
  /** The thread that the vCPU runs next, taken out of its queue, or −1. @param told so many of those for whichever vCPU are left to others, who will take them */
  pick(vcpu: number, told: number): number;
  /** A job begins on the vCPU that another one has added. @returns whether its thread is to let the vCPU go when the job is done, so that it polls */
  fed?(vcpu: number): boolean;
  /** Of a vCPU that polls and has found nothing: the thread that waited for that, or −1. */
  pickAfterPoll?(vcpu: number): number;
  /** How many threads wait that any vCPU of the domain may run. */
  waitForWhichever(): number;
  /** The thread, ready for this vCPU, takes it from the thread that runs there. */
  preempts(vcpu: number, thread: number): boolean;
  /** The thread has run. */
  ran(vcpu: number, thread: number, time: number): void;
  /** @returns whether the vCPU's thread is to give way */
  tick(vcpu: number): boolean;
  /** What going from one thread to another goes through; −1: nothing. @param from −1: from idling */
  switchFn(vcpu: number, from: number, to: number): number;
  /** A ready thread does not wait any more: its process has ended. */
  drop(thread: number): void;
  /** The domain has stopped: nothing waits. */
  clear(): void;
  /** Threads in the vCPU's queue, in order. */
  waitingFor(vcpu: number): readonly number[];
  /** Threads that wait for whichever vCPU, in order; undefined: there is no such queue. */
  waitingForWhichever(): readonly number[] | undefined;
  /** More about a thread, such as what it is owed, for people. */
  describe?(thread: number): string;
}
