import * as vscode from "vscode";
import { TraceEditor } from "./traceEditor";
import { TraceFiles } from "./traceFiles";
import { isTrace, TRACE_SCHEME } from "./traceUri";
import { runConfiguration } from "../debug/configuration";

/** Trace files: what they say when they are opened, the designs in them, and the command that steps through one. */
export function registerTraces(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.workspace.registerFileSystemProvider(TRACE_SCHEME, new TraceFiles(), { isReadonly: true, isCaseSensitive: true }),
    vscode.window.registerCustomEditorProvider("exoscope.trace", new TraceEditor(context.extensionUri)),
    vscode.commands.registerCommand("exoscope.openTrace", (uri?: unknown) => openTrace(uri instanceof vscode.Uri && isTrace(uri) ? uri : undefined)),
  );
}

async function openTrace(given: vscode.Uri | undefined): Promise<boolean> {
  const uri = given ?? shownTrace() ?? (await pick());
  return uri !== undefined && vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(uri), runConfiguration(uri));
}

/** The trace in the active tab. */
function shownTrace(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom && isTrace(input.uri) ? input.uri : undefined;
}

async function pick(): Promise<vscode.Uri | undefined> {
  const [picked] = (await vscode.window.showOpenDialog({
    title: vscode.l10n.t("Open Trace"), openLabel: vscode.l10n.t("Open"), filters: { [vscode.l10n.t("Exoscope trace")]: ["exotrace"] },
  })) ?? [];
  return picked;
}
