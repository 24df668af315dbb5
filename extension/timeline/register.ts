import * as vscode from "vscode";
import type { TimelineAction } from "../../protocol/timeline";
import type { Simulations } from "../debug/simulations";
import { focusPage } from "../webview/focus";
import { TimelineSession } from "./timelineSession";

const VIEW = "exoscope.timeline";
const ACTIONS: readonly TimelineAction[] = ["zoomIn", "zoomOut", "fit", "zoomToSelection", "find"];

/** The timeline: a view in the panel, its commands, and that it opens by itself when a simulation starts. */
export function registerTimeline(context: vscode.ExtensionContext, simulations: Simulations): void {
  let session: TimelineSession | undefined;
  const provider: vscode.WebviewViewProvider = {
    resolveWebviewView: (view) => {
      const opened = new TimelineSession(view, context.extensionUri, simulations);
      session = opened;
      view.onDidDispose(() => {
        opened.dispose();
        if (session === opened) session = undefined;
      });
    },
  };
  context.subscriptions.push(
    vscode.window.registerWebviewViewProvider(VIEW, provider),
    vscode.commands.registerCommand("exoscope.showTimeline", () => focusPage(`${VIEW}.focus`, () => session?.post({ type: "focus" }))),
    ...ACTIONS.map((action) => vscode.commands.registerCommand(`${VIEW}.${action}`, () => session?.post({ type: "action", action }))),
    simulations.onDidChangeActive((simulation) => {
      const wanted = vscode.workspace.getConfiguration("exoscope").get("timeline.openOnStart", true);
      // The keyboard stays where it is: in the text, the diagram or the debug toolbar.
      if (simulation && wanted) void vscode.commands.executeCommand(`${VIEW}.focus`, { preserveFocus: true });
    }),
    { dispose: () => session?.dispose() },
  );
}
