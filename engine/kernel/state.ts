import type { Ring } from "./ring";
import { DeltaWriter, StateImage, type TableWords } from "./stateImage";

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
  /** The same, but a released row's columns hold anything: for whoever writes them all. Clearing a job's row took as long as filling it. */
  take(): number;
  /** Gives a row back. It must not be used afterwards. */
  release(row: number): void;
}

/** Columns by name, plus {@link TableMethods}. Read a column anew after any `alloc`. */
export type Table<S extends Schema> = ColumnsOf<S> & TableMethods;

/** The state at one time, as what changed since another. */
export interface StoreSnapshot {
  /** The earlier snapshot that it builds on; undefined: on empty tables. */
  readonly base: StoreSnapshot | undefined;
  readonly delta: Uint8Array;
}

/** The contents of the tables of one scope at one time. */
export interface ScopeCopy {
  readonly tables: readonly { readonly rows: number; readonly freeHead: number; readonly columns: readonly Uint8Array[] }[];
}

/**
 * Which rows of a table are in use. Tables differ in their columns and so in their shape; this has one shape for all, so that
 * handing out rows is compiled once, for one shape and for one type of column at a time.
 */
class Rows implements TableWords {
  /** High-water mark. */
  count = 0;
  freeHead = -1;
  nextFree = new Int32Array(0);
  capacity = 0;
  /** Every column, the free list first. */
  all: readonly Column[] = [];
  private seen: { readonly sizes: readonly number[]; readonly bytes: readonly Uint8Array[]; readonly views: readonly Int32Array[] } | undefined = undefined;
  floats: Float64Array[] = [];
  words: Int32Array[] = [];
  others: Column[] = [];

  /**
   * Of every column: bytes of an element, all bytes, all words. Made when a snapshot asks for them: they are three objects a column, and asking
   * for its buffer moves a short column out of V8's heap. Without them a machine of 200 applications holds a fifth less memory.
   */
  get sizes(): readonly number[] { return this.perColumn.sizes; }
  get bytes(): readonly Uint8Array[] { return this.perColumn.bytes; }
  get views(): readonly Int32Array[] { return this.perColumn.views; }

  private get perColumn(): NonNullable<typeof this.seen> {
    return this.seen ??= {
      sizes: this.all.map(({ BYTES_PER_ELEMENT }) => BYTES_PER_ELEMENT), bytes: this.all.map(({ buffer }) => new Uint8Array(buffer)), views: this.all.map(({ buffer }) => new Int32Array(buffer)),
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
    if (row < 0) return row;
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
  readonly take: () => number;
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
    this.take = () => {
      const row = used.take();
      return row < 0 ? this.extend() : row;
    };
    this.release = (row) => used.release(row);
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

  /** Its name, and its columns with their types. */
  get description(): string {
    return `${this.tableName}: ${this.columns.map((name) => `${name} ${this.schema[name]!}`).join(", ")}`;
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
    this.rowsInUse.others = this.arrays.filter((column) => !(column instanceof Float64Array || column instanceof Int32Array));
    this.rowsInUse.replace([nextFree, ...this.arrays], capacity);
  }
}

/** All tables of one machine. */
export class Store {
  private readonly tables: TableImplementation[] = [];
  /** Every bounded queue of work in the state, for whoever watches how long they are. */
  readonly queues: Ring[] = [];
  /** How often the state of a scope was put back: queues in it may be of another length, and nobody was told. */
  restored = 0;

  /**
   * @param name unique; shown to people
   * @param schema column name → type; the order is part of the snapshot's layout
   * @param capacity rows to make room for at first, rounded up to a power of two; a table grows by doubling
   */
  table<const S extends Schema>(name: string, schema: S, capacity = 8): Table<S> {
    const table = new TableImplementation(name, schema, capacity);
    this.tables.push(table);
    this.rowsOfTables.push(table.rowsInUse);
    if (this.scope !== undefined) this.tablesOf(this.scope).push(table);
    return table as unknown as Table<S>;
  }

  /** What snapshots are made of: the tables' names and columns. Stores with equal layouts can exchange snapshots. */
  get layout(): string {
    return this.tables.map((table) => table.description).join("\n");
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
    this.restored++;
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

  private readonly rowsOfTables: Rows[] = [];
  private readonly image = new StateImage();
  /** The snapshot that the image is of. */
  private imageOf: StoreSnapshot | undefined;
  private readonly writer = new DeltaWriter();

  /** A copy of the state, as what changed since the snapshot `base` of this store. */
  snapshot(base?: StoreSnapshot): StoreSnapshot {
    this.bringImageTo(base);
    return { base, delta: this.image.deltaTo(this.rowsOfTables, this.writer) };
  }

  /**
   * Back to a snapshot of this store, or of another one made by the same sequence of `table` calls.
   * @throws RangeError for a snapshot of other tables
   */
  restore(snapshot: StoreSnapshot): void {
    this.bringImageTo(snapshot);
    this.tables.forEach((table, t) => table.reserve(span(this.image.rowsOf(t))));
    this.image.restore(this.rowsOfTables);
  }

  private bringImageTo(snapshot: StoreSnapshot | undefined): void {
    const path: StoreSnapshot[] = [];
    let from = snapshot;
    for (; from !== undefined && from !== this.imageOf; from = from.base) path.push(from);
    if (from === undefined) this.image.clear();
    // Where a delta cannot be applied, the image is of nothing that anyone asks for.
    this.imageOf = undefined;
    for (const { delta } of path.reverse()) this.image.apply(delta, this.rowsOfTables);
    this.imageOf = snapshot;
  }
}

/** Rows to make room for: the next power of two. */
function span(rows: number): number {
  return rows === 0 ? 0 : 1 << (32 - Math.clz32(rows - 1));
}
