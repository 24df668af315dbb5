import type { InspectedScope, WatchTarget } from "../engine/session/inspection";
import type { BreakpointOptions, BreakpointReason } from "../engine/session/breakpoints";
import type { PlacedPart } from "../engine/session/designLines";
import type { Evaluation } from "../engine/session/session";
import type { ThreadInfo } from "../engine/session/threads";
import type { CauseFrame } from "../engine/session/views";
import type { TraceNames } from "../engine/trace/trace";
import type { CursorView } from "./cursor";
import type { TimelineQuery, TimelineResult } from "../engine/trace/timelineQuery";

/**
 * What passes between the debugger and the engine's worker. The worker keeps no cursor: every question names its row.
 * Rows, threads and times are those of the engine; lines and columns count from 0.
 */

/** Every call, with what it takes and what it returns. */
export interface SessionCalls {
  /** Reads a design and makes its machine, or opens a recorded run; nothing else may be called before it succeeds. */
  open: { params: OpenParams; result: OpenResult };
  /** Replaces the breakpoints of one group; answers come in the order of the requests. */
  setBreakpoints: { params: { group: BreakpointGroup; requests: readonly BreakpointRequest[] }; result: readonly BreakpointAnswer[] };
  /** Continues, or continues in reverse, until a breakpoint, an end of the run, or `pause`. */
  run: { params: { row: number; direction: "forward" | "backward"; ignoreBreakpoints: boolean }; result: Arrival };
  step: { params: { row: number; thread: number; step: Step }; result: Arrival };
  goTo: { params: Destination; result: Arrival };
  /** Ends a `run` or `step` in progress early; they return where they got to. */
  pause: { params: Record<string, never>; result: null };
  /** Where a step in can lead. */
  targets: { params: { row: number; thread: number }; result: readonly CauseFrame[] };
  threads: { params: { row: number; packets: readonly number[] }; result: readonly ThreadInfo[] };
  /** The stack of a thread when the cursor is at `row`. */
  stack: { params: { row: number; thread: number; start: number; count: number }; result: { readonly frames: readonly CauseFrame[]; readonly total: number } };
  scopes: { params: { row: number }; result: readonly InspectedScope[] };
  /** Null: no such thing here. A text that does not parse is a failure, its message for people. */
  evaluate: { params: { row: number; text: string }; result: Evaluation | null };
  timeline: { params: TimelineQuery; result: TimelineResult };
  /** The recorded packets as a pcapng file. */
  capture: { params: Record<string, never>; result: Uint8Array };
}

/** What is to be looked at: a design, which is run, or a file that has a run in it. */
export type OpenParams = OpenDesignParams | { readonly trace: string };

export interface OpenDesignParams {
  readonly text: string;
  /** Texts of the files that the design names, by name; those that cannot be read are missing. */
  readonly files?: Readonly<Record<string, string>>;
  /** Take the place of the design's own settings; `until` in picoseconds. */
  readonly seed?: number | undefined;
  readonly until?: number | undefined;
}

export type OpenResult =
  | {
    readonly ok: true; readonly names: TraceNames; readonly parts: readonly PlacedPart[]; readonly until: number;
    /** Why a recorded run has rows only, and neither state nor packets. */
    readonly rowsOnly: string | undefined;
  }
  /** The design has errors; messages for people, lines from 0. */
  | { readonly ok: false; readonly errors: readonly { readonly line: number; readonly message: string }[] };

export type Step = "next" | "in" | "out" | "back" | "nextEvent" | "previousEvent";

/** A row, an instant (picoseconds), or the next event of a component on a line of the design. */
export type Destination =
  | { readonly kind: "row"; readonly row: number }
  | { readonly kind: "time"; readonly time: number }
  | { readonly kind: "line"; readonly line: number; readonly after: number };

/** Where the cursor came to stand, and why. */
export interface Arrival {
  readonly reason: BreakpointReason | "moved" | "pause" | "start" | "end";
  readonly view: CursorView;
  /** The thread that stands there: that of the row's context, or the one that was stepped. */
  readonly thread: number;
  readonly breakpoints: readonly number[];
  /** For a data breakpoint: what changed. */
  readonly text: string | undefined;
}

export type BreakpointGroup = "line" | "function" | "exception" | "data";

export type BreakpointRequest =
  | { readonly kind: "line"; readonly line: number; readonly options: BreakpointOptions }
  | { readonly kind: "function"; readonly name: string; readonly options: BreakpointOptions }
  | { readonly kind: "exception"; readonly filter: string; readonly options: BreakpointOptions }
  | { readonly kind: "data"; readonly target: WatchTarget; readonly options: BreakpointOptions };

export interface BreakpointAnswer {
  readonly id: number;
  readonly verified: boolean;
  /** Where a line breakpoint really sits. */
  readonly line?: number;
  readonly problem?: { readonly kind: "noComponent" | "unknownFunction" | "unknownFilter" | "unknownVariable" | "badText"; readonly detail: string };
}

export type CallName = keyof SessionCalls;

export type Request = { [K in CallName]: { readonly id: number; readonly call: K; readonly params: SessionCalls[K]["params"] } }[CallName];

export type ToWorker = Request | { readonly cancel: number };

export type Response =
  | { [K in CallName]: { readonly id: number; readonly call: K; readonly ok: true; readonly result: SessionCalls[K]["result"] } }[CallName]
  | { readonly id: number; readonly ok: false; readonly cancelled: boolean; readonly message: string };

export type FromWorker =
  | Response
  /** More has been recorded: at most a few times a second, and before any answer that refers to it. */
  | { readonly event: "grown"; readonly length: number; readonly time: number; readonly complete: boolean }
  | { readonly event: "log"; readonly text: string };

/** One end of the line to a worker: the same for Node's workers and the browser's. */
export interface WorkerPort {
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** The worker ended by itself; the message is for people. */
  onEnd(listener: (message: string) => void): void;
  terminate(): void;
}
