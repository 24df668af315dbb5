import * as vscode from "vscode";
import { setPins } from "../../engine/design/edit";
import type { Outcome } from "./moveUplink";
import { textRange } from "./designText";
import { readOnlyReason } from "./readOnly";

/**
 * Writes pins into the design, or takes them out of it, as one edit, which VS Code's undo takes back as one.
 * @param pins by path; undefined: none.
 * @param message what to say if it worked.
 */
export async function applyPins(document: vscode.TextDocument, pins: ReadonlyMap<string, { readonly x: number; readonly y: number } | undefined>, message: string): Promise<Outcome> {
  const readOnly = await readOnlyReason(document);
  if (readOnly !== undefined) return { ok: false, message: readOnly };
  const edits = setPins(document.getText(), pins);
  if (!Array.isArray(edits)) return { ok: false, message: edits.message };
  const change = new vscode.WorkspaceEdit();
  for (const edit of edits) change.replace(document.uri, textRange(document, edit.range), edit.text);
  if (edits.length > 0 && !(await vscode.workspace.applyEdit(change))) return { ok: false, message: vscode.l10n.t("VS Code did not accept the edit: the file may be read-only.") };
  return { ok: true, message };
}
