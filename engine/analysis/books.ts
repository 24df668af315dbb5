import type { Scalars } from "../kernel/scalars";
import type { Store, Table } from "../kernel/state";
import { Histogram } from "./histogram";

/** In the books, since when something has been waited for: nothing is. */
const NOT_WAITING = -1;

/**
 * What one workload has achieved so far. The books are of whoever makes the experiment, as sheets of paper are: they are in nobody's memory, and stay when the
 * program that works off the workload dies. A program that runs again begins again, with all that the workload asks for: one book for all its lives.
 *
 * A life that was not over when its client died lasts until the next one begins; what it waited for is lost with it, and the workload waits for
 * what takes its place, so that the silence goes on until something gets through again. Between a life that was over and the next one there is nothing to do, which is
 * neither silence nor time that counts. Times in picoseconds.
 */
export class Books {
  readonly latency: Histogram;
  readonly totals: Scalars<"sent" | "completed" | "duplicates" | "bytes">;
  /**
   * `last`: the last success; `since`: since when something has been waited for; `spent`: what lives before this one lasted; `until`: until when the one lasts whose
   * client has died.
   */
  private readonly times: Scalars<"last" | "since" | "silence" | "spent" | "until">;
  /** A row a life: when it began. */
  private readonly life: Table<{ readonly at: "f64" }>;

  constructor(store: Store, path: string) {
    [this.latency, this.totals, this.times, this.life] = store.within(undefined, () => [
      new Histogram(store, path),
      store.scalars(`books of ${path}`, ["sent", "completed", "duplicates", "bytes"]),
      store.scalars(`times of ${path}`, ["last", "since", "silence", "spent", "until"]),
      store.table(`beginnings of ${path}`, { at: "f64" }, 1, true),
    ]);
    this.times.since = NOT_WAITING;
  }

  /** How often it has begun. */
  get lives(): number {
    return this.life.rows;
  }

  /** When it began again. */
  get beganAgain(): readonly number[] {
    return [...this.life.at.subarray(1, Math.max(1, this.lives))];
  }

  private get first(): number {
    return this.life.at[this.lives - 1] ?? 0;
  }

  begin(now: number): void {
    const t = this.times;
    if (this.lives > 0) {
      const until = this.untilOfDead(now);
      t.spent = this.duration(until, t.last);
      if (until < now) {
        t.silence = this.silence(until);
        t.since = NOT_WAITING;
      }
    }
    const row = this.life.alloc();
    this.life.at[row] = now;
  }

  /** @param until until when it would have lasted, if never anything got through any more */
  died(until: number): void {
    this.times.until = until;
  }

  /** Until when it lasted whose client has died, where that is not later than `end`. */
  untilOfDead(end: number): number {
    return Math.min(this.times.until, end);
  }

  /** An answer, a message. */
  complete(latency: number): void {
    this.latency.record(latency);
    this.totals.completed++;
  }

  /** Something has got through. @param waits whether something more is waited for */
  advance(now: number, waits: boolean): void {
    const t = this.times;
    t.silence = this.silence(now);
    t.last = now;
    t.since = waits ? now : NOT_WAITING;
  }

  /** Something is waited for. */
  wait(now: number): void {
    if (this.times.since === NOT_WAITING) this.times.since = now;
  }

  /**
   * From the beginning to the last success, or until it is over.
   * @param until see `Client.until` @param last the last success, where another one knows better
   */
  duration(until: number, last = this.times.last): number {
    return this.lives === 0 ? 0 : this.times.spent + Math.max(0, Math.max(until, last) - this.first);
  }

  /** The longest time in which something was waited for and nothing got through, the one until `end` included. */
  silence(end: number): number {
    const { since, silence } = this.times;
    return since === NOT_WAITING ? silence : Math.max(silence, end - since);
  }
}
