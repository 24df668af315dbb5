import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { MachineEngine } from "../../../engine/create";
import { runDesign } from "../../support/runDesign";

const sample = readFileSync("samples/librettos/librettos.exo.yaml", "utf8");

/** Components that a function of the trace ran in, with how often. */
function where(engine: MachineEngine, name: string): Record<string, number> {
  const { trace, names } = engine;
  const found: Record<string, number> = {};
  for (let row = 0; row < trace.length; row++) {
    if (names.functions[trace.fn(row)]!.name !== name) continue;
    const { path } = names.components[trace.component(row)]!;
    found[path] = (found[path] ?? 0) + 1;
  }
  return found;
}

describe("checksum offload", () => {
  const enabled = sample.replace("bind: nic0.vf0", "bind: nic0.vf0, checksum: on");

  it("is the adapter's where the driver is told so: a stack on a VF computes none, a stack on a VIF one for each packet that it sends or receives", () => {
    const { engine } = runDesign(enabled);
    const { packets } = engine.built.machine;
    const copied = [...Array.from({ length: packets.length }, (_, p) => p)]
      .filter((p) => !packets.isArp(p) && [packets.sourcePort(p), packets.destinationPort(p)].includes(6379));
    assert.deepEqual(where(engine, "in4_cksum"), { "server/redis/tcpip": copied.length });
    assert.deepEqual(where(engine, "csum_partial"), {});
  });

  it("is nobody's work when every application has a VF that computes them", () => {
    const { engine } = runDesign(enabled.replace("- vif: { channel: netsrv.netserver }", "- ixgbe: { bind: nic0.vf1, checksum: on }"));
    assert.deepEqual(where(engine, "in4_cksum"), {});
  });

  it("is off in NetBSD's drivers until somebody says otherwise, and on in Linux'; what the adapter cuts it computes checksums for in any case", () => {
    const engine = runDesign(sample).engine;
    const { packets } = engine.built.machine;
    const of = (port: number): number => Array.from({ length: packets.length }, (_, p) => p).filter((p) => !packets.isArp(p) && [packets.sourcePort(p), packets.destinationPort(p)].includes(port)).length;
    const { ["server/nginx/tcpip"]: nginx, ["server/redis/tcpip"]: redis } = where(engine, "in4_cksum");
    assert.ok(nginx! > 100 && redis! > 100);
    assert.equal(nginx! + redis!, of(80) + of(6379), "one for each packet at this end");
    assert.deepEqual(where(engine, "csum_partial"), {}, "the client is Linux");
    const long = runDesign(readFileSync("samples/offloads/tso.exo.yaml", "utf8").replaceAll("requests: 30", "requests: 3")).engine;
    const log = long.built.machine.packets;
    const cut = new Set(Array.from({ length: log.length }, (_, p) => p).filter((p) => log.isLong(p) && log.sourcePort(p) === 80 && log.parentOf(p) < 0));
    assert.ok(cut.size > 10);
    for (let row = 0; row < long.trace.length; row++) {
      if (long.names.functions[long.trace.fn(row)]!.name === "in4_cksum") assert.ok(!cut.has(long.trace.packet(row)));
    }
  });
});

describe("VF drivers", () => {
  it("say RESET, version, queues and largest frame to the PF before the first request, and are up then", () => {
    const { engine, report } = runDesign(sample);
    assert.deepEqual(report.drops, {}, "no request comes before they are up");
    assert.deepEqual(where(engine, "ixgbe_write_mbx"), { "server/nginx/ixgbe": 4 });
    const nic = engine.built.machine.nics.get("server/nic0")!;
    assert.ok(nic.isUp(nic.functionNamed("server/nic0/vf0")));
    assert.equal(nic.isUp(nic.functionNamed("server/nic0/vf1")), false, "nobody drives it");
  });
});

describe("queue pairs", () => {
  const many = sample.replace("vcpus: 2", "vcpus: 4").replace("bind: nic0.vf0", "bind: nic0.vf0, queues: 4").replace("until: 200ms", "until: 1s");

  it("of one function take interrupts on vCPUs of their own", () => {
    const { engine, report } = runDesign(many);
    assert.equal(report.workloads[0]!.completed, 400);
    const nic = engine.built.machine.nics.get("server/nic0")!;
    const { queues } = nic.functions[nic.functionNamed("server/nic0/vf0")]!;
    assert.equal(queues.length, 2, "a VF has three vectors, one of them not for queues");
    for (const { row } of queues) assert.ok(nic.receiveQueues.state.frames[row]! > 100);
    const { trace, names } = engine;
    const vcpus = new Set<string>();
    for (let row = 0; row < trace.length; row++) {
      if (names.functions[trace.fn(row)]!.name === "isr" && names.components[trace.component(row)]!.path === "server/nginx/ixgbe") vcpus.add(names.vcpus[trace.vcpu(row)]!.path);
    }
    assert.deepEqual([...vcpus].sort(), ["server/nginx/vcpu0", "server/nginx/vcpu1"]);
  });
});
