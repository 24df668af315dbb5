import type { Kernel } from "../kernel/kernel";
import { NONE } from "../trace/trace";
import type { PcpuView, VcpuParameters, VcpuPolicy } from "./vcpuPolicy";

/**
 * Round robin: one queue of runnable vCPUs for the whole host, first come, first served, each for at most a slice. No
 * priorities and no weights; a vCPU that wakes takes an idle pCPU or waits for its turn, however short its work is.
 */
export class RoundRobinPolicy implements VcpuPolicy {
  readonly tickPeriod = 0;
  readonly accounting = undefined;
  private readonly vcpu;
  private readonly queue;
  private readonly affinity: (readonly number[])[] = [];
  private readonly order: number[] = [];
  private readonly rowOf: number[] = [];

  /** @param timeslice picoseconds */
  constructor(private readonly kernel: Kernel, private readonly host: PcpuView, name: string, private readonly timeslice: number) {
    this.vcpu = kernel.store.table(`round robin: vcpus of ${name}`, { next: "i32", queued: "u8" });
    this.queue = kernel.store.table(`round robin: run queue of ${name}`, { head: "i32", tail: "i32" }, 1);
    this.queue.alloc();
    this.queue.head[0] = this.queue.tail[0] = NONE;
  }

  add(vcpu: number, parameters: VcpuParameters): void {
    const v = this.vcpu.alloc();
    this.rowOf[vcpu] = v;
    this.order.push(vcpu);
    this.affinity.push(parameters.affinity);
    this.vcpu.next[v] = NONE;
  }

  wake(vcpu: number, from: number): void {
    const v = this.rowOf[vcpu]!;
    this.append(v);
    for (let p = 0; p < this.host.count; p++) if (this.host.current(p) === NONE && this.mayRun(v, p)) return this.host.tickle(p, from);
  }

  sleep(vcpu: number, pcpu: number): void {
    const v = this.rowOf[vcpu]!;
    if (pcpu === NONE && this.vcpu.queued[v] === 1) this.remove(v);
  }

  tick(): void {}

  /** The vCPU that ran goes behind the others, if it still has something to do and its slice is over. */
  pick(pcpu: number): { vcpu: number; slice: number } {
    const { host, timeslice } = this;
    const current = host.current(pcpu);
    if (current !== NONE && host.isRunnable(current)) {
      const left = timeslice - (this.kernel.now - host.since(pcpu));
      if (left > 0) return { vcpu: current, slice: left };
      this.append(this.rowOf[current]!);
    }
    const v = this.takeFor(pcpu);
    this.wakeAnother(pcpu);
    return v === NONE ? { vcpu: NONE, slice: 0 } : { vcpu: this.order[v]!, slice: timeslice };
  }

  /** Several may have become runnable before the first pCPU chose: another idle one takes the next. */
  private wakeAnother(pcpu: number): void {
    const { host } = this;
    for (let v = this.queue.head[0]!; v !== NONE; v = this.vcpu.next[v]!) {
      for (let p = 0; p < host.count; p++) if (p !== pcpu && host.current(p) === NONE && this.mayRun(v, p)) return host.tickle(p, pcpu);
    }
  }

  private append(v: number): void {
    const { vcpu, queue } = this;
    if (vcpu.queued[v] === 1) return;
    vcpu.queued[v] = 1;
    vcpu.next[v] = NONE;
    if (queue.tail[0] === NONE) queue.head[0] = v;
    else vcpu.next[queue.tail[0]!] = v;
    queue.tail[0] = v;
  }

  /** Takes the first in the queue that may run on the pCPU. */
  private takeFor(pcpu: number): number {
    let v = this.queue.head[0]!;
    while (v !== NONE && !this.mayRun(v, pcpu)) v = this.vcpu.next[v]!;
    if (v !== NONE) this.remove(v);
    return v;
  }

  private remove(v: number): void {
    const { vcpu, queue } = this;
    let before: number = NONE;
    for (let at = queue.head[0]!; at !== v; at = vcpu.next[at]!) before = at;
    if (before === NONE) queue.head[0] = vcpu.next[v]!;
    else vcpu.next[before] = vcpu.next[v]!;
    if (queue.tail[0] === v) queue.tail[0] = before;
    vcpu.queued[v] = 0;
  }

  private mayRun(v: number, pcpu: number): boolean {
    const allowed = this.affinity[v]!;
    return allowed.length === 0 || allowed.includes(pcpu);
  }

  describe(vcpu: number): string {
    const v = this.rowOf[vcpu]!;
    if (this.vcpu.queued[v] === 0) return "";
    let place = 1;
    for (let at = this.queue.head[0]!; at !== v && at !== NONE; at = this.vcpu.next[at]!) place++;
    return `, number ${place} in the queue`;
  }
}
