import assert from "node:assert/strict";
import fc from "fast-check";
import { A, EVENT_BITS } from "../../../engine/kernel/eventLists";
import { EventQueue, Priority } from "../../../engine/kernel/queue";
import { Store } from "../../../engine/kernel/state";

describe("event queue", () => {
  it("fires in the order of time, priority and scheduling, and never what was cancelled", () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant("schedule" as const), time: fc.nat(20), priority: fc.constantFrom(...Object.values(Priority)) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("cancel" as const), which: fc.nat() }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("fire" as const) }) },
    );
    fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new EventQueue(new Store());
      const model: { time: number; priority: number; tag: number; handle: number }[] = [];
      let tag = 0;
      for (const s of steps) {
        if (s.kind === "schedule") {
          model.push({ time: s.time, priority: s.priority, tag, handle: queue.schedule(s.time, s.priority, 0, 0, tag, 0, -1) });
          tag++;
        } else if (s.kind === "cancel") {
          if (model.length > 0) queue.cancel(model.splice(s.which % model.length, 1)[0]!.handle);
        } else {
          model.sort((x, y) => x.time - y.time || x.priority - y.priority || x.tag - y.tag);
          const expected = model.shift();
          assert.equal(queue.peek() >= 0, expected !== undefined);
          if (expected !== undefined) assert.equal(queue.words.word[(queue.pop() << EVENT_BITS) + A], expected.tag);
        }
        assert.equal(queue.length, model.length);
      }
    }));
  });
});
