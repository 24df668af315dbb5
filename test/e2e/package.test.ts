import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { repository } from "../../scripts/paths.mjs";
import { openVSCode, type VSCodeWindow } from "./harness";

describe("The packaged extension", () => {
  let window: VSCodeWindow;
  let installed: string;

  before(async () => {
    window = await openVSCode({ extension: "vsix", file: "librettos/librettos.exo.yaml" });
    installed = await window.evaluate((api) => api.extensions.getExtension("exoscope.exoscope")?.extensionPath ?? "");
  });
  after(() => window?.close());

  it("is the installed one, not the working tree", () => {
    assert.notEqual(installed, "");
    assert.ok(!installed.startsWith(repository + sep), installed);
  });

  it("holds what it needs and nothing else", async () => {
    const files = await readdir(installed, { recursive: true, withFileTypes: true });
    const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name).slice(installed.length + 1));
    const expected = /^(package(\.nls)?(\.[a-z-]+)?\.json|readme\.md|changelog\.md|LICENSE(\.txt)?|\.vsixmanifest|media\/icon\.png|l10n\/.+\.json|samples\/.+|dist\/((extension|engineWorker)\.js|exoscope\.schema\.json|THIRD-PARTY-NOTICES\.txt|webview\/[A-Za-z]+\.(js|css|ttf)))$/i;
    assert.deepEqual(
      paths.filter((path) => !expected.test(path)),
      [],
    );
    for (const path of ["dist/extension.js", "dist/engineWorker.js", "dist/webview/elkWorker.js", "dist/exoscope.schema.json", "media/icon.png", "samples/workloads/recorded.csv"]) {
      assert.ok(paths.includes(path), `${path} is missing`);
    }
  });

  it("names the licences of what it contains", async () => {
    const notices = await readFile(join(installed, "dist/THIRD-PARTY-NOTICES.txt"), "utf8");
    for (const name of ["elkjs", "d3-selection", "yaml", "@vscode/codicons", "@vscode/webview-ui-toolkit"]) {
      assert.ok(notices.includes(`\n${name} `), `${name} is missing`);
    }
    assert.doesNotMatch(notices, /^\S+ \S+ \((A?GPL|LGPL)/m);
  });

  it("activates on a design and draws its diagram", async () => {
    const diagram = await window.webviewFrame("diagram");
    await diagram.locator('[data-path="server/nginx"]').first().waitFor();
    assert.equal(await window.evaluate((api) => api.extensions.getExtension("exoscope.exoscope")?.isActive), true);
    await window.screenshot("packaged-diagram");
  });

  it("simulates the design under the debugger", async () => {
    await window.page.locator(".monaco-editor .view-line", { hasText: "name: LibrettOS web server" }).click({ position: { x: 5, y: 5 } });
    await window.page.keyboard.press("F5");
    await window.page.locator(".debug-toolbar").waitFor();
    await window.page.locator(".monaco-editor .debug-top-stack-frame-line").first().waitFor();
    await window.screenshot("packaged-debugger");
    await window.page.keyboard.press("Shift+F5");
    await window.page.locator(".debug-toolbar").waitFor({ state: "hidden" });
  });
});
