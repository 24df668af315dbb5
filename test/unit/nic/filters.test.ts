import assert from "node:assert/strict";
import fc from "fast-check";
import { BROADCAST } from "../../../engine/network/packets";
import { MailboxMessage, macWords } from "../../../engine/machine/nic/mailboxMessages";
import { AdapterRig, PEER_MAC, PF_MAC } from "../../support/adapterRig";

const mac = (f: number): number => PF_MAC + f;

describe("receive filters", () => {
  it("deliver a frame to the function with its address, and to no other; unknown addresses are dropped", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 }), (targets) => {
      const rig = new AdapterRig(4).open(0, 1, 2, 3, 4);
      const sent = targets.map((f) => {
        const packet = rig.packet(PEER_MAC, mac(f), 60);
        rig.arrive(packet);
        return packet;
      });
      rig.run();
      for (let f = 0; f <= 4; f++) assert.deepEqual(rig.drain(f), sent.filter((_, i) => targets[i] === f));
      assert.equal(rig.count("no receive filter"), targets.filter((f) => f === 5).length);
    }), { numRuns: 20 });
  });

  it("deliver broadcast to every function that is up, and to the wire, but not back to the sender", () => {
    const rig = new AdapterRig(3).open(0, 1, 2);
    const packet = rig.packet(mac(1), BROADCAST);
    rig.post(1, packet);
    rig.run();
    assert.deepEqual([0, 1, 2].map((f) => rig.drain(f)), [[packet], [], [packet]]);
    assert.deepEqual(rig.atPeer.map((a) => a.packet), [packet]);
    assert.equal(rig.nic.receiveQueues.state.frames[rig.nic.functions[3]!.queues[0]!.row], 0);
  });

  it("deliver multicast to functions that asked for it", () => {
    const group = 0x0100_5e01_0203;
    const rig = new AdapterRig(2).open(0, 1, 2);
    assert.ok(rig.ask(2, MailboxMessage.setMulticast, ...macWords(group)).ack);
    rig.arrive(rig.packet(PEER_MAC, group));
    rig.run();
    assert.deepEqual([0, 1, 2].map((f) => rig.drain(f).length), [0, 0, 1]);
    assert.equal(rig.count("no receive filter"), 0, "a group frame that nobody wants is nobody's loss");
  });

  it("let a tagged frame in only to members of its VLAN", () => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    assert.ok(rig.ask(1, MailboxMessage.setVlan, 42).ack);
    for (const f of [1, 2]) {
      const packet = rig.packet(PEER_MAC, mac(f));
      rig.packets.setVlan(packet, 42);
      rig.arrive(packet);
    }
    rig.run();
    assert.deepEqual([1, 2].map((f) => rig.drain(f).length), [1, 0]);
    assert.equal(rig.count("no VLAN filter"), 1);
  });

  it("have room for 128 addresses and 64 VLANs", () => {
    const { filters } = new AdapterRig(1).nic;
    for (let i = 0; i < 128; i++) assert.ok(filters.addAddress(1000 + 2 * i, 0));
    assert.equal(filters.addAddress(5000, 0), false);
    filters.clearPool(0);
    assert.ok(filters.addAddress(5000, 0));
    for (let vlan = 1; vlan <= 64; vlan++) assert.ok(filters.addVlan(vlan, 0));
    assert.equal(filters.addVlan(65, 0), false);
    assert.ok(filters.addVlan(64, 1), "a VLAN that is known takes another pool");
  });
});

describe("the internal switch", () => {
  it("joins two VFs without the wire", () => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    const packet = rig.packet(mac(1), mac(2));
    rig.post(1, packet);
    rig.run();
    assert.deepEqual(rig.drain(2), [packet]);
    assert.deepEqual(rig.atPeer, []);
    assert.equal(rig.count("internal switch"), 1);
    assert.equal(rig.nic.transmitQueues.buffered, 0);
  });
});

describe("anti-spoof", () => {
  it("keeps a VF's frame with a source address that is not its own off the wire and from other functions, with a cause", () => {
    for (const destination of [PEER_MAC, mac(2), BROADCAST]) {
      const rig = new AdapterRig(2).open(0, 1, 2);
      rig.post(1, rig.packet(mac(2), destination));
      rig.run();
      assert.deepEqual(rig.atPeer, []);
      assert.deepEqual([0, 1, 2].map((f) => rig.drain(f).length), [0, 0, 0]);
      assert.equal(rig.count("MAC anti-spoof"), 1);
      assert.equal(rig.nic.transmitQueues.buffered, 0);
    }
  });

  it("is there before a VF's first frame: what its driver posts before the PF has answered its RESET waits, and is checked like the rest", () => {
    const rig = new AdapterRig(2).open(0, 2);
    rig.nic.open(1, rig.domainOf(1), [100], 0);
    rig.post(1, rig.packet(mac(2), PEER_MAC));
    rig.post(1, rig.packet(mac(1), PEER_MAC));
    rig.run();
    assert.equal(rig.atPeer.length, 0);
    assert.equal(rig.count("MAC anti-spoof"), 0);
    rig.ask(1, MailboxMessage.reset);
    rig.run();
    assert.deepEqual(rig.atPeer.map((a) => rig.packets.sourceMac(a.packet)), [mac(1)]);
    assert.equal(rig.count("MAC anti-spoof"), 1);
  });

  it("checks nothing of a pool whose policy is off, as DPDK's PF leaves it", () => {
    const rig = new AdapterRig(2, { policies: [1, 2].map(() => ({ allowSetMac: false, antiSpoof: false, vlan: 0 })) }).open(0, 1, 2);
    rig.post(1, rig.packet(mac(2), PEER_MAC));
    rig.run();
    assert.equal(rig.atPeer.length, 1);
  });

  it("keeps a VF out of VLANs that it is not in", () => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    rig.ask(1, MailboxMessage.setVlan, 42);
    for (const vlan of [42, 43]) {
      const packet = rig.packet(mac(1), PEER_MAC);
      rig.packets.setVlan(packet, vlan);
      rig.post(1, packet);
    }
    rig.run();
    assert.deepEqual(rig.atPeer.map((a) => rig.packets.vlan(a.packet)), [42]);
    assert.equal(rig.count("VLAN anti-spoof"), 1);
  });

  it("does not look at IP addresses and ports: forged ones pass, which is the gap of direct mode", () => {
    const rig = new AdapterRig(2).open(0, 1, 2);
    const forged = rig.packets.createUdp(0xdeadbeef, 0x0a000002, 53, 53, -1, 0, 10, 0);
    rig.packets.setEthernet(forged, PEER_MAC, mac(1));
    rig.post(1, forged);
    rig.run();
    assert.deepEqual(rig.atPeer.map((a) => a.packet), [forged]);
  });
});
