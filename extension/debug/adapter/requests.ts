import type { DebugProtocol } from "@vscode/debugprotocol";

/** A request failed; the message is for people. */
export class RequestError extends Error {
  /** @param details How the client shows it: `showUser`, `url` and `urlLabel` of the protocol's message. */
  constructor(message: string, readonly details: Partial<Pick<DebugProtocol.Message, "showUser" | "url" | "urlLabel">> = {}) {
    super(message);
  }
}

export interface Answer {
  readonly body?: object;
  /** Done after the answer has been sent. */
  readonly after?: () => void;
}

/**
 * What the adapter answers, by command. Arguments come from the client unchecked, so each handler names the protocol's
 * type for them: the method form makes that assignable.
 */
export interface Handlers {
  readonly [command: string]: { bivariance(args: object, signal: AbortSignal): Promise<Answer> }["bivariance"];
}
