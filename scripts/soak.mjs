// The long run of the property tests: `npm run test:soak`, or `npm run test:soak -- --factor 500 --grep "random machines"`.
// Every property is tried on so many times as many random cases as in `npm test`, from a new seed each time; a failure prints the seed,
// the path and the smallest case.
import { parseArgs } from "node:util";
import { mocha } from "./mocha.mjs";
import { runNode } from "./processes.mjs";
import { runScript } from "./runScript.mjs";
import { bundlesOf, bundleTests } from "./testBundles.mjs";

const { values } = parseArgs({ options: { factor: { type: "string", default: "50" }, grep: { type: "string" } } });
runScript(async () => {
  const bundles = bundlesOf(["property"]);
  await bundleTests(bundles);
  return runNode(mocha(bundles.tests, { timeout: 0, jobs: 1, grep: values.grep, preamble: bundles.preamble }), { environment: { EXOSCOPE_SOAK: values.factor } });
});
