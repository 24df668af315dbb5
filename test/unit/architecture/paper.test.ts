import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { invariants } from "../../support/invariants/all";

const rows = readFileSync("docs/librettos.md", "utf8").split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| the paper")).map((line) => line.split(" | "));

/** What is in backquotes: files, and names in the file before them. */
const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);

describe("the table of the paper's sentences", () => {
  it("has a place and a test for each", () => {
    assert.ok(rows.length > 30);
    for (const row of rows) assert.ok(row.length === 3 && /\d|`/.test(row[2]!), row.join(" | "));
  });

  it("names files of the engine, and what is in them", () => {
    for (const [, code] of rows) {
      let text = "";
      for (const name of quoted(code!)) {
        if (name.includes("/")) {
          const path = `engine/${name}`;
          assert.ok(existsSync(path), path);
          text = path.endsWith(".ts") ? readFileSync(path, "utf8") : "";
        } else {
          assert.match(text, new RegExp(`\\b${name}\\b`), `${name}, of ${code}`);
        }
      }
    }
  });

  it("names tests by their titles, and invariants by their numbers", () => {
    const numbers = new Set(invariants.map(({ number }) => number));
    for (const [, , tests] of rows) {
      for (const [, file, title] of tests!.matchAll(/`([^`]+)` “([^”]+)”/g)) {
        assert.ok(readFileSync(`test/unit/${file}`, "utf8").includes(title!), `“${title}” in ${file}`);
      }
      for (const [number] of tests!.replace(/`[^`]+`( “[^”]+”)?/g, "").matchAll(/\d+/g)) assert.ok(numbers.has(Number(number)), `invariant ${number}`);
    }
  });
});
