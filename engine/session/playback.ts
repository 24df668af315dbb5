import type { Engine } from "../engine";
import type { RecordedPrefix } from "./recording";
import type { Work } from "./work";

const DISPATCHES_BETWEEN_PAUSES = 128;

/**
 * The second engine, which looks at earlier states: nearest keyframe plus replay. It remembers where it stands, so that
 * going forwards costs only the dispatches in between.
 */
export class Playback {
  private engine: Engine | undefined;

  constructor(private readonly recording: RecordedPrefix) {}

  /**
   * Brings the replayer to the state at `row`: before the effect of the dispatch that `row` belongs to.
   * `row === length` asks for the state after everything recorded. Where there are only rows, nobody knows a state.
   * @returns The replaying engine; valid until the next seek or advance.
   * @throws Error if the replay does not meet the recording (the engine is not deterministic).
   */
  *seek(row: number): Work<Engine> {
    if (this.recording.rowsOnly !== undefined) return this.recording.engine;
    const target = row >= this.recording.length ? this.recording.length : this.recording.trace.dispatchStart(row);
    const keyframe = this.recording.keyframeBefore(target);
    const engine = (this.engine ??= this.recording.engine.replayer());
    if (this.stale || engine.rows > target || engine.rows < keyframe.row) engine.restore(keyframe);
    this.stale = true;
    let budget = DISPATCHES_BETWEEN_PAUSES;
    while (engine.rows < target) {
      if (!engine.dispatch()) throw new Error(`The replay ended at row ${engine.rows}, before row ${target}.`);
      if (--budget === 0) {
        budget = DISPATCHES_BETWEEN_PAUSES;
        this.stale = false;
        yield;
        // Someone else may have moved the replayer while this computation was paused.
        if (engine.rows > target || engine.rows < keyframe.row) engine.restore(keyframe);
      }
    }
    if (engine.rows !== target) throw new Error(`The replay passed row ${target} and stands at ${engine.rows}: it differs from the recording.`);
    this.stale = false;
    return engine;
  }

  /** True until the first keyframe is restored, and after a replay that failed half-way. */
  private stale = true;
}
