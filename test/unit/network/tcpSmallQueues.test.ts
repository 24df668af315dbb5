import assert from "node:assert/strict";
import { truesize } from "../../../engine/network/tcp/smallQueues";
import { netbsdTcp, type TcpOptions } from "../../../engine/network/tcp/tcp";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

const MSS = 1448;

/** A sender whose frames leave the host one after the other, each in a time, and are freed then; and are on their way for 10 ms. */
function paced(each: number, options: Partial<TcpOptions> = {}) {
  const net = new TcpNetwork({ rackTlp: true, hystart: false, ...options }, { delayedAck: 0 });
  const [client, server] = net.hosts;
  const [c, s] = net.open(80);
  client.queues.tells = true;
  let free = 0;
  let inHost = 0;
  let most = 0;
  const lost = new Set<number>();
  net.channel = (packet, from) => {
    if (from === 1 || net.packets.payloadLength(packet) === 0) return [10 * MILLISECOND];
    most = Math.max(most, ++inHost);
    free = Math.max(free, net.time) + each;
    net.at(free, () => {
      inHost--;
      client.stack.freed(packet);
      client.flush();
    });
    return lost.delete(net.packets.offset(packet)) ? [] : [free - net.time + 10 * MILLISECOND];
  };
  server.onReadable = (conn) => void server.stack.receive(conn, Infinity);
  const value = (name: string): number => client.stack.describe(c).find((v) => v.name === name)?.number ?? NaN;
  return { net, client, server, c, s, value, lost, most: () => most };
}

describe("TCP: small queues of Linux", () => {
  it("a segment counts for its data, the memory of its headers, and the sk_buff", () => {
    assert.deepEqual([0, MSS, 65160].map(truesize), [1280, 2728, 66440]);
  });

  it("let two segments go at once, and the next when one is freed, though the window is open", () => {
    // Of 1,000 s a segment: the rate is nothing.
    const { net, client, c, value, most } = paced(MILLISECOND, { smallQueues: { limit: 262144, slowStartPacing: 0, avoidancePacing: 0 } });
    client.stack.send(c, 8 * MSS);
    // Before the first ACK after the handshake there is a rate, which is 0 here: two, and one more as long as they are not more than that.
    net.run(net.time);
    assert.equal(value("wmem_alloc"), 2 * truesize(MSS));
    assert.equal(value("tsq_throttled"), 1);
    assert.equal(value("flight"), 2 * MSS);
    net.run(net.time + MILLISECOND);
    assert.equal(value("flight"), 3 * MSS, "one was freed, one goes");
    net.run(net.time + SECOND);
    assert.equal(most(), 2);
    assert.equal(value("wmem_alloc"), 0);
    assert.equal(value("tsq_throttled"), 0);
    assert.equal(client.stack.acknowledged(c), 8 * MSS);
  });

  it("let a millisecond of the pacing rate go, and no more than the limit", () => {
    const within = (limit: number): number => {
      const { net, client, c, most, value } = paced(12 * MICROSECOND, { smallQueues: { limit, slowStartPacing: 2, avoidancePacing: 1.2 } });
      client.stack.send(c, 4_000_000);
      let worst = 0;
      net.onCall = () => {
        worst = Math.max(worst, value("wmem_alloc") - value("tsq_limit"));
      };
      net.run(net.time + 10 * SECOND);
      assert.equal(client.stack.acknowledged(c), 4_000_000);
      assert.ok(worst <= truesize(MSS), `${worst} B beyond the limit: it is looked at before a segment is added`);
      assert.ok(value("pacing_rate") > 1e7);
      return most();
    };
    assert.equal(within(20_000), Math.floor(19_999 / truesize(MSS)) + 1);
    const open = within(262144);
    assert.ok(open > 20, `${open} segments: a millisecond of the link's rate, doubled in slow start, is some 80`);
    const { net, client, c, most } = paced(12 * MICROSECOND, { smallQueues: netbsdTcp.smallQueues! });
    client.stack.send(c, 4_000_000);
    net.run(net.time + 10 * SECOND);
    assert.ok(most() > 4 * open, `${most()} and ${open}: NetBSD has none`);
    assert.equal(client.stack.describe(c).some(({ name }) => name === "tsq_limit"), false, "and its inspector says nothing of one");
  });

  it("what is sent again may be twice as much, and its connection goes on however it is lost", () => {
    const { net, client, c, value, lost } = paced(2 * MILLISECOND, { smallQueues: { limit: 262144, slowStartPacing: 0, avoidancePacing: 0 } });
    for (const segment of [3, 9, 10, 11, 12, 13, 20]) lost.add(segment * MSS);
    client.stack.send(c, 60 * MSS);
    net.run(net.time + 60 * SECOND);
    assert.equal(client.stack.acknowledged(c), 60 * MSS);
    assert.equal(value("wmem_alloc"), 0);
    assert.equal(lost.size, 0);
  });

  it("a segment of an earlier connection with the same ports frees nothing of a later one", () => {
    const { net, client, c } = paced(MILLISECOND);
    client.stack.send(c, MSS);
    net.run(net.time);
    const early = net.sent.findLast(({ packet, from }) => from === 0 && net.packets.payloadLength(packet) > 0)!.packet;
    const { rows } = client.stack["tcp"].smallQueues!;
    const { stream } = client.stack["tcp"].tcb;
    stream[c]! += 2;
    const before = rows.below[c];
    client.stack.freed(early);
    assert.equal(rows.below[c], before);
    stream[c]! -= 2;
    client.stack.freed(early);
    assert.equal(rows.below[c], 0);
  });
});
