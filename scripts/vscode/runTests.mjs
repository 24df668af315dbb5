// Runs test/vscode inside the extension host of a real VS Code. Expects a build. An argument chooses tests by title.
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { out, repository } from "../paths.mjs";
import { Complaint, runScript } from "../runScript.mjs";
import { writeCounts } from "../testCounts.mjs";
import { launchChromium } from "./chromium.mjs";
import { startServer } from "./server.mjs";

/** Milliseconds after which the tests count as hanging. */
const limit = 600_000;

runScript(async () => {
  const folder = await mkdtemp(join(tmpdir(), "exoscope-tests-"));
  const report = join(folder, "report.txt");
  const environment = { EXOSCOPE_TEST_REPORT: report, EXOSCOPE_TEST_GREP: process.argv[2] ?? "" };
  const server = await startServer({
    dataFolder: join(folder, "data"),
    extensionsFolder: join(folder, "extensions"),
    automated: true,
    environment,
  });
  const browser = await launchChromium();
  try {
    await server.setSettings({ "workbench.startupEditor": "none", "chat.disableAIFeatures": true, "git.enabled": false, "window.confirmBeforeClose": "never" });
    const workspace = join(folder, "samples");
    await cp(join(repository, "samples"), workspace, { recursive: true });
    const page = await browser.newPage();
    /** @type {Promise<number>} */
    const ended = new Promise((resolve) => {
      // VS Code calls this when the tests' `run` has settled: 0 if it was fulfilled.
      void page.exposeFunction("codeAutomationExit", (/** @type {number} */ code) => resolve(code)).then(() =>
        page.goto(server.address({ folder: workspace, extension: repository, tests: join(out, "test", "vscode", "index.js") })),
      );
    });
    const code = await Promise.race([ended, delay(limit, undefined, { ref: false })]);
    const lines = (await readFile(report, "utf8").catch(() => "")).trimEnd().split("\n");
    const counts = /^\{"passed":(\d+),"failed":(\d+)\}$/.exec(lines.findLast((line) => line.startsWith('{"passed"')) ?? "");
    console.log(lines.filter((line) => !line.startsWith('{"passed"')).join("\n"));
    if (code === undefined) throw new Complaint(`The tests in VS Code did not end within ${limit / 60_000} minutes.`);
    if (!counts) throw new Complaint("The tests in VS Code ended without a report.");
    await writeCounts({ passed: Number(counts[1]), failed: Number(counts[2]) });
    return code === 0 && Number(counts[2]) === 0 ? 0 : 1;
  } finally {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
