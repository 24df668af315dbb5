import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { MachineEngine } from "../../../engine/create";
import { runDesign } from "../../support/runDesign";

const sample = (name: string): string => readFileSync(`samples/scheduling/${name}.exo.yaml`, "utf8");
const countsOf = (engine: MachineEngine, path: string) => engine.built.machine.cpus.vcpus.countsOf(engine.built.domains.find((d) => d.path === path)!.id);
const busyOf = (engine: MachineEngine, path: string): number[] => {
  const { vcpus } = engine.built.machine.cpus;
  return vcpus.domains.find((d) => d.path === path)!.vcpus.map((v) => vcpus.vcpu.busy[v]!);
};
const rowsOf = (engine: MachineEngine, name: string, domain: string): number[] => {
  const { trace, names } = engine;
  const rows: number[] = [];
  for (let row = 0; row < trace.length; row++) if (names.functions[trace.fn(row)]!.name === name && names.contexts[trace.context(row)]!.domain === domain) rows.push(row);
  return rows;
};

/** Threads that compute in one domain, without a hypervisor's interference. @returns CPU time of each, picoseconds */
function compute(scheduler: string, vcpus: number, components: readonly string[], time = "1s"): { engine: MachineEngine; busy: number[] } {
  const { engine } = runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: ${vcpus} }
    domains:
      os: { kind: kernel, vcpus: ${vcpus}, scheduler: ${scheduler}, components: [ ${components.join(", ")} ] }
run: { until: ${time} }
`);
  return { engine, busy: engine.built.machine.cpus.times.ofThreads(engine.built.domains[0]!.id).map(({ busy }) => busy) };
}

describe("N:1", () => {
  const { engine, report } = runDesign(sample("n-to-1"));

  it("runs all threads on the first vCPU; the others never do anything but halt", () => {
    const [first, second] = busyOf(engine, "server/rumprun");
    assert.ok(first! > 1e9);
    assert.ok(second! < 1e6, `${second}`);
    for (const busy of busyOf(engine, "server/librettos")) assert.ok(busy > 0.5e9);
  });

  it("serves fewer requests than the same threads on two vCPUs", () => {
    const [rumprun, librettos] = report.workloads;
    assert.equal(rumprun!.completed, 400);
    // Not by much: on two vCPUs the threads share softnet_lock.
    assert.ok(rumprun!.throughput < librettos!.throughput);
  });
});

describe("preemptive", () => {
  it("takes the vCPU from a burst for a request, which a non-preemptive scheduler makes wait for all bursts before it", () => {
    const { engine, report } = runDesign(sample("preemptive"));
    const [polite, preemptive] = report.workloads;
    assert.ok(polite!.latency.p50 > 40e9, `${polite!.latency.p50}`);
    assert.ok(preemptive!.latency.p99 < 1e9, `${preemptive!.latency.p99}`);
    assert.equal(countsOf(engine, "server/polite").preemptions, 0);
    assert.ok(countsOf(engine, "server/preemptive").preemptions > 1000);
  });

  it("shares a vCPU equally among threads whose bursts differ, to within a slice of 6 ms", () => {
    const { busy } = compute("preemptive", 1, ["compute: { id: short, burst: 1ms, threads: 2 }", "compute: { id: long, burst: 900ms }"].map((c) => `{ ${c} }`));
    for (const time of busy) assert.ok(Math.abs(time - 1e12 / 3) < 2 * 6e9, `${busy.join(" ")}`);
  });

  it("gives way at a tick once the ideal slice is over, and not before", () => {
    const { engine } = compute("preemptive", 1, ["{ compute: { burst: 900ms, threads: 2 } }"]);
    const { trace } = engine;
    const rows = rowsOf(engine, "resched_curr", "server/os");
    assert.ok(rows.length > 50);
    // Two threads: 6 ms / 2, at ticks of 4 ms.
    for (let i = 1; i < rows.length; i++) {
      const slice = trace.time(rows[i]!) - trace.time(rows[i - 1]!);
      assert.ok(slice > 3e9 && slice < 8.1e9, `${slice}`);
    }
  });

  it("evens out run queues: four threads on two vCPUs get half a vCPU each", () => {
    const { busy } = compute("preemptive", 2, ["{ compute: { burst: 5ms, threads: 4 } }"]);
    for (const time of busy) assert.ok(Math.abs(time - 0.5e12) < 0.03e12, `${busy.join(" ")}`);
  });

  it("does all the work of a burst that it interrupts, once", () => {
    const { engine } = compute("preemptive", 2, ["{ compute: { burst: 30ms, threads: 5, events: 20 } }"], "2s");
    const { trace } = engine;
    let sum = 0;
    for (const row of rowsOf(engine, "cpu_execute_event", "server/os")) sum += trace.cost(row);
    assert.equal(sum, 20 * 30e9);
  });
});

describe("run to completion", () => {
  const { engine, report } = runDesign(sample("run-to-completion"));
  const [interrupts, polling] = report.workloads;

  it("answers faster than with interrupts, at the price of the whole vCPU", () => {
    assert.equal(polling!.completed, 400);
    assert.ok(polling!.latency.p50 < 0.8 * interrupts!.latency.p50);
    assert.ok(report.domains.find((d) => d.domain === "server/polling")!.utilisation > 0.95);
    assert.ok(report.domains.find((d) => d.domain === "server/interrupts")!.utilisation < 0.2);
  });

  it("takes no interrupts, never halts, and shows its idle time as empty polls", () => {
    assert.equal(countsOf(engine, "server/polling").exits, 0);
    assert.ok(countsOf(engine, "server/interrupts").exits > 400);
    const { trace } = engine;
    let idle = 0;
    for (const row of rowsOf(engine, "rte_eth_rx_burst: empty", "server/polling")) idle += trace.cost(row);
    assert.ok(idle > 0.7 * report.lastEvent && idle < report.lastEvent, `${idle}`);
  });

  it("lets no batch be longer than 32 frames before what it has led to is done", () => {
    const burst = runDesign(sample("run-to-completion").replace(/arrivals: poisson, interval: 50us, requests: 400/g, "arrivals: periodic, interval: 200ns, requests: 600")).engine;
    const { trace } = burst;
    let length = 0;
    let longest = 0;
    const frames = new Set(rowsOf(burst, "ixgbe_rxeof", "server/polling"));
    const stages = new Set(rowsOf(burst, "run to completion: next stage", "server/polling"));
    for (let row = 0; row < trace.length; row++) {
      if (stages.has(row)) length = 0;
      else if (frames.has(row)) longest = Math.max(longest, ++length);
    }
    assert.ok(longest > 4 && longest <= 33, `${longest}`);
  });
});
