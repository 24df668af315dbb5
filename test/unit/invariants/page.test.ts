import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { bySubject, invariants } from "../../support/invariants/all";
import { invariantsPage } from "../../support/invariants/page";

describe("docs/invariants.md", () => {
  it("lists every rule as it is; npm run invariants writes it", () => {
    assert.equal(readFileSync("docs/invariants.md", "utf8"), invariantsPage(bySubject));
  });

  it("names files that are there, and each number once", () => {
    for (const file of Object.keys(bySubject)) assert.ok(existsSync(`test/support/invariants/${file}.ts`), file);
    const numbers = invariants.map(({ number }) => number);
    assert.equal(new Set(numbers).size, numbers.length);
  });
});
