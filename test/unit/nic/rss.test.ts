import assert from "node:assert/strict";
import { parseIpv4 } from "../../../engine/network/addresses";
import { Toeplitz, defaultRssKey } from "../../../engine/machine/nic/rss";
import { AdapterRig, PEER_MAC, PF_MAC } from "../../support/adapterRig";

/** Microsoft, "Verifying the RSS hash calculation": destination, source, hash of the addresses, hash with TCP's ports. */
const published = [
  ["161.142.100.80", 1766, "66.9.149.187", 2794, 0x323e8fc2, 0x51ccc178],
  ["65.69.140.83", 4739, "199.92.111.2", 14230, 0xd718262a, 0xc626b0ea],
  ["12.22.207.184", 38024, "24.19.198.95", 12898, 0xd2d0a5de, 0x5c2b394a],
  ["209.142.163.6", 2217, "38.27.205.30", 48228, 0x82989176, 0xafc7327f],
  ["202.188.127.2", 1303, "153.39.163.191", 44251, 0x5d1809c5, 0x10e828a2],
] as const;

describe("Toeplitz hash", () => {
  const toeplitz = new Toeplitz(defaultRssKey);

  for (const [destination, destinationPort, source, sourcePort, ipv4, tcp] of published) {
    it(`gives the published values for ${source}:${sourcePort} to ${destination}:${destinationPort}`, () => {
      const [from, to] = [parseIpv4(source)!, parseIpv4(destination)!];
      assert.equal(toeplitz.ipv4(from, to), ipv4);
      assert.equal(toeplitz.tcpIpv4(from, to, sourcePort, destinationPort), tcp);
    });
  }

  it("refuses a key that is too short for its input", () => {
    assert.throws(() => new Toeplitz(defaultRssKey.slice(0, 15)), /too short/);
  });
});

describe("RSS", () => {
  it("spreads flows over the queues of the function, each flow on one, each queue with its own interrupt", () => {
    const rig = new AdapterRig(1, {}, 4).open(0);
    assert.equal(rig.nic.sriov.layout!.queues, 4);
    assert.equal(rig.nic.functions[0]!.queues.length, 4);
    const queueOfFlow = new Map<number, number>();
    for (let round = 0; round < 3; round++) {
      for (let flow = 0; flow < 32; flow++) rig.arrive(rig.packet(PEER_MAC, PF_MAC, 100, flow));
      rig.run();
      for (let q = 0; q < 4; q++) {
        for (const packet of rig.drain(0, q)) {
          const flow = rig.packets.sourcePort(packet);
          assert.equal(queueOfFlow.get(flow) ?? q, q);
          queueOfFlow.set(flow, q);
        }
      }
      rig.run();
    }
    assert.equal(queueOfFlow.size, 32);
    assert.deepEqual([...new Set(queueOfFlow.values())].sort(), [0, 1, 2, 3]);
    assert.deepEqual([...new Set(rig.interrupts.map((i) => i.line))].sort(), [0, 1, 2, 3]);
  });

  for (const queues of [3, 6]) {
    it(`spreads over ${queues} queues where they are not divided among pools: the driver writes each into the table`, () => {
      const rig = new AdapterRig(0, {}, queues).open(0);
      assert.equal(rig.nic.functions[0]!.queues.length, queues);
      const flows = 16 * queues;
      for (let flow = 0; flow < flows; flow++) rig.arrive(rig.packet(PEER_MAC, PF_MAC, 100, flow));
      rig.run();
      const taken = Array.from({ length: queues }, (_, q) => rig.drain(0, q).length);
      assert.equal(taken.reduce((a, b) => a + b), flows);
      for (const n of taken) assert.ok(n > 16 / 3 && n < 16 * 2.5, `${taken.join()}`);
    });
  }

  it("has a power of two in a pool, whose entries' low bits count", () => {
    const rig = new AdapterRig(1, {}, 3).open(0);
    assert.deepEqual(rig.nic.functions.map(({ queues }) => queues.length), [2, 2]);
  });

  it("follows the redirection table", () => {
    const rig = new AdapterRig(1, {}, 4).open(0);
    for (let entry = 0; entry < 128; entry++) rig.nic.rss.redirect(entry, 2);
    for (let flow = 0; flow < 20; flow++) rig.arrive(rig.packet(PEER_MAC, PF_MAC, 100, flow));
    rig.run();
    assert.deepEqual([0, 1, 2, 3].map((q) => rig.drain(0, q).length), [0, 0, 20, 0]);
  });
});
