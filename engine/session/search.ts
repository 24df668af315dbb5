import type { Engine } from "../engine";
import type { Breakpoint, BreakpointReason } from "./breakpoints";
import type { Expression, Lookup } from "./expression";
import { readWatched } from "./inspection";
import { isRowName, namesAt } from "./names";
import type { Playback } from "./playback";
import type { RecordedPrefix } from "./recording";
import { RowList } from "./rowIndex";
import type { Work } from "./work";

const ROWS_BETWEEN_PAUSES = 1024;
const DISPATCHES_BETWEEN_PAUSES = 256;

/** Where continuing, or continuing in reverse, came to a stop. */
export interface Stop {
  readonly row: number;
  readonly reason: BreakpointReason | "end" | "start";
  /** Ids of the breakpoints that stopped it. */
  readonly breakpoints: readonly number[];
  /** For a data breakpoint: what changed, from what, to what. */
  readonly text?: string;
}

interface Match {
  readonly stop: Stop | undefined;
  readonly logs: readonly string[];
}

interface Change {
  readonly row: number;
  readonly breakpoint: Breakpoint;
  readonly text: string;
}

/**
 * Looks for the next or the previous row that meets a breakpoint. Whether a row does is a property of the recording
 * alone, so that going back stops exactly where going forwards does.
 */
export class Search {
  /** Everything between the start and here has been looked at: where a cancelled search leaves the cursor. */
  position = 0;
  private readonly counters = new Map<Breakpoint, HitCounter>();
  private readonly placed: readonly Breakpoint[];
  private readonly watching: readonly Breakpoint[];
  private latest: { readonly start: number; readonly changes: readonly Change[] } = { start: -1, changes: [] };

  constructor(
    private readonly recording: RecordedPrefix, private readonly playback: Playback, private readonly breakpoints: readonly Breakpoint[],
  ) {
    this.placed = breakpoints.filter((breakpoint) => !breakpoint.watch);
    this.watching = breakpoints.filter((breakpoint) => breakpoint.watch);
    for (const breakpoint of breakpoints) if (breakpoint.hit) this.counters.set(breakpoint, { matched: new RowList(), scanned: 0 });
  }

  /** The first stop after `from`; the last row of the run where nothing stops it. Records on as needed. */
  *forward(from: number, log: (text: string) => void): Work<Stop> {
    this.position = from;
    for (let next = from + 1; ;) {
      if (next >= this.recording.length) {
        if (this.recording.record(DISPATCHES_BETWEEN_PAUSES) || next < this.recording.length) {
          yield;
          continue;
        }
        this.position = this.recording.length - 1;
        return { row: this.position, reason: "end", breakpoints: [] };
      }
      const to = this.blockEnd(next);
      const stop = yield* this.scan(next, to, (match) => {
        match.logs.forEach(log);
        return match.stop === undefined;
      });
      if (stop?.stop) return stop.stop;
      next = to;
      this.position = to - 1;
      yield;
    }
  }

  /** The last stop before `from`; row 0 where nothing stops it. */
  *backward(from: number, log: (text: string) => void): Work<Stop> {
    this.position = from;
    for (let to = from; to > 0;) {
      const start = Math.max(0, this.replays ? this.recording.keyframeBefore(to - 1).row : to - ROWS_BETWEEN_PAUSES);
      const matches: Match[] = [];
      yield* this.scan(start, to, (match) => matches.push(match) > 0);
      for (const match of matches.reverse()) {
        match.logs.forEach(log);
        if (match.stop) return match.stop;
      }
      this.position = to = start;
      yield;
    }
    return { row: 0, reason: "start", breakpoints: [] };
  }

  /** Rows in [from, to) that meet a breakpoint, in order, until `found` says no; returns the one that it stopped at. */
  private *scan(from: number, to: number, found: (match: Match) => boolean): Work<Match | undefined> {
    const { trace } = this.recording;
    let budget = ROWS_BETWEEN_PAUSES;
    let changes: readonly Change[] = [];
    for (let row = from; row < to; row++) {
      if (this.watching.length > 0 && (row === from || trace.isFirst(row))) changes = yield* this.changesAt(trace.dispatchStart(row));
      const changed = changes.filter((change) => change.row === row);
      if (changed.length > 0 || this.placed.some((breakpoint) => breakpoint.sitsOn(trace, row))) {
        const match = yield* this.match(row, changed);
        if (match && !found(match)) return match;
      }
      if (--budget === 0) {
        budget = ROWS_BETWEEN_PAUSES;
        yield;
      }
    }
    return undefined;
  }

  private *match(row: number, changed: readonly Change[]): Work<Match | undefined> {
    const { trace } = this.recording;
    const logs: string[] = [];
    const stops: Breakpoint[] = [];
    for (const breakpoint of this.breakpoints) {
      const touched = breakpoint.watch ? changed.some((change) => change.breakpoint === breakpoint) : breakpoint.sitsOn(trace, row);
      if (!touched) continue;
      if (breakpoint.hit) {
        const count = yield* this.countAt(breakpoint, row);
        if (count === 0 || !breakpoint.hit(count)) continue;
      } else if (!(yield* this.holds(breakpoint, row))) continue;
      if (breakpoint.log) logs.push(breakpoint.log.format(yield* this.lookup(row, breakpoint.log.expressions)));
      else stops.push(breakpoint);
    }
    const [first] = stops;
    if (!first) return logs.length > 0 ? { stop: undefined, logs } : undefined;
    const text = changed.filter((change) => stops.includes(change.breakpoint)).map((change) => change.text).join("; ");
    return { logs, stop: { row, reason: first.reason, breakpoints: stops.map(({ id }) => id), ...(text ? { text } : {}) } };
  }

  /** How many rows up to this one, from the start of the run, met the breakpoint; 0 where this one does not. */
  private *countAt(breakpoint: Breakpoint, row: number): Work<number> {
    const counter = this.counters.get(breakpoint);
    if (!counter) return 0;
    for (; counter.scanned <= row; counter.scanned++) {
      if (counter.scanned % ROWS_BETWEEN_PAUSES === 0) yield;
      const scanned = counter.scanned;
      if ((yield* this.touches(breakpoint, scanned)) && (yield* this.holds(breakpoint, scanned))) counter.matched.push(scanned);
    }
    const before = counter.matched.countBefore(row);
    return counter.matched.at(before) === row ? before + 1 : 0;
  }

  private *touches(breakpoint: Breakpoint, row: number): Work<boolean> {
    if (!breakpoint.watch) return breakpoint.sitsOn(this.recording.trace, row);
    const changes = yield* this.changesAt(this.recording.trace.dispatchStart(row));
    return changes.some((change) => change.breakpoint === breakpoint && change.row === row);
  }

  private *holds(breakpoint: Breakpoint, row: number): Work<boolean> {
    return !breakpoint.condition || breakpoint.holds(yield* this.lookup(row, [breakpoint.condition]));
  }

  private *lookup(row: number, expressions: readonly Expression[]): Work<Lookup> {
    const engine = expressions.some(needsState) ? yield* this.playback.seek(row) : this.recording.engine;
    return namesAt(this.recording.trace, row, engine);
  }

  /** What the dispatch that begins at `start` changes among the watched variables, and at which of its rows to stop. */
  private *changesAt(start: number): Work<readonly Change[]> {
    if (this.latest.start === start) return this.latest.changes;
    const { trace } = this.recording;
    let end = start + 1;
    while (end < trace.length && !trace.isFirst(end)) end++;
    const before = this.watched(yield* this.playback.seek(start));
    const after = this.watched(yield* this.playback.seek(end));
    const changes: Change[] = [];
    this.watching.forEach((breakpoint, i) => {
      if (before[i] === after[i] || !breakpoint.watch) return;
      let row = start;
      while (row < end && trace.names.components[trace.component(row)]?.path !== breakpoint.watch.root) row++;
      const text = `${breakpoint.watch.names.join(".")}: ${before[i] ?? "–"} → ${after[i] ?? "–"}`;
      changes.push({ row: row < end ? row : start, breakpoint, text });
    });
    this.latest = { start, changes };
    return changes;
  }

  private watched(engine: Engine): (string | undefined)[] {
    return this.watching.map(({ watch }) => watch && readWatched(engine, watch)?.value);
  }

  /** Whether the search needs the machine's state at all. */
  private get replays(): boolean {
    return this.watching.length > 0
      || this.breakpoints.some((breakpoint) => [breakpoint.condition, ...(breakpoint.log?.expressions ?? [])].some((expression) => expression && needsState(expression)));
  }

  private blockEnd(from: number): number {
    return Math.min(this.recording.length, from + ROWS_BETWEEN_PAUSES);
  }
}

interface HitCounter {
  readonly matched: RowList;
  /** Rows looked at so far. */
  scanned: number;
}

function needsState(expression: Expression): boolean {
  return [...expression.roots].some((root) => !isRowName(root));
}
