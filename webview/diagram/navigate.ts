import type { Box, Picture } from "./scene";

export type Direction = "up" | "down" | "left" | "right";

/** Half the height of a head line: the point from which one sees a box, tile or not, is in the middle of its first line. */
const HEAD = 14;

/**
 * The part that one reaches from `path` with an arrow key: the nearest in that direction, where a step aside counts
 * twice, because rows and columns are what people follow.
 * @returns undefined at the edge of the page.
 */
export function neighbour(scene: Picture, path: string, direction: Direction): string | undefined {
  const from = scene.boxes.find((box) => box.node.path === path);
  if (!from) return scene.boxes[0]?.node.path;
  const [ax, ay] = centre(from);
  let best: string | undefined;
  let least = Infinity;
  for (const box of scene.boxes) {
    if (box === from) continue;
    const [bx, by] = centre(box);
    const along = direction === "up" ? ay - by : direction === "down" ? by - ay : direction === "left" ? ax - bx : bx - ax;
    const aside = direction === "up" || direction === "down" ? Math.abs(bx - ax) : Math.abs(by - ay);
    if (along < 1 || aside > 4 * along) continue;
    const distance = along + 2 * aside;
    if (distance < least) [least, best] = [distance, box.node.path];
  }
  return best;
}

function centre(box: Box): [number, number] {
  return [box.x + box.width / 2, box.y + HEAD];
}
