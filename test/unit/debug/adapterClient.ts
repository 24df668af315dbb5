import type { DebugProtocol } from "@vscode/debugprotocol";
import { Recording } from "../../../engine/session/recording";
import { Session } from "../../../engine/session/session";
import { TimelineIndex } from "../../../engine/trace/timelineIndex";
import { Adapter } from "../../../extension/debug/adapter/adapter";
import type { AdapterHost } from "../../../extension/debug/adapter/adapterHost";
import { SessionServer, type Open } from "../../../extension/debug/worker/sessionServer";
import type { CursorOrigin, CursorView } from "../../../protocol/cursor";
import type { FromWorker, ToWorker, WorkerPort } from "../../../protocol/session";
import { TokenEngine, tokenDesign, tokenText } from "../session/tokenEngine";

export const program = "/designs/tokens.exo.yaml";

/** Opens the token design; a text that says “broken” has an error. */
export const openTokens: Open = (params) => {
  const { text, seed } = "trace" in params ? { text: "broken", seed: undefined } : params;
  if (text.includes("broken")) return { errors: [{ line: 2, message: "There is no host." }] };
  const engine = new TokenEngine(seed ?? 7, 1500);
  return {
    session: new Session(new Recording(engine), tokenDesign(), text),
    until: 1e12,
    timeline: new TimelineIndex(engine.trace),
    capture: () => new Uint8Array([1, 2, 3]),
  };
};

/** A worker's port with the server in the same thread; messages are copied as between threads. */
export class LocalPort implements WorkerPort {
  terminated = false;
  private listener: (message: FromWorker) => void = () => undefined;
  private endListener: (message: string) => void = () => undefined;
  private readonly server: SessionServer;

  constructor(open: Open = openTokens) {
    const clock = { now: () => performance.now(), defer: (callback: () => void) => void setImmediate(() => !this.terminated && callback()) };
    this.server = new SessionServer((message) => queueMicrotask(() => this.listener(structuredClone(message))), clock, open);
  }

  send(message: ToWorker): void { this.server.receive(structuredClone(message)); }
  onMessage(listener: (message: FromWorker) => void): void { this.listener = listener; }
  onEnd(listener: (message: string) => void): void { this.endListener = listener; }
  terminate(): void { this.terminated = true; }
  crash(): void {
    this.terminated = true;
    this.endListener("The engine stopped unexpectedly.");
  }
}

/** A client of the adapter, as the editor is one: requests out, responses and events in. */
export class AdapterClient {
  readonly events: DebugProtocol.Event[] = [];
  readonly moves: { readonly view: CursorView; readonly origin: CursorOrigin }[] = [];
  readonly ends: (string | undefined)[] = [];
  readonly port: LocalPort;
  readonly adapter: Adapter;
  reveals = 0;
  text = tokenText;
  private seq = 0;
  private readonly waiting: { readonly event: string; readonly resolve: (event: DebugProtocol.Event) => void }[] = [];
  private readonly responses = new Map<number, (response: DebugProtocol.Response) => void>();

  constructor(open?: Open, private readonly sources: ReadonlyMap<string, { path: string; line: number }> = new Map()) {
    this.port = new LocalPort(open);
    const host: AdapterHost = {
      l10n: { t: (message, ...values) => message.replace(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)])) },
      startWorker: () => this.port,
      read: async (path) => ({ source: path, open: { text: this.text, files: {} } }),
      isSame: (path, other) => path === other,
      beforeStop: async () => { this.reveals++; },
      afterStop: () => undefined,
      locateFunction: async (file) => this.sources.get(file),
      opened: () => undefined,
      moving: () => undefined,
      moved: (view, origin) => void this.moves.push({ view, origin }),
      ended: (message) => void this.ends.push(message),
    };
    this.adapter = new Adapter(host, (message) => this.receive(message));
  }

  /** Sends a request and returns its response, failed or not. */
  request(command: string, args: object = {}): Promise<DebugProtocol.Response> {
    const seq = ++this.seq;
    return new Promise((resolve) => {
      this.responses.set(seq, resolve);
      void this.adapter.receive({ seq, type: "request", command, arguments: args } as DebugProtocol.Request);
    });
  }

  /** Like {@link request}, but a failure is an error and the body comes back. */
  async ask<T>(command: string, args: object = {}): Promise<T> {
    const response = await this.request(command, args);
    if (!response.success) throw new Error(response.message);
    return response.body as T;
  }

  /** The next event of this name. */
  next<T = DebugProtocol.StoppedEvent["body"]>(event: string): Promise<T> {
    return new Promise((resolve) => this.waiting.push({ event, resolve: (found) => resolve(found.body as T) }));
  }

  /** A request that moves the cursor, and the stop that it leads to. */
  async move(command: string, args: object = {}): Promise<DebugProtocol.StoppedEvent["body"]> {
    const stopped = this.next("stopped");
    await this.ask(command, args);
    return stopped;
  }

  /** Through the usual opening up to the first stop. */
  async launch(settings: object = {}, beforeStart: () => Promise<unknown> = async () => undefined): Promise<DebugProtocol.StoppedEvent["body"]> {
    await this.ask("initialize", { adapterID: "exoscope", linesStartAt1: true, columnsStartAt1: true });
    const initialized = this.next("initialized");
    await this.ask("launch", { program, ...settings });
    await initialized;
    await beforeStart();
    return this.move("configurationDone");
  }

  get row(): number { return this.adapter.cursor?.row ?? -1; }

  private receive(message: DebugProtocol.ProtocolMessage): void {
    if ("request_seq" in message) {
      const response = message as DebugProtocol.Response;
      this.responses.get(response.request_seq)?.(response);
      return;
    }
    const event = message as DebugProtocol.Event;
    this.events.push(event);
    const index = this.waiting.findIndex((waiting) => waiting.event === event.event);
    if (index >= 0) this.waiting.splice(index, 1)[0]?.resolve(event);
  }
}
