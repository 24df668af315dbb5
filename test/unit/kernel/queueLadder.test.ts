import assert from "node:assert/strict";
import fc from "fast-check";
import { A, EVENT_BITS, NEXT } from "../../../engine/kernel/eventLists";
import { EventQueue, Priority } from "../../../engine/kernel/queue";
import { Store, type StoreSnapshot } from "../../../engine/kernel/state";

interface Pending {
  readonly time: number;
  readonly priority: number;
  readonly tag: number;
  readonly handle: number;
}

/** A queue beside the plainest one that can be: an array that is searched for the least. */
class Pair {
  readonly store = new Store();
  readonly queue = new EventQueue(this.store);
  pending: Pending[] = [];
  now = 0;
  private tag = 0;

  schedule(time: number, priority: Priority): void {
    const tag = this.tag++;
    this.pending.push({ time, priority, tag, handle: this.queue.schedule(time, priority, tag % 7, tag % 5, tag, -tag, tag - 1) });
  }

  cancel(which: number): void {
    if (this.pending.length > 0) this.queue.cancel(this.pending.splice(which % this.pending.length, 1)[0]!.handle);
  }

  fire(): void {
    let first = this.pending[0];
    for (const p of this.pending) if (p.time < first!.time || (p.time === first!.time && (p.priority < first!.priority || (p.priority === first!.priority && p.tag < first!.tag)))) first = p;
    // Every other time before it has been looked for.
    if (this.tag % 2 === 0) assert.equal(this.queue.pop((first?.time ?? 1) - 1), -1);
    assert.equal(this.queue.peek(), first?.handle ?? -1);
    if (first === undefined) return;
    this.pending = this.pending.filter((p) => p !== first);
    const event = this.queue.pop();
    const { events, words } = this.queue;
    assert.deepEqual(
      [events.time[event], ...words.word.subarray(event << EVENT_BITS, (event << EVENT_BITS) + NEXT)],
      [first.time, first.priority, first.tag % 7, first.tag % 5, first.tag, 0 - first.tag, first.tag - 1],
    );
    this.now = first.time;
    assert.equal(this.queue.length, this.pending.length);
  }
}

/** Delays as they occur: none, the same again and again, short, of very different sizes, fractions of a picosecond. */
const delay = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constantFrom(1, 7, 1000) },
  { weight: 4, arbitrary: fc.nat(3000) },
  { weight: 2, arbitrary: fc.nat(40).map((doublings) => 2 ** doublings) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 1e15, noNaN: true }) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 4, noNaN: true }) },
);
const priority = fc.constantFrom(...Object.values(Priority));
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("schedule" as const), delay, priority, count: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 120 }) }), spread: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(), count: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("fire" as const), count: fc.integer({ min: 1, max: 40 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function apply(pair: Pair, s: Step): void {
  for (let i = 0; i < s.count; i++) {
    if (s.kind === "schedule") pair.schedule(pair.now + s.delay + i * s.spread, ((s.priority + i * s.spread) % 6) as Priority);
    else if (s.kind === "cancel") pair.cancel(s.which + i * 13);
    else pair.fire();
  }
}

describe("event queue, with many events pending", () => {
  it("fires in order under delays of all sizes, crowds at one instant and cancelling, to the last event", () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const pair = new Pair();
      for (const s of steps) apply(pair, s);
      while (pair.pending.length > 0) pair.fire();
      pair.fire();
    }), { numRuns: 200 });
  });

  it("goes on from a snapshot as it did the first time, handles included", () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 30, size: "max" }), fc.array(step, { maxLength: 30, size: "max" }), (before, after) => {
      const pair = new Pair();
      for (const s of before) apply(pair, s);
      const snapshot: StoreSnapshot = pair.store.snapshot();
      const { pending, now } = pair;
      const play = (queue: EventQueue): number[] => {
        const live = pending.map(({ handle }) => handle);
        const seen: number[] = [];
        let instant = now;
        for (const s of after) {
          for (let i = 0; i < s.count; i++) {
            if (s.kind === "schedule") live.push(queue.schedule(instant + s.delay + i * s.spread, s.priority, 0, 0, i, 0, -1));
            else if (live.length === 0) continue;
            else if (s.kind === "cancel") queue.cancel(live.splice((s.which + i) % live.length, 1)[0]!);
            else {
              const event = queue.pop();
              instant = queue.events.time[event]!;
              seen.push(event, instant, queue.words.word[(event << EVENT_BITS) + A]!);
              live.splice(live.indexOf(event), 1);
            }
          }
        }
        return seen.concat(live);
      };
      const first = play(pair.queue);
      pair.store.restore(snapshot);
      assert.deepEqual(play(pair.queue), first);
      const store = new Store();
      const queue = new EventQueue(store);
      store.restore(snapshot);
      assert.deepEqual(play(queue), first, "in another queue as well");
    }), { numRuns: 100 });
  });

  it("gives the rows of cancelled events to new ones", () => {
    const queue = new EventQueue(new Store());
    for (let i = 0; i < 1000; i++) queue.schedule(1e12 + i, Priority.timeout, 0, 0, 0, 0, -1);
    let timer = queue.schedule(2e12, Priority.timeout, 0, 0, 0, 0, -1);
    const { rows } = queue.events;
    for (let i = 0; i < 100_000; i++) {
      queue.cancel(timer);
      timer = queue.schedule(2e12 + i, Priority.timeout, 0, 0, 0, 0, -1);
    }
    assert.equal(queue.events.rows, rows);
    assert.equal(queue.length, 1001);
  });
});
