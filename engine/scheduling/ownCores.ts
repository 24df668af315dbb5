/**
 * Gives a vCPU a pCPU of its own: the first free one that it may run on; where none is, one whose vCPU can go to another, as far as that goes (an
 * augmenting path of a bipartite matching). So one is found wherever all can have one, and none moves where the first free one does.
 * @param homes the vCPU of each pCPU, or undefined: changed
 * @param affinityOf pCPUs that a vCPU may run on; empty: any
 * @returns false, and nothing changes, where there is none
 */
export function giveCore(vcpu: number, homes: (number | undefined)[], cores: number, affinityOf: (vcpu: number) => readonly number[], tried = new Set<number>()): boolean {
  const affinity = affinityOf(vcpu);
  const usable = Array.from({ length: cores }, (_, p) => p).filter((p) => affinity.length === 0 || affinity.includes(p));
  const free = usable.find((p) => homes[p] === undefined);
  if (free !== undefined) {
    homes[free] = vcpu;
    return true;
  }
  for (const p of usable) {
    if (tried.has(p)) continue;
    tried.add(p);
    if (!giveCore(homes[p]!, homes, cores, affinityOf, tried)) continue;
    homes[p] = vcpu;
    return true;
  }
  return false;
}
