import * as vscode from "vscode";
import { isDesign } from "./designs";

/** Keeps the context key `exoscope.isDesign`: whether the active text editor shows a design. */
export function followActiveEditor(): vscode.Disposable {
  const update = (editor: vscode.TextEditor | undefined) =>
    vscode.commands.executeCommand("setContext", "exoscope.isDesign", editor !== undefined && isDesign(editor.document.uri));
  void update(vscode.window.activeTextEditor);
  return vscode.window.onDidChangeActiveTextEditor(update);
}
