import * as vscode from "vscode";
import { complete } from "../../engine/design/language/complete";
import type { Completion } from "../../engine/design/language/complete";
import { toRange } from "./designs";

const KINDS: Readonly<Record<Completion["kind"], vscode.CompletionItemKind>> = {
  key: vscode.CompletionItemKind.Property, component: vscode.CompletionItemKind.Module, workload: vscode.CompletionItemKind.Event,
  value: vscode.CompletionItemKind.EnumMember, reference: vscode.CompletionItemKind.Reference, unit: vscode.CompletionItemKind.Unit,
};

/** Keys, component types, free functions, servers with room, units: what the design's vocabulary has for the caret. */
export const completion: vscode.CompletionItemProvider = {
  provideCompletionItems(document, position) {
    return complete(document.getText(), document.offsetAt(position)).map((found, order) => {
      const item = new vscode.CompletionItem({ label: found.label, description: found.detail }, KINDS[found.kind]);
      item.documentation = new vscode.MarkdownString(found.doc);
      item.range = toRange(document, found.range);
      item.insertText = snippet(found.insert);
      // The engine's order says what fits best; the editor would sort by name.
      item.sortText = String(order).padStart(4, "0");
      if (found.more) item.command = { command: "editor.action.triggerSuggest", title: vscode.l10n.t("Suggest") };
      return item;
    });
  },
};

function snippet(insert: string): vscode.SnippetString {
  const result = new vscode.SnippetString();
  const [before = "", after] = insert.split("|");
  result.appendText(before);
  if (after !== undefined) result.appendTabstop(0).appendText(after);
  return result;
}
