import assert from "node:assert/strict";
import { CloseReason } from "../../../engine/network/tcp/tcp";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

const MSS = 1448;

/** An open connection from 0 to 1 whose data segments with the given numbers (from 1, by first transmission) are lost once. */
function lossy(options: { readonly sack: boolean; readonly lost: readonly number[]; readonly segments: number; readonly window?: number }) {
  const net = new TcpNetwork({ sack: options.sack, congestion: "newreno", initialWindow: options.window ?? 20 }, { sack: options.sack, delayedAck: 0 });
  const [c, s] = net.open();
  const lost = new Set(options.lost.map((n) => 1 + (n - 1) * MSS));
  let got = 0;
  net.hosts[1].onReadable = (conn) => void (got += net.hosts[1].stack.receive(conn, Infinity));
  net.channel = (packet, from) => {
    if (from === 0 && net.packets.payloadLength(packet) > 0 && lost.delete(net.packets.relativeSequence(packet))) return [];
    return [10 * MICROSECOND + net.sent.length * 1000];
  };
  const from = net.sent.length;
  net.hosts[0].stack.send(c, options.segments * MSS);
  return { net, c, s, from, counters: net.hosts[0].stack.counters, got: () => got };
}

describe("TCP loss recovery", () => {
  for (const sack of [false, true]) {
    it(`retransmits at the third duplicate ACK, without a timeout (${sack ? "SACK" : "NewReno"})`, () => {
      const { net, counters, got } = lossy({ sack, lost: [3], segments: 12 });
      net.run(net.time + 100 * MILLISECOND);
      assert.equal(got(), 12 * MSS);
      assert.equal(counters.timeouts, 0);
      assert.equal(counters.retransmittedFast, 1);
      assert.equal(counters.retransmittedBySack, 0);
      assert.equal(net.hosts[1].stack.counters.duplicates, 0);
    });

    it(`fills several holes of one window, each once (${sack ? "SACK" : "NewReno"})`, () => {
      const { net, counters, got } = lossy({ sack, lost: [2, 5, 6, 11], segments: 20 });
      net.run(net.time + 100 * MILLISECOND);
      assert.equal(got(), 20 * MSS);
      assert.equal(counters.timeouts, 0);
      assert.equal(counters.retransmittedFast + counters.retransmittedBySack, 4);
      assert.equal(counters.retransmittedFast, sack ? 1 : 4);
      assert.equal(net.hosts[1].stack.counters.duplicates, 0);
    });

    it(`halves ssthresh and ends recovery at it (${sack ? "SACK" : "NewReno"})`, () => {
      const { net, c } = lossy({ sack, lost: [1], segments: 20 });
      net.run(net.time + 100 * MILLISECOND);
      const value = (name: string): number | undefined => net.hosts[0].stack.describe(c).find((v) => v.name === name)?.number;
      assert.equal(value("in_recovery"), 0);
      assert.equal(value("ssthresh"), 10 * MSS);
      assert.ok(value("cwnd")! <= 10 * MSS);
    });

    it(`halves what the window has let out: segments of limited transmit do not count (${sack ? "SACK" : "NewReno"})`, () => {
      const { net, c, from } = lossy({ sack, lost: [1], segments: 40 });
      net.run(net.time + 100 * MILLISECOND);
      const again = net.sent.findIndex(({ packet }, i) => i > from && net.packets.payloadLength(packet) > 0 && net.packets.relativeSequence(packet) === 1);
      const before = net.sent.slice(from, again).filter(({ packet }) => net.packets.payloadLength(packet) > 0);
      assert.equal(before.length, 22);
      assert.equal(net.hosts[0].stack.describe(c).find(({ name }) => name === "ssthresh")?.number, 10 * MSS);
    });

    it(`takes the loss of the last segment for a timeout (${sack ? "SACK" : "NewReno"})`, () => {
      const { net, counters, got } = lossy({ sack, lost: [5], segments: 5 });
      const start = net.time;
      net.run(start + SECOND);
      assert.equal(got(), 5 * MSS);
      assert.equal(counters.timeouts, 1);
      assert.equal(counters.retransmittedByTimeout, 1);
      const again = net.sent.at(-2)!;
      assert.ok(again.time - start >= 200 * MILLISECOND, `${again.time - start}`);
    });
  }

  it("lets two new segments out by limited transmit, so that a short window can recover", () => {
    const { net, counters, got } = lossy({ sack: true, lost: [1], segments: 6, window: 3 });
    net.run(net.time + 100 * MILLISECOND);
    assert.equal(got(), 6 * MSS);
    assert.equal(counters.timeouts, 0);
    assert.equal(counters.retransmittedFast, 1);
  });

  it("doubles the timeout with each retransmission and gives up", () => {
    const net = new TcpNetwork({ maxRetransmits: 4, minRtoOverSrtt: false });
    const [c] = net.open();
    net.channel = () => [];
    net.hosts[0].stack.send(c, 100);
    net.run(net.time + 1000 * SECOND);
    const times = net.sent.slice(3).map(({ time }) => time);
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    assert.deepEqual(gaps, [200, 400, 800, 1600].map((ms) => ms * MILLISECOND));
    assert.deepEqual(net.hosts[0].closedConns, [{ conn: c, reason: CloseReason.timedOut }]);
    assert.equal(net.hosts[0].stack.send(c, 1), 0);
    net.hosts[0].stack.close(c);
  });

  it("keeps Linux' timeout a smoothed round trip above its minimum, so that a delayed ACK of 200 ms is in time", () => {
    for (const [minRtoOverSrtt, expected] of [[true, 210], [false, 200]] as const) {
      const net = new TcpNetwork({ minRtoOverSrtt });
      net.channel = () => [5 * MILLISECOND];
      const [client, server] = net.hosts;
      server.stack.listen(TcpNetwork.ip(1), 80, 1);
      const c = client.stack.connect(TcpNetwork.ip(0), 0, TcpNetwork.ip(1), 80);
      net.run(SECOND);
      assert.equal(client.stack.describe(c).find((v) => v.name === "rto")!.number, expected * MILLISECOND);
    }
  });

  it("after a timeout goes on from the first hole and does not resend what was SACKed since", () => {
    const { net, counters, got } = lossy({ sack: true, lost: [1, 2, 3], segments: 4 });
    net.run(net.time + 10 * SECOND);
    assert.equal(got(), 4 * MSS);
    assert.equal(counters.timeouts, 1);
    assert.ok(counters.retransmittedByTimeout <= 4);
  });

  it("does not retransmit for two segments out of order", () => {
    const { net, counters, got } = lossy({ sack: true, lost: [], segments: 10 });
    let index = 0;
    net.channel = (packet, from) => {
      if (from === 1 || net.packets.payloadLength(packet) === 0) return [10 * MICROSECOND];
      return [(index++ % 4 === 0 ? 12 : 10) * MICROSECOND + index * MICROSECOND];
    };
    net.run(net.time + SECOND);
    assert.equal(got(), 10 * MSS);
    assert.ok(net.hosts[1].stack.counters.outOfOrder > 0);
    assert.equal(counters.retransmittedFast + counters.retransmittedBySack + counters.retransmittedByTimeout, 0);
  });

  it("drops duplicates and answers them with an ACK", () => {
    const { net, got } = lossy({ sack: false, lost: [], segments: 6 });
    net.channel = (_p, from) => (from === 0 ? [10 * MICROSECOND, 15 * MICROSECOND] : [10 * MICROSECOND]);
    net.run(net.time + SECOND);
    assert.equal(got(), 6 * MSS);
    assert.equal(net.hosts[1].stack.counters.duplicates, 6);
    assert.equal(net.hosts[0].stack.counters.retransmittedFast, 0);
  });

  it("drops a corrupted segment and recovers", () => {
    const { net, got, counters } = lossy({ sack: true, lost: [], segments: 8 });
    let done = false;
    net.channel = (packet, from) => {
      if (from === 0 && !done && net.packets.payloadLength(packet) > 0) {
        done = true;
        net.packets.corrupt(packet, 8 * 100);
      }
      return [10 * MICROSECOND];
    };
    net.run(net.time + SECOND);
    assert.equal(net.hosts[1].stack.counters.corrupted, 1);
    assert.equal(got(), 8 * MSS);
    assert.equal(counters.retransmittedFast, 1);
  });

  it("measures the round trip by RFC 6298", () => {
    const net = new TcpNetwork({ timestamps: false, minRto: 1 }, { delayedAck: 0 });
    net.channel = () => [50 * MILLISECOND];
    net.hosts[1].stack.listen(0, 80, 1);
    const c = net.hosts[0].stack.connect(TcpNetwork.ip(0), 0, TcpNetwork.ip(1), 80);
    net.run(300 * MILLISECOND);
    const value = (name: string): number | undefined => net.hosts[0].stack.describe(c).find((v) => v.name === name)?.number;
    assert.equal(value("srtt"), 100 * MILLISECOND);
    assert.equal(value("rto"), 300 * MILLISECOND);
    net.channel = () => [70 * MILLISECOND];
    net.hosts[0].stack.send(c, 10);
    net.run(net.time + 300 * MILLISECOND);
    assert.equal(value("srtt"), (100 * 0.875 + 140 * 0.125) * MILLISECOND);
    assert.equal(value("rttvar"), (50 * 0.75 + 40 * 0.25) * MILLISECOND);
  });
});
