import assert from "node:assert/strict";
import AxeBuilder from "@axe-core/playwright";
import type { Frame, Locator } from "playwright-core";
import { DebugPage } from "./debugPage";
import { eventually } from "./eventually";
import { openVSCode, type VSCodeWindow } from "./harness";
import { hasKeyboard, hearOfBlursLate } from "./keyboard";
import { showWholeRun } from "./timelinePage";

const SAMPLE = "librettos/librettos.exo.yaml";

describe("The timeline", () => {
  let window: VSCodeWindow;
  let frame: Frame;
  let debug: DebugPage;

  const trackNamed = (path: string): Locator => frame.locator(`.track[aria-label="${path}"]`);
  const status = async (): Promise<string> => (await frame.locator(".status").textContent()) ?? "";
  const cursorRow = async (): Promise<number> => Number(await frame.locator(".cursor-line").getAttribute("data-row"));
  /** Where the debugger stands: its top frame's function and the row that it is. */
  const topFrame = (): Promise<{ name: string; row: number } | undefined> =>
    window.evaluate(async (api) => {
      const item = api.debug.activeStackItem;
      if (!(item instanceof api.DebugStackFrame)) return undefined;
      const { stackFrames } = await item.session.customRequest("stackTrace", { threadId: item.threadId, startFrame: 0, levels: 1 });
      return { name: String(stackFrames[0].name), row: Number(stackFrames[0].id) - 1 };
    });

  before(async () => {
    window = await openVSCode({ file: SAMPLE });
    debug = new DebugPage(window);
    await window.runCommand("Exoscope: Show Timeline");
    frame = await window.webviewFrame("timeline");
    await frame.waitForSelector('.timeline[data-state="empty"] .empty vscode-button');
    await window.screenshot("timeline-empty");
    await window.runCommand("Exoscope: Run Simulation");
    await frame.waitForSelector('.timeline[data-state="live"] .track[data-track]');
  });
  after(() => window.close());

  it("shows pCPUs, vCPUs, devices and links of the design", async () => {
    for (const path of ["server/pcpu0", "server/pcpu5", "server/netsrv/vcpu0", "server/nginx/vcpu1", "server/redis/vcpu0", "server/nic0/vf0", "client/link in"]) {
      await trackNamed(path).waitFor({ state: "attached" });
    }
    await eventually(async () => (await cursorRow()) === 0, "the cursor's line stands at the first event");
    await eventually(async () => (await debug.row()) === 0, "VS Code shows the first stop");
  });

  it("walks along a track by keyboard, and moves the debugger there with Enter", async () => {
    await trackNamed("server/nginx/vcpu0").click();
    await window.page.keyboard.press("End");
    const last = await eventually(async () => ((await status()).includes("server/nginx/") ? status() : undefined), "the last event of the track is described");
    await window.page.keyboard.press("ArrowLeft");
    const before = await eventually(async () => ((await status()) !== last ? status() : undefined), "the event before it is described");
    await window.page.keyboard.press("Enter");
    const name = before.split(" in ")[0]!;
    await eventually(async () => ((await topFrame())?.name.includes(name) ? true : undefined), `the debugger is in ${name}`);
    // The run goes on meanwhile: the event may be further than the timeline knew the run to be.
    await eventually(() => frame.locator(".cursor-line").isVisible(), "the cursor's line is in view");
    // VS Code moves the keyboard into the text with every stop; it comes back when the stop is shown.
    await eventually(() => hasKeyboard(frame), "the timeline has the keyboard again");
    await window.screenshot("timeline-walked");
  });

  it("has the keyboard again whenever VS Code hears that it had lost it", async () => {
    await hearOfBlursLate(frame);
    await eventually(async () => (await debug.row()) === (await cursorRow()), "the timeline shows where the debugger is");
    for (let walked = 0; walked < 3; walked++) {
      const [before, described] = [await cursorRow(), await status()];
      await window.page.keyboard.press("ArrowLeft");
      await eventually(async () => (await status()) !== described, "the track that the keyboard was in walks on");
      await window.page.keyboard.press("Enter");
      await eventually(async () => (await cursorRow()) < before, "the cursor's line has moved");
      // By then VS Code has moved the keyboard into the text.
      await eventually(async () => (await debug.row()) === (await cursorRow()), "the stop is shown");
      await eventually(() => hasKeyboard(frame), "the timeline has the keyboard again");
    }
  });

  it("keeps the keyboard over the debugger's own steps", async () => {
    for (const key of ["F11", "F11", "Shift+F11"]) {
      const before = await debug.row();
      await window.page.keyboard.press(key);
      await eventually(async () => ![before, undefined].includes(await debug.row()), `${key} moves the debugger`);
      await eventually(() => hasKeyboard(frame), "the timeline has the keyboard again");
    }
  });

  it("moves the debugger to the event that is clicked, and keeps the keyboard", async () => {
    await showWholeRun(window, frame);
    const track = trackNamed("server/netsrv/vcpu0");
    await track.scrollIntoViewIfNeeded();
    const [label, chart] = [await track.boundingBox(), await frame.locator(".chart canvas").boundingBox()];
    assert.ok(label && chart);
    const before = await cursorRow();
    // 13 ms of 200: the requests are under way from 10 ms on.
    await window.page.mouse.click(chart.x + chart.width * 0.065, label.y + label.height / 2);
    await eventually(async () => ((await status()).includes("server/netsrv/") ? true : undefined), "an event of the network server is selected");
    await eventually(async () => ((await cursorRow()) !== before ? true : undefined), "the cursor's line has moved");
    const name = (await status()).split(" in ")[0]!;
    await eventually(async () => ((await topFrame())?.name.includes(name) ? true : undefined), `the debugger is in ${name}`);
    // VS Code moves the keyboard into the text with every stop; it comes back when the stop is shown.
    await eventually(() => hasKeyboard(frame), "the timeline has the keyboard again");
  });

  it("follows the debugger's steps and shows where it goes", async () => {
    await window.runCommand("Exoscope Timeline: Zoom to the Selected Event");
    const rows = [await cursorRow()];
    for (const step of ["stepInto", "stepInto", "stepBack"]) {
      await window.evaluate((api, name) => api.commands.executeCommand(`workbench.action.debug.${name}`).then(() => undefined), step);
      const before = rows.at(-1)!;
      rows.push(await eventually(async () => {
        const row = await cursorRow();
        return row !== before ? row : undefined;
      }, `the cursor's line moves on ${step}`));
      await eventually(() => frame.locator(".cursor-line").isVisible(), "the cursor's line is in view");
      // Only where VS Code itself has come to the event it can step on.
      await eventually(async () => (await topFrame())?.row === rows.at(-1), "the debugger is there");
    }
    assert.ok(rows[1]! > rows[0]! && rows[2]! > rows[1]! && rows[3]! < rows[2]!, rows.join(", "));
    await window.screenshot("timeline-stepped");
  });

  it("finds the next event of a function", async () => {
    await frame.locator(".corner vscode-text-field").click();
    await window.page.keyboard.type("tcp_input");
    await window.page.keyboard.press("Enter");
    await eventually(async () => ((await status()).startsWith("tcp_input in ") ? true : undefined), "an event of tcp_input is selected");
  });

  it("has no accessibility problem that axe knows of", async () => {
    const results = await new AxeBuilder({ page: window.page }).include(["iframe.webview.ready", "iframe#active-frame", "main.timeline"]).analyze();
    assert.deepEqual(results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`), []);
  });
});
