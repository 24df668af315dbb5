import type { Store } from "../kernel/state";
import { NONE } from "../trace/trace";
import type { PcpuView } from "./vcpuPolicy";

/** What is known of the vCPUs that are to be placed. */
export interface Placed {
  /** By vCPU: whose run queue it is in, or was last. */
  readonly pcpu: Uint16Array;
}

/** Which vCPU may run where, and where any waits. */
export interface Queues {
  mayRun(v: number, pcpu: number): boolean;
  isEmpty(pcpu: number): boolean;
}

/** A node's idle pCPUs have to be so many times those of the own before a vCPU leaves it for them: `migrate_factor` of `_csched_cpu_pick`. */
const MIGRATE_FACTOR = 2;

/**
 * Where a vCPU is to run, by which pCPUs idle: `__runq_tickle` and `_csched_cpu_pick` of xen/common/sched_credit.c, Xen 4.10. Soft affinity comes before hard
 * affinity; xl sets it to the nodes that a domain has its memory on, and here it is the node that a vCPU has run on last. A node is a socket, and each core has one thread, so
 * that no two pCPUs of a node differ.
 */
export class CreditPlacement {
  /** By pCPU: the one that it chose last for a vCPU that woke there (`last_tickle_cpu`), and the one that a vCPU came to which left its node for this (`idle_bias`). */
  private readonly last;
  /** Never outlives a call: pCPUs that idle, and those of them that are left to choose from. */
  private readonly idle: Uint8Array;
  private readonly left: Uint8Array;

  constructor(store: Store, name: string, private readonly host: PcpuView, private readonly vcpu: Placed, private readonly queues: Queues) {
    const last = store.table(`credit: idle pcpus of ${name}`, { tickled: "u16", bias: "u16" });
    this.last = last;
    for (let p = 0; p < host.count; p++) {
      const row = last.alloc();
      last.bias[row] = host.count - 1;
    }
    this.idle = new Uint8Array(host.count);
    this.left = new Uint8Array(host.count);
  }

  /** An idle pCPU for a vCPU that wakes, of its own node if there is one; of several the next in turn after the one that the pCPU `from` chose last. */
  idlerFor(v: number, from: number): number {
    const { count, topology } = this.host;
    const { tickled } = this.last;
    const own = topology.nodeOf(this.vcpu.pcpu[v]!);
    let found: number = NONE;
    for (let k = 1; k <= count; k++) {
      const p = (tickled[from]! + k) % count;
      if (!this.host.isIdler(p) || !this.queues.mayRun(v, p)) continue;
      const isNear = topology.nodeOf(p) === own;
      if (isNear || found === NONE) found = p;
      if (isNear) break;
    }
    if (found !== NONE) tickled[from] = found;
    return found;
  }

  /** Whether any pCPU idles that the vCPU may run on. */
  hasIdlerFor(v: number): boolean {
    for (let p = 0; p < this.host.count; p++) if (this.host.isIdler(p) && this.queues.mayRun(v, p)) return true;
    return false;
  }

  /**
   * `_csched_cpu_pick`: the pCPU that a vCPU had best run on. Its own counts as idle while nobody waits for it.
   * @param commit it goes there: of several the next in turn is another the next time
   */
  place(v: number, commit: boolean): number {
    const { topology } = this.host;
    if (topology.nodes > 1) {
      const near = this.among(v, topology.nodeOf(this.vcpu.pcpu[v]!), commit);
      if (this.idle[near] === 1) return near;
    }
    return this.among(v, NONE, commit);
  }

  /** @param node whose pCPUs are looked at; −1: all */
  private among(v: number, node: number, commit: boolean): number {
    const { host: { count, topology }, idle, left, last: { bias } } = this;
    const home = this.vcpu.pcpu[v]!;
    for (let p = 0; p < count; p++) {
      idle[p] = this.host.isIdler(p) || (p === home && this.queues.isEmpty(p)) ? 1 : 0;
      left[p] = idle[p] === 1 && (node === NONE || topology.nodeOf(p) === node) && this.queues.mayRun(v, p) ? 1 : 0;
    }
    let best = home;
    if (left[best] === 0) {
      const other = this.after(best, NONE);
      if (other !== NONE) best = other;
    }
    left[best] = 0;
    let turn: number = NONE;
    for (let other = this.after(best, NONE); other !== NONE; other = this.after(best, NONE)) {
      const there = topology.nodeOf(other);
      if (there === topology.nodeOf(best)) {
        left[other] = 0;
      } else if (this.idleOn(topology.nodeOf(best)) * MIGRATE_FACTOR < this.idleOn(there)) {
        turn = other;
        best = this.after(bias[other]!, there);
        left[best] = 0;
      } else {
        for (let p = topology.firstOf(there); p < topology.firstOf(there + 1); p++) left[p] = 0;
      }
    }
    if (commit && turn !== NONE) bias[turn] = best;
    return best;
  }

  /** The next of those that are left, after a pCPU and in a circle; −1: there is none. @param node of which; −1: any */
  private after(pcpu: number, node: number): number {
    const { count, topology } = this.host;
    for (let k = 1; k <= count; k++) {
      const p = (pcpu + k) % count;
      if (this.left[p] === 1 && (node === NONE || topology.nodeOf(p) === node)) return p;
    }
    return NONE;
  }

  private idleOn(node: number): number {
    const { topology } = this.host;
    let count = 0;
    for (let p = topology.firstOf(node); p < topology.firstOf(node + 1); p++) count += this.idle[p]!;
    return count;
  }
}
