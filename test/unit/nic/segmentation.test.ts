import assert from "node:assert/strict";
import fc from "fast-check";
import { DOMAIN_PAGES, PAGE_SIZE } from "../../../engine/machine/memory";
import { TcpFlag } from "../../../engine/network/packets";
import { AdapterRig, PEER_MAC, PF_MAC } from "../../support/adapterRig";

/** A long segment of so many payload bytes, in frames of 1448. */
function long(rig: AdapterRig, from: number, bytes: number, flow = 0): number {
  const p = rig.packets.createTcp(0x0a000001, 0x0a000002, 1000 + flow, 80, 1, 1, TcpFlag.ack | TcpFlag.psh, 1000, 0, 0, bytes, 5);
  rig.packets.setTimestamps(p, 1, 1);
  rig.packets.setSegmentSize(p, 1448);
  rig.packets.setEthernet(p, PEER_MAC, from);
  return p;
}

function descriptors(rig: AdapterRig, f: number): Record<string, number> {
  const { state } = rig.nic.transmitQueues;
  const { row } = rig.nic.functions[f]!.queues[0]!;
  return { used: state.used[row]!, all: state.posted[row]! + state.fetching[row]! + state.cached[row]! + state.reading[row]! + state.done[row]! + state.writing[row]! };
}

describe("segmentation by the adapter", () => {
  it("sends the frames of a long segment in order, each read by a DMA of its own, and gives all descriptors back", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 64_000 }), { minLength: 1, maxLength: 12 }), (sizes) => {
      const rig = new AdapterRig(0).open(0);
      const before = rig.count("DMA read");
      const sent = sizes.map((bytes) => long(rig, PF_MAC, bytes));
      for (const p of sent) assert.ok(rig.post(0, p));
      rig.run();
      const frames = sizes.map((bytes) => Math.ceil(bytes / 1448));
      assert.equal(rig.atPeer.length, frames.reduce((sum, n) => sum + n, 0));
      assert.equal(rig.count("DMA read") - before, rig.atPeer.length);
      let i = 0;
      sizes.forEach((bytes, n) => {
        let at = 0;
        for (let k = 0; k < frames[n]!; k++, i++) {
          const { packet } = rig.atPeer[i]!;
          assert.ok(rig.packets.frameLength(packet) <= 1514);
          assert.equal(rig.packets.offset(packet), at);
          if (frames[n]! > 1) assert.equal(rig.packets.parentOf(packet), sent[n]);
          at += rig.packets.payloadLength(packet);
        }
        assert.equal(at, bytes);
      });
      const { used, all } = descriptors(rig, 0);
      assert.equal(used, all);
      assert.ok(used! < 8 + 17, "what is not written back yet is less than a batch and a segment");
      assert.equal(rig.nic.transmitQueues.buffered, 0);
    }), { numRuns: 15 });
  });

  it("takes a descriptor to say how to cut and one for each page", () => {
    const rig = new AdapterRig(0).open(0);
    assert.ok(rig.post(0, long(rig, PF_MAC, 60_000)));
    assert.equal(descriptors(rig, 0).used, 1 + Math.ceil((60_000 + 66) / PAGE_SIZE));
    rig.run();
    const { ring } = rig.nic.model;
    let posted = 0;
    while (rig.post(0, long(rig, PF_MAC, 60_000)) && posted < ring) posted++;
    assert.ok(posted >= Math.floor(ring / 16) - 3 && posted <= ring / 16 + 3, "a ring has room for so many");
    rig.run();
    assert.equal(descriptors(rig, 0).used, descriptors(rig, 0).all);
  });

  it("lets the frames of another function in between", () => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    rig.post(1, long(rig, PF_MAC + 1, 60_000));
    rig.post(2, rig.packet(PF_MAC + 2, PEER_MAC, 1000));
    rig.run();
    const order = rig.atPeer.map(({ packet }) => rig.packets.sourceMac(packet));
    const at = order.indexOf(PF_MAC + 2);
    assert.ok(at > 0 && at < order.length - 10);
  });

  it("stops where a page is not mapped: what was read is sent, the rest is not, and its descriptors come back (invariant 41)", () => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    const edge = (DOMAIN_PAGES - 4) * PAGE_SIZE;
    rig.post(1, long(rig, PF_MAC + 1, 60_000), edge);
    const after = rig.packet(PF_MAC + 1, PEER_MAC, 200);
    rig.post(1, after);
    rig.run();
    assert.equal(rig.iommu.faultRecords().length, 1);
    const frames = rig.atPeer.length - 1;
    assert.ok(frames >= 10 && frames <= Math.ceil((4 * PAGE_SIZE) / 1448));
    assert.equal(rig.atPeer.at(-1)!.packet, after);
    assert.equal(descriptors(rig, 1).used, descriptors(rig, 1).all);
  });

  it("is over with a reset: frames that are being read are lost, the buffer is empty, the function begins anew", () => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    for (let i = 0; i < 5; i++) rig.post(1, long(rig, PF_MAC + 1, 60_000));
    rig.run(10e6);
    rig.act(() => rig.nic.reset(1));
    rig.run();
    assert.equal(rig.nic.transmitQueues.buffered, 0);
    const sent = rig.atPeer.length;
    assert.ok(sent > 0 && sent < 5 * 42);
    rig.open(1);
    rig.post(1, long(rig, PF_MAC + 1, 30_000));
    rig.run();
    assert.equal(rig.atPeer.length - sent, Math.ceil(30_000 / 1448));
  });
});
