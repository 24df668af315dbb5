import assert from "node:assert/strict";
import { createEngine } from "../../../engine/create";
import { DONE, LOCKED, SPECIAL, THREAD, VCPU, type slotColumns } from "../../../engine/scheduling/workSlot";
import { NONE } from "../../../engine/trace/trace";
import { designOf } from "../../support/runDesign";
import { readSample } from "../../support/samples";

/** Columns that a piece of work takes for plain without writing them, with what they hold then; the others it writes itself before they are read. */
const plain: readonly (readonly [keyof typeof slotColumns, number])[] = [
  ["spin", 0], ["cut", 0], ["noted", 0], ["hung", 0], ["started", 0], ["spinning", 0], ["spun", 0], ["spunSecond", 0], ["instead", 0], ["led", 0],
  ["held", NONE], ["second", NONE], ["wants", NONE], ["goesOn", NONE],
];

describe("a free slot of work", () => {
  for (const name of ["placement/monolithic-netbsd", "placement/monolithic-linux", "faults/server-crash"]) {
    it(`of ${name} is as the next piece of work needs it, or says that it is to be cleared`, () => {
      const { text, files } = readSample(`${name}.exo.yaml`);
      const engine = createEngine(designOf(text, files));
      const { work, threads, vcpus } = engine.built.machine.cpus;
      const { slot } = work;
      let free = 0;
      let locked = 0;
      for (let n = 0; n < 10_000 && engine.dispatch(); n++) {
        for (let w = 0; w < slot.rows; w++) {
          const thread = work.get(w, THREAD);
          if ((thread === NONE ? vcpus.vcpu.work[work.get(w, VCPU)] : threads.thread.work[thread]) === w) {
            locked += work.get(w, LOCKED);
            continue;
          }
          if (work.get(w, SPECIAL) !== 0) continue;
          free++;
          assert.deepEqual([work.get(w, LOCKED), work.get(w, DONE)], [0, 0]);
          for (const [column, value] of plain) assert.equal(slot[column][w], value, column);
        }
      }
      assert.ok(free > 300 && (locked > 0 || name.startsWith("faults")), `${free} free, ${locked} under locks`);
    });
  }
});
