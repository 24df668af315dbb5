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
    const changed = await window.evaluate((api) => api.workspace.textDocuments.filter((document) => document.isDirty).map(String));
    assert.deepEqual(changed, []);
  });
});
