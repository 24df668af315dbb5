import assert from "node:assert/strict";
import { Store } from "../../../engine/kernel/state";
import { slowStart } from "../../../engine/network/tcp/congestion";
import { tcbSchema } from "../../../engine/network/tcp/tcb";
import { linuxTcp, netbsdTcp, type TcpOptions } from "../../../engine/network/tcp/tcp";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

/** Reads everything on host 1 as it comes. */
function readAll(net: TcpNetwork): { bytes: number } {
  const got = { bytes: 0 };
  net.hosts[1].onReadable = (conn) => {
    got.bytes += net.hosts[1].stack.receive(conn, Infinity);
  };
  return got;
}

describe("TCP transfer", () => {
  it("delivers bytes in order and marks the last segment with PSH", () => {
    const net = new TcpNetwork();
    const [c, s] = net.open();
    assert.equal(net.hosts[0].stack.send(c, 4000), 4000);
    net.run(net.time + MILLISECOND);
    assert.equal(net.hosts[1].stack.available(s), 4000);
    const data = net.lines(3).filter((line) => line.startsWith(">"));
    assert.deepEqual(data.map((line) => line.replace(/ win.*len/, "")), ["> [ACK] seq 1 ack 1 1448", "> [ACK] seq 1449 ack 1 1448", "> [PSH, ACK] seq 2897 ack 1 1104"]);
    assert.equal(net.hosts[1].stack.receive(s, 1500), 1500);
    assert.equal(net.hosts[1].stack.available(s), 2500);
    assert.equal(net.hosts[1].stack.receiveOffset(s), 1500);
    assert.equal(net.hosts[0].stack.sendOffset(c), 4000);
  });

  it("crosses the end of the sequence space", () => {
    const net = new TcpNetwork({}, {}, [0xffff_ff00, 0xffff_fffe]);
    const [c] = net.open();
    const got = readAll(net);
    net.hosts[0].stack.send(c, 100_000);
    net.run(net.time + SECOND);
    assert.equal(got.bytes, 100_000);
    assert.equal(net.packets.sequence(net.sent[0]!.packet), 0xffff_ff00);
    assert.equal(net.hosts[0].stack.counters.retransmittedByTimeout, 0);
  });

  it("delays the ACK of a lone segment and acknowledges every second full one at once", () => {
    const net = new TcpNetwork({}, { delayedAck: 40 * MILLISECOND, quickAcks: 0, receiveBuffer: 65535 });
    const [c] = net.open();
    readAll(net);
    const start = net.time;
    net.hosts[0].stack.send(c, 1448);
    net.run(start + 100 * MILLISECOND);
    assert.deepEqual(net.sent.slice(3).map(({ from, time }) => [from, time - start]), [[0, 0], [1, 40 * MILLISECOND + 10 * MICROSECOND]]);
    const second = net.time;
    net.hosts[0].stack.send(c, 2 * 1448);
    net.run(second + MILLISECOND);
    assert.deepEqual(net.sent.slice(5).map(({ from, time }) => [from, time - second]), [[0, 0], [0, 0], [1, 10 * MICROSECOND]]);
    assert.equal(net.hosts[1].stack.counters.delayedAcks, 1);
  });

  it("does not delay the first ACKs where the system is Linux, until it answers itself, and again after a silence", () => {
    const net = new TcpNetwork({}, { delayedAck: 40 * MILLISECOND, quickAcks: 3, receiveBuffer: 65535 });
    const [c, d] = net.open();
    readAll(net);
    const acksWithin = (time: number): number => {
      const before = net.sent.length;
      net.hosts[0].stack.send(c, 1448);
      net.run(net.time + time);
      return net.sent.slice(before).filter(({ from }) => from === 1).length;
    };
    assert.deepEqual([1, 2, 3, 4].map(() => acksWithin(MILLISECOND)), [1, 1, 1, 0]);
    net.run(net.time + 3000 * MILLISECOND);
    assert.equal(acksWithin(MILLISECOND), 1, "a new beginning");
    net.hosts[1].stack.send(d, 100);
    net.run(net.time + MILLISECOND);
    assert.equal(acksWithin(MILLISECOND), 0, "it answers: the ACK can go with the next answer");
  });

  it("with Nagle holds back a small segment while another is on the way; without, does not", () => {
    for (const nagle of [true, false]) {
      const net = new TcpNetwork({ nagle }, { delayedAck: 0 });
      const [c] = net.open();
      readAll(net);
      net.hosts[0].stack.send(c, 100);
      net.run(net.time);
      net.hosts[0].stack.send(c, 100);
      net.hosts[0].stack.send(c, 100);
      net.run(net.time);
      const immediately = net.sent.length - 3;
      net.run(net.time + MILLISECOND);
      const lengths = net.sent.filter(({ from }) => from === 0).slice(2).map(({ packet }) => net.packets.payloadLength(packet));
      assert.equal(immediately, nagle ? 1 : 2);
      assert.deepEqual(lengths, nagle ? [100, 200] : [100, 200]);
    }
  });

  it("doubles its window each round trip from the initial one", () => {
    const net = new TcpNetwork({ initialWindow: 2, sendBuffer: 1e6 }, { delayedAck: 0 });
    const [c] = net.open();
    let free = 0;
    // One microsecond a segment on the way there, so that each is acknowledged by itself.
    net.channel = (_p, from) => {
      if (from === 1) return [MILLISECOND];
      free = Math.max(free, net.time) + MICROSECOND;
      return [free - net.time + MILLISECOND];
    };
    readAll(net);
    const start = net.time;
    net.hosts[0].stack.send(c, 200 * 1448);
    net.run(start + 7 * MILLISECOND);
    const rounds = [0, 2, 4, 6].map((ms) => net.sent.filter(({ from, time }) => from === 0 && time >= start + ms * MILLISECOND && time < start + (ms + 1) * MILLISECOND).length);
    assert.deepEqual(rounds, [2, 4, 8, 16]);
  });

  it("in slow start adds all that a stretch ACK acknowledges where the system is Linux, and two segments where it is NetBSD", () => {
    const windows = (abcLimit: number | undefined): number[] => {
      const net = new TcpNetwork({ abcLimit, initialWindow: 14, sendBuffer: 1e6 }, { delayedAck: 0 });
      const [c] = net.open();
      const begin = net.packets.acknowledgement(net.sent[1]!.packet);
      let free = 0;
      // Segments come one by one, and an ACK for every seventh gets through, as where a receiver takes in seven at a time (GRO).
      net.channel = (packet, from) => {
        if (from === 1) return (net.packets.acknowledgement(packet) - begin) % (7 * 1448) === 0 ? [MILLISECOND] : [];
        free = Math.max(free, net.time) + MICROSECOND;
        return [free - net.time + MILLISECOND];
      };
      readAll(net);
      const start = net.time;
      net.hosts[0].stack.send(c, 300 * 1448);
      net.run(start + 7 * MILLISECOND);
      return [0, 2, 4, 6].map((ms) => net.sent.filter(({ from, time }) => from === 0 && time >= start + ms * MILLISECOND && time < start + (ms + 1) * MILLISECOND).length);
    };
    assert.deepEqual(windows(linuxTcp.abcLimit), [14, 28, 56, 112]);
    // 2, 2 and 3 ACKs: windows of 14, 18, 22 and 28, of which 4 and 1 segments are sent already and wait for the next ACK.
    assert.deepEqual(windows(netbsdTcp.abcLimit), [14, 18, 18, 27]);
  });

  it("in slow start without a limit stops at ssthresh, leaves the rest to congestion avoidance, and after a timeout adds a segment an ACK", () => {
    const tcb = new Store().table("tcb", tcbSchema, 1);
    const c = tcb.alloc();
    const after = (acked: number, recover: number, limit?: number): readonly number[] => {
      tcb.sndMss[c] = 1000;
      tcb.cwnd[c] = 5000;
      tcb.ssthresh[c] = 9000;
      tcb.sndUna[c] = 100_000;
      tcb.recover[c] = recover;
      const rest = slowStart(tcb, c, acked, limit);
      return [tcb.cwnd[c], rest];
    };
    assert.deepEqual(after(3000, 1), [8000, 0]);
    assert.deepEqual(after(7000, 1), [9000, 3000]);
    assert.deepEqual(after(7000, 1, 2), [7000, 0]);
    assert.deepEqual(after(7000, 100_001), [6000, 0]);
    assert.deepEqual(after(7000, 100_000), [6000, 0], "it acknowledges the last of what was sent again, and more");
    assert.deepEqual(after(7000, 100_001, 2), [6000, 0]);
  });

  it("stops at a zero window, probes it with growing intervals, and goes on when the user reads", () => {
    const net = new TcpNetwork({}, { receiveBuffer: 8192, windowScale: -1 });
    const [c, s] = net.open();
    const sender = net.hosts[0].stack;
    sender.send(c, 20_000);
    net.run(net.time + 10 * SECOND);
    assert.equal(net.hosts[1].stack.available(s), 8192);
    const probes = net.sent.filter(({ packet, from }) => from === 0 && net.packets.payloadLength(packet) === 1);
    assert.equal(sender.counters.probes, probes.length);
    assert.ok(probes.length >= 4);
    const gaps = probes.slice(1).map(({ time }, i) => time - probes[i]!.time);
    for (let i = 1; i < gaps.length; i++) assert.equal(gaps[i], 2 * gaps[i - 1]!);
    assert.equal(sender.counters.retransmittedByTimeout, 0);
    const got = readAll(net);
    got.bytes += net.hosts[1].stack.receive(s, Infinity);
    net.run(net.time + SECOND);
    assert.equal(got.bytes, 20_000);
  });

  it("recovers from a lost window update by probing", () => {
    const net = new TcpNetwork({}, { receiveBuffer: 4096, windowScale: -1 });
    const [c, s] = net.open();
    net.hosts[0].stack.send(c, 6000);
    net.run(net.time + 100 * MILLISECOND);
    net.channel = (_p, from) => (from === 1 ? [] : [10 * MICROSECOND]);
    let got = net.hosts[1].stack.receive(s, Infinity);
    net.run(net.time + 10 * MICROSECOND);
    net.channel = () => [10 * MICROSECOND];
    net.hosts[1].onReadable = (conn) => void (got += net.hosts[1].stack.receive(conn, Infinity));
    net.run(net.time + 5 * SECOND);
    assert.equal(got, 6000);
  });

  it("takes no more than the send buffer holds and says when there is room", () => {
    const net = new TcpNetwork({ sendBuffer: 3000 });
    const [c] = net.open();
    const got = readAll(net);
    let left = 10_000 - net.hosts[0].stack.send(c, 10_000);
    assert.equal(left, 7000);
    net.hosts[0].onWritable = (conn) => void (left -= net.hosts[0].stack.send(conn, left));
    net.run(net.time + 2 * SECOND);
    assert.equal(left, 0);
    assert.equal(got.bytes, 10_000);
  });

  it("does not send silly segments into a slowly opening window", () => {
    const net = new TcpNetwork({}, { receiveBuffer: 5000, windowScale: -1 });
    const [c, s] = net.open();
    net.hosts[0].stack.send(c, 50_000);
    for (let i = 0; i < 300; i++) {
      net.run(net.time + MILLISECOND);
      net.hosts[1].stack.receive(s, 100);
    }
    const lengths = net.sent.filter(({ from, packet }) => from === 0 && net.packets.payloadLength(packet) > 0).map(({ packet }) => net.packets.payloadLength(packet));
    assert.ok(lengths.filter((n) => n < 600 && n > 1).length <= 1, lengths.join(" "));
  });

  it("starts with the initial window of its system", () => {
    const sentAtOnce = (options: TcpOptions): number => {
      const net = new TcpNetwork(options, { mss: options.mss });
      const [c] = net.open();
      net.hosts[0].stack.send(c, 200_000);
      net.run(net.time);
      return net.sent.length - 3;
    };
    assert.equal(sentAtOnce(linuxTcp), 10);
    assert.equal(sentAtOnce(netbsdTcp), 3);
    assert.equal(sentAtOnce({ ...netbsdTcp, mss: 8960 }), 2);
  });
});
