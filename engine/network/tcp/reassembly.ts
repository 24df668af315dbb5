import type { Store } from "../../kernel/state";
import type { PacketLog } from "../packets";
import { IntervalLists } from "./intervals";
import { after } from "./sequence";

/** What has arrived beyond a gap. Payload needs no keeping: its stream offset tells what it is. */
export class Reassembly {
  readonly intervals: IntervalLists;

  constructor(store: Store) {
    this.intervals = new IntervalLists(store, "TCP: reassembly");
  }

  isEmpty(conn: number): boolean {
    return this.intervals.lists.head[conn] === 0;
  }

  count(conn: number): number {
    return this.intervals.lists.count[conn]!;
  }

  /** @returns bytes that were new */
  insert(conn: number, left: number, right: number): number {
    return this.intervals.insert(conn, left, right);
  }

  /** The end of what follows `next` without a gap, which is taken out; `next` itself if there is nothing. */
  take(conn: number, next: number): number {
    const { lists, rows } = this.intervals;
    const head = lists.head[conn]!;
    if (head === 0 || after(rows.left[head - 1]!, next)) return next;
    const right = rows.right[head - 1]!;
    const end = after(right, next) ? right : next;
    this.intervals.prune(conn, end);
    return end;
  }

  /**
   * Adds SACK blocks to a packet, the most recently received first (RFC 2018 section 4).
   * @param max blocks: three fit beside timestamps
   */
  report(conn: number, packets: PacketLog, packet: number, max: number): void {
    const { lists, rows } = this.intervals;
    let bound = Infinity;
    for (let n = 0; n < max; n++) {
      let best = 0;
      for (let at = lists.head[conn]!; at !== 0; at = rows.next[at - 1]!) {
        if (rows.stamp[at - 1]! < bound && (best === 0 || rows.stamp[at - 1]! > rows.stamp[best - 1]!)) best = at;
      }
      if (best === 0) return;
      packets.addSackBlock(packet, rows.left[best - 1]!, rows.right[best - 1]!);
      bound = rows.stamp[best - 1]!;
    }
  }
}
