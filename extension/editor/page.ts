import * as vscode from "vscode";
import type { DiagramBoot } from "../../protocol/diagram";
import { DIAGRAM_STRINGS } from "../../protocol/diagramStrings";
import { localised, webviewFile, webviewPage } from "../webview/page";

/** The diagram's HTML. */
export function diagramPage(webview: vscode.Webview, extension: vscode.Uri): string {
  const boot: DiagramBoot = { strings: localised(DIAGRAM_STRINGS), elkWorker: webviewFile(webview, extension, "elkWorker.js") };
  return webviewPage(webview, extension, { name: "diagram", title: vscode.l10n.t("Exoscope Diagram"), data: { boot }, workers: true });
}
