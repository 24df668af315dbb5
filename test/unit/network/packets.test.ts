import assert from "node:assert/strict";
import { Store } from "../../../engine/kernel/state";
import { parseIpv4, formatIpv4, formatMac } from "../../../engine/network/addresses";
import { addToSum, foldChecksum } from "../../../engine/network/checksum";
import { frameBytes } from "../../../engine/network/frameBytes";
import { ArpOperation, BROADCAST, PacketLog, TcpFlag } from "../../../engine/network/packets";
import { writeCapture } from "../../../engine/trace/pcapng";

const CLIENT = 0x0a000009;
const SERVER = 0x0a000002;

function log(): PacketLog {
  return new PacketLog(new Store());
}

describe("packets", () => {
  it("summarizes TCP with relative numbers, ARP and UDP", () => {
    const packets = log();
    const stream = packets.openStreams();
    packets.setInitialSequence(stream, 0xffff_ffff);
    packets.setInitialSequence(stream ^ 1, 77);
    const p = packets.createTcp(CLIENT, SERVER, 49152, 80, 0, 78, TcpFlag.psh | TcpFlag.ack, 65535, stream, 0, 180, 1);
    assert.equal(packets.summarize(p), "TCP 10.0.0.9:49152 → 10.0.0.2:80 [PSH, ACK] seq 1 ack 1 win 65535 len 180");
    packets.addSackBlock(p, 1078, 2078);
    assert.match(packets.summarize(p), / sack 1001–2001$/);
    const ask = packets.createArp(ArpOperation.request, 0x020000000001, CLIENT, 0, SERVER);
    assert.equal(packets.summarize(ask), "ARP who has 10.0.0.2? tell 10.0.0.9");
    const reply = packets.createArp(ArpOperation.reply, 0x020000000002, SERVER, 0x020000000001, CLIENT);
    assert.equal(packets.summarize(reply), "ARP 10.0.0.2 is at 02:00:00:00:00:02");
    const udp = packets.createUdp(CLIENT, SERVER, 5000, 53, -1, 0, 30, 1);
    assert.equal(packets.summarize(udp), "UDP 10.0.0.9:5000 → 10.0.0.2:53 len 30");
    assert.equal(packets.describe(p).variables.map(({ name }) => name).join(), "Ethernet,IPv4,TCP,payload");
  });

  it("counts frame and IP lengths with padding and options", () => {
    const packets = log();
    const ack = packets.createTcp(CLIENT, SERVER, 1, 2, 0, 0, TcpFlag.ack, 0, -1, 0, 0, 0);
    assert.equal(packets.ipLength(ack), 40);
    assert.equal(packets.frameLength(ack), 60);
    packets.setTimestamps(ack, 1, 2);
    packets.addSackBlock(ack, 1, 2);
    assert.equal(packets.ipLength(ack), 40 + 12 + 12);
    const syn = packets.createTcp(CLIENT, SERVER, 1, 2, 0, 0, TcpFlag.syn, 0, -1, 0, 0, 0);
    packets.setSynOptions(syn, 1460, 7, true);
    packets.setTimestamps(syn, 1, 0);
    assert.equal(packets.tcpOptionsLength(syn), 20);
    assert.equal(packets.frameLength(packets.createArp(1, 1, 1, 1, 1)), 60);
    assert.equal(packets.frameLength(packets.createUdp(1, 2, 3, 4, -1, 0, 1472, 0)), 1514);
  });

  it("copies a packet and marks only the copy as corrupted", () => {
    const packets = log();
    const p = packets.createTcp(CLIENT, SERVER, 1, 2, 10, 20, TcpFlag.ack, 5, 0, 3, 4, 6);
    packets.setEthernet(p, BROADCAST, 7);
    packets.setTimestamps(p, 8, 9);
    const q = packets.copy(p);
    packets.corrupt(q, 500);
    assert.ok(!packets.isCorrupted(p) && packets.isCorrupted(q));
    assert.equal(packets.summarize(q), `${packets.summarize(p)} (corrupted)`);
    assert.equal(packets.destinationMac(q), BROADCAST);
    assert.equal(packets.timestampEcho(q), 9);
    const intact = frameBytes(packets, p);
    const flipped = frameBytes(packets, q);
    const different = [...intact].flatMap((byte, i) => (byte === flipped[i] ? [] : [[i, byte ^ flipped[i]!]]));
    assert.deepEqual(different, [[62, 0x08]]);
  });

  it("gives a replay the same numbers, and leaves later marks of the recording alone", () => {
    const store = new Store();
    const packets = new PacketLog(store);
    const make = (into: PacketLog): number => {
      const p = into.createTcp(CLIENT, SERVER, 1, 2, 10, 20, TcpFlag.ack, 5, into.openStreams(), 3, 4, 6);
      into.setTimestamps(p, into.length, 9);
      return p;
    };
    make(packets);
    const snapshot = store.snapshot();
    const recorded = Array.from({ length: 1000 }, () => make(packets));
    packets.setEthernet(recorded[0]!, 1, 2);
    const replayStore = new Store();
    const replay = new PacketLog(replayStore, packets.columns);
    replayStore.restore(snapshot);
    assert.equal(replay.length, 1);
    const before = packets.summarize(recorded[5]!);
    assert.deepEqual(Array.from({ length: 6 }, () => make(replay)), recorded.slice(0, 6));
    assert.equal(packets.summarize(recorded[5]!), before);
    assert.equal(replay.sourceMac(recorded[0]!), 2);
    assert.equal(packets.length, 1001);
  });

  it("writes addresses as people do", () => {
    assert.equal(formatIpv4(0xc0a80001), "192.168.0.1");
    assert.equal(parseIpv4("192.168.0.1"), 0xc0a80001);
    for (const wrong of ["", "1.2.3", "1.2.3.256", "1.2.3.4.5", "a.b.c.d", " 1.2.3.4"]) assert.equal(parseIpv4(wrong), undefined);
    assert.equal(formatMac(0x0200_0000_00ff), "02:00:00:00:00:ff");
  });
});

describe("checksums", () => {
  it("agrees with the example of RFC 1071 section 3", () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    assert.equal(foldChecksum(addToSum(bytes, 0, 8)), ~0xddf2 & 0xffff);
  });

  it("takes an odd last byte as the high half of its word", () => {
    assert.equal(foldChecksum(addToSum(Uint8Array.of(0x12), 0, 1)), ~0x1200 & 0xffff);
  });

  it("writes headers that sum to zero", () => {
    const packets = log();
    for (let length = 0; length < 64; length++) {
      const p = packets.createTcp(CLIENT, SERVER, 49152, 80, 0xdeadbeef, 1, TcpFlag.ack, 1000, 0, 12345, length, 99);
      const bytes = frameBytes(packets, p);
      assert.equal(foldChecksum(addToSum(bytes, 14, 34)), 0);
      assert.equal(foldChecksum(addToSum(bytes, 34, 14 + packets.ipLength(p), addToSum(bytes, 26, 34, 6 + 20 + length))), 0);
    }
  });
});

describe("pcapng", () => {
  it("has a section, interfaces and packets as blocks whose lengths stand at both ends", () => {
    const packets = log();
    const p = packets.createTcp(CLIENT, SERVER, 1, 2, 0, 0, TcpFlag.syn, 0, 0, 0, 1, 0);
    const bytes = writeCapture(packets, ["client", "nic0 ⇄ switch"], [{ packet: p, time: 1_234_567_890_123_999, interface: 1, direction: "inbound" }]);
    const view = new DataView(bytes.buffer);
    const types: number[] = [];
    let packetBlock = 0;
    for (let at = 0; at < bytes.length; ) {
      const length = view.getUint32(at + 4, true);
      assert.equal(length % 4, 0);
      assert.equal(view.getUint32(at + length - 4, true), length);
      types.push(view.getUint32(at, true));
      if (types.at(-1) === 6) packetBlock = at;
      at += length;
    }
    assert.deepEqual(types, [0x0a0d0d0a, 1, 1, 6]);
    assert.equal(view.getUint32(packetBlock + 8, true), 1);
    assert.equal(view.getUint32(packetBlock + 12, true) * 2 ** 32 + view.getUint32(packetBlock + 16, true), 1_234_567_890_123);
    assert.equal(view.getUint32(packetBlock + 20, true), 60);
    assert.ok(new TextDecoder().decode(bytes).includes("nic0 ⇄ switch"));
  });

  it("refuses an interface without a name and a payload of the wrong length", () => {
    const packets = log();
    const p = packets.createTcp(CLIENT, SERVER, 1, 2, 0, 0, TcpFlag.ack, 0, 0, 0, 5, 0);
    assert.throws(() => writeCapture(packets, [], [{ packet: p, time: 0, interface: 0 }]), RangeError);
    assert.throws(() => writeCapture(packets, ["a"], [{ packet: p, time: 0, interface: 0 }], () => new Uint8Array(4)), RangeError);
  });
});
