import type { Table, Store } from "../../kernel/state";

/**
 * What became of a request, in the order of the numbers in the table. From "failed" on nothing came of it, for the reason that it says: "failed" itself is
 * the application's interface, which did not come up, or whose address is somebody else's.
 */
export const outcomes = [
  "waiting", "under way", "done", "nothing to do", "superseded", "failed", "no function free", "not running", "timed out", "application died", "server died",
] as const;
export type Outcome = (typeof outcomes)[number];

/**
 * Longest silence after a switch that is put down to it, picoseconds: the retransmission timeout that RFC 6298 (2.1, 2.4) has a sender begin with,
 * and asks for as the least. A peer that has sent nothing by then has nothing to send.
 */
const SILENCE = 1e12;

/** What became of one request for a switch. Times in picoseconds. */
export interface SwitchReport {
  /** Path of the domain. */
  readonly application: string;
  /** Path of the interface that it went to, or was to. */
  readonly to: string;
  /** When it was asked for. */
  readonly asked: number;
  /** When its first step began: later, where another switch was under way; undefined where it never did. */
  readonly begun: number | undefined;
  readonly outcome: Outcome;
  /** From its first step until frames go the new way and the address was announced from there; undefined while it is under way, and where there was none. */
  readonly duration: number | undefined;
  /**
   * From then until the application gets its first frame, or sends one: what the peers need to notice, and the rest of a retransmission timeout
   * where what was lost was waited for. Not part of the switch; undefined while nothing has come.
   */
  readonly silence: number | undefined;
  /** Frames that found the address at neither interface, at the server. */
  readonly lost: number;
}

const schema = {
  application: "u16", to: "u8", outcome: "u8", asked: "f64", begun: "f64", ended: "f64", resumed: "f64", refused: "f64", lost: "f64", waits: "u8",
} as const;

/** What every request for a switch of a host's applications came to: a row each. */
export class SwitchLog {
  private readonly rows: Table<typeof schema>;

  constructor(store: Store, host: string) {
    this.rows = store.table(`switches of ${host}`, schema);
  }

  get count(): number {
    return this.rows.rows;
  }

  ask(application: number, to: number, now: number): number {
    const { rows } = this;
    const row = rows.alloc();
    rows.application[row] = application;
    rows.to[row] = to;
    rows.asked[row] = now;
    rows.begun[row] = -1;
    return row;
  }

  /** The uplink that a request is for. */
  uplinkOf(row: number): number {
    return this.rows.to[row]!;
  }

  /** @param refused frames that the server has refused for the application so far */
  begin(row: number, now: number, refused: number): void {
    const { rows } = this;
    rows.outcome[row] = outcomes.indexOf("under way");
    rows.begun[row] = now;
    rows.refused[row] = refused;
  }

  end(row: number, outcome: Outcome, now: number): void {
    const { rows } = this;
    rows.outcome[row] = outcomes.indexOf(outcome);
    rows.ended[row] = now;
    rows.waits[row] = 1;
  }

  /** The application's frames flow again. */
  resume(row: number, now: number, refused: number): void {
    const { rows } = this;
    rows.resumed[row] = now;
    rows.lost[row] = refused - rows.refused[row]!;
    rows.waits[row] = 0;
  }

  /** Whether the switch of a row has ended, and no frame has come since. */
  waits(row: number): boolean {
    return this.rows.waits[row] === 1;
  }

  /** When a switch ended; Infinity while it is under way. */
  endOf(row: number): number {
    return this.rows.outcome[row]! <= outcomes.indexOf("under way") ? Infinity : this.rows.ended[row]!;
  }

  /** When traffic is as it would be without the switch: from its first frame on, or when none is to be expected. Infinity while it is under way. */
  settledAt(row: number): number {
    const { rows } = this;
    const silence = this.waits(row) ? SILENCE : Math.min(SILENCE, rows.resumed[row]! - rows.ended[row]!);
    return this.endOf(row) + silence;
  }

  /** @param refused as in `begin`: now */
  report(row: number, nameOf: (application: number) => string, uplinkOf: (application: number, to: number) => string, refused: (application: number) => number): SwitchReport {
    const { rows } = this;
    const application = rows.application[row]!;
    const outcome = outcomes[rows.outcome[row]!]!;
    const begun = rows.begun[row]!;
    const ended = outcome === "done" || outcome === "failed";
    return {
      application: nameOf(application), to: uplinkOf(application, rows.to[row]!), asked: rows.asked[row]!, begun: begun < 0 ? undefined : begun, outcome,
      duration: ended ? rows.ended[row]! - begun : undefined,
      silence: rows.resumed[row]! > 0 ? rows.resumed[row]! - rows.ended[row]! : undefined,
      lost: outcome === "under way" || (ended && this.waits(row)) ? refused(application) - rows.refused[row]! : rows.lost[row]!,
    };
  }
}
