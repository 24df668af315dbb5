import type { Columns, Column, ColumnOf, ColumnType } from "./columns";
import type { TableWords } from "./stateImage";

export type Schema = Readonly<Record<string, ColumnType>>;
type ColumnsOf<S extends Schema> = { -readonly [K in keyof S]: ColumnOf<S[K]> };

interface TableMethods {
  readonly tableName: string;
  /** Rows in use or freed: the high-water mark. */
  readonly rows: number;
  /** A row with all columns 0: a released one if there is any, else a new one. Columns may be reallocated: do not hold them. */
  alloc(): number;
  /** The same, but a released row's columns hold anything: for whoever writes them all. Clearing a job's row took as long as filling it. */
  take(): number;
  /** So many rows beside each other, all columns 0, that nobody has had before. @returns the first */
  append(count: number): number;
  /** All columns of a row are 0. */
  clear(row: number): void;
  /** Gives a row back. It must not be used afterwards. */
  release(row: number): void;
}

/** Columns by name, plus {@link TableMethods}. Read a column anew after any `alloc`. */
export type Table<S extends Schema> = ColumnsOf<S> & TableMethods;

/**
 * Which rows of a table are in use. Tables differ in their columns and so in their shape; this has one shape for all, so that
 * handing out rows is compiled once, for one shape and for one type of column at a time.
 */
export class Rows implements TableWords {
  /** High-water mark. */
  count = 0;
  freeHead = -1;
  nextFree = new Int32Array(0);
  capacity = 0;
  /** Every column, the free list first if rows are given back at all. */
  all: readonly Column[] = [];
  private seen: { readonly sizes: readonly number[]; readonly bytes: readonly Uint8Array[]; readonly views: readonly Int32Array[] } | undefined = undefined;
  floats: Float64Array[] = [];
  words: Int32Array[] = [];
  others: Column[] = [];

  /**
   * Of every column: bytes of an element, all bytes, all words. Made when a snapshot asks for them: they are three objects a column, and without them
   * a machine of 200 applications holds a fifth less memory.
   */
  get sizes(): readonly number[] { return this.perColumn.sizes; }
  get bytes(): readonly Uint8Array[] { return this.perColumn.bytes; }
  get views(): readonly Int32Array[] { return this.perColumn.views; }

  private get perColumn(): NonNullable<typeof this.seen> {
    return this.seen ??= {
      sizes: this.all.map(({ BYTES_PER_ELEMENT }) => BYTES_PER_ELEMENT), bytes: this.all.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
      views: this.all.map(({ buffer, byteOffset, byteLength }) => new Int32Array(buffer, byteOffset, byteLength / 4)),
    };
  }

  /** The columns are others, with room for more rows. */
  replace(all: readonly Column[], capacity: number): void {
    this.all = all;
    this.seen = undefined;
    this.capacity = capacity;
  }

  /** A released row as it was left, or −1. */
  take(): number {
    const row = this.freeHead;
    if (row >= 0) this.freeHead = this.nextFree[row]!;
    return row;
  }

  /** A released row, zeroed, or −1. */
  reuse(): number {
    const row = this.take();
    if (row >= 0) this.clear(row);
    return row;
  }

  clear(row: number): void {
    for (const column of this.floats) column[row] = 0;
    for (const column of this.words) column[row] = 0;
    for (const column of this.others) column[row] = 0;
  }

  release(row: number): void {
    this.nextFree[row] = this.freeHead;
    this.freeHead = row;
  }
}

/** Implementation of a table; the columns are properties of their own so that access costs one load. */
export class TableImplementation {
  readonly rowsInUse = new Rows();
  readonly alloc: () => number;
  readonly take: () => number;
  readonly release: (row: number) => void;
  readonly clear: (row: number) => void;
  readonly columns: string[];
  /** The columns themselves, for what treats all alike: a property looked up by name costs more than the copy. */
  private arrays: Column[] = [];

  /** @param kept no row is ever given back: there is no free list */
  constructor(readonly tableName: string, private readonly schema: Schema, capacity: number, private readonly memory: Columns, private readonly kept = false) {
    const used = this.rowsInUse;
    this.alloc = () => {
      const row = used.reuse();
      return row < 0 ? this.extend() : row;
    };
    this.take = () => {
      const row = used.take();
      return row < 0 ? this.extend() : row;
    };
    this.release = (row) => {
      if (kept) throw new Error(`rows of ${tableName} are for good`);
      used.release(row);
    };
    this.clear = (row) => used.clear(row);
    this.columns = Object.keys(schema);
    // Tables of one schema have one hidden class, and no other table's comes after it: V8 takes what is read from such objects for granted.
    Object.defineProperty(this, this.columns.map((name) => `${name} ${schema[name]!}`).join(", "), { value: true });
    for (const name of this.columns) if (name in this) throw new Error(`table ${tableName}: a column cannot be called ${name}`);
    // Four rows of bytes are a word.
    this.grow(span(Math.max(4, capacity)));
  }

  get rows(): number {
    return this.rowsInUse.count;
  }

  /** Its name, its columns with their types, and whether there is a free list. */
  get description(): string {
    return `${this.tableName}: ${this.columns.map((name) => `${name} ${this.schema[name]!}`).join(", ")}${this.kept ? "; for good" : ""}`;
  }

  private extend(): number {
    if (this.rowsInUse.count === this.rowsInUse.capacity) this.grow(this.rowsInUse.capacity * 2);
    return this.rowsInUse.count++;
  }

  /** See {@link Table}. At once, not row by row: a portmap has 131,072. */
  append(count: number): number {
    const used = this.rowsInUse;
    const first = used.count;
    this.reserve(span(first + count));
    used.count += count;
    return first;
  }

  /** Makes room for `rows` rows, contents kept. */
  reserve(rows: number): void {
    if (rows > this.rowsInUse.capacity) this.grow(rows);
  }

  private grow(capacity: number): void {
    const target = this as unknown as Record<string, Column>;
    this.arrays = this.columns.map((name) => {
      const grown = this.memory.make(this.schema[name]!, capacity);
      const before = target[name];
      if (before === undefined) {
        // Not by assignment: V8 turns an object that many properties are assigned to by computed names into a dictionary, and every access of a column into a look-up.
        Object.defineProperty(target, name, { value: grown, writable: true, enumerable: true, configurable: true });
      } else {
        grown.set(before);
        target[name] = grown;
      }
      return grown;
    });
    this.rowsInUse.floats = this.arrays.filter((column) => column instanceof Float64Array);
    this.rowsInUse.words = this.arrays.filter((column) => column instanceof Int32Array);
    this.rowsInUse.others = this.arrays.filter((column) => !(column instanceof Float64Array || column instanceof Int32Array));
    if (this.kept) return this.rowsInUse.replace(this.arrays, capacity);
    const nextFree = new Int32Array(capacity);
    nextFree.set(this.rowsInUse.nextFree);
    this.rowsInUse.nextFree = nextFree;
    this.rowsInUse.replace([nextFree, ...this.arrays], capacity);
  }
}

/** Rows to make room for: the next power of two. */
export function span(rows: number): number {
  return rows === 0 ? 0 : 1 << (32 - Math.clz32(rows - 1));
}
