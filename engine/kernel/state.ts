import { Columns, type Column } from "./columns";
import type { Ring } from "./ring";
import { scalarsOf, type Scalars } from "./scalars";
import { DeltaWriter, StateImage } from "./stateImage";
import { span, TableImplementation, type Rows, type Schema, type Table } from "./table";

export type { Table } from "./table";

/** The state at one time, as what changed since another. */
export interface StoreSnapshot {
  /** The earlier snapshot that it builds on; undefined: on empty tables. */
  readonly base: StoreSnapshot | undefined;
  readonly delta: Uint8Array;
}

/** The contents of the tables and cells of one scope at one time. */
export interface ScopeCopy {
  readonly tables: readonly { readonly rows: number; readonly freeHead: number; readonly columns: readonly Uint8Array[] }[];
  readonly cells: readonly (Int32Array | Float64Array)[];
  /** Of each {@link Share}, its rows of each table. Where they were is not kept: they go back only to when there was none. */
  readonly shares: readonly (readonly number[])[];
}

/** Rows that a model has of {@link Store.shared} tables. */
export interface Share {
  readonly tables: readonly { readonly tableName: string }[];
  /** They are the same of all tables. */
  rows(): readonly number[];
  /** The scope that the model is of is about to be as it was when it had no rows: they are free. */
  giveBack(): void;
}

/** Numbers of models that have a fixed few: each model's are consecutive rows of one column, which is the whole machine's. */
export type Words = Table<{ readonly word: "i32" }>;
export type Numbers = Table<{ readonly number: "f64" }>;

/** Consecutive rows of {@link Words} or {@link Numbers}. */
interface Cells {
  readonly name: string;
  readonly kind: "words" | "numbers";
  readonly from: number;
  readonly count: number;
}

/**
 * The simulated machine's state: tables of typed-array columns, addressed by integer row. No component keeps state
 * anywhere else, so that a keyframe is a copy of the columns and every field can be shown, hashed and restored.
 */
export class Store {
  private readonly tables: TableImplementation[] = [];
  private readonly rowsOfTables: Rows[] = [];
  private readonly columns = new Columns();
  /** The scope that new tables join. */
  private scope: string | undefined;
  private readonly scopes = new Map<string, TableImplementation[]>();
  /** Every bounded queue of work in the state, for whoever watches how long they are. */
  readonly queues: Ring[] = [];
  /** How often the state of a scope was put back: queues in it may be of another length, and nobody was told. */
  restored = 0;

  /**
   * @param name unique; shown to people
   * @param schema column name → type; the order is part of the snapshot's layout
   * @param capacity rows to make room for at first, rounded up to a power of two; a table grows by doubling
   * @param kept no row is ever released
   */
  table<const S extends Schema>(name: string, schema: S, capacity = 8, kept = false): Table<S> {
    const table = new TableImplementation(name, schema, capacity, this.columns, kept);
    this.tables.push(table);
    this.rowsOfTables.push(table.rowsInUse);
    if (this.scope !== undefined) listOf(this.scopes, this.scope).push(table);
    return table as unknown as Table<S>;
  }

  private readonly sharedTables = new Map<string, TableImplementation>();
  private readonly sharesOfScopes = new Map<string, Share[]>();

  /**
   * The table of a name that all who ask for it have rows in, whatever domain they are in: of whoever asks first, and of no scope. A table of its own for each of 200
   * applications is an object of which each column is another one, with memory of its own, and none of them is in a cache when its application's turn comes.
   * @param schema the same for all who ask for the name
   */
  shared<const S extends Schema>(name: string, schema: S): Table<S> {
    let table = this.sharedTables.get(name);
    if (table === undefined) {
      table = this.within(undefined, () => this.table(name, schema)) as unknown as TableImplementation;
      this.sharedTables.set(name, table);
    }
    return table as unknown as Table<S>;
  }

  /** Says who has rows of shared tables: they belong to the scope that is built now. */
  share(share: Share): void {
    if (this.scope !== undefined) listOf(this.sharesOfScopes, this.scope).push(share);
  }

  /** What snapshots are made of: the tables' names and columns. Stores with equal layouts can exchange snapshots. */
  get layout(): string {
    return [...this.tables.map((table) => table.description), ...this.cells.map(({ name, kind, count }) => `${name}: ${count} ${kind}`)].join("\n");
  }

  // --- Cells --------------------------------------------------------------------------------------------------------

  /**
   * The 32-bit cells of all models, and their numbers. A table of one row is an object, and each of its columns another one with memory of its own: for
   * 200 applications these are in no cache when their turn comes, while a column that all have is always there, and so is what lies beside a cell.
   */
  readonly words: Words = this.table("words", { word: "i32" }, 64, true);
  readonly numbers: Numbers = this.table("numbers", { number: "f64" }, 64, true);
  private readonly cells: Cells[] = [];
  private readonly cellsOfScopes = new Map<string, Cells[]>();

  /** Takes `count` consecutive rows of {@link words} for good. @returns the first */
  addWords(name: string, count: number): number {
    return this.addCells(name, "words", count);
  }

  /** Takes `count` consecutive rows of {@link numbers} for good. @returns the first */
  addNumbers(name: string, count: number): number {
    return this.addCells(name, "numbers", count);
  }

  /** Numbers by name, all 0 at first: consecutive rows of {@link numbers}. */
  scalars<const F extends string>(name: string, fields: readonly F[]): Scalars<F> {
    const made = scalarsOf(fields);
    return new made(this.numbers, this.addNumbers(`${name}: ${fields.join(", ")}`, fields.length)) as Scalars<F>;
  }

  private addCells(name: string, kind: Cells["kind"], count: number): number {
    const table = this[kind];
    const from = table.append(count);
    const cells: Cells = { name, kind, from, count };
    this.cells.push(cells);
    if (this.scope !== undefined) listOf(this.cellsOfScopes, this.scope).push(cells);
    return from;
  }

  private columnOf({ kind, from, count }: Cells): Int32Array | Float64Array {
    return (kind === "words" ? this.words.word : this.numbers.number).subarray(from, from + count);
  }

  // --- What dies together -------------------------------------------------------------------------------------------

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
      tables: listOf(this.scopes, scope).map(({ rowsInUse: { count, freeHead, bytes, capacity } }) => ({
        rows: count, freeHead, columns: bytes.map((column) => column.slice(0, (column.length / capacity) * span(count))),
      })),
      cells: listOf(this.cellsOfScopes, scope).map((cells) => this.columnOf(cells).slice()),
      shares: listOf(this.sharesOfScopes, scope).map(({ tables, rows }) => tables.flatMap(({ tableName }) => {
        const table = this.sharedTables.get(tableName) as unknown as { readonly columns: readonly string[] } & Readonly<Record<string, Column>>;
        return rows().flatMap((row) => table.columns.map((column) => table[column]![row]!));
      })),
    };
  }

  /** Puts them back as they were. */
  restoreScope(scope: string, { tables, cells }: ScopeCopy): void {
    this.restored++;
    for (const share of listOf(this.sharesOfScopes, scope)) share.giveBack();
    listOf(this.cellsOfScopes, scope).forEach((one, i) => this.columnOf(one).set(cells[i]!));
    listOf(this.scopes, scope).forEach(({ rowsInUse }, t) => {
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

  // --- Snapshots ----------------------------------------------------------------------------------------------------

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

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  let list = lists.get(key);
  if (list === undefined) lists.set(key, (list = []));
  return list;
}
