/** What the timeline's webview and its host say to each other. The questions themselves are the engine's: see timelineQuery.ts. */
import type { TimelineQuery, TimelineResult } from "../engine/trace/timelineQuery";
import type { TraceNames } from "../engine/trace/trace";
import type { CursorView } from "./cursor";

export type { TimelineQuery, TimelineResult };

/** What can be done to the view from outside: its commands. */
export type TimelineAction = "zoomIn" | "zoomOut" | "fit" | "zoomToSelection" | "find";

export type ToTimeline =
  /** Another simulation, or none: forget everything. `generation` counts these; questions carry it back. */
  | { readonly type: "simulation"; readonly generation: number; readonly simulation: TimelineSimulation | undefined }
  | { readonly type: "grew"; readonly generation: number; readonly rows: number; readonly time: number; readonly complete: boolean }
  /** `reveal`: the cursor was moved elsewhere, bring it into view. */
  | { readonly type: "cursor"; readonly generation: number; readonly cursor: CursorView | undefined; readonly reveal: boolean }
  | { readonly type: "answer"; readonly generation: number; readonly id: number; readonly result: TimelineResult }
  | { readonly type: "refused"; readonly generation: number; readonly id: number; readonly reason: string }
  | { readonly type: "action"; readonly action: TimelineAction }
  /** See `focusPage`. */
  | { readonly type: "focus" };

export type FromTimeline =
  /** The webview listens now: send it the simulation. */
  | { readonly type: "ready" }
  | { readonly type: "ask"; readonly generation: number; readonly id: number; readonly query: TimelineQuery }
  | { readonly type: "moveCursor"; readonly generation: number; readonly row: number }
  /** The page got the keyboard, or lost it. */
  | { readonly type: "keyboard"; readonly here: boolean }
  /** The button of the empty state. */
  | { readonly type: "run" };

export interface TimelineSimulation {
  /** Stable key of the design, for what the view remembers about it. */
  readonly key: string;
  /** Name for people: the design file's. */
  readonly title: string;
  readonly names: TraceNames;
  readonly rows: number;
  /** Simulated time reached, picoseconds. */
  readonly time: number;
  readonly complete: boolean;
  readonly cursor: CursorView | undefined;
}

