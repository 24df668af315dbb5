import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openVSCode, type VSCodeWindow } from "./harness";

describe("Opening a design", () => {
  let window: VSCodeWindow;
  before(async () => {
    window = await openVSCode();
  });
  after(() => window.close());

  it("shows its text in VS Code's own editor", async () => {
    await window.openFile("librettos/librettos.exo.yaml");
    await window.page.locator(".monaco-editor .view-line", { hasText: "name: LibrettOS web server" }).waitFor();
    assert.equal(await window.editorText(), await readFile(join(window.workspacePath, "librettos/librettos.exo.yaml"), "utf8"));
    await window.screenshot("librettos-text");
  });

  it("leaves the file as it was", async () => {
    // The settings may be dirty at this moment: the harness sets the theme there.
    const designs = await window.evaluate((api) =>
      api.workspace.textDocuments
        .filter(({ fileName }) => fileName.endsWith(".exo.yaml"))
        .map(({ fileName, isDirty, version }) => ({ name: fileName.slice(fileName.lastIndexOf("/") + 1), isDirty, version })));
    assert.deepEqual(designs, [{ name: "librettos.exo.yaml", isDirty: false, version: 1 }]);
  });
});
