import * as vscode from "vscode";
import { attachFiles } from "../../engine/design/files";
import type { Design, Problem } from "../../engine/design/model";
import { readDesignFiles } from "./designFiles";
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
    const { problems, design, version } = designOf(document);
    this.collection.set(document.uri, problems.map((problem) => toDiagnostic(document, problem)));
    if (design !== undefined && design.files.length > 0) void this.showFiles(document, design, version);
  }

  /** Adds what is wrong with the files that a design names, once they have been read, unless the text is another by then. */
  private async showFiles(document: vscode.TextDocument, design: Design, version: number): Promise<void> {
    const texts = await readDesignFiles(document.uri, design);
    if (document.isClosed || document.version !== version) return;
    const { problems } = attachFiles(design, (name) => texts[name]);
    this.collection.set(document.uri, [...designOf(document).problems, ...problems].map((problem) => toDiagnostic(document, problem)));
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
