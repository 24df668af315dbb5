import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { report, type RunReport } from "../../../engine/analysis/report";
import { summary } from "../../../engine/cli/summary";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { VcpuState } from "../../../engine/scheduling/cpus";
import type { FunctionInfo } from "../../../engine/trace/trace";
import { designOf, runDesign } from "../../support/runDesign";

const sample = (name: string): string => readFileSync(`samples/${name}.exo.yaml`, "utf8");
const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** Time in which no vCPU has a host's pCPUs, by when each got and lost one: nothing of what it did there. */
function without(engine: MachineEngine, host: string, time: number): number {
  const { vcpu, domainOf, domains } = engine.built.machine.cpus.vcpus;
  const had = domainOf.map((d, v) => (domains[d]!.host === host ? vcpu.ran[v]! + (vcpu.state[v] === VcpuState.running ? time - vcpu.since[v]! : 0) : 0));
  const { hypervisor, cores } = engine.built.hypervisors.find((h) => h.host === host)!;
  return cores * time - sum(had) - sum(Array.from({ length: cores }, (_, p) => hypervisor.overheadOf(p, time)));
}

function runFor(text: string, time: number): { engine: MachineEngine; report: RunReport } {
  const engine = createEngine(designOf(text));
  while (engine.time < time && engine.dispatch());
  return { engine, report: report(engine) };
}

describe("the time of all pCPUs", () => {
  it("is the domains', the hypervisor's, and idle; what functions cost is the domains' and the hypervisor's", () => {
    const { engine, report: r } = runDesign(sample("librettos/librettos"));
    assert.equal(sum(r.functions.map((f) => f.time)), sum(r.domains.map((d) => d.busy)) + sum(r.hosts.map((h) => h.overhead)));
    const { host, hypervisor, pcpus, overhead, idle } = r.hosts[0]!;
    assert.deepEqual([host, hypervisor, pcpus], ["server", "server/hypervisor", 6]);
    const rows = r.functions.filter((f) => ["resume vcpu", "context_switch", "csched_acct"].includes(f.function));
    assert.equal(overhead + r.hosts[1]!.overhead, sum(rows.map((f) => f.time)));
    assert.equal(idle, without(engine, "server", r.time));
    assert.deepEqual([r.hosts[1]!.host, r.hosts[1]!.hypervisor], ["client", undefined]);
  });

  for (const [name, until] of [["scheduling/slices", 123_456_789_000], ["faults/server-crash", 100e9], ["faults/hang", 200e9], ["scheduling/lock-holder", 50e9]] as const) {
    it(`counts what is under way, and what ended unfinished: ${name}`, () => {
      const { engine } = runFor(sample(name), until);
      const rows = (r: RunReport): number => sum(r.functions.map((f) => f.time));
      const spent = (r: RunReport): number => sum(r.domains.map((d) => d.busy)) + sum(r.hosts.map((h) => h.overhead));
      let r = report(engine);
      // At the very instant every CPU may be idle; soon after, none of the samples leaves them all so.
      for (let i = 0; i < 100 && spent(r) === rows(r) && engine.dispatch(); i++) r = report(engine);
      assert.ok(spent(r) > rows(r), "some of it is in no row");
      assert.equal(r.hosts[0]!.idle, without(engine, "server", r.time));
    });
  }

  it("of a domain that spins while it idles is all of its pCPU's, up to now", () => {
    const text = sample("librettos/librettos").replace("kind: vm\n        vcpus: 1\n        components:\n          - netserver", "kind: vm\n        vcpus: 1\n        idle: spin\n        components:\n          - netserver");
    const { report: r } = runFor(text, 12e9);
    const boot = r.hosts[0]!.overhead;
    const { domain, busy } = r.domains[0]!;
    assert.equal(domain, "server/netsrv");
    assert.ok(busy < r.time && busy > r.time - boot, `${busy} of ${r.time}`);
  });
});

describe("the end of a run", () => {
  const compute = (scheduler: string): string => `
exoscope: 1
name: A burst, and nothing more
hosts:
  server:
    cpu: { cores: 1 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { model: xen, scheduler: ${scheduler} }
    domains:
      cpu: { kind: vm, vcpus: 1, components: [ compute: { threads: 1, burst: 1ms, events: 10 } ] }
run: { until: 50ms }
`;

  it("is the one that was asked for, whether events go on till then or nothing is left to do: the same work has the same share", () => {
    const dry = runDesign(compute("pinned"));
    const accounting = runDesign(compute("credit"));
    for (const { report: r } of [dry, accounting]) {
      assert.equal(r.time, 50e9);
      assert.ok(Math.abs(r.domains[0]!.utilisation - 0.2) < 0.005, `${r.domains[0]!.utilisation}`);
      assert.ok(Math.abs(r.hosts[0]!.idle - 40e9) < 0.3e9);
    }
    assert.deepEqual([dry.report.drained, accounting.report.drained], [true, false]);
    assert.ok(dry.report.lastEvent > 10e9 && dry.report.lastEvent < 10.2e9 && dry.engine.time === dry.report.lastEvent, "the clock stands where it stood");
    assert.ok(accounting.report.lastEvent > 30e9);
    const head = (r: RunReport): string => summary(r).split("\n")[0]!;
    assert.match(head(dry.report), /: 50\.00 ms simulated, nothing left to do after 10\.\d\d ms;/);
    assert.match(head(accounting.report), /: 50\.00 ms simulated, last event at 30\.\d\d ms, more after the end;/);
  });

  it("is now, in the middle of one", () => {
    const { report: r } = runFor(compute("pinned"), 5e9);
    assert.ok(r.time >= 5e9 && r.time < 7e9 && r.lastEvent === r.time && !r.drained);
  });

  it("ends the longest silence, of what waits in vain", () => {
    const text = sample("workloads/ping").replace("until: 50ms", "until: 70ms").replace("scheduler: credit", "scheduler: pinned").replace("workloads:", "faults:\n  - { at: 9ms, crash: direct }\nworkloads:");
    const { report: r } = runDesign(text);
    const [waits, served] = r.workloads;
    assert.ok(waits!.completed === 0 && served!.completed === 20);
    assert.ok(waits!.silence === 60e9 && r.lastEvent < 60e9, `${waits!.silence}, ${r.lastEvent}`);
    assert.ok(served!.silence < 2e9);
  });
});

describe("what domains go through", () => {
  for (const name of ["librettos/librettos", "netfront/bridge", "scheduling/numa"]) {
    it(`a notification is a hypercall, a hypercall a VM exit, and by domain they are those of the rows: ${name}`, () => {
      const { engine, report: r } = runDesign(sample(name));
      const { trace, names, built } = engine;
      const isHypercall = ({ tally, kind }: FunctionInfo): boolean => tally === "hypercall" || tally === "notification" || (tally === "copy" && kind === "hypervisor");
      const counted = { exits: 0, hypercalls: 0, notifications: 0 };
      const byDomain = new Map(built.domains.map(({ path }) => [path, { ...counted }]));
      for (let row = 0; row < trace.length; row++) {
        const fn = names.functions[trace.fn(row)]!;
        const vcpu = names.vcpus[trace.vcpu(row)];
        if (vcpu === undefined) continue;
        for (const counts of [counted, byDomain.get(vcpu.domain)!]) {
          if (fn.tally === "VM exit" || isHypercall(fn)) counts.exits++;
          if (isHypercall(fn)) counts.hypercalls++;
          if (fn.tally === "notification") counts.notifications++;
        }
      }
      assert.ok(counted.notifications > 100 && counted.hypercalls > counted.notifications && counted.exits > counted.hypercalls);
      assert.deepEqual({ exits: r.tallies["VM exit"], hypercalls: r.tallies.hypercall, notifications: r.tallies.notification }, counted);
      for (const { domain, counts } of r.domains) assert.deepEqual({ exits: counts!.exits, hypercalls: counts!.hypercalls, notifications: counts!.notifications }, byDomain.get(domain), domain);
    });
  }

  it("a vCPU switch is the hypervisor's, a thread switch a scheduler's in the domain", () => {
    const { report: r, engine } = runDesign(sample("librettos/librettos"));
    assert.equal(r.tallies["vCPU switch"], engine.built.machine.kernel.count(engine.names.functions.find(({ name }) => name === "context_switch")!.id));
    assert.equal(r.tallies["thread switch"], sum(r.domains.map((d) => d.counts!.threadSwitches)));
    assert.ok(r.tallies["thread switch"] > 20 * r.tallies["vCPU switch"]!);
  });

  it("are counted for a kernel, with what its processes do", () => {
    const { report: r } = runDesign(sample("placement/multiserver"));
    const [kernel, ...processes] = r.domains.filter(({ host }) => host === "server");
    assert.equal(kernel!.domain, "server/os");
    assert.ok(kernel!.counts!.threadSwitches > 1000);
    assert.deepEqual(processes.map(({ counts }) => counts), [undefined, undefined, undefined]);
  });
});
