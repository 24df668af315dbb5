import * as vscode from "vscode";
import { explain } from "../../engine/design/language/explain";
import { toRange } from "./designs";

/** What a word means, and what it was resolved to. */
export const hover: vscode.HoverProvider = {
  provideHover(document, position) {
    const found = explain(document.getText(), document.offsetAt(position));
    if (!found) return undefined;
    const facts = found.facts.map(({ name, value }) => `- ${translated(name)}: ${plain(value)}`);
    const text = new vscode.MarkdownString([`**${plain(found.title)}**`, found.doc, facts.join("\n")].filter((part) => part !== "").join("\n\n"));
    return new vscode.Hover(text, toRange(document, found.range));
  },
};

/** Words of the file as they are. (`appendText` would make every space one that does not wrap.) */
function plain(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-!|<>~&]/g, "\\$&");
}

/** Names of facts that are words, not keys of the file. */
function translated(name: string): string {
  switch (name) {
    case "default": return vscode.l10n.t("default");
    case "bytes": return vscode.l10n.t("bytes");
    case "picoseconds": return vscode.l10n.t("picoseconds");
    case "bits per second": return vscode.l10n.t("bits per second");
    case "path": return vscode.l10n.t("path");
    case "bound to": return vscode.l10n.t("bound to");
    case "channel to": return vscode.l10n.t("channel to");
    case "kind": return vscode.l10n.t("kind");
    case "uplink": return vscode.l10n.t("uplink");
    default: return name;
  }
}
