import type { ELK, ElkNode } from "elkjs/lib/elk-api";
import type { DiagramModel, DiagramNode } from "../../protocol/diagram";
import { assemble } from "./assemble";
import { hostGraph, indexModel, type ModelIndex } from "./graph";
import type { Scene } from "./scene";
import type { Measure } from "./sizes";

/**
 * Lays out each machine, and puts them together.
 * @param piles paths of the domains that stand for a pile.
 */
export async function layoutModel(elk: Pick<ELK, "layout">, model: DiagramModel, piles: ReadonlySet<string>, measure: Measure): Promise<Scene> {
  const index = indexModel(model, piles);
  const layouts = new Map<string, ElkNode>();
  const order = new Map<string, number>();
  for (const host of model.nodes) {
    if (host.kind !== "host") continue;
    const free = await elk.layout(hostGraph(host, index, measure, new Map()));
    const placed = orderOf(host, index, free);
    for (const [path, x] of placed) order.set(path, x);
    const pinned = [...placed.keys()].some((path) => model.pins[path] !== undefined);
    layouts.set(host.path, pinned ? await elk.layout(hostGraph(host, index, measure, placed)) : free);
  }
  return { ...assemble(index, layouts, measure), order };
}

/** What a machine's boxes stand in order of, by path: their pins, or where they stand without any. */
function orderOf(host: DiagramNode, index: ModelIndex, free: ElkNode): Map<string, number> {
  const order = new Map<string, number>();
  for (const { path, kind } of index.children.get(host.path) ?? []) {
    if (kind === "domain" || kind === "device") order.set(path, index.model.pins[path]?.x ?? free.children?.find(({ id }) => id === path)?.x ?? 0);
  }
  return order;
}
