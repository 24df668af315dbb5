import { Priority } from "../kernel/queue";
import { NONE } from "../trace/trace";
import { CpuOp, type CpuParts } from "./cpuParts";
import { Resched } from "./vcpus";

/** The ticks of vCPUs whose policy has any: while they are busy. */
export class Ticks {
  /** @param exit function by which a guest's timer leaves it */
  constructor(private readonly cpus: CpuParts, private readonly exit: number) {}

  /** Whatever made the vCPU busy has asked for all ticks until it idles again: none is there because of the one before. */
  arm(v: number): void {
    const { kernel, vcpus } = this.cpus;
    const { tickPeriod } = vcpus.entry(v).policy;
    vcpus.vcpu.ticking[v] = 1;
    const { cause } = kernel;
    kernel.cause = vcpus.vcpu.tickCause[v]!;
    kernel.schedule(tickPeriod - (kernel.now % tickPeriod), Priority.cpu, this.cpus.id, CpuOp.tick, v);
    kernel.cause = cause;
  }

  /** In `begin`: the tick's interrupt. */
  spend(v: number): void {
    const { charges, vcpus } = this.cpus;
    const { fn, virtual } = vcpus.entry(v);
    charges.overhead(fn.tick);
    if (virtual) charges.overhead(this.exit);
  }

  /** In `end`: a thread whose time is over gives way; ticks stop while the vCPU idles. */
  ended(v: number): void {
    const { vcpus } = this.cpus;
    const { vcpu: c } = vcpus;
    c.ticking[v] = 0;
    if (c.thread[v] === NONE) return;
    if (vcpus.entry(v).policy.tick(v)) c.resched[v] = Resched.now;
    this.arm(v);
  }
}
