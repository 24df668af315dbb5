import type { Group, SliceList } from "./sliceList";
import type { WindowQuery } from "./timelineQuery";

/** Calls `visit` for each bucket in which slices begin; slices that began before the window count as the first bucket's. */
export function eachGroup(lane: SliceList, { from, to, buckets }: Pick<WindowQuery, "from" | "to" | "buckets">, visit: (group: Group) => void): void {
  if (!(to > from && buckets > 0)) return;
  const width = (to - from) / buckets;
  const group: Group = { first: 0, last: 0, longest: 0, busy: 0 };
  let first = lane.firstIn(from);
  const end = lane.firstBeginAt(to, first);
  let bucket = -1;
  while (first < end) {
    bucket = Math.min(buckets - 1, Math.max(bucket + 1, Math.floor((Math.max(lane.begin[first]!, from) - from) / width)));
    const edge = bucket + 1 >= buckets ? to : from + (bucket + 1) * width;
    const next = Math.max(first + 1, Math.min(end, lane.firstBeginAt(edge, first)));
    lane.group(first, next - 1, group);
    visit(group);
    first = next;
  }
}
