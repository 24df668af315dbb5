// Runs the end-to-end tests, each file in a Mocha of its own: a window, its VS Code's server and its settings belong to one file, and what a file
// leaves behind reaches no other. Two files are run side by side: one of them is mostly waiting. Expects a build. Option: --grep TITLE.
import { readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { mocha } from "./mocha.mjs";
import { out, repository } from "./paths.mjs";
import { runNode } from "./processes.mjs";
import { runScript } from "./runScript.mjs";
import { countsVariable, readCounts, writeCounts } from "./testCounts.mjs";

/** Milliseconds for one test: many times what it takes, for a machine that is busy with other things. */
const timeout = 120_000;

/** Files that are run alone, at the end: two of them build what the windows of the others run, and one measures the times of frames. */
const alone = ["package.test.ts", "start.test.ts", "timelineFrames.test.ts"];

const { values } = parseArgs({ options: { grep: { type: "string" } } });
const folder = join(repository, "test", "e2e");
const total = { passed: 0, failed: 0 };

/** @param {string} file */
async function run(file) {
  const counts = join(out, "test", `counts-${file}.json`);
  await rm(counts, { force: true });
  /** @type {string[]} */
  const output = [];
  const code = await runNode(mocha([join("test", "e2e", file)], { timeout, jobs: 1, grep: values.grep }), { environment: { [countsVariable]: counts }, output: (text) => output.push(text) });
  const { passed, failed } = (await readCounts(counts)) ?? { passed: 0, failed: 0 };
  if (passed > 0 || code !== 0) console.log(output.join(""));
  if (code !== 0 && failed === 0) console.log(`${file} ended badly.`);
  total.passed += passed;
  // Every test passed, and still it ended badly: that is a failure too.
  total.failed += Math.max(failed, code === 0 ? 0 : 1);
}

runScript(async () => {
  const files = readdirSync(folder).filter((file) => file.endsWith(".test.ts"));
  // The long ones first: one that began last would have nothing beside it.
  const waiting = files.filter((file) => !alone.includes(file)).sort((a, b) => statSync(join(folder, b)).size - statSync(join(folder, a)).size);
  const next = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await run(file);
  };
  await Promise.all([next(), next()]);
  for (const file of alone) await run(file);
  await writeCounts(total);
  return total.failed === 0 ? 0 : 1;
});
