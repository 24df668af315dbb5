import type { Table } from "../../kernel/state";
import { before } from "./sequence";
import type { tcbSchema } from "./tcb";

export type Tcb = Table<typeof tcbSchema>;

/** "Arbitrarily high" (RFC 5681 section 3.1): the largest window that RFC 7323 can express. */
export const LARGEST_WINDOW = 65535 * 16384;

/** How cwnd grows in congestion avoidance and what a loss leaves of it. State is in the transmission control block; slow start and recovery are common to all. */
export interface CongestionControl {
  readonly name: string;
  /** New data was acknowledged outside of slow start and recovery, while the window was in use. @param acked bytes @param now picoseconds */
  grow(tcb: Tcb, conn: number, acked: number, now: number): void;
  /** ssthresh after a loss; cwnd is still what it was. @param flight bytes outstanding @param timeout a timeout, not duplicate ACKs, told of it */
  reduce(tcb: Tcb, conn: number, flight: number, timeout: boolean): number;
}

/**
 * Slow start, by bytes acknowledged. One ACK may stand for many segments: RFC 3465 (sections 2.2 and 2.3) lets it add no more than `limit` SMSS; Linux
 * has no such limit, but stops at ssthresh (`tcp_slow_start`, net/ipv4/tcp_cong.c). Where a timeout is being answered it adds one SMSS (RFC 5681 section
 * 3.1, equation 2) in both: it may cover much that had arrived before, which Linux does not count again (`tp->delivered`).
 * @param acked bytes @param limit segments; undefined: none @returns bytes that are left for congestion avoidance
 */
export function slowStart(tcb: Tcb, conn: number, acked: number, limit: number | undefined): number {
  const mss = tcb.sndMss[conn]!;
  const una = tcb.sndUna[conn]!;
  const recover = tcb.recover[conn]!;
  const cwnd = tcb.cwnd[conn]!;
  const isAfterTimeout = before((una - acked) >>> 0, recover);
  let most: number;
  if (limit === undefined && !isAfterTimeout) most = tcb.ssthresh[conn]! - cwnd;
  else most = limit === undefined || before(una, recover) ? mss : limit * mss;
  const added = acked < most ? acked : most;
  tcb.cwnd[conn] = cwnd + added < LARGEST_WINDOW ? cwnd + added : LARGEST_WINDOW;
  return limit === undefined && !isAfterTimeout ? acked - added : 0;
}

export const newReno: CongestionControl = {
  name: "NewReno",
  grow(tcb, conn, acked) {
    // RFC 5681 section 3.1: by bytes acknowledged, one SMSS for each cwnd of them.
    let cwnd = tcb.cwnd[conn]!;
    const bytes = tcb.bytesAcked[conn]! + acked;
    if (bytes >= cwnd) {
      tcb.bytesAcked[conn] = bytes - cwnd;
      cwnd += tcb.sndMss[conn]!;
    } else {
      tcb.bytesAcked[conn] = bytes;
    }
    tcb.cwnd[conn] = cwnd < LARGEST_WINDOW ? cwnd : LARGEST_WINDOW;
  },
  reduce(tcb, conn, flight) {
    // RFC 5681 section 3.1, equation 4.
    const half = Math.floor(flight / 2);
    const floor = 2 * tcb.sndMss[conn]!;
    return half > floor ? half : floor;
  },
};
