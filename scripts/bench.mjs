// Measures the engine: `npm run bench`, or `npm run bench -- queue` for a part; --write FILE writes the page of documentation.
import { join } from "node:path";
import * as esbuild from "esbuild";
import { out, repository } from "./paths.mjs";
import { runNode } from "./processes.mjs";
import { runScript } from "./runScript.mjs";

const bundle = join(out, "bench", "main.cjs");
await esbuild.build({
  absWorkingDir: repository, bundle: true, platform: "node", format: "cjs", target: "node20", logLevel: "warning",
  entryPoints: ["test/bench/main.ts"], outfile: bundle,
});
runScript(() => runNode(["--expose-gc", bundle, ...process.argv.slice(2)]));
