import assert from "node:assert/strict";
import fc from "fast-check";
import { Store } from "../../../engine/kernel/state";

describe("state tables", () => {
  it("hand out zeroed rows, released ones first", () => {
    const table = new Store().table("t", { value: "f64" }, 1);
    const first = table.alloc();
    const second = table.alloc();
    table.value[first] = 1;
    table.value[second] = 2;
    table.release(first);
    assert.equal(table.alloc(), first);
    assert.equal(table.value[first], 0);
    assert.equal(table.value[second], 2);
    assert.equal(table.alloc(), 2);
  });

  it("go back to a snapshot exactly, whatever happened since", () => {
    const operation = fc.oneof(
      fc.record({ kind: fc.constant("alloc" as const), value: fc.integer() }),
      fc.record({ kind: fc.constant("release" as const), value: fc.nat(50) }),
      fc.record({ kind: fc.constant("write" as const), value: fc.integer() }),
    );
    fc.assert(fc.property(fc.array(operation, { maxLength: 60 }), fc.array(operation, { maxLength: 60 }), (before, after) => {
      const store = new Store();
      const table = store.table("t", { a: "f64", b: "u8" }, 2);
      const live: number[] = [];
      const apply = (operations: typeof before): number[] => operations.map(({ kind, value }) => {
        if (kind === "alloc" || live.length === 0) live.push(table.alloc());
        else if (kind === "release") table.release(live.splice(value % live.length, 1)[0]!);
        else table.a[live[Math.abs(value) % live.length]!] = value;
        return live.at(-1) ?? -1;
      });
      apply(before);
      const kept = [...live];
      const snapshot = store.snapshot();
      const results = apply(after);
      const end = [...table.a.subarray(0, table.rows)];
      store.restore(snapshot);
      live.splice(0, live.length, ...kept);
      assert.deepEqual(apply(after), results, "replaying hands out the same rows");
      assert.deepEqual([...table.a.subarray(0, table.rows)], end);
    }));
  });

  it("share the pages that did not change with the snapshot before", () => {
    const store = new Store();
    const table = store.table("t", { a: "f64" }, 100_000);
    for (let i = 0; i < 100_000; i++) table.a[table.alloc()] = i;
    const first = store.snapshot();
    table.a[50_000] = -1;
    const second = store.snapshot(first);
    assert.ok(first.bytes > 800_000);
    assert.ok(second.bytes < first.bytes / 50, `${second.bytes} of ${first.bytes}`);
    store.restore(first);
    assert.equal(table.a[50_000], 50_000);
    store.restore(second);
    assert.equal(table.a[50_000], -1);
  });

  it("refuse a column that would hide a method", () => {
    assert.throws(() => new Store().table("t", { rows: "f64" }), /cannot be called rows/);
  });
});
