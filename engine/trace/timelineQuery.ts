/**
 * What a timeline asks about a trace, and what comes back. Plain data: it travels between threads and to the webview.
 *
 * A *track* is a pCPU, a vCPU, a thread without a vCPU, a device, a link, or one packet's life. Its *slices* do not
 * overlap within one lane; only devices and links have more than one lane. See {@link TrackIds} for the numbering.
 */

import type { Outage } from "./outages";

/** Slices of a window, at most one a bucket and lane; the longest event of a bucket stands for all that begin in it. */
export interface WindowQuery {
  readonly kind: "window";
  /** Window, picoseconds, `to` exclusive. */
  readonly from: number;
  readonly to: number;
  /** Number of equal buckets in the window: about one a pixel. */
  readonly buckets: number;
  readonly tracks: readonly number[];
}

/** Lives of packets in a window. */
export interface PacketsQuery {
  readonly kind: "packets";
  readonly from: number;
  readonly to: number;
  readonly buckets: number;
  /** Most packets wanted. */
  readonly budget: number;
  /** The packet to show first, with its neighbours in order of birth; −1: those around the middle of the window. */
  readonly packet: number;
}

export type TimelineQuery =
  | { readonly kind: "tracks" }
  | WindowQuery
  | PacketsQuery
  /** The event at an instant of a track, or the nearest one at most `tolerance` picoseconds away. */
  | { readonly kind: "pick"; readonly track: number; readonly lane: number; readonly time: number; readonly tolerance: number }
  /** The event before or after `row` on a track, in order of time; from the ends of the track when `row` is −1. */
  | { readonly kind: "neighbour"; readonly track: number; readonly row: number; readonly direction: 1 | -1 }
  | { readonly kind: "event"; readonly row: number }
  /** The next row after (or before) `row`, wrapping, whose function, component or context contains `text`, ignoring case; `#17`: of packet 17. */
  | { readonly kind: "find"; readonly text: string; readonly row: number; readonly direction: 1 | -1 };

export type TrackKind = "pcpu" | "vcpu" | "thread" | "device" | "link" | "packet";

export interface Track {
  readonly id: number;
  readonly kind: TrackKind;
  readonly path: string;
  readonly host: string;
  readonly domain: string | undefined;
  /** Lanes so far: more than one only where a device or link does several things at once. */
  readonly lanes: number;
  /** Slices so far. */
  readonly slices: number;
}

/** Which part of a {@link Slices} belongs to which lane. */
export interface SliceRange {
  readonly track: number;
  readonly lane: number;
  readonly offset: number;
  readonly count: number;
}

/** Slices of many lanes, in columns. */
export interface Slices {
  readonly ranges: readonly SliceRange[];
  /** Picoseconds; not clipped to the window. */
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** The row that stands for the slice. */
  readonly row: Int32Array;
  /** Function id of that row; on a pCPU track the id of the vCPU that runs, NO_VCPU where the hypervisor works itself. */
  readonly key: Uint16Array;
  /** Context id of that row; on a packet's track the component id. */
  readonly place: Uint16Array;
  /** Packet of that row or −1. */
  readonly packet: Int32Array;
  /** Part of [start, end] that is work, 0 … 255. */
  readonly fill: Uint8Array;
}

/** Drops, violations and timeouts: at most one a bucket and track. */
export interface Marks {
  readonly track: Int32Array;
  readonly time: Float64Array;
  readonly row: Int32Array;
}

export interface PacketLane {
  readonly packet: number;
  readonly track: number;
  /** One line about it; empty where nobody can tell. */
  readonly summary: string;
  /** Life, picoseconds. */
  readonly from: number;
  readonly to: number;
}

/** The end of a flow arrow. */
export interface EventLink {
  readonly row: number;
  readonly track: number;
  readonly lane: number;
  readonly fn: number;
  readonly begin: number;
  /** When its work would end if nothing interrupted it, at most `time`; of a switch on a pCPU: when the vCPU stops running. */
  readonly end: number;
  /** The instant of its dispatch. */
  readonly time: number;
}

/** All that a tooltip, the live description and the arrows need to know about one row. */
export interface EventDetail extends EventLink {
  readonly cost: number;
  readonly component: number;
  readonly context: number;
  /** −1 where none. */
  readonly vcpu: number;
  readonly packet: number;
  readonly packetSummary: string;
  readonly cause: EventLink | undefined;
  readonly enabler: EventLink | undefined;
  /** A window around it in which single events can be told apart, picoseconds. */
  readonly near: { readonly from: number; readonly to: number };
}

export type TimelineResult =
  | { readonly kind: "tracks"; readonly tracks: readonly Track[]; readonly outages: readonly Outage[]; readonly rows: number; readonly time: number }
  | { readonly kind: "window"; readonly query: WindowQuery; readonly slices: Slices; readonly marks: Marks; readonly rows: number; readonly time: number }
  | { readonly kind: "packets"; readonly query: PacketsQuery; readonly lanes: readonly PacketLane[]; readonly slices: Slices; readonly rows: number; readonly time: number }
  | { readonly kind: "event"; readonly event: EventDetail | undefined };

/** The result that a query of kind K gets. */
export type ResultOf<K extends TimelineQuery["kind"]> = Extract<TimelineResult, { kind: K extends "tracks" | "window" | "packets" ? K : "event" }>;
