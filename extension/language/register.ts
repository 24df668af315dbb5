import * as vscode from "vscode";
import { completion } from "./completion";
import { followActiveEditor } from "./context";
import { DESIGN_FILES } from "./designs";
import { Diagnostics } from "./diagnostics";
import { hover } from "./hover";
import { quickFixes } from "./quickFixes";
import { symbols } from "./symbols";

/** What a language server would do for design files, inline: problems, fixes, completion, hovers, the outline. */
export function registerLanguage(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    new Diagnostics(),
    followActiveEditor(),
    vscode.languages.registerCodeActionsProvider(DESIGN_FILES, quickFixes, { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] }),
    vscode.languages.registerCompletionItemProvider(DESIGN_FILES, completion, ".", " ", ":"),
    vscode.languages.registerHoverProvider(DESIGN_FILES, hover),
    vscode.languages.registerDocumentSymbolProvider(DESIGN_FILES, symbols, { label: "Exoscope" }),
  );
}
