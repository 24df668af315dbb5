import type { Frame } from "playwright-core";
import { eventually } from "./eventually";
import type { VSCodeWindow } from "./harness";

/** Shows the whole run, and waits until the timeline has glided there. */
export async function showWholeRun(window: VSCodeWindow, timeline: Frame): Promise<void> {
  await window.runCommand("Exoscope Timeline: Show the Whole Run");
  await eventually(async () => {
    const [brush, strip] = [await timeline.locator(".brush").boundingBox(), await timeline.locator(".chart canvas").boundingBox()];
    return brush !== null && strip !== null && brush.width > 0.98 * strip.width;
  }, "the whole run is in view");
}
