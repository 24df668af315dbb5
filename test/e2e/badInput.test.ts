import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { repository } from "../../scripts/paths.mjs";
import { tile } from "./diagramPage";
import { eventually } from "./eventually";
import { openVSCode, type VSCodeWindow } from "./harness";

const SAMPLE = "librettos/librettos.exo.yaml";

/** Nine lists, each of nine aliases of the one before: 9⁹ strings, were they written out. */
const BILLION_LAUGHS = `exoscope: 1
name: &a0 lol
${Array.from({ length: 9 }, (_, i) => `x${i + 1}: &a${i + 1} [${Array.from({ length: 9 }, () => `*a${i}`).join(", ")}]`).join("\n")}
hosts: *a9
`;

const BINARY = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 197 + (i >> 3) * 31) % 256));

interface Marker {
  readonly message: string;
  readonly from: number;
  readonly to: number;
}

/** Milliseconds within which the extension host has to answer, whatever it is shown: some tens, and a busy machine. */
const LIVELY = 3000;

describe("Bad input", () => {
  let window: VSCodeWindow;

  before(async () => {
    window = await openVSCode({ settings: { "editor.autoClosingBrackets": "never" } });
    const sample = await readFile(join(repository, "samples", SAMPLE), "utf8");
    await writeFile(join(window.workspacePath, "empty.exo.yaml"), "");
    await writeFile(join(window.workspacePath, "binary.exo.yaml"), BINARY);
    await writeFile(join(window.workspacePath, "truncated.exo.yaml"), sample.slice(0, sample.indexOf("sriov: { vfs") + 8));
    await writeFile(join(window.workspacePath, "laughs.exo.yaml"), BILLION_LAUGHS);
  });
  after(() => window?.close());

  afterEach(async () => {
    await window.page.keyboard.press("Escape");
    // Closing asks about what is not saved.
    await window.evaluate((api) => api.workspace.saveAll().then(() => api.commands.executeCommand("workbench.action.closeAllEditors")).then(() => undefined));
  });

  /** Milliseconds that the extension host takes to answer. */
  const answer = async (): Promise<number> => {
    const before = performance.now();
    await window.evaluate(() => 1);
    return performance.now() - before;
  };

  const problemsOf = (name: string): Promise<Marker[]> =>
    window.evaluate((api, name) => api.languages.getDiagnostics().filter(([uri]) => uri.path.endsWith(`/${name}`)).flatMap(([uri, all]) => {
      const document = api.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
      return all.filter(({ source, severity }) => source === "exoscope" && severity === api.DiagnosticSeverity.Error)
        .map(({ message, range }) => ({ message, from: document?.offsetAt(range.start) ?? -1, to: document?.offsetAt(range.end) ?? -1 }));
    }), name);

  const focusText = async (): Promise<void> => {
    await window.page.keyboard.press("Control+1");
    await eventually(() => window.page.evaluate(() => document.activeElement?.closest(".monaco-editor") !== null), "the text has the keyboard");
  };

  /** F5 in the text says what is wrong, in a dialog with one sentence, and starts nothing. */
  const refuses = async (): Promise<string> => {
    await focusText();
    await window.page.keyboard.press("F5");
    const dialog = window.page.locator(".monaco-dialog-box .dialog-message-detail");
    await dialog.first().waitFor();
    const text = await dialog.first().innerText();
    await window.page.keyboard.press("Escape");
    await window.page.locator(".monaco-dialog-box").waitFor({ state: "hidden" });
    await focusText();
    assert.equal(await window.evaluate((api) => api.debug.activeDebugSession !== undefined), false);
    return text;
  };

  for (const [name, place] of [["truncated.exo.yaml", "in the middle"], ["laughs.exo.yaml", "with a billion laughs"]] as const) {
    it(`shows the problems of a design ${place} at their ranges, and does not run it`, async () => {
      const before = await readFile(join(window.workspacePath, name));
      await window.openFile(name);
      const problems = await eventually(async () => {
        const found = await problemsOf(name);
        return found.length > 0 && found;
      }, "there are problems");
      for (const { message, from, to } of problems) assert.ok(from >= 0 && to >= from && to <= before.length, `${message}: ${from} to ${to}`);
      assert.ok(await answer() < LIVELY);
      await window.runCommand("Problems: Focus on Problems View");
      const row = window.page.locator(".markers-panel .monaco-list-row", { hasText: problems[0]?.message.slice(0, 40) ?? "" }).first();
      await row.waitFor();
      await window.screenshot(`bad-input-${name.split(".")[0]}`);
      assert.match(await refuses(), /^The design cannot run: line \d+: .+/);
      assert.ok(await answer() < LIVELY);
      assert.deepEqual(await readFile(join(window.workspacePath, name)), before);
    });
  }

  it("says that an empty design is empty, and does not run it", async () => {
    await window.openFile("empty.exo.yaml");
    assert.match(await refuses(), /^The design cannot run/);
    assert.ok(await answer() < LIVELY);
  });

  it("lets VS Code keep a binary file out of the text editor, and survives its being opened", async () => {
    await window.openFile("binary.exo.yaml");
    assert.ok(await answer() < LIVELY);
    const open = window.page.locator(".monaco-editor-pane-placeholder a, .monaco-editor-pane-placeholder .monaco-button", { hasText: "Open Anyway" });
    if (await open.isVisible()) await open.click();
    await window.screenshot("bad-input-binary");
    assert.ok(await answer() < LIVELY);
    assert.deepEqual(await readFile(join(window.workspacePath, "binary.exo.yaml")), BINARY);
  });

  it("keeps the last good diagram, with a notice, while the text is cut in the middle", async () => {
    await window.openFile(SAMPLE);
    const frame = await window.webviewFrame("diagram");
    await frame.waitForSelector(tile("server/nic0/vf1"));
    await window.page.locator(".monaco-editor .view-line", { hasText: "devices:" }).first().click({ position: { x: 90, y: 8 } });
    await window.page.keyboard.press("Control+Shift+End");
    // At once: on the way there, `nic0:` and `nic0: {}` are designs that can be read.
    await window.page.keyboard.insertText("nic0: {");
    const notice = frame.locator(".notice.stale");
    await notice.waitFor();
    assert.match(await notice.innerText(), /Showing the last design that could be read\. Line 1\d, column \d+: /);
    assert.equal(await frame.locator("g.box.domain").count(), 3);
    await window.screenshot("bad-input-cut");
    assert.ok(await answer() < LIVELY);
    assert.match(await refuses(), /^The design cannot run: line \d+: .+/);
    for (let k = 0; k < 4; k++) await window.page.keyboard.press("Control+z");
    await notice.waitFor({ state: "hidden" });
  });
});
