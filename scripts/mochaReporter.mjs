import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import Mocha from "mocha";
import { repository } from "./paths.mjs";
import { countsVariable } from "./testCounts.mjs";

/** Mocha's usual report, with the counts handed to whoever runs all tests. */
export default class Reporter extends Mocha.reporters.Spec {
  /** @param {Mocha.Runner} runner @param {Mocha.MochaOptions} options */
  constructor(runner, options) {
    super(runner, options);
    const file = process.env[countsVariable];
    runner.on("fail", (_test, error) => {
      // A file whose process died, or that could not be loaded, is named nowhere else.
      if ("uncaught" in error && "file" in error) error.stack = `${relative(repository, String(error.file))}: ${error.stack}`;
    });
    runner.once("end", () => {
      if (file) writeFileSync(file, JSON.stringify({ passed: this.stats.passes, failed: this.stats.failures }));
    });
  }
}
