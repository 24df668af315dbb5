// Compares the simulation with the LibrettOS paper: `npm run validate`; --write FILE writes the page of documentation; --fit works the fitted
// costs out again.
import { join } from "node:path";
import * as esbuild from "esbuild";
import { out, repository } from "./paths.mjs";
import { runNode } from "./processes.mjs";
import { runScript } from "./runScript.mjs";

const bundle = join(out, "validation", "main.cjs");
await esbuild.build({
  absWorkingDir: repository, bundle: true, platform: "node", format: "cjs", target: "node20", logLevel: "warning",
  entryPoints: ["test/validation/main.ts"], outfile: bundle,
});
runScript(() => runNode([bundle, ...process.argv.slice(2)]));
