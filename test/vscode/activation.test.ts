import assert from "node:assert/strict";
import * as vscode from "vscode";

describe("The extension", () => {
  const extension = vscode.extensions.getExtension("exoscope.exoscope");

  it("is loaded from the repository", () => {
    assert.ok(extension, "VS Code does not know the extension");
  });

  it("activates when a design is opened", async () => {
    const [design] = await vscode.workspace.findFiles("librettos/*.exo.yaml");
    assert.ok(design, "the samples are not there");
    await vscode.window.showTextDocument(design);
    const deadline = Date.now() + 60_000;
    while (!extension?.isActive && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(extension?.isActive, true);
  });

  it("registers every command that its manifest contributes", async () => {
    const contributed: { readonly command: string }[] = extension?.packageJSON.contributes?.commands ?? [];
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      contributed.map(({ command }) => command).filter((command) => !registered.has(command)),
      [],
    );
  });
});
