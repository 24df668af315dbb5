import type { Table } from "../../kernel/state";
import { before } from "./sequence";
import type { tcbSchema } from "./tcb";

export type Tcb = Table<typeof tcbSchema>;

/** "Arbitrarily high" (RFC 5681 section 3.1): the largest window that RFC 7323 can express. */
export const LARGEST_WINDOW = 65535 * 16384;

/** How cwnd grows and what a loss leaves of it. State is in the transmission control block; recovery itself is common to all. */
export interface CongestionControl {
  readonly name: string;
  /** New data was acknowledged outside of recovery, while the window was in use. @param acked bytes @param now picoseconds */
  grow(tcb: Tcb, conn: number, acked: number, now: number): void;
  /** ssthresh after a loss; cwnd is still what it was. @param flight bytes outstanding @param timeout a timeout, not duplicate ACKs, told of it */
  reduce(tcb: Tcb, conn: number, flight: number, timeout: boolean): number;
}

/**
 * RFC 3465 sections 2.2 and 2.3: by bytes acknowledged, at most two SMSS an ACK, since one ACK may stand for many segments; one SMSS
 * (RFC 5681 section 3.1, equation 2) while what a timeout found lost is sent again.
 */
export function slowStart(tcb: Tcb, conn: number, acked: number): void {
  const mss = tcb.sndMss[conn]!;
  const limit = before(tcb.sndUna[conn]!, tcb.recover[conn]!) ? mss : 2 * mss;
  const cwnd = tcb.cwnd[conn]! + (acked < limit ? acked : limit);
  tcb.cwnd[conn] = cwnd < LARGEST_WINDOW ? cwnd : LARGEST_WINDOW;
}

export const newReno: CongestionControl = {
  name: "NewReno",
  grow(tcb, conn, acked) {
    if (tcb.cwnd[conn]! < tcb.ssthresh[conn]!) {
      slowStart(tcb, conn, acked);
      return;
    }
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
