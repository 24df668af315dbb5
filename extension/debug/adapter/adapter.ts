import type { DebugProtocol } from "@vscode/debugprotocol";
import { readQuantity } from "../../../engine/design/units";
import type { CursorOrigin, CursorView } from "../../../protocol/cursor";
import type { Arrival, BreakpointGroup, BreakpointRequest, Destination, OpenResult, SessionCalls, Step } from "../../../protocol/session";
import { CancelledError, SessionClient, WorkerEndedError } from "../worker/sessionClient";
import type { AdapterHost, LaunchSettings } from "./adapterHost";
import * as breakpoints from "./breakpointRequests";
import { frameId, frameName, Frames, rowOfFrame } from "./frames";
import { RequestError, type Handlers } from "./requests";
import { VariableHandles, writeDataId } from "./variables";

/**
 * The debug adapter: the Debug Adapter Protocol on one side, calls to the engine's worker on the other, and the one
 * thing that neither keeps: the cursor. Knows nothing of the editor but {@link AdapterHost}.
 */
export class Adapter {
  /** Where the debugger stands; undefined before the first stop. */
  cursor: CursorView | undefined;
  /** Packets that have a thread of their own in the Call Stack view. */
  readonly followed = new Set<number>();

  private readonly variables: VariableHandles;
  private client: SessionClient | undefined;
  private settings: LaunchSettings = { program: "" };
  /** Path or URI of the design. */
  private source = "";
  private design: Extract<OpenResult, { ok: true }> | undefined;
  private frames: Frames | undefined;
  private first = { line: 1, column: 1 };
  /** The thread that the last stop named. */
  private thread = 0;
  private lastStop: { readonly reason: string; readonly text: string | undefined } = { reason: "", text: undefined };
  private motion = new AbortController();
  private readonly requests = new Map<number, AbortController>();
  private seq = 0;
  private over = false;

  constructor(private readonly host: AdapterHost, private readonly send: (message: DebugProtocol.ProtocolMessage) => void) {
    this.variables = new VariableHandles(host.l10n);
  }

  /** Takes one message of the client; every request is answered, a failed one with a message for people. */
  async receive(message: DebugProtocol.ProtocolMessage): Promise<void> {
    if (message.type !== "request" || !isRequest(message)) return;
    const { command, seq } = message;
    const controller = new AbortController();
    this.requests.set(seq, controller);
    const response = { type: "response", request_seq: seq, command };
    try {
      const handler = Object.hasOwn(this.handlers, command) ? this.handlers[command] : undefined;
      if (!handler) throw new RequestError(this.host.l10n.t("The request “{0}” is not supported.", command));
      const { body, after } = await handler(message.arguments ?? {}, controller.signal);
      this.post({ ...response, success: true, ...(body === undefined ? {} : { body }) });
      after?.();
    } catch (error) {
      const cancelled = error instanceof CancelledError;
      const text = error instanceof Error ? error.message : String(error);
      const details = error instanceof RequestError ? error.details : {};
      this.post({ ...response, success: false, message: cancelled ? "cancelled" : text, body: { error: { id: 1, format: escapeBraces(text), showUser: false, ...details } } });
    } finally {
      this.requests.delete(seq);
    }
  }

  /** Moves the cursor there and reports a stop; resolves when the stop has been reported. */
  async moveTo(destination: Destination, origin: CursorOrigin): Promise<void> {
    await this.move((client, signal) => client.call("goTo", destination, signal), "goto", undefined, origin);
  }

  /** One step that the toolbar has no button for. */
  async stepEvent(step: "nextEvent" | "previousEvent"): Promise<void> {
    await this.step(step, this.thread, undefined);
  }

  /** Gives a packet a thread of its own, or takes it away. */
  async toggleFollow(packet: number): Promise<void> {
    if (!this.followed.delete(packet)) this.followed.add(packet);
    if (this.cursor) await this.moveTo({ kind: "row", row: this.cursor.row }, "debugger");
  }

  /** Ends the worker; nothing is sent any more. */
  dispose(): void {
    this.finish(undefined);
    this.client?.dispose();
  }

  private readonly handlers: Handlers = {
    initialize: async (args: DebugProtocol.InitializeRequestArguments) => {
      this.first = { line: args.linesStartAt1 === false ? 0 : 1, column: args.columnsStartAt1 === false ? 0 : 1 };
      return { body: this.capabilities() };
    },
    launch: async (args: LaunchSettings & DebugProtocol.LaunchRequestArguments) => {
      await this.launch(args);
      return { after: () => this.event("initialized") };
    },
    configurationDone: async () => ({ after: () => void this.start() }),
    disconnect: async () => ({ after: () => this.dispose() }),
    terminate: async () => ({ after: () => this.finish(undefined) }),
    cancel: async ({ requestId }: DebugProtocol.CancelArguments) => {
      if (requestId !== undefined) this.requests.get(requestId)?.abort();
      return {};
    },

    setBreakpoints: async (args: DebugProtocol.SetBreakpointsArguments) => {
      const wanted = args.breakpoints ?? [];
      const path = args.source.path ?? "";
      if (!this.host.isSame(path, this.source)) {
        const message = this.host.l10n.t("This file is not the design that is being simulated.");
        return { body: { breakpoints: wanted.map(() => ({ verified: false, message })) } };
      }
      return this.setBreakpoints("line", breakpoints.lineRequests(wanted, this.first.line));
    },
    setFunctionBreakpoints: async (args: DebugProtocol.SetFunctionBreakpointsArguments) => this.setBreakpoints("function", breakpoints.functionRequests(args.breakpoints)),
    setExceptionBreakpoints: async (args: DebugProtocol.SetExceptionBreakpointsArguments) => this.setBreakpoints("exception", breakpoints.exceptionRequests(args)),
    setDataBreakpoints: async (args: DebugProtocol.SetDataBreakpointsArguments) => this.setBreakpoints("data", breakpoints.dataRequests(args.breakpoints)),
    dataBreakpointInfo: async ({ variablesReference, name }: DebugProtocol.DataBreakpointInfoArguments) => {
      const target = variablesReference === undefined ? undefined : this.variables.watchTarget(variablesReference, name);
      if (!target) return { body: { dataId: null, description: this.host.l10n.t("This value belongs to one event and never changes.") } };
      return { body: { dataId: writeDataId(target), description: [target.root, ...target.names].join(" › "), accessTypes: ["write"], canPersist: true } };
    },

    continue: async () => this.running(this.run("forward")),
    reverseContinue: async () => this.running(this.run("backward")),
    next: async (args: DebugProtocol.NextArguments) => this.running(() => this.step(byInstruction(args) ? "nextEvent" : "next", args.threadId)),
    stepIn: async (args: DebugProtocol.StepInArguments) => this.running(() => this.step(byInstruction(args) ? "nextEvent" : "in", args.threadId, args.targetId)),
    stepOut: async (args: DebugProtocol.StepOutArguments) => this.running(() => this.step("out", args.threadId)),
    stepBack: async (args: DebugProtocol.StepBackArguments) => this.running(() => this.step(byInstruction(args) ? "previousEvent" : "back", args.threadId)),
    pause: async () => {
      await this.ready.call("pause", {});
      return {};
    },
    gotoTargets: async ({ line }: DebugProtocol.GotoTargetsArguments) => {
      return { body: { targets: [{ id: line - this.first.line, label: this.host.l10n.t("Next event on line {0}", line), line }] } };
    },
    goto: async ({ targetId, threadId }: DebugProtocol.GotoArguments) => {
      const destination: Destination = { kind: "line", line: targetId, after: this.here };
      return { after: () => void this.move((client, signal) => client.call("goTo", destination, signal), "goto", threadId) };
    },
    stepInTargets: async ({ frameId: frame }: DebugProtocol.StepInTargetsArguments) => {
      const targets = await this.ready.call("targets", { row: rowOfFrame(frame), thread: this.thread });
      return { body: { targets: targets.map((target) => ({ id: frameId(target.row), label: `${frameName(target)} – ${target.component}`, ...this.place(target) })) } };
    },

    threads: async () => {
      if (!this.cursor) return { body: { threads: [] } };
      const threads = await this.ready.call("threads", { row: this.cursor.row, packets: [...this.followed] });
      return { body: { threads: threads.map(({ id, name }) => ({ id, name })) } };
    },
    stackTrace: async ({ threadId, startFrame = 0, levels = 0 }: DebugProtocol.StackTraceArguments) => {
      const params = { row: this.here, thread: threadId, start: startFrame, count: levels > 0 ? levels : 1000 };
      const { frames, total } = await this.ready.call("stack", params);
      return { body: { stackFrames: (await this.frames?.of(frames)) ?? [], totalFrames: total } };
    },
    scopes: async ({ frameId: frame }: DebugProtocol.ScopesArguments, signal) => {
      const scopes = await this.ready.call("scopes", { row: rowOfFrame(frame) }, signal);
      return { body: { scopes: scopes.map((scope) => this.variables.scope(scope)) } };
    },
    variables: async ({ variablesReference, start, count }: DebugProtocol.VariablesArguments) => ({
      body: { variables: this.variables.children(variablesReference, start, count) },
    }),
    evaluate: async ({ expression, frameId: frame, context }: DebugProtocol.EvaluateArguments, signal) => {
      const row = frame === undefined ? this.here : rowOfFrame(frame);
      const evaluation = await this.ready.call("evaluate", { row, text: expression }, signal);
      if (!evaluation) throw new RequestError(context === "watch" ? this.host.l10n.t("not available") : this.host.l10n.t("“{0}” is not available here.", expression));
      return { body: this.variables.evaluation(evaluation) };
    },
    exceptionInfo: async () => {
      const view = this.cursor;
      return { body: { exceptionId: view?.fn ?? "", description: this.lastStop.text ?? (view ? [view.component, view.packetSummary].filter(Boolean).join(": ") : ""), breakMode: "always" } };
    },
  };

  private capabilities(): DebugProtocol.Capabilities {
    return {
      supportsConfigurationDoneRequest: true, supportsFunctionBreakpoints: true, supportsConditionalBreakpoints: true,
      supportsHitConditionalBreakpoints: true, supportsLogPoints: true, supportsDataBreakpoints: true, supportsEvaluateForHovers: true,
      exceptionBreakpointFilters: breakpoints.exceptionFilters(this.host.l10n), supportsExceptionFilterOptions: true, supportsExceptionInfoRequest: true,
      supportsStepBack: true, supportsStepInTargetsRequest: true, supportsSteppingGranularity: true, supportsGotoTargetsRequest: true,
      supportsTerminateRequest: true, supportsCancelRequest: true, supportsDelayedStackTraceLoading: true,
    };
  }

  private async launch(settings: LaunchSettings): Promise<void> {
    const { l10n } = this.host;
    const until = settings.until === undefined ? undefined : readQuantity("time", settings.until);
    if (until && "failure" in until) throw new RequestError(l10n.t("“until” in the launch configuration is not a time: write a number and a unit, such as 200ms."), { showUser: true });
    this.settings = settings;
    const shown = (error: unknown): never => {
      throw new RequestError(error instanceof Error ? error.message : String(error), { showUser: true });
    };
    const { source, open } = await this.host.read(settings.program).catch(shown);
    this.source = source;
    const client = new SessionClient(this.host.startWorker());
    this.client = client;
    client.onLog = (line) => this.event("output", { category: "console", output: `${line}\n` });
    client.onCrash = (message) => {
      this.event("output", { category: "stderr", output: `${message}\n` });
      this.finish(message);
    };
    const opened = await client.call("open", "trace" in open ? open : { ...open, seed: settings.seed, until: until?.value }).catch((error: unknown) => {
      client.dispose();
      return shown(error);
    });
    if (!opened.ok) {
      client.dispose();
      const [first] = opened.errors;
      const reason = first ? l10n.t("The design cannot run: line {0}: {1}", first.line + 1, first.message) : l10n.t("The design cannot run.");
      throw new RequestError(`${reason} ${l10n.t("The Problems panel lists what is wrong.")}`, { showUser: true, url: "command:workbench.actions.view.problems", urlLabel: l10n.t("Open Problems") });
    }
    this.design = opened;
    this.frames = new Frames(this.host, source, this.first);
    this.host.opened({ client, design: opened });
  }

  private async start(): Promise<void> {
    if (this.settings.noDebug) return this.move((client, signal) => client.call("run", { row: 0, direction: "forward", ignoreBreakpoints: true }, signal), "pause");
    if (this.settings.stopOnEntry !== false) return this.move((client, signal) => client.call("goTo", { kind: "row", row: 0 }, signal), "entry");
    return this.run("forward")();
  }

  private run(direction: "forward" | "backward"): () => Promise<void> {
    const row = this.cursor?.row ?? -1;
    return () => this.move((client, signal) => client.call("run", { row, direction, ignoreBreakpoints: false }, signal), "pause");
  }

  private step(step: Step, thread: number, target?: number): Promise<void> {
    const row = this.here;
    if (target !== undefined) return this.move((client, signal) => client.call("goTo", { kind: "row", row: rowOfFrame(target) }, signal), "step");
    return this.move((client, signal) => client.call("step", { row, thread, step }, signal), "step");
  }

  /** Answers first and moves then, as clients expect: the stop must not overtake the answer. */
  private running(move: () => Promise<void>): { body: object; after: () => void } {
    return { body: { allThreadsContinued: true }, after: () => void move() };
  }

  /** One movement of the cursor; a later one takes its place. Never rejects. */
  private move(
    go: (client: SessionClient, signal: AbortSignal) => Promise<Arrival>, reason: string, thread?: number, origin: CursorOrigin = "debugger",
  ): Promise<void> {
    const done = this.arrive(go, reason, thread, origin);
    this.host.moving(done, () => void this.client?.call("pause", {}).catch(() => undefined));
    return done;
  }

  private async arrive(
    go: (client: SessionClient, signal: AbortSignal) => Promise<Arrival>, reason: string, thread: number | undefined, origin: CursorOrigin,
  ): Promise<void> {
    this.motion.abort();
    const { signal } = (this.motion = new AbortController());
    try {
      const arrival = await go(this.ready, signal);
      await this.host.beforeStop();
      if (signal.aborted) return;
      this.stopped(arrival, reason, thread, origin);
      this.host.afterStop(frameId(arrival.view.row), origin);
    } catch (error) {
      if (signal.aborted || this.over || error instanceof CancelledError || error instanceof WorkerEndedError) return;
      const text = error instanceof Error ? error.message : String(error);
      this.event("output", { category: "stderr", output: `${text}\n` });
      this.event("stopped", { reason: "pause", description: text, threadId: this.thread, allThreadsStopped: true });
    }
  }

  private stopped(arrival: Arrival, reason: string, thread: number | undefined, origin: CursorOrigin): void {
    const { l10n } = this.host;
    const descriptions: Readonly<Partial<Record<Arrival["reason"], string>>> = {
      start: l10n.t("Stopped at the first event of the run"), end: l10n.t("Stopped at the end of the run"),
      exception: l10n.t("Stopped at {0}", arrival.view.fn), "data breakpoint": l10n.t("{0} changes {1}", arrival.view.fn, arrival.text ?? ""),
    };
    const plain: Readonly<Partial<Record<Arrival["reason"], string>>> = { moved: reason, start: reason === "entry" ? "entry" : "pause", end: "pause" };
    this.variables.clear();
    this.cursor = arrival.view;
    this.thread = thread ?? arrival.thread;
    const said = plain[arrival.reason] ?? arrival.reason;
    this.lastStop = { reason: said, text: arrival.text };
    this.host.moved(arrival.view, origin);
    this.event("stopped", {
      reason: said, threadId: this.thread, allThreadsStopped: true,
      ...(descriptions[arrival.reason] === undefined ? {} : { description: descriptions[arrival.reason] }),
      ...(arrival.text === undefined ? {} : { text: arrival.text }),
      ...(arrival.breakpoints.length > 0 ? { hitBreakpointIds: [...arrival.breakpoints] } : {}),
    } satisfies DebugProtocol.StoppedEvent["body"]);
  }

  private async setBreakpoints(group: BreakpointGroup, requests: readonly BreakpointRequest[]): Promise<{ body: { breakpoints: DebugProtocol.Breakpoint[] } }> {
    const answers: SessionCalls["setBreakpoints"]["result"] = await this.ready.call("setBreakpoints", { group, requests });
    return { body: { breakpoints: answers.map((result) => breakpoints.answer(result, this.host.l10n, this.first.line)) } };
  }

  private place(target: { readonly position: { readonly line: number } | undefined }): { line?: number } {
    return target.position ? { line: target.position.line + this.first.line } : {};
  }

  private get ready(): SessionClient {
    if (!this.client || !this.design) throw new RequestError(this.host.l10n.t("The simulation has not started."));
    return this.client;
  }

  private get here(): number { return this.cursor?.row ?? 0; }

  private finish(message: string | undefined): void {
    if (this.over) return;
    this.over = true;
    this.motion.abort();
    this.event("terminated");
    this.host.ended(message);
  }

  private event(event: string, body?: object): void {
    this.post({ type: "event", event, ...(body ? { body } : {}) });
  }

  private post(message: object): void {
    this.send({ seq: ++this.seq, type: "event", ...message });
  }
}

function isRequest(message: DebugProtocol.ProtocolMessage): message is DebugProtocol.Request {
  return "command" in message && typeof message.command === "string";
}

function byInstruction(args: { readonly granularity?: DebugProtocol.SteppingGranularity }): boolean {
  return args.granularity === "instruction";
}

/** The protocol fills `{name}` in error texts; a text for people has none of that. */
function escapeBraces(text: string): string {
  return text.replaceAll("{", "(").replaceAll("}", ")");
}
