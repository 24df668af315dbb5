import * as vscode from "vscode";
import { diagramViewType } from "./designs";

/**
 * Puts a design's text on the screen, in a column of its own, without taking the focus. A stop then finds it there and
 * does not open it over the diagram.
 */
export async function revealText(uri: vscode.Uri): Promise<void> {
  const key = uri.toString();
  if (vscode.window.visibleTextEditors.some((editor) => editor.document.uri.toString() === key && editor.viewColumn !== undefined)) return;
  const groups = vscode.window.tabGroups.all;
  const withoutDiagram = groups.filter((group) => !showsDiagram(group));
  const holding = withoutDiagram.find((group) => group.tabs.some((tab) => tab.input instanceof vscode.TabInputText && tab.input.uri.toString() === key));
  const viewColumn = (holding ?? withoutDiagram[0])?.viewColumn ?? vscode.ViewColumn.Beside;
  await vscode.window.showTextDocument(uri, { viewColumn, preserveFocus: true, preview: false });
}

function showsDiagram(group: vscode.TabGroup): boolean {
  const input = group.activeTab?.input;
  return input instanceof vscode.TabInputCustom && input.viewType === diagramViewType;
}
