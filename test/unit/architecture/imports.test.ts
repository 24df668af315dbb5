import assert from "node:assert/strict";
import { builtinModules } from "node:module";
import { posix } from "node:path";
import { Visitor, type ImportDeclarationSpecifier } from "oxc-parser";
import { parseSource, place, sources, type Source } from "./sources";

interface Rule {
  /** Files that the rule is about; the first rule that matches a file decides. */
  readonly of: RegExp;
  /** What they may import: paths from the repository, `node:` for Node's built-ins, or packages. */
  readonly may: readonly RegExp[];
  /** What they may import besides, for its types only. */
  readonly mayType?: readonly RegExp[];
}

/** Dependencies point one way: engine ← protocol ← { extension, webview }, extension → engine. */
const rules: readonly Rule[] = [
  { of: /^engine\/cli\//, may: [/^engine\//, /^node:/, /^commander$/] },
  { of: /^engine\//, may: [/^engine\/(?!cli\/)/, /^yaml$/, /^jsep$/] },
  { of: /^protocol\//, may: [/^protocol\//], mayType: [/^engine\/(?!cli\/)/] },
  { of: /^extension\/platform\/node/, may: [/^extension\//, /^engine\/(?!cli\/)/, /^engine\/cli\/nodeFile$/, /^protocol\//, /^vscode$/, /^node:/] },
  { of: /^extension\//, may: [/^extension\//, /^engine\/(?!cli\/)/, /^protocol\//, /^vscode$/, /^yaml$/, /^@vscode\/debug(adapter|protocol)$/] },
  // The toolkit is archived upstream: one module knows it, so that a successor is a change of one file.
  { of: /^webview\/ui\/controls$/, may: [/^webview\//, /^protocol\//, /^@vscode\/webview-ui-toolkit$/] },
  {
    of: /^webview\//,
    may: [/^webview\//, /^protocol\//, /^engine\/trace\//, /^d3(-[a-z-]+)?$/, /^elkjs(\/|$)/],
    mayType: [/^engine\/design\//],
  },
];

interface Import {
  /** A path from the repository without its ending, a package, or `node:…`. */
  readonly target: string;
  readonly offset: number;
  readonly typeOnly: boolean;
}

const builtins = new Set(builtinModules);

function resolve(path: string, name: string): string {
  if (name.startsWith(".")) return posix.join(posix.dirname(path), name);
  return builtins.has(name) ? `node:${name}` : name;
}

function importsOf({ path, parsed }: Source): Import[] {
  const found: Import[] = [];
  const add = (node: { readonly start: number }, name: string, typeOnly: boolean): void => {
    found.push({ target: resolve(path, name), offset: node.start, typeOnly });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node, node.source.value, node.importKind === "type" || areTypes(node.specifiers)),
    ExportAllDeclaration: (node) => add(node, node.source.value, node.exportKind === "type"),
    ExportNamedDeclaration: (node) => {
      if (node.source) add(node, node.source.value, node.exportKind === "type");
    },
    ImportExpression: (node) => add(node, node.source.type === "Literal" ? String(node.source.value) : "(a computed name)", false),
    TSImportType: (node) => add(node, String(node.source.value), true),
  }).visit(parsed.program);
  return found;
}

function areTypes(specifiers: readonly ImportDeclarationSpecifier[]): boolean {
  return specifiers.length > 0 && specifiers.every((specifier) => specifier.type === "ImportSpecifier" && specifier.importKind === "type");
}

function violationsOf(source: Source): string[] {
  const rule = rules.find((each) => each.of.test(source.path.replace(/\.ts$/, "")));
  return importsOf(source)
    .filter(({ target, typeOnly }) => {
      const allowed = [...(rule?.may ?? []), ...(typeOnly ? (rule?.mayType ?? []) : [])];
      return !allowed.some((pattern) => pattern.test(target));
    })
    .map(({ target, offset, typeOnly }) => `${place(source, offset)} may not import ${target}${typeOnly ? "" : " by value"}`);
}

describe("Imports", () => {
  it("follow the architecture", () => {
    assert.deepEqual(sources.flatMap(violationsOf), []);
  });

  const forbidden: readonly (readonly [path: string, text: string])[] = [
    ["engine/kernel/a.ts", 'import { readFileSync } from "node:fs";'],
    ["engine/kernel/a.ts", 'import { readFileSync } from "fs";'],
    ["engine/kernel/a.ts", 'import type { A } from "../../protocol/cursor";'],
    ["engine/kernel/a.ts", 'import { main } from "../cli/main";'],
    ["engine/kernel/a.ts", 'import type * as vscode from "vscode";'],
    ["engine/kernel/a.ts", 'export * from "../../extension/extension";'],
    ["engine/kernel/a.ts", 'export const load = (name: string) => import(name);'],
    ["protocol/a.ts", 'import { parse } from "../engine/design/parse";'],
    ["protocol/a.ts", 'export type A = import("vscode").Uri;'],
    ["extension/debug/a.ts", 'import { Worker } from "node:worker_threads";'],
    ["extension/debug/a.ts", 'import type { A } from "../../webview/diagram/scene";'],
    ["webview/diagram/a.ts", 'import type { Simulation } from "../../extension/debug/simulations";'],
    ["webview/diagram/a.ts", 'import { parse } from "../../engine/design/parse";'],
    ["webview/timeline/a.ts", 'import { vsCodeButton } from "@vscode/webview-ui-toolkit";'],
  ];
  for (const [path, text] of forbidden) {
    it(`in ${path.replace("/a.ts", "")} exclude \`${text}\``, () => {
      assert.equal(violationsOf(parseSource(path, text)).length, 1);
    });
  }

  it("may be of types where values are forbidden", () => {
    assert.deepEqual(violationsOf(parseSource("protocol/a.ts", 'import type { Design } from "../engine/design/model";')), []);
  });
});
