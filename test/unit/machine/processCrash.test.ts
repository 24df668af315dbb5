import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { report, type RunReport } from "../../../engine/analysis/report";
import { createEngine } from "../../../engine/create";
import { designOf } from "../../support/runDesign";

const MOST = 120_000;

/** A sample of placement, with a fault in its middle. */
function withFault(sample: string, fault: string): RunReport {
  const text = readFileSync(`samples/placement/${sample}.exo.yaml`, "utf8");
  const engine = createEngine(designOf(text.replace(/until: [0-9.]+m?s/, "until: 4s").replace(/^run:/m, `faults: [{ at: 12ms, ${fault} }]\nrun:`)));
  for (let i = 0; i < MOST && engine.dispatch(); i++);
  return report(engine);
}

describe("a crash among processes", () => {
  it("a kernel takes its processes with it, and starts them again", () => {
    for (const sample of ["monolithic-linux", "multiserver", "kernel-driver"]) {
      const { deaths, workloads } = withFault(sample, "crash: server.os, restart: 1ms");
      assert.ok(deaths.length > 1, sample);
      assert.ok(deaths.every(({ at, down }) => at === 12e9 && down !== undefined), sample);
      // Not before its adapter has reset.
      assert.ok(deaths.some(({ down }) => down === 100e9), sample);
      // Connections of before are reset; each loses the request that was under way.
      assert.equal(workloads[0]!.completed + workloads[0]!.errors, 400, sample);
      assert.ok(workloads[0]!.errors <= 8, sample);
    }
  });

  it("a process takes nothing with it: the stack in the kernel closes its sockets, and it listens again", () => {
    const { deaths, workloads } = withFault("monolithic-linux", "crash: nginx, restart: 1ms");
    assert.deepEqual(deaths.map(({ domain }) => domain), ["server/nginx"]);
    assert.ok(workloads[0]!.completed >= 400 - 8);
    assert.ok(workloads[0]!.errors >= 8);
  });

  it("of a driver in a process of its own, no connection is lost: TCP is elsewhere", () => {
    const { deaths, workloads, incidents } = withFault("multiserver", "crash: drv, restart: 1ms");
    assert.deepEqual(deaths.map(({ domain }) => domain), ["server/drv"]);
    assert.equal(workloads[0]!.completed, 400);
    assert.equal(workloads[0]!.errors, 0);
    assert.ok(incidents["no process to call"]! > 0);
  });

  it("a client that restarts asks again", () => {
    const { workloads } = withFault("monolithic-linux", "crash: client.os, restart: 1ms");
    assert.equal(workloads[0]!.completed, 400);
  });
});
