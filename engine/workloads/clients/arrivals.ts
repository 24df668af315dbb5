import { log } from "../../kernel/math";
import type { Runner } from "../client";

/** When the next request comes, and how long it is. */
export interface Arrivals {
  /** Requests in all. */
  readonly count: number;
  /** Picoseconds from the arrival before (from the beginning, of the first) to arrival `number`. Draws; changes the process's state. */
  gap(number: number): number;
  /** Bytes of request `number`. */
  size(number: number): number;
}

/** Exponential with the given mean, by inversion: −mean·ln(1 − u), u in [0, 1). */
export function exponential(runner: Runner, mean: number): number {
  return -mean * log(1 - runner.uniform());
}

/** Requests at a fixed distance. */
export function periodic(count: number, interval: number, size: number): Arrivals {
  return { count, gap: (number) => (number === 0 ? 0 : interval), size: () => size };
}

/** A Poisson process: independent exponential gaps. */
export function poisson(runner: Runner, count: number, interval: number, size: number): Arrivals {
  return { count, gap: () => Math.round(exponential(runner, interval)), size: () => size };
}

/**
 * An interrupted Poisson process (Kuczura, "The interrupted Poisson process as an overflow process", 1973): periods with arrivals and
 * periods without, each of exponential length.
 * @param interval mean gap within a period with arrivals
 */
export function bursty(runner: Runner, count: number, interval: number, on: number, off: number, size: number): Arrivals {
  const state = runner.store.table(`burst of ${runner.spec.path}`, { left: "f64" }, 1);
  state.alloc();
  return {
    count,
    gap: () => {
      let gap = 0;
      let next = exponential(runner, interval);
      // The exponential gap has no memory: what is left of it after a pause is as long as a new one.
      while (next > state.left[0]!) {
        gap += state.left[0]! + exponential(runner, off);
        state.left[0] = exponential(runner, on);
        next = exponential(runner, interval);
      }
      state.left[0]! -= next;
      return Math.round(gap + next);
    },
    size: () => size,
  };
}

/** What was recorded: times from the beginning, in order, and sizes. */
export function recorded(arrivals: readonly (readonly [time: number, size: number])[]): Arrivals {
  return {
    count: arrivals.length,
    gap: (number) => arrivals[number]![0] - (number === 0 ? 0 : arrivals[number - 1]![0]),
    size: (number) => arrivals[number]![1],
  };
}
