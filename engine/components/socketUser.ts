import type { CloseReason } from "../network/tcp/tcp";
import type { DatagramUser } from "./datagrams";

/** An application that uses sockets. Called from inside a dispatch: it posts work to its own threads. */
export interface SocketUser extends DatagramUser {
  /** Its component in the trace, where it is one of its own: with its domain, its sockets are closed. */
  readonly id?: number;
  /** A connection was made on a port that it listens on, and waits to be accepted. Nothing is told of it until then. */
  onAcceptable(conn: number): void;
  /** Its active open completed. */
  onEstablished(conn: number): void;
  /** Bytes to read, or the end of the stream. */
  onReadable(conn: number): void;
  onWritable(conn: number): void;
  onClosed(conn: number, reason: CloseReason): void;
  /** The stack, in the same domain or another one, has started anew: no connection is left, and nobody listens. */
  onRestart?(): void;
}
