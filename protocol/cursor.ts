/** The one cursor: the event that source, diagram, timeline and call stack all show. */

/** Who moved the cursor; that view keeps the keyboard focus. */
export type CursorOrigin = "debugger" | "diagram" | "timeline" | "source";

/** What every view needs to show the cursor, computed once, in the engine's worker. */
export interface CursorView {
  readonly row: number;
  /** Picoseconds. */
  readonly time: number;
  /** Path of the component in the design, e.g. `server/nginx/tcpip`. */
  readonly component: string;
  /** Path of the execution context, e.g. `server/nginx/worker-0`. */
  readonly context: string;
  /** Function name, e.g. `tcp_output`, and its source file where it has one. */
  readonly fn: string;
  readonly file: string | undefined;
  /** Packet number, or −1. */
  readonly packet: number;
  /** One line about the packet, e.g. `TCP 10.0.0.9:49152 → 10.0.0.2:80 [PSH, ACK] seq 1 len 180`; empty without one. */
  readonly packetSummary: string;
  /** Paths of the components that the current packet has passed so far, oldest first, consecutive ones distinct. */
  readonly trail: readonly string[];
  /** The interface that carries each domain's frames now, path by path; of domains that the design lets switch. */
  readonly uplinks: Readonly<Record<string, string>>;
}
