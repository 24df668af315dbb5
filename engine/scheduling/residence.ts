import { NONE } from "../trace/trace";
import type { CpuParts } from "./cpuParts";
import type { Dispatcher } from "./dispatcher";
import { VcpuState } from "./vcpus";

/** A vCPU gets a pCPU and loses it, as its hypervisor says; what it was at in between goes on when it has one again, with cold caches where that is another. */
export class Residence {
  constructor(private readonly cpus: CpuParts, private readonly dispatcher: Dispatcher) {}

  /** The vCPU has a pCPU from now on. */
  resume(v: number, pcpu: number): void {
    const { vcpus, work, kernel } = this.cpus;
    const { vcpu: c } = vcpus;
    this.arrive(v, pcpu);
    c.state[v] = VcpuState.running;
    c.since[v] = kernel.now;
    c.kicked[v] = 0;
    c.lastRow[v] = kernel.cause;
    this.dispatcher.idling.releaseLock(v);
    if (c.work[v] !== NONE) return void work.proceed(c.work[v]!);
    this.dispatcher.enter(v);
  }

  /** A vCPU on another pCPU than before finds the caches cold; where it runs first is where its domain's memory is. */
  private arrive(v: number, pcpu: number): void {
    const { vcpus } = this.cpus;
    const { vcpu: c, counts } = vcpus;
    const domain = vcpus.domainOf[v]!;
    const { topology } = vcpus.entry(v);
    const last = c.lastPcpu[v]!;
    c.pcpu[v] = c.lastPcpu[v] = pcpu;
    if (counts.node[domain] === NONE) counts.node[domain] = topology.nodeOf(pcpu);
    if (last === pcpu || last === NONE) return;
    c.cold[v] = topology.refill(last, pcpu);
    counts.migrations[domain]!++;
    const thread = c.thread[v]!;
    const unfinished = thread === NONE ? NONE : this.cpus.threads.thread.work[thread]!;
    if (unfinished !== NONE) this.move(unfinished, v, thread);
  }

  /** What is half done meets the cold cache too: rows of what was done where the vCPU was, and the refill before the rest. */
  private move(w: number, v: number, thread: number): void {
    const { work, kernel } = this.cpus;
    this.dispatcher.split(w, v, thread);
    work.goOn(w, v, kernel.cause);
    work.takeBackMove(w);
    const owes = this.cpus.vcpus.vcpu.owed[v]! > 0;
    const added = this.dispatcher.moves.lead(w, v, thread, NONE, false);
    if (!owes) work.noteMove(w, added);
  }

  /** The hypervisor takes the vCPU's pCPU, for itself or another; the vCPU stays runnable. */
  suspend(v: number): void {
    const { vcpus, work, kernel } = this.cpus;
    const { vcpu: c } = vcpus;
    const { idleLock } = vcpus.entry(v);
    if (idleLock !== NONE && this.dispatcher.idling.holdsLock(v)) this.cpus.locks.acquire(idleLock, v);
    if (c.idle[v] === 1) this.dispatcher.idling.end(v);
    c.ran[v]! += kernel.now - c.since[v]!;
    c.state[v] = VcpuState.runnable;
    c.pcpu[v] = NONE;
    this.dispatcher.pauseThread(v);
    if (c.work[v] !== NONE) work.pause(c.work[v]!);
    if (c.idlePoll[v] === NONE) return;
    this.dispatcher.idling.cancelPoll(v);
    this.dispatcher.offer(v);
  }
}
