import { sharedThread, type DomainPlace, type Machine } from "../machine/machine";
import { ANY } from "../scheduling/threads";

/**
 * The threads that do what nobody's thread asked a stack for, one on each vCPU of its domain: Linux takes frames through the stack in the poll of the CPU
 * whose queue they are on (`net_rx_action`, net/core/dev.c; Documentation/networking/scaling.rst), and a rump kernel has soft interrupts of each
 * CPU's own (`softint_init`, sys/rump/librump/rumpkern/intr.c), of which `pktq_enqueue` takes that of the CPU that it is called on (`_RUMPKERNEL`,
 * sys/net/pktqueue.c). A kernel of NetBSD 8 has those too, and uses the first one's for IP unless it is built with NET_MPSAFE: "No distribution yet; the softnet_lock
 * contention must be eliminated first" (`pktq_rps_hash`, ibid.). A stack in a process has one thread, which any vCPU may run.
 */
export class SoftInterrupts {
  /** Of what no vCPU stands for. */
  readonly first: number;
  /** By the vCPU's number in the domain. */
  readonly threads: readonly number[];
  /** From the one with the least number on, by thread: 1 for each of them. Wiring, no state. */
  private readonly isOne: Uint8Array;
  private readonly least: number;

  constructor(private readonly machine: Machine, private readonly domain: DomainPlace) {
    const name = domain.system === "rump" ? "softint-net" : "ksoftirqd";
    const inKernel = domain.kernel === undefined;
    this.first = inKernel ? softInterrupt(machine, domain, name, 0) : sharedThread(machine, domain, name);
    const count = inKernel && domain.locking !== "netbsd" ? machine.cpus.vcpusOf(domain.id).length : 1;
    this.threads = Array.from({ length: count }, (_, v) => (v === 0 ? this.first : softInterrupt(machine, domain, name, v)));
    this.least = Math.min(...this.threads);
    this.isOne = new Uint8Array(Math.max(...this.threads) - this.least + 1);
    for (const thread of this.threads) this.isOne[thread - this.least] = 1;
  }

  /** In `begin` or `end`: which of them is on the vCPU of this work, by its number; 0 where that is none of the domain's. */
  get index(): number {
    return this.threads.length === 1 ? 0 : Math.max(0, this.machine.cpus.indexIn(this.domain.id));
  }

  /**
   * The one that what comes up now goes on in. A thread that any vCPU may run hands in the frames of one flow now here and now there: for all that it hands in
   * there is one, so that their order stays.
   */
  get here(): number {
    if (this.threads.length === 1) return this.first;
    const { currentThread, threads } = this.machine.cpus;
    return currentThread >= 0 && threads.thread.affinity[currentThread] === ANY ? this.first : this.threads[this.index]!;
  }

  /** Whether the thread is one of them. */
  has(thread: number): boolean {
    const at = thread - this.least;
    return at >= 0 && at < this.isOne.length && this.isOne[at] === 1;
  }
}

/** A thread of a vCPU's own that soft interrupts run in, by name. */
export function softInterrupt(machine: Machine, domain: DomainPlace, name: string, vcpu: number): number {
  return sharedThread(machine, domain, vcpu === 0 ? name : `${name}-${vcpu}`, vcpu, "soft interrupt");
}
