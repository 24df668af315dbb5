import * as vscode from "vscode";
import { TIMELINE_STRINGS } from "../../protocol/timelineStrings";

/** The timeline's HTML: nothing inline runs, nothing is fetched but our own files. */
export function timelinePage(webview: vscode.Webview, extension: vscode.Uri): string {
  const file = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(extension, "dist", "webview", name)).toString();
  const strings = Object.fromEntries(Object.entries(TIMELINE_STRINGS).map(([key, english]) => [key, vscode.l10n.t(english)]));
  const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    // The sheets are files; the toolkit adds a style element of its own, with the nonce that it finds in the page.
    `style-src ${webview.cspSource} 'nonce-${nonce}'`,
    `font-src ${webview.cspSource}`,
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="${attribute(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta property="csp-nonce" content="${nonce}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${attribute(vscode.l10n.t("Exoscope Timeline"))}</title>
<link rel="stylesheet" href="${file("codicon.css")}">
<link rel="stylesheet" href="${file("timeline.css")}">
</head>
<body>
<main id="timeline" data-strings="${attribute(JSON.stringify(strings))}"></main>
<script nonce="${nonce}" src="${file("timeline.js")}"></script>
</body>
</html>`;
}

function attribute(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
