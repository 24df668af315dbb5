/** Narrowest window: 2 ns, below which nothing of a trace differs. */
const MIN_SPAN = 2000;
/** A run shorter than this is shown with room after it. */
const MIN_LIMIT = 1e6;

/** End of what can be shown of a run that has reached `time`: with a little room. */
function limitOf(time: number): number {
  return Math.max(MIN_LIMIT, time * 1.02);
}

/** The window of time that the timeline shows, picoseconds, and its width in CSS pixels. Stays inside the run. */
export class Viewport {
  from = 0;
  to = MIN_LIMIT;
  width = 1;
  private limit = MIN_LIMIT;

  get span(): number { return this.to - this.from; }
  /** Picoseconds per CSS pixel. */
  get scale(): number { return this.span / this.width; }
  /** End of what can be shown. */
  get end(): number { return this.limit; }

  x(time: number): number { return (time - this.from) / this.scale; }
  time(x: number): number { return this.from + x * this.scale; }

  /** The run has reached `time` at least: news of it may come late. */
  reach(time: number): void {
    if (limitOf(time) > this.limit) this.setRun(time);
  }

  /** Another run, which has reached `time`. */
  setRun(time: number): void {
    this.limit = limitOf(time);
    this.set(this.from, this.to);
  }

  /** Shows [from, to], or the nearest window that is allowed. */
  set(from: number, to: number): void {
    const span = Math.min(this.limit, Math.max(MIN_SPAN, to - from));
    const middle = (from + to) / 2;
    const start = Math.min(Math.max(0, to - from === span ? from : middle - span / 2), this.limit - span);
    this.from = start;
    this.to = start + span;
  }

  /** Zooms by `factor` (below 1: in) so that the instant at `x` stays there. */
  zoom(factor: number, x: number): void {
    const anchor = this.time(x);
    const span = Math.min(this.limit, Math.max(MIN_SPAN, this.span * factor));
    const from = anchor - (x / this.width) * span;
    this.set(from, from + span);
  }

  pan(pixels: number): void {
    const shift = pixels * this.scale;
    this.set(this.from + shift, this.to + shift);
  }

  fit(): void { this.set(0, this.limit); }
}
