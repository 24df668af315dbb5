import assert from "node:assert/strict";
import type { Netserver } from "../../../engine/components/netserver";
import type { Vif } from "../../../engine/components/vif";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { report, type RunReport } from "../../../engine/analysis/report";
import { rowsOf } from "../../support/act";
import { designOf } from "../../support/runDesign";

const MS = 1e9;

interface Parts {
  readonly switches: readonly string[];
  readonly faults?: readonly string[];
  readonly costs?: string;
  readonly until?: string;
  readonly drivers?: string;
  readonly vfs?: number;
}

/** Two applications that can switch, and one function for both. */
function design({ switches, faults = [], costs = "", until = "8s", drivers = "ixgbe: { bind: nic0 }", vfs = 1 }: Parts): string {
  const application = (name: string, port: number): string[] => [
    `      ${name}:`, `        components: [echo: { port: ${port} }, libc, tcpip, vif: { channel: netsrv.netserver }, ${drivers}]`,
    `        uplinks: { tcpip: [vif, ${drivers.includes("second") ? "ixgbe, second" : "ixgbe"}], active: vif }`,
  ];
  return [
    "exoscope: 1", "hosts:", "  server:", "    cpu: { cores: 4 }", "    iommu: on", "    devices:",
    `      nic0: { model: intel-82599, mtu: 1500, sriov: { vfs: ${vfs} } }`,
    "    hypervisor: { model: xen }", "    domains:", "      netsrv:", "        components: [netserver, ixgbe: { bind: nic0.pf }]",
    ...application("web", 7), ...application("other", 8),
    "  client: { model: load-generator, cpu: { cores: 1 }, link: { to: server.nic0, delay: 2us } }",
    "switches:", ...switches.map((line) => `  - { ${line} }`), ...(faults.length === 0 ? [] : ["faults:", ...faults.map((line) => `  - { ${line} }`)]),
    ...(costs === "" ? [] : [`costs: { ${costs} }`]), `run: { until: ${until}, seed: 1 }`, "",
  ].join("\n");
}

interface Ended {
  readonly engine: MachineEngine;
  readonly report: RunReport;
  /** What became of each request: the application, the time in milliseconds and the outcome. */
  readonly outcomes: readonly (readonly [string, number, string])[];
  /** When functions were assigned (+) and taken back (−), in whole milliseconds. */
  readonly functions: readonly string[];
}

function run(parts: Parts): Ended {
  const engine = createEngine(designOf(design(parts)));
  while (engine.dispatch());
  const all = report(engine);
  const at = (name: string, sign: string): [number, string][] => rowsOf(engine, name).map((row) => [engine.trace.time(row), `${sign}${Math.floor(engine.trace.time(row) / MS)}`]);
  const functions = [...at("assign_device", "+"), ...at("deassign_device", "−")].sort(([a], [b]) => a - b).map(([, name]) => name);
  const outcomes = all.switches.map(({ application, asked, outcome }) => [application.slice("server/".length), asked / MS, outcome] as const);
  return { engine, report: all, outcomes, functions };
}

const holder = ({ engine }: Ended): string | undefined => report(engine).pciFunctions.find(({ function: f }) => f === "server/nic0/vf0")!.domain;
const vifOf = ({ engine }: Ended): Vif => engine.built.machine.placed("server/web/vif") as Vif;
const isAtServer = (ended: Ended): boolean => (ended.engine.built.machine.placed("server/netsrv/netserver") as Netserver).addresses.isActive(vifOf(ended).channelNumber);

describe("the end of a switch", () => {
  it("that the server's death ends gives the function back, and another application gets it: on the way to direct access", () => {
    const ended = run({ switches: ["at: 1s, switch: web, to: direct", "at: 6s, switch: other, to: direct"], faults: ["at: 1010ms, crash: netsrv, restart: 3s"] });
    assert.deepEqual(ended.outcomes, [["web", 1000, "server died"], ["other", 6000, "done"]]);
    // The VF's driver waits a second for the PF's (2000 looks), and the rest of a switch passes before it asks the server.
    assert.match(ended.functions.join(" "), /^\+10\d\d −2[01]\d\d \+60\d\d$/);
    assert.equal(holder(ended), "server/other");
    assert.ok(isAtServer(ended) && vifOf(ended).uplink.via === 0, "the new server has the address");
  });

  it("the same on the way to the server: when the driver has let go of the function, and no server is there to ask", () => {
    const ended = run({
      switches: ["at: 30ms, switch: web, to: direct", "at: 1s, switch: web, to: server", "at: 2s, switch: other, to: direct", "at: 6s, switch: other, to: direct"],
      faults: ["at: 1010ms, crash: netsrv, restart: 3s"],
    });
    assert.deepEqual(ended.outcomes, [["web", 30, "done"], ["web", 1000, "server died"], ["other", 2000, "not running"], ["other", 6000, "done"]]);
    assert.match(ended.functions.join(" "), /^\+\d\d −10\d\d \+60\d\d$/);
    assert.equal(holder(ended), "server/other");
    assert.ok(isAtServer(ended));
  });

  it("that the server's death ends at once, where the address was to be given up: it stays, and the server that comes has it", () => {
    const ended = run({ switches: ["at: 100ms, switch: web, to: direct"], faults: ["at: 100.5ms, hang: netsrv, watchdog: 100ms, restart: 50ms"], costs: '"assign_device": 1ms' });
    assert.deepEqual(ended.outcomes, [["web", 100, "server died"]]);
    assert.equal(ended.functions.length, 2);
    assert.equal(holder(ended), undefined);
    assert.ok(isAtServer(ended));
    const before = run({ switches: ["at: 100ms, switch: web, to: direct"], faults: ["at: 100.5ms, crash: netsrv, restart: 50ms"], costs: '"assign_device": 1ms' });
    assert.deepEqual(before.outcomes, [["web", 100, "server died"]], "it died while the function was assigned");
    assert.equal(holder(before), undefined);
  });

  it("is not the server's death where nothing of it is waited for: it is back before the application asks", () => {
    const ended = run({ switches: ["at: 30ms, switch: web, to: direct", "at: 1s, switch: web, to: server"], faults: ["at: 1005ms, crash: netsrv, restart: 20ms"], costs: '"driver flushes queues": 100ms' });
    assert.deepEqual(ended.outcomes, [["web", 30, "done"], ["web", 1000, "done"]]);
    assert.ok(isAtServer(ended));
    assert.equal(holder(ended), undefined);
  });

  it("that times out as the server hangs gives the function back at once: nobody drives it", () => {
    const there = run({ switches: ["at: 100ms, switch: web, to: direct"], faults: ["at: 90ms, hang: netsrv"] });
    assert.deepEqual(there.outcomes, [["web", 100, "timed out"]]);
    assert.match(there.functions.join(" "), /^\+10\d −21\d\d$/);
    assert.equal(holder(there), undefined);
    const back = run({ switches: ["at: 100ms, switch: web, to: direct", "at: 1s, switch: web, to: server"], faults: ["at: 990ms, hang: netsrv"] });
    assert.deepEqual(back.outcomes, [["web", 100, "done"], ["web", 1000, "timed out"]]);
    assert.match(back.functions.join(" "), /^\+10\d −30\d\d$/);
    assert.equal(holder(back), undefined);
  });

  it("that comes after the time-out gives the function back when the driver has let go of it, and once", () => {
    const costs = '"driver waits after a reset": 1s, "driver flushes queues": 1s, "VF driver waits for the answer to its reset": 1s';
    const late = run({ switches: ["at: 100ms, switch: web, to: direct", "at: 1s, switch: web, to: server"], costs, until: "20s" });
    assert.deepEqual(late.outcomes, [["web", 100, "timed out"], ["web", 1000, "timed out"]]);
    assert.equal(vifOf(late).uplink.via, 1, "what the application has begun it has ended");
    assert.deepEqual(late.functions.length, 1);
    const back = run({ switches: ["at: 100ms, switch: web, to: direct", "at: 10s, switch: web, to: server"], costs, until: "20s" });
    assert.deepEqual(back.outcomes, [["web", 100, "timed out"], ["web", 10_000, "timed out"]]);
    assert.match(back.functions.join(" "), /^\+10\d −14\d\d\d$/);
    assert.ok(isAtServer(back));
    assert.equal(holder(back), undefined);
  });

  it("that comes after the time-out lets what was asked for meanwhile begin", () => {
    const ended = run({ switches: ["at: 100ms, switch: web, to: direct", "at: 1s, switch: web, to: server", "at: 1500ms, switch: web, to: direct", "at: 2s, switch: web, to: server"], costs: '"driver waits after a reset": 1s', until: "8s" });
    assert.deepEqual(ended.outcomes, [["web", 100, "timed out"], ["web", 1000, "superseded"], ["web", 1500, "superseded"], ["web", 2000, "done"]]);
    const [, , , last] = ended.report.switches;
    assert.ok(last!.begun! > 2100 * MS && last!.begun! < 2300 * MS);
    assert.equal(ended.functions.length, 2);
    assert.ok(isAtServer(ended));
  });

  it("that comes after the time-out from a slow server leaves the address there: the application asks for it back, and touches no driver", () => {
    // The server hears of it after a second, and has given the address up after two more.
    const costs = '"backend_switch_handler": 1s, "in_purgeaddr": 1s, "in_control": 1s';
    const ended = run({ switches: ["at: 100ms, switch: web, to: direct"], costs, until: "20s" });
    assert.deepEqual(ended.outcomes, [["web", 100, "timed out"]]);
    assert.match(ended.functions.join(" "), /^\+10\d −21\d\d$/);
    assert.ok(isAtServer(ended) && vifOf(ended).uplink.via === 0);
    assert.equal(rowsOf(ended.engine, "backend_switched").length, 1, "it has been away");
    assert.equal(rowsOf(ended.engine, "rump_virtif_switch").length, 0);
    const again = run({ switches: ["at: 100ms, switch: web, to: direct", "at: 2500ms, switch: web, to: server", "at: 9s, switch: web, to: server"], costs, until: "20s" });
    assert.deepEqual(again.outcomes.map(([, , outcome]) => outcome), ["timed out", "timed out", "nothing to do"]);
  });

  it("never comes where the application hangs: it keeps the function until it dies, and what is asked for times out as well", () => {
    const ended = run({ switches: ["at: 100ms, switch: web, to: direct", "at: 1s, switch: web, to: server", "at: 5s, switch: web, to: direct", "at: 6s, switch: other, to: direct"], faults: ["at: 110ms, hang: web, watchdog: 6500ms, restart: 100ms"], until: "10s" });
    assert.deepEqual(ended.outcomes, [["web", 100, "timed out"], ["web", 1000, "timed out"], ["web", 5000, "not running"], ["other", 6000, "no function free"]]);
    assert.equal(holder(ended), undefined);
  });

  it("is the application's death, at once: it can switch again as soon as it is back", () => {
    const ended = run({ switches: ["at: 30ms, switch: web, to: direct", "at: 50ms, switch: web, to: server", "at: 500ms, switch: web, to: direct"], faults: ["at: 60ms, crash: web, restart: 100ms"], until: "2s" });
    assert.deepEqual(ended.outcomes, [["web", 30, "application died"], ["web", 50, "not running"], ["web", 500, "done"]]);
    assert.equal(holder(ended), "server/web");
    const [failed] = rowsOf(ended.engine, "switch failed");
    assert.equal(ended.engine.trace.time(failed!), 60 * MS);
    assert.equal(rowsOf(ended.engine, "switch timed out").length, 0);
    const planned = run({ switches: ["at: 30ms, switch: web, to: direct", "at: 500ms, switch: web, to: direct"], faults: ["at: 60ms, restart: web, takes: 100ms"], until: "2s" });
    assert.deepEqual(planned.outcomes, [["web", 30, "application died"], ["web", 500, "done"]]);
  });

  it("is the death of an application whose function is being assigned, or goes back: it has gone back with it, once", () => {
    const assigned = run({ switches: ["at: 30ms, switch: web, to: direct", "at: 500ms, switch: other, to: direct"], faults: ["at: 35ms, crash: web, restart: 100ms"], costs: '"assign_device": 10ms', until: "1s" });
    assert.deepEqual(assigned.outcomes, [["web", 30, "application died"], ["other", 500, "done"]]);
    assert.match(assigned.functions.join(" "), /^\+510$/, "nothing is assigned to who is dead");
    const goes = run({
      switches: ["at: 30ms, switch: web, to: direct", "at: 300ms, switch: web, to: server", "at: 600ms, switch: other, to: direct"], faults: ["at: 400ms, crash: web, restart: 50ms"],
      costs: '"deassign_device": 100ms', until: "1s",
    });
    assert.deepEqual(goes.outcomes.map(([, , outcome]) => outcome), ["done", "done", "done"]);
    assert.match(goes.functions.join(" "), /^\+\d\d \+6\d\d$/, "the hypervisor has taken it back with the domain");
    assert.equal(holder(goes), "server/other");
  });

  it("leaves a function that is wanted again before it has gone back where it is", () => {
    const ended = run({ switches: ["at: 30ms, switch: web, to: direct", "at: 300ms, switch: web, to: server", "at: 400ms, switch: web, to: direct"], costs: '"deassign_device": 200ms', until: "2s" });
    assert.deepEqual(ended.outcomes.map(([, , outcome]) => outcome), ["done", "done", "done"]);
    assert.equal(ended.functions.length, 1);
    assert.equal(holder(ended), "server/web");
  });

  it("is one of the whole way from a driver to another one, through the server", () => {
    const parts = { drivers: "ixgbe: { bind: nic0 }, ixgbe: { bind: nic0, id: second }", vfs: 2, until: "3s" } as const;
    const there = run({ ...parts, switches: ["at: 100ms, switch: web, to: direct", "at: 1s, switch: web, to: second"] });
    assert.deepEqual(there.report.switches.map(({ to, outcome }) => [to, outcome]), [["server/web/ixgbe", "done"], ["server/web/second", "done"]]);
    assert.match(there.functions.join(" "), /^\+10\d \+1[01]\d\d −1[01]\d\d$/);
    assert.equal(holder(there), undefined);
    assert.equal(vifOf(there).uplink.via, 2);
    const back = run({ ...parts, switches: ["at: 100ms, switch: web, to: direct", "at: 1s, switch: web, to: second", "at: 1010ms, switch: web, to: server"] });
    assert.deepEqual(back.outcomes.map(([, , outcome]) => outcome), ["done", "superseded", "nothing to do"], "it is at the server half of the way");
    assert.equal(back.functions.length, 2);
  });

  it("by a policy is counted like any other; it asks nobody whose switch has timed out and is not over", () => {
    const costs = '"driver waits after a reset": 1s, "driver flushes queues": 1s, "VF driver waits for the answer to its reset": 1s';
    const text = design({ switches: ["policy: load, switch: web, above: 1Mbps, below: 0bps, window: 100ms, dwell: 0us"], costs, until: "8s" })
      .replace(/^switches:/m, "workloads: [open-loop: { from: client, to: web, arrivals: periodic, interval: 1ms, requests: 7000, size: 1KiB }]\nswitches:");
    const engine = createEngine(designOf(text));
    while (engine.dispatch());
    const { switches } = report(engine);
    assert.deepEqual(switches.map(({ outcome }) => outcome), ["timed out"]);
    assert.equal(rowsOf(engine, "policy decides").reduce((sum, row) => sum + engine.trace.a(row), 0), 1);
    assert.equal(engine.activeUplinks()["server/web"], "server/web/ixgbe", "it has come there late");
  });

  it("is gone back over exactly, also where the application has died on the way", () => {
    const engine = createEngine(designOf(design({
      switches: ["at: 100ms, switch: web, to: direct", "at: 120ms, switch: web, to: server", "at: 300ms, switch: web, to: direct"], faults: ["at: 130ms, crash: web, restart: 110ms", "at: 320ms, crash: netsrv, restart: 150ms"], until: "3s",
    })));
    const keyframes = [90, 110, 125, 140, 290, 310, 400].map((ms) => {
      while (engine.time < ms * MS && engine.dispatch());
      return engine.snapshot();
    });
    while (engine.dispatch());
    for (const keyframe of keyframes) {
      const replayer = engine.replayer();
      replayer.restore(keyframe);
      while (replayer.dispatch());
      assert.deepEqual([replayer.rows, replayer.time, replayer.activeUplinks()], [engine.rows, engine.time, engine.activeUplinks()]);
    }
  });

  it("has a row for each request, whatever befalls the host", () => {
    const switches = ["at: 100ms, switch: web, to: direct", "at: 105ms, switch: web, to: server", "at: 990ms, switch: web, to: server", "at: 1600ms, switch: web, to: direct", "at: 1605ms, switch: other, to: direct", "at: 2500ms, switch: web, to: direct"];
    const ended = run({ switches, faults: ["at: 1s, hang: server, watchdog: 100ms, restart: 300ms", "at: 1650ms, crash: server.hypervisor, restart: 100ms"], until: "4s" });
    assert.deepEqual(ended.outcomes, [
      ["web", 100, "done"], ["web", 105, "done"], ["web", 990, "nothing to do"], ["web", 1600, "application died"], ["other", 1605, "no function free"], ["web", 2500, "done"],
    ]);
    assert.equal(rowsOf(ended.engine, "rumprun_service switch").length, ended.outcomes.length);
  });
});
