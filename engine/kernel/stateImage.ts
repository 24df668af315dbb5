/** A table's columns as they are in memory: what an image is made of and goes back to. */
export interface TableWords {
  /** Rows in use or freed: the high-water mark. The rows after it are zero. */
  count: number;
  freeHead: number;
  /** Bytes of an element of each column. */
  readonly sizes: readonly number[];
  /** The columns, each as the words that it consists of. */
  readonly views: readonly Int32Array[];
}

/**
 * The state of all tables, apart from the tables. Images come from and go into *deltas*: what differs from an earlier image.
 *
 * A delta has for each table a 0 if it has not changed; else the number of rows plus one, the head of the free list plus one, and for each
 * column runs: how many words follow, how many to skip before them, and these, each as the exclusive or with the earlier
 * image's. A run of no words ends the column. All numbers are varints. So a delta costs what changed, and models write their
 * columns freely, without a write barrier.
 */
export class StateImage {
  private readonly counts: number[] = [];
  private readonly heads: number[] = [];
  private readonly columns: Int32Array<ArrayBuffer>[] = [];

  /** What `tables` have that this image has not. */
  deltaTo(tables: readonly TableWords[], writer: DeltaWriter): Uint8Array {
    writer.begin();
    let c = 0;
    for (let t = 0; t < tables.length; t++) {
      const { count, freeHead, sizes, views } = tables[t]!;
      const before = this.rowsOf(t);
      const start = writer.at;
      writer.number(count + 1);
      writer.number(freeHead + 1);
      let changed = count !== before || freeHead !== this.headOf(t);
      for (let k = 0; k < views.length; k++, c++) {
        const words = Math.ceil((Math.max(count, before) * sizes[k]!) / 4);
        if (writer.column(views[k]!, this.columns[c] ?? NOTHING, words)) changed = true;
      }
      if (changed) continue;
      writer.at = start;
      writer.number(0);
    }
    return writer.end();
  }

  /** Goes from the image that a delta was taken from to the one that it was taken to. @throws RangeError for bytes that are no delta of these tables */
  apply(delta: Uint8Array, tables: readonly TableWords[]): void {
    const reader = new Reader(delta);
    let c = 0;
    for (let t = 0; t < tables.length; t++) {
      const { sizes, views } = tables[t]!;
      const rows = reader.next();
      if (rows === 0) {
        c += views.length;
        continue;
      }
      this.counts[t] = rows - 1;
      this.heads[t] = reader.next() - 1;
      for (let k = 0; k < views.length; k++, c++) {
        const words = Math.ceil(((rows - 1) * sizes[k]!) / 4);
        let column = this.columns[c] ?? NOTHING;
        if (words > column.length || this.columns[c] === undefined) {
          column = new Int32Array(Math.max(words, column.length * 2));
          column.set(this.columns[c] ?? NOTHING);
          this.columns[c] = column;
        }
        let at = 0;
        for (let run = reader.next(); run > 0; run = reader.next()) {
          at += reader.next();
          if (at + run > column.length) throw new RangeError(`words ${at} to ${at + run} of a column of ${column.length}`);
          for (let i = 0; i < run; i++) column[at++]! ^= reader.next();
        }
      }
    }
    if (!reader.done) throw new RangeError("a delta of more tables");
  }

  /** Back to the image of nothing. */
  clear(): void {
    this.counts.fill(0);
    this.heads.fill(-1);
    // There are holes for tables that have always been empty.
    this.columns.forEach((column) => column.fill(0));
  }

  /** Rows of a table. */
  rowsOf(table: number): number {
    return this.counts[table] ?? 0;
  }

  private headOf(table: number): number {
    return this.heads[table] ?? -1;
  }

  /** Overwrites the tables, which must have room for their {@link rowsOf}. */
  restore(tables: readonly TableWords[]): void {
    let c = 0;
    tables.forEach((table, t) => {
      table.count = this.rowsOf(t);
      table.freeHead = this.headOf(t);
      table.views.forEach((column, k) => {
        const words = Math.ceil((table.count * table.sizes[k]!) / 4);
        const from = (this.columns[c++] ?? NOTHING).subarray(0, words);
        column.set(from);
        // Rows that are handed out from here on start from zero again.
        column.fill(0, from.length);
      });
    });
  }
}

const NOTHING = new Int32Array(0);

/** Collects a delta; one serves all. */
export class DeltaWriter {
  at = 0;
  private bytes = new Uint8Array(1 << 12);

  begin(): void {
    this.at = 0;
  }

  end(): Uint8Array {
    return this.bytes.slice(0, this.at);
  }

  /** A whole number of 32 bits. */
  number(value: number): void {
    if (this.at + 5 > this.bytes.length) this.grow();
    let rest = value >>> 0;
    while (rest > 127) {
      this.bytes[this.at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.bytes[this.at++] = rest;
  }

  /** The runs of the first `words` words of `now` that differ from `before`, which is zero where it ends; returns whether there are any. */
  column(now: Int32Array, before: Int32Array, words: number): boolean {
    let from = 0;
    for (let i = nextDifference(now, before, 0, words); i < words; ) {
      let end = i + 1;
      while (end < words && word(now, end) !== word(before, end)) end++;
      this.number(end - i);
      this.number(i - from);
      for (; i < end; i++) this.number(word(now, i) ^ word(before, i));
      from = end;
      i = nextDifference(now, before, end, words);
    }
    this.number(0);
    return from > 0;
  }

  private grow(): void {
    const longer = new Uint8Array(this.bytes.length * 2);
    longer.set(this.bytes);
    this.bytes = longer;
  }
}

function word(column: Int32Array, index: number): number {
  return index < column.length ? column[index]! : 0;
}

/** The first word from `from` on that differs; `words` where none does. */
function nextDifference(now: Int32Array, before: Int32Array, from: number, words: number): number {
  const common = Math.min(words, now.length, before.length);
  let i = from;
  while (i < common && now[i] === before[i]) i++;
  if (i < common) return i;
  while (i < words && word(now, i) === word(before, i)) i++;
  return i;
}

class Reader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean { return this.at === this.bytes.length; }

  next(): number {
    if (this.at >= this.bytes.length) throw new RangeError("a delta that ends early");
    let byte = this.bytes[this.at++]!;
    let value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = this.bytes[this.at++] ?? 0;
      value |= (byte & 127) << shift;
    }
    return value >>> 0;
  }
}
