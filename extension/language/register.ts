import type * as vscode from "vscode";

export function registerLanguage(_context: vscode.ExtensionContext): void {}
