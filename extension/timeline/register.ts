import type * as vscode from "vscode";
import type { Simulations } from "../debug/simulations";

export function registerTimeline(_context: vscode.ExtensionContext, _simulations: Simulations): void {}
