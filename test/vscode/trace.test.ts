import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import type { DebugProtocol } from "@vscode/debugprotocol";
import * as vscode from "vscode";
import { NodeFile } from "../../engine/cli/nodeFile";
import { keepRun } from "../support/keptRun";

type Stop = DebugProtocol.StoppedEvent["body"];

describe("A trace file", () => {
  let design: vscode.Uri;
  let text: string;
  let rows: number;
  let subscription: vscode.Disposable;
  const stops: Stop[] = [];
  /** The session that stopped last: the one before may be the active one until VS Code has put it away. */
  let stopped: vscode.DebugSession | undefined;
  const failures: string[] = [];
  const file = (name: string): vscode.Uri => vscode.Uri.joinPath(design, "..", name);

  before(async () => {
    const [found] = await vscode.workspace.findFiles("workloads/ping.exo.yaml");
    assert.ok(found);
    design = found;
    text = (await vscode.workspace.openTextDocument(design)).getText();
    const write = (name: string, end: boolean): number => {
      const kept = NodeFile.create(file(name).fsPath);
      const { engine } = keepRun(kept, text, end);
      kept.close();
      return engine.rows;
    };
    rows = write("whole.exotrace", true);
    write("killed.exotrace", false);
    writeFileSync(file("none.exotrace").fsPath, "what is this?");
    subscription = vscode.debug.registerDebugAdapterTrackerFactory("exoscope", {
      createDebugAdapterTracker: (session) => ({
        onDidSendMessage(message: DebugProtocol.Event | DebugProtocol.Response) {
          if (message.type === "event" && "event" in message && message.event === "stopped") {
            stopped = session;
            stops.push(message.body);
          }
          if (message.type === "response" && "success" in message && !message.success) failures.push(message.message ?? "");
        },
      }),
    });
  });
  after(() => subscription.dispose());
  afterEach(async () => {
    await vscode.debug.stopDebugging();
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    stops.length = failures.length = 0;
  });

  const delay = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
  async function eventually<T>(ask: () => T | undefined | false, what: string): Promise<T> {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await delay(20)) {
      const answer = ask();
      if (answer !== undefined && answer !== false) return answer;
    }
    throw new Error(`Expected that ${what}.`);
  }

  /** Opens a trace as the explorer's menu does. @returns the session at its first stop */
  async function open(name: string): Promise<vscode.DebugSession> {
    assert.equal(await vscode.commands.executeCommand("exoscope.openTrace", file(name)), true);
    await eventually(() => stops[0], "the debugger stops at the first event");
    assert.ok(stopped);
    return stopped;
  }

  /** VS Code's commands step from the frame that it has in focus. */
  const isAt = (row: number): Promise<boolean> => eventually(() => vscode.debug.activeStackItem instanceof vscode.DebugStackFrame && vscode.debug.activeStackItem.frameId === row, `row ${row} has the focus`);

  async function ask<Body>(session: vscode.DebugSession, request: string, args: object): Promise<Body> {
    return session.customRequest(request, args);
  }

  it("is stepped through without being run: on the design that it holds, with the state at every row", async () => {
    const session = await open("whole.exotrace");
    const threadId = stops[0]?.threadId;
    const { stackFrames } = await ask<DebugProtocol.StackTraceResponse["body"]>(session, "stackTrace", { threadId });
    const source = vscode.Uri.parse(stackFrames[0]?.source?.path ?? "");
    assert.deepEqual([source.scheme, source.path], ["exoscope-trace", `${file("whole.exotrace").path}/whole.exo.yaml`]);
    const shown = await eventually(() => vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === source.toString()), "the design is on the screen");
    assert.equal(shown.document.getText(), text);

    await isAt(1);
    await vscode.commands.executeCommand("workbench.action.debug.continue");
    const end = await eventually(() => stops.find(({ description }) => description === "Stopped at the end of the run"), "it runs to the end of the recording");
    const last: DebugProtocol.StackTraceResponse["body"] = await ask(session, "stackTrace", { threadId: end.threadId });
    assert.equal(last.stackFrames[0]?.id, rows);
    const { scopes } = await ask<DebugProtocol.ScopesResponse["body"]>(session, "scopes", { frameId: rows });
    const component = scopes.find(({ name }) => name.startsWith("Component"));
    assert.ok(component);
    const state = await ask<DebugProtocol.VariablesResponse["body"]>(session, "variables", { variablesReference: component.variablesReference });
    assert.ok(state.variables.length > 0, "the component has state");
    const count = stops.length;
    await isAt(rows);
    await vscode.commands.executeCommand("workbench.action.debug.stepBack");
    await eventually(() => stops.length > count, "it steps back");
  });

  it("of a run that was killed shows its rows, and no state", async () => {
    const session = await open("killed.exotrace");
    const { stackFrames } = await ask<DebugProtocol.StackTraceResponse["body"]>(session, "stackTrace", { threadId: stops[0]?.threadId });
    assert.ok(stackFrames.length > 0);
    const { scopes } = await ask<DebugProtocol.ScopesResponse["body"]>(session, "scopes", { frameId: 1 });
    const variables = async (name: string): Promise<number> => {
      const scope = scopes.find((each) => each.name.startsWith(name));
      assert.ok(scope, name);
      return (await ask<DebugProtocol.VariablesResponse["body"]>(session, "variables", { variablesReference: scope.variablesReference })).variables.length;
    };
    assert.ok((await variables("Event")) > 5);
    assert.equal(await variables("Component"), 0);
  });

  it("that is none is refused by a sentence", async () => {
    void vscode.commands.executeCommand("exoscope.openTrace", file("none.exotrace"));
    // What is asked of the session before when it ends may fail as late as now.
    await eventually(() => failures.find((failure) => /none\.exotrace: this is no trace: it does not begin with EXOTRACE/.test(failure)), "the launch fails");
  });

  it("opens in an editor of its own, and its design cannot be changed", async () => {
    await vscode.commands.executeCommand("vscode.open", file("whole.exotrace"));
    await eventually(() => {
      const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      return input instanceof vscode.TabInputCustom && input.viewType === "exoscope.trace";
    }, "the trace's own editor opens");
    const uri = vscode.Uri.from({ scheme: "exoscope-trace", path: `${file("whole.exotrace").path}/whole.exo.yaml` });
    assert.equal(vscode.workspace.fs.isWritableFileSystem("exoscope-trace"), false);
    assert.equal(new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)), text);
  });
});
