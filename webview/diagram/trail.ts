import type { Picture, Wire } from "./scene";

/** More hops than these between two places of a trail, and the way between them is not known. */
const HOPS = 6;

/** What of the picture the current packet touched. */
export interface TrailView {
  /** Paths of parts that are drawn, oldest first. */
  readonly parts: readonly string[];
  /** Ids of wires, oldest first; a wire can come twice. */
  readonly wires: readonly string[];
  /** Id of the wire crossed last, and whether it was crossed from its `to` end. */
  readonly last: { readonly id: string; readonly backwards: boolean } | undefined;
}

/** The part of the scene that stands for `path`: itself, or the nearest box around it that is drawn. */
export function drawnPath(path: string, drawn: ReadonlySet<string>): string | undefined {
  let at = path;
  for (;;) {
    if (drawn.has(at)) return at;
    const cut = at.lastIndexOf("/");
    if (cut < 0) return undefined;
    at = at.slice(0, cut);
  }
}

/** The wires between consecutive places of a packet's trail: the shortest way through the picture. */
export function trailView(scene: Picture, trail: readonly string[]): TrailView {
  const drawn = new Set(scene.boxes.map((box) => box.node.path));
  const joined = new Set(scene.wires.flatMap((wire) => [wire.from, wire.to]));
  const parts = trail.flatMap((path) => drawnPath(path, drawn) ?? []);
  const stops = parts.filter((path) => joined.has(path));
  const wires: string[] = [];
  let last: TrailView["last"];
  for (let i = 1; i < stops.length; i++) {
    const [from, to] = [stops[i - 1], stops[i]];
    if (from === undefined || to === undefined || from === to) continue;
    for (const step of shortest(scene.wires, from, to)) {
      wires.push(step.wire.id);
      last = { id: step.wire.id, backwards: step.backwards };
    }
  }
  // The last wire is where the packet is coming from only if it leads to where it is.
  return { parts, wires, last: parts.at(-1) === stops.at(-1) ? last : undefined };
}

interface Step {
  readonly wire: Wire;
  readonly backwards: boolean;
}

/** Breadth first; of two ways of equal length the one whose wires come first. */
function shortest(wires: readonly Wire[], from: string, to: string): Step[] {
  const came = new Map<string, { readonly before: string; readonly step: Step }>();
  const seen = new Set([from]);
  let frontier = [from];
  for (let hop = 0; hop < HOPS && frontier.length > 0 && !seen.has(to); hop++) {
    const next: string[] = [];
    for (const at of frontier) {
      for (const wire of wires) {
        const backwards = wire.to === at;
        if (!backwards && wire.from !== at) continue;
        const other = backwards ? wire.from : wire.to;
        if (seen.has(other)) continue;
        seen.add(other);
        came.set(other, { before: at, step: { wire, backwards } });
        next.push(other);
      }
    }
    frontier = next;
  }
  const steps: Step[] = [];
  for (let at = to; at !== from; ) {
    const link = came.get(at);
    if (!link) return [];
    steps.unshift(link.step);
    at = link.before;
  }
  return steps;
}
