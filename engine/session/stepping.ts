import { NONE } from "../trace/trace";
import type { Effects } from "./effects";
import type { RecordedPrefix } from "./recording";
import { threadOfContext, type Threads } from "./threads";
import type { Work } from "./work";

const DISPATCHES_BETWEEN_PAUSES = 256;
/** An effect counts for "step in" if it comes within so many rows, whatever has been recorded yet. */
const EFFECT_HORIZON = 1 << 16;

/**
 * Where each kind of step leads. A step never looks at the machine's state, only at the trace, and records on where
 * the trace does not reach far enough. Undefined: no such row comes before the end of the run.
 */
export class Stepping {
  constructor(
    private readonly recording: RecordedPrefix, private readonly threads: Threads, private readonly effects: Effects,
  ) {}

  /**
   * The next row of the thread after the cursor. A thread that does nothing more, and a packet that has arrived, has
   * returned: the next row of the context that it was on, or of the nearest one up its chain of causes that goes on.
   */
  *next(row: number, thread: number): Work<number | undefined> {
    const own = yield* this.nextOf(row, thread);
    if (own !== undefined) return own;
    const { trace } = this.recording;
    const seen = new Set<number>();
    for (let at = this.threads.placeOf(thread, row) ?? NONE; at !== NONE; at = trace.cause(at)) {
      const context = trace.context(at);
      const found = seen.has(context) ? undefined : this.threads.rowsOf(threadOfContext(context)).after(row);
      if (found !== undefined) return found;
      seen.add(context);
    }
    return undefined;
  }

  /** The row of the thread before the cursor; before its first row, the one that caused that. */
  previous(row: number, thread: number): number | undefined {
    const own = this.threads.rowsOf(thread).before(row);
    if (own !== undefined) return own;
    const place = this.threads.placeOf(thread, row);
    const cause = place === undefined ? NONE : this.recording.trace.cause(place);
    return cause === NONE ? undefined : cause;
  }

  /** The next row of any context. */
  *nextOfAny(row: number): Work<number | undefined> {
    while (row + 1 >= this.recording.length) {
      if (!this.recording.record(1)) break;
      yield;
    }
    return row + 1 < this.recording.length ? row + 1 : undefined;
  }

  /** What the thread's current row set off, in order, as far as it lies after the cursor: where a step in can lead. */
  *targets(row: number, thread: number): Work<number[]> {
    const place = this.threads.placeOf(thread, row);
    if (place === undefined) return [];
    const ahead = (): number[] => this.effects.of(place).filter((effect) => effect > row && effect <= place + EFFECT_HORIZON);
    while (ahead().length === 0 && this.recording.length <= place + EFFECT_HORIZON) {
      if (!this.recording.record(DISPATCHES_BETWEEN_PAUSES)) break;
      yield;
    }
    return ahead();
  }

  /** The first effect of the thread's current row; its next row where it has no effect. */
  *stepIn(row: number, thread: number): Work<number | undefined> {
    const [first] = yield* this.targets(row, thread);
    return first ?? (yield* this.next(row, thread));
  }

  /** The next row of the nearest other context up the chain of causes; the thread's own next row where there is none. */
  *stepOut(row: number, thread: number): Work<number | undefined> {
    const { trace } = this.recording;
    const place = this.threads.placeOf(thread, row);
    if (place !== undefined) {
      const context = trace.context(place);
      let caller = trace.cause(place);
      while (caller !== NONE && trace.context(caller) === context) caller = trace.cause(caller);
      if (caller !== NONE) {
        const found = yield* this.nextOf(row, threadOfContext(trace.context(caller)));
        if (found !== undefined) return found;
      }
    }
    return yield* this.next(row, thread);
  }

  /** The next row of the thread itself; undefined: it does nothing more until the end of the run. */
  private *nextOf(row: number, thread: number): Work<number | undefined> {
    for (;;) {
      const found = this.threads.rowsOf(thread).after(row);
      if (found !== undefined || !this.recording.record(DISPATCHES_BETWEEN_PAUSES)) return found ?? this.threads.rowsOf(thread).after(row);
      yield;
    }
  }
}
