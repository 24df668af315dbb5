import assert from "node:assert/strict";
import { Store } from "../../../engine/kernel/state";
import { TcpFlag } from "../../../engine/network/packets";
import { SYN_BUCKET_LIMIT, SYN_CACHE_LIMIT, SynCache } from "../../../engine/network/tcp/synCache";
import { CloseReason, State } from "../../../engine/network/tcp/tcp";
import { tcbSchema } from "../../../engine/network/tcp/tcb";
import { MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

const ip = TcpNetwork.ip;
const netbsd = { listeners: "netbsd" } as const;

/** A network whose server listens, and on which so many connections already wait for accept. */
function waiting(net: TcpNetwork, backlog: number, connections: number): TcpNetwork {
  net.hosts[1].stack.listen(ip(1), 80, backlog);
  for (let i = 0; i < connections; i++) {
    net.hosts[0].stack.connect(ip(0), 0, ip(1), 80);
    net.run(net.time + MILLISECOND);
  }
  assert.equal(net.hosts[1].acceptedConns.length, connections);
  return net;
}

describe("TCP listeners", () => {
  for (const system of ["linux", "netbsd"] as const) {
    it(`drop a SYN where more than the backlog wait, and take it when there is room (${system})`, () => {
      const net = waiting(new TcpNetwork({}, { listeners: system }), 2, 3);
      const [client, server] = net.hosts;
      client.stack.connect(ip(0), 0, ip(1), 80);
      net.run(net.time + MILLISECOND);
      assert.deepEqual(server.discards, ["listenOverflow"]);
      assert.equal(server.stack.counters.listenOverflows, 1);
      assert.equal(client.establishedConns.length, 3);
      assert.ok(server.stack.accept(ip(1), 80) >= 0);
      net.run(net.time + 2 * SECOND);
      assert.equal(client.establishedConns.length, 4);
      assert.deepEqual(server.discards, ["listenOverflow"]);
    });
  }

  it("cap the backlog by somaxconn", () => {
    const net = waiting(new TcpNetwork({}, { somaxconn: 1 }), 511, 2);
    net.hosts[0].stack.connect(ip(0), 0, ip(1), 80);
    net.run(net.time + MILLISECOND);
    assert.deepEqual(net.hosts[1].discards, ["listenOverflow"]);
  });

  it("ignore the ACK of one connection too many in Linux, whose SYN,ACK goes again until there is room", () => {
    const net = waiting(new TcpNetwork(), 2, 2);
    const [client, server] = net.hosts;
    const [, late] = [client.stack.connect(ip(0), 0, ip(1), 80), client.stack.connect(ip(0), 0, ip(1), 80)];
    net.run(net.time + MILLISECOND);
    assert.deepEqual(server.discards, ["acceptOverflow"]);
    assert.equal(client.stack.state(late), State.established);
    assert.equal(server.acceptedConns.length, 3);
    // What it sends comes to the same: it carries the same ACK.
    client.stack.send(late, 100);
    net.run(net.time + 500 * MILLISECOND);
    assert.ok(server.discards.length > 1 && server.discards.every((why) => why === "acceptOverflow"));
    assert.equal(server.acceptedConns.length, 3);
    server.stack.accept(ip(1), 80);
    net.run(net.time + 2 * SECOND);
    assert.equal(server.acceptedConns.length, 4);
    assert.equal(server.stack.available(server.acceptedConns[3]!), 100);
  });

  it("reset it in NetBSD, which has room for half as many more as the backlog says", () => {
    const net = waiting(new TcpNetwork({}, netbsd), 2, 2);
    const [client, server] = net.hosts;
    const conns = [1, 2, 3].map(() => client.stack.connect(ip(0), 0, ip(1), 80));
    net.run(net.time + MILLISECOND);
    assert.deepEqual(server.discards, ["acceptOverflow"]);
    assert.equal(server.acceptedConns.length, 4);
    assert.deepEqual(client.closedConns, [{ conn: conns[2]!, reason: CloseReason.reset }]);
  });

  it("answer with a cookie in Linux where the SYN queue is full: its SYN,ACK does not go again, its ACK makes a connection", () => {
    const net = new TcpNetwork();
    const [client, server] = net.hosts;
    server.stack.listen(ip(1), 80, 2);
    // The first SYN,ACK to each is lost.
    net.channel = (_p, from, index) => (from === 1 && index < 8 ? [] : [MILLISECOND / 10]);
    for (let i = 0; i < 4; i++) client.stack.connect(ip(0), 0, ip(1), 80);
    net.run(900 * MILLISECOND);
    assert.equal(server.stack.counters.synCookies, 2);
    const answers = (until: number): number => {
      net.run(until);
      return net.sent.filter(({ packet, from }) => from === 1 && (net.packets.flags(packet) & TcpFlag.syn) !== 0).length;
    };
    // Each SYN that comes again is answered; of those in the queue, the SYN,ACK goes again by itself besides.
    assert.ok(answers(1500 * MILLISECOND) <= 4 + 4 + 2);
    assert.equal(client.establishedConns.length, 4);
  });

  it("forget a cookie in Linux when its time is over", () => {
    const net = new TcpNetwork({ maxSynRetransmits: 0 });
    const [client, server] = net.hosts;
    server.stack.listen(ip(1), 80, 0);
    net.channel = (_p, from) => (from === 1 ? [] : [MILLISECOND]);
    client.stack.connect(ip(0), 0, ip(1), 80);
    net.run(60 * SECOND);
    assert.equal(server.stack.counters.synCookies, 1);
    assert.ok(server.stack.describeAll().variables.some(({ value }) => value === "SYN_RECEIVED"));
    net.run(62 * SECOND);
    assert.ok(!server.stack.describeAll().variables.some(({ value }) => value === "SYN_RECEIVED"));
    assert.equal(server.stack.counters.retransmittedSyn, 0);
  });

  it("take back what a reset ends before it is accepted", () => {
    const net = waiting(new TcpNetwork(), 4, 3);
    const [client, server] = net.hosts;
    client.stack.abort(client.establishedConns[1]!);
    net.run(net.time + MILLISECOND);
    const [first, , third] = server.acceptedConns;
    assert.deepEqual([0, 0, 0].map(() => server.stack.accept(ip(1), 80)), [first, third, -1]);
  });
});

describe("NetBSD's SYN cache", () => {
  function cacheOf(connections: number): { readonly cache: SynCache; readonly tossed: number[]; readonly tcb: ReturnType<typeof tcbOf> } {
    const store = new Store();
    const tcb = tcbOf(store);
    const cache = new SynCache(store, "test", tcb);
    const tossed: number[] = [];
    for (let i = 0; i < connections; i++) {
      const c = tcb.alloc();
      tcb.remoteIp[c] = 0x0a000000 + (i >>> 14);
      tcb.remotePort[c] = 49152 + (i & 0x3fff);
      tcb.localPort[c] = 80;
      const oldest = cache.displacedBy(c);
      if (oldest >= 0) {
        cache.remove(oldest);
        tossed.push(oldest);
      }
      cache.add(c);
    }
    return { cache, tossed, tcb };
  }

  function tcbOf(store: Store) {
    return store.table("connections", tcbSchema);
  }

  it("has room for what fits its buckets", () => {
    assert.deepEqual(cacheOf(1000).tossed, []);
  });

  it("tosses the oldest of a full bucket", () => {
    const { tossed, tcb, cache } = cacheOf(SYN_BUCKET_LIMIT);
    assert.deepEqual(tossed, []);
    // The same addresses are the same bucket.
    for (let i = 0; i < SYN_BUCKET_LIMIT; i++) cache.remove(i);
    const same = (): number => {
      const c = tcb.alloc();
      tcb.localPort[c] = 80;
      return c;
    };
    const all = Array.from({ length: SYN_BUCKET_LIMIT }, same);
    for (const c of all) {
      assert.equal(cache.displacedBy(c), -1);
      cache.add(c);
    }
    assert.equal(cache.displacedBy(same()), all[0]);
    cache.remove(all[0]!);
    assert.equal(cache.displacedBy(same()), -1);
  });

  it("is never larger than its limit", () => {
    const more = 500;
    const { tossed } = cacheOf(SYN_CACHE_LIMIT + more);
    assert.ok(tossed.length >= more);
    assert.equal(new Set(tossed).size, tossed.length);
  });
});
