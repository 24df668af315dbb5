import type { Store, Table } from "../../kernel/state";
import { after, before, later } from "./sequence";

/** Lists of disjoint, ordered intervals of sequence numbers, one list a connection: what was received beyond a gap, what was SACKed. */
export class IntervalLists {
  /** `next` and `head` are rows plus one; 0 ends a list. `stamp` grows with each insertion, for "most recent first". */
  readonly rows: Table<{ readonly left: "u32"; readonly right: "u32"; readonly next: "i32"; readonly stamp: "f64" }>;
  readonly lists: Table<{ readonly head: "i32"; readonly count: "i32"; readonly bytes: "f64"; readonly stamp: "f64" }>;

  constructor(store: Store, name: string) {
    this.rows = store.shared(name, { left: "u32", right: "u32", next: "i32", stamp: "f64" });
    this.lists = store.shared(`${name}: lists`, { head: "i32", count: "i32", bytes: "f64", stamp: "f64" });
  }

  /** Makes room for a list. */
  reserve(list: number): void {
    while (this.lists.rows <= list) this.lists.alloc();
  }

  /** Adds [left, right), merging with what it touches; returns how many sequence numbers are new. */
  insert(list: number, left: number, right: number): number {
    const { lists, rows } = this;
    let previous = 0;
    let at = lists.head[list]!;
    while (at !== 0 && before(rows.right[at - 1]!, left)) {
      previous = at;
      at = rows.next[at - 1]!;
    }
    let covered = 0;
    let merged = 0;
    while (at !== 0 && !after(rows.left[at - 1]!, right)) {
      const l = rows.left[at - 1]!;
      const r = rows.right[at - 1]!;
      covered += (r - l) >>> 0;
      if (before(l, left)) left = l;
      right = later(r, right);
      const next = rows.next[at - 1]!;
      if (merged === 0) merged = at;
      else this.free(list, at);
      at = next;
    }
    if (merged === 0) {
      merged = rows.take() + 1;
      lists.count[list]!++;
      if (previous === 0) lists.head[list] = merged;
      else rows.next[previous - 1] = merged;
    }
    rows.left[merged - 1] = left;
    rows.right[merged - 1] = right;
    rows.next[merged - 1] = at;
    rows.stamp[merged - 1] = ++lists.stamp[list]!;
    const added = ((right - left) >>> 0) - covered;
    lists.bytes[list] = lists.bytes[list]! + added;
    return added;
  }

  /** Forgets everything before `sequence`. */
  prune(list: number, sequence: number): void {
    const { lists, rows } = this;
    for (let at = lists.head[list]!; at !== 0 && before(rows.left[at - 1]!, sequence); at = lists.head[list]!) {
      const right = rows.right[at - 1]!;
      if (after(right, sequence)) {
        lists.bytes[list] = lists.bytes[list]! - ((sequence - rows.left[at - 1]!) >>> 0);
        rows.left[at - 1] = sequence;
        return;
      }
      lists.bytes[list] = lists.bytes[list]! - ((right - rows.left[at - 1]!) >>> 0);
      lists.head[list] = rows.next[at - 1]!;
      this.free(list, at);
    }
  }

  clear(list: number): void {
    for (let at = this.lists.head[list]!; at !== 0; ) {
      const next = this.rows.next[at - 1]!;
      this.free(list, at);
      at = next;
    }
    this.lists.head[list] = 0;
    this.lists.bytes[list] = 0;
    this.lists.stamp[list] = 0;
  }

  private free(list: number, at: number): void {
    this.lists.count[list]!--;
    this.rows.release(at - 1);
  }
}
