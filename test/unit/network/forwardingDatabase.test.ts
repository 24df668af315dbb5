import assert from "node:assert/strict";
import { Store } from "../../../engine/kernel/state";
import { ForwardingDatabase } from "../../../engine/network/forwardingDatabase";

const S = 1e12;
const database = (): ForwardingDatabase => new ForwardingDatabase(new Store(), "bridge");

describe("forwarding database of a bridge", () => {
  it("knows the port that an address was last heard from", () => {
    const d = database();
    assert.equal(d.lookup(0x0200_0000_0001, 0), -1);
    assert.equal(d.learn(0x0200_0000_0001, 2, 0), true);
    assert.equal(d.learn(0x0200_0000_0001, 2, S), false);
    assert.equal(d.lookup(0x0200_0000_0001, S), 2);
    assert.equal(d.learn(0x0200_0000_0001, 0, 2 * S), true, "it has moved");
    assert.equal(d.lookup(0x0200_0000_0001, 2 * S), 0);
  });

  it("forgets an address that was not heard of for 300 seconds, and uses its place again", () => {
    const d = database();
    d.learn(1, 1, 0);
    assert.equal(d.lookup(1, 300 * S), 1);
    assert.equal(d.lookup(1, 300 * S + 1), -1);
    d.learn(0x0001_0000_0000, 2, 301 * S);
    assert.equal(d.describe(301 * S, (port) => `port ${port}`).value, "1 address");
    assert.equal(d.lookup(0x0001_0000_0000, 301 * S), 2);
    assert.equal(d.lookup(1, 301 * S), -1);
  });

  it("tells addresses of one chain apart", () => {
    const d = database();
    for (let i = 0; i < 2000; i++) d.learn(0x00_16_3e_00_00_00 + i * 256, i % 7, 0);
    for (let i = 0; i < 2000; i++) assert.equal(d.lookup(0x00_16_3e_00_00_00 + i * 256, 0), i % 7);
  });

  it("forgets what was heard from a port that is gone, and nothing else", () => {
    const d = database();
    d.learn(1, 1, 0);
    d.learn(2, 2, 0);
    d.forget(1);
    assert.deepEqual([d.lookup(1, 0), d.lookup(2, 0)], [-1, 2]);
  });
});
