import * as vscode from "vscode";
import type { Problem } from "../../engine/design/model";
import { designOf, isDesign, toRange } from "./designs";

/** Between two keystrokes nobody reads problems. */
const QUIET_MILLISECONDS = 200;

const SEVERITIES = {
  error: vscode.DiagnosticSeverity.Error, warning: vscode.DiagnosticSeverity.Warning, info: vscode.DiagnosticSeverity.Information,
} as const;

/** Shows the problems of every open design at their ranges, and keeps them in step with the text. */
export class Diagnostics implements vscode.Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection("exoscope");
  private readonly waiting = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly listeners: vscode.Disposable[];

  constructor() {
    this.listeners = [
      vscode.workspace.onDidOpenTextDocument((document) => this.show(document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.later(document)),
      vscode.workspace.onDidCloseTextDocument((document) => this.forget(document)),
    ];
    for (const document of vscode.workspace.textDocuments) this.show(document);
  }

  private later(document: vscode.TextDocument): void {
    if (!isDesign(document.uri)) return;
    const key = document.uri.toString();
    clearTimeout(this.waiting.get(key));
    this.waiting.set(key, setTimeout(() => this.show(document), QUIET_MILLISECONDS));
  }

  private show(document: vscode.TextDocument): void {
    if (!isDesign(document.uri)) return;
    this.cancel(document);
    if (document.isClosed) return;
    const { problems } = designOf(document);
    this.collection.set(document.uri, problems.map((problem) => toDiagnostic(document, problem)));
  }

  private forget(document: vscode.TextDocument): void {
    this.cancel(document);
    this.collection.delete(document.uri);
  }

  private cancel(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    clearTimeout(this.waiting.get(key));
    this.waiting.delete(key);
  }

  dispose(): void {
    for (const timer of this.waiting.values()) clearTimeout(timer);
    this.listeners.forEach((listener) => listener.dispose());
    this.collection.dispose();
  }
}

export const SOURCE = "exoscope";

function toDiagnostic(document: vscode.TextDocument, { severity, code, message, range }: Problem): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(toRange(document, range), message, SEVERITIES[severity]);
  diagnostic.source = SOURCE;
  diagnostic.code = code;
  return diagnostic;
}
