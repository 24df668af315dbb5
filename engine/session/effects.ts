import { NONE, type Trace } from "../trace/trace";

/**
 * Which rows a row caused: the trace's cause links turned round. Two linked-list columns (newest effect of a row, and
 * the effect of the same cause before it), 8 bytes a row, made when first asked for.
 */
export class Effects {
  private newest = new Int32Array(1024).fill(NONE);
  private sibling = new Int32Array(1024).fill(NONE);
  private indexed = 0;

  constructor(private readonly trace: Trace) {}

  /** Rows caused by `row` among those recorded so far, in order. */
  of(row: number): number[] {
    this.update();
    const effects: number[] = [];
    for (let effect = this.newest[row] ?? NONE; effect !== NONE; effect = this.sibling[effect]!) effects.push(effect);
    return effects.reverse();
  }

  private update(): void {
    const { trace } = this;
    if (trace.length > this.newest.length) {
      let size = this.newest.length;
      while (size < trace.length) size *= 2;
      this.newest = grow(this.newest, size);
      this.sibling = grow(this.sibling, size);
    }
    for (; this.indexed < trace.length; this.indexed++) {
      const cause = trace.cause(this.indexed);
      if (cause === NONE) continue;
      this.sibling[this.indexed] = this.newest[cause]!;
      this.newest[cause] = this.indexed;
    }
  }
}

function grow(column: Int32Array<ArrayBuffer>, size: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(size).fill(NONE, column.length);
  grown.set(column);
  return grown;
}
