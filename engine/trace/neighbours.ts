import type { SliceList } from "./sliceList";
import { NONE, type Trace } from "./trace";

/** Index of a row's first slice, which begins in [begin, until] or right after what occupies that; −1 if it is not on this lane. */
export function indexOfRow(lane: SliceList, row: number, begin: number, until: number): number {
  for (let i = lane.firstIn(begin); i < lane.length; i++) {
    if (lane.row[i] === row) return i;
    if (lane.begin[i]! > until) break;
  }
  return -1;
}

/** Where a row's first slice begins; `begin` where it is not on this lane. */
export function firstPartAt(lane: SliceList, row: number, begin: number, until: number): number {
  const i = indexOfRow(lane, row, begin, until);
  return i < 0 ? begin : lane.begin[i]!;
}

/**
 * The row after (or before) the event `row` that begins at `time`, over all lanes of a track. Events are ordered by begin, then by
 * row; what was left of a row after an interruption is no event of its own. −1 if there is none.
 */
export function neighbourOf(trace: Trace, lanes: readonly SliceList[], time: number, row: number, direction: 1 | -1): number {
  let best = NONE;
  let bestTime = direction * Infinity;
  for (const lane of lanes) {
    let i = direction > 0 ? lane.firstBeginAt(time) : lane.firstBeginAfter(time) - 1;
    while (i >= 0 && i < lane.length && !(isBeyond(lane.begin[i]!, lane.row[i]!, time, row, direction) && isFirstPart(trace, lane, i))) i += direction;
    if (i < 0 || i >= lane.length) continue;
    if (best !== NONE && isBeyond(lane.begin[i]!, lane.row[i]!, bestTime, best, direction)) continue;
    best = lane.row[i]!;
    bestTime = lane.begin[i]!;
  }
  return best;
}

function isFirstPart(trace: Trace, lane: SliceList, slice: number): boolean {
  const row = lane.row[slice]!;
  return indexOfRow(lane, row, trace.begin(row), trace.time(row)) === slice;
}

function isBeyond(time: number, row: number, thanTime: number, thanRow: number, direction: 1 | -1): boolean {
  return time === thanTime ? (row - thanRow) * direction > 0 : (time - thanTime) * direction > 0;
}
