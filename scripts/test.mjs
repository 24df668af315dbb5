// Runs the tests, stage by stage, and closes with "N passed, N failed" on a line of its own.
// Arguments: the stages to run, all by default; --grep TITLE chooses tests by title.
import { mkdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { mocha } from "./mocha.mjs";
import { out, repository } from "./paths.mjs";
import { runNode } from "./processes.mjs";
import { Complaint, runScript } from "./runScript.mjs";
import { bundlesOf } from "./testBundles.mjs";
import { countsVariable, readCounts } from "./testCounts.mjs";

/**
 * @typedef {object} Stage
 * @property {string} title
 * @property {string[]} command what this Node runs.
 * @property {"tests" | "check" | "preparation"} kind it counts its tests; it passes or fails as a whole; it counts only when it fails.
 * @property {string} part the name that chooses it on the command line.
 */

const { values, positionals } = parseArgs({ allowPositionals: true, options: { grep: { type: "string" } } });

/** @param {string} name of an npm package @param {string} file inside it */
function tool(name, file) {
  return join(repository, "node_modules", name, file);
}

/** Tests in plain Mocha. Folders with the longest files come first: a long one that began last would leave the other CPUs without work. */
const plain = bundlesOf(["property", "golden", "unit"]);

/** @type {Stage[]} Quick ones first: what they find makes the later ones pointless. */
const stages = [
  { part: "static", title: "Types", command: [tool("typescript", "bin/tsc"), "-b"], kind: "check" },
  { part: "static", title: "Lint", command: [tool("oxlint", "bin/oxlint"), "--deny-warnings"], kind: "check" },
  { part: "unit", title: "Bundles of the tests", command: ["scripts/bundleTests.mjs", ...plain.folders], kind: "preparation" },
  { part: "unit", title: "Property, golden and unit tests", command: mocha(plain.tests, { timeout: 600_000, jobs: availableParallelism(), grep: values.grep, preamble: plain.preamble }), kind: "tests" },
  { part: "build", title: "Build", command: ["esbuild.mjs"], kind: "preparation" },
  { part: "install", title: "VS Code and Chromium", command: ["scripts/install.mjs"], kind: "preparation" },
  { part: "vscode", title: "Tests inside VS Code", command: ["scripts/vscode/runTests.mjs", ...(values.grep ? [values.grep] : [])], kind: "tests" },
  { part: "e2e", title: "End-to-end tests", command: ["scripts/browserTests.mjs", ...(values.grep ? ["--grep", values.grep] : [])], kind: "tests" },
];

/** Milliseconds after which a stage counts as hanging and is ended. */
const limit = 1_800_000;

/** Parts that only work on what these have prepared. */
const preparation = ["build", "install"];
const needPreparation = new Set(["vscode", "e2e"]);

runScript(async () => {
  const parts = new Set(stages.map((stage) => stage.part));
  const unknown = positionals.find((name) => !parts.has(name));
  if (unknown !== undefined) throw new Complaint(`There is no part "${unknown}" of the tests. There are: ${[...parts].join(", ")}.`);
  const chosen = new Set(positionals.length > 0 ? positionals : parts);
  if ([...needPreparation].some((part) => chosen.has(part))) for (const part of preparation) chosen.add(part);

  await mkdir(join(out, "test"), { recursive: true });
  const total = { passed: 0, failed: 0 };
  /** @type {string[]} */
  const failures = [];
  for (const stage of stages.filter(({ part }) => chosen.has(part))) {
    console.log(`\n=== ${stage.title}`);
    const { passed, failed } = await run(stage);
    total.passed += passed;
    total.failed += failed;
    if (failed > 0) failures.push(stage.title);
  }
  if (failures.length > 0) console.log(`\nFailed: ${failures.join(", ")}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
});

/**
 * @param {Stage} stage
 * @returns {Promise<import("./testCounts.mjs").TestCounts>} a stage that ends without its counts has failed.
 */
async function run(stage) {
  const file = join(out, "test", "counts.json");
  await rm(file, { force: true });
  const started = Date.now();
  const code = await runNode(stage.command, { environment: { [countsVariable]: file }, limit });
  console.log(`(${((Date.now() - started) / 1000).toFixed(1)} s)`);
  const failed = code === 0 ? 0 : 1;
  if (stage.kind !== "tests") return { passed: stage.kind === "check" ? 1 - failed : 0, failed };
  const counts = await readCounts(file);
  if (!counts) {
    console.log("It ended before it had counted its tests.");
    return { passed: 0, failed: 1 };
  }
  // Every test passed, and still it ended badly: that is a failure too.
  return { passed: counts.passed, failed: Math.max(counts.failed, failed) };
}
