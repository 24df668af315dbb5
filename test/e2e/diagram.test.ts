import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import type { Frame } from "playwright-core";
import { changedLines, drag, restingMiddle, tile } from "./diagramPage";
import { eventually } from "./eventually";
import { openVSCode, type Theme, type VSCodeWindow } from "./harness";

const SAMPLE = "librettos/librettos.exo.yaml";

/** The diagram's webview once the sample is drawn in it. */
async function diagram(window: VSCodeWindow): Promise<Frame> {
  const frame = await window.webviewFrame("diagram");
  await frame.waitForSelector(tile("server/nic0/vf1"));
  return frame;
}

function documentText(window: VSCodeWindow): Promise<string> {
  return window.evaluate((api, name) => api.workspace.textDocuments.find((document) => document.uri.path.endsWith(name))?.getText() ?? "", SAMPLE);
}

/** Changes the text as typing does: one edit of the document, saved or not. */
async function replaceText(window: VSCodeWindow, from: string, to: string): Promise<void> {
  const applied = await window.evaluate(async (api, { name, from, to }) => {
    const document = api.workspace.textDocuments.find((each) => each.uri.path.endsWith(name));
    const at = document?.getText().indexOf(from) ?? -1;
    if (!document || at < 0) return false;
    const edit = new api.WorkspaceEdit();
    edit.replace(document.uri, new api.Range(document.positionAt(at), document.positionAt(at + from.length)), to);
    return api.workspace.applyEdit(edit);
  }, { name: SAMPLE, from, to });
  assert.ok(applied, `${from} is in the text`);
}

/** As if nothing had been done: the text of the disk, nothing selected. */
async function restore(window: VSCodeWindow, text: string): Promise<void> {
  await window.page.mouse.up();
  await window.evaluate(async (api, { name, text }) => {
    const document = api.workspace.textDocuments.find((each) => each.uri.path.endsWith(name));
    if (!document) return;
    const edit = new api.WorkspaceEdit();
    edit.replace(document.uri, new api.Range(0, 0, document.lineCount, 0), text);
    if (document.getText() !== text) await api.workspace.applyEdit(edit);
    await document.save();
    const editor = api.window.visibleTextEditors.find((each) => each.document === document);
    if (editor) editor.selection = new api.Selection(0, 0, 0, 0);
  }, { name: SAMPLE, text });
}

describe("The diagram", () => {

  let window: VSCodeWindow;
  let frame: Frame;
  let original: string;

  before(async () => {
    window = await openVSCode({ file: SAMPLE });
    original = await readFile(join(window.workspacePath, SAMPLE), "utf8");
  });
  after(() => window.close());

  beforeEach(async () => {
    frame = await diagram(window);
  });
  afterEach(async () => {
    await restore(window, original);
    frame = await diagram(window);
    const dismiss = frame.locator(".notice:visible vscode-button[aria-label=Dismiss]");
    if (await dismiss.isVisible()) await dismiss.click({ timeout: 1000 }).catch(() => undefined);
    await frame.waitForSelector(tile("server/redis/vif"));
    await frame.waitForSelector(tile("server/nginx/ixgbe"));
  });

  it("stands beside the text, which keeps the keyboard", async () => {
    const columns = await window.evaluate((api) => api.window.tabGroups.all.map((group) => group.tabs.length));
    assert.deepEqual(columns, [1, 1]);
    assert.equal(await window.editorText(), original);
    const labels = await frame.locator("g.box.domain > text.label").allTextContents();
    assert.deepEqual(labels.toSorted(), ["netsrv", "nginx", "redis"]);
    assert.deepEqual((await frame.locator("g.box.function > text.label").allTextContents()).toSorted(), ["nic", "pf", "vf0", "vf1"]);
    assert.equal(await frame.locator("g.wire.channel").count(), 1);
    assert.equal(await frame.locator("g.wire.binding").count(), 2);
    assert.equal(await frame.locator("g.wire.link text.caption").textContent(), "10\u00a0Gb/s · 2\u00a0µs");
    // The settings may be dirty at this moment: the harness sets the theme there.
    const dirty = await window.evaluate((api) => api.workspace.textDocuments.filter(({ isDirty, fileName }) => isDirty && fileName.endsWith(".exo.yaml")).map(({ uri }) => uri.toString()));
    assert.deepEqual(dirty, []);
  });

  it("does not come back after the user closed it", async () => {
    await window.evaluate(async (api) => {
      const tab = api.window.tabGroups.all.flatMap((group) => group.tabs).find(({ input }) => input instanceof api.TabInputCustom);
      if (tab) await api.window.tabGroups.close(tab);
    });
    await window.runCommand("View: Toggle Primary Side Bar Visibility");
    const tabs = await window.evaluate((api) => api.window.tabGroups.all.flatMap((group) => group.tabs).length);
    assert.equal(tabs, 1);
    await window.runCommand("Exoscope: Open Diagram to the Side");
    await diagram(window);
  });

  it("follows every edit of the text and keeps the view", async () => {
    await window.page.keyboard.press("Escape");
    await frame.locator(tile("server/nginx/libc")).click();
    const scale = (): Promise<string | undefined> => frame.locator("g.page").getAttribute("transform").then((transform) => /scale\(([^)]+)\)/.exec(transform ?? "")?.[1]);
    const before = await scale();
    await window.page.keyboard.press("+");
    await window.page.keyboard.press("+");
    const zoomed = await eventually(async () => {
      const now = await scale();
      await frame.waitForTimeout(250);
      return now !== before && now === (await scale()) && now;
    }, "the zoom rests");
    await replaceText(window, "      redis:\n", "      cache:\n");
    await frame.waitForSelector(tile("server/cache/vif"));
    await frame.waitForSelector(tile("server/redis/vif"), { state: "detached" });
    assert.equal(await scale(), zoomed);
  });

  it("moves an uplink to a free VF by dragging: one line changes, undo restores the bytes", async () => {
    await drag(window, frame, "server/redis/vif", "server/nic0/vf1");
    assert.equal(await frame.locator("g.box.drop").getAttribute("data-path"), "server/nic0/vf1");
    await window.screenshot("diagram-dragging");
    await window.page.mouse.up();
    await frame.waitForSelector(tile("server/redis/ixgbe"));
    const moved = await documentText(window);
    assert.deepEqual(changedLines(original, moved), ["          - ixgbe: { bind: nic0.vf1 }"]);
    await window.evaluate((api) => api.commands.executeCommand("undo").then(() => undefined));
    await frame.waitForSelector(tile("server/redis/vif"));
    assert.equal(await documentText(window), original);
  });

  it("moves an uplink to the network server by dragging it onto the server", async () => {
    await drag(window, frame, "server/nginx/ixgbe", "server/netsrv/netserver");
    await window.page.mouse.up();
    await frame.waitForSelector(tile("server/nginx/vif"));
    assert.deepEqual(changedLines(original, await documentText(window)), ["          - vif: { channel: netsrv.netserver }"]);
  });

  it("refuses a function that another domain has, with the reason, and changes nothing", async () => {
    await drag(window, frame, "server/redis/vif", "server/nic0/vf0");
    assert.equal(await frame.locator(".tooltip").isVisible(), true);
    await window.page.mouse.up();
    const notice = frame.locator(".notice.warning");
    await notice.waitFor();
    assert.match(await notice.innerText(), /vf0 is bound to server\/nginx\/ixgbe already/);
    assert.match((await frame.locator("[role=status]").textContent()) ?? "", /vf0 is bound to/);
    assert.equal(await documentText(window), original);
  });

  it("refuses a device without a free VF, with the reason", async () => {
    await replaceText(window, "sriov: { vfs: 2 }", "sriov: { vfs: 1 }");
    await frame.waitForSelector(tile("server/nic0/vf1"), { state: "detached" });
    await restingMiddle(frame, "server/redis/vif");
    await restingMiddle(frame, "server/nic0");
    const before = await documentText(window);
    const source = await frame.locator(`${tile("server/redis/vif")} > rect.body`).boundingBox();
    const device = await frame.locator(`${tile("server/nic0")} > rect.body`).boundingBox();
    assert.ok(source && device);
    await window.page.mouse.move(source.x + 20, source.y + 10);
    await window.page.mouse.down();
    await window.page.mouse.move(device.x + 20, device.y + device.height - 8, { steps: 6 });
    await frame.waitForSelector("g.box.refused");
    await window.page.mouse.move(device.x + 22, device.y + device.height - 8);
    await window.page.mouse.up();
    const notice = frame.locator(".notice.warning");
    await notice.waitFor();
    assert.match(await notice.innerText(), /No VF of server\/nic0 is free/);
    assert.equal(await documentText(window), before);
  });

  it("gives a drag up with Escape", async () => {
    await drag(window, frame, "server/redis/vif", "server/nic0/vf1");
    await window.page.keyboard.press("Escape");
    await window.page.mouse.up();
    assert.equal(await frame.locator("g.box.possible").count(), 0);
    assert.equal(await documentText(window), original);
  });

  it("moves an uplink without a pointer", async () => {
    await frame.locator(tile("server/redis")).focus();
    for (let i = 0; i < 4; i++) await window.page.keyboard.press("ArrowDown");
    assert.equal(await frame.evaluate(() => document.activeElement?.getAttribute("data-path")), "server/redis/vif");
    await window.page.keyboard.press("Enter");
    const list = window.page.locator(".quick-input-widget");
    await list.locator(".quick-input-list-entry", { hasText: "vf1 of nic0" }).waitFor();
    assert.match(await list.innerText(), /vf0 is bound to server\/nginx\/ixgbe already/);
    await window.screenshot("diagram-pick-target");
    await window.page.keyboard.press("Enter");
    await frame.waitForSelector(tile("server/redis/ixgbe"));
    assert.deepEqual(changedLines(original, await documentText(window)), ["          - ixgbe: { bind: nic0.vf1 }"]);
  });

  it("refuses to change a read-only file", async () => {
    await window.evaluate((api) => api.workspace.getConfiguration("files").update("readonlyInclude", { "librettos/**": true }, api.ConfigurationTarget.Workspace).then(() => undefined));
    await drag(window, frame, "server/redis/vif", "server/nic0/vf1");
    await window.page.mouse.up();
    await frame.locator(".notice.warning", { hasText: "read-only" }).waitFor();
    assert.equal(await documentText(window), original);
    await window.evaluate((api) => api.workspace.getConfiguration("files").update("readonlyInclude", undefined, api.ConfigurationTarget.Workspace).then(() => undefined));
  });

  it("shows the line of a chosen part without taking the keyboard, and the part of the caret's line", async () => {
    await frame.locator(tile("server/nginx/tcpip")).click();
    const line = await eventually(() => window.evaluate((api) => {
      const editor = api.window.visibleTextEditors[0];
      return editor && editor.selection.active.line > 0 && editor.document.lineAt(editor.selection.active.line).text.trim();
    }), "the caret moves");
    assert.equal(line, "- tcpip");
    assert.equal(await frame.evaluate(() => document.activeElement?.getAttribute("data-path")), "server/nginx/tcpip");
    await window.evaluate((api) => {
      const editor = api.window.visibleTextEditors[0];
      if (!editor) return;
      const at = editor.document.positionAt(editor.document.getText().indexOf("- netserver") + 3);
      editor.selection = new api.Selection(at, at);
    });
    await frame.waitForSelector(`${tile("server/netsrv/netserver")}.selected`);
  });

  it("marks the parts that have problems, and says what is wrong", async () => {
    await replaceText(window, "bind: nic0.vf0", "bind: nic0.vf7");
    await frame.waitForSelector(`${tile("server/nginx/ixgbe")} text.mark.error`);
    await frame.locator(tile("server/nginx/ixgbe")).hover();
    const tooltip = frame.locator(".tooltip");
    await tooltip.waitFor();
    assert.match(await tooltip.innerText(), /vf7/);
    assert.match((await frame.locator(tile("server/nginx/ixgbe")).getAttribute("aria-label")) ?? "", /Problem: .*vf7/);
    await window.screenshot("diagram-problem");
  });

  it("keeps the last design that could be read, and says so", async () => {
    const gone = original.slice(original.indexOf("hosts:"));
    await replaceText(window, gone, "- nothing\n- of the kind\n");
    const notice = frame.locator(".notice.stale");
    await notice.waitFor();
    assert.match(await notice.innerText(), /Showing the last design that could be read\. Line \d+, column \d+: /);
    assert.equal(await frame.locator("g.box.domain").count(), 3);
    await window.screenshot("diagram-stale");
    await notice.locator("vscode-button").click();
    await eventually(() => window.evaluate((api) => api.window.activeTextEditor?.document.uri.path.endsWith(".exo.yaml")), "the text has the focus");
    await replaceText(window, "- nothing\n- of the kind\n", gone);
    await notice.waitFor({ state: "hidden" });
  });
});

describe("The diagram for everybody", () => {

  /** What VS Code calls a theme's kind in a webview. */
  const kinds = { light: "vscode-light", dark: "vscode-dark", highContrast: "vscode-high-contrast" } satisfies Partial<Record<Theme, string>>;
  let window: VSCodeWindow;

  before(async () => {
    window = await openVSCode({ file: SAMPLE });
  });
  after(() => window.close());

  for (const theme of ["light", "dark", "highContrast"] as const) {
    it(`has no accessibility violation in ${theme}`, async () => {
      await window.setTheme(theme);
      const frame = await diagram(window);
      await frame.waitForSelector(`body.${kinds[theme]}`);
      await frame.locator(tile("server/redis/vif")).focus();
      await frame.evaluate(() => self.postMessage({
        type: "cursor",
        cursor: {
          row: 7, time: 1, component: "server/redis/tcpip", context: "server/redis/vcpu0", fn: "tcp_input", file: undefined, packet: 1,
          packetSummary: "TCP 10.0.0.9:49152 → 10.0.0.2:6379 [PSH, ACK] seq 1 len 180",
          trail: ["client", "server/nic0", "server/nic0/pf", "server/netsrv/ixgbe", "server/netsrv/netserver", "server/redis/vif", "server/redis/tcpip"],
        },
      }));
      await frame.waitForSelector(`${tile("server/redis/tcpip")}.current`);
      await frame.waitForTimeout(400);
      await window.screenshot(`diagram-${theme}`);
      const results = await new AxeBuilder({ page: window.page }).include(["iframe.webview.ready", "iframe#active-frame", "main"]).analyze();
      assert.deepEqual(results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`), []);
      assert.ok(results.passes.some(({ nodes }) => nodes.some(({ html }) => html.includes("treeitem"))), "axe looked into the diagram");
    });
  }

  it("offers a first design for an empty file", async () => {
    await writeFile(join(window.workspacePath, "new.exo.yaml"), "");
    await window.openFile("new.exo.yaml");
    const insert = await eventually(async () => {
      for (const each of window.page.frames()) {
        const button = each.locator("vscode-button", { hasText: "Insert a First Design" });
        if (await button.isVisible().catch(() => false)) return button;
      }
      return undefined;
    }, "the empty diagram offers a design");
    await window.screenshot("diagram-empty");
    await insert.click();
    const text = await eventually(() => window.evaluate((api) =>
      api.workspace.textDocuments.find((document) => document.uri.path.endsWith("new.exo.yaml"))?.getText() || undefined), "the text is there");
    assert.match(text, /hosts:/);
    await eventually(async () => {
      for (const each of window.page.frames()) if (await each.locator(tile("server/web")).count().catch(() => 0)) return true;
      return false;
    }, "the first design is drawn");
  });
});
