import type { Engine, Snapshot } from "../engine";
import type { Trace } from "../trace/trace";

export interface KeyframeSettings {
  /** Rows between keyframes at first; doubles whenever the limits below are reached. */
  readonly interval: number;
  readonly maxCount: number;
  /** Sum of the keyframes' own bytes. */
  readonly maxBytes: number;
}

/** What a session looks at: the rows of a run as far as they are known, the machine that they are of, and keyframes to go back to. */
export interface RecordedPrefix {
  readonly engine: Engine;
  readonly trace: Trace;
  /** Rows recorded so far. */
  readonly length: number;
  /** Simulated time reached, picoseconds. */
  readonly time: number;
  /** No more rows will come. */
  readonly complete: boolean;
  /** Why there are only rows, and the engine knows no state; undefined: it does. */
  readonly rowsOnly: string | undefined;
  /** Records up to so many dispatches; returns whether the run goes on. */
  record(dispatches: number): boolean;
  /** The nearest keyframe at or before `row`. */
  keyframeBefore(row: number): Snapshot;
}

/** The nearest of keyframes, in order, at or before a row. */
export function nearestKeyframe<Keyframe extends Snapshot>(keyframes: readonly Keyframe[], row: number): Keyframe {
  let low = 0;
  let high = keyframes.length;
  while (high - low > 1) {
    const mid = (low + high) >>> 1;
    if (keyframes[mid]!.row <= row) low = mid;
    else high = mid;
  }
  return keyframes[low]!;
}

/** 8,192 rows replay in a few milliseconds; 128 MiB is what an editor's worker may keep for going back. */
export const defaultKeyframes: KeyframeSettings = { interval: 8192, maxCount: 512, maxBytes: 128 << 20 };

/** Keyframes take no more than this share of what the trace takes, … */
const SHARE_OF_TRACE = 0.2;
/** … except that they may take as many bytes however short it is. */
const ALWAYS = 2 << 20;

/**
 * The recorded prefix of a run: the engine that writes the trace, and the keyframes to go back to.
 * Keyframe memory is bounded: at the limit every second one goes and the interval doubles.
 *
 * A keyframe is kept as what changed since an earlier one: number k builds on number k with its lowest set bit cleared. So restoring one
 * goes through log₂ k others at most, nothing builds on an odd number, and when these go, half of each number is the number of the same tree.
 */
export class Recording implements RecordedPrefix {
  readonly rowsOnly = undefined;
  readonly trace: Trace;
  private keyframes: Snapshot[];
  private interval: number;

  /** @param engine A fresh engine that has dispatched nothing. */
  constructor(readonly engine: Engine, private readonly settings: KeyframeSettings = defaultKeyframes) {
    this.trace = engine.trace;
    this.interval = settings.interval;
    this.keyframes = [engine.snapshot()];
  }

  /** Rows recorded so far. */
  get length(): number { return this.trace.length; }
  /** Simulated time reached, picoseconds. */
  get time(): number { return this.engine.time; }
  /** No more rows will come. */
  get complete(): boolean { return this.engine.done; }
  /** Number of keyframes held. */
  get keyframeCount(): number { return this.keyframes.length; }
  /** Bytes of all keyframes. */
  get keyframeBytes(): number {
    let bytes = 0;
    for (const keyframe of this.keyframes) bytes += keyframe.bytes;
    return bytes;
  }

  /** Records up to `dispatches` dispatches; returns whether the run goes on. */
  record(dispatches: number): boolean {
    const engine = this.engine;
    for (let i = 0; i < dispatches; i++) {
      if (!engine.dispatch()) return false;
      this.keep();
    }
    return !engine.done;
  }

  /** Takes a keyframe where one is due: for those who dispatch themselves, between dispatches. */
  keep(): void {
    if (this.engine.rows >= this.newest.row + this.interval) this.takeKeyframe();
  }

  /** The nearest keyframe at or before `row`. */
  keyframeBefore(row: number): Snapshot {
    return nearestKeyframe(this.keyframes, row);
  }

  /** All keyframes, after one of the state now, where there is none. */
  end(): readonly Snapshot[] {
    if (this.newest.row !== this.engine.rows) this.keyframes.push(this.engine.snapshot(this.baseOfNext));
    return this.keyframes;
  }

  /** What the next keyframe builds on. */
  private get baseOfNext(): Snapshot | undefined {
    const number = this.keyframes.length;
    return this.keyframes[number & (number - 1)];
  }

  private get newest(): Snapshot { return this.keyframes[this.keyframes.length - 1]!; }

  private takeKeyframe(): void {
    this.keyframes.push(this.engine.snapshot(this.baseOfNext));
    const { maxCount, maxBytes } = this.settings;
    const most = Math.min(maxBytes, Math.max(ALWAYS, this.trace.bytes * SHARE_OF_TRACE));
    if (this.keyframes.length <= maxCount && this.keyframeBytes <= most) return;
    if (this.keyframes.length < 4) return;
    this.keyframes = this.keyframes.filter((_, i) => i % 2 === 0);
    this.interval *= 2;
  }
}
