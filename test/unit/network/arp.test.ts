import assert from "node:assert/strict";
import { Store } from "../../../engine/kernel/state";
import { ArpCache, type NeighbourRules } from "../../../engine/network/arp";

const S = 1e12;
const NEIGHBOUR = 0x0a_00_00_02;
const [OLD, NEW] = [0x02_00_00_00_00_01, 0x02_00_00_00_00_02];
const bsd: NeighbourRules = { held: 1, requests: 5, believed: 1200 * S };
const linux: NeighbourRules = { held: 101, requests: 3, believed: 30 * S, detection: { delay: 5 * S, interval: S, probes: 3 } };

const cache = (rules: NeighbourRules): ArpCache => new ArpCache(new Store(), "test", rules);
const stateOf = (arp: ArpCache): string => arp.describe().children![0]!.value.replace(/^[0-9a-f:]+, /, "");

describe("an ARP cache", () => {
  it("asks again as often as its system does, and begins to count with what waits next", () => {
    for (const rules of [bsd, linux]) {
      const arp = cache(rules);
      for (const packet of [7, 8]) {
        assert.equal(arp.wait(NEIGHBOUR, packet, -1).asked, false);
        for (let request = 1; request < rules.requests; request++) assert.equal(arp.asksAgain(NEIGHBOUR), true);
        assert.equal(arp.asksAgain(NEIGHBOUR), false);
        assert.equal(arp.take(NEIGHBOUR), packet);
      }
    }
  });

  it("has its entries and what waits to itself, though all caches have them in one table; they go with the memory that it is in, and with no other", () => {
    const store = new Store();
    const [one, two] = [store.within("one", () => new ArpCache(store, "one", linux)), store.within("two", () => new ArpCache(store, "two", linux))];
    const empty = store.copyScope("one");
    const fill = (arp: ArpCache, from: number): void => {
      for (let i = 0; i < 3; i++) arp.learn(NEIGHBOUR + 64 * i, from + i, 0, true);
      for (const packet of [from & 0xff, 9]) arp.wait(NEIGHBOUR + 1, packet, -1);
    };
    const tables = (): number[] => (store as unknown as { readonly tables: readonly { readonly rows: number }[] }).tables.map(({ rows }) => rows);
    fill(one, OLD);
    fill(two, NEW);
    const rows = tables();
    const theirs = [two.describe(), store.copyScope("two")];
    for (let boot = 0; boot < 3; boot++) {
      assert.deepEqual(one.describe().children!.map(({ number }) => number), [OLD, OLD + 1, OLD + 2, -1]);
      store.restoreScope("one", empty);
      assert.deepEqual(one.describe().children, []);
      assert.deepEqual([one.lookup(NEIGHBOUR, 1), one.take(NEIGHBOUR + 1)], [-1, -1]);
      assert.deepEqual([two.describe(), store.copyScope("two")], theirs);
      fill(one, OLD);
      assert.deepEqual(tables(), rows);
    }
    assert.deepEqual([one, two].map((arp) => arp.take(NEIGHBOUR + 1)), [1, 2]);
  });

  it("knows each of hundreds of neighbours, also where addresses share a chain, and no other; a snapshot brings them back", () => {
    const store = new Store();
    const arp = new ArpCache(store, "test", bsd);
    // Neighbours in a row, and 64 apart: all of one chain.
    const ips = [...Array.from({ length: 300 }, (_, i) => NEIGHBOUR + i), ...Array.from({ length: 20 }, (_, i) => 0xc0_a8_00_01 + 64 * i)];
    const look = () => ips.map((ip) => arp.lookup(ip, 1));
    ips.forEach((ip, i) => arp.learn(ip, OLD + i, 0, true));
    assert.deepEqual(look(), ips.map((_, i) => OLD + i));
    for (const ip of [NEIGHBOUR - 1, NEIGHBOUR + 300, 0xc0_a8_00_02]) assert.equal(arp.has(ip), false);
    assert.equal(arp.describe().children!.length, ips.length);
    const snapshot = store.snapshot();
    arp.learn(0xc0_a8_00_02, OLD, 0, true);
    arp.learn(NEIGHBOUR, NEW, 0, true);
    store.restore(snapshot);
    assert.equal(arp.has(0xc0_a8_00_02), false);
    assert.deepEqual(look(), ips.map((_, i) => OLD + i));
  });

  it("of BSD believes whatever it hears, for twenty minutes, and has to ask then", () => {
    const arp = cache(bsd);
    assert.equal(arp.learn(NEIGHBOUR, OLD, 0, false), false);
    assert.equal(arp.lookup(NEIGHBOUR, 1199 * S), OLD);
    assert.equal(arp.lookup(NEIGHBOUR, 1200 * S), -1);
    assert.equal(arp.learn(NEIGHBOUR, NEW, 1201 * S, false), true, "it has moved");
    assert.equal(arp.lookup(NEIGHBOUR, 1202 * S), NEW);
    assert.equal(arp.suspects(NEIGHBOUR, 1202 * S), false);
  });

  it("of Linux uses what an announcement says, and probes it when nothing has confirmed it in time", () => {
    const arp = cache(linux);
    arp.learn(NEIGHBOUR, OLD, 0, true);
    assert.equal(arp.suspects(NEIGHBOUR, 10 * S), false);
    assert.equal(arp.learn(NEIGHBOUR, NEW, 20 * S, false), true);
    assert.deepEqual([stateOf(arp), arp.lookup(NEIGHBOUR, 21 * S)], ["stale", NEW]);
    assert.equal(arp.suspects(NEIGHBOUR, 21 * S), true);
    assert.equal(arp.suspects(NEIGHBOUR, 22 * S), false, "once is enough");
    assert.equal(arp.isToProbe(NEIGHBOUR, 25 * S), false, "its time has not come");
    assert.deepEqual([26, 27, 28, 29].map((t) => arp.isToProbe(NEIGHBOUR, t * S)), [true, true, true, false]);
    assert.equal(arp.lookup(NEIGHBOUR, 29 * S), -1, "nobody answers there");
  });

  it("of Linux believes again what an answer, or data that come back, confirm", () => {
    const arp = cache(linux);
    arp.learn(NEIGHBOUR, OLD, 0, false);
    assert.equal(arp.suspects(NEIGHBOUR, S), true);
    arp.confirm(NEIGHBOUR, 2 * S);
    assert.equal(arp.isToProbe(NEIGHBOUR, 6 * S), false);
    assert.equal(stateOf(arp), "reachable");
    assert.equal(arp.suspects(NEIGHBOUR, 33 * S), true, "half a minute later it is suspected again");
    assert.equal(arp.isToProbe(NEIGHBOUR, 38 * S), true);
    arp.learn(NEIGHBOUR, OLD, 38.5 * S, true);
    assert.equal(arp.isToProbe(NEIGHBOUR, 39 * S), false);
    assert.equal(stateOf(arp), "reachable");
  });

  it("changes nothing when a neighbour says again what is known of it", () => {
    const arp = cache(linux);
    arp.learn(NEIGHBOUR, OLD, 0, true);
    assert.equal(arp.learn(NEIGHBOUR, OLD, S, false), false);
    assert.equal(stateOf(arp), "reachable");
  });
});
