import type { CostProfile } from "../profiles/profile";

/** Bytes of a cache line. */
const LINE = 64;
/**
 * Memory that a vCPU uses again and again, and finds cold after it has moved: an eighth of the 1 MB L2 cache of a core.
 * Li, Ding and Shen, "Quantifying the cost of context switch" (ExpCS 2007), find no indirect cost below a few kilobytes, and
 * hundreds of microseconds for what fills the cache; network code is between.
 */
const WORKING_SET = 128 * 1024;
/** Lines on their way at once: line fill buffers of a core (Intel's optimisation manual, Skylake server: 12, of which prefetching leaves about 10). */
const IN_FLIGHT = 10;
/** Lines that go along with a thread: its saved registers and the top of its stack. */
const THREAD_LINES = 4;

/**
 * Where the pCPUs of a host are, and what it costs that they are apart. A node is a socket with its memory; the cores are
 * divided evenly among the nodes, in order, as Linux and Xen number them.
 */
export class Topology {
  readonly threadLines = THREAD_LINES;
  readonly workingSet = WORKING_SET;
  /** Time of a copy from the other node's memory over that from the own, less one. */
  readonly remoteExcess: number;
  /** What a device's access to the other node's memory takes longer, picoseconds: the way between the sockets. */
  readonly hop: number;
  private readonly perNode: number;
  private readonly near: number;
  private readonly far: number;

  constructor(costs: CostProfile, readonly cores: number, readonly nodes: number) {
    this.perNode = Math.max(1, Math.floor(cores / nodes));
    this.near = costs.latency("cache-line transfer, same socket");
    this.far = costs.latency("cache-line transfer, cross socket");
    const local = costs.latency("DRAM, local");
    const remote = costs.latency("DRAM, remote");
    this.hop = remote - local;
    this.remoteExcess = remote / local - 1;
  }

  nodeOf(pcpu: number): number {
    return Math.min(this.nodes - 1, Math.floor(pcpu / this.perNode));
  }

  /** Its first pCPU; that of the node after the last one is the number of pCPUs. */
  firstOf(node: number): number {
    return node >= this.nodes ? this.cores : Math.min(this.cores, node * this.perNode);
  }

  /** Time until a pCPU has `lines` cache lines that another one wrote last, one after the other, picoseconds. */
  transfer(from: number, to: number, lines: number): number {
    if (from === to) return 0;
    return lines * (this.nodeOf(from) === this.nodeOf(to) ? this.near : this.far);
  }

  /** Time that filling the caches of `to` again takes for what ran on `from` last, picoseconds. */
  refill(from: number, to: number): number {
    return Math.round(this.transfer(from, to, WORKING_SET / LINE) / IN_FLIGHT);
  }
}
