import type { SliceList } from "./sliceList";

/**
 * Lays the work of one row into the free time of a lane: from `begin` on, `cost` picoseconds in all, around the slices
 * that are there already (an interrupt, another thread) and around the times in `off` (the vCPU had no pCPU), but not
 * beyond `until`, the instant of the dispatch. Free time that a preempted row cannot account for stays empty.
 * A row that fits nowhere gets a slice of length zero at the first free instant, so that every row can be found.
 */
export function layWork(lane: SliceList, off: SliceList | undefined, row: number, begin: number, cost: number, until: number): void {
  let left = cost;
  let at = begin;
  while (left > 0) {
    at = firstFree(lane, at);
    const away = off?.firstEndAfter(at) ?? 0;
    let stop = Math.min(at + left, until);
    if (off && away < off.length) {
      if (off.begin[away]! <= at) {
        at = off.end[away]!;
        if (at < until) continue;
        break;
      }
      stop = Math.min(stop, off.begin[away]!);
    }
    const next = lane.firstEndAfter(at);
    if (next < lane.length) stop = Math.min(stop, lane.begin[next]!);
    if (stop <= at) break;
    lane.insert(at, stop, row);
    left -= stop - at;
    at = stop;
  }
  if (left !== cost) return;
  const instant = firstFree(lane, begin);
  lane.insert(instant, instant, row);
}

function firstFree(lane: SliceList, time: number): number {
  let at = time;
  for (let i = lane.firstEndAfter(at); i < lane.length && lane.begin[i]! <= at; i = lane.firstEndAfter(at)) at = lane.end[i]!;
  return at;
}
