import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Frame } from "playwright-core";
import { changedLines, drag, tile } from "./diagramPage";
import { eventually } from "./eventually";
import { openVSCode, type VSCodeWindow } from "./harness";

const SAMPLE = "librettos/librettos.exo.yaml";

describe("Restricted Mode", () => {
  let window: VSCodeWindow;
  let frame: Frame;
  const errors: string[] = [];

  before(async () => {
    window = await openVSCode({ file: SAMPLE, trusted: false });
    window.page.on("pageerror", (error) => errors.push(error.message));
    frame = await window.webviewFrame("diagram");
    await frame.waitForSelector(tile("server/nic0/vf1"));
  });
  after(() => window?.close());

  it("is what the window is in", async () => {
    assert.equal(await window.evaluate((api) => api.workspace.isTrusted), false);
  });

  it("shows the design, and edits it by dragging", async () => {
    const original = await readFile(join(window.workspacePath, SAMPLE), "utf8");
    await drag(window, frame, "server/redis/vif", "server/nic0/vf1");
    await window.page.mouse.up();
    await frame.waitForSelector(tile("server/redis/ixgbe"));
    assert.deepEqual(changedLines(original, await window.evaluate((api) => api.workspace.textDocuments.find(({ isDirty, fileName }) => isDirty && fileName.endsWith(".exo.yaml"))?.getText() ?? "")), ["          - ixgbe: { bind: nic0.vf1 }"]);
    await window.screenshot("restricted-edited");
  });

  it("shows VS Code's own question for trust before it runs", async () => {
    await window.page.locator(".monaco-editor .view-line", { hasText: "name: LibrettOS web server" }).click({ position: { x: 5, y: 5 } });
    await window.page.keyboard.press("F5");
    const dialog = window.page.locator(".monaco-dialog-box");
    await dialog.waitFor();
    await window.screenshot("restricted-trust");
    assert.match(await dialog.innerText(), /trust/i);
    await window.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await window.evaluate((api) => api.debug.activeDebugSession !== undefined), false);
    await eventually(async () => (await frame.locator(tile("server/redis/ixgbe")).count()) === 1, "the diagram is still there");
    assert.deepEqual(errors, []);
  });
});
