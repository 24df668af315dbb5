import assert from "node:assert/strict";
import { Visitor } from "oxc-parser";
import { parseSource, place, sources, type Source } from "./sources";

/** The functions of `Math` whose results ECMAScript defines exactly. The others differ between JavaScript engines. */
const exactMath = new Set(["abs", "ceil", "clz32", "floor", "fround", "imul", "max", "min", "round", "sign", "sqrt", "trunc"]);

/** Globals that know the time, chance, the place, or the order in which a machine gets round to things. */
const indefinite = new Set([
  ...["Date", "performance", "crypto", "Intl", "WeakRef", "FinalizationRegistry", "Atomics", "SharedArrayBuffer"],
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "requestAnimationFrame"],
]);

/** Where a trace's chunks are: in shared buffers because V8 does not count these, but no other thread has them. */
const unshared = "engine/trace/chunkStore.ts";

/** What the engine must not do, for its results to be the same bit for bit on every platform. */
function violationsOf(source: Source): string[] {
  const found: string[] = [];
  const report = (node: { readonly start: number }, what: string): void => {
    found.push(`${place(source, node.start)} uses ${what}`);
  };
  new Visitor({
    BinaryExpression: (node) => {
      if (node.operator === "**") report(node, "**");
    },
    AssignmentExpression: (node) => {
      if (node.operator === "**=") report(node, "**=");
    },
    ForInStatement: (node) => report(node, "for-in"),
    MemberExpression: (node) => {
      const name = node.property.type === "Identifier" && !node.computed ? node.property.name : undefined;
      if (node.object.type === "Identifier" && node.object.name === "Math" && !exactMath.has(name ?? "")) report(node, `Math.${name ?? "[…]"}`);
      if (name !== undefined && /^(toLocale|localeCompare$)/.test(name)) report(node, name);
    },
    VariableDeclarator: (node) => {
      if (node.id.type === "ObjectPattern" && node.init?.type === "Identifier" && node.init.name === "Math") report(node, "Math taken apart");
    },
    Identifier: (node) => {
      if (indefinite.has(node.name) && !(node.name === "SharedArrayBuffer" && source.path === unshared)) report(node, node.name);
    },
  }).visit(source.parsed.program);
  return found;
}

describe("The engine", () => {
  it("does nothing whose result depends on the platform", () => {
    const engine = sources.filter(({ path }) => path.startsWith("engine/") && !path.startsWith("engine/cli/"));
    assert.deepEqual(engine.flatMap(violationsOf), []);
  });

  const forbidden = [
    "x = y ** 2;",
    "x **= 2;",
    "for (const key in object) use(key);",
    "x = Math.pow(y, 2);",
    "x = Math['exp'](y);",
    "const { log } = Math;",
    "x = Math.random();",
    "x = Date.now();",
    "x = new Date();",
    "x = performance.now();",
    "setTimeout(f, 1);",
    "x = new SharedArrayBuffer(8);",
    "names.sort((a, b) => a.localeCompare(b));",
    "x = y.toLocaleString();",
  ];
  for (const text of forbidden) {
    it(`may not say \`${text}\``, () => {
      assert.equal(violationsOf(parseSource("engine/a.ts", text)).length, 1);
    });
  }

  it("may take square roots, which are exact", () => {
    assert.deepEqual(violationsOf(parseSource("engine/a.ts", "x = Math.sqrt(Math.max(y, 0));")), []);
  });
});
