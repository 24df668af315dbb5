import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ICONS } from "../../../webview/ui/icons";

describe("icons", () => {
  it("are the characters of the codicon font", () => {
    const table = readFileSync("node_modules/@vscode/codicons/dist/codicon.csv", "utf8");
    const codes = new Map(table.split("\n").map((line) => line.trim().split(",")).map(([name, , code]) => [name, code] as const));
    for (const [name, character] of Object.entries(ICONS)) {
      assert.equal(character.codePointAt(0)?.toString(16).toUpperCase(), codes.get(name), name);
    }
  });
});
