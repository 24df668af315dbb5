/**
 * A long computation that pauses often: it yields every few hundred dispatches or thousand rows, so that whoever pumps
 * it can keep slices short, answer other requests in between, and abandon it (`return()`), without a clock or a
 * thread in here.
 */
export type Work<T> = Generator<void, T, void>;

/** Runs a computation to its end at once. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
