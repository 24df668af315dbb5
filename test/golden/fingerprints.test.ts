import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { runDesign } from "../support/runDesign";

const golden = "test/golden/fingerprints.json";
const samples = readdirSync("samples", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".exo.yaml")).sort();

/** `EXOSCOPE_GOLDEN=reset npm run test:unit` writes the fingerprints anew, to be reviewed with the change that moved them. */
describe("fingerprints of the samples", () => {
  const expected = JSON.parse(readFileSync(golden, "utf8")) as Record<string, string>;
  const actual: Record<string, string> = {};

  for (const name of samples) {
    it(name, () => {
      actual[name] = runDesign(readFileSync(`samples/${name}`, "utf8")).engine.fingerprint();
      if (process.env["EXOSCOPE_GOLDEN"] !== "reset") assert.equal(actual[name], expected[name]);
    });
  }

  after(() => {
    if (process.env["EXOSCOPE_GOLDEN"] === "reset") writeFileSync(golden, `${JSON.stringify(actual, undefined, 2)}\n`);
  });
});
