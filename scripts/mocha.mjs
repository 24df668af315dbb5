import { join } from "node:path";
import { repository } from "./paths.mjs";

/**
 * What Node runs for a stage of tests in plain Mocha.
 * @param {string[]} files patterns; side by side, their files are begun in this order.
 * @param {object} options
 * @param {number} options.timeout milliseconds for one test: many times what it takes, for a machine that is busy with other things.
 * @param {number} options.jobs files that are run side by side, each in a process of its own; what happens in a file comes out when it is over.
 * @param {string} [options.grep] chooses tests by title.
 * @param {string} [options.preamble] that of the files, which are bundles (see `bundlesOf`); else `.mocharc.json` says how they are loaded.
 */
export function mocha(files, { timeout, jobs, grep, preamble }) {
  const scripts = join(repository, "scripts");
  const sideBySide = ["--parallel", "--jobs", String(jobs), "--require", join(scripts, "mochaHooks.mjs")];
  const program = join(repository, "node_modules", "mocha", "bin", "mocha.js");
  return [
    ...(preamble ? ["--enable-source-maps", program, "--no-config", "--forbid-only", "--require", preamble] : [program]),
    "--reporter", join(scripts, "mochaReporter.mjs"), "--timeout", String(timeout), ...(jobs > 1 ? sideBySide : []), ...(grep ? ["--grep", grep] : []), ...files,
  ];
}
