import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDesign } from "../../../engine/design/parse";
import { giveCore } from "../../../engine/scheduling/ownCores";
import { runDesign } from "../../support/runDesign";

/** The pCPU of each vCPU, or −1, given in order. */
function place(cores: number, affinities: readonly (readonly number[])[]): number[] {
  const homes: (number | undefined)[] = [];
  affinities.forEach((_, v) => giveCore(v, homes, cores, (vcpu) => affinities[vcpu]!));
  return affinities.map((_, v) => homes.indexOf(v));
}

/** Each takes the first free one that it may run on, and stays there. */
function firstFit(cores: number, affinities: readonly (readonly number[])[]): number[] {
  const taken: number[] = [];
  return affinities.map((affinity) => {
    const p = Array.from({ length: cores }, (_, i) => i).find((i) => !taken.includes(i) && (affinity.length === 0 || affinity.includes(i))) ?? -1;
    if (p >= 0) taken.push(p);
    return p;
  });
}

/** As many as can have one at once, by trying all. */
function most(cores: number, affinities: readonly (readonly number[])[], taken = 0): number {
  const [affinity, ...rest] = affinities;
  if (affinity === undefined) return 0;
  let best = most(cores, rest, taken);
  for (let p = 0; p < cores; p++) {
    if ((taken >> p) % 2 === 0 && (affinity.length === 0 || affinity.includes(p))) best = Math.max(best, 1 + most(cores, rest, taken | (1 << p)));
  }
  return best;
}

const design = (cores: number, scheduler: string, ...domains: string[]): string => `exoscope: 1
hosts:
  server:
    cpu: { cores: ${cores} }${scheduler === "none" ? "" : `\n    hypervisor: { model: xen, scheduler: ${scheduler} }`}
    domains:
${domains.map((keys, i) => `      ${"abc"[i]!}: { kind: ${scheduler === "none" ? "kernel" : "vm"}, ${keys}, components: [compute] }`).join("\n")}
run: { until: 10ms }
`;

describe("pCPUs of vCPUs that have one each", () => {
  const affinities = fc.array(fc.uniqueArray(fc.nat(4), { maxLength: 3 }), { maxLength: 5 });

  it("are those that are found first where that gives each one", () => {
    assert.deepEqual(place(3, [[], [2], []]), [0, 2, 1]);
    fc.assert(fc.property(affinities, (of) => {
      const first = firstFit(5, of);
      if (!first.includes(-1)) assert.deepEqual(place(5, of), first);
    }));
  });

  it("are found for as many as can have one at once, and one that has one keeps one", () => {
    assert.deepEqual(place(2, [[], [0]]), [1, 0]);
    assert.deepEqual(place(3, [[], [0, 1], [0]]), [2, 1, 0]);
    assert.deepEqual(place(4, [[0], [0]]), [0, -1]);
    fc.assert(fc.property(affinities, (of) => {
      const placed = place(4, of);
      const given = placed.filter((p) => p >= 0);
      assert.equal(new Set(given).size, given.length);
      placed.forEach((p, v) => assert.ok(p < 0 || of[v]!.length === 0 || of[v]!.includes(p)));
      assert.equal(given.length, most(4, of));
    }));
  });

  for (const scheduler of ["pinned", "none"]) {
    it(`are there for all where a later domain's affinity wants what an earlier one could do without: ${scheduler === "none" ? "bare metal" : scheduler}`, () => {
      const { report } = runDesign(design(2, scheduler, "vcpus: 1", "vcpus: 1, affinity: [0]"));
      for (const domain of ["server/a", "server/b"]) assert.ok(report.domains.find((d) => d.domain === domain)!.utilisation > 0.99, domain);
    });
  }

  it("are missed where they are: by a domain that may run on none that is left", () => {
    const { problems } = parseDesign(design(8, "pinned", "vcpus: 1, affinity: [3]", "vcpus: 1", "vcpus: 1, affinity: [3]"));
    assert.deepEqual(problems.map(({ code, message }) => [code, message]), [
      ["too-few-cores", "The pinned scheduler gives every vCPU a pCPU of its own, and none that server/c may run on is left for it. Name more pCPUs in its “affinity”, or lower “vcpus”."],
    ]);
  });
});
