import assert from "node:assert/strict";
import { runDesign } from "../../support/runDesign";

interface Busy {
  readonly weights?: readonly number[];
  readonly cap?: number;
  readonly timeslice?: string;
  readonly cores?: number;
}

/** Four busy vCPUs of four domains on two pCPUs. @returns CPU time of each domain as a share of all */
function shares({ weights = [256, 256, 256, 256], cap = 0, timeslice = "30ms", cores = 2 }: Busy): { shares: number[]; seconds: number[]; switches: number } {
  const domains = weights.map((weight, i) =>
    `      d${i}: { kind: vm, vcpus: 1, weight: ${weight}${i === 0 && cap > 0 ? `, cap: ${cap}` : ""}, components: [ compute ] }`);
  const { report } = runDesign([
    "exoscope: 1", "name: busy", "profile: xeon-4114-82599", "hosts:", "  server:", `    cpu: { cores: ${cores} }`,
    `    hypervisor: { model: xen, scheduler: credit, timeslice: ${timeslice}, ratelimit: 1ms }`, "    domains:", ...domains, "run: { until: 6s, seed: 1 }", "",
  ].join("\n"));
  const seconds = report.domains.map((d) => d.busy / 1e12);
  const all = seconds.reduce((a, b) => a + b, 0);
  return { shares: seconds.map((s) => s / all), seconds, switches: report.tallies["vCPU switch"]! };
}

describe("credit scheduler", () => {
  it("shares two pCPUs equally among four busy vCPUs of equal weight", () => {
    for (const share of shares({}).shares) assert.ok(Math.abs(share - 0.25) < 0.01, `${share}`);
  });

  it("shares by weight", () => {
    const [a, b, c, d] = shares({ weights: [512, 256, 256, 256] }).shares as [number, number, number, number];
    assert.ok(Math.abs(a - 0.4) < 0.015, `${a}`);
    for (const share of [b, c, d]) assert.ok(Math.abs(share - 0.2) < 0.015, `${share}`);
  });

  it("gives no vCPU more than a pCPU, whatever its weight", () => {
    const { seconds } = shares({ weights: [65535, 256, 256, 256] });
    assert.ok(seconds[0]! <= 6 && seconds[0]! > 5.8, `${seconds[0]}`);
  });

  it("holds a cap", () => {
    const { seconds } = shares({ cap: 20 });
    assert.ok(Math.abs(seconds[0]! / 6 - 0.2) < 0.02, `${seconds[0]}`);
  });

  for (const cap of [50, 150]) {
    it(`holds a cap of ${cap} % for the vCPUs of a domain together`, () => {
      const { report } = runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    hypervisor: { model: xen, scheduler: credit }
    domains:
      capped: { vcpus: 2, cap: ${cap}, components: [ compute: { threads: 2 } ] }
      free: { vcpus: 2, components: [ compute: { threads: 2 } ] }
run: { until: 3s }
`);
      const [capped, free] = report.domains.map(({ busy }) => busy / 3e12) as [number, number];
      // A slice of each vCPU more at most: no credits are missing before the first accounting.
      assert.ok(capped > cap / 100 - 0.02 && capped < cap / 100 + 0.021, `${capped}`);
      assert.ok(free > 1.99, `${free}`);
    });
  }

  it("hands on what a capped domain cannot take, by the others' weights", () => {
    const { seconds } = shares({ weights: [2048, 768, 512, 256], cap: 20 });
    // To within a few slices: priorities tell at the end of one, and not as soon as they change.
    for (const [d, of] of [0.2, 0.9, 0.6, 0.3].entries()) assert.ok(Math.abs(seconds[d]! / 6 - of) < 0.04, `${seconds}`);
  });

  it("switches more often with a shorter slice", () => {
    const long = shares({ timeslice: "30ms" });
    const short = shares({ timeslice: "3ms" });
    assert.ok(short.switches > 5 * long.switches, `${short.switches} and ${long.switches}`);
  });

  it("leaves nothing idle that could run: all pCPU time but the switches is used", () => {
    const { seconds } = shares({});
    const all = seconds.reduce((a, b) => a + b, 0);
    assert.ok(all > 11.9 && all <= 12, `${all}`);
  });
});
