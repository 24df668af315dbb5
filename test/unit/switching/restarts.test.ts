import assert from "node:assert/strict";
import { rowsOf } from "../../support/act";
import { runDesign } from "../../support/runDesign";

interface Parts {
  readonly applications: Readonly<Record<string, "vif" | "ixgbe">>;
  readonly workloads: readonly string[];
  readonly switches: readonly string[];
  readonly faults: readonly string[];
  readonly vfs?: number;
}

/** Applications that answer datagrams and can switch; with a function for each that has one from the beginning, else one of the pool. */
function design({ applications, workloads, switches, faults, vfs = 1 }: Parts): string {
  const domains = Object.entries(applications).flatMap(([name, active], i) => [
    `      ${name}:`, `        components: [echo: { port: ${7 + i}, protocol: udp }, libc, tcpip, vif: { channel: netsrv.netserver }, ixgbe: { bind: ${active === "vif" ? "nic0" : "nic0.vf0"} }]`,
    `        uplinks: { tcpip: [vif, ixgbe], active: ${active} }`,
  ]);
  return [
    "exoscope: 1", "hosts:", "  server:", "    cpu: { cores: 8 }", "    iommu: on", "    devices:",
    `      nic0: { model: intel-82599, mtu: 1500, sriov: { vfs: ${vfs} } }`,
    "    hypervisor: { model: xen }", "    domains:", "      netsrv:", "        components: [netserver, ixgbe: { bind: nic0.pf }]", ...domains,
    "  client: { model: load-generator, cpu: { cores: 4 }, link: { to: server.nic0, delay: 2us } }",
    "workloads:", ...workloads.map((line) => `  - open-loop: { from: client, arrivals: periodic, size: 64B, ${line} }`),
    "switches:", ...switches.map((line) => `  - { ${line} }`), "faults:", ...faults.map((line) => `  - { ${line} }`), "run: { until: 6s, seed: 1 }", "",
  ].join("\n");
}

describe("a restart among switches", () => {
  it("an address that has come to the server while it was down is announced when it is back", () => {
    const { engine, report } = runDesign(design({
      applications: { web: "vif" }, workloads: ["to: web, interval: 5ms, requests: 400"],
      switches: ["at: 100ms, switch: web, to: direct", "at: 1s, switch: web, to: server"], faults: ["at: 1030ms, crash: netsrv, restart: 100ms"],
    }));
    assert.deepEqual(report.switches.map(({ outcome }) => outcome), ["done", "server died"]);
    assert.ok(report.workloads[0]!.silence < 0.3e12, `nothing was answered for ${report.workloads[0]!.silence} ps`);
    const back = engine.trace.time(rowsOf(engine, "domain_create")[0]!);
    assert.ok(rowsOf(engine, "arpannounce").some((row) => engine.trace.time(row) > back));
    assert.ok(report.switches.every(({ lost }) => lost >= 0), "what was counted outlives the server");
  });

  it("also where the application has been down meanwhile, and is back before the server", () => {
    const { report } = runDesign(design({
      applications: { web: "vif" }, workloads: ["to: web, interval: 5ms, requests: 400"],
      switches: ["at: 100ms, switch: web, to: direct"], faults: ["at: 1s, crash: netsrv, restart: 400ms", "at: 1010ms, crash: web, restart: 100ms"],
    }));
    assert.ok(report.workloads[0]!.silence < 0.6e12, `nothing was answered for ${report.workloads[0]!.silence} ps`);
  });

  it("an application that is dead holds no function, and is not asked for one", () => {
    const { report } = runDesign(design({
      applications: { a: "vif", b: "vif", c: "vif" }, vfs: 2,
      workloads: ["to: a, interval: 500us, requests: 1800", "to: b, interval: 10ms, requests: 590", "to: c, interval: 1ms, requests: 1500"],
      switches: ["policy: vf-scarcity, among: [a, b, c], period: 400ms, advantage: 25%"], faults: ["at: 1s, crash: a"],
    }));
    assert.deepEqual(report.switches.map(({ application, to, outcome }) => [application, to, outcome]), [
      ["server/a", "server/a/ixgbe", "done"], ["server/c", "server/c/ixgbe", "done"], ["server/b", "server/b/ixgbe", "done"],
    ]);
  });

  it("what an application carried before its boot is not taken off what it carries after it", () => {
    const { report, engine } = runDesign(design({
      applications: { web: "ixgbe" }, workloads: ["to: web, interval: 1ms, requests: 3500"],
      switches: ["policy: load, switch: web, above: 100kbps, below: 0bps, window: 300ms"], faults: ["at: 1650ms, crash: web, restart: 120ms"],
    }));
    assert.deepEqual(report.switches, [], "less than nothing was never carried");
    assert.ok(rowsOf(engine, "policy decides").length > 10);
  });
});
