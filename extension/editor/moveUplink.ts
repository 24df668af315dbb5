import * as vscode from "vscode";
import { moveUplink } from "../../engine/design/edit";
import type { Design } from "../../engine/design/model";
import { parseDesign } from "../../engine/design/parse";
import { textRange } from "./designText";
import { readOnlyReason } from "./readOnly";
import { movableUplinks, moveTargets, type Uplink } from "./moveTargets";

export type Outcome = { readonly ok: true; readonly message: string } | { readonly ok: false; readonly message: string };

/**
 * Moves an uplink as one edit, which VS Code's undo takes back as one.
 * @param uplink path of the interface in use.
 * @param target path of a PCI function, a server component or a device.
 */
export async function applyMove(document: vscode.TextDocument, uplink: string, target: string): Promise<Outcome> {
  const readOnly = await readOnlyReason(document);
  if (readOnly !== undefined) return { ok: false, message: readOnly };
  const text = document.getText();
  const { design } = parseDesign(text);
  const found = design && movableUplinks(design).find((each) => each.path === uplink);
  if (!design || !found) return { ok: false, message: vscode.l10n.t("The file no longer has an uplink {0}.", uplink) };
  const edits = moveUplink(text, design, found.domain.path, target);
  if (!Array.isArray(edits)) return { ok: false, message: edits.message };
  if (edits.length === 0) return { ok: false, message: vscode.l10n.t("The uplink of {0} is there already.", found.domain.id) };
  const change = new vscode.WorkspaceEdit();
  for (const edit of edits) change.replace(document.uri, textRange(document, edit.range), edit.text);
  if (!(await vscode.workspace.applyEdit(change))) return { ok: false, message: vscode.l10n.t("VS Code did not accept the edit: the file may be read-only.") };
  return { ok: true, message: vscode.l10n.t("{0} now uses {1}.", found.domain.id, target) };
}

/** Lets the user choose the uplink (unless `path` names it) and its target from VS Code's own lists, and moves it. */
export async function pickAndMove(document: vscode.TextDocument, path: string | undefined): Promise<Outcome | undefined> {
  const readOnly = await readOnlyReason(document);
  if (readOnly !== undefined) return { ok: false, message: readOnly };
  const { design } = parseDesign(document.getText());
  const uplinks = design ? movableUplinks(design) : [];
  const named = uplinks.find((each) => each.path === path || each.domain.path === path);
  if (!design || uplinks.length === 0) return { ok: false, message: vscode.l10n.t("This design has no application with an uplink to move.") };
  const uplink = named ?? (await pickUplink(uplinks));
  const target = uplink && (await pickTarget(design, uplink));
  return uplink && target !== undefined ? applyMove(document, uplink.path, target) : undefined;
}

async function pickUplink(uplinks: readonly Uplink[]): Promise<Uplink | undefined> {
  const items = uplinks.map((uplink) => {
    const component = uplink.domain.components.find((each) => each.path === uplink.path);
    return { label: uplink.domain.id, description: `${component?.id ?? ""} → ${component?.bind ?? component?.channel ?? ""}`, uplink };
  });
  const picked = await vscode.window.showQuickPick(items, { title: vscode.l10n.t("Move Uplink"), placeHolder: vscode.l10n.t("The application whose uplink to move") });
  return picked?.uplink;
}

interface TargetItem extends vscode.QuickPickItem {
  readonly path?: string;
  readonly refusal?: string | undefined;
}

async function pickTarget(design: Design, uplink: Uplink): Promise<string | undefined> {
  const targets = moveTargets(design, uplink, vscode.l10n.t).filter((target) => !uplink.host.devices.some((device) => device.path === target.path));
  const current = targets.filter((target) => target.current);
  const possible = targets.filter((target) => !target.current && target.refusal === undefined);
  const refused = targets.filter((target) => !target.current && target.refusal !== undefined);
  const items: TargetItem[] = [
    ...possible.map((target) => ({ label: target.label, description: target.path, path: target.path })),
    ...current.map((target) => ({ label: target.label, description: vscode.l10n.t("where it is now"), refusal: vscode.l10n.t("The uplink of {0} is there already.", uplink.domain.id) })),
    ...(refused.length > 0 ? [{ label: vscode.l10n.t("not possible"), kind: vscode.QuickPickItemKind.Separator }] : []),
    ...refused.map((target) => ({ label: `$(circle-slash) ${target.label}`, detail: target.refusal ?? "", refusal: target.refusal })),
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t("Move the uplink of {0} to", uplink.domain.id), placeHolder: vscode.l10n.t("A PCI function or a network server"), matchOnDetail: true,
  });
  if (picked?.refusal !== undefined) void vscode.window.showWarningMessage(picked.refusal);
  return picked?.path;
}
