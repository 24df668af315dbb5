import type { Scope } from "./inspect";
import type { Trace, TraceNames } from "./trace/trace";

/** Everything needed to go back to an instant: what the state was, as what changed since an earlier snapshot. */
export interface Snapshot {
  /** Rows that had been recorded when it was taken. */
  readonly row: number;
  /** Bytes that it holds alone, without the snapshot that it builds on. */
  readonly bytes: number;
}

/**
 * The simulated machine of one design. Same design and seed: the same rows, bit for bit.
 *
 * `dispatch` makes one atomic change; each dispatch appends at least one row. Two engines of one design can share a
 * packet log, so that one records and the other replays to look at the state at an earlier row.
 */
export interface Engine {
  readonly names: TraceNames;
  readonly trace: Trace;
  /** Simulated time, picoseconds. */
  readonly time: number;
  /** Rows so far: equals `trace.length` in an engine that records; a replaying engine counts without writing. */
  readonly rows: number;
  readonly done: boolean;
  /** One dispatch; false when the run is over. */
  dispatch(): boolean;
  /** @param base an earlier snapshot of this engine, to build on; without one the snapshot stands alone */
  snapshot(base?: Snapshot): Snapshot;
  restore(snapshot: Snapshot): void;
  /** An engine of the same design that writes no trace, for going back: restore a keyframe, dispatch up to a row, describe. */
  replayer(): Engine;
  /** State of a component (and of what it holds: connections, rings, tables) as of now. */
  describeComponent(component: number): Scope[];
  /** State of a domain: vCPUs, run queues, threads. */
  describeDomain(path: string): Scope[];
  /** Which interface carries each domain's frames now: path by path, of those domains that the design lets switch. */
  activeUplinks(): Readonly<Record<string, string>>;
  /** Headers of a packet. */
  describePacket(packet: number): Scope;
  /** The packet that it was made of (a frame cut of a long segment, segments joined, a copy with translated addresses), or −1. */
  parentOfPacket(packet: number): number;
  /** One line about a packet. */
  summarizePacket(packet: number): string;
  /** Hash over the rows and packets so far, 16 hexadecimal digits. */
  fingerprint(): string;
}
