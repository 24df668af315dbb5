import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Frame } from "playwright-core";
import { DebugPage } from "./debugPage";
import { restingMiddle, tile } from "./diagramPage";
import { eventually } from "./eventually";
import { openVSCode, type VSCodeWindow } from "./harness";
import { hasKeyboard, hearOfBlursLate } from "./keyboard";

const SAMPLE = "switching/by-hand.exo.yaml";

describe("Places in the diagram", () => {

  let window: VSCodeWindow;
  let frame: Frame;
  let original: string;

  const text = (): Promise<string> => window.evaluate((api, name) => api.workspace.textDocuments.find(({ uri }) => uri.path.endsWith(name))?.getText() ?? "", SAMPLE);
  /** One edit is taken back, as Ctrl+Z in the text does. */
  const undo = async (): Promise<void> => {
    await window.page.locator(".monaco-editor .view-lines").first().click();
    await window.page.keyboard.press("Control+z");
  };

  before(async () => {
    window = await openVSCode({ file: SAMPLE });
    original = await readFile(join(window.workspacePath, SAMPLE), "utf8");
    frame = await window.webviewFrame("diagram");
    await frame.waitForSelector(tile("server/nginx/vif"));
  });
  after(() => window.close());

  it("pins a client where it is dragged: one edit, one undo", async () => {
    const from = await restingMiddle(frame, "client");
    await window.page.mouse.move(from.x, from.y);
    await window.page.mouse.down();
    await window.page.mouse.move(from.x - 60, from.y - 100, { steps: 5 });
    await frame.waitForSelector(".drag-ghost[visibility=visible]");
    await window.screenshot("diagram-drag-client");
    await window.page.mouse.up();
    const pinned = await eventually(async () => (await text()) !== original && text(), "the pin is written");
    assert.match(pinned.slice(original.length), /^layout:\n {2}pins:\n {4}client: \[-?\d+, -?\d+\]\n$/);
    assert.equal(pinned.slice(0, original.length), original);
    await undo();
    await eventually(async () => (await text()) === original, "undo restores the text");
  });

  it("changes the order of domains by keyboard, and takes the pin back by key and by the menu", async () => {
    // The diagram follows the text, a moment later.
    const place = async (): Promise<string | null> => {
      await eventually(async () => !/"exoscopePinned":true/.test((await frame.locator(tile("client")).getAttribute("data-vscode-context")) ?? ""), "the diagram knows of no pin");
      await restingMiddle(frame, "client");
      return frame.locator(tile("client")).getAttribute("transform");
    };
    const before = await place();
    await frame.locator(tile("client/nic")).first().focus();
    await window.page.keyboard.press("Alt+ArrowDown");
    await eventually(async () => /client: \[/.test(await text()), "the pin of the client is written");
    assert.equal(await frame.evaluate(() => document.activeElement?.getAttribute("data-path")), "client/nic");
    await window.page.keyboard.press("u");
    await eventually(async () => (await text()) === original, "the pin is gone");

    await window.page.keyboard.press("Alt+ArrowUp");
    await eventually(async () => /client: \[/.test(await text()), "the pin is written again");
    await eventually(async () => /"exoscopePinned":true/.test((await frame.locator(tile("client")).getAttribute("data-vscode-context")) ?? ""), "the diagram knows of the pin");
    await frame.locator(`${tile("client")} > rect.body`).click({ button: "right", position: { x: 8, y: 8 } });
    const entry = window.page.locator(".monaco-menu .action-label", { hasText: "Unpin" });
    await entry.waitFor();
    await window.screenshot("diagram-menu-unpin");
    await entry.click();
    await eventually(async () => (await text()) === original, "the menu takes the pin away");
    await eventually(async () => (await place()) === before, "all stands where it stood");
  });

  it("shows the uplink that is in use where the debugger stands", async () => {
    // A window under load may take the diagram's frame away for a moment and load it again: each question is to the one that is there.
    const hasTile = (selector: string): Promise<true> => eventually(async () => (await window.webviewFrame("diagram")).locator(selector).isVisible().catch(() => false), `the diagram shows ${selector}`);
    const carries = async (used: string, other: string): Promise<void> => {
      await hasTile(`${tile(`server/nginx/${other}`)}.idle`);
      await hasTile(`${tile(`server/nginx/${used}`)}:not(.idle)`);
    };
    await carries("vif", "ixgbe");
    const debug = new DebugPage(window);
    await window.runCommand("Exoscope: Run Simulation");
    await eventually(async () => (await debug.row()) === 0, "the debugger stands at the first event");
    await (await window.webviewFrame("timeline")).waitForSelector('.timeline[data-state="live"] .track[data-track]');
    const goTo = (time: string): Promise<number> => debug.moved(() => eventually(async () => {
      // Views open at the first stop, and take the keyboard: what asks for input closes then, and is asked for again.
      await window.evaluate((api) => void api.commands.executeCommand("exoscope.goToEvent"));
      await window.page.locator(".quick-input-widget .quick-input-message", { hasText: "number of an event" }).waitFor();
      const input = window.page.locator(".quick-input-widget input:visible").first();
      return input.fill(time, { timeout: 5000 }).then(() => input.press("Enter", { timeout: 5000 })).then(() => true, () => false);
    }, "the time is entered").then(() => undefined));
    await goTo("300ms");
    await carries("ixgbe", "vif");
    await hasTile('g.wire.binding[data-id="binding:server/nginx/ixgbe:server/nic0/vf0"]:not(.idle)');
    await window.screenshot("diagram-uplink-direct");
    await goTo("900ms");
    await carries("vif", "ixgbe");
  });

  it("has the keyboard again after a step, at the box that had it, whenever VS Code hears that it had lost it", async () => {
    const debug = new DebugPage(window);
    const diagram = await window.webviewFrame("diagram");
    const box = (): Promise<string | null | undefined> => diagram.evaluate(() => document.activeElement?.getAttribute("data-path"));
    await hearOfBlursLate(diagram);
    await diagram.locator(`${tile("server/nginx/vif")} > rect.body`).click();
    for (let steps = 0; steps < 2; steps++) {
      await eventually(async () => (await hasKeyboard(diagram)) && (await box()) === "server/nginx/vif", "the box has the keyboard");
      // By the time that a stop is shown VS Code has moved the keyboard into the text.
      await debug.moved(() => window.page.keyboard.press("F10"));
    }
    await eventually(async () => (await hasKeyboard(diagram)) && (await box()) === "server/nginx/vif", "the box has the keyboard again");
    await window.evaluate((api) => api.debug.stopDebugging());
  });
});
