import assert from "node:assert/strict";
import { createEngine, type MachineEngine } from "../../../engine/create";
import type { DomainPlace } from "../../../engine/machine/machine";
import { designOf } from "../../support/runDesign";

const ms = 1e9;

function computing(faults: string, { cores = 2, vcpus = 2 } = {}): MachineEngine {
  return createEngine(designOf(`
exoscope: 1
hosts:
  server:
    cpu: { cores: ${cores} }
    hypervisor: { model: xen, scheduler: credit }
    domains:
      one: { vcpus: ${vcpus}, components: [compute: { threads: 2, burst: 300us }] }
      two: { vcpus: ${vcpus}, components: [compute: { threads: 2, burst: 300us }] }
${faults}
run: { until: 1s }
`));
}

function runUntil(engine: MachineEngine, time: number): void {
  while (engine.time < time && engine.dispatch());
}

const domainOf = (engine: MachineEngine, path: string): DomainPlace => engine.built.domains.find((d) => d.path === path)!;
const busy = (engine: MachineEngine, path: string): number => engine.built.machine.cpus.times.ofDomain(domainOf(engine, path).id);

/** Rows of a domain's vCPUs between two times. */
function rowsOn(engine: MachineEngine, path: string, from: number, to: number): number {
  const vcpus = new Set(engine.names.vcpus.filter(({ domain }) => domain === path).map(({ id }) => id));
  let count = 0;
  for (let row = 0; row < engine.trace.length; row++) {
    const { time, vcpu } = engine.trace.row(row);
    if (time > from && time < to && vcpus.has(vcpu)) count++;
  }
  return count;
}

describe("life cycle of domains", () => {
  it("a crash ends all that the domain does, and its pCPUs are the others'", () => {
    const engine = computing("faults: [{ at: 100ms, crash: one }]");
    runUntil(engine, 100 * ms);
    const before = busy(engine, "server/one");
    runUntil(engine, 300 * ms);
    assert.equal(busy(engine, "server/one"), before);
    assert.equal(rowsOn(engine, "server/one", 100 * ms, 300 * ms), 0);
    // Two vCPUs on two pCPUs that nobody else wants.
    const other = busy(engine, "server/two");
    runUntil(engine, 500 * ms);
    assert.ok(busy(engine, "server/two") - other > 2 * 198 * ms);
  });

  it("a planned restart starts a domain that has died, and takes the place of what was to start it", () => {
    const engine = computing("faults: [{ at: 100ms, crash: one }, { at: 200ms, restart: one, takes: 5ms }, { at: 300ms, crash: two, restart: 400ms }, { at: 310ms, restart: two, takes: 5ms }, { at: 400ms, crash: two }]");
    runUntil(engine, 999 * ms);
    const { lifecycle } = engine.built.machine;
    assert.deepEqual(lifecycle.deaths().map(({ domain, at, down }) => [domain, at / ms, down === undefined ? down : down / ms]), [
      ["server/one", 100, 105], ["server/two", 300, 15], ["server/two", 400, undefined],
    ]);
    assert.ok(lifecycle.isRunning(domainOf(engine, "server/one")));
    assert.ok(!lifecycle.isRunning(domainOf(engine, "server/two")));
  });

  it("a restart gives it its first state again, at its time", () => {
    const engine = computing("faults: [{ at: 100ms, crash: one, restart: 50ms }]");
    const bursts = (): number => engine.describeComponent(engine.built.machine.placed("server/one/compute").id)[0]!.variables[0]!.number!;
    runUntil(engine, 99 * ms);
    assert.ok(bursts() > 200);
    runUntil(engine, 149 * ms);
    assert.equal(rowsOn(engine, "server/one", 101 * ms, 149 * ms), 0);
    runUntil(engine, 152 * ms);
    assert.ok(bursts() < 20);
    runUntil(engine, 400 * ms);
    assert.ok(bursts() > 200);
    const { deaths, boots, down } = engine.built.machine.lifecycle.historyOf(domainOf(engine, "server/one"));
    assert.deepEqual([deaths, boots, down], [1, 1, 50 * ms]);
  });

  it("the hypervisor unmaps what a dead domain had mapped, in the toolstack's time, and nothing boots before", () => {
    const engine = createEngine(designOf(`
exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { model: xen }
    domains:
      netsrv: { components: [netserver, ixgbe: { bind: nic0.pf }] }
      web: { components: [echo, libc, tcpip, vif: { channel: netsrv.netserver }] }
  client: { model: load-generator, link: { to: server.nic0 } }
faults: [{ at: 100ms, crash: netsrv, restart: 150ms }]
run: { until: 300ms }
`));
    runUntil(engine, 80 * ms);
    const mapped = engine.built.machine.grants.get("server")!.mappedBy(domainOf(engine, "server/netsrv").id);
    while (engine.dispatch());
    const rows = Array.from({ length: engine.trace.length }, (_, row) => row).filter((row) => engine.names.functions[engine.trace.fn(row)]!.name === "gnttab_release_mappings");
    const time = mapped * 300e3;
    assert.ok(mapped > 0);
    assert.deepEqual(rows.map((row) => [engine.trace.row(row).time, engine.trace.cost(row), engine.trace.a(row)]), [[100 * ms + time, time, mapped]]);
    assert.deepEqual(engine.built.machine.lifecycle.deaths().map(({ down }) => down), [150 * ms + time]);
  });

  it("a crash of a component takes down its domain; of one that does not run, nothing", () => {
    const engine = computing("faults: [{ at: 100ms, crash: one.compute }, { at: 200ms, crash: one }]");
    runUntil(engine, 300 * ms);
    assert.equal(engine.built.machine.lifecycle.historyOf(domainOf(engine, "server/one")).deaths, 1);
    assert.equal(rowsOn(engine, "server/one", 100 * ms, 300 * ms), 0);
  });

  it("a domain that hangs burns its share of the CPUs and does nothing", () => {
    const engine = computing("faults: [{ at: 100ms, hang: one }]");
    const bursts = (): number => engine.describeComponent(engine.built.machine.placed("server/one/compute").id)[0]!.variables[0]!.number!;
    runUntil(engine, 105 * ms);
    const [done, time] = [bursts(), busy(engine, "server/one")];
    runUntil(engine, 500 * ms);
    assert.equal(bursts(), done);
    // Half of two pCPUs, as before.
    const share = (busy(engine, "server/one") - time) / (2 * 395 * ms);
    assert.ok(share > 0.45 && share < 0.55, `${share}`);
  });

  it("a component that hangs holds the vCPU that its next job runs on; threads of others go on elsewhere", () => {
    const engine = computing("faults: [{ at: 100ms, hang: one.compute }]", { cores: 4, vcpus: 2 });
    runUntil(engine, 900 * ms);
    const held = engine.names.functions.find(({ name }) => name === "no progress")!.id;
    assert.ok(engine.built.machine.kernel.count(held) > 1500);
    assert.ok(busy(engine, "server/two") > 1.7 * 900 * ms);
  });

  it("what hangs while its domain does not run is nothing that will: it works when that starts again", () => {
    const engine = computing("faults: [{ at: 100ms, crash: one, restart: 50ms }, { at: 120ms, hang: one.compute }]");
    runUntil(engine, 400 * ms);
    const [held, refused] = ["no progress", "not running"].map((name) => engine.built.machine.kernel.count(engine.names.functions.find((fn) => fn.name === name)!.id));
    assert.deepEqual([held, refused], [0, 1]);
  });

  it("a watchdog finds a hang when no vCPU has beaten in time, and the domain starts again", () => {
    const engine = computing("faults: [{ at: 100ms, hang: one, watchdog: 80ms, restart: 20ms }]", { cores: 4 });
    const { lifecycle } = engine.built.machine;
    runUntil(engine, 139 * ms);
    assert.equal(lifecycle.historyOf(domainOf(engine, "server/one")).deaths, 0);
    runUntil(engine, 182 * ms);
    assert.equal(lifecycle.historyOf(domainOf(engine, "server/one")).deaths, 1);
    runUntil(engine, 205 * ms);
    assert.ok(lifecycle.isRunning(domainOf(engine, "server/one")));
    runUntil(engine, 900 * ms);
    assert.equal(lifecycle.historyOf(domainOf(engine, "server/one")).deaths, 1);
  });

  it("going back over a crash and a restart is exact", () => {
    const faults = "faults: [{ at: 50ms, crash: one, restart: 7ms }, { at: 52ms, hang: two, watchdog: 10ms, restart: 3ms }]";
    for (const keyframeAt of [45, 51, 55, 60, 66]) {
      const engine = computing(faults);
      runUntil(engine, keyframeAt * ms);
      const keyframe = engine.snapshot();
      const replayer = engine.replayer();
      replayer.restore(keyframe);
      runUntil(engine, 80 * ms);
      while (replayer.time < 80 * ms && replayer.dispatch());
      assert.equal(replayer.rows, engine.rows);
      assert.deepEqual((replayer as MachineEngine).built.machine.kernel.store.snapshot().delta, engine.built.machine.kernel.store.snapshot().delta);
    }
  });
});
