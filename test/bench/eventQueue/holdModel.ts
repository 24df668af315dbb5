import { A, EVENT_BITS } from "../../../engine/kernel/eventLists";
import { EventQueue } from "../../../engine/kernel/queue";
import { Store } from "../../../engine/kernel/state";
import { cpuTime } from "../section";

/** One measurement. */
export interface HoldResult {
  /** Nanoseconds of CPU time per event fired, with its scheduling and its share of cancelling. */
  readonly nanoseconds: number;
  /** The instant of the last event: equal wherever the same events were fired. */
  readonly last: number;
}

/** Delays that the model goes through, a power of two. */
export const DRAWS = 1 << 16;

/**
 * Delays in whole picoseconds, exponential with a mean of a microsecond: the usual increments of the hold model (Jones, "An
 * empirical comparison of priority-queue and event-set implementations", CACM 29(4), 1986). All queues read the same.
 */
export function increments(): Float64Array {
  let state = 12345;
  return Float64Array.from({ length: DRAWS }, () => {
    state = nextState(state);
    return Math.round(-Math.log((state + 0.5) / 2 ** 32) * 1e6);
  });
}

/** The generator of Numerical Recipes, second edition, section 7.1: simple enough to be the same in every language. */
export function nextState(state: number): number {
  return (Math.imul(state, 1664525) + 1013904223) >>> 0;
}

/**
 * The hold model: as many events as are pending stay pending. Each that fires schedules another; three times in seven one
 * is cancelled too, whichever, and replaced, so that 30 % of all that is scheduled is cancelled before it fires.
 */
export function holdEngine(delays: Float64Array, pending: number, fired: number): HoldResult {
  const queue = new EventQueue(new Store());
  const handles = new Int32Array(pending);
  let draw = 0;
  let state = 1;
  let now = 0;
  const schedule = (i: number): void => {
    handles[i] = queue.schedule(now + delays[draw++ & (DRAWS - 1)]!, 2, 1, 2, i, 4, 5);
  };
  const hold = (count: number): void => {
    for (let n = 0; n < count; n++) {
      const event = queue.pop();
      now = queue.events.time[event]!;
      schedule(queue.words.word[(event << EVENT_BITS) + A]!);
      state = nextState(state);
      if ((state >>> 8) % 7 < 3) {
        const i = (state >>> 4) % pending;
        queue.cancel(handles[i]!);
        schedule(i);
      }
    }
  };
  for (let i = 0; i < pending; i++) schedule(i);
  hold(pending + (pending >> 1));
  const start = cpuTime();
  hold(fired);
  return { nanoseconds: ((cpuTime() - start) * 1e9) / fired, last: now };
}
