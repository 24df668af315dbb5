import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { LengthOverTime } from "../../../engine/analysis/lengthOverTime";
import { QueueDepths } from "../../../engine/analysis/queueDepths";
import { createEngine } from "../../../engine/create";
import { ThreadState } from "../../../engine/scheduling/threads";
import { designOf } from "../../support/runDesign";

describe("a queue's length over time", () => {
  it("is weighed by how long it was so, and its peak may last an instant", () => {
    const clock = { now: 0 };
    const length = new LengthOverTime(clock, 0);
    for (const [now, n] of [[10, 1], [20, 9], [20, 2], [30, 0]] as const) {
      clock.now = now;
      length.changed(n);
    }
    assert.equal(length.max, 9);
    assert.equal(length.meanUntil(30), (10 * 1 + 10 * 2) / 30);
    assert.equal(length.meanUntil(100), (10 * 1 + 10 * 2) / 100);
    assert.deepEqual([0.5, 0.8, 0.81, 0.9, 0.91, 1].map((q) => length.quantileUntil(q, 100)), [0, 0, 1, 1, 2, 2]);
    assert.deepEqual([0.3, 0.34, 1].map((q) => length.quantileUntil(q, 30)), [0, 1, 2]);
  });

  it("has room for as many lengths as there are, and for a last one that lasts", () => {
    const clock = { now: 0 };
    const length = new LengthOverTime(clock, 1000);
    clock.now = 1;
    length.changed(3);
    assert.deepEqual([length.max, length.meanUntil(1), length.meanUntil(1000), length.quantileUntil(0.99, 1000)], [1000, 1000, (1000 + 999 * 3) / 1000, 3]);
  });
});

it("a queue in the memory of a domain that boots is as long as it is there, though nobody has put anything in or taken it out", () => {
  const engine = createEngine(designOf(readFileSync("samples/netfront/bridge.exo.yaml", "utf8")));
  const { store } = engine.built.machine.kernel;
  const depths = new QueueDepths(engine);
  const ring = store.queues.find(({ name }) => /^send queue of .*netfront$/.test(name))!;
  const scope = ring.name.slice("send queue of ".length, ring.name.lastIndexOf("/"));
  const memory = store.copyScope(scope);
  for (let i = 0; i < 3; i++) ring.push(i);
  store.restoreScope(scope, memory);
  assert.equal(ring.count, 0);
  depths.observe();
  const { mean, max } = depths.summary(1e9).find(({ queue }) => queue === ring.name)!;
  assert.deepEqual([mean, max], [0, 3]);
});

/** A look at every queue after every dispatch: what watching must come to, but for peaks within a dispatch. */
for (const [name, until] of [["librettos/librettos", 12e9], ["placement/multiserver", Infinity], ["faults/application-crash", 120e9], ["scheduling/slices", 40e9]] as const) {
  it(`queue lengths are those of a look after every dispatch: ${name}`, () => {
    const engine = createEngine(designOf(readFileSync(`samples/${name}.exo.yaml`, "utf8")));
    const { machine: { kernel: { store }, cpus }, domains } = engine.built;
    const { thread } = cpus.threads;
    const looks = [
      ...store.queues.map((ring) => ({ name: ring.name, length: () => ring.count })),
      ...domains.map(({ id, path }) => ({ name: `run queues of ${path}`, length: () => cpus.vcpus.threadsOf(id).filter((t) => thread.state[t] === ThreadState.ready).length })),
    ].map((look) => ({ ...look, before: look.length(), sum: 0, max: 0 }));
    const depths = new QueueDepths(engine);
    let time = 0;
    while (engine.time < until && engine.dispatch()) {
      depths.observe();
      for (const look of looks) {
        look.sum += look.before * (engine.time - time);
        look.before = look.length();
        look.max = Math.max(look.max, look.before);
      }
      time = engine.time;
    }
    const summary = new Map(depths.summary(time).map((queue) => [queue.queue, queue]));
    assert.ok(summary.size > 5);
    for (const look of looks) {
      const { mean, max, p99 } = summary.get(look.name) ?? { mean: 0, max: 0, p99: 0 };
      assert.ok(Math.abs(mean - look.sum / time) <= 1e-9 * Math.max(1, mean), `${look.name}: ${mean} and ${look.sum / time}`);
      assert.ok(max >= look.max && p99 <= max, look.name);
    }
  });
}
