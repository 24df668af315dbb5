import type { Store, Table } from "../../kernel/state";
import { NONE } from "../../trace/trace";

/**
 * Which call of the user put which bytes into the send buffer, by connection, until they are acknowledged: who asked for a segment, however
 * long the windows keep it back.
 */
export class Writes {
  /** Bytes from stream offset `begin` up to `end`, by the call that left row `cause`. `next`, `head`, `tail` and `at` are rows plus one; 0: none. */
  private readonly write: Table<{ readonly begin: "f64"; readonly end: "f64"; readonly cause: "i32"; readonly next: "i32" }>;
  /** `at`: where the last search ended. The next one goes on from there, since segments are sent in order. */
  readonly list: Table<{ readonly head: "i32"; readonly tail: "i32"; readonly at: "i32" }>;

  constructor(store: Store) {
    this.write = store.shared("TCP: writes", { begin: "f64", end: "f64", cause: "i32", next: "i32" });
    this.list = store.shared("TCP: writes by connection", { head: "i32", tail: "i32", at: "i32" });
  }

  /** Makes room for a connection. */
  reserve(conn: number): void {
    while (this.list.rows <= conn) this.list.alloc();
  }

  /** The bytes up to `end` that were not there before come from the call that left row `cause`; a FIN counts as a byte. */
  note(conn: number, end: number, cause: number): void {
    const { write, list } = this;
    const last = list.tail[conn]!;
    if (last !== 0 && write.cause[last - 1] === cause) {
      write.end[last - 1] = end;
      return;
    }
    const row = write.take();
    write.begin[row] = last === 0 ? 0 : write.end[last - 1]!;
    write.end[row] = end;
    write.cause[row] = cause;
    write.next[row] = 0;
    if (last === 0) list.head[conn] = list.at[conn] = row + 1;
    else write.next[last - 1] = row + 1;
    list.tail[conn] = row + 1;
  }

  /** The row of the call that wrote the byte at `offset`, or −1. */
  causeAt(conn: number, offset: number): number {
    const { write, list } = this;
    let at = list.at[conn]!;
    if (at === 0 || write.begin[at - 1]! > offset) at = list.head[conn]!;
    while (at !== 0 && write.end[at - 1]! <= offset) at = write.next[at - 1]!;
    if (at === 0) return NONE;
    list.at[conn] = at;
    return write.cause[at - 1]!;
  }

  /** What lies before `offset` is acknowledged. */
  forget(conn: number, offset: number): void {
    const { write, list } = this;
    for (let head = list.head[conn]!; head !== 0 && write.end[head - 1]! <= offset; head = list.head[conn]!) {
      const next = write.next[head - 1]!;
      if (list.at[conn] === head) list.at[conn] = next;
      list.head[conn] = next;
      if (next === 0) list.tail[conn] = 0;
      write.release(head - 1);
    }
  }
}
