import assert from "node:assert/strict";
import fc from "fast-check";
import { Kernel } from "../../../engine/kernel/kernel";
import { RING_ENTRIES, SharedRing } from "../../../engine/machine/sharedRing";

const ring = (): SharedRing => new SharedRing(new Kernel(1, false), "ring");

describe("a ring of requests and responses", () => {
  it("hands requests over in order, and responses in their place", () => {
    const r = ring();
    for (let i = 0; i < 3; i++) r.putRequest(i, 100 + i, 200 + i);
    assert.equal(r.requests, 0, "not seen before they are pushed");
    assert.equal(r.pushRequests(), true, "the backend wants to hear of the first");
    assert.equal(r.requests, 3);
    for (let i = 0; i < 3; i++) {
      const entry = r.takeRequest();
      assert.deepEqual([r.id(entry), r.grant(entry), r.packet(entry)], [i, 100 + i, 200 + i]);
      r.putResponse(r.id(entry), -1);
    }
    assert.equal(r.pushResponses(), true);
    assert.equal(r.responses, 3);
    assert.deepEqual([0, 1, 2].map(() => r.id(r.takeResponse())), [0, 1, 2]);
    assert.equal(r.room, RING_ENTRIES);
  });

  it("takes 256 entries, and none more until a response is taken", () => {
    const r = ring();
    for (let i = 0; i < RING_ENTRIES; i++) r.putRequest(i, 0, 0);
    assert.equal(r.room, 0);
    assert.throws(() => r.putRequest(0, 0, 0), /full/);
    r.pushRequests();
    assert.equal(r.room, 0);
    r.putResponse(r.id(r.takeRequest()), -1);
    assert.throws(() => r.putResponse(0, -1), /without a request/);
    r.pushResponses();
    assert.equal(r.room, 0);
    r.takeResponse();
    assert.equal(r.room, 1);
  });

  it("asks for a notification only where the event index lies among what was pushed", () => {
    const r = ring();
    const push = (): boolean => {
      r.putRequest(0, 0, 0);
      return r.pushRequests();
    };
    assert.deepEqual([push(), push(), push()], [true, false, false], "the backend is at work, as far as the index says");
    while (r.requests > 0) r.takeRequest();
    assert.equal(r.finalCheckForRequests(), false);
    assert.deepEqual([push(), push()], [true, false]);
    assert.equal(r.finalCheckForRequests(), true, "one waits: no index is set, and the backend goes on");
    assert.equal(push(), false);
  });

  it("tells the frontend when half of what is under way is done, if it asks so", () => {
    const r = ring();
    for (let i = 0; i < 8; i++) r.putRequest(i, 0, 0);
    r.pushRequests();
    r.askForResponse((r.outstanding >> 1) + 1);
    const told: boolean[] = [];
    for (let i = 0; i < 8; i++) {
      r.putResponse(r.id(r.takeRequest()), -1);
      told.push(r.pushResponses());
    }
    assert.deepEqual(told, [false, false, false, false, true, false, false, false]);
  });

  it("goes on beyond 2^32 entries", () => {
    const kernel = new Kernel(1, false);
    const r = new SharedRing(kernel, "ring");
    // As if so many had passed: all indices alike.
    const state = (r as unknown as { index: Record<string, Uint32Array> }).index;
    for (const name of ["requestProduced", "responseProduced", "requestPrivate", "responseConsumed", "requestConsumed", "responsePrivate"]) state[name]![0] = 2 ** 32 - 2;
    state["requestEvent"]![0] = state["responseEvent"]![0] = 2 ** 32 - 1;
    const told: boolean[] = [];
    for (let i = 0; i < 5; i++) {
      r.putRequest(i, 0, 0);
      told.push(r.pushRequests());
      assert.equal(r.requests, 1);
      r.takeRequest();
      assert.equal(r.finalCheckForRequests(), false);
      r.putResponse(i, -1);
      r.pushResponses();
      assert.equal(r.id(r.takeResponse()), i);
    }
    assert.deepEqual(told, [true, true, true, true, true]);
  });

  /**
   * Producer and consumer as netfront and netback are, in any order of their steps: the consumer works until the final check finds
   * nothing, and sleeps until it is told.
   */
  it("loses no wake-up, whatever the order of the steps", () => {
    fc.assert(fc.property(fc.array(fc.constantFrom("put", "push", "take", "check", "deliver"), { maxLength: 400 }), (steps) => {
      const r = ring();
      let awake = false;
      let event = false;
      for (const step of steps) {
        if (step === "put" && r.room > 0) r.putRequest(0, 0, 0);
        else if (step === "push" && r.pushRequests()) event = true;
        else if (step === "deliver" && event) {
          event = false;
          awake = true;
        } else if (awake && step === "take" && r.requests > 0) {
          r.putResponse(r.id(r.takeRequest()), -1);
          r.pushResponses();
          r.takeResponse();
        } else if (awake && step === "check" && r.requests === 0) {
          awake = r.finalCheckForRequests();
        }
        assert.ok(r.requests === 0 || awake || event, "requests wait, the consumer sleeps, and nobody will tell it");
        assert.deepEqual([...r.order].sort((a, b) => a - b), [...r.order], "the indices follow each other");
        assert.ok(r.order.at(-1)! <= RING_ENTRIES);
      }
    }), { numRuns: 500 });
  });
});
