import { percent, signed, type Result } from "./row";

/** Two systems at every point of an experiment: by how much the first is faster, percent. */
export class Comparison {
  private readonly gains: readonly number[];

  constructor(pairs: readonly (readonly [first: number, second: number])[]) {
    this.gains = pairs.map(([first, second]) => percent(first, second));
  }

  get faster(): number {
    return this.gains.filter((gain) => gain > 0).length;
  }

  get points(): number {
    return this.gains.length;
  }

  private get range(): string {
    return `${signed(Math.min(...this.gains))} to ${signed(Math.max(...this.gains))}`;
  }

  /** @param holds by how many points the first is faster at, of how many */
  counted(holds: (faster: number, points: number) => boolean): Result {
    return { ours: `faster at ${this.faster} of ${this.points} points, ${this.range}`, holds: holds(this.faster, this.points) };
  }

  always(): Result {
    return this.counted((faster, points) => faster === points);
  }

  never(): Result {
    return this.counted((faster) => faster === 0);
  }

  /** The paper's “similar”, “close” and “comparable” have no number: within so many percent at every point. */
  alike(within = 10): Result {
    const near = this.gains.filter((gain) => Math.abs(gain) <= within).length;
    return { ours: `${this.range}; within ${within} % at ${near} of ${this.points} points`, holds: near === this.points };
  }

  /** The paper's “much slower” has no number either: the first takes at least half as long again, so is slower by a third, at every point. */
  muchSlower(): Result {
    return { ours: this.range, holds: this.gains.every((gain) => gain <= -100 / 3) };
  }
}
