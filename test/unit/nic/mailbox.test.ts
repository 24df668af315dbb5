import assert from "node:assert/strict";
import { MailboxApi, MailboxMessage, macWords } from "../../../engine/machine/nic/mailboxMessages";
import { AdapterRig, PEER_MAC, PF_MAC } from "../../support/adapterRig";

const VF = 1;
const VF_MAC = PF_MAC + VF;
const OTHER = 0x02_00_00_00_00_77;

/** The PF is up; the VF is assigned, and its driver has said nothing. */
function fresh(setup = {}): AdapterRig {
  const rig = new AdapterRig(2, setup).open(0);
  rig.nic.open(VF, rig.domainOf(VF), [100], 0);
  rig.run();
  return rig;
}

describe("VF mailbox", () => {
  it("refuses every message before RESET, and those that it knows are granted after it", () => {
    const rig = fresh();
    const messages: number[][] = [
      [MailboxMessage.setMac, ...macWords(VF_MAC)], [MailboxMessage.setMulticast, ...macWords(0x0100_5e00_0001)], [MailboxMessage.setVlan, 7],
      [MailboxMessage.setMaxFrame, 1518], [MailboxMessage.apiVersion, MailboxApi.v11], [MailboxMessage.getQueues],
    ];
    for (const words of messages) {
      const { ack, nack, clearToSend } = rig.ask(VF, ...words);
      assert.ok(nack && !ack && !clearToSend, `message ${words[0]}`);
    }
    assert.equal(rig.count("mailbox message refused"), messages.length);
    const reset = rig.ask(VF, MailboxMessage.reset);
    assert.ok(reset.ack && reset.clearToSend);
    for (const words of messages) assert.ok(rig.ask(VF, ...words).ack, `message ${words[0]}`);
    assert.ok(rig.ask(VF, MailboxMessage.setMacvlan, ...macWords(OTHER)).nack, "macvlan is never granted");
    assert.ok(rig.ask(VF, 99).nack);
  });

  it("answers RESET with the VF's address", () => {
    const rig = fresh();
    rig.ask(VF, MailboxMessage.reset);
    assert.deepEqual([rig.nic.mailbox.word(VF, 1), rig.nic.mailbox.word(VF, 2)].map((w) => w >>> 0), macWords(VF_MAC));
  });

  it("does not change a MAC address that policy forbids: refused, and the filters stay", () => {
    const rig = fresh();
    rig.ask(VF, MailboxMessage.reset);
    assert.ok(rig.ask(VF, MailboxMessage.setMac, ...macWords(OTHER)).nack);
    assert.equal(rig.nic.macOf(VF), VF_MAC);
    assert.equal(rig.nic.filters.poolOf(OTHER), -1);
  });

  it("changes it where policy allows, but never to another function's", () => {
    const rig = fresh({ policies: [{ allowSetMac: true, antiSpoof: true, vlan: 0 }] });
    rig.ask(VF, MailboxMessage.reset);
    assert.ok(rig.ask(VF, MailboxMessage.setMac, ...macWords(OTHER)).ack);
    assert.equal(rig.nic.filters.poolOf(OTHER), rig.nic.functions[VF]!.pool);
    assert.equal(rig.nic.macOf(VF), OTHER);
    assert.equal(rig.nic.filters.poolOf(VF_MAC), -1, "in place of the one before");
    assert.ok(rig.ask(VF, MailboxMessage.setMac, ...macWords(PF_MAC)).nack);
  });

  it("takes one message at a time", () => {
    const rig = fresh();
    assert.ok(rig.nic.mailbox.request(VF, [MailboxMessage.reset]));
    assert.equal(rig.nic.mailbox.request(VF, [MailboxMessage.reset]), false);
  });

  it("gives no receive enable to a VF with a larger frame than the PF", () => {
    const rig = fresh({ mtu: 1500 });
    rig.ask(VF, MailboxMessage.reset);
    rig.ask(VF, MailboxMessage.apiVersion, MailboxApi.v11);
    assert.ok(rig.ask(VF, MailboxMessage.setMaxFrame, 9018).nack);
    assert.equal(rig.nic.isUp(VF), false);
    rig.arrive(rig.packet(PEER_MAC, VF_MAC));
    rig.run();
    assert.equal(rig.count("receive disabled"), 1);
    assert.deepEqual(rig.drain(VF), []);
    assert.ok(rig.ask(VF, MailboxMessage.setMaxFrame, 1518).ack);
    assert.equal(rig.nic.isUp(VF), true);
  });

  it("gives none to a VF that speaks version 1.0 beside a PF with jumbo frames", () => {
    const rig = fresh({ mtu: 9000 });
    rig.ask(VF, MailboxMessage.reset);
    assert.ok(rig.ask(VF, MailboxMessage.setMaxFrame, 1518).nack);
    assert.equal(rig.nic.isUp(VF), false);
    rig.ask(VF, MailboxMessage.apiVersion, MailboxApi.v11);
    assert.ok(rig.ask(VF, MailboxMessage.setMaxFrame, 9018).ack);
    assert.equal(rig.nic.isUp(VF), true);
  });

  it("is clear no more after a reset of the port: the VF neither sends nor receives until it sends RESET, and its descriptors wait", () => {
    const rig = new AdapterRig(2).open(0, VF);
    rig.post(VF, rig.packet(VF_MAC, PEER_MAC));
    rig.run();
    assert.equal(rig.atPeer.length, 1);
    rig.act(() => rig.nic.mailbox.portReset(VF));
    assert.deepEqual([rig.nic.isUp(VF), rig.nic.mailbox.isClearToSend(VF)], [false, false]);
    for (let i = 0; i < 3; i++) assert.ok(rig.post(VF, rig.packet(VF_MAC, PEER_MAC)));
    rig.arrive(rig.packet(PEER_MAC, VF_MAC));
    rig.run();
    assert.equal(rig.atPeer.length, 1);
    assert.equal(rig.count("no receive filter"), 1);
    assert.ok(rig.ask(VF, MailboxMessage.apiVersion, MailboxApi.v11).nack);
    assert.ok(rig.ask(VF, MailboxMessage.reset).ack);
    rig.run();
    assert.equal(rig.atPeer.length, 4);
  });

  it("of a VF whose descriptors are on the chip, or whose frames are being read, sends nothing of it after a reset of the port", () => {
    const rig = new AdapterRig(2).open(0, VF);
    for (let i = 0; i < 60; i++) rig.post(VF, rig.packet(VF_MAC, PEER_MAC, 1500));
    rig.run(2 * 1e6);
    const sent = rig.nic.state.sent[VF]!;
    rig.act(() => rig.nic.mailbox.portReset(VF));
    rig.run();
    assert.ok(sent < 60);
    assert.equal(rig.nic.state.sent[VF], sent);
    const lost = rig.count("lost in a reset");
    assert.equal(rig.count("MAC anti-spoof"), 0);
    assert.equal(rig.nic.transmitQueues.buffered, 0);
    rig.ask(VF, MailboxMessage.reset);
    rig.run();
    assert.equal(rig.nic.state.sent[VF], 60 - lost, "the others have waited");
  });

  it("hears what the PF's driver says by itself, unless it asks something just then", () => {
    const rig = new AdapterRig(2).open(0, VF);
    const told: number[] = [];
    rig.nic.mailbox.told.push((f) => told.push(f));
    rig.act(() => rig.nic.mailbox.ping());
    assert.deepEqual(told, [VF, 2]);
    assert.deepEqual([rig.nic.mailbox.takeControl(VF), rig.nic.mailbox.takeControl(VF)], [true, false]);
    rig.nic.mailbox.request(VF, [MailboxMessage.reset]);
    rig.act(() => rig.nic.mailbox.ping());
    assert.deepEqual(told, [VF, 2, 2]);
    rig.run();
    assert.ok(rig.nic.mailbox.answer(VF) >= 0);
  });
});
