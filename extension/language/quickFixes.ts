import * as vscode from "vscode";
import { SOURCE } from "./diagnostics";
import { designOf, toRange } from "./designs";

/** Offers the fix that a problem brings along. */
export const quickFixes: vscode.CodeActionProvider = {
  provideCodeActions(document, _range, { diagnostics }) {
    const { problems } = designOf(document);
    return diagnostics.filter(({ source }) => source === SOURCE).flatMap((diagnostic) => {
      // The text may have moved since the diagnostic was shown; only a fix for the present text is safe.
      const problem = problems.find(({ code, message, range }) => code === diagnostic.code && message === diagnostic.message && toRange(document, range).isEqual(diagnostic.range));
      if (!problem?.fix) return [];
      const action = new vscode.CodeAction(problem.fix.title, vscode.CodeActionKind.QuickFix);
      action.diagnostics = [diagnostic];
      action.isPreferred = true;
      action.edit = new vscode.WorkspaceEdit();
      for (const { range, text } of problem.fix.edits) action.edit.replace(document.uri, toRange(document, range), text);
      return [action];
    });
  },
};
