import type { Store, Table } from "../../kernel/state";
import type { tcbSchema } from "./tcb";

/**
 * The numbers by which a stack and its user know connections, and the rows that these have in the tables that all stacks of a machine share. A row is its number's for
 * as long as the stack's memory lasts, so that a number that nobody has any more stands for a closed connection, and for no other stack's.
 */
export class Numbers {
  /** Row of each number; 0: it has had none so far. */
  private readonly rows: Table<{ readonly row: "i32" }>;

  constructor(store: Store, name: string, private readonly tcb: Table<typeof tcbSchema>) {
    this.rows = store.table(`${name}: connections`, { row: "i32" });
    // Row 0 is nobody's: closed, for whatever is no connection's number.
    if (tcb.rows === 0) tcb.append(1);
  }

  /** Numbers that there have ever been. */
  get count(): number {
    return this.rows.rows;
  }

  row(number: number): number {
    return number < 0 ? 0 : this.rows.row[number] ?? 0;
  }

  of(conn: number): number {
    return this.tcb.number[conn]!;
  }

  /** A free number. @returns its row, all columns 0 but the number */
  take(): number {
    const { tcb, rows } = this;
    const number = rows.take();
    let conn = rows.row[number]!;
    if (conn === 0) rows.row[number] = conn = tcb.take();
    tcb.clear(conn);
    tcb.number[conn] = number;
    return conn;
  }

  release(conn: number): void {
    this.rows.release(this.tcb.number[conn]!);
  }

  /** The rows of all numbers. */
  all(): number[] {
    return Array.from({ length: this.count }, (_, number) => this.row(number));
  }

  /** All rows are free, for whichever stack. */
  giveBack(): void {
    for (const conn of this.all()) this.tcb.release(conn);
  }
}
