import * as vscode from "vscode";
import type { DiagramBoot } from "../../protocol/diagram";
import { DIAGRAM_STRINGS, type DiagramStrings } from "../../protocol/diagramStrings";

/** The diagram's HTML: nothing inline runs, nothing is fetched but our own files. */
export function diagramPage(webview: vscode.Webview, extension: vscode.Uri): string {
  const file = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(extension, "dist", "webview", name)).toString();
  const boot: DiagramBoot = { strings: localised(), elkWorker: file("elkWorker.js") };
  const nonce = makeNonce();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    // The sheets are files; the toolkit adds a style element of its own, with the nonce that it finds in the page.
    `style-src ${webview.cspSource} 'nonce-${nonce}'`,
    `font-src ${webview.cspSource}`,
    `connect-src ${webview.cspSource}`,
    "worker-src blob:",
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="${attribute(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta property="csp-nonce" content="${nonce}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${attribute(vscode.l10n.t("Exoscope Diagram"))}</title>
<link rel="stylesheet" href="${file("codicon.css")}">
<link rel="stylesheet" href="${file("diagram.css")}">
</head>
<body>
<main id="diagram" data-boot="${attribute(JSON.stringify(boot))}"></main>
<script nonce="${nonce}" src="${file("diagram.js")}"></script>
</body>
</html>`;
}

/** 128 random bits. `crypto` is a global in Node as in the browser. */
function makeNonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function attribute(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function localised(): DiagramStrings {
  const strings: Record<string, string> = {};
  for (const [key, english] of Object.entries(DIAGRAM_STRINGS)) strings[key] = vscode.l10n.t(english);
  return { ...DIAGRAM_STRINGS, ...strings };
}
