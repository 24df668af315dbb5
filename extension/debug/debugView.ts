import * as vscode from "vscode";

/**
 * Opens Run and Debug beside the first stop, and leaves the keyboard where it is. VS Code does so by itself at
 * breakpoints only, and a simulation's first stop is its first event.
 * @param session where `debug.openDebug` says anything but `openOnDebugBreak`, VS Code itself has done what the user wants.
 */
export async function showDebugView(session: vscode.DebugSession): Promise<void> {
  const { suppressDebugView, noDebug } = session.configuration;
  const wanted = vscode.workspace.getConfiguration("debug").get<string>("openDebug") === "openOnDebugBreak";
  if (!wanted || suppressDebugView === true || noDebug === true) return;
  await vscode.commands.executeCommand("workbench.debug.action.focusCallStackView", { preserveFocus: true });
}
