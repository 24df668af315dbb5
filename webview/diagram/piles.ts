/**
 * Large designs: domains that are alike are drawn as a pile with one of them in front, and of many functions or
 * workloads only those that say something. A page of two hundred boxes shows nothing; a figure says "× 200".
 */
import type { DiagramModel, DiagramNode } from "../../protocol/diagram";
import { fill, type DiagramStrings } from "../../protocol/diagramStrings";

/** A host with no more domains than these is drawn in full. */
const DOMAINS_IN_FULL = 8;
/** Fewer alike than these make no pile. */
const SMALLEST_PILE = 3;
/** Of more functions or workloads than these, some are left out. */
const TILES_IN_FULL = 8;
/** Free functions that stay, as targets for an uplink. */
const FREE_SHOWN = 2;

export interface PiledModel {
  /** What is drawn. */
  readonly model: DiagramModel;
  /** Of each front domain, all members of its pile, in the file's order. */
  readonly piles: ReadonlyMap<string, readonly string[]>;
}

/**
 * @param fronts paths that are wanted in front (of a domain, or of anything in it), the most wanted last.
 */
export function pileUp(model: DiagramModel, fronts: readonly string[], strings: DiagramStrings): PiledModel {
  const hidden = new Set<string>();
  const piles = new Map<string, readonly string[]>();
  for (const members of alike(model)) {
    const front = frontOf(members, fronts);
    piles.set(front.path, members.map((member) => member.path));
    for (const member of members) if (member !== front) hidden.add(member.path);
  }
  const within = (node: DiagramNode): boolean => hidden.has(node.path) || (node.parent !== undefined && hidden.has(node.parent));
  const gone = new Set(model.nodes.filter(within).map((node) => node.path));
  const more = new Map<string, DiagramNode>();
  for (const owner of model.nodes) thin(owner, model, gone, more, strings);
  const nodes = model.nodes.filter((node) => !gone.has(node.path)).map((node) => describePile(node, piles.get(node.path), strings));
  return {
    model: {
      ...model, nodes: [...nodes, ...more.values()],
      edges: model.edges.filter((edge) => !gone.has(edge.from) && !gone.has(edge.to)),
    },
    piles,
  };
}

/** Domains of one host with the same kind, components and uplinks: each list makes a pile. */
function alike(model: DiagramModel): DiagramNode[][] {
  const domains = model.nodes.filter((node) => node.kind === "domain");
  const perHost = new Map<string, number>();
  for (const { parent = "" } of domains) perHost.set(parent, (perHost.get(parent) ?? 0) + 1);
  const types = new Map<string, string[]>();
  const domainOf = new Map<string, string>();
  for (const node of model.nodes) {
    if (node.kind !== "component" || node.parent === undefined) continue;
    domainOf.set(node.path, node.parent);
    append(types, node.parent, node.type);
  }
  for (const edge of model.edges) {
    const domain = domainOf.get(edge.from);
    if (domain === undefined) continue;
    if (edge.kind === "channel" || edge.kind === "crossing") append(types, domain, `→ ${edge.to}`);
    // Which function of the device does not make a difference.
    if (edge.kind === "binding") append(types, domain, `→ ${edge.to.slice(0, edge.to.lastIndexOf("/"))}`);
  }
  const groups = new Map<string, DiagramNode[]>();
  for (const domain of domains) {
    if ((perHost.get(domain.parent ?? "") ?? 0) <= DOMAINS_IN_FULL) continue;
    append(groups, [domain.parent, domain.type, domain.rank, ...(types.get(domain.path) ?? [])].join(" "), domain);
  }
  return [...groups.values()].filter((members) => members.length >= SMALLEST_PILE);
}

/** The one wanted last, else the first with a problem, else the first. */
function frontOf(members: readonly DiagramNode[], fronts: readonly string[]): DiagramNode {
  for (let i = fronts.length - 1; i >= 0; i--) {
    const wanted = fronts[i] ?? "";
    const found = members.find(({ path }) => wanted === path || wanted.startsWith(`${path}/`));
    if (found) return found;
  }
  const front = members.find((member) => member.mark !== undefined) ?? members[0];
  if (!front) throw new Error("A pile has members.");
  return front;
}

/** Leaves out tiles of `owner` that say nothing here: functions of hidden drivers, free functions, further workloads. */
function thin(owner: DiagramNode, model: DiagramModel, gone: Set<string>, more: Map<string, DiagramNode>, strings: DiagramStrings): void {
  if (owner.kind !== "device" && owner.kind !== "client") return;
  const kind = owner.kind === "device" ? "function" : "workload";
  const tiles = model.nodes.filter((node) => node.parent === owner.path && node.kind === kind);
  if (tiles.length <= TILES_IN_FULL) return;
  const drivenByShown = new Set(model.edges.filter((edge) => edge.kind === "binding" && !gone.has(edge.from)).map((edge) => edge.to));
  let left = kind === "function" ? FREE_SHOWN : TILES_IN_FULL;
  let count = 0;
  for (const tile of tiles) {
    const spare = kind === "workload" || tile.idle;
    if (tile.mark || (kind === "function" && drivenByShown.has(tile.path)) || (spare && left-- > 0)) continue;
    gone.add(tile.path);
    count++;
  }
  if (count === 0) return;
  const label = fill(strings.more, count);
  more.set(owner.path, {
    path: `${owner.path}/+`, parent: owner.path, kind, type: "more", label, caption: "", badge: "", icon: "layers", rank: 0, idle: true, movable: false, pinned: false,
    details: [], mark: undefined, description: fill(strings.moreOf, count, owner.label),
  });
}

function describePile(node: DiagramNode, members: readonly string[] | undefined, strings: DiagramStrings): DiagramNode {
  if (!members) return node;
  return {
    ...node,
    caption: `× ${members.length}`,
    details: [{ label: fill(strings.pile, members.length), value: strings.pileHint }, ...node.details],
    description: `${node.description}. ${fill(strings.pile, members.length)}. ${strings.pileHint}`,
  };
}

function append<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
