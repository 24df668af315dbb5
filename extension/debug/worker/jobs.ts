import type { Work } from "../../../engine/session/work";

/** Longest stretch without looking at new messages, milliseconds: pausing works within two of them. */
const SLICE = 10;

export interface Clock {
  /** Milliseconds, from any origin. */
  now(): number;
  /** Calls back after messages that have come in were delivered. */
  defer(callback: () => void): void;
}

interface Job {
  readonly id: number;
  readonly work: Work<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The computation was given up. */
export class JobCancelled extends Error {}

/**
 * Runs computations side by side in slices of at most {@link SLICE} ms, and something in the background while there is
 * none.
 */
export class Jobs {
  private jobs: Job[] = [];
  private scheduled = false;

  /**
   * @param background Does a little and says whether there is more to do.
   * @param afterSlice Called at the end of every slice.
   */
  constructor(private readonly clock: Clock, private readonly background: () => boolean, private readonly afterSlice: () => void) {}

  /** @throws JobCancelled by rejection, and whatever the computation throws. */
  run<T>(id: number, work: Work<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // The job resolves with what its own work returned.
      this.jobs.push({ id, work, resolve: resolve as (result: unknown) => void, reject });
      this.wake();
    });
  }

  cancel(id: number): void {
    const job = this.jobs.find((candidate) => candidate.id === id);
    if (!job) return;
    this.jobs = this.jobs.filter((candidate) => candidate !== job);
    job.work.return(undefined);
    job.reject(new JobCancelled());
  }

  /** There may be something to do in the background. */
  wake(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.clock.defer(() => this.slice());
  }

  private slice(): void {
    this.scheduled = false;
    const deadline = this.clock.now() + SLICE;
    let more = true;
    while (more && this.clock.now() < deadline) {
      if (this.jobs.length > 0) for (const job of this.jobs) this.advance(job);
      else more = this.background();
    }
    this.afterSlice();
    if (more) this.wake();
  }

  private advance(job: Job): void {
    try {
      const step = job.work.next();
      if (!step.done) return;
      job.resolve(step.value);
    } catch (error) {
      job.reject(error);
    }
    this.jobs = this.jobs.filter((candidate) => candidate !== job);
  }
}
