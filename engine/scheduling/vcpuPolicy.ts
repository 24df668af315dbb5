import type { Topology } from "./topology";

/** What a policy knows of its host. pCPUs are numbered from 0 within the host. */
export interface PcpuView {
  readonly count: number;
  readonly topology: Topology;
  /** The vCPU that has the pCPU (also while it is being switched to), or −1. */
  current(pcpu: number): number;
  /** When it got it, picoseconds. */
  since(pcpu: number): number;
  isRunnable(vcpu: number): boolean;
  /** Makes the pCPU choose anew, as the scheduling softirq does. */
  tickle(pcpu: number): void;
}

export interface VcpuParameters {
  readonly domain: number;
  /** Weight and cap are the domain's. */
  readonly weight: number;
  /** Percent of one pCPU that all vCPUs of the domain get together (xl.cfg(5)); 0: no limit. */
  readonly cap: number;
  /** pCPUs it may run on; empty: any. */
  readonly affinity: readonly number[];
}

/** A scheduler of vCPUs over pCPUs. A further one is one file beside `credit.ts`. */
export interface VcpuPolicy {
  add(vcpu: number, parameters: VcpuParameters): void;
  /** The vCPU became runnable. */
  wake(vcpu: number): void;
  /** The vCPU gave up its pCPU and sleeps. @param pcpu −1: it was waiting for one, and does no longer */
  sleep(vcpu: number, pcpu: number): void;
  /** Chooses for a pCPU; the current vCPU, if still runnable, is a candidate. */
  pick(pcpu: number): { readonly vcpu: number; /** Longest run, picoseconds; 0: no limit. */ readonly slice: number };
  /** Period of `tick` on every pCPU, picoseconds; 0: none. */
  readonly tickPeriod: number;
  tick(pcpu: number): void;
  describe(vcpu: number): string;
}
