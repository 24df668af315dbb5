import assert from "node:assert/strict";
import fc from "fast-check";
import { createEngine } from "../../engine/create";
import type { Nic } from "../../engine/machine/nic/nic";
import { designOf } from "../support/runDesign";
import { randomMachine } from "../support/randomMachine";
import { times } from "../support/times";

function checkQueues(nic: Nic): void {
  const { transmitQueues: { state: tx }, receiveQueues, model } = nic;
  const numbers = new Set<number>();
  nic.functions.forEach((unit, f) => {
    for (const { row, number } of unit.queues) {
      assert.ok(!numbers.has(number) && number < model.queues, "a queue belongs to one function");
      numbers.add(number);
      const inUse = tx.posted[row]! + tx.fetching[row]! + tx.cached[row]! + tx.reading[row]! + tx.done[row]! + tx.writing[row]!;
      assert.equal(inUse, tx.used[row]);
      assert.ok(inUse <= tx.ring[row]! && tx.cached[row]! <= model.prefetch.transmit);
      if (nic.state.receive[f] === 1) assert.equal(receiveQueues.descriptors(row), receiveQueues.state.ring[row]);
    }
  });
  assert.ok(nic.transmitQueues.buffered <= model.transmitBuffer && nic.transmitQueues.buffered >= 0);
  assert.ok(receiveQueues.buffered <= model.receiveBuffer && receiveQueues.buffered >= 0);
}

describe("adapters of random machines", () => {
  it("keep every descriptor in one place, and their buffers within bounds, at any instant", () => {
    fc.assert(fc.property(randomMachine, ({ text }) => {
      const engine = createEngine(designOf(text));
      const nics = [...engine.built.machine.nics.values()];
      for (let i = 0; i < 6000 && engine.dispatch(); i++) if (i % 5 === 0) nics.forEach(checkQueues);
    }), { numRuns: times(25) });
  });

  it("never make the IOMMU fault, where nobody means to", () => {
    fc.assert(fc.property(randomMachine.filter(({ text }) => !text.includes("what: dma")), ({ text }) => {
      const engine = createEngine(designOf(text));
      for (let i = 0; i < 20_000 && engine.dispatch(); i++);
      assert.equal(engine.built.iommus.reduce((sum, { faults }) => sum + faults, 0), 0);
    }), { numRuns: times(25) });
  });
});
