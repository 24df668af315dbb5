/**
 * The line to the extension host. `acquireVsCodeApi` may be called once in a webview's life and its handle lets code
 * talk to the editor, so it stays inside this module.
 */

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** A message of a protocol: a discriminated union over `type`. */
interface Tagged {
  readonly type: string;
}

export interface HostConnection<In extends Tagged, Out extends Tagged> {
  /** Sends a message to the extension. */
  post(message: Out): void;
  /** Calls `listener` for every message of the extension whose tag is one of the protocol's. */
  onMessage(listener: (message: In) => void): void;
  /** What {@link saveState} kept: it survives hiding the webview and restarting the window. The shape is the caller's to check. */
  savedState(): unknown;
  saveState(state: unknown): void;
}

/**
 * Opens the connection. Call once.
 * @param tags every `type` of `In`: a message with another tag is not ours (other frames post into the window too).
 */
export function connectHost<In extends Tagged, Out extends Tagged>(tags: readonly In["type"][]): HostConnection<In, Out> {
  const api = acquireVsCodeApi();
  const known: ReadonlySet<string> = new Set(tags);
  // Host and webview are built from one protocol file: the tag decides the payload.
  const isMessage = (data: unknown): data is In =>
    typeof data === "object" && data !== null && "type" in data && typeof data.type === "string" && known.has(data.type);
  return {
    post: (message) => api.postMessage(message),
    onMessage: (listener) =>
      window.addEventListener("message", (event: MessageEvent<unknown>) => {
        if (isMessage(event.data)) listener(event.data);
      }),
    savedState: () => api.getState(),
    saveState: (state) => api.setState(state),
  };
}
