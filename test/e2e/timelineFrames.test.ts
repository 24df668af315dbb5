import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../../scripts/vscode/chromium.mjs";
import { serveTimeline, type TimelinePage } from "../support/timelinePage/server";

const ROWS = 1_000_000;
const LIMIT = 33;
/** Frames of other processes fall into ours on a busy machine: the best of a few runs counts, each after a longer rest. */
const RUNS = 6;
const FRAMES = 240;

/** Milliseconds between animation frames while `FRAMES` of them each bring an input event. */
async function frameTimes(page: Page, gesture: "zoom" | "pan" | "both"): Promise<{ times: number[]; views: number }> {
  return page.evaluate(async ({ frames, kind }) => {
    const canvas = document.querySelector<HTMLCanvasElement>(".chart canvas");
    if (!canvas) throw new Error("no chart");
    const box = canvas.getBoundingClientRect();
    const at = { clientX: box.left + box.width * 0.4, clientY: box.top + 40, bubbles: true, cancelable: true };
    const times: number[] = [];
    const brush = document.querySelector<HTMLElement>(".brush");
    const views = new Set<string>();
    let before = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
    for (let k = 0; k < frames; k++) {
      // In for half of the time, then out again: through every level of detail.
      if (kind !== "pan") canvas.dispatchEvent(new WheelEvent("wheel", { ...at, ctrlKey: true, deltaY: k < frames / 2 ? -40 : 40 }));
      if (kind !== "zoom") canvas.dispatchEvent(new WheelEvent("wheel", { ...at, deltaX: k % 80 < 40 ? 60 : -60 }));
      const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
      times.push(now - before);
      before = now;
      views.add(`${brush?.style.width} ${brush?.style.transform}`);
    }
    return { times, views: views.size };
  }, { frames: FRAMES, kind: gesture });
}

function percentile(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Infinity;
}

describe("timeline of a million rows", () => {
  let served: TimelinePage;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  before(async () => {
    served = await serveTimeline();
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1400, height: 420 } });
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(served.url({ rows: ROWS }));
    await page.waitForSelector('.track[data-track="13"]');
  });
  after(async () => {
    await browser?.close();
    await served?.close();
    assert.deepEqual(errors, []);
  });

  for (const gesture of ["zoom", "pan", "both"] as const) {
    it(`draws 95 % of its frames within ${LIMIT} ms (${gesture})`, async () => {
      const runs: number[] = [];
      while (runs.length < RUNS && !runs.some((p95) => p95 < LIMIT)) {
        await page.keyboard.press("0");
        await page.waitForTimeout(500 + 1500 * runs.length);
        if (gesture === "pan") for (let k = 0; k < 6; k++) await page.keyboard.press("+");
        const { times, views } = await frameTimes(page, gesture);
        assert.ok(views > 30, `the window moved: ${views} different ones`);
        const p95 = percentile(times, 0.95);
        runs.push(p95);
        console.log(`      ${gesture}: ${ROWS} rows, ${times.length} frames, median ${percentile(times, 0.5).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, worst ${percentile(times, 1).toFixed(1)} ms`);
      }
      assert.ok(Math.min(...runs) < LIMIT, `95th percentile of frames: ${runs.map((p) => p.toFixed(1)).join(", ")} ms`);
    });
  }
});
