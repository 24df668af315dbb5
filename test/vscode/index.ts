import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { format } from "node:util";

/**
 * What VS Code calls in the extension host: runs the tests that were built beside this file.
 *
 * The report goes to the file `EXOSCOPE_TEST_REPORT`, because an extension host has no standard output of its own; its
 * last line is `{"passed": …, "failed": …}`. `EXOSCOPE_TEST_GREP` chooses tests by title.
 */
export async function run(): Promise<void> {
  const report = process.env.EXOSCOPE_TEST_REPORT;
  if (report === undefined) throw new Error("EXOSCOPE_TEST_REPORT does not say where the report goes.");
  const write = (line: string): void => appendFileSync(report, `${line}\n`);
  try {
    const { default: Mocha } = await import("mocha");
    Mocha.reporters.Base.consoleLog = (...values: unknown[]) => write(format(...values));
    const mocha = new Mocha({ ui: "bdd", reporter: "spec", color: false, timeout: 180_000, forbidOnly: true });
    const choice = process.env.EXOSCOPE_TEST_GREP;
    if (choice) mocha.grep(choice);
    for (const file of readdirSync(__dirname, { recursive: true, encoding: "utf8" })) {
      if (file.endsWith(".test.js")) mocha.addFile(join(__dirname, file));
    }
    const failed = await new Promise<number>((resolve) => {
      const runner = mocha.run(resolve);
      runner.once("end", () => write(JSON.stringify({ passed: runner.stats?.passes ?? 0, failed: runner.stats?.failures ?? 1 })));
    });
    if (failed > 0) throw new Error(`${failed} tests failed.`);
  } catch (error) {
    write(format(error));
    throw error;
  }
}
