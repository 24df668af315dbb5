import { NONE, type Trace } from "../trace/trace";

/** A list of rising row numbers that grows at its end. */
export class RowList {
  private rows = new Int32Array(16);
  length = 0;

  push(row: number): void {
    if (this.length === this.rows.length) {
      const grown = new Int32Array(this.length * 2);
      grown.set(this.rows);
      this.rows = grown;
    }
    this.rows[this.length++] = row;
  }

  /** @returns undefined outside 0 … length − 1. */
  at(index: number): number | undefined { return index < this.length ? this.rows[index] : undefined; }

  /** Number of rows in the list that are smaller than `row`. */
  countBefore(row: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.rows[mid]! < row) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /** First row in the list after `row`. */
  after(row: number): number | undefined { return this.at(this.countBefore(row + 1)); }

  /** Last row in the list before `row`. */
  before(row: number): number | undefined {
    const count = this.countBefore(row);
    return count > 0 ? this.at(count - 1) : undefined;
  }
}

/** Which rows each key (a context, a packet) has; follows the trace when asked. */
export class RowIndex {
  private readonly lists = new Map<number, RowList>();
  private indexed = 0;

  /** @param keyOf Key of a row; {@link NONE} leaves the row out. */
  constructor(private readonly trace: Trace, private readonly keyOf: (trace: Trace, row: number) => number) {}

  /** The rows of `key` recorded so far. */
  of(key: number): RowList {
    for (const trace = this.trace; this.indexed < trace.length; this.indexed++) {
      const found = this.keyOf(trace, this.indexed);
      if (found !== NONE) this.list(found).push(this.indexed);
    }
    return this.list(key);
  }

  private list(key: number): RowList {
    let list = this.lists.get(key);
    if (!list) this.lists.set(key, (list = new RowList()));
    return list;
  }
}
