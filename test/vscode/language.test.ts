import assert from "node:assert/strict";
import * as vscode from "vscode";
import { designOf } from "../../extension/language/designs";

const BROKEN = `exoscope: 1
hosts:
  server:
    iommu: on
    devices: { nic0: { model: intel-82599, sriov: { vfs: 2 } } }
    hypervisor: {}
    domains:
      web:
        components:
          - libc
          - tcpip
          - ixgbe: { bind: nic0.vf7 }
`;

async function until<T>(what: string, ask: () => T | undefined | false): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe("Design files in the editor", () => {
  let folder: vscode.Uri;
  let document: vscode.TextDocument;

  const write = async (name: string, text: string): Promise<vscode.TextDocument> => {
    const uri = vscode.Uri.joinPath(folder, name);
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
    return vscode.workspace.openTextDocument(uri);
  };
  const problems = (of: vscode.TextDocument) => vscode.languages.getDiagnostics(of.uri).filter(({ source }) => source === "exoscope");

  before(async () => {
    const [workspace] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(workspace);
    folder = vscode.Uri.joinPath(workspace.uri, ".language-test");
    document = await write("broken.exo.yaml", BROKEN);
    await vscode.window.showTextDocument(document);
  });

  after(async () => {
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    await vscode.workspace.fs.delete(folder, { recursive: true });
  });

  it("shows a problem at its exact range, with its code", async () => {
    const [problem] = await until("the diagnostic", () => problems(document).length > 0 && problems(document));
    assert.equal(problem?.code, "vf-missing");
    assert.equal(document.getText(problem?.range), "nic0.vf7");
    assert.equal(problem?.severity, vscode.DiagnosticSeverity.Error);
  });

  it("offers its fix, which solves it, and one undo takes it back", async () => {
    const [problem] = problems(document);
    assert.ok(problem);
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>("vscode.executeCodeActionProvider", document.uri, problem.range, vscode.CodeActionKind.QuickFix.value);
    const fix = actions.find(({ title }) => title === "Enable 8 VFs");
    assert.ok(fix?.edit, actions.map(({ title }) => title).join());
    assert.ok(await vscode.workspace.applyEdit(fix.edit));
    assert.equal(document.getText(), BROKEN.replace("vfs: 2", "vfs: 8"));
    await until("no diagnostic", () => problems(document).length === 0);
    await vscode.commands.executeCommand("undo");
    assert.equal(document.getText(), BROKEN);
    await until("the diagnostic again", () => problems(document).length === 1);
  });

  it("completes references, those that can be used first", async () => {
    const at = document.positionAt(BROKEN.indexOf("nic0.vf7") + "nic0.".length);
    const { items } = await vscode.commands.executeCommand<vscode.CompletionList>("vscode.executeCompletionItemProvider", document.uri, at);
    const ours = items.filter(({ kind }) => kind === vscode.CompletionItemKind.Reference);
    assert.deepEqual(ours.map(({ label }) => (typeof label === "string" ? label : label.label)), ["nic0.pf", "nic0.vf0", "nic0.vf1"]);
    assert.equal(document.getText(ours[0]?.range instanceof vscode.Range ? ours[0].range : undefined), "nic0.");
  });

  it("explains a component with what was resolved", async () => {
    const at = document.positionAt(BROKEN.indexOf("tcpip") + 2);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>("vscode.executeHoverProvider", document.uri, at);
    const text = hovers.flatMap(({ contents }) => contents).map((content) => (typeof content === "string" ? content : content.value)).join("\n");
    assert.match(text, /^\*\*TCP\/IP\*\*$/m);
    assert.match(text, /^- ip: 10\.0\.0\.1$/m);
  });

  it("outlines hosts, domains and components", async () => {
    const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[]>("vscode.executeDocumentSymbolProvider", document.uri);
    const server = symbols.find(({ name }) => name === "server");
    assert.deepEqual(server?.children.map(({ name }) => name), ["nic0", "hypervisor", "web"]);
    assert.deepEqual(server?.children[2]?.children.map(({ name }) => name), ["libc", "tcpip", "ixgbe"]);
  });

  it("parses a version of a document once", () => {
    assert.equal(designOf(document), designOf(document));
    assert.equal(designOf(document).version, document.version);
  });

  it("leaves other YAML alone", async () => {
    const other = await write("other.yaml", "hosts: [\n");
    await vscode.window.showTextDocument(other);
    const last = await write("last.exo.yaml", "exoscope: 2\n");
    await until("the diagnostics of a later design", () => problems(last).length > 0);
    assert.deepEqual(problems(other), []);
  });
});
