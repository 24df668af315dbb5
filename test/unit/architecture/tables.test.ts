import assert from "node:assert/strict";
import { Visitor } from "oxc-parser";
import { parseSource, place, sources, type Source } from "./sources";

/** Places that read a column, then allocate a row, then write to what was read: `alloc` may have replaced the column, and the value is lost. */
function lostWrites(source: Source): string[] {
  const found: string[] = [];
  new Visitor({
    AssignmentExpression: ({ left }) => {
      if (left.type !== "MemberExpression" || left.property.type !== "CallExpression") return;
      const { callee } = left.property;
      if (callee.type === "MemberExpression" && callee.property.type === "Identifier" && callee.property.name === "alloc") found.push(place(source, left.start));
    },
  }).visit(source.parsed.program);
  return found;
}

describe("A table's column", () => {
  it("is read anew after a row was allocated", () => {
    assert.deepEqual(sources.flatMap(lostWrites), []);
  });

  it("is found where it is not", () => {
    assert.equal(lostWrites(parseSource("engine/a.ts", "this.queue.head[this.queue.alloc()] = NONE;")).length, 1);
    assert.equal(lostWrites(parseSource("engine/a.ts", "const row = this.queue.alloc(); this.queue.head[row] = NONE;")).length, 0);
  });
});
