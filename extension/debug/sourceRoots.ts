import * as vscode from "vscode";
import { findDefinition } from "./findDefinition";

interface Location {
  readonly path: string;
  readonly line: number;
}

/**
 * Finds the simulated system's functions in the user's checkouts of its source: the folders of `exoscope.sourceRoots`.
 * Reads a file only when a frame asks for it. Off in an untrusted workspace.
 */
export class SourceRoots implements vscode.Disposable {
  private readonly found = new Map<string, Promise<Location | undefined>>();
  private readonly subscription = vscode.Disposable.from(
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("exoscope.sourceRoots") && this.found.clear()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => this.found.clear()),
  );

  /** @param design The design, whose folder's settings count. */
  async locate(design: vscode.Uri, file: string, fn: string): Promise<Location | undefined> {
    if (!vscode.workspace.isTrusted) return undefined;
    const key = [design.toString(), file, fn].join("\n");
    let found = this.found.get(key);
    if (!found) this.found.set(key, (found = this.search(design, file, fn)));
    return found;
  }

  dispose(): void { this.subscription.dispose(); }

  private async search(design: vscode.Uri, file: string, fn: string): Promise<Location | undefined> {
    for (const root of roots(design)) {
      const uri = vscode.Uri.joinPath(root, file);
      const text = await vscode.workspace.fs.readFile(uri).then((bytes) => new TextDecoder().decode(bytes), () => undefined);
      if (text !== undefined) return { path: uri.scheme === "file" ? uri.fsPath : uri.toString(), line: findDefinition(text, fn) ?? 0 };
    }
    return undefined;
  }
}

function roots(design: vscode.Uri): vscode.Uri[] {
  const setting = vscode.workspace.getConfiguration("exoscope", design).get<unknown>("sourceRoots");
  const folder = vscode.workspace.getWorkspaceFolder(design)?.uri ?? vscode.Uri.joinPath(design, "..");
  const paths = Array.isArray(setting) ? setting.filter((root) => typeof root === "string" && root !== "") : [];
  return paths.map((root: string) => (/^([/\\]|[A-Za-z]:)/.test(root) ? vscode.Uri.file(root) : vscode.Uri.joinPath(folder, root)));
}
