/** From ELK's result for each machine to the whole page: machines beside each other, clients to the side, the wire below. */
import type { ElkExtendedEdge, ElkNode } from "elkjs/lib/elk-api";
import type { DiagramEdge, DiagramNode } from "../../protocol/diagram";
import { BAND_ID, guardId, HOST_PADDING, lowerHalf, PADDING, SWITCH_ROOM, upperHalf, type ModelIndex } from "./graph";
import { BAND_HEIGHT, HEADER, TILE_HEIGHT, type Box, type Picture, type Point, type Rect, type Wire } from "./scene";
import { headerWidth, tileWidth, type Measure } from "./sizes";

const HOST_GAP = 32;
/** Below the machines, before the first link runs. */
const LANE_TOP = 28;
const LANE_GAP = 28;
/** Under a box, where the name of what leaves it stands. */
const NAME_ROOM = 28;

/** @param layouts ELK's result by the path of the machine; a machine without one is left out. */
export function assemble(index: ModelIndex, layouts: ReadonlyMap<string, ElkNode>, measure: Measure): Picture {
  const hosts = index.model.nodes.filter((node) => node.parent === undefined);
  const parts = [
    ...hosts.filter((node) => node.kind === "host").flatMap((node) => machine(node, layouts.get(node.path), index, measure)),
    ...hosts.filter((node) => node.kind === "client").map((node) => client(node, index, measure)),
  ];
  const floor = Math.max(0, ...parts.map((part) => part.size.height));
  const boxes: Box[] = [];
  const wires: Wire[] = [];
  let left = 0;
  for (const part of parts) {
    const pin = index.model.pins[part.host];
    const at = pin ?? { x: left, y: floor - part.size.height };
    boxes.push(...part.boxes.map((box) => ({ ...box, x: box.x + at.x, y: box.y + at.y })));
    wires.push(...part.wires.map((wire) => moved(wire, at)));
    left += part.size.width + HOST_GAP;
  }
  wires.push(...links(index, boxes));
  return { ...bounds(boxes, wires), boxes, wires };
}

interface Placed {
  readonly host: string;
  readonly size: { readonly width: number; readonly height: number };
  readonly boxes: readonly Box[];
  readonly wires: readonly Wire[];
}

function machine(host: DiagramNode, layout: ElkNode | undefined, index: ModelIndex, measure: Measure): Placed[] {
  if (!layout) return [];
  const width = Math.max(layout.width ?? 0, headerWidth(host, measure));
  const height = Math.max(layout.height ?? 0, HEADER.host + HOST_PADDING);
  const boxes: Box[] = [{ node: host, depth: 0, pile: false, x: 0, y: 0, width, height }];
  const band = (layout.children ?? []).find((child) => child.id === BAND_ID || child.id.startsWith("guard:"));
  for (const child of index.children.get(host.path) ?? []) {
    if (child.kind === "hypervisor") {
      boxes.push({ node: child, depth: 1, pile: false, x: HOST_PADDING, y: band?.y ?? 0, width: width - 2 * HOST_PADDING, height: BAND_HEIGHT });
      continue;
    }
    const placed = layout.children?.find((node) => node.id === child.path);
    if (placed) boxes.push(...nested(child, placed, index, 1));
  }
  const byPath = new Map(boxes.map((box) => [box.node.path, box]));
  const wires = [...routed(index, layout).map((wire) => named(wire, byPath)), ...boxes.filter((box) => box.node.kind === "device").flatMap((box) => switchWires(box, boxes))];
  return [{ host: host.path, size: { width, height }, boxes, wires }];
}

function nested(node: DiagramNode, placed: ElkNode, index: ModelIndex, depth: number): Box[] {
  const boxes: Box[] = [{ node, depth, pile: index.piles.has(node.path), x: placed.x ?? 0, y: placed.y ?? 0, width: placed.width ?? 0, height: placed.height ?? 0 }];
  for (const child of placed.children ?? []) {
    const inner = index.byPath.get(child.id);
    if (inner) boxes.push(...nested(inner, child, index, depth + 1));
  }
  return node.kind === "domain" ? filled(boxes) : boxes;
}

/** A stack is one block: the outer tiles of each of its rows reach to the sides of the domain, which is the first of the boxes. */
function filled([domain, ...tiles]: Box[]): Box[] {
  if (!domain) return [];
  const [left, right] = [domain.x + PADDING, domain.x + domain.width - PADDING];
  const stretched = tiles.map((tile) => {
    const row = tiles.filter(({ y }) => y === tile.y);
    const x = row.every((other) => other.x >= tile.x) ? left : tile.x;
    const end = row.every((other) => other.x <= tile.x) ? right : tile.x + tile.width;
    return { ...tile, x, width: end - x };
  });
  return [domain, ...stretched];
}

/** Edges that ELK routed; a binding's halves are joined at its guard. */
function routed(index: ModelIndex, layout: ElkNode): Wire[] {
  const paths = new Map<string, Point[]>();
  collect(layout, paths);
  const guards = new Map((layout.children ?? []).map((child) => [child.id, child]));
  return index.model.edges.flatMap((edge): Wire[] => {
    const whole = paths.get(edge.id);
    if (whole) return [wire(edge, whole, undefined)];
    const upper = paths.get(upperHalf(edge.id));
    const lower = paths.get(lowerHalf(edge.id));
    const guard = guards.get(guardId(edge.id));
    if (!upper || !lower || !guard) return [];
    const y = (guard.y ?? 0) + (guard.height ?? 0) / 2;
    const x = (guard.x ?? 0) + (guard.width ?? 0) / 2;
    return [wire(edge, straightened([...upper, ...lower]), edge.guarded ? { x, y } : undefined)];
  });
}

/** A crossing's name stands beside it where it leaves the upper box. */
function named(wire: Wire, boxes: ReadonlyMap<string, Box>): Wire {
  if (wire.kind !== "crossing") return wire;
  const upper = boxes.get(boxes.get(wire.from)?.node.parent ?? "");
  const lower = boxes.get(boxes.get(wire.to)?.node.parent ?? "");
  if (!upper || !lower) return wire;
  const bottom = upper.y + upper.height;
  const y = lower.y > bottom ? (bottom + Math.min(lower.y, bottom + NAME_ROOM)) / 2 : bottom;
  const at = wire.points.findIndex((point, i) => i > 0 && point.x === wire.points[i - 1]!.x && wire.points[i - 1]!.y <= y && y <= point.y);
  return at < 0 ? wire : { ...wire, caption: { x: wire.points[at]!.x, y } };
}

function collect(node: ElkNode, into: Map<string, Point[]>): void {
  for (const edge of node.edges ?? []) {
    const points = edgePoints(edge);
    if (points.length > 1) into.set(edge.id, points);
  }
  for (const child of node.children ?? []) collect(child, into);
}

function edgePoints(edge: ElkExtendedEdge): Point[] {
  return (edge.sections ?? []).flatMap((section) => [section.startPoint, ...(section.bendPoints ?? []), section.endPoint]);
}

/** Without the points that lie on a straight line between their neighbours. */
export function straightened(points: readonly Point[]): Point[] {
  return points.filter((point, i) => {
    const before = points[i - 1];
    const after = points[i + 1];
    if (!before || !after) return true;
    return !((before.x === point.x && point.x === after.x) || (before.y === point.y && point.y === after.y));
  });
}

function wire(edge: DiagramEdge, points: readonly Point[], guard: Point | undefined): Wire {
  return { id: edge.id, kind: edge.kind, from: edge.from, to: edge.to, idle: edge.idle, points, guard, caption: undefined, edge };
}

/** Inside a device: every function down to the switch, and along it to the port in the middle of the lower side. */
function switchWires(device: Box, boxes: readonly Box[]): Wire[] {
  const y = device.y + device.height - HEADER.device - SWITCH_ROOM / 2;
  const port = device.x + device.width / 2;
  return boxes.filter((box) => box.node.parent === device.node.path).map((box): Wire => {
    const x = box.x + box.width / 2;
    const top = box.y + box.height;
    const points = straightened([{ x, y: top }, { x, y }, { x: port, y }, { x: port, y: device.y + device.height }]);
    return {
      id: `switch:${box.node.path}`, kind: "switch", from: box.node.path, to: device.node.path, idle: box.node.idle, points,
      guard: undefined, caption: undefined, edge: undefined,
    };
  });
}

function client(host: DiagramNode, index: ModelIndex, measure: Measure): Placed {
  // The interface last: it is next to the wire.
  const tiles = [...(index.children.get(host.path) ?? [])].sort((a, b) => Number(a.kind === "function") - Number(b.kind === "function"));
  const inner = Math.max(headerWidth(host, measure) - 2 * PADDING, ...tiles.map((tile) => tileWidth(tile, measure)));
  const step = TILE_HEIGHT + 8;
  const width = inner + 2 * PADDING;
  const height = HEADER.domain + tiles.length * step + PADDING - (tiles.length > 0 ? 8 : 0);
  const boxes: Box[] = [{ node: host, depth: 0, pile: false, x: 0, y: 0, width, height }];
  tiles.forEach((node, i) => boxes.push({ node, depth: 1, pile: false, x: PADDING, y: HEADER.domain + i * step, width: inner, height: TILE_HEIGHT }));
  return { host: host.path, size: { width, height }, boxes, wires: [] };
}

/** Each link on a lane of its own below the machines: down from the device's port, across, up to the client. */
function links(index: ModelIndex, boxes: readonly Box[]): Wire[] {
  const byPath = new Map(boxes.map((box) => [box.node.path, box]));
  const floor = Math.max(0, ...boxes.filter((box) => box.depth === 0).map((box) => box.y + box.height));
  const ends = index.model.edges.filter((edge) => edge.kind === "link").flatMap((edge) => {
    const from = byPath.get(edge.from);
    const to = byPath.get(edge.to);
    return from && to ? [{ edge, from: below(from), to: below(to) }] : [];
  });
  return ends.map(({ edge, from, to }, i): Wire => {
    const y = floor + LANE_TOP + i * LANE_GAP;
    const points = [from, { x: from.x, y }, { x: to.x, y }, to];
    // Links of the lanes below come down through this one.
    const crossing = ends.slice(i + 1).flatMap((other) => [other.from.x, other.to.x]);
    return { ...wire(edge, points, undefined), caption: { x: middleOfWidest(from.x, to.x, crossing), y } };
  });
}

/** The middle of the widest part between `a` and `b` that `cuts` leave whole. */
function middleOfWidest(a: number, b: number, cuts: readonly number[]): number {
  const [left, right] = [Math.min(a, b), Math.max(a, b)];
  const at = [left, ...cuts.filter((x) => x > left && x < right).sort((x, y) => x - y), right];
  let best = 0;
  for (let i = 1; i + 1 < at.length; i++) if (at[i + 1]! - at[i]! > at[best + 1]! - at[best]!) best = i;
  return (at[best]! + at[best + 1]!) / 2;
}

function below(box: Box): Point {
  return { x: box.x + box.width / 2, y: box.y + box.height };
}

function moved(wire: Wire, by: Point): Wire {
  const shift = (point: Point): Point => ({ x: point.x + by.x, y: point.y + by.y });
  return { ...wire, points: wire.points.map(shift), guard: wire.guard && shift(wire.guard), caption: wire.caption && shift(wire.caption) };
}

function bounds(boxes: readonly Box[], wires: readonly Wire[]): Rect {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const include = (x: number, y: number): void => {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  };
  for (const box of boxes) {
    include(box.x, box.y);
    include(box.x + box.width, box.y + box.height);
  }
  for (const { points } of wires) for (const { x, y } of points) include(x, y);
  return left > right ? { x: 0, y: 0, width: 0, height: 0 } : { x: left, y: top, width: right - left, height: bottom - top };
}
