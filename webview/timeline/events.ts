import type { EventDetail } from "../../engine/trace/timelineQuery";
import { NONE } from "../../engine/trace/trace";
import type { Questions } from "./questions";
import type { TrackRow } from "./trackTree";
import type { Viewport } from "./viewport";

/** Where a click or the pointer is: a track, a lane of it and an instant. */
export interface Spot {
  readonly row: TrackRow;
  readonly lane: number;
  readonly time: number;
}

/** The spot at a point of the chart, `y` counted from the top of all rows; undefined between tracks and on groups. */
export function spotAt(rows: readonly TrackRow[], viewport: Viewport, x: number, y: number): Spot | undefined {
  const row = rows.find((r) => y >= r.top && y < r.top + r.height);
  if (!row || row.track < 0) return undefined;
  const lane = Math.max(0, Math.min(row.lanes - 1, Math.floor(((y - row.top) / row.height) * row.lanes)));
  return { row, lane, time: viewport.time(x) };
}

/** Questions whose answer is one event; undefined where there is none, or where the answer never comes. */
export class Events {
  constructor(private readonly questions: Questions, private readonly failed: (error: unknown) => void) {}

  at(row: number): Promise<EventDetail | undefined> {
    return this.one(this.questions.ask<"event">({ kind: "event", row }));
  }

  /** @param tolerance picoseconds */
  near({ row, lane, time }: Spot, tolerance: number): Promise<EventDetail | undefined> {
    return this.one(this.questions.ask<"pick">({ kind: "pick", track: row.track, lane, time, tolerance }));
  }

  find(text: string, after: number, direction: 1 | -1): Promise<EventDetail | undefined> {
    return this.one(this.questions.ask<"find">({ kind: "find", text, row: after, direction }));
  }

  /** The event that a step along a track leads to; the first step onto a track goes to what is nearest to `time`. */
  walk(track: TrackRow, to: "next" | "previous" | "first" | "last", here: EventDetail | undefined, time: number): Promise<EventDetail | undefined> {
    const direction = to === "next" || to === "first" ? 1 : -1;
    const toEnd = to === "first" || to === "last";
    const isOn = here !== undefined && (here.track === track.track || (track.packet >= 0 && here.packet === track.packet));
    if (!toEnd && !isOn) return this.near({ row: track, lane: 0, time }, Number.MAX_VALUE);
    const row = toEnd || !here ? NONE : here.row;
    return this.one(this.questions.ask<"neighbour">({ kind: "neighbour", track: track.track, row, direction }));
  }

  private async one(answer: Promise<{ readonly event: EventDetail | undefined }>): Promise<EventDetail | undefined> {
    try {
      return (await answer).event;
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }
}
