import type { CallName, FromWorker, Request, SessionCalls, WorkerPort } from "../../../protocol/session";

/** The call was abandoned by whoever made it. */
export class CancelledError extends Error {}

/** The engine's worker is no longer there. */
export class WorkerEndedError extends Error {}

/** What the recorded prefix has reached. */
export interface Progress {
  readonly length: number;
  /** Picoseconds. */
  readonly time: number;
  readonly complete: boolean;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The debugger's end of the line to the engine's worker: every call is answered, fails, or is cancelled. */
export class SessionClient {
  progress: Progress = { length: 0, time: 0, complete: false };
  onGrow: (progress: Progress) => void = () => undefined;
  onLog: (text: string) => void = () => undefined;
  /** The worker ended without being asked to. */
  onCrash: (message: string) => void = () => undefined;

  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  private ended: string | undefined;

  constructor(private readonly port: WorkerPort) {
    port.onMessage((message) => this.receive(message));
    port.onEnd((message) => {
      if (this.ended !== undefined) return;
      this.end(message);
      this.onCrash(message);
    });
  }

  /** @throws CancelledError, WorkerEndedError, or an Error whose message is for people. */
  call<K extends CallName>(call: K, params: SessionCalls[K]["params"], signal?: AbortSignal): Promise<SessionCalls[K]["result"]> {
    return new Promise<SessionCalls[K]["result"]>((resolve, reject) => {
      if (this.ended !== undefined) return reject(new WorkerEndedError(this.ended));
      if (signal?.aborted) return reject(new CancelledError());
      const id = ++this.lastId;
      // The worker answers an id with the result of the call that it belongs to: the one place where the types of both ends meet.
      this.pending.set(id, { resolve: resolve as (result: unknown) => void, reject });
      signal?.addEventListener("abort", () => this.pending.has(id) && this.port.send({ cancel: id }), { once: true });
      // `K` and its params belong together by the signature, which a mapped union cannot express for a generic `K`.
      this.port.send({ id, call, params } as Request);
    });
  }

  /** Ends the worker; calls in progress fail. */
  dispose(): void {
    this.end("The simulation has ended.");
    this.port.terminate();
  }

  private receive(message: FromWorker): void {
    if ("event" in message) {
      if (message.event === "log") this.onLog(message.text);
      else this.onGrow((this.progress = { length: message.length, time: message.time, complete: message.complete }));
      return;
    }
    const pending = this.pending.get(message.id);
    this.pending.delete(message.id);
    if (message.ok) pending?.resolve(message.result);
    else pending?.reject(message.cancelled ? new CancelledError() : new Error(message.message));
  }

  private end(message: string): void {
    this.ended ??= message;
    for (const { reject } of this.pending.values()) reject(new WorkerEndedError(message));
    this.pending.clear();
  }
}
