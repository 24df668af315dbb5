import assert from "node:assert/strict";
import type { DebugProtocol } from "@vscode/debugprotocol";
import * as vscode from "vscode";

type Stop = DebugProtocol.StoppedEvent["body"];

describe("The debugger", () => {
  const stops: Stop[] = [];
  const waiting: ((stop: Stop) => void)[] = [];
  /** Times that the debugger has taken breakpoints. */
  let answered = 0;
  let tracker: vscode.Disposable;
  let design: vscode.Uri;
  let text: string;

  before(async () => {
    const [found] = await vscode.workspace.findFiles("librettos/*.exo.yaml");
    assert.ok(found);
    design = found;
    text = (await vscode.workspace.openTextDocument(design)).getText();
    tracker = vscode.debug.registerDebugAdapterTrackerFactory("exoscope", {
      createDebugAdapterTracker: () => ({
        onDidSendMessage(message: DebugProtocol.ProtocolMessage) {
          if ("command" in message && (message.command === "setBreakpoints" || message.command === "setFunctionBreakpoints")) answered++;
          if (message.type !== "event" || !("event" in message) || message.event !== "stopped" || !("body" in message)) return;
          const stop = message.body as Stop;
          stops.push(stop);
          waiting.shift()?.(stop);
        },
      }),
    });
  });
  after(() => tracker.dispose());

  afterEach(async () => {
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    const ended = vscode.debug.activeDebugSession ? new Promise<void>((resolve) => {
      const subscription = vscode.debug.onDidTerminateDebugSession(() => { subscription.dispose(); resolve(); });
    }) : undefined;
    await vscode.debug.stopDebugging();
    await ended;
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
  });

  const nextStop = (): Promise<Stop> => new Promise((resolve) => waiting.push(resolve));
  const delay = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

  async function eventually<T>(ask: () => T | undefined | false, what: string, describe: () => string = () => ""): Promise<T> {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await delay(20)) {
      const answer = ask();
      if (answer !== undefined && answer !== false) return answer;
    }
    throw new Error(`Expected that ${what}. ${describe()}`);
  }

  /** Starts as the run button does, and waits until the first stop is shown. */
  async function start(arrange: () => Promise<void> = async () => undefined): Promise<{ session: vscode.DebugSession; stop: Stop }> {
    await vscode.window.showTextDocument(design, { viewColumn: vscode.ViewColumn.One });
    await arrange();
    const first = nextStop();
    assert.equal(await vscode.commands.executeCommand("exoscope.run"), true);
    const stop = await first;
    const session = vscode.debug.activeDebugSession;
    assert.ok(session);
    await shown(session, stop);
    return { session, stop };
  }

  const top = async (session: vscode.DebugSession, stop: Stop): Promise<DebugProtocol.StackFrame> => {
    const body: DebugProtocol.StackTraceResponse["body"] = await session.customRequest("stackTrace", { threadId: stop.threadId, startFrame: 0, levels: 1 });
    assert.ok(body.stackFrames[0]);
    return body.stackFrames[0];
  };

  /** Waits until VS Code has the stop's frame in focus: only then do its commands step from there. */
  async function shown(session: vscode.DebugSession, stop: Stop): Promise<DebugProtocol.StackFrame> {
    const frame = await top(session, stop);
    await eventually(() => {
      const item = vscode.debug.activeStackItem;
      return item instanceof vscode.DebugStackFrame && item.frameId === frame.id;
    }, `frame ${frame.id} gets the focus`);
    return frame;
  }

  /** One command of the debug toolbar, to the stop that it leads to. */
  async function command(session: vscode.DebugSession, name: string): Promise<Stop & { frame: DebugProtocol.StackFrame }> {
    const next = nextStop();
    await vscode.commands.executeCommand(`workbench.action.debug.${name}`);
    const stop = await next;
    return { ...stop, frame: await shown(session, stop) };
  }

  /** Sets a breakpoint, and waits until the debugger knows of it. */
  async function setBreakpoint(breakpoint: vscode.Breakpoint): Promise<void> {
    const before = answered;
    vscode.debug.addBreakpoints([breakpoint]);
    await eventually(() => answered > before, "the debugger knows of the breakpoint");
  }

  async function variables(session: vscode.DebugSession, frameId: number): Promise<string> {
    const read = async (reference: number): Promise<unknown> => {
      const body: DebugProtocol.VariablesResponse["body"] = await session.customRequest("variables", { variablesReference: reference });
      return Promise.all(body.variables.map(async (variable) => [variable.name, variable.value, variable.variablesReference ? await read(variable.variablesReference) : null]));
    };
    const { scopes }: DebugProtocol.ScopesResponse["body"] = await session.customRequest("scopes", { frameId });
    return JSON.stringify(await Promise.all(scopes.map(async (scope) => [scope.name, await read(scope.variablesReference)])));
  }

  const lineOf = (entry: string): number => text.split("\n").findIndex((line) => line.includes(entry));

  it("stops at the first event, with the design's line highlighted", async () => {
    const { session, stop } = await start();
    assert.equal(stop.reason, "entry");
    const frame = await top(session, stop);
    assert.equal(frame.id, 1);
    assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), design.toString());
  });

  it("steps over, in, out and back, with all variables as they were", async () => {
    const { session } = await start();
    const seen = new Map<number, string>();
    const breakpoint = new vscode.SourceBreakpoint(new vscode.Location(design, new vscode.Position(lineOf("- tcpip"), 0)));
    await setBreakpoint(breakpoint);
    let stop = await command(session, "continue");
    assert.equal(stop.reason, "breakpoint");
    assert.equal(stop.frame.line - 1, lineOf("- tcpip"));
    vscode.debug.removeBreakpoints([breakpoint]);
    const begin = stop.frame.id;
    for (const step of ["stepOver", "stepInto", "stepOver", "stepInto", "stepOut", "stepOver"]) {
      seen.set(stop.frame.id, await variables(session, stop.frame.id));
      const before = stop.frame.id;
      stop = await command(session, step);
      assert.ok(stop.frame.id > before, `${step} goes forwards`);
    }
    for (let steps = 0; stop.frame.id > begin && steps < 40; steps++) {
      const before = stop.frame.id;
      stop = await command(session, "stepBack");
      assert.ok(stop.frame.id < before, "step back goes back");
      const expected = seen.get(stop.frame.id);
      if (expected !== undefined) assert.equal(await variables(session, stop.frame.id), expected);
    }
  });

  it("runs backwards to the breakpoints that it met forwards", async () => {
    const { session } = await start();
    await setBreakpoint(new vscode.FunctionBreakpoint("tcp_output", true));
    const met: number[] = [];
    for (let i = 0; i < 4; i++) met.push((await command(session, "continue")).frame.id);
    assert.equal(new Set(met).size, 4);
    const back: number[] = [];
    for (let i = 0; i < 3; i++) back.push((await command(session, "reverseContinue")).frame.id);
    assert.deepEqual(back, met.slice(0, 3).reverse());
    assert.match((await top(session, { reason: "", ...stops[stops.length - 1] })).name, /^tcp_output \(.*tcp_output\.c\)$/);
  });

  it("shows the chain of causes as the call stack, and the machine's state as variables", async () => {
    const { session } = await start();
    await setBreakpoint(new vscode.FunctionBreakpoint("tcp_output", true, undefined, "40"));
    const stop = await command(session, "continue");
    const body: DebugProtocol.StackTraceResponse["body"] = await session.customRequest("stackTrace", { threadId: stop.threadId });
    assert.ok(body.stackFrames.length > 3);
    const { scopes }: DebugProtocol.ScopesResponse["body"] = await session.customRequest("scopes", { frameId: stop.frame.id });
    assert.deepEqual(scopes.map(({ name }) => name.split(" ")[0]).slice(0, 3), ["Event", "Component", "Domain"]);
    const { threads }: DebugProtocol.ThreadsResponse["body"] = await session.customRequest("threads");
    assert.ok(threads.some(({ name }) => name === "pcpu0"));
    assert.ok(threads.some(({ name }) => /vcpu nginx\.\d\/thread /.test(name)));
    const { result }: DebugProtocol.EvaluateResponse["body"] = await session.customRequest("evaluate", { expression: "fn", frameId: stop.frame.id, context: "watch" });
    assert.equal(result, "tcp_output");
  });

  it("opens a frame in the system's own source where there is a checkout", async () => {
    const file = vscode.Uri.joinPath(design, "..", "src", "sys", "netinet", "tcp_output.c");
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode("/* A checkout. */\nint tcp_output(struct tcpcb *);\n\nint\ntcp_output(struct tcpcb *tp)\n{\n}\n"));
    const settings = vscode.workspace.getConfiguration("exoscope");
    await settings.update("sourceRoots", ["librettos/src"], vscode.ConfigurationTarget.Workspace);
    try {
      const { session } = await start();
      await setBreakpoint(new vscode.FunctionBreakpoint("tcp_output"));
      const { frame } = await command(session, "continue");
      assert.ok(frame.source?.path?.endsWith(file.path), frame.source?.path);
      assert.equal(frame.line, 5);
      await eventually(() => vscode.window.activeTextEditor?.document.uri.fsPath === file.fsPath, "the source is open");
    } finally {
      await settings.update("sourceRoots", undefined, vscode.ConfigurationTarget.Workspace);
      await vscode.workspace.fs.delete(vscode.Uri.joinPath(design, "..", "src"), { recursive: true });
    }
  });

  it("starts again from the first event", async () => {
    const { session } = await start();
    await command(session, "continue");
    const next = nextStop();
    await vscode.commands.executeCommand("workbench.action.debug.restart");
    assert.equal((await next).reason, "entry");
    const again = nextStop();
    await vscode.commands.executeCommand("exoscope.run");
    assert.equal((await again).reason, "entry");
  });

  for (const focus of ["text", "diagram"] as const) {
    it(`leaves tabs, groups and the focus in place over twenty steps from the ${focus}`, async () => {
      const column = focus === "text" ? vscode.ViewColumn.One : vscode.ViewColumn.Two;
      const { session } = await start(async () => {
        // The diagram opens beside by itself, and leaves the focus where it is.
        await eventually(() => vscode.window.tabGroups.all[1]?.activeTab?.input instanceof vscode.TabInputCustom, "the diagram opens beside");
        if (focus === "diagram") await vscode.commands.executeCommand("workbench.action.focusSecondEditorGroup");
        await eventually(() => vscode.window.tabGroups.activeTabGroup.viewColumn === column, `the ${focus} is in focus`);
      });
      await eventually(() => vscode.window.tabGroups.activeTabGroup.viewColumn === column, `the ${focus} keeps the focus at the first stop`);
      const layout = (): string => JSON.stringify(vscode.window.tabGroups.all.map((group) => [group.viewColumn, ...group.tabs.map((tab) => [tab.label, tab.isActive, tab.input instanceof vscode.TabInputText ? "text" : "diagram"])]));
      const before = layout();
      for (let i = 0; i < 20; i++) {
        await command(session, i % 4 === 3 ? "stepBack" : "stepOver");
        await eventually(() => vscode.window.tabGroups.activeTabGroup.viewColumn === column, `the ${focus} gets the focus back after step ${i}`, layout);
        assert.equal(layout(), before);
      }
      // As fast as the steps go, without waiting for the focus.
      for (let i = 0; i < 10; i++) await command(session, "stepOver");
      await eventually(() => layout() === before && vscode.window.tabGroups.activeTabGroup.viewColumn === column, `everything is in place after ten fast steps from the ${focus}`, layout);
    });
  }

  it("refuses a design with errors", async () => {
    const broken = vscode.Uri.joinPath(design, "..", "broken.exo.yaml");
    await vscode.workspace.fs.writeFile(broken, new TextEncoder().encode("exoscope: 1\nname: Broken\nhosts: 3\n"));
    const failures: string[] = [];
    const subscription = vscode.debug.registerDebugAdapterTrackerFactory("exoscope", {
      createDebugAdapterTracker: () => ({
        onDidSendMessage(message: DebugProtocol.Response) {
          if (message.type === "response" && !message.success) failures.push(message.message ?? "");
        },
      }),
    });
    try {
      // VS Code's own dialog stays open until someone answers it, so this is not awaited.
      void vscode.debug.startDebugging(undefined, { type: "exoscope", request: "launch", name: "Broken", program: broken.fsPath });
      const message = await eventually(() => failures[0], "the launch fails");
      assert.match(message, /^The design cannot run: line \d+: .* The Problems panel lists what is wrong\.$/);
    } finally {
      subscription.dispose();
      await vscode.workspace.fs.delete(broken);
    }
  });
});
