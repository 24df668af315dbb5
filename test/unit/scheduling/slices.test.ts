import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { runDesign } from "../../support/runDesign";

const sample = readFileSync("samples/scheduling/slices.exo.yaml", "utf8");

describe("a web server among busy neighbours, four vCPUs on two pCPUs", () => {
  const usual = runDesign(sample).report;
  const web = (r: typeof usual): { share: number; p99: number; max: number; throughput: number } => ({
    share: r.domains.find((d) => d.domain === "server/web")!.busy / (2 * r.time),
    p99: r.workloads[0]!.latency.p99, max: r.workloads[0]!.latency.max, throughput: r.workloads[0]!.throughput,
  });

  it("gets the share of its weight", () => {
    assert.ok(Math.abs(web(usual).share - 0.25) < 0.02, `${web(usual).share}`);
    // Long enough for the first accounting periods, in which credits are even, not to matter.
    const heavier = web(runDesign(sample.replace("kind: vm\n        vcpus: 1", "kind: vm\n        vcpus: 1\n        weight: 512").replace("until: 500ms", "until: 2s")).report);
    assert.ok(Math.abs(heavier.share - 0.4) < 0.03, `${heavier.share}`);
    assert.ok(heavier.throughput > 1.4 * web(usual).throughput);
  });

  it("waits as long as the slice: a shorter one makes the longest wait shorter and met by more requests", () => {
    const shorter = web(runDesign(sample.replace("timeslice: 30ms", "timeslice: 3ms")).report);
    assert.ok(web(usual).max > 25e9 && web(usual).max < 65e9, `${web(usual).max}`);
    assert.ok(shorter.max > 2e9 && shorter.max < 7e9, `${shorter.max}`);
    assert.ok(shorter.p99 > 5 * web(usual).p99, `${shorter.p99} and ${web(usual).p99}`);
  });
});
