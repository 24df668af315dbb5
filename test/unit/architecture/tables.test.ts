import assert from "node:assert/strict";
import { Visitor } from "oxc-parser";
import { parseSource, place, sources, type Source } from "./sources";

/** Methods that allocate nothing. */
const harmless = new Set(["peek", "shift", "userOf"]);

/**
 * Places that take a column and then ask a method for the row: `alloc`, or whatever calls it, may have replaced the column
 * in between, and what is read or written is not the table's.
 */
function staleColumns(source: Source): string[] {
  const found: string[] = [];
  new Visitor({
    MemberExpression: ({ object, property, computed, start }) => {
      if (!computed || object.type !== "MemberExpression" || property.type !== "CallExpression") return;
      const { callee } = property;
      if (callee.type === "MemberExpression" && callee.property.type === "Identifier" && !harmless.has(callee.property.name)) found.push(place(source, start));
    },
  }).visit(source.parsed.program);
  return found;
}

/** Where tables are; the rest of the engine reads names and rows of the trace. */
const models = /^engine\/(components|kernel|machine|network|scheduling|workloads)\//;

describe("A table's column", () => {
  it("is taken after the row is known", () => {
    assert.deepEqual(sources.filter(({ path }) => models.test(path)).flatMap(staleColumns), []);
  });

  it("is found where it is not", () => {
    assert.equal(staleColumns(parseSource("engine/a.ts", "this.queue.head[this.queue.alloc()] = NONE;")).length, 1);
    assert.equal(staleColumns(parseSource("engine/a.ts", "return this.guest.first[this.guestRow(domain)]!;")).length, 1);
    assert.equal(staleColumns(parseSource("engine/a.ts", "const row = this.queue.alloc(); this.queue.head[row] = NONE;")).length, 0);
  });
});
