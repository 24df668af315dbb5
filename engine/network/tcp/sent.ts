import type { Store, Table } from "../../kernel/state";
import type { TcpCore } from "./core";
import { after, before } from "./sequence";

/** What is known of a segment: the receiver has reported it, it was found lost, what was sent again is under way, it was sent again at some time. */
export const Mark = { sacked: 1, lost: 2, resent: 4, everResent: 8 } as const;

const NOTHING_FOUND = 0;

/** Whether a connection keeps the times of its segments: Linux' RACK and loss probes need SACK (`tcp_is_rack`, `tcp_schedule_loss_probe`). */
export function isTimely(tcp: TcpCore, conn: number): boolean {
  return tcp.options.rackTlp === true && tcp.tcb.sack[conn] !== 0;
}

/**
 * What was sent and is not acknowledged, by connection, in order of sequence numbers, with the time when it was sent last: Linux' write queue, whose `sk_buff`s
 * TCP marks (`TCPCB_SACKED_ACKED`, `TCPCB_LOST`, `TCPCB_SACKED_RETRANS`, `TCPCB_EVER_RETRANS`). A long segment is one row until a part of it is reported or sent again.
 */
export class SentSegments {
  /** `next`, `head`, `tail` and `hint` are rows plus one; 0: none. */
  readonly rows: Table<{ readonly left: "u32"; readonly right: "u32"; readonly time: "f64"; readonly marks: "u8"; readonly next: "i32" }>;
  /** Numbers that are marked so; `hint`: before it nothing waits to be sent again. What is lost and was sent again counts as both. */
  readonly lists: Table<{ readonly head: "i32"; readonly tail: "i32"; readonly hint: "i32"; readonly sacked: "f64"; readonly lost: "f64"; readonly resent: "f64" }>;

  constructor(store: Store) {
    this.rows = store.shared("TCP: segments sent", { left: "u32", right: "u32", time: "f64", marks: "u8", next: "i32" });
    this.lists = store.shared("TCP: segments sent by connection", { head: "i32", tail: "i32", hint: "i32", sacked: "f64", lost: "f64", resent: "f64" });
  }

  /** Makes room for a connection. */
  reserve(conn: number): void {
    while (this.lists.rows <= conn) this.lists.alloc();
  }

  head(conn: number): number {
    return this.lists.head[conn]!;
  }

  /** The last segment, a row plus one; 0: none. */
  tail(conn: number): number {
    return this.lists.tail[conn]!;
  }

  /** Numbers [left, right) leave, for the first time or again. */
  note(conn: number, left: number, right: number, now: number): void {
    const { rows, lists } = this;
    const tail = lists.tail[conn]!;
    const end = tail === 0 ? left : rows.right[tail - 1]!;
    if (tail !== 0 && before(left, end)) this.again(conn, left, before(right, end) ? right : end, now);
    if (!after(right, end)) return;
    const row = this.row(after(left, end) ? left : end, right, now, 0, 0);
    if (tail === 0) lists.head[conn] = row + 1;
    else rows.next[tail - 1] = row + 1;
    lists.tail[conn] = row + 1;
  }

  private again(conn: number, left: number, right: number, now: number): void {
    const { rows, lists } = this;
    for (let at = this.cut(conn, left, right); at !== 0 && before(rows.left[at - 1]!, right); at = rows.next[at - 1]!) {
      rows.time[at - 1] = now;
      const marks = rows.marks[at - 1]!;
      if ((marks & (Mark.resent | Mark.sacked)) === 0) lists.resent[conn]! += this.length(at);
      if ((marks & Mark.sacked) === 0) rows.marks[at - 1] = marks | Mark.resent | Mark.everResent;
      if (lists.hint[conn] === at) lists.hint[conn] = rows.next[at - 1]!;
    }
  }

  /** Cuts rows so that some cover exactly what there is of [left, right). @returns the first of them, plus one */
  cut(conn: number, left: number, right: number): number {
    const { rows } = this;
    let at = this.lists.head[conn]!;
    while (at !== 0 && !after(rows.right[at - 1]!, left)) at = rows.next[at - 1]!;
    if (at === 0) return 0;
    if (before(rows.left[at - 1]!, left)) at = this.split(conn, at, left);
    for (let last = at; last !== 0 && before(rows.left[last - 1]!, right); last = rows.next[last - 1]!) {
      if (after(rows.right[last - 1]!, right)) this.split(conn, last, right);
    }
    return at;
  }

  /** @returns the second part, plus one */
  private split(conn: number, at: number, where: number): number {
    const { rows, lists } = this;
    const row = this.row(where, rows.right[at - 1]!, rows.time[at - 1]!, rows.marks[at - 1]!, rows.next[at - 1]!);
    rows.right[at - 1] = where;
    rows.next[at - 1] = row + 1;
    if (lists.tail[conn] === at) lists.tail[conn] = row + 1;
    return row + 1;
  }

  private row(left: number, right: number, time: number, marks: number, next: number): number {
    const row = this.rows.take();
    this.rows.left[row] = left;
    this.rows.right[row] = right;
    this.rows.time[row] = time;
    this.rows.marks[row] = marks;
    this.rows.next[row] = next;
    return row;
  }

  length(at: number): number {
    return (this.rows.right[at - 1]! - this.rows.left[at - 1]!) >>> 0;
  }

  /** The oldest segment has been acknowledged. */
  shift(conn: number): void {
    const { rows, lists } = this;
    const at = lists.head[conn]!;
    this.count(conn, rows.marks[at - 1]!, -this.length(at));
    lists.head[conn] = rows.next[at - 1]!;
    if (lists.head[conn] === 0) lists.tail[conn] = 0;
    if (lists.hint[conn] === at) lists.hint[conn] = lists.head[conn]!;
    rows.release(at - 1);
  }

  /** Of the oldest segment, what lies before `sequence` has been acknowledged. */
  trim(conn: number, sequence: number): void {
    const at = this.lists.head[conn]!;
    this.count(conn, this.rows.marks[at - 1]!, -((sequence - this.rows.left[at - 1]!) >>> 0));
    this.rows.left[at - 1] = sequence;
  }

  private count(conn: number, marks: number, numbers: number): void {
    const { lists } = this;
    if ((marks & Mark.sacked) !== 0) lists.sacked[conn]! += numbers;
    if ((marks & Mark.lost) !== 0) lists.lost[conn]! += numbers;
    if ((marks & Mark.resent) !== 0) lists.resent[conn]! += numbers;
  }

  /** The receiver has it, whatever was thought of it. */
  markSacked(conn: number, at: number): void {
    this.count(conn, this.rows.marks[at - 1]!, -this.length(at));
    this.lists.sacked[conn]! += this.length(at);
    this.rows.marks[at - 1] = (this.rows.marks[at - 1]! & Mark.everResent) | Mark.sacked;
  }

  /** It is lost, and so is what was sent again of it (`tcp_rack_mark_skb_lost`). */
  markLost(conn: number, at: number): void {
    const { rows, lists } = this;
    this.count(conn, rows.marks[at - 1]!, -this.length(at));
    lists.lost[conn]! += this.length(at);
    rows.marks[at - 1] = (rows.marks[at - 1]! & Mark.everResent) | Mark.lost;
    lists.hint[conn] = lists.head[conn]!;
  }

  /** The first segment that is lost and was not sent again since, plus one; 0: none. */
  firstLost(conn: number): number {
    const { rows, lists } = this;
    if (lists.lost[conn] === 0) return NOTHING_FOUND;
    let at = lists.hint[conn]!;
    while (at !== 0 && (rows.marks[at - 1]! & (Mark.lost | Mark.resent)) !== Mark.lost) at = rows.next[at - 1]!;
    return at;
  }

  /** Numbers in the network (Linux `tcp_packets_in_flight`). @param outstanding all that were sent and are not acknowledged */
  inFlight(conn: number, outstanding: number): number {
    const { lists } = this;
    return outstanding - lists.sacked[conn]! - lists.lost[conn]! + lists.resent[conn]!;
  }

  /** Nothing counts as lost any more, and where the receiver may have thrown away what it had reported, nothing as reported. */
  forgive(conn: number, sacksToo: boolean): void {
    const { rows, lists } = this;
    const kept = Mark.everResent | (sacksToo ? 0 : Mark.sacked | Mark.resent);
    for (let at = lists.head[conn]!; at !== 0; at = rows.next[at - 1]!) rows.marks[at - 1] = rows.marks[at - 1]! & kept;
    lists.lost[conn] = lists.hint[conn] = 0;
    if (sacksToo) lists.sacked[conn] = lists.resent[conn] = 0;
  }

  clear(conn: number): void {
    while (this.lists.head[conn] !== 0) this.shift(conn);
    this.lists.hint[conn] = 0;
  }
}
