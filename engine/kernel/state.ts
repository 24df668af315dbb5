/**
 * The simulated machine's state: tables of typed-array columns, addressed by integer row. No component keeps state
 * anywhere else, so that a keyframe is a copy of the columns and every field can be shown, hashed and restored.
 */

type Column = Float64Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Uint8Array | Int8Array;

const constructors = {
  f64: Float64Array, i32: Int32Array, u32: Uint32Array, i16: Int16Array, u16: Uint16Array, u8: Uint8Array, i8: Int8Array,
} as const;

export type ColumnType = keyof typeof constructors;
type Schema = Readonly<Record<string, ColumnType>>;
type ColumnsOf<S extends Schema> = { -readonly [K in keyof S]: InstanceType<(typeof constructors)[S[K]]> };

interface TableMethods {
  readonly tableName: string;
  /** Rows in use or freed: the high-water mark. */
  readonly rows: number;
  /** A row with all columns 0: a released one if there is any, else a new one. Columns may be reallocated: do not hold them. */
  alloc(): number;
  /** Gives a row back. It must not be used afterwards. */
  release(row: number): void;
}

/** Columns by name, plus {@link TableMethods}. Read a column anew after any `alloc`. */
export type Table<S extends Schema> = ColumnsOf<S> & TableMethods;

/** Bytes of a page, the unit that keyframes share. */
const PAGE = 4096;

interface Page {
  readonly bytes: Uint8Array;
}

export interface StoreSnapshot {
  readonly meta: readonly (readonly [rows: number, freeHead: number])[];
  /** Per column, in creation order. */
  readonly pages: readonly (readonly Page[])[];
  /** Bytes that this snapshot holds alone, not shared with the one before. */
  readonly bytes: number;
}

/**
 * Which rows of a table are in use. Tables differ in their columns and so in their shape; this has one shape for all, so that
 * handing out rows is compiled once, for one shape and for one type of column at a time.
 */
class Rows {
  /** High-water mark. */
  count = 0;
  freeHead = -1;
  nextFree = new Int32Array(0);
  floats: Float64Array[] = [];
  words: Int32Array[] = [];
  others: Column[] = [];

  /** A released row, zeroed, or −1. */
  reuse(): number {
    const row = this.freeHead;
    if (row < 0) return row;
    this.freeHead = this.nextFree[row]!;
    for (const column of this.floats) column[row] = 0;
    for (const column of this.words) column[row] = 0;
    for (const column of this.others) column[row] = 0;
    return row;
  }

  release(row: number): void {
    this.nextFree[row] = this.freeHead;
    this.freeHead = row;
  }
}

/** Implementation of a table; the columns are properties of their own so that access costs one load. */
class TableImplementation {
  readonly rowsInUse = new Rows();
  readonly alloc: () => number;
  readonly release: (row: number) => void;
  private capacity: number;
  readonly columns: string[];
  /** The columns themselves, for what treats all alike: a property looked up by name costs more than the copy. */
  private arrays: Column[] = [];

  constructor(readonly tableName: string, private readonly schema: Schema, capacity: number) {
    const used = this.rowsInUse;
    this.alloc = () => {
      const row = used.reuse();
      return row < 0 ? this.extend() : row;
    };
    this.release = (row) => used.release(row);
    this.columns = Object.keys(schema);
    for (const name of this.columns) if (name in this) throw new Error(`table ${tableName}: a column cannot be called ${name}`);
    this.capacity = 0;
    this.grow(Math.max(1, capacity));
  }

  get rows(): number {
    return this.rowsInUse.count;
  }

  private extend(): number {
    if (this.rowsInUse.count === this.capacity) this.grow(this.capacity * 2);
    return this.rowsInUse.count++;
  }

  /** Every column, the free list first. */
  *buffers(): Generator<Column> {
    yield this.rowsInUse.nextFree;
    yield* this.arrays;
  }

  /** Makes room for `rows` rows, contents kept. */
  reserve(rows: number): void {
    if (rows > this.capacity) this.grow(rows);
  }

  /** Zeroes what lies beyond the high-water mark, so that rows handed out after going back start from zero again. */
  clearFrom(row: number): void {
    for (const column of this.buffers()) column.fill(0, row);
  }

  private grow(capacity: number): void {
    const target = this as unknown as Record<string, Column>;
    this.arrays = this.columns.map((name) => {
      const grown = new constructors[this.schema[name]!](capacity);
      const before = target[name];
      if (before !== undefined) grown.set(before);
      return (target[name] = grown);
    });
    const nextFree = new Int32Array(capacity);
    nextFree.set(this.rowsInUse.nextFree);
    this.rowsInUse.nextFree = nextFree;
    this.rowsInUse.floats = this.arrays.filter((column) => column instanceof Float64Array);
    this.rowsInUse.words = this.arrays.filter((column) => column instanceof Int32Array);
    this.rowsInUse.others = this.arrays.filter((column) => !(column instanceof Float64Array || column instanceof Int32Array));
    this.capacity = capacity;
  }
}

/** All tables of one machine. */
export class Store {
  private readonly tables: TableImplementation[] = [];

  /**
   * @param name unique; shown to people
   * @param schema column name → type; the order is part of the snapshot's layout
   * @param capacity rows to make room for at first; a table grows by doubling
   */
  table<const S extends Schema>(name: string, schema: S, capacity = 8): Table<S> {
    const table = new TableImplementation(name, schema, capacity);
    this.tables.push(table);
    return table as unknown as Table<S>;
  }

  /**
   * A copy of the state. Pages equal to those of `previous` are shared with it, by comparing: models then write their
   * columns freely, without a write barrier.
   */
  snapshot(previous?: StoreSnapshot): StoreSnapshot {
    const meta: [number, number][] = [];
    const pages: Page[][] = [];
    let bytes = 0;
    for (const table of this.tables) {
      meta.push([table.rows, table.rowsInUse.freeHead]);
      for (const column of table.buffers()) {
        const used = new Uint8Array(column.buffer, 0, table.rows * column.BYTES_PER_ELEMENT);
        const before = previous?.pages[pages.length];
        const copy: Page[] = [];
        for (let offset = 0; offset < used.length; offset += PAGE) {
          const now = used.subarray(offset, offset + PAGE);
          const old = before?.[copy.length];
          if (old !== undefined && equal(old.bytes, now)) {
            copy.push(old);
          } else {
            copy.push({ bytes: now.slice() });
            bytes += now.length;
          }
        }
        pages.push(copy);
      }
    }
    return { meta, pages, bytes };
  }

  /** Back to a snapshot of this store, or of another one made by the same sequence of `table` calls. */
  restore(snapshot: StoreSnapshot): void {
    let index = 0;
    this.tables.forEach((table, t) => {
      const [rows, freeHead] = snapshot.meta[t]!;
      table.reserve(rows);
      table.rowsInUse.count = rows;
      table.rowsInUse.freeHead = freeHead;
      for (const column of table.buffers()) {
        const target = new Uint8Array(column.buffer);
        let offset = 0;
        for (const page of snapshot.pages[index]!) {
          target.set(page.bytes, offset);
          offset += page.bytes.length;
        }
        index++;
      }
      table.clearFrom(rows);
    });
  }
}

/** Compares by 64-bit words where the alignment allows; NaN never occurs in the words since they are read as integers. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  const words = a.length >> 2;
  const x = new Uint32Array(a.buffer, a.byteOffset, words);
  const y = new Uint32Array(b.buffer, b.byteOffset, words);
  for (let i = 0; i < words; i++) if (x[i] !== y[i]) return false;
  for (let i = words << 2; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
