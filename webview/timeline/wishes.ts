import type { Track } from "../../engine/trace/timelineQuery";
import type { Tiles, Wish } from "./tiles";
import type { TrackRow } from "./trackTree";
import type { Viewport } from "./viewport";

/** Rows this far above and below the visible ones are fetched too, CSS pixels. */
const MARGIN = 100;

/**
 * What the chart needs, most urgent first: the whole run of all tracks (for the minimap, and to stand in for what is loading), the
 * exact windows of the tracks in view, and a little to both sides of them.
 */
export function wishes(
  tiles: Tiles, all: readonly Track[], rows: readonly TrackRow[], viewport: Viewport,
  { scrollTop, clientHeight }: { readonly scrollTop: number; readonly clientHeight: number }, ratio: number,
): Wish[] {
  const inView = rows.filter((r) => r.packet < 0 && r.top + r.height > scrollTop - MARGIN && r.top < scrollTop + clientHeight + MARGIN);
  const tracks = [...new Set(inView.flatMap((r) => (r.track >= 0 ? [r.track] : r.expanded === false ? r.inside.map((t) => t.id) : [])))];
  const room = viewport.span / 4;
  const level = tiles.levelFor(viewport.scale / ratio);
  return [
    { level: tiles.overviewLevel, from: 0, to: viewport.end, tracks: all.map((t) => t.id) },
    { level, from: viewport.from, to: viewport.to, tracks },
    { level, from: viewport.from - room, to: viewport.to + room, tracks },
  ];
}
