import type { Track } from "../../engine/trace/timelineQuery";
import { NO_VCPU } from "../../engine/trace/trace";
import { LaneRaster, packed } from "./laneRaster";
import type { Palette } from "./palette";
import { resize } from "./rulerView";
import type { Tiles } from "./tiles";
import type { Viewport } from "./viewport";

/** The brush stays wide enough to be grasped, CSS pixels. */
const MIN_BRUSH = 10;
const HANDLE = 6;

export interface MinimapActions {
  /** The user moved or sized the brush: show this. */
  show(from: number, to: number): void;
}

/** The whole run in a strip, one thin line a track, with a brush around the part in view. */
export class Minimap {
  readonly element = document.createElement("div");
  private readonly canvas = document.createElement("canvas");
  private readonly context = this.canvas.getContext("2d");
  private readonly brush = document.createElement("div");
  private readonly raster = new LaneRaster();
  private viewport: Viewport | undefined;
  private drag: { readonly part: "from" | "to" | "both"; readonly x: number; readonly from: number; readonly to: number } | undefined;

  constructor(private readonly actions: MinimapActions) {
    this.element.className = "minimap";
    this.element.setAttribute("role", "img");
    this.brush.className = "brush";
    this.element.append(this.canvas, this.brush);
    this.element.addEventListener("pointerdown", (event) => this.onDown(event));
    this.element.addEventListener("pointermove", (event) => this.onMove(event));
    for (const end of ["pointerup", "pointercancel"] as const) this.element.addEventListener(end, () => (this.drag = undefined));
  }

  label(text: string): void {
    if (this.element.getAttribute("aria-label") !== text) this.element.setAttribute("aria-label", text);
  }

  /** Draws the run; needed only when it, the theme or the size has changed. */
  draw(tracks: readonly Track[], tiles: Tiles, viewport: Viewport, palette: Palette, ratio: number): void {
    const { canvas, context, raster } = this;
    if (!context) return;
    const height = canvas.clientHeight;
    resize(canvas, viewport.width, height, ratio);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = false;
    const lanes = tracks.flatMap((t) => Array.from({ length: t.lanes }, (_, lane) => ({ track: t, lane })));
    const perPixel = viewport.end / canvas.width;
    raster.begin(canvas.width, lanes.length);
    lanes.forEach(({ track, lane }, k) => {
      tiles.best(track.id, tiles.overviewLevel, 0, viewport.end, ({ answer, ranges }) => {
        const range = ranges.find((r) => r.lane === lane);
        if (!range) return;
        const { start, end, key, fill } = answer.slices;
        for (let i = range.offset; i < range.offset + range.count; i++) {
          const ink = track.kind === "pcpu" ? (key[i] === NO_VCPU ? palette.scheduling : palette.ofVcpu(key[i]!)) : palette.ofFunction(key[i]!);
          raster.add(start[i]! / perPixel, end[i]! / perPixel, fill[i]! / 255, packed(ink));
        }
      });
      raster.finishLane(k, palette.background);
    });
    raster.upload();
    const pitch = (canvas.height - 4 * ratio) / Math.max(1, lanes.length);
    lanes.forEach((_, k) => raster.drawLane(context, k, 2 * ratio + k * pitch, Math.max(1, pitch - (pitch > 3 ? 1 : 0))));
  }

  /** Moves the brush to what is in view. */
  place(viewport: Viewport): void {
    this.viewport = viewport;
    const left = (viewport.from / viewport.end) * viewport.width;
    const right = (viewport.to / viewport.end) * viewport.width;
    const width = Math.max(MIN_BRUSH, right - left);
    const x = Math.max(0, Math.min(viewport.width - width, (left + right - width) / 2));
    this.brush.style.width = `${width}px`;
    this.brush.style.transform = `translateX(${x}px)`;
  }

  private onDown(event: PointerEvent): void {
    const { viewport } = this;
    if (!viewport || event.button !== 0) return;
    const x = event.clientX - this.element.getBoundingClientRect().left;
    const box = this.brush.getBoundingClientRect();
    const left = box.left - this.element.getBoundingClientRect().left;
    const right = left + box.width;
    const grip = Math.min(HANDLE, box.width / 4);
    const inside = x >= left - grip && x <= right + grip;
    if (!inside) {
      const time = (x / viewport.width) * viewport.end;
      this.actions.show(time - viewport.span / 2, time + viewport.span / 2);
    }
    const part = !inside ? "both" : x < left + grip ? "from" : x > right - grip ? "to" : "both";
    this.drag = { part, x, from: viewport.from, to: viewport.to };
    this.element.setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  private onMove(event: PointerEvent): void {
    const { drag, viewport } = this;
    if (!drag || !viewport) return;
    const x = event.clientX - this.element.getBoundingClientRect().left;
    const shift = ((x - drag.x) / viewport.width) * viewport.end;
    const from = drag.part === "to" ? drag.from : drag.from + shift;
    const to = drag.part === "from" ? drag.to : drag.to + shift;
    this.actions.show(Math.min(from, to), Math.max(from, to));
  }
}
