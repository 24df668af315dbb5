import assert from "node:assert/strict";
import type { Work } from "../../../engine/session/work";
import { JobCancelled, Jobs } from "../../../extension/debug/worker/jobs";

/** A clock that moves on by a millisecond whenever someone looks, and slices that the test starts. */
class ManualClock {
  private time = 0;
  private next: (() => void) | undefined;
  now(): number { return this.time++; }
  defer(callback: () => void): void {
    assert.equal(this.next, undefined, "one slice at a time");
    this.next = callback;
  }
  /** Runs one slice; false if none is wanted. */
  slice(): boolean {
    const { next } = this;
    this.next = undefined;
    next?.();
    return next !== undefined;
  }
}

function* count(steps: number, tick: () => void): Work<number> {
  for (let i = 0; i < steps; i++) {
    tick();
    yield;
  }
  return steps;
}

describe("jobs", () => {
  it("works in slices of at most 10 ms", async () => {
    const clock = new ManualClock();
    const jobs = new Jobs(clock, () => false, () => undefined);
    let ticks = 0;
    const done = jobs.run(1, count(25, () => ticks++));
    clock.slice();
    assert.ok(ticks >= 5 && ticks <= 10, `${ticks} steps of 1 ms`);
    while (clock.slice());
    assert.equal(await done, 25);
  });

  it("lets a short job finish while a long one runs", async () => {
    const clock = new ManualClock();
    const jobs = new Jobs(clock, () => false, () => undefined);
    jobs.run(1, count(Infinity, () => undefined)).catch(() => undefined);
    clock.slice();
    const short = jobs.run(2, count(3, () => undefined));
    clock.slice();
    assert.equal(await short, 3);
  });

  it("gives up a job when asked to", async () => {
    const clock = new ManualClock();
    const jobs = new Jobs(clock, () => false, () => undefined);
    const endless = jobs.run(7, count(Infinity, () => undefined));
    clock.slice();
    jobs.cancel(7);
    await assert.rejects(endless, JobCancelled);
    clock.slice();
    assert.equal(clock.slice(), false, "nothing is left to do");
  });

  it("passes on what a job throws, and goes on with the others", async () => {
    const clock = new ManualClock();
    const jobs = new Jobs(clock, () => false, () => undefined);
    const failing = jobs.run(1, count(5, () => { throw new Error("no"); }));
    const other = jobs.run(2, count(2, () => undefined));
    while (clock.slice());
    await assert.rejects(failing, /no/);
    assert.equal(await other, 2);
  });

  it("does background work while there are no jobs, until that is done", () => {
    const clock = new ManualClock();
    let left = 40;
    const jobs = new Jobs(clock, () => --left > 0, () => undefined);
    jobs.wake();
    while (clock.slice());
    assert.equal(left, 0);
  });
});
