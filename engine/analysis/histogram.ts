import type { Store, Table } from "../kernel/state";

/** Sub-buckets of an octave: relative error at most 1/64. */
const SUB = 64;
const OCTAVES = 46;

/** Counts of durations in log-linear buckets (the layout of HdrHistogram): exact below 64 ns, within 1.6 % above. */
export class Histogram {
  private readonly bucket: Table<{ readonly count: "f64" }>;
  private readonly total: Table<{ readonly count: "f64"; readonly sum: "f64"; readonly least: "f64"; readonly most: "f64" }>;

  constructor(store: Store, name: string) {
    this.bucket = store.table(`histogram ${name}`, { count: "f64" }, SUB * OCTAVES);
    for (let i = 0; i < SUB * OCTAVES; i++) this.bucket.alloc();
    this.total = store.table(`histogram ${name}: totals`, { count: "f64", sum: "f64", least: "f64", most: "f64" }, 1);
    this.total.alloc();
  }

  /** @param duration picoseconds, not negative */
  record(duration: number): void {
    const t = this.total;
    this.bucket.count[indexOf(Math.floor(duration / 1000))]!++;
    if (t.count[0] === 0 || duration < t.least[0]!) t.least[0] = duration;
    if (duration > t.most[0]!) t.most[0] = duration;
    t.count[0]!++;
    t.sum[0]! += duration;
  }

  get count(): number {
    return this.total.count[0]!;
  }

  /** Picoseconds; 0 when empty. */
  get mean(): number {
    return this.total.count[0] === 0 ? 0 : this.total.sum[0]! / this.total.count[0]!;
  }

  get most(): number {
    return this.total.most[0]!;
  }

  /** The duration that a share `q` (0 to 1) of all does not exceed, picoseconds: the upper end of its bucket. */
  quantile(q: number): number {
    const n = this.total.count[0]!;
    if (n === 0) return 0;
    let left = Math.max(1, Math.ceil(q * n));
    for (let i = 0; i < this.bucket.rows; i++) {
      left -= this.bucket.count[i]!;
      if (left <= 0) return Math.min(upperEnd(i) * 1000, this.total.most[0]!);
    }
    return this.total.most[0]!;
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
