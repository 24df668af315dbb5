import assert from "node:assert/strict";
import { report, type RunReport } from "../../../engine/analysis/report";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { designOf } from "../../support/runDesign";

/** A web server in a process, a stack and a driver in others, beside a process that has nothing to do with them. */
function multiserver(faults: string): string {
  return `exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    domains:
      os: { kind: kernel, system: minix, vcpus: 3 }
      drv: { kind: process, components: [{ ixgbe: { bind: nic0.pf } }] }
      net: { kind: process, components: [{ tcpip: { driver: drv.ixgbe } }] }
      web: { kind: process, components: [{ http-server: { workers: 2 } }, { libc: { stack: net.tcpip } }] }
      other: { kind: process, components: [{ compute: { burst: 1ms, events: 20 } }] }
  client: { model: load-generator, cpu: { cores: 2 }, link: { to: server.nic0 } }
workloads:
  - http: { from: client, to: web, size: 1KiB, concurrency: 2, requests: 1200 }
faults: [${faults}]
run: { until: 3s }
`;
}

function run(text: string, until = Infinity): { engine: MachineEngine; result: RunReport } {
  const engine = createEngine(designOf(text));
  while (engine.time < until && engine.dispatch());
  return { engine, result: report(engine) };
}

const at = (result: RunReport, path: string): RunReport["workloads"][number] => result.workloads.find((w) => w.workload.startsWith(path))!;
const rows = (engine: MachineEngine, name: string): number =>
  engine.names.functions.filter((f) => f.name === name).reduce((sum, { id }) => sum + engine.built.machine.kernel.count(id), 0);

describe("processes that die", () => {
  const MS = 1e9;

  it("a driver that starts again costs no connection: TCP sends again what was lost", () => {
    const { engine, result } = run(multiserver("{ at: 12ms, crash: drv, restart: 5ms }"));
    const web = at(result, "workloads/http");
    const before = run(multiserver(""), 12 * MS).result;
    assert.equal(web.errors, 0);
    assert.ok(at(before, "workloads/http").completed > 0 && at(before, "workloads/http").completed < 1200);
    assert.equal(web.completed, 1200);
    assert.equal(rows(engine, "process ends"), 1);
    assert.equal(rows(engine, "process starts"), 1);
    assert.equal(at(result, "server/other").completed, 20, "a neighbour does not notice");
  });

  it("a stack that starts again has lost its connections; its application listens again, and new ones are served", () => {
    const { engine, result } = run(multiserver("{ at: 12ms, crash: net, restart: 5ms }"));
    const web = at(result, "workloads/http");
    assert.ok(web.errors > 0, "connections were lost");
    assert.ok(web.errors <= 2 && web.completed + web.errors >= 1200, `${web.completed} answered, ${web.errors} lost`);
    assert.equal(rows(engine, "process starts"), 1);
    assert.equal(at(result, "server/other").completed, 20);
  });

  it("who calls a server that is gone gets an error, and one that waits for its answer goes on", () => {
    const { engine } = run(multiserver("{ at: 12ms, crash: net }"), 30 * MS);
    const { cpus, lifecycle } = engine.built.machine;
    const running = engine.built.domains.filter((domain) => lifecycle.isRunning(domain)).map(({ path }) => path);
    assert.deepEqual(running, ["server/os", "server/drv", "server/web", "server/other", "client/os"]);
    for (const server of cpus.ipc.serverThreads()) assert.equal(cpus.ipc.serverOf(server), -1, "nobody waits for the dead");
    assert.equal(rows(engine, "do_sync_ipc") - rows(engine, "do_sync_ipc: reply") <= 4, true, "at most the calls under way were not answered");
  });

  it("a kernel takes its processes with it, and brings them back", () => {
    const { engine, result } = run(multiserver("{ at: 12ms, crash: server.os, restart: 5ms }"), 150 * MS);
    assert.equal(rows(engine, "process ends"), 4);
    assert.equal(rows(engine, "process starts"), 4);
    for (const domain of engine.built.domains) assert.ok(engine.built.machine.lifecycle.isRunning(domain), domain.path);
    assert.ok(at(result, "server/other").completed > 0);
  });
});
