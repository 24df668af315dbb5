const BLOCK_BITS = 4;
const BLOCK = 1 << BLOCK_BITS;

/** What of a list falls into one bucket: slices `first` … `last` inclusive, the longest of them, and their total length. */
export interface Group {
  first: number;
  last: number;
  longest: number;
  busy: number;
}

/**
 * Slices of one lane: sorted by time, not overlapping, each the share of one row. Two slices may carry the same row where
 * it was interrupted. Zero-length slices are allowed.
 *
 * Summaries over blocks of 16, 16², … slices (the longest) and a running total per block make a bucket cost
 * O(log slices) whatever it holds. 20.8 bytes a slice.
 */
export class SliceList {
  length = 0;
  begin = new Float64Array(64);
  end = new Float64Array(64);
  row = new Int32Array(64);
  /** `longest[l][k]`: index of the longest slice (the first of equals) in block k of 16^(l+1) slices; complete blocks only. */
  private readonly longest: Int32Array[] = [];
  /** Total length of all slices before block k of 16. */
  private busyBefore = new Float64Array(4);
  /** Slices from here on are not in the summaries yet. */
  private settled = 0;

  /** Bytes held. */
  get bytes(): number {
    let n = this.begin.byteLength + this.end.byteLength + this.row.byteLength + this.busyBefore.byteLength;
    for (const level of this.longest) n += level.byteLength;
    return n;
  }

  /** First slice that begins after `time`. */
  firstBeginAfter(time: number): number {
    if (this.length === 0 || this.begin[this.length - 1]! <= time) return this.length;
    return this.search(0, this.length, this.begin, time, true);
  }

  /** First slice that begins at or after `time`, searching from slice `from` on, near it first. */
  firstBeginAt(time: number, from = 0): number {
    let step = 1;
    let low = from;
    let high = from;
    while (high < this.length && this.begin[high]! < time) {
      low = high + 1;
      high += step;
      step *= 2;
    }
    return this.search(low, Math.min(high, this.length), this.begin, time, false);
  }

  /** First slice that ends after `time`. */
  firstEndAfter(time: number): number {
    if (this.length === 0 || this.end[this.length - 1]! <= time) return this.length;
    return this.search(0, this.length, this.end, time, true);
  }

  /** First slice that touches a window from `time` on: ends after it, or begins at it or later. */
  firstIn(time: number): number {
    let i = this.firstEndAfter(time);
    while (i > 0 && this.begin[i - 1]! >= time) i--;
    return i;
  }

  private search(low: number, high: number, column: Float64Array, time: number, after: boolean): number {
    while (low < high) {
      const mid = (low + high) >>> 1;
      const value = column[mid]!;
      if (after ? value <= time : value < time) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /** True where no slice shares time with [begin, end); for an instant, where none covers it. */
  isFree(begin: number, end: number): boolean {
    const i = this.firstEndAfter(begin);
    return i === this.length || (this.begin[i]! > begin && this.begin[i]! >= end);
  }

  /** Puts in a slice that {@link isFree}. Cheap near the end of the list; elsewhere what follows is moved. */
  insert(begin: number, end: number, row: number): void {
    if (this.length === this.begin.length) this.grow();
    const at = this.firstBeginAfter(begin);
    if (at < this.length) {
      this.begin.copyWithin(at + 1, at, this.length);
      this.end.copyWithin(at + 1, at, this.length);
      this.row.copyWithin(at + 1, at, this.length);
    }
    this.begin[at] = begin;
    this.end[at] = end;
    this.row[at] = row;
    this.length++;
    if (at < this.settled) this.settled = at;
  }

  /** Moves the end of the last slice. */
  setLastEnd(end: number): void {
    const last = this.length - 1;
    this.end[last] = end;
    if (last < this.settled) this.settled = last;
  }

  private grow(): void {
    const capacity = Math.ceil(this.begin.length * 1.5);
    const begin = new Float64Array(capacity);
    const end = new Float64Array(capacity);
    const row = new Int32Array(capacity);
    begin.set(this.begin);
    end.set(this.end);
    row.set(this.row);
    this.begin = begin;
    this.end = end;
    this.row = row;
  }

  /** Brings the summaries up to date; call it before {@link group}. */
  settle(): void {
    if (this.settled === this.length) return;
    let block = this.settled >> BLOCK_BITS;
    this.settled = this.length;
    let blocks = this.length >> BLOCK_BITS;
    if (blocks + 1 > this.busyBefore.length) {
      const wider = new Float64Array(Math.ceil((blocks + 1) * 1.5));
      wider.set(this.busyBefore);
      this.busyBefore = wider;
    }
    for (let k = block; k < blocks; k++) {
      let sum = this.busyBefore[k]!;
      for (let i = k * BLOCK; i < (k + 1) * BLOCK; i++) sum += this.end[i]! - this.begin[i]!;
      this.busyBefore[k + 1] = sum;
    }
    for (let l = 0; blocks > 0; l++) {
      let level = this.longest[l] ?? new Int32Array(4);
      if (blocks > level.length) {
        const wider = new Int32Array(Math.ceil(blocks * 1.5));
        wider.set(level);
        level = wider;
      }
      this.longest[l] = level;
      const below = this.longest[l - 1];
      for (let k = block; k < blocks; k++) {
        let best = below ? below[k * BLOCK]! : k * BLOCK;
        for (let i = k * BLOCK + 1; i < (k + 1) * BLOCK; i++) best = this.longer(best, below ? below[i]! : i);
        level[k] = best;
      }
      block >>= BLOCK_BITS;
      blocks >>= BLOCK_BITS;
    }
  }

  private longer(a: number, b: number): number {
    return this.end[b]! - this.begin[b]! > this.end[a]! - this.begin[a]! ? b : a;
  }

  /** Summary of the slices `first` … `last` inclusive, into `group`. */
  group(first: number, last: number, group: Group): void {
    group.first = first;
    group.last = last;
    group.longest = first === last ? first : this.longestOf(first, last + 1);
    group.busy = this.busyUpTo(last + 1) - this.busyUpTo(first);
  }

  private busyUpTo(slice: number): number {
    const block = slice >> BLOCK_BITS;
    let sum = this.busyBefore[block]!;
    for (let i = block << BLOCK_BITS; i < slice; i++) sum += this.end[i]! - this.begin[i]!;
    return sum;
  }

  private longestOf(from: number, to: number): number {
    let best = from;
    let i = from;
    while (i < to) {
      let l = -1;
      let span = 1;
      while (i % (span * BLOCK) === 0 && i + span * BLOCK <= to) {
        l++;
        span *= BLOCK;
      }
      best = this.longer(best, l < 0 ? i : this.longest[l]![i / span]!);
      i += span;
    }
    return best;
  }
}
