import assert from "node:assert/strict";
import { CloseReason, linuxTcp, netbsdTcp, type TcpOptions } from "../../../engine/network/tcp/tcp";
import { MICROSECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

/** A network from which nothing that host 0 sends arrives from the time on; it hears so of each segment that is not dropped by the network itself. */
function silent(options: TcpOptions, from: number, why: typeof CloseReason.hostUnreachable | typeof CloseReason.hostDown, first = from): TcpNetwork {
  const net = new TcpNetwork({ ...options, rackTlp: false, maxRetransmits: 4 });
  net.channel = (packet, host) => {
    if (host === 1 || net.time < from) return [10 * MICROSECOND];
    if (net.time >= first) net.hosts[0].stack.unreachable(packet, why);
    return [];
  };
  return net;
}

function connect(net: TcpNetwork): void {
  net.hosts[0].stack.connect(TcpNetwork.ip(0), 0, TcpNetwork.ip(1), 80);
  net.run(net.time + 1000 * SECOND);
}

const reasons = (net: TcpNetwork): number[] => net.hosts[0].closedConns.map(({ reason }) => reason);

describe("TCP: a neighbour that does not answer", () => {
  it("ends an attempt to connect: Linux', whichever SYN it is about; NetBSD's, if it is the first one, which the call itself has sent", () => {
    for (const options of [linuxTcp, netbsdTcp]) {
      const net = silent(options, 0, CloseReason.hostDown);
      connect(net);
      assert.deepEqual([reasons(net), net.sent.length], [[CloseReason.hostDown], 1]);
    }
    const late = (options: TcpOptions): TcpNetwork => {
      const net = silent(options, 0, CloseReason.hostUnreachable, SECOND / 2);
      connect(net);
      return net;
    };
    assert.deepEqual([reasons(late(linuxTcp)), late(linuxTcp).sent.length], [[CloseReason.hostUnreachable], 2]);
    assert.deepEqual([reasons(late(netbsdTcp)), late(netbsdTcp).sent.length], [[CloseReason.timedOut], 4]);
  });

  it("does not end a connection, but is the reason when it is given up", () => {
    for (const options of [linuxTcp, netbsdTcp]) {
      const net = silent(options, 5 * SECOND, CloseReason.hostUnreachable);
      const [c] = net.open(40_000);
      net.run(6 * SECOND);
      net.hosts[0].stack.send(c, 100);
      net.run(7 * SECOND);
      assert.deepEqual(reasons(net), []);
      net.run(1000 * SECOND);
      assert.deepEqual(reasons(net), [CloseReason.hostUnreachable]);
    }
  });

  it("is forgotten when something is acknowledged", () => {
    const net = silent(linuxTcp, 5 * SECOND, CloseReason.hostUnreachable);
    const [c] = net.open(40_000);
    net.run(6 * SECOND);
    net.hosts[0].stack.send(c, 100);
    net.run(6.1 * SECOND);
    net.channel = () => [10 * MICROSECOND];
    net.run(20 * SECOND);
    net.channel = (_, host) => (host === 0 ? [] : [10 * MICROSECOND]);
    net.hosts[0].stack.send(c, 100);
    net.run(1000 * SECOND);
    assert.deepEqual(reasons(net), [CloseReason.timedOut]);
  });
});
