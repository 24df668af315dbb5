import assert from "node:assert/strict";
import fc from "fast-check";
import { Watch } from "../../../engine/machine/nic/adapter";
import { nicModels } from "../../../engine/machine/nic/model";
import { AdapterRig, PEER_MAC, PF_MAC } from "../../support/adapterRig";

const { ring } = nicModels["intel-82599"]!;
/** Shortest frame with preamble, check sequence and gap, at 10 Gb/s: 84 B × 800 ps. */
const SHORTEST_TIME = 67_200;

describe("transmit queues", () => {
  it("keep the wire full with 64 B frames: descriptors are fetched ahead and frames read several at a time", () => {
    const rig = new AdapterRig(1).open(0);
    const before = rig.count("descriptor fetch");
    const frames = 1000;
    for (let i = 0; i < frames; i++) assert.ok(rig.post(0, rig.packet(PF_MAC, PEER_MAC, 60)));
    rig.run();
    assert.equal(rig.atPeer.length, frames);
    // The first doorbell fetches one descriptor; the rest come while its frame is read.
    for (let i = 2; i < frames; i++) assert.equal(rig.atPeer[i]!.time - rig.atPeer[i - 1]!.time, SHORTEST_TIME, `frame ${i}`);
    assert.ok(rig.count("descriptor fetch") - before <= frames / 10);
  });

  it("send in order, whatever the sizes", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 60, max: 1514 }), { minLength: 1, maxLength: 200 }), (sizes) => {
      const rig = new AdapterRig(1).open(0);
      const packets = sizes.map((bytes) => rig.packet(PF_MAC, PEER_MAC, bytes));
      for (const packet of packets) rig.post(0, packet);
      rig.run();
      assert.deepEqual(rig.atPeer.map((a) => a.packet), packets);
      assert.equal(rig.nic.transmitQueues.buffered, 0);
    }), { numRuns: 30 });
  });

  it("take no more than the ring has descriptors, and give them back by write-back, several at once", () => {
    const rig = new AdapterRig(1).open(0);
    for (let i = 0; i < ring; i++) assert.ok(rig.post(0, rig.packet(PF_MAC, PEER_MAC, 60)));
    assert.equal(rig.post(0, rig.packet(PF_MAC, PEER_MAC, 60)), false);
    const before = rig.count("descriptor write-back");
    rig.run();
    const { state } = rig.nic.transmitQueues;
    const { row } = rig.nic.functions[0]!.queues[0]!;
    assert.ok(state.used[row]! < 8 && state.used[row] === state.done[row]);
    assert.ok(rig.count("descriptor write-back") - before <= ring / 8);
    assert.ok(rig.post(0, rig.packet(PF_MAC, PEER_MAC, 60)));
  });

  it("go around the ring: after its last descriptor and buffer come the first ones again, for the adapter as for the driver", () => {
    const rig = new AdapterRig(1).open(0);
    const { iommu, transmitQueues, functions } = rig.nic;
    const { transmitRing, transmitBuffers } = functions[0]!.queues[0]!;
    const read: number[] = [];
    const access = iommu.access.bind(iommu);
    iommu.access = (f, address, bytes, by, packet) => {
      read.push(address);
      return access(f, address, bytes, by, packet);
    };
    const frames = ring + 5;
    for (let i = 0; i < frames; i++) {
      assert.ok(rig.nic.post(0, 0, rig.packet(PF_MAC, PEER_MAC, 60), undefined, Watch.quietly));
      rig.run();
    }
    const buffers = read.filter((address) => address >= transmitBuffers && address < transmitBuffers + ring * 2048);
    assert.equal(buffers.length, frames);
    assert.deepEqual(buffers.slice(ring), buffers.slice(0, frames - ring));
    const fetched = read.filter((address) => address > transmitRing && address < transmitRing + ring * 16);
    assert.equal(new Set(fetched).size, ring - 1);
    const { row } = functions[0]!.queues[0]!;
    assert.equal(transmitQueues.sentCount(row), frames - transmitQueues.state.used[row]!, "what was to be watched is found by counts that do not go around");
  });

  it("read no more frames than the transmit buffer holds, and serve functions in turn", () => {
    const rig = new AdapterRig(2, { mtu: 9000 }).open(0, 1, 2);
    const share = new Map<number, number>();
    for (let i = 0; i < 200; i++) for (const f of [1, 2]) rig.post(f, rig.packet(PF_MAC + f, PEER_MAC, 9014));
    let most = 0;
    while (rig.atPeer.length < 200 && rig.kernel.dispatch()) most = Math.max(most, rig.nic.transmitQueues.buffered);
    assert.ok(most <= 160 * 1024 && most > 140 * 1024);
    for (const { packet } of rig.atPeer) share.set(rig.packets.sourceMac(packet), (share.get(rig.packets.sourceMac(packet)) ?? 0) + 1);
    assert.ok(Math.abs(share.get(PF_MAC + 1)! - share.get(PF_MAC + 2)!) <= 40, "within what the buffer holds");
  });

  it("share PCI Express: functions together read no faster than the link", () => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    const start = rig.kernel.now;
    for (let i = 0; i < 500; i++) for (const f of [1, 2]) rig.post(f, rig.packet(PF_MAC + f, PF_MAC + 3 - f, 1500));
    rig.run();
    // Between functions the wire is no limit: 1500 B and the headers of six transfers of 256 B at 4 GB/s.
    const least = 1000 * (1500 + 6 * 24) * 250;
    assert.ok(rig.kernel.now - start >= least && rig.kernel.now - start < 1.2 * least);
  });
});

describe("receive queues", () => {
  it("keep up with 64 B frames at line rate; a frame is seen when its descriptor is written back", () => {
    const rig = new AdapterRig(1).open(0);
    const taken: number[] = [];
    const sent: number[] = [];
    for (let i = 0; i < 5000; i++) {
      sent.push(rig.packet(PEER_MAC, PF_MAC, 60));
      rig.arrive(sent[i]!);
      assert.equal(rig.nic.peekReceived(0, 0) >= 0, rig.nic.receiveQueues.state.visible[0]! > 0);
      rig.run(SHORTEST_TIME);
      if (i % 64 === 0) taken.push(...rig.drain(0));
    }
    rig.run();
    taken.push(...rig.drain(0));
    assert.deepEqual(taken, sent);
    assert.equal(rig.count("receive ring full") + rig.count("receive buffer full"), 0);
    assert.ok(rig.count("descriptor write-back") < sent.length, "descriptors are written back together");
  });

  it("drop when the driver posts no buffers, and go on when it does", () => {
    const rig = new AdapterRig(1).open(0);
    for (let i = 0; i < ring + 10; i++) {
      rig.arrive(rig.packet(PEER_MAC, PF_MAC, 60));
      rig.run(SHORTEST_TIME);
    }
    rig.run();
    assert.equal(rig.count("receive ring full"), 10);
    assert.equal(rig.nic.state.dropped[0], 10);
    assert.equal(rig.drain(0).length, ring);
    rig.arrive(rig.packet(PEER_MAC, PF_MAC, 60));
    rig.run();
    assert.equal(rig.drain(0).length, 1);
  });

  it("drop what the receive buffer cannot hold", () => {
    const rig = new AdapterRig(1, { mtu: 9000 }).open(0);
    // All at one instant: far faster than PCI Express drains them.
    for (let i = 0; i < 100; i++) rig.arrive(rig.packet(PEER_MAC, PF_MAC, 9014));
    assert.equal(rig.count("receive buffer full"), 100 - Math.floor((512 * 1024) / 9014));
    rig.run();
    assert.equal(rig.nic.receiveQueues.buffered, 0);
  });

  it("keep every descriptor in exactly one place, at any instant", () => {
    fc.assert(fc.property(fc.array(fc.record({ frames: fc.integer({ min: 0, max: 40 }), take: fc.integer({ min: 0, max: 40 }), wait: fc.integer({ min: 0, max: 3_000_000 }) }), { maxLength: 30 }), (steps) => {
      const rig = new AdapterRig(1).open(0);
      const rx = rig.nic.receiveQueues;
      for (const { frames, take, wait } of steps) {
        for (let i = 0; i < frames; i++) rig.arrive(rig.packet(PEER_MAC, PF_MAC, 60 + i));
        for (let i = 0; i < take && rig.nic.peekReceived(0, 0) >= 0; i++) rig.nic.takeReceived(0, 0);
        rig.run(wait);
        assert.equal(rx.descriptors(0), ring);
      }
    }), { numRuns: 40 });
  });
});

describe("interrupt moderation", () => {
  it("keeps interrupts of a vector apart by the interval, in units of 2.048 µs", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 20 }), fc.array(fc.integer({ min: 0, max: 60_000_000 }), { minLength: 2, maxLength: 60 }), (units, gaps) => {
      const rig = new AdapterRig(1).open(0);
      rig.nic.vectors.throttle(0, units << 3);
      for (const gap of gaps) {
        rig.arrive(rig.packet(PEER_MAC, PF_MAC));
        rig.run(gap);
        rig.drain(0);
      }
      rig.run();
      const times = rig.interrupts.map((i) => i.time);
      for (let i = 1; i < times.length; i++) assert.ok(times[i]! - times[i - 1]! >= units * 2_048_000);
      rig.drain(0);
      rig.run();
      assert.equal(rig.nic.state.received[0], gaps.length, "no frame waits for ever");
    }), { numRuns: 60 });
  });

  it("masks the vector until the driver has emptied the ring", () => {
    const rig = new AdapterRig(1).open(0);
    for (let i = 0; i < 10; i++) rig.arrive(rig.packet(PEER_MAC, PF_MAC));
    rig.run();
    assert.equal(rig.interrupts.length, 1);
    rig.nic.takeReceived(0, 0);
    rig.nic.unmask(0, 0);
    rig.run();
    assert.equal(rig.interrupts.length, 2, "frames are left");
  });

  it("has a longest interval: 511 units, 956 interrupts a second", () => {
    const { vectors } = new AdapterRig(1).nic;
    vectors.throttle(0, 511 << 3);
    assert.equal(Math.floor(1e12 / vectors.state.interval[0]!), 955);
    assert.throws(() => vectors.throttle(0, 512 << 3), /beyond/);
  });
});
