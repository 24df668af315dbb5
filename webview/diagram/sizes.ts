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

/** Between what stands left and right on a head line: wires pass there. */
const MIDDLE = 16;
/** Between wires that come in beside each other. */
export const WIRE_GAP = 12;

/**
 * Width that the head line of a box needs: icon and name on the left, caption on the right.
 * @param crossed number of wires that run through its middle, side by side; each of the texts has one half of the rest.
 */
export function headerWidth(node: DiagramNode, measure: Measure, crossed = 0): number {
  const left = PAD + ICON + GAP + measure(node.label, "box");
  const right = node.caption === "" ? 0 : measure(node.caption, "caption") + PAD;
  return onGrid((crossed > 0 ? 2 * Math.max(left, right) + (crossed - 1) * WIRE_GAP : left + right) + MIDDLE);
}

/** The hypervisor's name stands left of everything that passes it: width of that margin. */
export function gutterWidth(node: DiagramNode, measure: Measure): number {
  const text = Math.max(measure(node.label, "box") + ICON + GAP, measure(node.caption, "caption"));
  return onGrid(PAD + text + PAD);
}

export { BAND_HEIGHT, ICON, GAP, PAD, TILE_HEIGHT };
