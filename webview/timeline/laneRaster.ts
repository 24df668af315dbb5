import type { Ink, Rgb } from "./palette";

/** The faintest that an event is drawn, however short: it must not vanish between two pixels. */
const FAINTEST = 0.28;

/**
 * Events narrower than a few pixels, one line of device pixels a lane: how much of each pixel is covered, and the colour
 * of what covers most of it. Drawing costs the same whatever the number of events.
 */
export class LaneRaster {
  private width = 0;
  private lanes = 0;
  private image: ImageData | undefined;
  private pixels = new Uint32Array(0);
  private covered = new Float32Array(0);
  private most = new Float32Array(0);
  private color = new Uint32Array(0);
  private readonly canvas = document.createElement("canvas");
  private readonly context = this.canvas.getContext("2d", { willReadFrequently: true });

  /** Begins a frame for at most `lanes` lanes, `width` device pixels wide. */
  begin(width: number, lanes: number): void {
    if (width !== this.width || lanes > this.lanes) {
      this.width = Math.max(1, width);
      this.lanes = Math.max(lanes, this.lanes, 1);
      this.canvas.width = this.width;
      this.canvas.height = this.lanes;
      this.image = new ImageData(this.width, this.lanes);
      this.pixels = new Uint32Array(this.image.data.buffer);
      this.covered = new Float32Array(this.width);
      this.most = new Float32Array(this.width);
      this.color = new Uint32Array(this.width);
    }
    this.pixels.fill(0);
  }

  /** Adds an event to the lane being collected; `from` and `to` in device pixels, within the raster. */
  add(from: number, to: number, fill: number, color: number): void {
    const first = Math.max(0, Math.floor(from));
    const last = Math.min(this.width - 1, Math.floor(to));
    for (let x = first; x <= last; x++) {
      const part = Math.max(0, Math.min(x + 1, to) - Math.max(x, from)) * fill;
      const weight = Math.max(part, 1e-3);
      this.covered[x]! += weight;
      if (weight > this.most[x]!) {
        this.most[x] = weight;
        this.color[x] = color;
      }
    }
  }

  /** Closes the lane: blends it over the background into line `lane`. */
  finishLane(lane: number, background: Rgb): void {
    const { covered, color, pixels } = this;
    const start = lane * this.width;
    for (let x = 0; x < this.width; x++) {
      const part = covered[x]!;
      if (part === 0) continue;
      const strength = Math.min(1, FAINTEST + (1 - FAINTEST) * part);
      const c = color[x]!;
      const r = background[0] + ((c & 0xff) - background[0]) * strength;
      const g = background[1] + (((c >> 8) & 0xff) - background[1]) * strength;
      const b = background[2] + (((c >> 16) & 0xff) - background[2]) * strength;
      pixels[start + x] = 0xff000000 | (b << 16) | (g << 8) | r;
    }
    covered.fill(0);
    this.most.fill(0);
  }

  /** Makes the lines available to {@link drawLane}. */
  upload(): void {
    if (this.image) this.context?.putImageData(this.image, 0, 0);
  }

  /** Draws a line of the raster, stretched to `height`; all in device pixels. */
  drawLane(target: CanvasRenderingContext2D, lane: number, y: number, height: number): void {
    target.drawImage(this.canvas, 0, lane, this.width, 1, 0, y, this.width, height);
  }
}

/** An ink as the raster takes it: 0xBBGGRR. */
export function packed(ink: Ink): number {
  const [r, g, b] = ink.rgb;
  return (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r);
}
