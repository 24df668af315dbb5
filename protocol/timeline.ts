/** What the timeline asks of the engine's worker, and what comes back: at most one slice a bucket and track. */

export interface TimelineQuery {
  /** Window, picoseconds. */
  readonly from: number;
  readonly to: number;
  /** Number of buckets in the window: about one a pixel. */
  readonly buckets: number;
}

export interface TimelineResult {
  readonly query: TimelineQuery;
}
