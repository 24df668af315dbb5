import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { MachineEngine } from "../../../engine/create";
import { runDesign } from "../../support/runDesign";

const EXIT = "VM exit: external interrupt";

const run = (domains: readonly string[], scheduler = "credit"): ReturnType<typeof runDesign> => runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 1 }
    hypervisor: { model: xen, scheduler: ${scheduler} }
    domains:
${domains.map((domain, i) => `      d${i}: ${domain}`).join("\n")}
run: { until: 905ms }
`);

interface Row { readonly row: number; readonly begin: number; readonly time: number; readonly cost: number; readonly a: number; readonly b: number; readonly pcpu: string }

/** Rows of a function on a pCPU. */
function rowsOf({ trace, names }: MachineEngine, ...of: readonly string[]): Row[] {
  const rows: Row[] = [];
  for (let row = 0; row < trace.length; row++) {
    const { kind, path } = names.contexts[trace.context(row)]!;
    if (kind !== "pcpu" || !of.includes(names.functions[trace.fn(row)]!.name)) continue;
    rows.push({ row, begin: trace.begin(row), time: trace.time(row), cost: trace.cost(row), a: trace.a(row), b: trace.b(row), pcpu: path });
  }
  return rows;
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);

describe("what the hypervisor takes from a vCPU that runs", () => {
  it("is an exit and the tick every 10 ms, and an exit and another choice at the slice's end", () => {
    const { engine, report } = run(["{ components: [ compute: { burst: 7ms } ] }"]);
    const ticks = rowsOf(engine, "csched_tick");
    assert.deepEqual(ticks.map(({ begin, cost }) => [begin, cost]), Array.from({ length: 90 }, (_, i) => [(i + 1) * 10e9 + 550e3, 500e3]));
    const ends = rowsOf(engine, "s_timer_fn");
    const chosen = rowsOf(engine, "continue_running");
    assert.ok(ends.length >= 29, `${ends.length}`);
    assert.deepEqual(chosen.map(({ begin, cost }) => [begin, cost]), ends.map(({ time }) => [time, 400e3]));
    const exits = rowsOf(engine, EXIT);
    assert.ok(exits.every(({ cost }) => cost === 550e3));
    assert.equal(exits.length, ticks.length + ends.length);
    // The time is the hypervisor's, and so none of the domain's; the exits are the domain's.
    const [{ busy, counts }] = report.domains as [typeof report.domains[number]];
    const { overhead, idle } = report.hosts[0]!;
    const switched = total(rowsOf(engine, "context_switch", "resume vcpu").map(({ cost }) => cost));
    const accounted = total(rowsOf(engine, "csched_acct").map(({ cost }) => cost));
    assert.equal(overhead, exits.length * 550e3 + ticks.length * 500e3 + accounted + chosen.length * 400e3 + switched);
    assert.equal(report.functions.find((f) => f.function === EXIT)!.calls, exits.length);
    assert.equal(counts!.exits, exits.length);
    assert.equal(busy, 905e9 - overhead - idle);
  });

  it("is nothing where vCPUs are pinned: the hypervisor has no clock there", () => {
    const { engine, report } = run(["{ components: [ compute: { burst: 7ms } ] }"], "pinned");
    assert.equal(rowsOf(engine, "csched_tick", EXIT, "continue_running").length, 0);
    assert.equal(report.domains[0]!.counts!.exits, 0);
  });

  it("is an exit before each switch that takes the pCPU from it: 4.8 µs from guest to guest", () => {
    const { engine, report } = run([256, 512, 1024].map((weight) => `{ weight: ${weight}, components: [ compute ] }`));
    const exits = rowsOf(engine, EXIT);
    const switches = rowsOf(engine, "context_switch").slice(1);
    assert.ok(switches.length >= 20, `${switches.length}`);
    for (const { begin, cost } of switches) {
      assert.equal(cost, 4.25e6);
      // Where a tick has told that another is to have it, that was between.
      assert.ok(exits.some((exit) => exit.time === begin || exit.time === begin - 500e3), `${begin}`);
    }
    assert.equal(total(report.domains.map(({ counts }) => counts!.exits)), exits.length);
  });

  it("is the accounting every 30 ms on the first pCPU, for each domain and vCPU that is active", () => {
    const { engine } = run(["{ vcpus: 2, components: [ compute: { threads: 2 } ] }", "{ components: [ compute ] }"]);
    const accounted = rowsOf(engine, "csched_acct");
    assert.deepEqual(accounted.map(({ begin }) => begin), Array.from({ length: 30 }, (_, i) => (i + 1) * 30e9 + 550e3 + 500e3), "after the exit and the tick that come with it");
    for (const { cost, a, b, pcpu } of accounted) {
      assert.equal(pcpu, "server/pcpu0");
      assert.equal(cost, 200e3 + a * 100e3 + b * 75e3);
    }
    assert.deepEqual(accounted.slice(3).map(({ a, b }) => [a, b]), Array.from({ length: 27 }, () => [3, 2]));
  });

  it("is the accounting where the first pCPU idles too: it does that for the others", () => {
    const { engine, report } = runDesign(`exoscope: 1
hosts:
  server: { cpu: { cores: 2 }, hypervisor: { model: xen, scheduler: credit }, domains: { busy: { affinity: [1], components: [ compute ] } } }
run: { until: 905ms }
`);
    const accounted = rowsOf(engine, "csched_acct");
    assert.deepEqual(accounted.map(({ begin, pcpu }) => [begin, pcpu]), Array.from({ length: 30 }, (_, i) => [(i + 1) * 30e9, "server/pcpu0"]));
    assert.equal(rowsOf(engine, EXIT).filter(({ pcpu }) => pcpu === "server/pcpu0").length, 0);
    assert.equal(report.hosts[0]!.overhead, total(rowsOf(engine, "csched_acct", "csched_tick", "continue_running", "resume vcpu", "context_switch", EXIT).map(({ cost }) => cost)));
  });

  it("is an exit for a device's interrupt, where the vCPU that it is for ran there last and another has the pCPU: nobody is asked by an interrupt of the hypervisor's", () => {
    const { engine } = runDesign(readFileSync("samples/scheduling/slices.exo.yaml", "utf8").replace("          - compute: { burst: 100us }\n", "").replace("requests: 100000", "requests: 50")
      .replace("cores: 2", "cores: 1"));
    const exits = new Set(rowsOf(engine, EXIT).map(({ begin }) => begin));
    const interrupts = rowsOf(engine, "do_IRQ");
    assert.ok(interrupts.length >= 10, `${interrupts.length}`);
    assert.ok(interrupts.filter(({ time }) => exits.has(time)).length > interrupts.length / 2);
    assert.equal(rowsOf(engine, "event_check_interrupt").length, 0);
  });

  /** A network server that computes besides tells an application, which halts, of frames; the application is on a pCPU of which somebody else has the rest. */
  const told = (application: number): MachineEngine => runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { model: xen, scheduler: credit }
    domains:
      netsrv: { affinity: [0], components: [ compute: { burst: 100us }, netserver, ixgbe: { bind: nic0.pf } ] }
      web: { affinity: [${application}], components: [ http-server: { port: 80 }, libc, tcpip, vif: { channel: netsrv.netserver } ] }
      busy: { affinity: [1], components: [ compute ] }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 1ms } }
workloads: [ { http: { from: client, to: web, size: 1KiB, requests: 40 } } ]
run: { until: 1300ms }
`).engine;

  it("is an exit for another pCPU's interrupt, where a vCPU wakes that is to have this one", () => {
    const engine = told(1);
    const exits = new Set(rowsOf(engine, EXIT).filter(({ pcpu }) => pcpu === "server/pcpu1").map(({ begin }) => begin));
    const asked = rowsOf(engine, "event_check_interrupt").filter(({ pcpu }) => pcpu === "server/pcpu1");
    assert.ok(asked.length >= 10, `${asked.length}`);
    assert.ok(asked.every(({ time }) => exits.has(time)));
    assert.equal(rowsOf(engine, "cpumask_raise_softirq").length, 0);
  });

  it("is neither an interrupt nor an exit where a guest wakes a vCPU that is to have the guest's own pCPU: the softirq is raised in its hypercall", () => {
    const engine = told(0);
    const raised = rowsOf(engine, "cpumask_raise_softirq");
    assert.ok(raised.length >= 10, `${raised.length}`);
    const chosen = new Set(rowsOf(engine, "schedule").filter(({ pcpu }) => pcpu === "server/pcpu0").map(({ time }) => time));
    const exits = new Set(rowsOf(engine, EXIT).filter(({ pcpu }) => pcpu === "server/pcpu0").map(({ begin }) => begin));
    for (const { time, pcpu } of raised) {
      assert.equal(pcpu, "server/pcpu0");
      assert.ok(chosen.has(time), "it chooses anew at once");
      assert.ok(!exits.has(time));
    }
    assert.equal(rowsOf(engine, "event_check_interrupt").length, 0);
  });

  it("is one exit for what comes together: what is raised while the hypervisor has the pCPU is seen to before a guest has it", () => {
    const { engine } = run(["{ components: [ compute ] }", "{ components: [ compute ] }"], "credit, timeslice: 1ms, ratelimit: 100us");
    const interrupts = rowsOf(engine, "apic_timer_interrupt", "event_check_interrupt");
    const exits = rowsOf(engine, EXIT);
    assert.ok(exits.length > 1700 && interrupts.length > exits.length, `${exits.length} of ${interrupts.length}`);
    assert.equal(rowsOf(engine, "csched_tick").length, 904, "a slice of less than 3 ms has one tick; all but the last, which is under way");
  });

  it("is an exit for one that spins while it idles, and nothing for one that halts", () => {
    const { engine } = run(["{ idle: spin, components: [ compute: { events: 1 } ] }"]);
    const late = rowsOf(engine, EXIT).filter(({ begin }) => begin > 100e9);
    assert.ok(late.length >= 80 && late.every(({ cost }) => cost === 550e3));
    const halted = run(["{ components: [ compute: { events: 1 } ] }"]).engine;
    assert.equal(rowsOf(halted, EXIT).filter(({ begin }) => begin > 100e9).length, 0);
    assert.equal(rowsOf(halted, "csched_tick").filter(({ begin }) => begin > 100e9).length, 0, "a pCPU that idles has no ticks");
  });

  it("counts as a preemption only where another vCPU gets the pCPU", () => {
    assert.equal(run(["{ components: [ compute ] }"]).report.domains[0]!.counts!.preemptions, 0);
    assert.ok(run(["{ components: [ compute ] }", "{ components: [ compute ] }"]).report.domains[0]!.counts!.preemptions > 5);
  });
});
