import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { MachineEngine } from "../../../engine/create";
import { COUNT } from "../../../engine/scheduling/workSlot";
import { runDesign } from "../../support/runDesign";

const sample = (name: string): string => readFileSync(`samples/scheduling/${name}.exo.yaml`, "utf8");

/** Rows of a function in a domain, with their time and value `a`. */
function rowsOf({ trace, names }: MachineEngine, name: string, domain: string): { cost: number; a: number }[] {
  const rows = [];
  for (let row = 0; row < trace.length; row++) {
    if (names.functions[trace.fn(row)]!.name === name && names.contexts[trace.context(row)]!.domain === domain) rows.push({ cost: trace.cost(row), a: trace.a(row) });
  }
  return rows;
}

describe("round robin of vCPUs", () => {
  it("gives all the same, whatever their weights", () => {
    const { report } = runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    hypervisor: { model: xen, scheduler: round-robin, timeslice: 5ms }
    domains:
      a: { weight: 1024, components: [ compute ] }
      b: { weight: 256, components: [ compute ] }
      c: { weight: 64, components: [ compute ] }
run: { until: 3s }
`);
    for (const { busy } of report.domains) assert.ok(Math.abs(busy - 2e12) < 10e9, `${busy}`);
  });

  it("makes a vCPU that wakes wait for the others' slices; credit boosts it", () => {
    const round = runDesign(sample("round-robin")).report.workloads[0]!;
    const credit = runDesign(sample("round-robin").replace("scheduler: round-robin", "scheduler: credit, ratelimit: 0us")).report.workloads[0]!;
    assert.ok(round.latency.p50 > 4e9 && round.latency.p50 < 11e9, `${round.latency.p50}`);
    assert.ok(credit.latency.p50 < round.latency.p50 / 20, `${credit.latency.p50}`);
  });

  it("keeps to affinities", () => {
    const { report } = runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    hypervisor: { model: xen, scheduler: round-robin, timeslice: 5ms }
    domains:
      a: { affinity: [0], components: [ compute ] }
      b: { affinity: [0], components: [ compute ] }
      c: { components: [ compute ] }
run: { until: 1s }
`);
    const [a, b, c] = report.domains.map(({ busy }) => busy / 1e12) as [number, number, number];
    assert.ok(a + b < 1.001 && Math.abs(a - b) < 0.3 && c > 0.6, `${a} ${b} ${c}`);
  });
});

describe("NUMA", () => {
  const { engine } = runDesign(sample("numa"));

  it("charges lines that cross the sockets 120 ns each, and 45 ns within one", () => {
    const near = rowsOf(engine, "cache-line transfer", "server/near");
    const far = rowsOf(engine, "cache-line transfer", "server/far");
    assert.ok(near.length > 100 && far.length > 100);
    for (const { cost, a } of near) assert.equal(cost, a * 45_000);
    for (const { cost, a } of far) assert.equal(cost, a * 120_000);
  });

  it("makes copies from the other node's memory slower, by the ratio of the latencies", () => {
    assert.equal(rowsOf(engine, "remote memory", "server/near").length + rowsOf(engine, "remote memory", "server/far").length, 0);
    const away = rowsOf(engine, "remote memory", "server/away").reduce((sum, { cost }) => sum + cost, 0);
    const copied = rowsOf(engine, "sosend", "server/away").reduce((sum, { a }) => sum + a, 0);
    assert.ok(away >= copied * 80 * (140 / 85 - 1) * 0.99, `${away} for ${copied} bytes`);
  });

  it("makes an adapter's accesses to the other node's memory longer by the way between the sockets", () => {
    const reads = (node: number): number[] => {
      const { trace, names } = runDesign(sample("numa").replace("node: 0", `node: ${node}`)).engine;
      const costs: number[] = [];
      for (let row = 0; row < trace.length; row++) {
        if (names.functions[trace.fn(row)]!.name === "DMA read" && names.contexts[trace.context(row)]!.path === "server/nic0/vf0") costs.push(trace.cost(row));
      }
      return costs;
    };
    const [near, far] = [reads(0), reads(1)];
    assert.ok(near.length > 100);
    assert.equal(Math.min(...far) - Math.min(...near), 55_000);
  });

  it("has cold caches after a vCPU has moved, worse on another socket", () => {
    const text = (numa: number): string => `exoscope: 1
hosts:
  server:
    cpu: { cores: 2, numa: ${numa} }
    hypervisor: { model: xen, scheduler: credit, timeslice: 3ms, ratelimit: 1ms }
    domains:
      a: { components: [ compute ] }
      b: { components: [ compute ] }
      c: { components: [ compute ] }
run: { until: 300ms }
`;
    const costs = (numa: number): number[] => ["a", "b", "c"].flatMap((d) => rowsOf(runDesign(text(numa)).engine, "cold cache", `server/${d}`)).map(({ cost }) => cost);
    const one = costs(1);
    const two = costs(2);
    assert.ok(one.length > 10 && two.length > 10, `${one.length} ${two.length}`);
    // 2048 lines of 64 B, ten at a time.
    for (const cost of one) assert.equal(cost, 2048 * 4500);
    for (const cost of two) assert.equal(cost, 2048 * 12_000);
  });
});

describe("spin locks", () => {
  const spins = (text: string): number[] => rowsOf(runDesign(text).engine, "spin lock", "server/workers").map(({ cost }) => cost);

  it("make others spin for as long as a holder has no pCPU", () => {
    const few = spins(sample("lock-holder"));
    const enough = spins(sample("lock-holder").replace("cores: 3", "cores: 4"));
    // With a pCPU each, at most three others hold the lock before: 60 µs, and a tick's worth of the hypervisor.
    assert.ok(Math.max(...enough) < 100e6, `${Math.max(...enough)}`);
    assert.ok(Math.max(...few) > 1e9, `${Math.max(...few)}`);
  });

  it("let one at a time in: four threads with nothing but the lock do one vCPU's work", () => {
    const { report } = runDesign(sample("lock-holder").replace("cores: 3", "cores: 4").replace("lock: 20us", "lock: 100us").replace("events: 4000", "events: 1000"));
    const [w] = report.workloads;
    assert.equal(w!.completed, 1000);
    assert.ok(report.time >= 1000 * 100e6, `${report.time}`);
  });
});

describe("halts, interrupts and wake-ups under a hypervisor", () => {
  it("exit, and cost the vCPU time", () => {
    const { engine } = runDesign(sample("slices").replace("          - compute: { burst: 100us }\n", "").replace(/ +busy\d: .*\n/g, "").replace("requests: 100000", "requests: 50"));
    for (const name of ["VM exit: HLT", "VM exit: EOI"]) {
      const rows = rowsOf(engine, name, "server/web");
      assert.ok(rows.length >= 20, `${name}: ${rows.length}`);
      for (const { cost } of rows) assert.equal(cost, 550_000);
    }
    const id = engine.built.domains.find((d) => d.path === "server/web")!.id;
    assert.equal(engine.built.machine.cpus.vcpus.countsOf(id).exits, ["VM exit: HLT", "VM exit: EOI", "VM exit: external interrupt"].reduce((sum, name) => sum + rowsOf(engine, name, "server/web").length, 0));
  });

  it("pays for one move where a vCPU is moved again and again before its work goes on", () => {
    const { engine } = runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    hypervisor: { model: xen, scheduler: round-robin, timeslice: 1ms }
    domains:
      a: { components: [ compute ] }
      b: { components: [ compute ] }
      c: { components: [ compute ] }
faults: [{ at: 10ms, hang: a }]
run: { until: 500ms }
`);
    assert.ok(rowsOf(engine, "no progress", "server/a").length > 10);
    const { work, threads: { thread } } = engine.built.machine.cpus;
    for (let t = 0; t < thread.rows; t++) if (thread.work[t]! >= 0) assert.ok(work.get(thread.work[t]!, COUNT) <= 4, `${work.get(thread.work[t]!, COUNT)} functions`);
  });
});
