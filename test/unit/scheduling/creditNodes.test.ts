import assert from "node:assert/strict";
import { Kernel } from "../../../engine/kernel/kernel";
import { CostProfile } from "../../../engine/profiles/profile";
import { CreditPolicy } from "../../../engine/scheduling/credit";
import type { PcpuView } from "../../../engine/scheduling/vcpuPolicy";
import { Topology } from "../../../engine/scheduling/topology";

const NONE = -1;

/** Four pCPUs, two to a node, and nothing but who has them. */
class Pcpus implements PcpuView {
  readonly count = 4;
  readonly running = [NONE, NONE, NONE, NONE];
  readonly sleeping = new Set<number>();
  tickled: number[] = [];
  constructor(readonly topology: Topology) {}
  current = (p: number): number => this.running[p]!;
  isIdler = (p: number): boolean => this.running[p] === NONE && !this.tickled.includes(p);
  since = (): number => 0;
  isRunnable = (vcpu: number): boolean => !this.sleeping.has(vcpu);
  tickle = (p: number): void => void this.tickled.push(p);
}

/** `vcpus` vCPUs at home on pCPUs 0, 1, 2, 3, 0, 1, …: the first of each pCPU runs, the others wait for it. */
function host(vcpus: number): { pcpus: Pcpus; policy: CreditPolicy; next: (p: number) => number } {
  const kernel = new Kernel(1, false);
  const pcpus = new Pcpus(new Topology(new CostProfile("xeon-4114-82599", kernel.names.functions), 4, 2));
  const policy = new CreditPolicy(kernel, pcpus, "h", 30e9, 0);
  for (let v = 0; v < vcpus; v++) policy.add(v, { domain: v, weight: 256, cap: 0, affinity: [] });
  for (let v = 0; v < vcpus; v++) policy.wake(v, NONE);
  for (let p = 0; p < 4; p++) pcpus.running[p] = policy.pick(p).vcpu;
  /** What the pCPU takes when the vCPU that it has goes to sleep. */
  const next = (p: number): number => {
    const before = pcpus.running[p]!;
    pcpus.running[p] = NONE;
    pcpus.sleeping.add(before);
    policy.sleep(before, p);
    pcpus.running[p] = policy.pick(p).vcpu;
    return pcpus.running[p];
  };
  pcpus.tickled = [];
  return { pcpus, policy, next };
}

describe("the credit scheduler on two nodes", () => {
  it("takes work from its own node first, and then from the pCPU after the one that it took from last", () => {
    const { next } = host(12);
    // Its own two first, then those of pCPU 2, then of pCPUs 1 and 0 in turn.
    assert.deepEqual([next(3), next(3), next(3), next(3), next(3), next(3), next(3), next(3)], [7, 11, 6, 10, 5, 4, 9, 8]);
  });

  it("takes nothing from an idle pCPU, which is about to take it itself", () => {
    const { pcpus, next } = host(7);
    pcpus.running[2] = NONE;
    assert.equal(next(3), 5);
  });

  it("wakes a vCPU on an idle pCPU of its own node, and on the other node only where there is none", () => {
    const { pcpus, policy } = host(8);
    pcpus.running[0] = pcpus.running[2] = NONE;
    for (const v of [4, 5, 6, 7]) policy.sleep(v, NONE);
    policy.wake(7, NONE);
    pcpus.running[2] = 2;
    policy.sleep(7, NONE);
    policy.wake(7, NONE);
    assert.deepEqual(pcpus.tickled, [2, 0]);
  });
});
