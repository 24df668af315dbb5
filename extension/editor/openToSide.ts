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

/** Opens the diagram when a design is opened as text; closing the diagram then closes it until the text is opened anew. */
export function openDiagramsByThemselves(): vscode.Disposable {
  const consider = (tabs: readonly vscode.Tab[]): void => {
    for (const tab of tabs) {
      const { input } = tab;
      if (!(input instanceof vscode.TabInputText) || !tab.isActive || !tab.group.isActive || !isDesign(input.uri)) continue;
      const wanted = vscode.workspace.getConfiguration("exoscope.diagram", input.uri).get<boolean>("openToSide", true);
      if (wanted && !diagramTab(input.uri)) void openDiagramToSide(input.uri, true);
    }
  };
  const active = vscode.window.tabGroups.activeTabGroup.activeTab;
  if (active) consider([active]);
  return vscode.window.tabGroups.onDidChangeTabs((event) => consider(event.opened));
}

function diagramTab(uri: vscode.Uri): vscode.Tab | undefined {
  const key = uri.toString();
  return vscode.window.tabGroups.all.flatMap((group) => group.tabs).find(({ input }) =>
    input instanceof vscode.TabInputCustom && input.viewType === DIAGRAM_VIEW_TYPE && input.uri.toString() === key);
}
