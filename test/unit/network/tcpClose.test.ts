import assert from "node:assert/strict";
import { TcpFlag } from "../../../engine/network/packets";
import { CloseReason, State } from "../../../engine/network/tcp/tcp";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

const ip = TcpNetwork.ip;

describe("TCP close", () => {
  it("exchanges FINs, waits 2 MSL and then forgets", () => {
    const net = new TcpNetwork({ msl: 5 * SECOND, finWait2: SECOND });
    const [c, s] = net.open();
    const [a, b] = net.hosts;
    a.stack.send(c, 10);
    a.stack.close(c);
    net.run(net.time + MILLISECOND);
    assert.equal(a.stack.stateName(c), "FIN_WAIT_2");
    assert.equal(b.stack.stateName(s), "CLOSE_WAIT");
    assert.ok(!b.stack.atEof(s));
    assert.equal(b.stack.receive(s, 100), 10);
    assert.ok(b.stack.atEof(s));
    b.stack.close(s);
    net.run(net.time + MILLISECOND);
    assert.deepEqual(b.closedConns, [{ conn: s, reason: CloseReason.normal }]);
    assert.equal(a.stack.stateName(c), "TIME_WAIT");
    const entered = net.time;
    assert.ok(net.run());
    assert.ok(net.time - entered > 9.9 * SECOND && net.time - entered <= 10 * SECOND);
    assert.deepEqual(a.closedConns, [{ conn: c, reason: CloseReason.normal }]);
    assert.equal(a.timers.size + b.timers.size, 0);
  });

  it("closes from both sides at once", () => {
    const net = new TcpNetwork();
    const [c, s] = net.open();
    net.hosts[0].stack.close(c);
    net.hosts[1].stack.close(s);
    net.run(net.time + 5 * MICROSECOND);
    net.run(net.time + 10 * MICROSECOND);
    assert.equal(net.hosts[0].stack.state(c), State.closing);
    net.run(net.time + MILLISECOND);
    assert.equal(net.hosts[0].stack.state(c), State.timeWait);
    assert.equal(net.hosts[1].stack.state(s), State.timeWait);
    assert.ok(net.run());
    assert.equal(net.hosts[0].closedConns.length + net.hosts[1].closedConns.length, 2);
  });

  it("lets the other direction run on after a shutdown", () => {
    const net = new TcpNetwork();
    const [c, s] = net.open();
    const [a, b] = net.hosts;
    a.stack.shutdown(c);
    net.run(net.time + MILLISECOND);
    b.stack.send(s, 5000);
    net.run(net.time + 100 * MILLISECOND);
    assert.equal(a.stack.receive(c, 10_000), 5000);
    b.stack.close(s);
    assert.ok(net.run());
    a.stack.close(c);
    assert.deepEqual(a.closedConns, [{ conn: c, reason: CloseReason.normal }]);
  });

  it("resets on abort", () => {
    const net = new TcpNetwork();
    const [c, s] = net.open();
    net.hosts[0].stack.abort(c);
    assert.ok(net.run());
    assert.deepEqual(net.lines(3), ["> [RST, ACK] seq 1 ack 1 win 0 len 0"]);
    assert.deepEqual(net.hosts[1].closedConns, [{ conn: s, reason: CloseReason.reset }]);
    assert.ok(net.hosts[1].stack.atEof(s));
    net.hosts[1].stack.close(s);
  });

  it("answers data for a user who has closed with a reset", () => {
    const net = new TcpNetwork();
    const [c, s] = net.open();
    net.hosts[0].stack.close(c);
    net.run(net.time + MILLISECOND);
    net.hosts[1].stack.send(s, 100);
    assert.ok(net.run());
    assert.equal(net.hosts[0].closedConns[0]!.reason, CloseReason.aborted);
    assert.equal(net.hosts[1].closedConns[0]!.reason, CloseReason.reset);
  });

  it("challenges a reset that is in the window but not exact, and ignores one outside", () => {
    const net = new TcpNetwork();
    const [c, s] = net.open();
    const { packets } = net;
    const last = net.sent[2]!.packet;
    const forged = (delta: number): number => packets.createTcp(
      packets.sourceIp(last), packets.destinationIp(last), packets.sourcePort(last), packets.destinationPort(last),
      (packets.sequence(last) + delta) >>> 0, 0, TcpFlag.rst, 0, -1, 0, 0, 0,
    );
    net.hosts[1].stack.input(forged(100));
    assert.ok(net.hosts[1].stack.outputReady(s));
    assert.equal(net.hosts[1].stack.counters.challengeAcks, 1);
    net.run(net.time + MILLISECOND);
    net.hosts[1].stack.input(forged(-1));
    net.hosts[1].stack.input(forged(100_000_000));
    assert.ok(!net.hosts[1].stack.outputReady(s));
    assert.equal(net.hosts[1].stack.state(s), State.established);
    net.hosts[1].stack.input(forged(0));
    assert.equal(net.hosts[1].stack.state(s), State.closed);
    assert.equal(net.hosts[0].stack.state(c), State.established);
  });

  it("challenges a SYN on an established connection", () => {
    const net = new TcpNetwork();
    const [, s] = net.open();
    const syn = net.packets.copy(net.sent[0]!.packet);
    net.hosts[1].stack.input(syn);
    net.run(net.time + MILLISECOND);
    assert.equal(net.hosts[1].stack.counters.challengeAcks, 1);
    assert.equal(net.hosts[1].stack.state(s), State.established);
  });

  it("acknowledges a repeated FIN in TIME_WAIT and starts 2 MSL anew", () => {
    const net = new TcpNetwork({ msl: SECOND });
    const [c, s] = net.open();
    const [a, b] = net.hosts;
    a.stack.close(c);
    net.run(net.time + MILLISECOND);
    let dropped = false;
    net.channel = (packet, from) => {
      if (from === 0 && !dropped && (net.packets.flags(packet) & TcpFlag.ack) !== 0) {
        dropped = true;
        return [];
      }
      return [10 * MICROSECOND];
    };
    b.stack.close(s);
    net.run(net.time + MILLISECOND);
    assert.equal(a.stack.state(c), State.timeWait);
    assert.equal(b.stack.state(s), State.lastAck);
    const first = net.time;
    assert.ok(net.run());
    assert.equal(b.closedConns[0]!.reason, CloseReason.normal);
    assert.ok(net.time - first > 2.1 * SECOND);
  });

  it("takes a new SYN for a connection in TIME_WAIT", () => {
    const net = new TcpNetwork({}, {}, [1000, 2000]);
    const [a, b] = net.hosts;
    b.stack.listen(ip(1), 80, 4);
    const first = a.stack.connect(ip(0), 5000, ip(1), 80);
    net.run(net.time + MILLISECOND);
    const s = b.stack.accept(ip(1), 80);
    b.stack.close(s);
    net.run(net.time + MILLISECOND);
    a.stack.close(first);
    net.run(net.time + 10 * MILLISECOND);
    assert.equal(b.stack.state(s), State.timeWait);
    const again = a.stack.connect(ip(0), 5000, ip(1), 80);
    assert.ok(again >= 0);
    net.run(net.time + MILLISECOND);
    assert.equal(a.stack.state(again), State.established);
  });

  it("refuses a 4-tuple in use", () => {
    const net = new TcpNetwork();
    const x = net.hosts[0].stack.connect(ip(0), 5000, ip(1), 80);
    assert.ok(x >= 0);
    assert.equal(net.hosts[0].stack.connect(ip(0), 5000, ip(1), 80), -1);
  });

  it("resets what waits to be accepted when listening ends", () => {
    const net = new TcpNetwork();
    const [a, b] = net.hosts;
    b.stack.listen(ip(1), 80, 4);
    const c = a.stack.connect(ip(0), 0, ip(1), 80);
    net.run(MILLISECOND);
    b.stack.unlisten(ip(1), 80);
    net.run(2 * MILLISECOND);
    assert.deepEqual(a.closedConns, [{ conn: c, reason: CloseReason.reset }]);
    assert.equal(b.stack.accept(ip(1), 80), -1);
  });
});
