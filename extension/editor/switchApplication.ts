import * as vscode from "vscode";
import { addSwitch, switchableDomains } from "../../engine/design/addSwitch";
import { parseDesign } from "../../engine/design/parse";
import { switchableUplinks } from "../../engine/design/switchable";
import { formatQuantity, readQuantity } from "../../engine/design/units";
import type { Simulations } from "../debug/simulations";
import { isDesign, textRange } from "./designText";
import { readOnlyReason } from "./readOnly";

/** “Switch Application…”: adds a switch to the design that is being edited, at the time where the debugger stands if it runs. */
export async function switchApplication(simulations: Simulations): Promise<void> {
  const uri = simulations.active?.uri ?? vscode.window.activeTextEditor?.document.uri;
  if (!uri || !isDesign(uri)) {
    void vscode.window.showInformationMessage(vscode.l10n.t("Open a design file (*.exo.yaml) first."));
    return;
  }
  const refused = await pickAndAdd(await vscode.workspace.openTextDocument(uri), simulations.of(uri)?.cursor?.time);
  if (refused !== undefined) void vscode.window.showWarningMessage(refused);
}

/** @param now where the debugger stands, picoseconds @returns why nothing was added, where that is to be told */
async function pickAndAdd(document: vscode.TextDocument, now: number | undefined): Promise<string | undefined> {
  const readOnly = await readOnlyReason(document);
  if (readOnly !== undefined) return readOnly;
  const { design } = parseDesign(document.getText());
  const domains = design ? switchableDomains(design) : [];
  if (!design || domains.length === 0) return vscode.l10n.t("This design has no application that can switch: one needs a VIF and a driver among its uplinks.");
  const domain = domains.length === 1 ? domains[0] : (await vscode.window.showQuickPick(
    domains.map((each) => ({ label: each.id, description: each.activeUplink ?? "", domain: each })),
    { title: vscode.l10n.t("Switch Application"), placeHolder: vscode.l10n.t("The application whose uplink to switch") },
  ))?.domain;
  const uplinks = domain && switchableUplinks(domain);
  if (!domain || !uplinks) return undefined;
  const target = await vscode.window.showQuickPick(
    [
      ...uplinks.drivers.map(({ id, path, bind }) => ({ label: vscode.l10n.t("direct access, by {0}", id), description: bind ?? "", path })),
      { label: vscode.l10n.t("through the network server"), description: uplinks.vif.channel ?? "", path: uplinks.vif.path },
    ],
    { title: vscode.l10n.t("Switch {0} to", domain.id) },
  );
  if (!target) return undefined;
  const time = await vscode.window.showInputBox({
    title: vscode.l10n.t("Switch {0} at", domain.id), prompt: vscode.l10n.t("Simulated time, such as 100ms"), value: now === undefined ? "100ms" : formatQuantity("time", now),
    validateInput: (value) => {
      const reading = readQuantity("time", value);
      return "failure" in reading ? reading.message : undefined;
    },
  });
  const at = time === undefined ? undefined : readQuantity("time", time);
  if (at === undefined || "failure" in at) return undefined;
  const edits = addSwitch(document.getText(), design, domain.path, target.path, at.value);
  if (!Array.isArray(edits)) return edits.message;
  const change = new vscode.WorkspaceEdit();
  for (const edit of edits) change.replace(document.uri, textRange(document, edit.range), edit.text);
  return (await vscode.workspace.applyEdit(change)) ? undefined : vscode.l10n.t("VS Code did not accept the edit: the file may be read-only.");
}
