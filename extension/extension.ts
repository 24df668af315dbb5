import type * as vscode from "vscode";
import { registerDebug } from "./debug/register";
import { registerDiagram } from "./editor/register";
import { registerLanguage } from "./language/register";
import { registerTimeline } from "./timeline/register";
import { registerTraces } from "./traces/register";

/** Every part registers itself and knows the others only through {@link Simulations}. */
export function activate(context: vscode.ExtensionContext): void {
  registerLanguage(context);
  const simulations = registerDebug(context);
  registerDiagram(context, simulations);
  registerTimeline(context, simulations);
  registerTraces(context);
}
