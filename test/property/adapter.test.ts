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
      assert.ok(inUse <= model.ring && tx.cached[row]! <= model.prefetch.transmit);
      if (nic.state.receive[f] === 1) assert.equal(receiveQueues.descriptors(row), model.ring);
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

  it("keep interrupts of a vector apart, deliver no frame to a function whose address it does not carry, and never fault", () => {
    // Who crashes has other intervals afterwards: rule 49 looks at them as they are at the time.
    fc.assert(fc.property(randomMachine.filter(({ crashes }) => !crashes), ({ text }) => {
      const engine = createEngine(designOf(text));
      for (let i = 0; i < 40_000 && engine.dispatch(); i++);
      const { trace, names, built } = engine;
      const { packets, nics } = built.machine;
      const id = (name: string): number => names.functions.find((f) => f.name === name)!.id;
      const [msi, write] = [id("MSI"), id("DMA write")];
      const functions = new Map([...nics.values()].flatMap((nic) => nic.functions.map((unit, f) => [unit.context, { nic, unit, f }] as const)));
      const last = new Map<string, number>();
      for (let row = 0; row < trace.length; row++) {
        const found = functions.get(trace.context(row));
        if (found === undefined) continue;
        const { nic, unit, f } = found;
        if (trace.fn(row) === msi) {
          const queue = unit.queues.find(({ number }) => number === trace.a(row))!;
          const vector = `${unit.path}/${queue.row}`;
          assert.ok(trace.time(row) - (last.get(vector) ?? -1e15) >= nic.vectors.state.interval[queue.row]!);
          last.set(vector, trace.time(row));
        } else if (trace.fn(row) === write) {
          const destination = packets.destinationMac(trace.packet(row));
          assert.ok(destination === nic.macOf(f) || Math.floor(destination / 2 ** 40) % 2 === 1);
        }
      }
      assert.equal(built.iommus.reduce((sum, { faults }) => sum + faults, 0), 0);
    }), { numRuns: times(25) });
  });
});
