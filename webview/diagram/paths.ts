import type { Point } from "./scene";

const CORNER = 4;

/** An SVG path along orthogonal points, with small round corners so that the eye follows a bend. */
export function wirePath(points: readonly Point[]): string {
  const [first] = points;
  if (!first) return "";
  let path = `M${first.x},${first.y}`;
  for (let i = 1; i < points.length; i++) {
    const at = points[i];
    const before = points[i - 1];
    const after = points[i + 1];
    if (!at || !before) continue;
    if (!after) {
      path += `L${at.x},${at.y}`;
      continue;
    }
    const radius = Math.min(CORNER, length(before, at) / 2, length(at, after) / 2);
    const a = towards(at, before, radius);
    const b = towards(at, after, radius);
    path += `L${a.x},${a.y}Q${at.x},${at.y} ${b.x},${b.y}`;
  }
  return path;
}

function length(a: Point, b: Point): number {
  return Math.abs(a.x - b.x) + Math.abs(a.y - b.y);
}

function towards(from: Point, to: Point, by: number): Point {
  return { x: from.x + Math.sign(to.x - from.x) * by, y: from.y + Math.sign(to.y - from.y) * by };
}
