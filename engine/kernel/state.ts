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

/** 32-bit words of a page, the unit that keyframes share: of 32 to 1024 words, what costs least memory in all. */
const PAGE = 128;
/** Bytes that V8 keeps for a page beside its words, and for naming it in a snapshot. */
const PAGE_OBJECT = 160;
const PAGE_REFERENCE = 8;
/** Words about each table in a snapshot: rows, head of the free list. */
const HEADER = 2;

export interface StoreSnapshot {
  /** All tables' words in one sequence: {@link HEADER} for each table, then the columns, {@link span} rows of each, in creation order. */
  readonly pages: readonly Uint32Array[];
  /** Bytes of memory for what this snapshot holds alone, not shared with the one before. */
  readonly bytes: number;
}

/** The contents of the tables of one scope at one time. */
export interface ScopeCopy {
  readonly tables: readonly { readonly rows: number; readonly freeHead: number; readonly columns: readonly Uint8Array[] }[];
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
  capacity = 0;
  /** Every column, the free list first, as bytes. */
  bytes: readonly Uint8Array[] = [];
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
    this.grow(span(Math.max(1, capacity)));
  }

  get rows(): number {
    return this.rowsInUse.count;
  }

  private extend(): number {
    if (this.rowsInUse.count === this.rowsInUse.capacity) this.grow(this.rowsInUse.capacity * 2);
    return this.rowsInUse.count++;
  }

  /** Makes room for `rows` rows, contents kept. */
  reserve(rows: number): void {
    if (rows > this.rowsInUse.capacity) this.grow(rows);
  }

  private grow(capacity: number): void {
    const target = this as unknown as Record<string, Column>;
    this.arrays = this.columns.map((name) => {
      const grown = new constructors[this.schema[name]!](capacity);
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
    const nextFree = new Int32Array(capacity);
    nextFree.set(this.rowsInUse.nextFree);
    this.rowsInUse.nextFree = nextFree;
    this.rowsInUse.floats = this.arrays.filter((column) => column instanceof Float64Array);
    this.rowsInUse.words = this.arrays.filter((column) => column instanceof Int32Array);
    this.rowsInUse.bytes = [nextFree, ...this.arrays].map(({ buffer }) => new Uint8Array(buffer));
    this.rowsInUse.others = this.arrays.filter((column) => !(column instanceof Float64Array || column instanceof Int32Array));
    this.rowsInUse.capacity = capacity;
  }
}

/** All tables of one machine. */
export class Store {
  private readonly tables: TableImplementation[] = [];
  /** Every bounded queue of work in the state, for whoever watches how long they are. */
  readonly queues: { readonly name: string; readonly capacity: number; readonly count: number }[] = [];

  /**
   * @param name unique; shown to people
   * @param schema column name → type; the order is part of the snapshot's layout
   * @param capacity rows to make room for at first, rounded up to a power of two; a table grows by doubling
   */
  table<const S extends Schema>(name: string, schema: S, capacity = 8): Table<S> {
    const table = new TableImplementation(name, schema, capacity);
    this.tables.push(table);
    if (this.scope !== undefined) this.tablesOf(this.scope).push(table);
    return table as unknown as Table<S>;
  }

  // --- What dies together -------------------------------------------------------------------------------------------

  /** The scope that new tables join. */
  private scope: string | undefined;
  private readonly scopes = new Map<string, TableImplementation[]>();

  /** Runs `make`, whose tables belong to a scope: the memory of a domain, say. @param scope undefined: to none, whatever is around */
  within<T>(scope: string | undefined, make: () => T): T {
    const around = this.scope;
    this.scope = scope;
    const made = make();
    this.scope = around;
    return made;
  }

  /** The contents of a scope's tables as they are now. */
  copyScope(scope: string): ScopeCopy {
    return {
      tables: this.tablesOf(scope).map(({ rowsInUse: { count, freeHead, bytes, capacity } }) => ({
        rows: count, freeHead, columns: bytes.map((column) => column.slice(0, (column.length / capacity) * span(count))),
      })),
    };
  }

  /** Puts them back as they were. */
  restoreScope(scope: string, { tables }: ScopeCopy): void {
    this.tablesOf(scope).forEach(({ rowsInUse }, t) => {
      const { rows, freeHead, columns } = tables[t]!;
      rowsInUse.count = rows;
      rowsInUse.freeHead = freeHead;
      rowsInUse.bytes.forEach((column, c) => {
        column.set(columns[c]!);
        // Rows that are handed out from here on start from zero again.
        column.fill(0, columns[c]!.length);
      });
    });
  }

  private tablesOf(scope: string): TableImplementation[] {
    let tables = this.scopes.get(scope);
    if (tables === undefined) this.scopes.set(scope, (tables = []));
    return tables;
  }

  // --- Snapshots ----------------------------------------------------------------------------------------------------

  /**
   * A copy of the state. Pages equal to those of `previous` are shared with it, by comparing: models then write their
   * columns freely, without a write barrier.
   */
  snapshot(previous?: StoreSnapshot): StoreSnapshot {
    const words = this.gather();
    const pages: Uint32Array[] = [];
    let bytes = 0;
    for (let start = 0; start < words.length; start += PAGE) {
      const before = previous?.pages[pages.length];
      if (before !== undefined && equal(before, words, start)) {
        pages.push(before);
      } else {
        const page = words.slice(start, start + PAGE);
        pages.push(page);
        bytes += page.byteLength + PAGE_OBJECT;
      }
    }
    return { pages, bytes: bytes + pages.length * PAGE_REFERENCE };
  }

  /** Back to a snapshot of this store, or of another one made by the same sequence of `table` calls. */
  restore({ pages }: StoreSnapshot): void {
    const words = new Uint32Array((pages.length - 1) * PAGE + pages.at(-1)!.length);
    pages.forEach((page, index) => words.set(page, index * PAGE));
    const bytes = new Uint8Array(words.buffer);
    const headers = new Int32Array(words.buffer);
    let offset = this.tables.length * HEADER * 4;
    this.tables.forEach((table, t) => {
      const rows = headers[t * HEADER]!;
      table.reserve(span(rows));
      const used = table.rowsInUse;
      used.count = rows;
      used.freeHead = headers[t * HEADER + 1]!;
      for (const column of used.bytes) {
        const length = (column.length / used.capacity) * span(rows);
        column.set(bytes.subarray(offset, offset + length));
        // Rows that are handed out from here on start from zero again.
        column.fill(0, length);
        offset += padded(length);
      }
    });
  }

  /** The words of all tables as a snapshot has them; valid until the next call. */
  private gather(): Uint32Array {
    let length = this.tables.length * HEADER * 4;
    for (const { rowsInUse: { bytes, capacity, count } } of this.tables) {
      for (const column of bytes) length += padded((column.length / capacity) * span(count));
    }
    if (length !== this.gathered.byteLength) this.gathered = new Uint32Array(length / 4);
    else this.gathered.fill(0);
    const target = new Uint8Array(this.gathered.buffer);
    let at = 0;
    let offset = this.tables.length * HEADER * 4;
    for (const { rowsInUse: { bytes, capacity, count, freeHead } } of this.tables) {
      this.gathered[at++] = count;
      this.gathered[at++] = freeHead;
      for (const column of bytes) {
        const size = (column.length / capacity) * span(count);
        target.set(column.subarray(0, size), offset);
        offset += padded(size);
      }
    }
    return this.gathered;
  }

  private gathered = new Uint32Array(0);
}

/** Rows of a table in a snapshot: a power of two, so that a table that grows seldom moves those after it. The rows not in use are zero. */
function span(rows: number): number {
  return rows === 0 ? 0 : 1 << (32 - Math.clz32(rows - 1));
}

/** Whole words. */
function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}

/** Whether a page equals the words from `start`, and these are as many. */
function equal(page: Uint32Array, words: Uint32Array, start: number): boolean {
  if (page.length !== Math.min(PAGE, words.length - start)) return false;
  for (let i = 0; i < page.length; i++) if (page[i] !== words[start + i]) return false;
  return true;
}
