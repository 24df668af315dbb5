import type { FromTimeline, ToTimeline } from "../../protocol/timeline";
import type { HostConnection } from "../ui/host";

/** What the view keeps while it is hidden. */
export interface ViewMemory {
  /** The design it belongs to. */
  readonly key: string;
  readonly from: number;
  readonly to: number;
  readonly collapsed: readonly string[];
}

const PAUSE = 300;
let timer = 0;

/** Keeps a view, a little later: it changes with every frame of a drag. */
export function rememberView(host: HostConnection<ToTimeline, FromTimeline>, memory: ViewMemory): void {
  window.clearTimeout(timer);
  timer = window.setTimeout(() => host.saveState(memory), PAUSE);
}

/** What was kept for this design; undefined where it was another one's or is not of this shape. */
export function viewOf(state: unknown, key: string): ViewMemory | undefined {
  if (typeof state !== "object" || state === null) return undefined;
  if (!("key" in state && state.key === key && "from" in state && "to" in state && "collapsed" in state)) return undefined;
  const { from, to, collapsed } = state;
  if (typeof from !== "number" || typeof to !== "number" || !(to > from) || !Array.isArray(collapsed)) return undefined;
  return { key, from, to, collapsed: collapsed.filter((c): c is string => typeof c === "string") };
}
