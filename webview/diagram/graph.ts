/**
 * The graph that ELK lays out, one for each machine. Layers carry the meaning of the page: applications on top, servers
 * under what they serve, then the hypervisor's layer, then devices. Where a binding passes the hypervisor's layer it
 * gets a node of its own, so that it runs straight through the band and the IOMMU's mark has a place.
 */
import type { ElkExtendedEdge, ElkNode, LayoutOptions } from "elkjs/lib/elk-api";
import type { DiagramEdge, DiagramModel, DiagramNode } from "../../protocol/diagram";
import { BAND_HEIGHT, HEADER, onGrid, TILE_HEIGHT } from "./scene";
import { gutterWidth, headerWidth, tileWidth, WIRE_GAP, type Measure } from "./sizes";

/** Space around what a box holds. */
export const PADDING = 12;
export const HOST_PADDING = 20;
/** Room under a device's functions for its switch. */
export const SWITCH_ROOM = 20;
const GUARD_WIDTH = 20;
/** Between tiles side by side. */
const TILE_GAP = 8;
/** Any distance: of positions, ELK takes the order only. */
const ORDER_STEP = 200;

const HOST_OPTIONS: LayoutOptions = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.partitioning.activate": "true",
  "elk.layered.crossingMinimization.semiInteractive": "true",
  "elk.json.edgeCoords": "ROOT",
  "elk.json.shapeCoords": "ROOT",
  "elk.spacing.nodeNode": "20",
  "elk.spacing.edgeNode": "16",
  "elk.spacing.edgeEdge": "12",
  "elk.layered.spacing.nodeNodeBetweenLayers": "28",
  "elk.layered.spacing.edgeNodeBetweenLayers": "12",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "8",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};

/** Wires of a tile stand together in its middle: so they pass between what a head line says on its left and on its right. */
const PORTS: LayoutOptions = { "elk.portAlignment.default": "CENTER", "elk.spacing.portPort": String(WIRE_GAP) };

export function guardId(edge: string): string {
  return `guard:${edge}`;
}

export function upperHalf(edge: string): string {
  return `upper:${edge}`;
}

export function lowerHalf(edge: string): string {
  return `lower:${edge}`;
}

/** Id of the node that keeps the hypervisor's layer open where no binding passes it. */
export const BAND_ID = "band";

/** What `hostGraph` needs to look up again and again, made once for a model. */
export interface ModelIndex {
  readonly model: DiagramModel;
  readonly byPath: ReadonlyMap<string, DiagramNode>;
  readonly children: ReadonlyMap<string, readonly DiagramNode[]>;
  /** Path of the host that a part lies in. */
  readonly hostOf: (path: string) => string | undefined;
  /** Paths of boxes that stand for a pile. */
  readonly piles: ReadonlySet<string>;
}

export function indexModel(model: DiagramModel, piles: ReadonlySet<string> = new Set()): ModelIndex {
  const byPath = new Map(model.nodes.map((node) => [node.path, node]));
  const children = new Map<string, DiagramNode[]>();
  for (const node of model.nodes) {
    if (node.parent === undefined) continue;
    const list = children.get(node.parent);
    if (list) list.push(node);
    else children.set(node.parent, [node]);
  }
  const hostOf = (path: string): string | undefined => {
    let node = byPath.get(path);
    while (node?.parent !== undefined) node = byPath.get(node.parent);
    return node?.path;
  };
  return { model, byPath, children, hostOf, piles };
}

/**
 * The ELK graph of one machine. Ids are paths; the ids of its edges are the model's, or the two halves of one.
 * @param order what boxes stand in the order of, by path, from left to right; where nothing is said, as in the file.
 */
export function hostGraph(host: DiagramNode, index: ModelIndex, measure: Measure, order: ReadonlyMap<string, number>): ElkNode {
  const children = index.children.get(host.path) ?? [];
  const hypervisor = children.find((node) => node.kind === "hypervisor");
  const lowest = Math.max(0, ...children.map((node) => node.rank));
  const bandLayer = lowest + 1;
  const gutter = hypervisor ? gutterWidth(hypervisor, measure) : 0;
  const graph: ElkNode & { children: ElkNode[]; edges: ElkExtendedEdge[] } = {
    id: host.path,
    layoutOptions: {
      ...HOST_OPTIONS,
      "elk.padding": padding(HEADER.host, HOST_PADDING, HOST_PADDING, HOST_PADDING + gutter),
    },
    children: [],
    edges: [],
  };
  let left = 0;
  for (const node of children) {
    if (node.kind !== "domain" && node.kind !== "device") continue;
    const layer = node.kind === "domain" ? node.rank : bandLayer + 1;
    const box = boxNode(node, layer, index, measure);
    // An edit elsewhere must not make boxes change places.
    const x = order.get(node.path) ?? left;
    if (box.layoutOptions) box.layoutOptions["elk.position"] = `(${x},0)`;
    left = x + ORDER_STEP;
    graph.children.push(box);
  }
  for (const edge of index.model.edges) {
    if (edge.kind === "link" || index.hostOf(edge.from) !== host.path || index.hostOf(edge.to) !== host.path) continue;
    if (edge.kind === "binding" && (hypervisor || edge.guarded)) addGuarded(graph, edge, bandLayer, hypervisor !== undefined);
    else graph.edges.push({ id: edge.id, sources: [edge.from], targets: [edge.to] });
  }
  if (hypervisor && !graph.children.some((child) => child.id.startsWith("guard:"))) {
    graph.children.push({ id: BAND_ID, width: GUARD_WIDTH, height: BAND_HEIGHT, layoutOptions: inLayer(bandLayer) });
  }
  return graph;
}

function addGuarded(graph: { children: ElkNode[]; edges: ElkExtendedEdge[] }, edge: DiagramEdge, layer: number, band: boolean): void {
  const id = guardId(edge.id);
  graph.children.push({ id, width: GUARD_WIDTH, height: band ? BAND_HEIGHT : GUARD_WIDTH, layoutOptions: inLayer(layer) });
  graph.edges.push({ id: upperHalf(edge.id), sources: [edge.from], targets: [id] }, { id: lowerHalf(edge.id), sources: [id], targets: [edge.to] });
}

function boxNode(node: DiagramNode, layer: number, index: ModelIndex, measure: Measure): ElkNode {
  const tiles = index.children.get(node.path) ?? [];
  const device = node.kind === "device";
  // A channel from above enters a server through its head line; a link leaves a device through its own.
  const entering = new Set(index.model.edges.filter((edge) => edge.to.startsWith(`${node.path}/`) && !edge.from.startsWith(`${node.path}/`)).map((edge) => edge.id));
  const inner = headerWidth(node, measure, device ? 1 : entering.size) - 2 * PADDING;
  const top = device ? PADDING : HEADER.domain;
  const bottom = device ? SWITCH_ROOM + HEADER.device : PADDING;
  const layoutOptions: LayoutOptions = {
    ...inLayer(layer),
    "elk.padding": padding(top, PADDING, bottom, PADDING),
    "elk.spacing.nodeNode": String(TILE_GAP),
    "elk.layered.spacing.nodeNodeBetweenLayers": "12",
  };
  if (tiles.length === 0) return { id: node.path, width: inner + 2 * PADDING, height: top + bottom, layoutOptions };
  const widths = tileWidths(device ? [tiles] : layersOf(tiles, index.model.edges), inner, measure);
  return { id: node.path, layoutOptions, children: tiles.map((child) => ({ id: child.path, width: widths.get(child.path) ?? 0, height: TILE_HEIGHT, layoutOptions: PORTS })) };
}

/** The tiles of a stack as they lie on each other: uplinks side by side. */
function layersOf(tiles: readonly DiagramNode[], edges: readonly DiagramEdge[]): DiagramNode[][] {
  const depth = new Map<string, number>();
  for (const { path } of tiles) {
    const above = edges.find((edge) => edge.kind === "call" && edge.to === path)?.from;
    depth.set(path, above === undefined ? 0 : (depth.get(above) ?? 0) + 1);
  }
  const layers: DiagramNode[][] = [];
  for (const tile of tiles) (layers[depth.get(tile.path) ?? 0] ??= []).push(tile);
  return layers;
}

/** One width for a stack, so that it reads as layers; what lies side by side shares it. @param least what the head line needs */
function tileWidths(layers: readonly (readonly DiagramNode[])[], least: number, measure: Measure): Map<string, number> {
  const needed = layers.map((layer) => layer.length * (Math.max(...layer.map((tile) => tileWidth(tile, measure))) + TILE_GAP) - TILE_GAP);
  const width = Math.max(least, ...needed);
  // On the grid, so that the middles of tiles are whole and wires straight.
  return new Map(layers.flatMap((layer) => layer.map(({ path }) => [path, onGrid((width + TILE_GAP) / layer.length - TILE_GAP)] as const)));
}

function inLayer(layer: number): LayoutOptions {
  return { "elk.partitioning.partition": String(layer) };
}

function padding(top: number, right: number, bottom: number, left: number): string {
  return `[top=${top},right=${right},bottom=${bottom},left=${left}]`;
}
