import * as vscode from "vscode";

/** The diagram's custom editor. */
export const diagramViewType = "exoscope.diagram";

/** Whether a file is a design, by its name. */
export function isDesign(uri: vscode.Uri): boolean {
  return /\.exo\.ya?ml$/i.test(uri.path);
}

/** A design's path as the debugger writes it: a file's own path, any other scheme as a URI. */
export function designPath(uri: vscode.Uri): string {
  return uri.scheme === "file" ? uri.fsPath : uri.toString();
}

export function designUri(path: string): vscode.Uri {
  return /^[a-z][a-z0-9+.-]+:\//i.test(path) ? vscode.Uri.parse(path) : vscode.Uri.file(path);
}

/** The design that a tab shows, as text or as diagram. */
export function designOfTab(tab: vscode.Tab | undefined): vscode.Uri | undefined {
  const input = tab?.input;
  if (!(input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom)) return undefined;
  return isDesign(input.uri) ? input.uri : undefined;
}

/** The design that the user is looking at: in the active tab, else the only one on the screen. */
export function activeDesign(): vscode.Uri | undefined {
  const active = designOfTab(vscode.window.tabGroups.activeTabGroup.activeTab);
  if (active) return active;
  const shown = new Map(shownDesigns().map((uri) => [uri.toString(), uri]));
  return shown.size === 1 ? [...shown.values()][0] : undefined;
}

/** Designs in the tabs on top of their groups. */
export function shownDesigns(): vscode.Uri[] {
  return vscode.window.tabGroups.all.flatMap((group) => designOfTab(group.activeTab) ?? []);
}

/** Keeps the context key `exoscope.designShown`, which gates breakpoints: the language of a design is plain YAML. */
export function trackShownDesigns(): vscode.Disposable {
  let shown: boolean | undefined;
  const update = (): void => {
    const now = shownDesigns().length > 0;
    if (now !== shown) void vscode.commands.executeCommand("setContext", "exoscope.designShown", (shown = now));
  };
  update();
  return vscode.Disposable.from(vscode.window.tabGroups.onDidChangeTabs(update), vscode.window.tabGroups.onDidChangeTabGroups(update));
}
