/**
 * Where a user can put things. A host and a client stand where they are pinned. How high a domain stands says how privileged it is, and
 * devices stand below: of these a pin says the order from left to right, so that wires stay short and nothing covers anything.
 */
import { boxAround } from "../../protocol/diagram";
import type { Direction } from "./navigate";
import { HEADER, type Box, type Point, type Rect, type Scene } from "./scene";

export interface Pin extends Point {
  readonly path: string;
}

/** What letting go would do. */
export interface Placement {
  /** Pins to write; none: everything stays as it is. */
  readonly pins: readonly Pin[];
  /** Where the box would stand, or the gap that it would go into. */
  readonly mark: { readonly kind: "box" | "gap"; readonly rect: Rect };
}

/** Diagram units that a key press moves a host. */
const STEP = 20;
/** Between pins of boxes beside each other, where numbers are given anew. */
const APART = 200;

/** The box that moves when a part is moved. */
export function movedBox(scene: Scene, path: string): Box | undefined {
  const node = boxAround(scene.boxes.map((box) => box.node), path);
  return node && scene.boxes.find((box) => box.node === node);
}

/** Whether a press at a point of the page takes hold of the box: of a host the head line, because its ground is the page's. */
export function holds(box: Box, at: Point): boolean {
  return box.node.kind !== "host" || at.y <= box.y + HEADER.host;
}

/** The box is dragged by so much. */
export function dragged(scene: Scene, box: Box, by: Point): Placement {
  if (box.depth === 0) return placed(box, { x: box.x + by.x, y: box.y + by.y });
  const middle = box.x + by.x + box.width / 2;
  const others = beside(scene, box).filter((other) => other !== box);
  return between(scene, box, others, others.filter((other) => other.x + other.width / 2 < middle).length);
}

/** The box is moved by a key; undefined: there is nowhere to go. */
export function nudged(scene: Scene, box: Box, direction: Direction): Placement | undefined {
  const right = direction === "right" ? 1 : direction === "left" ? -1 : 0;
  const down = direction === "down" ? 1 : direction === "up" ? -1 : 0;
  if (box.depth === 0) return placed(box, { x: box.x + right * STEP, y: box.y + down * STEP });
  const row = beside(scene, box);
  const at = row.indexOf(box) + right;
  if (right === 0 || at < 0 || at >= row.length) return undefined;
  return between(scene, box, row.filter((other) => other !== box), at);
}

function placed(box: Box, at: Point): Placement {
  const pin = { path: box.node.path, x: Math.round(at.x), y: Math.round(at.y) };
  const stays = pin.x === Math.round(box.x) && pin.y === Math.round(box.y);
  return { pins: stays ? [] : [pin], mark: { kind: "box", rect: { x: pin.x, y: pin.y, width: box.width, height: box.height } } };
}

/** Boxes that stand in one row with this one, itself among them, from left to right. */
function beside(scene: Scene, box: Box): Box[] {
  return scene.boxes.filter(({ node }) => node.parent === box.node.parent && node.kind === box.node.kind && node.rank === box.node.rank).sort((a, b) => a.x - b.x);
}

/** @param at number of `others` that stand to the left of it then */
function between(scene: Scene, box: Box, others: readonly Box[], at: number): Placement {
  const left = others[at - 1];
  const right = others[at];
  const middle = left && right ? (left.x + left.width + right.x) / 2 : left ? left.x + left.width + 8 : (right?.x ?? box.x) - 8;
  const tops = [box, left, right].flatMap((each) => (each ? [each.y] : []));
  const feet = [box, left, right].flatMap((each) => (each ? [each.y + each.height] : []));
  const mark = { kind: "gap", rect: { x: middle - 1, y: Math.min(...tops), width: 2, height: Math.max(...feet) - Math.min(...tops) } } as const;
  const stays = at === beside(scene, box).indexOf(box);
  return { pins: stays ? [] : pinsBetween(scene, box, others, at), mark };
}

/** One pin between those of its neighbours; where no number is left between them, a pin for each of the row. */
function pinsBetween(scene: Scene, box: Box, others: readonly Box[], at: number): Pin[] {
  const keyOf = (other: Box): number => scene.order.get(other.node.path) ?? other.x;
  const [left, right] = [others[at - 1], others[at]];
  const low = left ? keyOf(left) : keyOf(right ?? box) - 2 * APART;
  const high = right ? keyOf(right) : low + 2 * APART;
  const x = Math.round((low + high) / 2);
  const pin = (path: string, to: number, y: number): Pin => ({ path, x: to, y: Math.round(y) });
  if (x > low && x < high) return [pin(box.node.path, x, box.y)];
  return [...others.slice(0, at), box, ...others.slice(at)].map((each, i) => pin(each.node.path, i * APART, each.y));
}
