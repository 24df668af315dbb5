import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { runDesign } from "../support/runDesign";
import { readSample, samples } from "../support/samples";

const golden = "test/golden/fingerprints.json";

/** `EXOSCOPE_GOLDEN=reset npm run test:unit` writes the fingerprints anew, to be reviewed with the change that moved them. */
describe("fingerprints of the samples", () => {
  const expected = JSON.parse(readFileSync(golden, "utf8")) as Record<string, string>;
  const actual: Record<string, string> = {};

  for (const name of samples) {
    it(name, () => {
      const { text, files } = readSample(name);
      actual[name] = runDesign(text, files).engine.fingerprint();
      if (process.env["EXOSCOPE_GOLDEN"] !== "reset") assert.equal(actual[name], expected[name]);
    });
  }

  after(() => {
    if (process.env["EXOSCOPE_GOLDEN"] === "reset") writeFileSync(golden, `${JSON.stringify(actual, undefined, 2)}\n`);
  });
});
