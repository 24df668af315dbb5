import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Variable } from "../../../engine/inspect";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { designOf, runDesign } from "../../support/runDesign";

const sample = readFileSync("samples/librettos/librettos.exo.yaml", "utf8");
const direct = sample.replace("- vif: { channel: netsrv.netserver }", "- ixgbe: { bind: nic0.vf1 }");
const lossy = sample.replace("delay: 2us", "delay: 2us, loss: 1%").replace("until: 200ms", "until: 30s");

/** Rows of a function by name. */
function count(engine: MachineEngine, name: string): number {
  return engine.names.functions.filter((f) => f.name === name).reduce((sum, f) => sum + engine.built.machine.kernel.count(f.id), 0);
}

function numberOf(variables: readonly Variable[] | undefined, ...path: readonly string[]): number {
  const found = variables?.find((v) => v.name === path[0]);
  assert.ok(found, `no variable ${path[0]}`);
  return path.length === 1 ? found.number! : numberOf(found.children, ...path.slice(1));
}

describe("the LibrettOS sample", () => {
  const server = runDesign(sample);

  it("answers every request and drops nothing", () => {
    for (const w of server.report.workloads) {
      assert.equal(w.completed, w.requests);
      assert.equal(w.errors, 0);
      assert.ok(w.latency.p50 > 0 && w.latency.p50 <= w.latency.p99 && w.latency.p99 <= w.latency.max);
    }
    assert.deepEqual(server.report.drops, {});
    assert.deepEqual(server.report.incidents, {});
    assert.equal(server.report.retransmissions, 0);
  });

  it("copies a server-mode frame into a ring once in each domain, and a direct-mode frame never", () => {
    const id = server.engine.names.components.find((c) => c.path === "server/redis/vif")!.id;
    const rings = server.engine.describeComponent(id)[0]!.variables;
    const out = numberOf(rings, "tx ring", "frames");
    const into = numberOf(rings, "rx ring", "frames");
    assert.equal(count(server.engine, "frontend_send"), out);
    assert.equal(count(server.engine, "rump_virtif_pktforward"), out);
    assert.equal(count(server.engine, "backend_forward_send"), into);
    assert.equal(count(server.engine, "rump_virtif_pktdeliver"), into);
    assert.ok(out > 400 && into > 400);
    for (const direction of ["tx ring", "rx ring"]) {
      const notifications = numberOf(rings, direction, "notifications");
      assert.ok(notifications > 0 && notifications <= numberOf(rings, direction, "frames"));
      assert.equal(numberOf(rings, direction, "filled"), 0);
      assert.equal(numberOf(rings, direction, "free"), 512);
    }
    assert.ok(numberOf(rings, "tx ring", "notifications") < out, "only an inactive reader is notified");
    assert.ok(count(server.engine, "frontend_interrupt_handler") < numberOf(rings, "rx ring", "notifications"), "notifications that are pending are one");
  });

  it("becomes a pair of library OSes when the store gets a VF: no copies, no notifications, an idle network server, lower latency", () => {
    const both = runDesign(direct);
    for (const name of ["frontend_send", "backend_forward_send", "minios_notify_remote_via_evtchn"]) assert.equal(count(both.engine, name), 0);
    const cpuOfServer = (r: typeof both.report): number => r.domains.find((d) => d.domain === "server/netsrv")!.busy;
    assert.ok(cpuOfServer(both.report) < cpuOfServer(server.report) / 20);
    assert.equal(both.report.workloads[1]!.completed, 400);
    assert.ok(both.report.workloads[1]!.latency.mean < server.report.workloads[1]!.latency.mean);
  });

  it("gives the same trace every time, and another with another seed where chance matters", () => {
    assert.equal(runDesign(sample).engine.fingerprint(), server.engine.fingerprint());
    const first = runDesign(lossy);
    assert.notEqual(first.engine.fingerprint(), runDesign(lossy.replace("seed: 1", "seed: 2")).engine.fingerprint());
  });

  it("survives loss: every request is answered, by retransmission", () => {
    const { report } = runDesign(lossy);
    for (const w of report.workloads) assert.equal(w.completed, w.requests);
    assert.ok(report.drops["lost on the link"]! > 5);
    assert.ok(report.retransmissions >= report.drops["lost on the link"]! / 2);
  });

  it("goes back exactly: a replayer restored from any keyframe reaches the states that the recorder went through", () => {
    const recorder = createEngine(designOf(lossy));
    const keyframes = [recorder.snapshot()];
    const passed = new Map<number, string>();
    const digest = (engine: { snapshot(): unknown }): string => JSON.stringify(engine.snapshot(), (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value));
    for (let i = 1; i < 12_000 && recorder.dispatch(); i++) {
      if (i % 3000 === 0) keyframes.push(recorder.snapshot(keyframes.at(-1)));
      if (i % 1571 === 0) passed.set(recorder.rows, digest(recorder));
    }
    const replayer = recorder.replayer();
    assert.ok(passed.size >= 7 && keyframes.length === 4);
    for (const [row, expected] of [...passed].reverse()) {
      replayer.restore(keyframes.filter((k) => k.row <= row).at(-1)!);
      while (replayer.rows < row) replayer.dispatch();
      assert.equal(replayer.rows, row);
      assert.ok(digest(replayer) === expected, `state at row ${row}`);
    }
  });
});

describe("CPU time in the trace", () => {
  const { engine, report } = runDesign(sample);
  const { trace, names } = engine;

  it("never has a vCPU on two pCPUs, and never runs work on a vCPU that has none", () => {
    const pcpuOf = new Map<number, number>();
    const vcpuOn = new Map<number, number>();
    for (let row = 0; row < trace.length; row++) {
      const context = names.contexts[trace.context(row)]!;
      const vcpu = trace.vcpu(row);
      if (context.kind === "pcpu") {
        const before = vcpuOn.get(context.id);
        if (before !== undefined) pcpuOf.delete(before);
        vcpuOn.delete(context.id);
        if (vcpu === 0xffff) continue;
        assert.ok(!pcpuOf.has(vcpu), `row ${row}: ${names.vcpus[vcpu]!.path} is on two pCPUs`);
        pcpuOf.set(vcpu, context.id);
        vcpuOn.set(context.id, vcpu);
      } else if (vcpu !== 0xffff) {
        assert.ok(pcpuOf.has(vcpu), `row ${row}: ${names.vcpus[vcpu]!.path} works without a pCPU`);
      }
    }
  });

  it("adds up: work on a vCPU never overlaps, and its sum is the domain's CPU time", () => {
    const until = new Map<number, number>();
    const sums = new Map<string, number>();
    for (let row = 0; row < trace.length; row++) {
      const vcpu = trace.vcpu(row);
      const context = names.contexts[trace.context(row)]!;
      if (vcpu === 0xffff || context.kind === "pcpu") continue;
      const domain = names.vcpus[vcpu]!.domain;
      sums.set(domain, (sums.get(domain) ?? 0) + trace.cost(row));
      if (context.path.includes("/interrupt-")) continue;
      assert.ok(trace.begin(row) >= (until.get(vcpu) ?? 0), `row ${row} begins before the work before it has ended`);
      until.set(vcpu, trace.begin(row) + trace.cost(row));
    }
    for (const d of report.domains) assert.equal(sums.get(d.domain) ?? 0, d.busy);
  });

  it("has the clock as the cause of every tick, not the tick before", () => {
    const { engine: { trace, names } } = runDesign(sample.replace("kind: vm\n        vcpus: 1\n        components:\n          - netserver", (all) => all.replace("components", "idle: spin\n        components")));
    const nameOf = (row: number): string => names.functions[trace.fn(row)]!.name;
    let ticks = 0;
    for (let row = 0; row < trace.length; row++) {
      if (nameOf(row) !== "csched_tick") continue;
      let root = row;
      while (trace.cause(root) !== -1) root = trace.cause(root);
      assert.equal(nameOf(root), "apic_timer_interrupt");
      assert.ok(trace.time(row) - trace.time(root) < 2e6);
      ticks++;
    }
    assert.equal(ticks, 19, "one pCPU of six is never idle: every 10 ms of 200, but for the last, which is under way");
  });

  it("is consistent in time: rows in order of dispatch, causes before effects", () => {
    for (let row = 1; row < trace.length; row++) {
      assert.ok(trace.time(row) >= trace.time(row - 1));
      assert.ok(trace.cause(row) < row && trace.enabler(row) < row);
      assert.ok(trace.begin(row) <= trace.time(row));
      // What goes to sleep for a lock goes back to what asked for it, and what follows to what came before.
      const sleeps = (r: number): boolean => names.functions[trace.fn(r)]!.name === "rumpuser_mutex_enter";
      if (!trace.isFirst(row) && !sleeps(row) && !sleeps(row - 1)) assert.equal(trace.cause(row), row - 1);
    }
  });
});

describe("a network server with many applications", () => {
  it("has the end of each poll scheduled once, although a poll that others wait for is cut to one round", () => {
    const engine = createEngine(designOf(readFileSync("samples/librettos/shared-address.exo.yaml", "utf8")));
    const { queue } = engine.built.machine.kernel;
    const cancel = queue.cancel.bind(queue);
    let cancelled = 0;
    queue.cancel = (event) => {
      cancelled++;
      cancel(event);
    };
    while (engine.dispatch());
    const polls = count(engine, "backend_forward_receiver: poll");
    assert.ok(polls > engine.dispatches / 10, `${polls} polls of ${engine.dispatches} events`);
    assert.ok(cancelled < polls / 2, `${cancelled} events cancelled, ${polls} polls`);
  });
});
