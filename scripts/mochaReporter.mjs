import { writeFileSync } from "node:fs";
import Mocha from "mocha";
import { countsVariable } from "./testCounts.mjs";

/** Mocha's usual report, with the counts handed to whoever runs all tests. */
export default class Reporter extends Mocha.reporters.Spec {
  /** @param {Mocha.Runner} runner @param {Mocha.MochaOptions} options */
  constructor(runner, options) {
    super(runner, options);
    const file = process.env[countsVariable];
    runner.once("end", () => {
      if (file) writeFileSync(file, JSON.stringify({ passed: this.stats.passes, failed: this.stats.failures }));
    });
  }
}
