import * as vscode from "vscode";
import type { Design, Part, Range } from "../../engine/design/model";
import { drawnParts } from "./marks";

/** Whether this is a design file by its name. */
export function isDesign(uri: vscode.Uri): boolean {
  return /\.exo\.ya?ml$/.test(uri.path);
}

export function textRange(document: vscode.TextDocument, range: Range): vscode.Range {
  return new vscode.Range(document.positionAt(range.start), document.positionAt(range.end));
}

/** The part of this path that the file spells: itself, or the nearest part around it (a VF stands in its device's line). */
export function spelledPart(design: Design, path: string): Part | undefined {
  const parts = new Map(drawnParts(design).map((part) => [part.path, part]));
  for (let at = path; ; at = at.slice(0, at.lastIndexOf("/"))) {
    const part = parts.get(at);
    if (part && part.range.start !== part.range.end) return part;
    if (!at.includes("/")) return undefined;
  }
}

/** Text editors that show this document now. */
export function visibleTextEditors(uri: vscode.Uri): vscode.TextEditor[] {
  const key = uri.toString();
  return vscode.window.visibleTextEditors.filter((editor) => editor.document.uri.toString() === key && editor.viewColumn !== undefined);
}

/**
 * Shows a place of the text in the editors that show the file, carets included, without moving the keyboard focus.
 * @returns the caret's new place, once for each editor that will report that it moved.
 */
export function revealQuietly(document: vscode.TextDocument, range: Range): vscode.Position[] {
  const place = textRange(document, range);
  const moved: vscode.Position[] = [];
  for (const editor of visibleTextEditors(document.uri)) {
    if (!editor.selection.isEqual(new vscode.Selection(place.start, place.start))) moved.push(place.start);
    editor.selection = new vscode.Selection(place.start, place.start);
    editor.revealRange(place, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }
  return moved;
}

/** Takes the user to a place of the text: in the column where it is shown, else in the first. */
export async function goTo(document: vscode.TextDocument, offset: number): Promise<void> {
  const shown = visibleTextEditors(document.uri)[0];
  const column = shown?.viewColumn ?? textColumn(document.uri) ?? vscode.ViewColumn.One;
  const at = document.positionAt(offset);
  await vscode.window.showTextDocument(document, { viewColumn: column, selection: new vscode.Range(at, at) });
}

/** The column of a text tab of the file that is there but not in front. */
function textColumn(uri: vscode.Uri): vscode.ViewColumn | undefined {
  const key = uri.toString();
  return vscode.window.tabGroups.all.find((group) =>
    group.tabs.some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === key))?.viewColumn;
}
