import type * as vscode from "vscode";
import type { Simulations } from "../debug/simulations";

export function registerDiagram(_context: vscode.ExtensionContext, _simulations: Simulations): void {}
