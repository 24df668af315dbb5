import type { Topology } from "./topology";

/** What a policy knows of its host. pCPUs are numbered from 0 within the host. */
export interface PcpuView {
  readonly count: number;
  readonly topology: Topology;
  /** The vCPU that has the pCPU (also while it is being switched to), or −1. */
  current(pcpu: number): number;
  /** Nobody has it, and it has not been asked to choose either: a bit of Xen's `prv->idlers`, which `__runq_tickle` clears. */
  isIdler(pcpu: number): boolean;
  /** When it got it, picoseconds. */
  since(pcpu: number): number;
  isRunnable(vcpu: number): boolean;
  /** Raises the scheduling softirq of a pCPU, which chooses anew then. @param from the pCPU that does so; −1: none of the host's */
  tickle(pcpu: number, from: number): void;
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

/** What a policy does for all of its host together, every now and then. */
export interface Accounting {
  /** Picoseconds. */
  readonly period: number;
  /** What it goes through one by one. */
  readonly activeVcpus: number;
  readonly activeDomains: number;
  /** @param pcpu that does it */
  account(pcpu: number): void;
}

/** A scheduler of vCPUs over pCPUs. A further one is one file beside `credit.ts`. */
export interface VcpuPolicy {
  add(vcpu: number, parameters: VcpuParameters): void;
  /** The vCPU became runnable. @param from the pCPU on which that happened; −1: none of the host's */
  wake(vcpu: number, from: number): void;
  /** The vCPU gave up its pCPU and sleeps. @param pcpu −1: it was waiting for one, and does no longer */
  sleep(vcpu: number, pcpu: number): void;
  /** Chooses for a pCPU; the current vCPU, if still runnable, is a candidate. */
  pick(pcpu: number): { readonly vcpu: number; /** Longest run, picoseconds; 0: no limit. */ readonly slice: number };
  /** Period of `tick` on every pCPU, picoseconds; 0: none. */
  readonly tickPeriod: number;
  tick(pcpu: number): void;
  /** Undefined: there is none. */
  readonly accounting: Accounting | undefined;
  describe(vcpu: number): string;
}
