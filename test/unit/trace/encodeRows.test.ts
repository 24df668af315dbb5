import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { compile, compiled } from "../../../scripts/assembly.mjs";

describe("what packs the trace's rows", () => {
  it("is what its source gives (npm run wasm)", async () => {
    assert.equal(readFileSync(compiled, "utf8"), await compile());
  });
});
