import type { Variable } from "../inspect";
import type { Kernel } from "../kernel/kernel";
import { NONE } from "../trace/trace";

/**
 * Spin locks: whoever finds one held goes round until it is free, on a vCPU that does nothing else. The holder may lose its vCPU or
 * its pCPU meanwhile, and then all others spin until it is back (lock-holder preemption).
 */
export class SpinLocks {
  /** What a thread goes through that spins. Its value: the lock. */
  readonly spinFn: number;
  private readonly lock;
  private readonly names: string[] = [];
  private readonly domains: number[] = [];

  constructor(kernel: Kernel) {
    this.lock = kernel.store.table("spin locks", { holder: "i32", taken: "f64", contended: "f64" });
    this.spinFn = kernel.functions({ "spin lock": { kind: "thread", a: "lock" } })["spin lock"];
  }

  /** @returns the lock's number */
  add(domain: number, name: string): number {
    this.names.push(name);
    this.domains.push(domain);
    const l = this.lock.alloc();
    this.lock.holder[l] = NONE;
    return l;
  }

  /** The vCPU that holds it, or −1. */
  holder(l: number): number {
    return this.lock.holder[l]!;
  }

  /** @returns whether the lock was free, and is the vCPU's now */
  acquire(l: number, vcpu: number): boolean {
    if (this.lock.holder[l] !== NONE) return false;
    this.lock.holder[l] = vcpu;
    this.lock.taken[l]!++;
    return true;
  }

  release(l: number): void {
    this.lock.holder[l] = NONE;
  }

  /** Somebody begins to spin. */
  contend(l: number): void {
    this.lock.contended[l]!++;
  }

  /** The domain has stopped: what it held is free. */
  clear(domain: number): void {
    this.domains.forEach((d, l) => {
      if (d === domain) this.release(l);
    });
  }

  describe(domain: number, vcpuName: (vcpu: number) => string): Variable[] {
    return this.names.flatMap((name, l) => (this.domains[l] !== domain ? [] : [{
      name, value: this.lock.holder[l] === NONE ? "free" : `held on ${vcpuName(this.lock.holder[l]!)}`,
      children: [
        { name: "taken", value: `${this.lock.taken[l]!}`, number: this.lock.taken[l]! },
        { name: "found held", value: `${this.lock.contended[l]!}`, number: this.lock.contended[l]! },
      ],
    }]));
  }
}
