import assert from "node:assert/strict";
import { truncateSync } from "node:fs";
import { copyFile, stat } from "node:fs/promises";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { dist } from "../../scripts/paths.mjs";
import { runNode } from "../../scripts/processes.mjs";
import { DebugPage } from "./debugPage";
import { eventually } from "./eventually";
import { openVSCode, type VSCodeWindow } from "./harness";

describe("A trace file in the editor", () => {
  let window: VSCodeWindow;

  before(async () => {
    window = await openVSCode();
    const whole = join(window.workspacePath, "run.exotrace");
    assert.equal(await runNode([join(dist, "cli.js"), "run", join(window.workspacePath, "librettos/librettos.exo.yaml"), "--until", "30ms", "--trace", whole], { environment: {}, limit: 60_000 }), 0);
    await copyFile(whole, join(window.workspacePath, "killed.exotrace"));
    truncateSync(join(window.workspacePath, "killed.exotrace"), Math.floor((await stat(whole)).size / 2));
  });
  after(() => window.close());

  it("says what ran; a button leads into it: the timeline, the diagram and the design of the recording", async () => {
    await window.openFile("run.exotrace");
    const page = await window.webviewFrame("trace");
    await page.locator("dd", { hasText: "LibrettOS" }).waitFor();
    assert.match(await page.locator("#trace").innerText(), /simulated time\s+30 ms[\s\S]*seed\s+1/);
    await window.screenshot("trace-page");
    const results = await new AxeBuilder({ page: window.page }).include(["iframe.webview.ready", "iframe#active-frame", "main#trace"]).analyze();
    assert.deepEqual(results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`), []);
    await page.locator("vscode-button", { hasText: "Step Through the Run" }).click();
    const debug = new DebugPage(window);
    await eventually(async () => (await debug.row()) === 0, "the debugger stands at the first event");
    const timeline = await window.webviewFrame("timeline");
    await timeline.waitForSelector('.timeline[data-state="live"] .track[data-track]');
    await window.page.locator(".tab.active", { hasText: "run.exo.yaml" }).first().waitFor();
    const steps = await debug.moved(() => debug.button("Step Over").click());
    assert.ok(steps > 0);
    const frame = await window.webviewFrame("diagram");
    await frame.waitForSelector("g.box.current");
    await window.screenshot("trace-stepped");
    await window.evaluate((api) => api.debug.stopDebugging());
  });

  it("says plainly that a run was killed, and still shows its events", async () => {
    await window.evaluate((api) => api.commands.executeCommand("workbench.action.closeAllEditors").then(() => undefined));
    await window.openFile("killed.exotrace");
    const page = await window.webviewFrame("trace");
    await page.locator(".note", { hasText: "The run did not come to its end." }).waitFor();
    await window.screenshot("trace-killed-page");
    await page.locator("vscode-button", { hasText: "Step Through the Run" }).click();
    const debug = new DebugPage(window);
    await eventually(async () => (await debug.row()) === 0, "the debugger stands at the first event");
    // The toast may be gone already; the list of notifications has it.
    await window.evaluate((api) => api.commands.executeCommand("notifications.showList").then(() => undefined));
    await window.page.locator(".notification-list-item-message", { hasText: "neither state nor packets" }).first().waitFor();
    await debug.moved(() => debug.button("Step Over").click());
    await window.screenshot("trace-killed-stepped");
  });
});
