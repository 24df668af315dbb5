import * as vscode from "vscode";
import { parseDesign } from "../../engine/design/parse";
import { formatTime } from "../../engine/session/format";
import type { FromTrace, TracePage } from "../../protocol/trace";
import { readRun } from "../platform/node/readRun";
import { webviewPage } from "../webview/page";
import { designOfTrace } from "./traceUri";

/** What is seen when a trace file is opened: what ran, and the way into it. */
export class TraceEditor implements vscode.CustomReadonlyEditorProvider {
  constructor(private readonly extension: vscode.Uri) {}

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  resolveCustomEditor({ uri }: vscode.CustomDocument, { webview }: vscode.WebviewPanel): void {
    webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(this.extension, "dist", "webview")] };
    webview.onDidReceiveMessage((message: FromTrace) => {
      if (message.type === "step") void vscode.commands.executeCommand("exoscope.openTrace", uri);
      else void vscode.window.showTextDocument(designOfTrace(uri), { viewColumn: vscode.ViewColumn.Beside });
    });
    const page = pageOf(uri);
    webview.html = webviewPage(webview, this.extension, { name: "trace", title: page.title, data: { page }, workers: false });
  }
}

function pageOf(uri: vscode.Uri): TracePage {
  const title = vscode.l10n.t("Trace {0}", uri.path.slice(uri.path.lastIndexOf("/") + 1));
  if (uri.scheme !== "file") return { title, details: [], note: vscode.l10n.t("A trace is read piece by piece, which needs a file of this computer."), buttons: undefined };
  try {
    const { head, rows, finished, size } = readRun(uri.fsPath);
    return {
      title,
      details: [
        { label: vscode.l10n.t("design"), value: parseDesign(head.design).design?.name ?? "" },
        { label: vscode.l10n.t("simulated time"), value: formatTime(head.run.until) },
        { label: vscode.l10n.t("seed"), value: String(head.run.seed) },
        { label: vscode.l10n.t("events"), value: rows.toLocaleString(vscode.env.language) },
        { label: vscode.l10n.t("size"), value: vscode.l10n.t("{0} MB", (size / 1e6).toFixed(1)) },
        { label: vscode.l10n.t("written by"), value: vscode.l10n.t("Exoscope {0}", head.engine) },
      ],
      note: finished ? "" : vscode.l10n.t("The run did not come to its end. Its events can be stepped through; the state between them, and packets, are not in the file."),
      buttons: { step: vscode.l10n.t("Step Through the Run"), design: vscode.l10n.t("Show the Design") },
    };
  } catch (error) {
    return { title, details: [], note: error instanceof Error ? error.message : String(error), buttons: undefined };
  }
}
