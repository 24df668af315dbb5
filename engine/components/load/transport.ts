import type { Received } from "../../workloads/client";
import type { Run } from "./run";

/** How endpoints of one kind are opened, used and closed: the load generator's work, by ops of its own. */
export interface Transport {
  /** @param ticket of {@link Run.opened} */
  open(run: Run, ticket: number): void;
  ask(endpoint: number): void;
  close(endpoint: number): void;
  shutdown(endpoint: number): void;
  begin(op: number, a: number, b: number): void;
  end(op: number, a: number, b: number): void;
  /** The stream that the endpoint sends its messages on. */
  streamOf(endpoint: number): number;
}

/** A server that counts what it receives, by stream. */
export interface Sink {
  receivedOn(stream: number): Received;
}
