import * as vscode from "vscode";

/**
 * Why the diagram must not change this document: its file system or provider does not allow it, or the user's
 * `files.readonlyInclude` covers it. (An edit by an extension would pass where the text editor itself refuses to type.)
 * @returns undefined if it may.
 */
export async function readOnlyReason(document: vscode.TextDocument): Promise<string | undefined> {
  const { uri } = document;
  const name = vscode.workspace.asRelativePath(uri);
  if (vscode.workspace.fs.isWritableFileSystem(uri.scheme) === false) return vscode.l10n.t("{0} is read-only, so the diagram cannot change it.", name);
  try {
    const { permissions } = await vscode.workspace.fs.stat(uri);
    if (permissions !== undefined && (permissions & vscode.FilePermission.Readonly) !== 0) return vscode.l10n.t("{0} is read-only, so the diagram cannot change it.", name);
  } catch {
    // An untitled file, or one that is gone: the edit itself will tell.
  }
  const files = vscode.workspace.getConfiguration("files", uri);
  if (covers(files.get("readonlyInclude"), document) && !covers(files.get("readonlyExclude"), document)) {
    return vscode.l10n.t("{0} is read-only by the setting files.readonlyInclude, so the diagram cannot change it.", name);
  }
  return undefined;
}

/** Whether one of the globs that the setting turns on matches, from the root or from the workspace folder. */
function covers(setting: unknown, document: vscode.TextDocument): boolean {
  if (typeof setting !== "object" || setting === null) return false;
  const folder = vscode.workspace.getWorkspaceFolder(document.uri);
  return Object.entries(setting).some(([glob, on]) => {
    if (on !== true) return false;
    const patterns = [glob, ...(folder ? [new vscode.RelativePattern(folder, glob)] : [])];
    return patterns.some((pattern) => vscode.languages.match({ pattern }, document) > 0);
  });
}
