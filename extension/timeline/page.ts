import * as vscode from "vscode";
import { TIMELINE_STRINGS } from "../../protocol/timelineStrings";
import { localised, webviewPage } from "../webview/page";

/** The timeline's HTML. */
export function timelinePage(webview: vscode.Webview, extension: vscode.Uri): string {
  const data = { strings: localised(TIMELINE_STRINGS) };
  return webviewPage(webview, extension, { name: "timeline", title: vscode.l10n.t("Exoscope Timeline"), data, workers: false });
}
