import assert from "node:assert/strict";
import type { TcpIp } from "../../../engine/components/tcpip";
import { TcpFlag } from "../../../engine/network/packets";
import { CloseReason } from "../../../engine/network/tcp/tcp";
import { runDesign } from "../../support/runDesign";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

const MSS = 1448;

/** A connection whose first end writes `bytes`, over a channel that a test gives; the other end reads. */
function writing(net: TcpNetwork, bytes: number): readonly [number, number] {
  const [c, s] = net.open();
  const [a, b] = net.hosts;
  b.onReadable = (conn) => void b.stack.receive(conn, Infinity);
  a.stack.send(c, bytes);
  return [c, s];
}

/** SACK blocks of a packet, relative to what it acknowledges. */
function blocks(net: TcpNetwork, p: number): [number, number][] {
  const { packets } = net;
  return Array.from({ length: packets.sackCount(p) }, (_, i) => [packets.sackLeft(p, i) - packets.acknowledgement(p), packets.sackRight(p, i) - packets.acknowledgement(p)]);
}

describe("D-SACK (RFC 2883)", () => {
  const last = (net: TcpNetwork): number => net.sent.filter(({ from }) => from === 1).at(-1)!.packet;

  it("reports a segment that comes again below the ACK, once (section 4.1.1)", () => {
    const net = new TcpNetwork();
    const [a, b] = net.hosts;
    let doubled = 0;
    net.channel = (packet, from) => (from === 0 && net.packets.payloadLength(packet) > 0 && doubled++ === 1 ? [10 * MICROSECOND, 300 * MICROSECOND] : [10 * MICROSECOND]);
    writing(net, 3 * MSS);
    net.run(net.time + SECOND);
    assert.equal(b.stack.counters.dsacksSent, 1);
    assert.equal(a.stack.counters.dsacksReceived, 1);
    const report = net.sent.find(({ packet, from }) => from === 1 && net.packets.sackCount(packet) > 0)!.packet;
    assert.deepEqual(blocks(net, report), [[-2 * MSS, -MSS]]);
    assert.equal(a.stack.counters.duplicateAcks, 0, "it is no duplicate ACK: nothing new was received");
  });

  it("reports a segment that comes again beyond a gap in the first block, and the block that holds it in the second (section 4.2.1)", () => {
    const net = new TcpNetwork({ nagle: false });
    const [a, b] = net.hosts;
    let n = 0;
    net.channel = (packet, from) => {
      if (from === 1 || net.packets.payloadLength(packet) === 0) return [10 * MICROSECOND];
      n++;
      // The first is late, the third comes twice.
      return n === 1 ? [5 * MILLISECOND] : n === 3 ? [12 * MICROSECOND, 20 * MICROSECOND] : [10 * MICROSECOND];
    };
    writing(net, 3 * MSS);
    net.run(net.time + MILLISECOND);
    assert.deepEqual(blocks(net, last(net)), [[2 * MSS, 3 * MSS], [MSS, 3 * MSS]]);
    assert.equal(b.stack.counters.dsacksSent, 1);
    assert.equal(a.stack.counters.dsacksReceived, 1);
    assert.equal(a.stack.counters.duplicateAcks, 2, "the two that SACK something new");
  });

  it("is not of those who do not have it", () => {
    for (const options of [{ dsack: false }, { sack: false }]) {
      const net = new TcpNetwork({}, options);
      net.channel = (packet) => (net.packets.payloadLength(packet) > 0 ? [10 * MICROSECOND, 30 * MICROSECOND] : [10 * MICROSECOND]);
      writing(net, 5 * MSS);
      net.run(net.time + SECOND);
      assert.equal(net.hosts[1].stack.counters.duplicates, 5);
      assert.ok(net.sent.every(({ packet }) => net.packets.sackCount(packet) === 0));
    }
  });
});

describe("FIN_WAIT_2", () => {
  it("does not last for ever for a user who has closed; what comes afterwards is reset", () => {
    const net = new TcpNetwork({ finWait2: 60 * SECOND });
    const [c, s] = net.open();
    const [a, b] = net.hosts;
    a.stack.close(c);
    net.run(net.time + 59 * SECOND);
    assert.equal(a.stack.stateName(c), "FIN_WAIT_2");
    net.run(net.time + 2 * SECOND);
    assert.deepEqual(a.closedConns, [{ conn: c, reason: CloseReason.normal }]);
    b.stack.send(s, 10);
    net.run(net.time + SECOND);
    assert.deepEqual(b.closedConns, [{ conn: s, reason: CloseReason.reset }]);
  });

  it("lasts for as long as the user keeps the receiving direction, and is counted from when it gives it up", () => {
    const net = new TcpNetwork({ finWait2: 60 * SECOND });
    const [c] = net.open();
    const [a] = net.hosts;
    a.stack.shutdown(c);
    net.run(net.time + 1000 * SECOND);
    assert.equal(a.stack.stateName(c), "FIN_WAIT_2");
    a.stack.close(c);
    net.run(net.time + 59 * SECOND);
    assert.equal(a.closedConns.length, 0);
    net.run(net.time + 2 * SECOND);
    assert.equal(a.closedConns.length, 1);
  });
});

describe("challenge ACKs (RFC 5961)", () => {
  it("are limited in each second, over all connections", () => {
    const net = new TcpNetwork({}, { challengeAcks: 5 });
    const [c] = net.open();
    const [d] = net.open(81 - 1);
    const [, b] = net.hosts;
    const attack = (conn: number, count: number): void => {
      for (let i = 0; i < count; i++) {
        const forged = net.packets.createTcp(TcpNetwork.ip(0), TcpNetwork.ip(1), net.hosts[0].stack.localPort(conn), 80, 12345, 0, TcpFlag.syn, 1000, -1, 0, 0, 0);
        net.packets.setTimestamps(forged, 1_000_000, 0);
        b.stack.input(forged);
        b.flush();
      }
    };
    const before = net.sent.length;
    attack(c, 4);
    attack(d, 4);
    net.run(net.time + MILLISECOND);
    assert.equal(net.sent.length - before, 5);
    assert.equal(b.stack.counters.challengeAcks, 5);
    assert.equal(b.stack.counters.challengeAcksWithheld, 3);
    net.run(net.time + SECOND);
    attack(c, 1);
    assert.equal(b.stack.counters.challengeAcks, 6);
  });
});

describe("early retransmit (RFC 5827)", () => {
  it("recovers the first of three segments after two duplicate ACKs; without it, a timeout does", () => {
    for (const earlyRetransmit of [true, false]) {
      const net = new TcpNetwork({ earlyRetransmit, nagle: false });
      let n = 0;
      net.channel = (packet, from) => (from === 0 && net.packets.payloadLength(packet) > 0 && ++n === 1 ? [] : [(10 + n) * MICROSECOND]);
      writing(net, 3 * MSS);
      net.run(net.time + 10 * SECOND);
      const k = net.hosts[0].stack.counters;
      assert.deepEqual([k.retransmittedFast, k.timeouts], earlyRetransmit ? [1, 0] : [0, 1]);
    }
  });

  it("leaves the threshold where new data may be sent (limited transmit, RFC 3042)", () => {
    const net = new TcpNetwork({ earlyRetransmit: true, initialWindow: 3 });
    let n = 0;
    net.channel = (packet, from) => (from === 0 && net.packets.payloadLength(packet) > 0 && ++n === 1 ? [] : [(10 + n) * MICROSECOND]);
    writing(net, 20 * MSS);
    net.run(net.time + 10 * SECOND);
    const k = net.hosts[0].stack.counters;
    assert.equal(k.timeouts, 0);
    const order = net.sent.filter(({ packet, from }) => from === 0 && net.packets.payloadLength(packet) > 0).map(({ packet }) => net.packets.offset(packet) / MSS);
    assert.deepEqual(order.slice(0, 6), [0, 1, 2, 3, 4, 0]);
  });
});

describe("giving up", () => {
  it("comes after so many retransmissions, each after twice the time of the one before, up to the largest timeout", () => {
    const net = new TcpNetwork({ maxRetransmits: 9, maxRto: 64 * SECOND, minRto: SECOND, minRtoOverSrtt: false });
    const [c] = net.open();
    const [a] = net.hosts;
    net.channel = () => [];
    const from = net.time;
    const first = net.sent.length;
    a.stack.send(c, 100);
    assert.ok(net.run());
    const times = net.sent.slice(first).map(({ time }) => (time - from) / SECOND);
    assert.deepEqual(times, [0, 1, 3, 7, 15, 31, 63, 127, 191, 255]);
    assert.deepEqual(a.closedConns, [{ conn: c, reason: CloseReason.timedOut }]);
    assert.equal((net.time - from) / SECOND, 319);
  });

  it("comes sooner for a SYN", () => {
    const net = new TcpNetwork();
    net.channel = () => [];
    const conn = net.hosts[0].stack.connect(TcpNetwork.ip(0), 0, TcpNetwork.ip(1), 80);
    assert.ok(net.run());
    assert.equal(net.sent.length, 1 + 6);
    assert.deepEqual(net.hosts[0].closedConns, [{ conn, reason: CloseReason.timedOut }]);
    assert.equal(net.time / SECOND, 127);
  });

  it("does not come while an outage is shorter than that (invariant 34)", () => {
    for (const [outage, survives] of [[100, true], [300, false]] as const) {
      const net = new TcpNetwork({ maxRetransmits: 8, maxRto: 64 * SECOND, minRto: SECOND, minRtoOverSrtt: false });
      const [c] = net.open();
      const [a, b] = net.hosts;
      let got = 0;
      b.onReadable = (conn) => (got += b.stack.receive(conn, Infinity));
      const end = net.time + outage * SECOND;
      net.channel = () => (net.time < end ? [] : [10 * MICROSECOND]);
      a.stack.send(c, 5000);
      net.run(net.time + 1000 * SECOND);
      assert.equal(got, survives ? 5000 : 0);
      assert.deepEqual(a.closedConns, survives ? [] : [{ conn: c, reason: CloseReason.timedOut }]);
    }
  });
});

describe("keep-alive", () => {
  const keepAlive = { idle: 100 * SECOND, interval: 10 * SECOND, probes: 3 };

  it("probes a silent peer with one number before what it expects, and lives as long as it answers", () => {
    const net = new TcpNetwork({ keepAlive });
    const [c] = net.open();
    const [a] = net.hosts;
    a.stack.setKeepAlive(c);
    const first = net.sent.length;
    const from = net.time;
    net.run(net.time + 350 * SECOND);
    assert.deepEqual(net.sent.slice(first).filter(({ from: host }) => host === 0).map(({ time }) => Math.round((time - from) / SECOND)), [100, 200, 300]);
    assert.deepEqual(net.lines(first).slice(0, 2).map((line) => /seq (\d+) ack (\d+)/.exec(line)!.slice(1).map(Number)), [[0, 1], [1, 1]]);
    assert.equal(a.closedConns.length, 0);
  });

  it("gives up a peer that does not answer, with a reset", () => {
    const net = new TcpNetwork({ keepAlive });
    const [c] = net.open();
    const [a] = net.hosts;
    a.stack.setKeepAlive(c);
    net.channel = () => [];
    const from = net.time;
    const first = net.sent.length;
    assert.ok(net.run());
    assert.equal(a.stack.counters.keepAliveProbes, 3);
    assert.equal(Math.round((net.time - from) / SECOND), 130);
    assert.deepEqual(a.closedConns, [{ conn: c, reason: CloseReason.timedOut }]);
    assert.ok((net.packets.flags(net.sent.at(-1)!.packet) & TcpFlag.rst) !== 0);
    assert.equal(net.sent.length - first, 4);
  });

  it("leaves a connection alone that talks, and one that did not ask for it", () => {
    const net = new TcpNetwork({ keepAlive });
    const [c, s] = net.open();
    const [a, b] = net.hosts;
    a.stack.setKeepAlive(c);
    for (let i = 0; i < 20; i++) {
      b.stack.send(s, 10);
      net.run(net.time + 50 * SECOND);
    }
    assert.equal(a.stack.counters.keepAliveProbes, 0);
    assert.equal(b.stack.counters.keepAliveProbes, 0);
  });
});

describe("keep-alive of a design", () => {
  it("finds out that a host is gone: a connection on which nobody talks is given up", () => {
    const text = (keepalive: string): string => `
exoscope: 1
hosts:
  server:
    devices: { nic0: { model: intel-82599, mtu: 1500 } }
    domains:
      d: { kind: kernel, components: [ discard, libc, tcpip: { ${keepalive} }, ixgbe: { bind: nic0.pf } ] }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }
workloads:
  - tcp-stream: { from: client, to: d, duration: 1ms }
faults:
  - { at: 11ms, degrade: client.link, loss: 100% }
run: { until: 1000s, seed: 5 }
`;
    const states = (keepalive: string): string => JSON.stringify((runDesign(text(keepalive)).engine.built.machine.placed("server/d/tcpip") as TcpIp).describe());
    assert.match(states(""), /ESTABLISHED/);
    assert.doesNotMatch(states("keepalive: 10s"), /ESTABLISHED/);
  });
});
