import type { DiagramNode } from "../../protocol/diagram";
import { BAND_HEIGHT, onGrid, TILE_HEIGHT } from "./scene";

export type TextStyle = "tile" | "box" | "caption";

/** Width of a text, CSS pixels. */
export type Measure = (text: string, style: TextStyle) => number;

const ICON = 16;
const PAD = 10;
const GAP = 6;
const TILE_MIN = 64;

/** Width that a tile's icon, name and number need. */
export function tileWidth(node: DiagramNode, measure: Measure): number {
  const badge = node.badge === "" ? 0 : GAP + measure(node.badge, "caption");
  return onGrid(Math.max(TILE_MIN, PAD + ICON + GAP + measure(node.label, "tile") + badge + PAD));
}

/** Width that the head line of a box needs: icon, name, caption. */
export function headerWidth(node: DiagramNode, measure: Measure): number {
  const caption = node.caption === "" ? 0 : 2 * GAP + measure(node.caption, "caption");
  return onGrid(PAD + ICON + GAP + measure(node.label, "box") + caption + PAD);
}

/** The hypervisor's name stands left of everything that passes it: width of that margin. */
export function gutterWidth(node: DiagramNode, measure: Measure): number {
  const text = Math.max(measure(node.label, "box") + ICON + GAP, measure(node.caption, "caption"));
  return onGrid(PAD + text + PAD);
}

export { BAND_HEIGHT, ICON, GAP, PAD, TILE_HEIGHT };
