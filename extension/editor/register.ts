import * as vscode from "vscode";
import type { Simulations } from "../debug/simulations";
import { focusPage } from "../webview/focus";
import { isDesign } from "./designText";
import { DiagramSession } from "./diagramSession";
import { pickAndMove } from "./moveUplink";
import { DIAGRAM_VIEW_TYPE, openDiagramsByThemselves, openDiagramToSide } from "./openToSide";
import { diagramPage } from "./page";
import { switchApplication } from "./switchApplication";

/** The diagram: a second editor of design files, beside their text. */
export function registerDiagram(context: vscode.ExtensionContext, simulations: Simulations): void {
  const editor = new DiagramEditor(context.extensionUri, simulations);
  context.subscriptions.push(
    vscode.window.registerCustomEditorProvider(DIAGRAM_VIEW_TYPE, editor, { supportsMultipleEditorsPerDocument: true }),
    vscode.commands.registerCommand("exoscope.openDiagramToSide", (uri?: vscode.Uri) => openForUser(uri)),
    // Not for users, who click: the debugger gives the keyboard back to the diagram in a column.
    vscode.commands.registerCommand("exoscope.focusDiagram", (column: vscode.ViewColumn) => editor.focus(column)),
    vscode.commands.registerCommand("exoscope.moveUplink", (menu?: unknown) => editor.moveUplink(menu)),
    vscode.commands.registerCommand("exoscope.unpin", (menu?: unknown) => editor.unpin(menu)),
    vscode.commands.registerCommand("exoscope.switchApplication", () => switchApplication(simulations)),
    openDiagramsByThemselves(),
  );
}

/** What makes a column's group the active one, from the first. */
const focusGroup = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth"].map((which) => `workbench.action.focus${which}EditorGroup`);

async function openForUser(uri: vscode.Uri | undefined): Promise<void> {
  const design = uri ?? vscode.window.activeTextEditor?.document.uri;
  if (design && isDesign(design)) await openDiagramToSide(design, false);
  else void vscode.window.showInformationMessage(vscode.l10n.t("Open a design file (*.exo.yaml) first."));
}

class DiagramEditor implements vscode.CustomTextEditorProvider {
  private readonly sessions = new Map<vscode.WebviewPanel, DiagramSession>();

  constructor(private readonly extension: vscode.Uri, private readonly simulations: Simulations) {}

  resolveCustomTextEditor(document: vscode.TextDocument, panel: vscode.WebviewPanel): void {
    panel.webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(this.extension, "dist", "webview")] };
    const session = new DiagramSession(document, panel, this.simulations);
    this.sessions.set(panel, session);
    panel.onDidDispose(() => {
      this.sessions.delete(panel);
      session.dispose();
    });
    panel.webview.html = diagramPage(panel.webview, this.extension);
  }

  /** Gives the keyboard to the diagram in a column. */
  async focus(column: vscode.ViewColumn): Promise<void> {
    const command = focusGroup[column - 1];
    if (command === undefined) return;
    await focusPage(command, () => [...this.sessions].find(([panel]) => panel.visible && panel.viewColumn === column)?.[1].focus());
  }

  /** @param menu as in `moveUplink` */
  async unpin(menu: unknown): Promise<void> {
    await this.active?.unpin(contextPath(menu));
  }

  private get active(): DiagramSession | undefined {
    return [...this.sessions].find(([panel]) => panel.active)?.[1];
  }

  /** @param menu what VS Code hands over from the webview's context menu: the `data-vscode-context` of the part. */
  async moveUplink(menu: unknown): Promise<void> {
    const path = contextPath(menu);
    const session = this.active;
    if (session) return session.pickTarget(path);
    const document = vscode.window.activeTextEditor?.document;
    if (!document || !isDesign(document.uri)) {
      void vscode.window.showInformationMessage(vscode.l10n.t("Open a design file (*.exo.yaml) first."));
      return;
    }
    const outcome = await pickAndMove(document, path);
    if (outcome && !outcome.ok) void vscode.window.showWarningMessage(outcome.message);
  }
}

function contextPath(menu: unknown): string | undefined {
  if (typeof menu !== "object" || menu === null || !("exoscopePath" in menu)) return undefined;
  return typeof menu.exoscopePath === "string" ? menu.exoscopePath : undefined;
}
