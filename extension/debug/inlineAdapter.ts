import * as vscode from "vscode";
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { WorkerPort } from "../../protocol/session";
import { Adapter } from "./adapter/adapter";
import { showDebugView } from "./debugView";
import { designUri } from "./designs";
import { designOf } from "../language/designs";
import { readDesignFiles } from "../language/designFiles";
import { showProgress } from "./progress";
import type { Registry } from "./registry";
import { StopFocus } from "./stopFocus";
import { RunningSimulation } from "./runningSimulation";
import type { SourceRoots } from "./sourceRoots";

/** The adapter inside the extension host: gives it the editor's services and the editor its messages. */
export class InlineAdapter implements vscode.DebugAdapter {
  private readonly messages = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
  readonly onDidSendMessage = this.messages.event;
  private readonly adapter: Adapter;

  constructor(session: vscode.DebugSession, registry: Registry, sources: SourceRoots, startWorker: () => WorkerPort) {
    let simulation: RunningSimulation | undefined;
    let stopped = false;
    const focus = new StopFocus(session, designUri(String(session.configuration["program"])));
    const adapter = new Adapter({
      l10n: vscode.l10n,
      startWorker,
      readDesign,
      isSame: (path, program) => designUri(path).toString() === designUri(program).toString(),
      beforeStop: () => focus.before(),
      afterStop: (frame, origin) => {
        void focus.after(frame, origin);
        if (!stopped) void showDebugView(session);
        stopped = true;
      },
      locateFunction: (file, fn) => (simulation ? sources.locate(simulation.uri, file, fn) : Promise.resolve(undefined)),
      opened: (opened) => {
        simulation = new RunningSimulation(designUri(String(session.configuration["program"])), session, adapter, opened);
        registry.add(simulation);
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
    this.messages.dispose();
  }
}

/** @throws Error for people, where the file cannot be read. */
async function readDesign(program: string): Promise<{ text: string; files: Record<string, string> }> {
  try {
    const document = await vscode.workspace.openTextDocument(designUri(program));
    return { text: document.getText(), files: await readDesignFiles(document.uri, designOf(document).design) };
  } catch (error) {
    throw new Error(vscode.l10n.t("The design {0} cannot be read: {1}", program, error instanceof Error ? error.message : String(error)));
  }
}
