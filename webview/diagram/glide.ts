import type { BaseType, Selection } from "d3";

/** Sets attributes at once, or over `duration` milliseconds; a glide that is under way ends where the new one leads. */
export function glide<Element extends BaseType, Datum, Parent extends BaseType, ParentDatum>(
  selection: Selection<Element, Datum, Parent, ParentDatum>, attributes: Readonly<Record<string, string | number>>, duration: number,
): void {
  if (duration > 0) {
    const transition = selection.transition("place").duration(duration);
    for (const [name, value] of Object.entries(attributes)) transition.attr(name, value);
  } else {
    selection.interrupt("place");
    for (const [name, value] of Object.entries(attributes)) selection.attr(name, value);
  }
}
