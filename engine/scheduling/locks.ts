import type { Variable } from "../inspect";
import type { Kernel } from "../kernel/kernel";
import { NONE } from "../trace/trace";
import { lockClasses, type LockClass } from "./lockClasses";

/**
 * Locks: who holds them, and how many wait. A piece of work takes them as it goes from function to function (`WorkSlots`). A holder may
 * lose its vCPU, or the vCPU its pCPU, and then all others wait until it is back (lock-holder preemption).
 */
export class Locks {
  private readonly lock;
  /** Of the locks that the machine was built with; others are made for connections. */
  private readonly names: string[] = [];
  private readonly spinFns: readonly number[];
  private readonly sleepFns: readonly number[];

  constructor(private readonly kernel: Kernel) {
    this.lock = kernel.store.table("locks", {
      domain: "u16", cls: "u8", holder: "i32", work: "i32", soft: "u8", depth: "u8", waiting: "i32", taken: "f64", contended: "f64", slept: "f64",
      keptFor: "i32", component: "i32", op: "u8", a: "i32", posted: "u8",
      since: "f64", held: "f64", changed: "f64", waited: "f64",
    });
    this.spinFns = lockClasses.map(({ spin }) => kernel.functions({ spin }).spin);
    this.sleepFns = lockClasses.map(({ sleep }) => (sleep === undefined ? NONE : kernel.functions({ sleep }).sleep));
  }

  /** A lock that has a name of its own, while the machine is built. @returns its number */
  add(domain: number, cls: LockClass, name: string): number {
    this.names.push(name);
    return this.make(domain, cls);
  }

  /** One of many. @returns its number */
  make(domain: number, cls: LockClass): number {
    const l = this.lock.alloc();
    this.lock.domain[l] = domain;
    this.lock.cls[l] = lockClasses.indexOf(cls);
    this.lock.holder[l] = this.lock.work[l] = this.lock.keptFor[l] = this.lock.component[l] = NONE;
    return l;
  }

  get count(): number {
    return this.lock.rows;
  }

  classOf(l: number): LockClass {
    return lockClasses[this.lock.cls[l]!]!;
  }

  /** The function that one spins in for it, and by which one goes to sleep. */
  spinFn(l: number): number {
    return this.spinFns[this.lock.cls[l]!]!;
  }

  sleepFn(l: number): number {
    return this.sleepFns[this.lock.cls[l]!]!;
  }

  /** The vCPU that took it, or −1. */
  holder(l: number): number {
    return this.lock.holder[l]!;
  }

  /** The piece of work that has it, or −1. */
  work(l: number): number {
    return this.lock.work[l]!;
  }

  /** Whether a soft interrupt has it that would leave its work to an owner. */
  isSoft(l: number): boolean {
    return this.lock.soft[l] === 1;
  }

  /** Pieces of work that wait for it. */
  waiting(l: number): number {
    return this.lock.waiting[l]!;
  }

  /**
   * @param w the work that wants it, and its thread; −1: what is none
   * @returns whether it was free, or theirs already in a way that lets them have it again, and is taken now
   */
  acquire(l: number, vcpu: number, w: number = NONE, thread: number = NONE, soft = false): boolean {
    const { lock } = this;
    const isKept = thread !== NONE && lock.keptFor[l] === thread;
    if (lock.holder[l] !== NONE && !isKept && (lock.holder[l] !== vcpu || !this.classOf(l).recursive)) return false;
    lock.taken[l]!++;
    if (lock.holder[l] !== NONE && !isKept) {
      lock.depth[l]!++;
      return true;
    }
    lock.holder[l] = vcpu;
    lock.work[l] = w;
    lock.soft[l] = soft ? 1 : 0;
    if (!isKept) lock.since[l] = this.kernel.now;
    lock.depth[l] = 1;
    lock.keptFor[l] = NONE;
    return true;
  }

  /** @returns whether it is free now */
  release(l: number): boolean {
    const { lock } = this;
    if (--lock.depth[l]! > 0) return false;
    lock.held[l]! += this.kernel.now - lock.since[l]!;
    lock.holder[l] = lock.work[l] = lock.keptFor[l] = NONE;
    return true;
  }

  // --- What is left to a holder ---------------------------------------------------------------------------------------

  /** A process that has the lock gets a job, which it does before it lets go. @returns false: no process has it */
  leaveJob(l: number, component: number, op: number, a: number): boolean {
    const { lock } = this;
    if (lock.holder[l] === NONE || lock.soft[l] === 1) return false;
    lock.component[l] = component;
    lock.op[l] = op;
    lock.a[l] = a;
    return true;
  }

  hasJob(l: number): boolean {
    return this.lock.component[l] !== NONE;
  }

  /** The thread has something left to do before it lets go, and keeps the lock until then. */
  keepFor(l: number, thread: number): void {
    this.lock.keptFor[l] = thread;
    this.lock.work[l] = NONE;
  }

  /** @returns whether who keeps the lock is to be given the job: it has not got it yet */
  post(l: number): boolean {
    if (this.lock.posted[l] === 1) return false;
    this.lock.posted[l] = 1;
    return true;
  }

  /** Whether the thread keeps a lock that keeps it on its vCPU: one that the machine was built with, none of a connection. */
  keepsOnVcpu(thread: number): boolean {
    const { lock, names } = this;
    for (let l = 0; l < names.length; l++) if (lock.keptFor[l] === thread && this.classOf(l).holderStays) return true;
    return false;
  }

  /** The thread that has the lock between two pieces of work, or −1. */
  keptFor(l: number): number {
    return this.lock.keptFor[l]!;
  }

  /** The job that was left: component, op and argument. */
  jobOf(l: number): readonly [number, number, number] {
    return [this.lock.component[l]!, this.lock.op[l]!, this.lock.a[l]!];
  }

  /** Nothing is left to do. */
  clearJob(l: number): void {
    this.lock.component[l] = NONE;
    this.lock.posted[l] = 0;
  }

  /** The threads are gone, and with them what they kept locks for. */
  abandon(threads: readonly number[]): void {
    const { lock } = this;
    for (let l = 0; l < lock.rows; l++) if (lock.keptFor[l] !== NONE && threads.includes(lock.keptFor[l]!)) this.free(l);
  }

  private free(l: number): void {
    const { lock } = this;
    if (lock.holder[l] !== NONE) lock.held[l]! += this.kernel.now - lock.since[l]!;
    lock.holder[l] = lock.work[l] = lock.keptFor[l] = NONE;
    lock.depth[l] = 0;
    this.clearJob(l);
  }

  // --- Waiting --------------------------------------------------------------------------------------------------------

  /** Somebody begins to wait. */
  contend(l: number): void {
    this.addWaiting(l);
    this.lock.waiting[l]!++;
    this.lock.contended[l]!++;
  }

  /** Somebody waits no longer. */
  leave(l: number): void {
    this.addWaiting(l);
    this.lock.waiting[l]!--;
  }

  /** Until now so many waited. */
  private addWaiting(l: number): void {
    const { lock, kernel } = this;
    lock.waited[l]! += lock.waiting[l]! * (kernel.now - lock.changed[l]!);
    lock.changed[l] = kernel.now;
  }

  /** Somebody goes to sleep for it. */
  countSleep(l: number): void {
    this.lock.slept[l]!++;
  }

  /** The domain has stopped: what it held is free, and nobody waits. */
  clear(domain: number): void {
    const { lock } = this;
    for (let l = 0; l < lock.rows; l++) {
      if (lock.domain[l] !== domain) continue;
      this.free(l);
      this.addWaiting(l);
      lock.waiting[l] = 0;
    }
  }

  /** Of those without a name, the ones that are held or have been waited for. A lock that is handed over is held from then on. */
  describe(domain: number, vcpuName: (vcpu: number) => string): Variable[] {
    const { lock, names } = this;
    const found: Variable[] = [];
    for (let l = 0; l < lock.rows; l++) {
      if (lock.domain[l] !== domain || (names[l] === undefined && lock.contended[l] === 0 && lock.holder[l] === NONE)) continue;
      found.push({
        name: names[l] ?? `${this.classOf(l).name} ${l}`, value: lock.holder[l] === NONE ? "free" : `held on ${vcpuName(lock.holder[l]!)}`,
        children: [
          { name: "taken", value: `${lock.taken[l]!}`, number: lock.taken[l]! },
          { name: "found held", value: `${lock.contended[l]!}`, number: lock.contended[l]! },
          { name: "slept for", value: `${lock.slept[l]!}`, number: lock.slept[l]! },
          { name: "held for", ...time(lock.held[l]! + (lock.holder[l] === NONE ? 0 : this.kernel.now - lock.since[l]!)) },
          { name: "waited for", ...time(lock.waited[l]! + lock.waiting[l]! * (this.kernel.now - lock.changed[l]!)) },
        ],
      });
    }
    return found;
  }
}

/** @param number picoseconds, of all who held it or waited together */
function time(number: number): Pick<Variable, "value" | "number"> {
  return { value: `${(number / 1e6).toFixed(1)} µs`, number };
}
