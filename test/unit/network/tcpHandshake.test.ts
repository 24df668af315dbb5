import assert from "node:assert/strict";
import { TcpFlag, TcpOption } from "../../../engine/network/packets";
import { CloseReason, State, linuxTcp, netbsdTcp, type TcpOptions } from "../../../engine/network/tcp/tcp";
import { MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

const ip = TcpNetwork.ip;

describe("TCP handshake", () => {
  it("exchanges SYN, SYN-ACK, ACK and agrees on options", () => {
    const net = new TcpNetwork({ mss: 1400 });
    const [c, s] = net.open();
    assert.deepEqual(net.lines(), ["> [SYN] seq 0 win 65535 len 0", "< [SYN, ACK] seq 0 ack 1 win 65535 len 0", "> [ACK] seq 1 ack 1 win 8192 len 0"]);
    const syn = net.sent[0]!.packet;
    assert.equal(net.packets.mss(syn), 1400);
    assert.equal(net.packets.windowScale(syn), 7);
    for (const option of [TcpOption.sackPermitted, TcpOption.timestamps, TcpOption.windowScale]) assert.ok(net.packets.hasOption(syn, option));
    assert.equal(net.hosts[0].stack.stateName(c), "ESTABLISHED");
    assert.equal(net.hosts[1].stack.stateName(s), "ESTABLISHED");
    assert.equal(net.hosts[1].stack.receiveStream(s), net.hosts[0].stack.sendStream(c));
    assert.equal(net.hosts[0].stack.receiveStream(c), net.hosts[1].stack.sendStream(s));
  });

  it("leaves out what the other end does not offer", () => {
    const net = new TcpNetwork({}, { sack: false, timestamps: false, windowScale: -1 });
    const [c] = net.open();
    const synAck = net.sent[1]!.packet;
    for (const option of [TcpOption.sackPermitted, TcpOption.timestamps, TcpOption.windowScale]) assert.ok(!net.packets.hasOption(synAck, option));
    net.hosts[0].stack.send(c, 100);
    net.run(net.time + MILLISECOND);
    assert.ok(!net.packets.hasOption(net.sent[3]!.packet, TcpOption.timestamps));
    assert.equal(net.packets.window(net.sent[3]!.packet), 65535);
  });

  it("sends a lost SYN again after 1 s, 3 s, 7 s and then starts with one segment", () => {
    const net = new TcpNetwork({ timestamps: false });
    net.hosts[1].stack.listen(ip(1), 80, 4);
    net.channel = (_p, _from, index) => (index < 3 ? [] : [MILLISECOND]);
    const c = net.hosts[0].stack.connect(ip(0), 0, ip(1), 80);
    net.run(8 * SECOND);
    assert.deepEqual(net.sent.slice(0, 4).map(({ time }) => time / SECOND), [0, 1, 3, 7]);
    assert.equal(net.hosts[0].stack.counters.retransmittedSyn, 3);
    const before = net.sent.length;
    net.hosts[0].stack.send(c, 100_000);
    net.run(net.time);
    assert.equal(net.sent.length - before, 1);
  });

  it("answers a repeated SYN with the SYN-ACK again", () => {
    const net = new TcpNetwork();
    net.hosts[1].stack.listen(ip(1), 80, 4);
    net.channel = (_p, _from, index) => (index === 1 ? [] : [MILLISECOND]);
    net.hosts[0].stack.connect(ip(0), 0, ip(1), 80);
    net.run(5 * SECOND);
    assert.equal(net.hosts[0].establishedConns.length, 1);
    assert.equal(net.hosts[1].acceptedConns.length, 1);
  });

  it("is refused by a reset where nobody listens", () => {
    const net = new TcpNetwork();
    const c = net.hosts[0].stack.connect(ip(0), 0, ip(1), 81);
    assert.ok(net.run());
    assert.deepEqual(net.lines(), ["> [SYN] seq 0 win 65535 len 0", "< [RST, ACK] seq 0 ack 1 win 0 len 0"]);
    assert.deepEqual(net.hosts[0].closedConns, [{ conn: c, reason: CloseReason.refused }]);
  });

  it("gives up after the last retransmission", () => {
    const net = new TcpNetwork({ maxSynRetransmits: 3 });
    net.channel = () => [];
    const c = net.hosts[0].stack.connect(ip(0), 0, ip(1), 80);
    assert.ok(net.run());
    assert.equal(net.sent.length, 4);
    assert.equal(net.time, 15 * SECOND);
    assert.deepEqual(net.hosts[0].closedConns, [{ conn: c, reason: CloseReason.timedOut }]);
  });

  /** When SYNs, or SYN,ACKs, were sent that nothing answers, and when there is nothing left, seconds. */
  function unanswered(options: TcpOptions, from: 0 | 1): { readonly sent: readonly number[]; readonly end: number; readonly net: TcpNetwork } {
    const net = new TcpNetwork(from === 0 ? options : { maxSynRetransmits: 0 }, options);
    if (from === 1) net.hosts[1].stack.listen(ip(1), 80, 4);
    net.channel = (_packet, host) => (host === from ? [] : [0]);
    net.hosts[0].stack.connect(ip(0), 0, ip(1), 80);
    assert.ok(net.run());
    const seconds = net.sent.filter((packet) => packet.from === from).map(({ time }) => time / SECOND);
    return { sent: seconds, end: net.time / SECOND, net };
  }

  it("sends a SYN again when its system does: NetBSD after 6 s, and gives up after 75 s", () => {
    const netbsd = unanswered(netbsdTcp, 0);
    assert.deepEqual([netbsd.sent, netbsd.net.hosts[0].closedConns], [[0, 6, 18, 42], [{ conn: 0, reason: CloseReason.timedOut }]]);
    // The retransmission that comes next is not armed any more.
    assert.equal(netbsd.net.hosts[0].stack.counters.timeouts, 3);
    const linux = unanswered(linuxTcp, 0);
    assert.deepEqual([linux.sent, linux.end], [[0, 1, 3, 7, 15, 31, 63], 127]);
  });

  it("sends a SYN,ACK again when its system does: NetBSD after 3 s", () => {
    const [netbsd, linux] = [unanswered(netbsdTcp, 1), unanswered(linuxTcp, 1)];
    assert.deepEqual([netbsd.sent, netbsd.end], [[0, 3, 9, 21, 45], 93]);
    assert.deepEqual([linux.sent, linux.end], [[0, 1, 3, 7, 15, 31], 63]);
    for (const { net } of [netbsd, linux]) assert.ok(!net.hosts[1].stack.describeAll().variables.some(({ value }) => value === "SYN_RECEIVED"));
  });

  it("has no time limit any more once it is over, and a timer for keep-alive if that is asked for", () => {
    for (const asked of [false, true]) {
      const net = new TcpNetwork(netbsdTcp);
      const [client, server] = net.hosts;
      server.stack.listen(ip(1), 80, 4);
      const c = client.stack.connect(ip(0), 0, ip(1), 80);
      if (asked) client.stack.setKeepAlive(c);
      net.run(1000 * SECOND);
      assert.equal(client.stack.state(c), State.established);
      assert.deepEqual(client.closedConns, []);
      assert.equal(client.timers.size, asked ? 1 : 0);
      const sent = net.sent.length;
      net.run(7201 * SECOND);
      assert.equal(net.sent.length - sent, asked ? 2 : 0, "a probe and its answer");
    }
  });

  it("with keep-alive has the time limit of the handshake", () => {
    const net = new TcpNetwork(netbsdTcp);
    net.channel = () => [];
    const c = net.hosts[0].stack.connect(ip(0), 0, ip(1), 80);
    net.hosts[0].stack.setKeepAlive(c);
    net.run(75 * SECOND);
    assert.deepEqual(net.hosts[0].closedConns, [{ conn: c, reason: CloseReason.timedOut }]);
  });

  it("begins with the timeout of a SYN where one was lost and nothing was measured", () => {
    for (const [options, after] of [[netbsdTcp, 6], [linuxTcp, 3]] as const) {
      const net = new TcpNetwork({ ...options, timestamps: false, rackTlp: false });
      let lost = 0;
      net.channel = (_packet, from) => (from === 0 && lost++ === 0 ? [] : [MILLISECOND]);
      net.hosts[1].stack.listen(ip(1), 80, 4);
      const c = net.hosts[0].stack.connect(ip(0), 0, ip(1), 80);
      net.run(10 * SECOND);
      net.channel = () => [];
      net.hosts[0].stack.send(c, 100);
      const from = net.sent.length;
      net.run(20 * SECOND);
      assert.equal((net.sent[from + 1]!.time - net.sent[from]!.time) / SECOND, after);
    }
  });

  it("opens from both sides at once", () => {
    const net = new TcpNetwork();
    const [a, b] = net.hosts;
    const x = a.stack.connect(ip(0), 5000, ip(1), 6000);
    const y = b.stack.connect(ip(1), 6000, ip(0), 5000);
    net.run(MILLISECOND);
    assert.equal(a.stack.state(x), State.established);
    assert.equal(b.stack.state(y), State.established);
    a.stack.send(x, 500);
    net.run(net.time + MILLISECOND);
    assert.equal(b.stack.available(y), 500);
  });

  it("keeps many connections apart and reuses their rows", () => {
    const net = new TcpNetwork({}, { somaxconn: 1000 });
    const [client, server] = net.hosts;
    server.stack.listen(0, 80, 1000);
    server.onAccepted = () => {
      const s = server.stack.accept(ip(1), 80);
      server.stack.send(s, client.stack.localPort(0) === 0 ? 0 : 1 + (s % 7));
    };
    const conns = Array.from({ length: 300 }, () => client.stack.connect(ip(0), 0, ip(1), 80));
    net.run(10 * MILLISECOND);
    assert.equal(new Set(conns.map((c) => client.stack.localPort(c))).size, 300);
    assert.equal(client.establishedConns.length, 300);
    for (const c of conns) assert.ok(client.stack.available(c) > 0);
    for (const c of conns.filter((_, i) => i % 3 === 0)) client.stack.abort(c);
    net.run(net.time + MILLISECOND);
    assert.equal(server.closedConns.filter(({ reason }) => reason === CloseReason.reset).length, 100);
    const again = client.stack.connect(ip(0), 0, ip(1), 80);
    assert.ok(again < 300);
    assert.equal(net.packets.flags(net.sent[0]!.packet), TcpFlag.syn);
  });
});
