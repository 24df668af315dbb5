import * as vscode from "vscode";

/** A page of one of our webviews. */
export interface Page {
  /** Name of its bundle and its sheet in `dist/webview`, and id of its one element. */
  readonly name: string;
  readonly title: string;
  /** What the page starts with, as data attributes of that element; values become JSON. */
  readonly data: Readonly<Record<string, unknown>>;
  /** It runs workers: from blobs, of files that it fetches. */
  readonly workers: boolean;
}

/** The address of a file of `dist/webview` in a webview. */
export function webviewFile(webview: vscode.Webview, extension: vscode.Uri, name: string): string {
  return webview.asWebviewUri(vscode.Uri.joinPath(extension, "dist", "webview", name)).toString();
}

/** A page's HTML: nothing inline runs, nothing is fetched but our own files. */
export function webviewPage(webview: vscode.Webview, extension: vscode.Uri, { name, title, data, workers }: Page): string {
  const file = (of: string): string => webviewFile(webview, extension, of);
  // 128 random bits; `crypto` is a global in Node as in the browser.
  const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    // The sheets are files; the toolkit adds a style element of its own, with the nonce that it finds in the page.
    `style-src ${webview.cspSource} 'nonce-${nonce}'`,
    `font-src ${webview.cspSource}`,
    ...(workers ? [`connect-src ${webview.cspSource}`, "worker-src blob:"] : []),
  ].join("; ");
  const attributes = Object.entries(data).map(([key, value]) => ` data-${key}="${escaped(JSON.stringify(value))}"`).join("");
  return `<!DOCTYPE html>
<html lang="${escaped(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta property="csp-nonce" content="${nonce}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="stylesheet" href="${file("codicon.css")}">
<link rel="stylesheet" href="${file(`${name}.css`)}">
</head>
<body>
<main id="${name}"${attributes}></main>
<script nonce="${nonce}" src="${file(`${name}.js`)}"></script>
</body>
</html>`;
}

/** A table of English strings in the user's language. */
export function localised<T extends Readonly<Record<string, string>>>(strings: T): Readonly<Record<keyof T, string>> {
  const result = {} as Record<keyof T, string>;
  for (const key of Object.keys(strings) as (keyof T)[]) result[key] = vscode.l10n.t(strings[key]!);
  return result;
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
