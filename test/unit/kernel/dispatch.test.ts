import assert from "node:assert/strict";
import { Kernel } from "../../../engine/kernel/kernel";
import { Priority } from "../../../engine/kernel/queue";

describe("a row", () => {
  it("belongs to a dispatch: the kernel refuses one before, between and after dispatches", () => {
    const kernel = new Kernel(1, true);
    const fn = kernel.functions({ step: { kind: "device" } }).step;
    const mark = (): void => kernel.mark(fn, id, 0, kernel.now, 0);
    const id = kernel.component("c", "test", "h", undefined, { fire: mark, describe: () => [] });
    assert.throws(mark, /step of c belongs to no dispatch/);
    kernel.schedule(0, Priority.hardware, id, 0);
    kernel.schedule(5, Priority.hardware, id, 0);
    assert.ok(kernel.dispatch());
    assert.throws(mark, /belongs to no dispatch/);
    assert.ok(kernel.dispatch());
    assert.throws(mark, /belongs to no dispatch/);
    assert.equal(kernel.rows, 2);
  });

  it("is what every dispatch must leave", () => {
    const kernel = new Kernel(1, true);
    const id = kernel.component("c", "test", "h", undefined, { fire: () => {}, describe: () => [] });
    kernel.schedule(0, Priority.hardware, id, 3);
    assert.throws(() => kernel.dispatch(), /c: op 3 left no row/);
  });
});
