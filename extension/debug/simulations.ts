import type * as vscode from "vscode";
import type { TraceNames } from "../../engine/trace/trace";
import type { CursorOrigin, CursorView } from "../../protocol/cursor";
import type { TimelineQuery, TimelineResult } from "../../protocol/timeline";
import type { Keyboard } from "../webview/focus";

/**
 * A running (or finished) simulation of one design: a recorded prefix plus a cursor. The debug adapter makes it; the
 * diagram and the timeline watch it and may move its cursor. The engine itself runs in a worker; everything here is
 * asynchronous and cheap.
 */
export interface Simulation {
  /** The design file. */
  readonly uri: vscode.Uri;
  readonly names: TraceNames;
  /** Rows recorded so far, and the simulated time reached, picoseconds. */
  readonly length: number;
  readonly time: number;
  /** No more rows will come. */
  readonly complete: boolean;
  readonly onDidGrow: vscode.Event<void>;
  /** Where the debugger stands. Undefined before the first stop. */
  readonly cursor: CursorView | undefined;
  readonly onDidMoveCursor: vscode.Event<{ readonly view: CursorView; readonly origin: CursorOrigin }>;
  /** Makes the debugger stop at `row`; every view follows, and the origin keeps the keyboard focus. */
  moveCursor(row: number, origin: CursorOrigin): Promise<void>;
  timeline(query: TimelineQuery): Promise<TimelineResult>;
  readonly onDidEnd: vscode.Event<void>;
}

/** All simulations of this window. */
export interface Simulations {
  /** The one that the views show: that of the active debug session. */
  readonly active: Simulation | undefined;
  /** Whether the timeline has the keyboard: the timeline says so, and the debugger leaves it there. */
  readonly timelineKeyboard: Keyboard;
  readonly onDidChangeActive: vscode.Event<Simulation | undefined>;
  /** The one of this design file, if it runs. */
  of(uri: vscode.Uri): Simulation | undefined;
}
