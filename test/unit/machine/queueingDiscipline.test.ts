import assert from "node:assert/strict";
import { QueueingDiscipline } from "../../../engine/components/queueingDiscipline";
import type { Ixgbe } from "../../../engine/components/ixgbe";
import { report } from "../../../engine/analysis/report";
import { createEngine } from "../../../engine/create";
import { Store } from "../../../engine/kernel/state";
import { act, rowsOf } from "../../support/act";
import { designText } from "../../support/designText";
import { designOf } from "../../support/runDesign";

/** Sockets of a Linux host that send small datagrams faster than their link of 1 Gb/s takes them, each as long as its send buffer has room: 278 of 768 B. */
function streams(sockets: number): string {
  return designText(
    { domains: { sink: ["discard: { protocol: udp }", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"] } },
    `workloads:\n${"  - udp-stream: { from: client, to: sink, duration: 4ms, size: 64B }\n".repeat(sockets)}run: { until: 30ms }\n`,
  ).replace("to: server.nic0 }", "to: server.nic0, rate: 1Gbps }");
}
const IN_BUFFER = Math.ceil(212992 / 768);

describe("the queueing discipline of Linux", () => {
  it("takes 1,000 frames, and gives them back in their order", () => {
    const discipline = new QueueingDiscipline(new Store(), "nic", 2);
    assert.ok(discipline.isOpen(1));
    assert.equal(discipline.posted(1, 21), false);
    assert.equal(discipline.posted(1, 20), true, "the longest frame may need 21 descriptors");
    for (let i = 0; i < 1000; i++) assert.ok(discipline.put(1, i, 7));
    assert.equal(discipline.put(1, 1000, 7), false);
    assert.ok(discipline.isOpen(0), "each transmit queue has its own");
    assert.equal(discipline.wake(1), true);
    assert.equal(discipline.wake(1), false, "a softirq runs already");
    for (let i = 0; i < 1000; i++) {
      assert.equal(discipline.isOpen(1), false, "what comes now is behind what waits");
      assert.deepEqual([discipline.causeOf(1), discipline.take(1)], [7, i]);
      assert.equal(discipline.isQuotaSpent(1), i % 64 === 63);
    }
    assert.equal(discipline.goesOn(1), false);
    assert.ok(discipline.isOpen(1));
  });

  it("has frames wait for which the ring has no room, and drops none that it has room for itself", () => {
    const engine = createEngine(designOf(streams(5)));
    const discipline = driverOf(engine)["sending"]["discipline"]!;
    const { nic, f } = driverOf(engine);
    let [most, least] = [0, Infinity];
    while (engine.dispatch()) {
      most = Math.max(most, discipline["queue"].count[0]!);
      least = Math.min(least, nic.transmitQueues.room(nic.rowOf(f, 0)));
    }
    const { drops, workloads } = report(engine);
    assert.equal(drops["transmit ring full"], undefined);
    assert.equal(drops["queueing discipline full"], undefined);
    assert.ok(most > 200 && most + 512 - 20 <= 5 * IN_BUFFER, `${most}: what the sockets' buffers let out, and the ring does not hold`);
    assert.equal(least, 20, "the driver stops when there is no room for the longest frame");
    assert.equal(workloads.reduce((sum, { errors }) => sum + errors, 0), 0);
    assert.equal(discipline["queue"].count[0], 0);
    const waited = rowsOf(engine, "pfifo_fast_enqueue").map((row) => engine.trace.packet(row));
    assert.ok(waited.length > 1000);
    assert.deepEqual(rowsOf(engine, "qdisc_restart").map((row) => engine.trace.packet(row)), waited, "first come, first served");
    const order = rowsOf(engine, "serialise").map((row) => engine.trace.packet(row)).filter((packet) => engine.built.machine.packets.isUdp(packet));
    const behind = new Set(waited);
    assert.deepEqual(order.filter((packet) => behind.has(packet)), waited);
  });

  it("drops what it has no room for, of which the sender hears nothing", () => {
    const engine = createEngine(designOf(streams(13)));
    while (engine.dispatch());
    const { drops, workloads } = report(engine);
    assert.ok(drops["queueing discipline full"]! > 100, JSON.stringify(drops));
    assert.equal(drops["transmit ring full"], undefined);
    assert.equal(workloads.reduce((sum, { errors }) => sum + errors, 0), 0);
    const stack = engine.built.machine.placed("client/os/tcpip") as unknown as { datagrams: { sendBuffers: { used(socket: number): number } } };
    for (let socket = 0; socket < 13; socket++) assert.equal(stack.datagrams.sendBuffers.used(socket), 0, "what was dropped is freed");
  });

  it("is emptied when the interface goes down, each frame with its cause", () => {
    const engine = createEngine(designOf(streams(10)));
    let waited = 0;
    act(engine, 12e9, () => {
      waited = driverOf(engine)["sending"]["discipline"]!["queue"].count[0]!;
      driverOf(engine)["sending"].down();
    });
    while (engine.dispatch());
    assert.ok(waited > 20, `${waited}`);
    assert.equal(report(engine).drops["interface down"], waited);
  });
});

function driverOf(engine: ReturnType<typeof createEngine>): Ixgbe {
  return [...engine.built.machine.components.values()].find((model) => engine.names.components[model.id]!.path.startsWith("client/") && "nic" in model) as unknown as Ixgbe;
}
