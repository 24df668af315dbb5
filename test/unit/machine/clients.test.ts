import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { MachineEngine } from "../../../engine/create";
import { Protocol } from "../../../engine/network/packets";
import { runDesign } from "../../support/runDesign";

const sample = (name: string): string => readFileSync(`samples/clients/${name}.exo.yaml`, "utf8");

/** Packets in the rows of a function, in order. */
function packetsAt({ trace, names }: MachineEngine, name: string, component?: string): number[] {
  const ids = names.functions.filter((f) => f.name === name).map(({ id }) => id);
  const found: number[] = [];
  for (let row = 0; row < trace.length; row++) {
    if (ids.includes(trace.fn(row)) && (component === undefined || names.components[trace.component(row)]!.path === component)) found.push(trace.packet(row));
  }
  return found;
}

describe("domains that ask other domains", () => {
  it("from one VF to another: every request is answered, and no frame to another VF leaves by the wire", () => {
    const { engine, report } = runDesign(sample("vf-to-vf"));
    assert.deepEqual(report.workloads.map(({ completed, errors }) => [completed, errors]), [[200, 0], [200, 0], [200, 0]]);
    const { packets, nics } = engine.built.machine;
    const nic = nics.get("server/nic0")!;
    const functions = new Set(nic.functions.map((_, f) => nic.macOf(f)));
    const internal = packetsAt(engine, "internal switch").filter((p) => functions.has(packets.destinationMac(p)));
    assert.ok(internal.length > 1000, `${internal.length}`);
    const onWire = new Set(packetsAt(engine, "serialise"));
    assert.ok(!internal.some((p) => onWire.has(p)));
  });

  it("a VLAN is a network of its own: its frames carry its tag inside the adapter, and nobody else's do", () => {
    const { engine } = runDesign(sample("vf-to-vf"));
    const { packets } = engine.built.machine;
    const tags = (component: string): number[] => [...new Set(packetsAt(engine, "ixgbe_rxeof", `server/${component}/ixgbe`).map((p) => packets.vlan(p)))];
    assert.deepEqual([tags("ledger"), tags("audit"), tags("nginx"), tags("crawler")], [[7], [7], [0], [0]]);
  });

  it("get dynamic ports of one portmap: none that another has at the time, and free ones again", () => {
    const { engine, report } = runDesign(sample("dynamic-ports"));
    assert.deepEqual(report.workloads.map(({ completed, errors }) => [completed, errors]), [[400, 0], [100, 0], [40, 0], [100, 0]]);
    const { packets, portmaps } = engine.built.machine;
    const opened = (name: string): number[] => packetsAt(engine, "frontend_send", `server/${name}/vif`).filter((p) => p >= 0 && packets.isTcp(p) && packets.sequence(p) >= 0 && (packets.flags(p) & 0x12) === 2).map((p) => packets.sourcePort(p));
    const [proxy, crawler] = [opened("proxy"), opened("crawler")];
    assert.equal(new Set(proxy).size, 8);
    assert.ok(crawler.length >= 100 && new Set(crawler).size < 100, "a connection a request, on ports that are used again");
    for (const port of [...proxy, ...crawler]) assert.ok(port >= 49152);
    assert.ok(!crawler.some((port) => proxy.includes(port)), "proxy keeps its connections open");
    const portmap = [...portmaps.values()][0]!;
    assert.equal(portmap.owner(Protocol.tcp, proxy[0]!), 0, "the first application of the server");
  });

  it("a load generator that restarts with its domain asks again", () => {
    const { report } = runDesign(sample("vf-to-vf").replace("run: {", "faults:\n  - { at: 12ms, crash: crawler, restart: 100ms }\nrun: {").replace("until: 300ms", "until: 1500ms"));
    const [crawler] = report.workloads;
    assert.equal(crawler!.requests, 400);
    assert.deepEqual(crawler!.beganAgain, [122e9]);
    assert.ok(crawler!.completed > 205 && crawler!.completed < 400, `${crawler!.completed}: what it had asked for before is not gone`);
    // What it waited for when it died is waited for until there is an answer again.
    assert.ok(crawler!.silence > 110e9, `${crawler!.silence}`);
  });
});
