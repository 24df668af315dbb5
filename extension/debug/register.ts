import * as vscode from "vscode";
import { startWorker } from "../platform/node/startWorker";
import { registerCommands } from "./commands";
import { configurationProvider, debugType, workspaceDesigns } from "./configuration";
import { trackShownDesigns } from "./designs";
import { hoverProvider } from "./hover";
import { InlineAdapter } from "./inlineAdapter";
import { Registry } from "./registry";
import type { Simulations } from "./simulations";
import { SourceRoots } from "./sourceRoots";

/** Registers the debugger; what it runs, the other views follow through the result. */
export function registerDebug(context: vscode.ExtensionContext): Simulations {
  const registry = new Registry();
  const sources = new SourceRoots();
  const workerFile = context.asAbsolutePath("dist/engineWorker.js");
  const explain = (reason: string): string => vscode.l10n.t("The simulation ended because its engine failed: {0}", reason);
  const factory: vscode.DebugAdapterDescriptorFactory = {
    createDebugAdapterDescriptor: (session) =>
      new vscode.DebugAdapterInlineImplementation(new InlineAdapter(session, registry, sources, () => startWorker(workerFile, explain))),
  };
  context.subscriptions.push(
    registry, sources, trackShownDesigns(), registerCommands(registry),
    vscode.debug.registerDebugAdapterDescriptorFactory(debugType, factory),
    vscode.debug.registerDebugConfigurationProvider(debugType, configurationProvider),
    vscode.debug.registerDebugConfigurationProvider(debugType, workspaceDesigns, vscode.DebugConfigurationProviderTriggerKind.Dynamic),
    vscode.debug.onDidTerminateDebugSession((session) => registry.remove(session)),
    vscode.languages.registerEvaluatableExpressionProvider({ language: "yaml", pattern: "**/*.exo.{yaml,yml}" }, hoverProvider(registry)),
  );
  return registry;
}
