import { select, type Selection } from "d3";
import { glide } from "./glide";
import { wirePath } from "./paths";
import type { Wire } from "./scene";

type Wires = Selection<SVGGElement, Wire, SVGGElement, unknown>;

/** Half the diagonal of the IOMMU's mark. */
const GUARD = 6;
const DIAMOND = `M0,${-GUARD}L${GUARD},0L0,${GUARD}L${-GUARD},0Z`;

/** Strokes from back to front: `hit` is wide and unseen, for the pointer; `core` makes a ring of two lines out of one. */
const STROKES = ["hit", "line", "core", "flow"] as const;

export function drawWire(wires: Wires): void {
  wires.each(function (wire) {
    const group = select(this);
    group.attr("class", `wire ${wire.kind}`).classed("idle", wire.idle).attr("data-id", wire.id);
    if (group.select("path.line").empty()) {
      for (const name of STROKES) group.append("path").attr("class", name);
      group.append("path").attr("class", "guard").attr("d", DIAMOND);
      group.append("text").attr("class", "caption");
    }
    group.select("path.guard").classed("absent", wire.guard === undefined);
    group.select("text.caption").attr("text-anchor", wire.kind === "crossing" ? "start" : "middle").text(wire.caption ? wire.edge?.caption ?? "" : "");
  });
}

export function placeWire(wires: Wires, duration: number): void {
  wires.each(function (wire) {
    const group = select<SVGGElement, Wire>(this);
    const path = wirePath(wire.points);
    for (const name of STROKES) {
      const stroke = group.select<SVGPathElement>(`path.${name}`);
      // Paths with as many bends as before bend over; others cannot be blended and jump.
      glide(stroke, { d: path }, sameShape(stroke.attr("d"), path) ? duration : 0);
    }
    if (wire.guard) glide(group.select("path.guard"), { transform: `translate(${wire.guard.x},${wire.guard.y})` }, duration);
    // Beside a line that goes down, above one that goes across.
    const [right, down] = wire.kind === "crossing" ? [6, 4] : [0, -10];
    if (wire.caption) group.select("text.caption").attr("x", wire.caption.x + right).attr("y", wire.caption.y + down);
  });
}

function sameShape(a: string | null, b: string): boolean {
  return a !== null && a.replace(/[^A-Z]/g, "") === b.replace(/[^A-Z]/g, "");
}
