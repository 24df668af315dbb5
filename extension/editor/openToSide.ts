import * as vscode from "vscode";
import { isDesign } from "./designText";

export const DIAGRAM_VIEW_TYPE = "exoscope.diagram";

/**
 * Opens the diagram of a design beside its text; shows the one that there is, if any.
 * @param preserveFocus leave the keyboard where it is.
 */
export async function openDiagramToSide(uri: vscode.Uri, preserveFocus: boolean): Promise<void> {
  const shown = diagramTab(uri);
  const viewColumn = shown?.group.viewColumn ?? vscode.ViewColumn.Beside;
  await vscode.commands.executeCommand("vscode.openWith", uri, DIAGRAM_VIEW_TYPE, { viewColumn, preserveFocus, preview: false });
}

/**
 * Opens the diagram when a design is opened as text and comes to the front; closing the diagram then closes it until the
 * text is opened anew.
 */
export function openDiagramsByThemselves(): vscode.Disposable {
  /** Opened, but not yet in front: VS Code tells one after the other. */
  const waiting = new Set<string>();
  const consider = (tab: vscode.Tab): void => {
    const uri = designOf(tab);
    if (!uri || !tab.isActive || !tab.group.isActive) return;
    waiting.delete(uri.toString());
    const wanted = vscode.workspace.getConfiguration("exoscope.diagram", uri).get<boolean>("openToSide", true);
    if (wanted && !diagramTab(uri)) void openDiagramToSide(uri, true);
  };
  const active = vscode.window.tabGroups.activeTabGroup.activeTab;
  if (active) consider(active);
  return vscode.window.tabGroups.onDidChangeTabs(({ opened, changed, closed }) => {
    for (const tab of closed) waiting.delete(designOf(tab)?.toString() ?? "");
    for (const tab of opened) {
      const uri = designOf(tab);
      if (uri) waiting.add(uri.toString());
      consider(tab);
    }
    for (const tab of changed) if (waiting.has(designOf(tab)?.toString() ?? "")) consider(tab);
  });
}

/** The design that a tab shows as text. */
function designOf(tab: vscode.Tab): vscode.Uri | undefined {
  return tab.input instanceof vscode.TabInputText && isDesign(tab.input.uri) ? tab.input.uri : undefined;
}

function diagramTab(uri: vscode.Uri): vscode.Tab | undefined {
  const key = uri.toString();
  return vscode.window.tabGroups.all.flatMap((group) => group.tabs).find(({ input }) =>
    input instanceof vscode.TabInputCustom && input.viewType === DIAGRAM_VIEW_TYPE && input.uri.toString() === key);
}
