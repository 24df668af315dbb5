import * as vscode from "vscode";
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { OpenParams, WorkerPort } from "../../protocol/session";
import { Adapter } from "./adapter/adapter";
import { showDebugView } from "./debugView";
import { designPath, designUri } from "./designs";
import { designOf } from "../language/designs";
import { readDesignFiles } from "../language/designFiles";
import { showProgress } from "./progress";
import type { Registry } from "./registry";
import { StopFocus } from "./stopFocus";
import { RunningSimulation } from "./runningSimulation";
import type { SourceRoots } from "./sourceRoots";
import { designOfTrace, isTrace } from "../traces/traceUri";

/** The adapter inside the extension host: gives it the editor's services and the editor its messages. */
export class InlineAdapter implements vscode.DebugAdapter {
  private readonly messages = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
  readonly onDidSendMessage = this.messages.event;
  private readonly adapter: Adapter;
  private readonly focus: StopFocus;

  constructor(session: vscode.DebugSession, registry: Registry, sources: SourceRoots, startWorker: () => WorkerPort) {
    let simulation: RunningSimulation | undefined;
    let stopped = false;
    const design = shownDesign(String(session.configuration["program"]));
    const focus = new StopFocus(session, design, registry.timelineKeyboard);
    this.focus = focus;
    const adapter = new Adapter({
      l10n: vscode.l10n,
      startWorker,
      read,
      isSame: (path, source) => designUri(path).toString() === designUri(source).toString(),
      beforeStop: () => focus.before(),
      afterStop: (frame, origin) => {
        void focus.after(frame, origin);
        if (!stopped) void showDebugView(session);
        stopped = true;
      },
      locateFunction: (file, fn) => (simulation ? sources.locate(simulation.uri, file, fn) : Promise.resolve(undefined)),
      opened: (opened) => {
        simulation = new RunningSimulation(design, session, adapter, opened);
        registry.add(simulation);
        if (opened.design.rowsOnly !== undefined) void vscode.window.showWarningMessage(opened.design.rowsOnly);
      },
      moving: (done, stop) => void showProgress(done, stop, () => simulation),
      moved: (view, origin) => simulation?.moved(view, origin),
      ended: (message) => {
        registry.remove(session);
        if (message !== undefined) void vscode.window.showErrorMessage(message);
      },
    }, (message) => this.messages.fire(message));
    this.adapter = adapter;
  }

  handleMessage(message: vscode.DebugProtocolMessage): void {
    // The editor hands over the protocol's messages under a name of its own that says nothing of their shape.
    void this.adapter.receive(message as DebugProtocol.ProtocolMessage);
  }

  dispose(): void {
    this.adapter.dispose();
    this.focus.dispose();
    this.messages.dispose();
  }
}

/** The design that a session shows: of a trace, the one that ran. */
function shownDesign(program: string): vscode.Uri {
  const uri = designUri(program);
  return isTrace(uri) ? designOfTrace(uri) : uri;
}

/** @throws Error for people, where the file cannot be read. */
async function read(program: string): Promise<{ source: string; open: OpenParams }> {
  const uri = designUri(program);
  const source = designPath(shownDesign(program));
  if (isTrace(uri)) {
    if (uri.scheme !== "file") throw new Error(vscode.l10n.t("A trace is read piece by piece, which needs a file of this computer."));
    return { source, open: { trace: uri.fsPath } };
  }
  try {
    const document = await vscode.workspace.openTextDocument(uri);
    return { source, open: { text: document.getText(), files: await readDesignFiles(document.uri, designOf(document).design) } };
  } catch (error) {
    throw new Error(vscode.l10n.t("The design {0} cannot be read: {1}", program, error instanceof Error ? error.message : String(error)));
  }
}
