import type { LengthWatcher } from "../kernel/ring";

/** How long a queue was, weighed by how long it was so: told of every change, it knows means, quantiles and peaks exactly. */
export class LengthOverTime implements LengthWatcher {
  /** Picoseconds that it had each length, by length. */
  private held = new Float64Array(8);
  /** The longest that it was, even for an instant. */
  max: number;
  private length: number;
  private since: number;

  /** @param clock of the simulation, picoseconds */
  constructor(private readonly clock: { readonly now: number }, length: number) {
    this.length = this.max = length;
    this.since = clock.now;
  }

  changed(length: number): void {
    const { now } = this.clock;
    if (this.length >= this.held.length) this.grow();
    this.held[this.length]! += now - this.since;
    this.since = now;
    this.length = length;
    if (length > this.max) this.max = length;
  }

  /** Its mean over the time from when it was first looked at until `end`. */
  meanUntil(end: number): number {
    let sum = this.length * (end - this.since);
    let time = end - this.since;
    this.held.forEach((t, length) => {
      sum += t * length;
      time += t;
    });
    return time === 0 ? this.length : sum / time;
  }

  /** The length that it did not exceed for a share `q` (0 to 1) of the time until `end`. */
  quantileUntil(q: number, end: number): number {
    const last = end - this.since;
    let left = q * (last + this.held.reduce((sum, t) => sum + t, 0));
    for (let length = 0; length < this.max; length++) {
      left -= (this.held[length] ?? 0) + (length === this.length ? last : 0);
      if (left <= 0) return length;
    }
    return this.max;
  }

  private grow(): void {
    const grown = new Float64Array(2 * Math.max(this.length, this.held.length));
    grown.set(this.held);
    this.held = grown;
  }
}
