import assert from "node:assert/strict";
import fc from "fast-check";
import { Kernel } from "../../../engine/kernel/kernel";
import { FrameRing, RING_SLOTS } from "../../../engine/machine/frameRing";
import { Portmap, Protocol } from "../../../engine/machine/portmap";

describe("frame ring", () => {
  it("keeps every slot either free or filled, hands frames out in order, and drops when full", () => {
    fc.assert(fc.property(fc.array(fc.boolean(), { maxLength: 2000 }), (steps) => {
      const ring = new FrameRing(new Kernel(1, true), "r");
      const model: number[] = [];
      steps.forEach((produce, i) => {
        if (produce) {
          assert.equal(ring.produce(i), model.length < RING_SLOTS);
          if (model.length < RING_SLOTS) model.push(i);
        } else {
          assert.equal(ring.peek(), model[0] ?? -1);
          assert.equal(ring.consume(), model.shift() ?? -1);
        }
        assert.equal(ring.count, model.length);
        assert.equal(ring.freeCount, RING_SLOTS - model.length);
      });
    }), { numRuns: 50 });
    const ring = new FrameRing(new Kernel(1, true), "r");
    for (let i = 0; i < RING_SLOTS; i++) assert.ok(ring.produce(i));
    assert.equal(ring.produce(-7), false);
    assert.equal(ring.consume(), 0);
  });
});

describe("portmap", () => {
  const portmap = (): Portmap => new Portmap(new Kernel(1, true), "s", String);

  it("gives a port to one application; binding it again is idempotent for the owner and refused for others", () => {
    const map = portmap();
    assert.deepEqual(map.bind(0, Protocol.tcp, 80), { port: 80 });
    assert.deepEqual(map.bind(0, Protocol.tcp, 80), { port: 80 });
    assert.deepEqual(map.bind(1, Protocol.tcp, 80), { error: "EADDRINUSE" });
    assert.equal(map.owner(Protocol.tcp, 80), 0);
  });

  it("keeps TCP and UDP apart, and knows no other protocol", () => {
    const map = portmap();
    map.bind(0, Protocol.tcp, 53);
    assert.equal(map.owner(Protocol.udp, 53), -1);
    assert.deepEqual(map.bind(1, Protocol.udp, 53), { port: 53 });
    assert.deepEqual(map.bind(1, 1, 53), { error: "EINVAL" });
  });

  it("takes a port back from its owner, and from nobody else", () => {
    const map = portmap();
    map.bind(0, Protocol.tcp, 80);
    map.bind(1, Protocol.udp, 80);
    assert.equal(map.unbind(1, Protocol.tcp, 80), false);
    assert.equal(map.owner(Protocol.tcp, 80), 0);
    assert.equal(map.unbind(0, Protocol.tcp, 80), true);
    assert.deepEqual([map.owner(Protocol.tcp, 80), map.owner(Protocol.udp, 80)], [-1, 1]);
    assert.deepEqual(map.bind(1, Protocol.tcp, 80), { port: 80 });
  });

  it("hands out the lowest free dynamic port until all 16,384 are gone", () => {
    const map = portmap();
    map.bind(3, Protocol.tcp, 49153);
    assert.deepEqual(map.bind(0, Protocol.tcp, 0), { port: 49152 });
    assert.deepEqual(map.bind(0, Protocol.tcp, 0), { port: 49154 });
    for (let i = 0; i < 16384 - 3; i++) assert.ok("port" in map.bind(1, Protocol.tcp, 0));
    assert.deepEqual(map.bind(2, Protocol.tcp, 0), { error: "EADDRINUSE" });
  });
});
