import { NONE } from "../trace/trace";
import type { Cpus } from "./cpus";

/** What CPUs were busy with until some instant, the work that is under way then included: for reports. Picoseconds. */
export class CpuTimes {
  constructor(private readonly cpus: Cpus) {}

  /** The domain's threads with the CPU time that each has spent on work. */
  ofThreads(domain: number, now = this.now): { readonly thread: string; readonly busy: number }[] {
    const { kernel, contextOfThread } = this.cpus;
    return this.cpus.vcpus.threadsOf(domain).map((thread) => ({ thread: kernel.names.contexts[contextOfThread[thread]!]!.path, busy: this.ofThread(thread, now) }));
  }

  /** What the domain's vCPUs spent on work, or spinning instead of halting; of a process, what its threads did, in the kernel as well. */
  ofDomain(domain: number, now = this.now): number {
    const { vcpus: { domains, vcpu: c }, threads: { thread: { work } } } = this.cpus;
    const { path, vcpus, threads, kernel } = domains[domain]!;
    if (kernel !== domain) return threads.reduce((sum, thread) => sum + this.ofThread(thread, now), 0);
    let sum = 0;
    for (const v of vcpus) sum += c.busy[v]! + this.underWayOn(v, now);
    for (const thread of threads) sum += this.underWay(work[thread]!, now);
    for (const process of this.cpus.vcpus.processesOf(domain)) {
      const other = domains[process]!;
      for (const thread of other.threads) sum += this.underWay(work[thread]!, now);
      if (other.path !== path) sum -= this.ofDomain(process, now);
    }
    return sum;
  }

  private get now(): number {
    return this.cpus.kernel.now;
  }

  private ofThread(thread: number, now: number): number {
    const { thread: { busy, work } } = this.cpus.threads;
    return busy[thread]! + this.underWay(work[thread]!, now);
  }

  /** What a piece of work that has not ended has taken so far. */
  private underWay(w: number, now: number): number {
    return w === NONE ? 0 : this.cpus.work.ranSince(w, now);
  }

  /** What a vCPU has done beside threads' work, and no row says yet: an interrupt's work, or the spinning of one that idles. */
  private underWayOn(v: number, now: number): number {
    const { vcpu: c } = this.cpus;
    if (c.work[v] !== NONE) return this.underWay(c.work[v]!, now);
    return c.idle[v] === 1 && this.cpus.dispatcher.idling.burns(v) ? now - c.idleSince[v]! : 0;
  }
}
