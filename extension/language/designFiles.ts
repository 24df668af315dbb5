import * as vscode from "vscode";
import type { Design } from "../../engine/design/model";
import { filesOf } from "../../engine/design/files";

/** Reads the files that a design names, from its own folder on. @returns their texts by name; those that cannot be read are missing */
export async function readDesignFiles(uri: vscode.Uri, design: Design | undefined): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const name of design === undefined ? [] : filesOf(design)) {
    try {
      texts[name] = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(uri, "..", name)));
    } catch {
      // What is not there is a problem of the design, at the line that names it.
    }
  }
  return texts;
}
