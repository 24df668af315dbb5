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

/** Application, stack and driver are processes of their own; a client sends 400 datagrams within 400 ms, and the application sends each back. */
function echoes(fault: string): RunReport {
  const engine = createEngine(designOf(`
exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    domains:
      os: { kind: kernel, system: minix, vcpus: 4 }
      drv: { kind: process, components: [ixgbe: { bind: nic0.pf }] }
      net: { kind: process, components: [tcpip: { driver: drv.ixgbe }] }
      app: { kind: process, components: [echo: { protocol: udp }, libc: { stack: net.tcpip }] }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }
workloads: [open-loop: { from: client, to: app, requests: 400, arrivals: periodic, interval: 1ms }]
faults: [{ at: 100ms, ${fault} }]
run: { until: 500ms, seed: 1 }
`));
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
    assert.deepEqual(Object.keys(workloads[0]!.failures), ["connection refused", "connection reset", "closed by the other end"]);
  });

  it("of a driver in a process of its own, no connection is lost: TCP is elsewhere", () => {
    const { deaths, workloads, incidents } = withFault("multiserver", "crash: drv, restart: 1ms");
    assert.deepEqual(deaths.map(({ domain }) => domain), ["server/drv"]);
    assert.equal(workloads[0]!.completed, 400);
    assert.equal(workloads[0]!.errors, 0);
    assert.ok(incidents["no process to call"]! > 0);
  });

  it("a driver that hangs in its process burns that process' time: its device's interrupt is the kernel's, which goes on", () => {
    const { incidents, domains } = echoes("hang: drv.ixgbe");
    assert.equal(incidents["hang"], 1);
    const busyIn = (path: string): number => domains.find(({ domain }) => domain === path)!.busy;
    // From the next frame on, at 100 ms or a little later, to the end at 500 ms.
    assert.ok(busyIn("server/drv") > 395e9, `${busyIn("server/drv")}`);
    assert.ok(busyIn("server/os") < 10e9, `${busyIn("server/os")}`);
  });

  it("a watchdog over a process or a kernel on bare metal makes no hypercalls: there is no hypervisor", () => {
    for (const [target, expired] of [["app", "service_dispatch_watchdog"], ["server.os", "watchdog timer reset"]] as const) {
      const { tallies, incidents, deaths } = echoes(`hang: ${target}, watchdog: 20ms, restart: 1ms`);
      assert.deepEqual([tallies["hypercall"], tallies["VM exit"]], [undefined, undefined], target);
      assert.equal(incidents[expired], 1, target);
      // A beat at 100 ms was the last, at most half of the time before.
      assert.ok(deaths.every(({ at, down }) => at > 110e9 && at <= 121e9 && down !== undefined) && deaths.length > 0, target);
    }
  });

  it("a server of datagrams opens its port again, in a stack that has started anew and after its own death", () => {
    for (const [fault, domain] of [["crash: net, restart: 1ms", "server/net"], ["crash: app, restart: 1ms", "server/app"], ["crash: server.os, restart: 1ms", "server/os"]] as const) {
      const { deaths, workloads, drops } = echoes(fault);
      assert.ok(deaths.some((death) => death.domain === domain && death.down !== undefined), fault);
      // What is sent meanwhile is lost, until the adapter has reset where its driver died too, and no more.
      const lost = 400 - workloads[0]!.completed;
      assert.ok(lost > 0 && lost <= (domain === "server/os" ? 102 : 3), `${fault}: ${lost} lost`);
      assert.ok((drops["no socket on the port"] ?? 0) <= 2, fault);
    }
  });

  it("a client that restarts asks again", () => {
    const { workloads } = withFault("monolithic-linux", "crash: client.os, restart: 1ms");
    const { completed, requests, beganAgain } = workloads[0]!;
    assert.ok(completed > 400 && completed <= 800, `${completed}: what it had before it died, and all of them after that`);
    assert.deepEqual([requests, beganAgain.length], [800, 1]);
  });
});
