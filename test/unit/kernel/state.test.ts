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

  it("append rows beside each other, zeroed, none of them a released one", () => {
    const table = new Store().table("t", { value: "f64", small: "u8" }, 1);
    const first = table.alloc();
    table.value[first] = 1;
    table.release(first);
    assert.equal(table.append(11), 1);
    assert.equal(table.rows, 12);
    assert.ok(table.value.length >= 12 && table.small.length >= 12);
    assert.deepEqual([...table.value.subarray(1, 12)], Array(11).fill(0));
    assert.deepEqual([table.alloc(), table.alloc(), table.append(1)], [first, 12, 13]);
  });

  it("whose rows are for good refuse to take one back, and go back to a snapshot", () => {
    const store = new Store();
    const table = store.table("t", { value: "i32" }, 8, true);
    const row = table.alloc();
    assert.throws(() => table.release(row), /rows of t are for good/);
    const snapshot = store.snapshot();
    table.value[table.append(100)] = 7;
    store.restore(snapshot);
    assert.deepEqual([table.rows, table.append(100), table.value[row + 1]], [1, 1, 0]);
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

  it("go back although tables have grown since, in this store and in one that is younger", () => {
    const make = () => {
      const store = new Store();
      return { store, small: store.table("small", { a: "u8", b: "f64" }, 1), odd: store.table("odd", { a: "u8", b: "f64" }, 12) };
    };
    const { store, small, odd } = make();
    const extend = (rows: number): void => {
      for (const table of [small, odd]) for (let i = 0; i < rows; i++) table.b[table.alloc()] = i + 0.5;
    };
    extend(13);
    small.a[12] = 7;
    const snapshot = store.snapshot();
    extend(3000);
    const later = store.snapshot(snapshot);
    store.restore(snapshot);
    assert.deepEqual([small.rows, odd.rows, small.a[12], small.b[12]], [13, 13, 7, 12.5]);
    for (let row = 13; row < 40; row++) assert.deepEqual([small.alloc(), small.b[row]], [row, 0]);
    const young = make();
    young.store.restore(later);
    assert.deepEqual([young.small.rows, young.odd.b[3012], young.small.a[12]], [3013, 2999.5, 7]);
    young.store.restore(snapshot);
    assert.deepEqual([...young.odd.b.subarray(0, 16)], [...Array.from({ length: 13 }, (_, i) => i + 0.5), 0, 0, 0]);
  });

  it("keep what is in their columns apart, wherever these are", () => {
    const types = ["f64", "u8", "i32", "i16", "u32", "u16", "i8"] as const;
    fc.assert(fc.property(fc.array(fc.record({ type: fc.constantFrom(...types), rows: fc.integer({ min: 1, max: 200 }), grow: fc.nat(100) }), { maxLength: 40 }), (shapes) => {
      const store = new Store();
      const tables = shapes.map(({ type, rows }, t) => store.table(`t${t}`, { value: type }, rows));
      const numbers = shapes.map((_, t) => t % 100);
      tables.forEach((table, t) => {
        const { rows, grow } = shapes[t]!;
        for (let row = 0; row < rows + grow; row++) {
          table.alloc();
          table.value[row] = numbers[t]!;
        }
      });
      tables.forEach((table, t) => assert.ok(table.value.subarray(0, table.rows).every((value) => value === numbers[t]), `table ${t}`));
    }));
  });

  it("cost what changed since the snapshot that they build on", () => {
    const store = new Store();
    const table = store.table("t", { a: "f64" }, 100_000);
    for (let i = 0; i < 100_000; i++) table.a[table.alloc()] = i;
    const first = store.snapshot();
    table.a[50_000] = -1;
    const second = store.snapshot(first);
    assert.ok(first.delta.length > 400_000);
    assert.ok(second.delta.length < 40, `${second.delta.length} of ${first.delta.length}`);
    store.restore(first);
    assert.equal(table.a[50_000], 50_000);
    store.restore(second);
    assert.equal(table.a[50_000], -1);
  });

  it("go back to any of many snapshots, each built on an earlier one", () => {
    const write = fc.record({ table: fc.nat(2), row: fc.nat(40), value: fc.integer() });
    fc.assert(fc.property(fc.array(fc.array(write, { maxLength: 12 }), { minLength: 1, maxLength: 20 }), fc.array(fc.nat(), { maxLength: 30 }), (rounds, visits) => {
      const make = () => {
        const store = new Store();
        const tables = [store.table("bytes", { a: "u8", b: "i16" }, 1), store.table("floats", { a: "f64", b: "i32" }, 1), store.table("still", { a: "u16", b: "u32" }, 3)];
        const copy = () => tables.map((table) => [table.rows, [...table.a.subarray(0, table.rows)], [...table.b.subarray(0, table.rows)]]);
        return { store, tables, copy };
      };
      const { store, tables, copy } = make();
      const snapshots = [store.snapshot()];
      const copies = [copy()];
      for (const round of rounds) {
        for (const { table, row, value } of round) {
          const t = tables[table]!;
          if (row >= t.rows) t.a[t.alloc()] = value;
          else if (value % 5 === 0) t.release(row);
          else t.b[row] = value;
        }
        const number = snapshots.length;
        snapshots.push(store.snapshot(snapshots[number & (number - 1)]));
        copies.push(copy());
      }
      const other = make();
      for (const visit of visits) {
        const number = visit % snapshots.length;
        const { store: where, copy: look } = visit % 3 === 0 ? { store, copy } : other;
        where.restore(snapshots[number]!);
        assert.deepEqual(look(), copies[number]);
      }
    }), { numRuns: 300 });
  });

  it("have cells, which snapshots and scopes bring back as they do rows, each its own", () => {
    const make = () => {
      const store = new Store();
      const cells = (name: string, count: number) => ({ count, first: store.addWords(name, count), scalars: store.scalars(name, ["a", "b"]) });
      const all = [cells("before", 3), store.within("domain", () => cells("inside", 100)), cells("after", 2)];
      const fill = (value: number): void => all.forEach(({ count, first, scalars }, i) => {
        for (let n = 0; n < count; n++) store.words.word[first + n] = value + 1000 * i + n;
        scalars.a = value + 1000 * i + 0.25;
        scalars.b = value + 1000 * i + 0.5;
      });
      const look = () => all.map(({ count, first, scalars: { a, b } }) => [...store.words.word.subarray(first, first + count), a, b]);
      return { store, fill, look };
    };
    const { store, fill, look } = make();
    const zeros = look();
    assert.ok(zeros.flat().every((value) => value === 0));
    fill(1);
    const [snapshot, copy, ones] = [store.snapshot(), store.copyScope("domain"), look()];
    assert.equal(new Set(ones.flat()).size, 3 + 100 + 2 + 6, "no two are the same cell");
    fill(2);
    const twos = look();
    store.restoreScope("domain", copy);
    assert.deepEqual(look(), [twos[0], ones[1], twos[2]]);
    store.restore(snapshot);
    assert.deepEqual(look(), ones);
    const other = make();
    assert.equal(other.store.layout, store.layout);
    other.store.restore(snapshot);
    assert.deepEqual(other.look(), ones);
    other.store.addWords("more", 1);
    assert.notEqual(other.store.layout, store.layout);
  });

  it("are shared by all who ask for the name; what each has of them goes with its scope, and with no other", () => {
    const store = new Store();
    const users = ["one", "two"].map((scope) => store.within(scope, () => {
      const table = store.shared("shared", { value: "f64" });
      const own: number[] = [];
      store.share({
        tables: [table], rows: () => own,
        giveBack: () => { for (const row of own.splice(0)) table.release(row); },
      });
      return { table, add: (value: number) => { const row = table.alloc(); table.value[row] = value; own.push(row); } };
    }));
    const [one, two] = [users[0]!, users[1]!];
    assert.equal(one.table, two.table);
    const empty = store.copyScope("one");
    [1, 2].forEach(one.add);
    [3].forEach(two.add);
    one.add(4);
    const [mine, theirs] = [store.copyScope("one"), store.copyScope("two")];
    assert.deepEqual([mine.shares, theirs.shares], [[[1, 2, 4]], [[3]]]);
    store.restoreScope("one", empty);
    assert.deepEqual(store.copyScope("one"), empty);
    assert.deepEqual(store.copyScope("two"), theirs);
    [5, 6, 7].forEach(two.add);
    assert.equal(one.table.rows, 4, "rows that were given back are whoever's wants some");
  });

  it("refuse a snapshot of other tables", () => {
    const one = new Store();
    one.table("t", { a: "f64" }).alloc();
    const other = new Store();
    other.table("t", { a: "f64" });
    other.table("u", { a: "f64" });
    assert.throws(() => other.restore(one.snapshot()), RangeError);
    assert.throws(() => one.restore({ base: undefined, delta: Uint8Array.of(200) }), RangeError);
  });

  it("refuse a column that would hide a method", () => {
    assert.throws(() => new Store().table("t", { rows: "f64" }), /cannot be called rows/);
  });
});
