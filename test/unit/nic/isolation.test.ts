import assert from "node:assert/strict";
import { DOMAIN_PAGES, PAGE_SIZE } from "../../../engine/machine/memory";
import { MailboxMessage } from "../../../engine/machine/nic/mailboxMessages";
import { AdapterRig, PEER_MAC, PF_MAC } from "../../support/adapterRig";

const mac = (f: number): number => PF_MAC + f;
const OUTSIDE = DOMAIN_PAGES * PAGE_SIZE;

describe("a malicious driver", () => {
  it("cannot make the adapter read another domain's memory: a fault with the VF's routing id, no frame, other VFs go on", () => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    rig.post(1, rig.packet(mac(1), PEER_MAC), OUTSIDE);
    const good = rig.packet(mac(2), PEER_MAC);
    rig.post(2, good);
    rig.run();
    assert.deepEqual(rig.atPeer.map((a) => a.packet), [good]);
    assert.deepEqual(rig.iommu.faultRecords().map((r) => r.routingId), [rig.nic.sriov.routingIdOf(0)]);
    const own = rig.packet(mac(1), PEER_MAC);
    rig.post(1, own);
    rig.run();
    assert.equal(rig.atPeer.at(-1)!.packet, own, "one fault is not the end");
  });

  it("loses its VF's bus-mastering after ten wild descriptors; the VF sends and receives nothing any more", () => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    for (let i = 0; i < 10; i++) rig.post(1, rig.packet(mac(1), PEER_MAC), OUTSIDE + i * PAGE_SIZE);
    rig.run();
    assert.equal(rig.iommu.isBusMaster(rig.nic.functions[1]!.iommu), false);
    rig.post(1, rig.packet(mac(1), PEER_MAC));
    rig.arrive(rig.packet(PEER_MAC, mac(1)));
    rig.arrive(rig.packet(PEER_MAC, mac(2)));
    rig.run();
    assert.equal(rig.atPeer.length, 0);
    assert.equal(rig.drain(1).length, 0);
    assert.equal(rig.drain(2).length, 1);
    assert.ok(rig.count("bus master off") > 0);
  });
});

describe("function-level reset", () => {
  /** What a function has, apart from the totals of the machine. */
  const stateOf = (rig: AdapterRig, f: number): unknown => {
    const { nic } = rig;
    const { row } = nic.functions[f]!.queues[0]!;
    const of = (table: object): Record<string, number> =>
      Object.fromEntries(Object.entries(table).filter(([, column]) => ArrayBuffer.isView(column)).map(([name, column]) => [name, (column as Float64Array)[row]!]));
    return {
      transmit: of(nic.transmitQueues.state), receive: of(nic.receiveQueues.state), vector: of(nic.vectors.state),
      function: Object.fromEntries((["owner", "receive", "transmit", "sent", "received", "dropped", "maxFrame"] as const).map((name) => [name, nic.state[name][f]!])),
      filter: nic.filters.poolOf(mac(f)), clearToSend: nic.mailbox.state.clearToSend[f],
    };
  };

  /** Two VFs in the middle of traffic. */
  const busy = (): AdapterRig => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    for (let i = 0; i < 20; i++) {
      for (const f of [1, 2]) {
        rig.post(f, rig.packet(mac(f), PEER_MAC, 500));
        rig.arrive(rig.packet(PEER_MAC, mac(f), 500));
      }
    }
    return rig;
  };

  it("leaves queues, counters and filters of the other VF unchanged", () => {
    const rig = busy();
    const before = stateOf(rig, 2);
    rig.act(() => rig.nic.reset(1));
    assert.deepEqual(stateOf(rig, 2), before);
    rig.run();
    assert.equal(rig.drain(2).length, 20);
    assert.equal(rig.atPeer.filter((a) => rig.packets.sourceMac(a.packet) === mac(2)).length, 20);
  });

  it("loses what was in the VF's rings and on its way, each frame with its cause, and frees the buffers", () => {
    const rig = busy();
    rig.act(() => rig.nic.reset(1));
    rig.run();
    assert.deepEqual(rig.drain(1), []);
    const trace = rig.kernel.trace!;
    const lost = new Set(rig.rows("lost in a reset").map((row) => trace.packet(row)));
    lost.delete(-1);
    const sent = rig.atPeer.filter((a) => rig.packets.sourceMac(a.packet) === mac(1)).length;
    assert.equal(lost.size + sent, 40);
    assert.equal(rig.nic.transmitQueues.buffered, 0);
    assert.equal(rig.nic.receiveQueues.buffered, 0);
  });

  it("takes 100 ms, after which the VF must begin again with RESET", () => {
    const rig = busy();
    const at = rig.kernel.now;
    rig.act(() => rig.nic.reset(1));
    assert.equal(rig.nic.mailbox.request(1, [MailboxMessage.reset]), false, "nobody answers while it resets");
    rig.run();
    assert.equal(rig.kernel.trace!.time(rig.rows("function ready")[0]!) - at, 100e9);
    assert.equal(rig.nic.isUp(1), false);
    assert.equal(rig.nic.filters.poolOf(mac(1)), -1);
    assert.ok(rig.ask(1, MailboxMessage.setMaxFrame, 1518).nack);
    rig.open(1);
    assert.equal(rig.nic.isUp(1), true);
    rig.arrive(rig.packet(PEER_MAC, mac(1)));
    rig.run();
    assert.equal(rig.drain(1).length, 1);
  });

  for (const [first, second, ends] of [["short", "long", 100.5e9], ["long", "short", 100e9]] as const) {
    it(`during another, a ${second} one during a ${first} one, ends when both have ended, once`, () => {
      const rig = busy();
      const at = rig.kernel.now;
      const time = { short: 1e9, long: 100e9 };
      rig.act(() => rig.nic.reset(1, time[first]));
      rig.run(0.5e9);
      rig.act(() => rig.nic.reset(1, time[second]));
      rig.run(1e9);
      assert.equal(rig.nic.state.resetting[1], 1);
      rig.run();
      const ready = rig.rows("function ready");
      assert.deepEqual(ready.map((row) => rig.kernel.trace!.time(row) - at), [ends]);
      assert.equal(rig.nic.state.resetting[1], 0);
    });
  }

  it("comes back, taken from its owner, with no mapping of that owner, and can be given to another", () => {
    const rig = busy();
    const { iommu } = rig.nic.functions[1]!;
    assert.throws(() => rig.nic.open(1, 99, [7], 0), /EBUSY/);
    rig.act(() => rig.nic.detach(1));
    rig.run();
    assert.equal(rig.act(() => rig.iommu.access(iommu, 0, 64, rig.nic.functions[1]!, -1)), -1);
    rig.nic.open(1, 99, [7], 0);
    assert.equal(rig.iommu.ownerOf(iommu), 99);
  });
});

describe("an interrupt", () => {
  it("of a VF whose line was taken away is dropped, and other functions' arrive", () => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    rig.iommu.route(rig.nic.vectors.state.index[rig.nic.functions[1]!.queues[0]!.row]!, -1);
    for (const f of [1, 2]) rig.arrive(rig.packet(PEER_MAC, mac(f)));
    rig.run();
    assert.deepEqual(rig.interrupts.map((i) => i.line), [200]);
    assert.equal(rig.count("interrupt not remapped"), 1);
  });
});
