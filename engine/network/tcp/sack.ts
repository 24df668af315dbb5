import type { Store } from "../../kernel/state";
import { IntervalLists } from "./intervals";
import { after, before, later } from "./sequence";

/** RFC 5681 section 3.2: three duplicate ACKs mean a loss. */
export const DUP_THRESH = 3;

/** No sequence number: nothing to retransmit. */
export const NOTHING = -1;

/** The sender's record of SACKed sequence numbers and the functions of RFC 6675 section 4 on it. */
export class Scoreboard {
  readonly intervals: IntervalLists;
  /** Where the segment that {@link nextHole} found must end. */
  limit = 0;

  constructor(store: Store) {
    this.intervals = new IntervalLists(store, "TCP: SACK scoreboard");
  }

  count(conn: number): number {
    return this.intervals.lists.count[conn]!;
  }

  /** Update(): a block of an ACK. Blocks outside (una, max] are ignored, as RFC 2018 section 8 demands for stale ones. @returns newly SACKed bytes */
  update(conn: number, left: number, right: number, una: number, max: number): number {
    if (!before(left, right) || !after(right, una) || after(right, max)) return 0;
    return this.intervals.insert(conn, later(left, una), right);
  }

  /** The end of the SACKed block that holds `sequence`, or `sequence` itself. */
  skip(conn: number, sequence: number): number {
    const { lists, rows } = this.intervals;
    for (let at = lists.head[conn]!; at !== 0 && !after(rows.left[at - 1]!, sequence); at = rows.next[at - 1]!) {
      if (after(rows.right[at - 1]!, sequence)) return rows.right[at - 1]!;
    }
    return sequence;
  }

  /** The first SACKed number after `sequence`, or `otherwise`. */
  nextSacked(conn: number, sequence: number, otherwise: number): number {
    const { lists, rows } = this.intervals;
    for (let at = lists.head[conn]!; at !== 0; at = rows.next[at - 1]!) {
      if (after(rows.left[at - 1]!, sequence)) return rows.left[at - 1]!;
    }
    return otherwise;
  }

  /** IsLost() of the first unacknowledged number. */
  firstIsLost(conn: number, mss: number): boolean {
    const { lists } = this.intervals;
    return isLost(lists.count[conn]!, lists.bytes[conn]!, mss);
  }

  /** Up to where what was not SACKed is lost by IsLost(); `una` where nothing is. */
  lostBefore(conn: number, una: number, mss: number): number {
    const { lists, rows } = this.intervals;
    let blocks = lists.count[conn]!;
    let bytes = lists.bytes[conn]!;
    let end = una;
    for (let at = lists.head[conn]!; at !== 0 && isLost(blocks, bytes, mss); at = rows.next[at - 1]!) {
      end = rows.left[at - 1]!;
      blocks--;
      bytes -= (rows.right[at - 1]! - end) >>> 0;
    }
    return end;
  }

  /**
   * SetPipe(): an estimate of the bytes in the network.
   * @param highRxt HighRxt plus one
   */
  pipe(conn: number, una: number, max: number, highRxt: number, mss: number): number {
    const { lists, rows } = this.intervals;
    let blocks = lists.count[conn]!;
    let bytes = lists.bytes[conn]!;
    let pipe = 0;
    let from = una;
    for (let at = lists.head[conn]!; at !== 0; at = rows.next[at - 1]!) {
      const left = rows.left[at - 1]!;
      const right = rows.right[at - 1]!;
      if (!isLost(blocks, bytes, mss)) pipe += (left - from) >>> 0;
      pipe += overlap(from, left, highRxt);
      blocks--;
      bytes -= (right - left) >>> 0;
      from = right;
    }
    return pipe + ((max - from) >>> 0) + overlap(from, max, highRxt);
  }

  /** NextSeg() rule 1 (`lost`) or rule 3: the first unSACKed number from `highRxt` on and below the highest SACKed; sets {@link limit}. */
  nextHole(conn: number, una: number, highRxt: number, mss: number, lost: boolean): number {
    const { lists, rows } = this.intervals;
    let blocks = lists.count[conn]!;
    let bytes = lists.bytes[conn]!;
    let from = una;
    for (let at = lists.head[conn]!; at !== 0; at = rows.next[at - 1]!) {
      if (lost && !isLost(blocks, bytes, mss)) return NOTHING;
      const left = rows.left[at - 1]!;
      const start = later(from, highRxt);
      if (before(start, left)) {
        this.limit = left;
        return start;
      }
      blocks--;
      from = rows.right[at - 1]!;
      bytes -= (from - left) >>> 0;
    }
    return NOTHING;
  }
}

/** RFC 6675 section 4, IsLost(): DupThresh discontiguous blocks, or more than (DupThresh − 1) · SMSS bytes, were SACKed above. */
function isLost(blocksAbove: number, bytesAbove: number, mss: number): boolean {
  return blocksAbove >= DUP_THRESH || bytesAbove > (DUP_THRESH - 1) * mss;
}

/** Numbers of [from, to) that lie before `end`. */
function overlap(from: number, to: number, end: number): number {
  if (!after(end, from)) return 0;
  return before(end, to) ? (end - from) >>> 0 : (to - from) >>> 0;
}
