import type { MachineEngine } from "../../../engine/create";

/** A rule that a machine must keep, whatever its design, its workloads and what befalls it. */
export interface Invariant {
  /** Its number in docs/invariants.md. */
  readonly number: number;
  /** The rule, as a sentence. */
  readonly says: string;
  /** Begins to watch a machine that has just been built; what it returns is called as the run goes on. */
  watch(engine: MachineEngine): Watch;
}

/** What an invariant does while a machine runs. Each throws by {@link broken}. */
export interface Watch {
  /** After the dispatch that left the row; for every row, in order. */
  row?(row: number): void;
  /** After every dispatch: cheap looks at the state. */
  step?(): void;
  /** Now and then, after a dispatch: looks at the state that take long. */
  sample?(): void;
  /** After the last dispatch. */
  end?(): void;
}

/** An invariant does not hold. */
export class Broken extends Error {
  constructor(readonly invariant: Invariant, at: string, cause: unknown) {
    super(`Invariant ${invariant.number} (${invariant.says}) does not hold ${at}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Dispatches between two calls of `sample`: a prime, so that it does not keep step with a machine's own rhythm. */
const SAMPLE = 61;
/** Picoseconds in which nothing happens, before which it is called as well: a quiet machine's dispatches are far apart. */
const LONG = 1e11;

/**
 * Runs a machine under watch.
 * @param dispatches at most so many; a machine that spins or computes never ends by itself
 * @param between called every {@link SAMPLE} dispatches; returns true to stop
 * @throws Broken for the first rule that does not hold, with the time and row
 */
export function runChecked(engine: MachineEngine, invariants: readonly Invariant[], dispatches: number, between?: () => boolean): void {
  // Not a closure a call: there are millions of calls.
  let at: Invariant | undefined;
  try {
    const watches = invariants.map((invariant) => {
      at = invariant;
      return { invariant, watch: invariant.watch(engine) };
    });
    const rows = watches.filter(({ watch }) => watch.row !== undefined);
    const steps = watches.filter(({ watch }) => watch.step !== undefined);
    const { queue } = engine.built.machine.kernel;
    const isQuiet = (): boolean => {
      const next = queue.peek();
      return next >= 0 && queue.events.time[next]! - engine.time > LONG;
    };
    const sample = (): void => {
      for (const { invariant, watch } of watches) {
        at = invariant;
        watch.sample?.();
      }
    };
    let seen = engine.trace.length;
    for (let i = 1; i <= dispatches; i++) {
      at = undefined;
      if (!engine.dispatch()) break;
      for (; seen < engine.trace.length; seen++) {
        for (const { invariant, watch } of rows) {
          at = invariant;
          watch.row!(seen);
        }
      }
      for (const { invariant, watch } of steps) {
        at = invariant;
        watch.step!();
      }
      const isDue = i % SAMPLE === 0;
      if (isDue || isQuiet()) sample();
      if (!isDue) continue;
      if (between?.() === true) break;
    }
    sample();
    for (const { invariant, watch } of watches) {
      at = invariant;
      watch.end?.();
    }
  } catch (error) {
    if (at === undefined) throw error;
    throw new Broken(at, `at ${engine.time} ps, row ${engine.rows}`, error);
  }
}
