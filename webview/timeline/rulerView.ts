import type { Palette } from "./palette";
import { ruler } from "./timeFormat";
import type { Viewport } from "./viewport";

const SPACING = 110;

/** The ruler above the tracks. */
export class RulerView {
  readonly canvas = document.createElement("canvas");
  private readonly context = this.canvas.getContext("2d");

  constructor() {
    this.canvas.className = "ruler";
    this.canvas.setAttribute("aria-hidden", "true");
  }

  draw(viewport: Viewport, palette: Palette, ratio: number): void {
    const { canvas, context } = this;
    if (!context) return;
    const height = canvas.clientHeight;
    resize(canvas, viewport.width, height, ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, viewport.width, height);
    context.font = palette.font;
    context.textBaseline = "middle";
    for (const { x, label } of ruler(viewport.from, viewport.to, viewport.width, SPACING).ticks) {
      const at = Math.round(x * ratio) / ratio;
      context.fillStyle = palette.line;
      context.fillRect(at, 0, 1 / ratio, height);
      context.fillStyle = palette.quiet;
      context.fillText(label, at + 5, height / 2 + 0.5);
    }
  }
}

/** Gives a canvas the device pixels that its box has; setting them clears it, so only where they change. */
export function resize(canvas: HTMLCanvasElement, width: number, height: number, ratio: number): void {
  const w = Math.max(1, Math.round(width * ratio));
  const h = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
}
