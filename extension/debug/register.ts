import * as vscode from "vscode";
import type { Simulations } from "./simulations";

export function registerDebug(_context: vscode.ExtensionContext): Simulations {
  return {
    active: undefined,
    onDidChangeActive: new vscode.EventEmitter<undefined>().event,
    of: () => undefined,
  };
}
