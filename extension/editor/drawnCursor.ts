import type { Design } from "../../engine/design/model";
import type { CursorView } from "../../protocol/cursor";

/** The cursor as the diagram shows it: an event of a fault or a switch stands on the part that it strikes or moves. */
export function drawnCursor(design: Design | undefined, view: CursorView): CursorView {
  const drawn = (path: string): string =>
    design?.faults.find((fault) => fault.path === path)?.target ?? design?.switches.find((change) => change.path === path)?.to ?? path;
  return { ...view, component: drawn(view.component), trail: view.trail.map(drawn) };
}
