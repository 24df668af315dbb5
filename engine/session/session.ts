import type { Design } from "../design/model";
import type { Variable } from "../inspect";
import type { Trace, TraceNames } from "../trace/trace";
import type { Breakpoint } from "./breakpoints";
import { DesignLines } from "./designLines";
import { Effects } from "./effects";
import { display, isEntity, parseExpression } from "./expression";
import { inspect, readWatched, type InspectedScope, type WatchTarget } from "./inspection";
import { namesAt } from "./names";
import { Playback } from "./playback";
import type { RecordedPrefix } from "./recording";
import { Search } from "./search";
import { Stepping } from "./stepping";
import { Threads } from "./threads";
import { causeFrames, describeCursor, type CauseFrame } from "./views";
import type { Work } from "./work";

/** The answer to a watch expression or a hover. */
export interface Evaluation {
  readonly text: string;
  readonly number?: number;
  readonly variables: readonly Variable[];
}

/**
 * What a debugger asks of a simulation: a recorded prefix, questions about its rows, and recording on. It has no
 * cursor, clock or protocol of its own; computations that may take long are {@link Work}, for the caller to pump.
 */
export class Session<Prefix extends RecordedPrefix = RecordedPrefix> {
  readonly lines: DesignLines;
  readonly threads: Threads;
  readonly stepping: Stepping;
  readonly trace: Trace;
  readonly playback: Playback;
  private readonly effects: Effects;

  /**
   * @param recording Of `design`.
   * @param text The text that `design` was read from; ranges refer to it.
   */
  constructor(readonly recording: Prefix, design: Design, text: string) {
    const { engine, trace } = recording;
    this.trace = trace;
    this.playback = new Playback(recording);
    this.lines = new DesignLines(design, text, engine.names.components);
    const [machine, another] = design.hosts.filter((host) => host.kind === "machine");
    this.threads = new Threads(engine, this.trace, another ? undefined : machine?.path);
    this.effects = new Effects(this.trace);
    this.stepping = new Stepping(recording, this.threads, this.effects);
  }

  get names(): TraceNames { return this.recording.engine.names; }

  /** Records until `row` exists; false if the run ends before. */
  *recordTo(row: number): Work<boolean> {
    while (this.recording.length <= row) {
      const more = this.recording.record(256);
      if (!more) break;
      yield;
    }
    return row < this.recording.length;
  }

  /** Records until simulated time reaches `time`, picoseconds; returns the first row at or after it, or the last of the run. */
  *recordToTime(time: number): Work<number> {
    while (this.recording.time < time || this.recording.length === 0) {
      if (!this.recording.record(256)) break;
      yield;
    }
    while (this.trace.firstAt(time) === this.trace.length && this.recording.record(1)) yield;
    return Math.min(this.trace.firstAt(time), this.trace.length - 1);
  }

  /** A search over a set of breakpoints; it keeps their hit counts, so make a new one only when the set changes. */
  search(breakpoints: readonly Breakpoint[]): Search {
    return new Search(this.recording, this.playback, breakpoints);
  }

  stack(row: number, start: number, count: number): { frames: CauseFrame[]; total: number } {
    return causeFrames(this.trace, this.threads, this.lines, row, start, count);
  }

  cursor(row: number): ReturnType<typeof describeCursor> {
    return describeCursor(this.recording.engine, this.trace, this.threads, row);
  }

  /** Which interface carries each domain's frames at a row, by path; only of domains that switch is there anything to look at. */
  *uplinks(row: number): Work<Readonly<Record<string, string>>> {
    const now = this.recording.engine.activeUplinks();
    return Object.keys(now).length === 0 ? now : (yield* this.playback.seek(row)).activeUplinks();
  }

  *scopes(row: number): Work<InspectedScope[]> {
    return inspect(yield* this.playback.seek(row), this.trace, row);
  }

  /** @throws ExpressionError where the text does not parse. */
  *evaluate(row: number, text: string): Work<Evaluation | undefined> {
    const expression = parseExpression(text);
    const value = expression.evaluate(namesAt(this.trace, row, yield* this.playback.seek(row)));
    if (value === undefined) return undefined;
    const number = isEntity(value) ? value.number : value;
    return {
      text: display(value), variables: isEntity(value) ? value.variables : [],
      ...(typeof number === "number" ? { number } : {}),
    };
  }

  /** The watched variable's value at a row; undefined where it does not exist there. */
  *read(row: number, target: WatchTarget): Work<string | undefined> {
    return readWatched(yield* this.playback.seek(row), target)?.value;
  }
}
