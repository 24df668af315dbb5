import type { Scalars } from "../kernel/scalars";
import type { Numbers, Store } from "../kernel/state";

/** Sub-buckets of an octave: relative error at most 1/64. */
const SUB = 64;
const OCTAVES = 46;

/** Counts of durations in log-linear buckets (the layout of HdrHistogram): exact below 64 ns, within 1.6 % above. */
export class Histogram {
  private readonly numbers: Numbers;
  /** The first bucket's row of {@link numbers}. */
  private readonly first: number;
  private readonly total: Scalars<"count" | "sum" | "least" | "most">;

  constructor(store: Store, name: string) {
    this.numbers = store.numbers;
    this.first = store.addNumbers(`histogram ${name}: buckets`, SUB * OCTAVES);
    this.total = store.scalars(`histogram ${name}`, ["count", "sum", "least", "most"]);
  }

  /** @param duration picoseconds, not negative */
  record(duration: number): void {
    const t = this.total;
    this.numbers.number[this.first + indexOf(Math.floor(duration / 1000))]!++;
    if (t.count === 0 || duration < t.least) t.least = duration;
    if (duration > t.most) t.most = duration;
    t.count++;
    t.sum += duration;
  }

  get count(): number {
    return this.total.count;
  }

  /** Picoseconds; 0 when empty. */
  get mean(): number {
    return this.total.count === 0 ? 0 : this.total.sum / this.total.count;
  }

  get most(): number {
    return this.total.most;
  }

  /** The duration that a share `q` (0 to 1) of all does not exceed, picoseconds: the upper end of its bucket. */
  quantile(q: number): number {
    const n = this.total.count;
    if (n === 0) return 0;
    let left = Math.max(1, Math.ceil(q * n));
    for (let i = 0; i < SUB * OCTAVES; i++) {
      left -= this.numbers.number[this.first + i]!;
      if (left <= 0) return Math.min(upperEnd(i) * 1000, this.total.most);
    }
    return this.total.most;
  }
}

/** Bucket of a number of nanoseconds. */
function indexOf(nanoseconds: number): number {
  let octave = 0;
  let value = nanoseconds;
  while (value >= 2 * SUB) {
    value = Math.floor(value / 2);
    octave++;
  }
  return value < SUB ? value : Math.min(SUB * OCTAVES - 1, (octave + 1) * SUB + (value - SUB));
}

/** Largest number of nanoseconds in a bucket, plus one. */
function upperEnd(index: number): number {
  if (index < SUB) return index + 1;
  const octave = Math.floor(index / SUB) - 1;
  let end = SUB + (index % SUB) + 1;
  for (let i = 0; i < octave; i++) end *= 2;
  return end;
}
