import { motion } from "../ui/motion";
import { Viewport } from "./viewport";

/** How long a movement of the window takes, milliseconds; none under reduced motion. */
const GLIDE = 160;

/** Moves the window: at once by hand, in a short glide by command, and to where the debugger's cursor goes. */
export class Camera {
  readonly viewport = new Viewport();
  /** The user, or we, have chosen a window: a growing run no longer widens it. */
  settled = false;
  /** Counts the windows that were chosen: who chooses one late sees whether another was chosen meanwhile. */
  chosen = 0;
  private glide: { readonly start: number; readonly lasts: number; readonly from: readonly [number, number]; readonly to: readonly [number, number] } | undefined;

  /** @param moved a frame is needed. */
  constructor(private readonly moved: () => void) {}

  /** The user changes the window; a glide under way is over. */
  byHand(change: (viewport: Viewport) => void): void {
    this.glide = undefined;
    this.settled = true;
    this.chosen++;
    change(this.viewport);
    this.moved();
  }

  glideTo(from: number, to: number): void {
    this.settled = true;
    this.chosen++;
    const lasts = motion(GLIDE);
    this.glide = lasts === 0 ? undefined : { start: performance.now(), lasts, from: [this.viewport.from, this.viewport.to], to: [from, to] };
    if (!this.glide) this.viewport.set(from, to);
    this.moved();
  }

  /** Brings an instant into view, and leaves the window alone where it is. */
  reveal(time: number): void {
    const { viewport } = this;
    // An event of a run that goes on may be further than the run was when we last heard of it.
    viewport.reach(time);
    const [from, to] = this.glide?.to ?? [viewport.from, viewport.to];
    const margin = (to - from) * 0.04;
    if (time >= Math.max(0, from) + (from > 0 ? margin : 0) && time <= to - margin) return;
    const span = to - from;
    const start = time - span * 0.4;
    // A far jump is not worth a flight over what lies between.
    if (Math.abs(start - viewport.from) > 2 * span) {
      this.glide = undefined;
      viewport.set(start, start + span);
      this.moved();
    } else this.glideTo(start, start + span);
  }

  /** One step of a glide, in an animation frame. */
  step(now: number): void {
    const { glide } = this;
    if (!glide) return;
    const part = Math.min(1, Math.max(0, (now - glide.start) / glide.lasts));
    const eased = 1 - (1 - part) ** 3;
    const between = (k: 0 | 1): number => glide.from[k] + (glide.to[k] - glide.from[k]) * eased;
    this.viewport.set(between(0), between(1));
    if (part >= 1) this.glide = undefined;
    else this.moved();
  }
}
