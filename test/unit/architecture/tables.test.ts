import assert from "node:assert/strict";
import { Visitor, type CallExpression } from "oxc-parser";
import { parseSource, place, sources, type Source } from "./sources";

/** The method that a call calls, if it is one's. */
function calledMethod({ callee }: CallExpression): string | undefined {
  return callee.type === "MemberExpression" && callee.property.type === "Identifier" ? callee.property.name : undefined;
}

/** Names of methods that allocate rows, themselves or through a method of their own file. */
function allocating(source: Source): Set<string> {
  const names = new Set(["alloc", "take"]);
  for (let before = 0; before !== names.size; ) {
    before = names.size;
    const inside: string[] = [];
    new Visitor({
      MethodDefinition: ({ key }) => void inside.push(key.type === "Identifier" ? key.name : ""),
      "MethodDefinition:exit": () => void inside.pop(),
      CallExpression: (call) => {
        if (inside.length > 0 && names.has(calledMethod(call) ?? "")) names.add(inside.at(-1)!);
      },
    }).visit(source.parsed.program);
  }
  return names;
}

/**
 * Places that take a column and then ask a method for the row that allocates one: it may have replaced the column in
 * between, and what is read or written is not the table's.
 */
function staleColumns(source: Source): string[] {
  const found: string[] = [];
  const allocators = allocating(source);
  new Visitor({
    MemberExpression: ({ object, property, computed, start }) => {
      if (!computed || object.type !== "MemberExpression" || property.type !== "CallExpression") return;
      if (allocators.has(calledMethod(property) ?? "")) found.push(place(source, start));
    },
  }).visit(source.parsed.program);
  return found;
}

describe("A table's column", () => {
  it("is taken after the row is known", () => {
    assert.deepEqual(sources.filter(({ path }) => path.startsWith("engine/")).flatMap(staleColumns), []);
  });

  it("is found where it is not", () => {
    const inClass = (body: string): number =>
      staleColumns(parseSource("engine/a.ts", `class A { row(): number { return this.fresh(); } fresh(): number { return this.guest.alloc(); } old(): number { return 0; } f(): number { ${body} } }`)).length;
    assert.equal(inClass("this.queue.head[this.queue.alloc()] = NONE;"), 1);
    assert.equal(inClass("return this.guest.first[this.row()]!;"), 1);
    assert.equal(inClass("return this.guest.first[this.old()]!;"), 0);
    assert.equal(inClass("const row = this.queue.alloc(); this.queue.head[row] = NONE;"), 0);
  });
});
