import assert from "node:assert/strict";
import type { Frame } from "playwright-core";
import { eventually } from "./eventually";
import type { VSCodeWindow } from "./harness";

/** Selects what the diagram shows for a part: a box, or a tile in one. */
export const tile = (path: string): string => `g.box[data-path="${path}"]`;

/** The middle of a part on the screen, once the picture has come to rest: after an edit it glides to its new layout. */
export function restingMiddle(frame: Frame, path: string): Promise<{ readonly x: number; readonly y: number }> {
  const body = frame.locator(`${tile(path)} > rect.body`);
  return eventually(async () => {
    const before = await body.boundingBox();
    await frame.waitForTimeout(150);
    const now = await body.boundingBox();
    return now !== null && JSON.stringify(before) === JSON.stringify(now) && { x: now.x + now.width / 2, y: now.y + now.height / 2 };
  }, `${path} rests`);
}

/** Drags a part onto another one, and leaves the button down. */
export async function drag(window: VSCodeWindow, frame: Frame, from: string, to: string): Promise<void> {
  const [source, target] = await Promise.all([restingMiddle(frame, from), restingMiddle(frame, to)]);
  await window.page.mouse.move(source.x, source.y);
  await window.page.mouse.down();
  await window.page.mouse.move(source.x + 10, source.y + 10, { steps: 2 });
  await frame.waitForSelector("g.box.possible, g.box.refused");
  await window.page.mouse.move(target.x, target.y, { steps: 4 });
}

/** The lines of `after` that differ from those of `before`, which are as many. */
export function changedLines(before: string, after: string): string[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  assert.equal(a.length, b.length);
  return b.filter((line, i) => line !== a[i]);
}
