// The long run of the property tests: `npm run test:soak`, or `npm run test:soak -- --factor 500 --grep "random machines"`.
// Every property is tried on so many times as many random cases as in `npm test`, from a new seed each time; a failure prints the seed,
// the path and the smallest case.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { repository } from "./paths.mjs";
import { runNode } from "./processes.mjs";
import { runScript } from "./runScript.mjs";

const { values } = parseArgs({ options: { factor: { type: "string", default: "50" }, grep: { type: "string" } } });
const mocha = join(repository, "node_modules", "mocha", "bin", "mocha.js");
const parameters = [mocha, "--timeout", "0", ...(values.grep ? ["--grep", values.grep] : []), "test/property/**/*.test.ts"];
runScript(() => runNode(parameters, { environment: { EXOSCOPE_SOAK: values.factor } }));
