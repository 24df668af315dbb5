import { Priority } from "../kernel/queue";
import { NONE } from "../trace/trace";
import { CpuOp, type CpuParts } from "./cpuParts";
import { OP, OWNER } from "./workSlot";

/** Longest time that one row can say, picoseconds: its cost is a 32-bit number. */
const LONGEST_ROW = 4e9;

/** What a vCPU does that idles without halting: it looks for work again and again, under a lock where its system has one for that. */
export class Idling {
  constructor(private readonly cpus: CpuParts) {}

  cancelPoll(v: number): void {
    const { vcpu: c } = this.cpus.vcpus;
    if (c.idlePoll[v] !== NONE) this.cpus.kernel.cancel(c.idlePoll[v]!);
    c.idlePoll[v] = NONE;
  }

  /** Idling ends. Where it kept the pCPU busy, rows say so. */
  end(v: number): void {
    const { vcpus, kernel, locks } = this.cpus;
    const { vcpu: c } = vcpus;
    const { policy, idleLock } = vcpus.entry(v);
    const stuck = c.stuckSince[v]!;
    const burned = this.burns(v);
    c.idle[v] = 0;
    c.stuckSince[v] = 0;
    if (!burned) return;
    const { cause } = kernel;
    this.markBusy(v, policy.idleFn, false, c.idleSince[v]!, stuck > 0 ? stuck : kernel.now);
    if (stuck > 0) {
      this.markBusy(v, locks.spinFn(idleLock), true, stuck, kernel.now);
      locks.leave(idleLock);
    }
    kernel.cause = cause;
  }

  /** Whether a vCPU that idles keeps its pCPU busy: it looks for work again and again, or spins for the lock of idling. */
  burns(v: number): boolean {
    const { idle, policy } = this.cpus.vcpus.entry(v);
    return idle === "spin" || policy.polls || this.cpus.vcpus.vcpu.stuckSince[v]! > 0;
  }

  private markBusy(v: number, fn: number, spins: boolean, from: number, to: number): void {
    const { vcpus, kernel, costs } = this.cpus;
    const { component, idleLock } = vcpus.entry(v);
    for (let begin = from; begin < to; begin += LONGEST_ROW) {
      const time = Math.min(LONGEST_ROW, to - begin);
      kernel.mark(fn, component, vcpus.contextOf[v]!, begin, time, NONE, spins ? idleLock : Math.round(time / costs.of(fn, 0)), 0, v);
    }
    vcpus.vcpu.busy[v]! += to - from;
  }

  // --- The lock of idling -------------------------------------------------------------------------------------------

  /** Whether the instant at which the vCPU loses its pCPU is within the lock's part of a round. */
  holdsLock(v: number): boolean {
    const { vcpus, kernel, costs, work } = this.cpus;
    const { vcpu: c } = vcpus;
    const { policy, vcpus: all } = vcpus.entry(v);
    if (all.length < 2 || c.stuckSince[v]! > 0) return false;
    const w = c.work[v]!;
    if (w !== NONE) return work.get(w, OWNER) === this.cpus.id && work.get(w, OP) === CpuOp.halt && work.ranSince(w) < policy.idleLock!;
    return c.idle[v] === 1 && (kernel.now - c.idleSince[v]!) % costs.of(policy.idleFn, 0) < policy.idleLock!;
  }

  /** A vCPU that has no pCPU holds the lock that an idle one needs in order to look for work. */
  isStuck(v: number): boolean {
    const { idleLock } = this.cpus.vcpus.entry(v);
    if (idleLock === NONE) return false;
    const holder = this.cpus.locks.holder(idleLock);
    return holder !== NONE && holder !== v;
  }

  spinForLock(v: number): void {
    const { vcpus, kernel, locks } = this.cpus;
    locks.contend(vcpus.entry(v).idleLock);
    vcpus.vcpu.idle[v] = 1;
    vcpus.vcpu.idleSince[v] = vcpus.vcpu.stuckSince[v] = kernel.now;
  }

  /** The holder is back, and lets it go: those that spin look again. */
  releaseLock(v: number): void {
    const { vcpus, kernel, costs, locks } = this.cpus;
    const { idleLock, vcpus: all, policy } = vcpus.entry(v);
    if (idleLock === NONE || locks.holder(idleLock) !== v) return;
    locks.release(idleLock);
    const { vcpu: c } = vcpus;
    for (const other of all) {
      if (c.stuckSince[other] === 0 || c.idlePoll[other] !== NONE) continue;
      c.idlePoll[other] = kernel.schedule(costs.of(policy.idleFn, 0), Priority.cpu, this.cpus.id, CpuOp.idlePoll, other);
    }
  }
}
