import * as vscode from "vscode";
import type { TraceNames } from "../../engine/trace/trace";
import type { PlacedPart } from "../../engine/session/designLines";
import type { CursorOrigin, CursorView } from "../../protocol/cursor";
import type { TimelineQuery, TimelineResult } from "../../protocol/timeline";
import type { Adapter } from "./adapter/adapter";
import type { OpenedSimulation } from "./adapter/adapterHost";
import type { Simulation } from "./simulations";

/** The simulation of one debug session, as the views see it. */
export class RunningSimulation implements Simulation {
  readonly names: TraceNames;
  /** Every part of the design that its text spells. */
  readonly parts: readonly PlacedPart[];
  /** End of simulated time, picoseconds. */
  readonly until: number;
  private readonly grow = new vscode.EventEmitter<void>();
  private readonly move = new vscode.EventEmitter<{ readonly view: CursorView; readonly origin: CursorOrigin }>();
  private readonly end = new vscode.EventEmitter<void>();
  readonly onDidGrow = this.grow.event;
  readonly onDidMoveCursor = this.move.event;
  readonly onDidEnd = this.end.event;

  constructor(readonly uri: vscode.Uri, readonly session: vscode.DebugSession, readonly adapter: Adapter, private readonly opened: OpenedSimulation) {
    this.names = opened.design.names;
    this.parts = opened.design.parts;
    this.until = opened.design.until;
    opened.client.onGrow = () => this.grow.fire();
  }

  get length(): number { return this.opened.client.progress.length; }
  get time(): number { return this.opened.client.progress.time; }
  get complete(): boolean { return this.opened.client.progress.complete; }
  get cursor(): CursorView | undefined { return this.adapter.cursor; }

  moveCursor(row: number, origin: CursorOrigin): Promise<void> { return this.adapter.moveTo({ kind: "row", row }, origin); }
  timeline(query: TimelineQuery): Promise<TimelineResult> { return this.opened.client.call("timeline", query); }
  /** The packets recorded so far as a pcapng file. */
  capture(): Promise<Uint8Array> { return this.opened.client.call("capture", {}); }

  /** The adapter moved the cursor. */
  moved(view: CursorView, origin: CursorOrigin): void { this.move.fire({ view, origin }); }

  /** The session is over: views let go. */
  ended(): void {
    this.end.fire();
    for (const emitter of [this.grow, this.move, this.end]) emitter.dispose();
  }
}
