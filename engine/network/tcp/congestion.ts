import type { Table } from "../../kernel/state";
import { before } from "./sequence";
import type { tcbSchema } from "./tcb";

type Tcb = Table<typeof tcbSchema>;

/** "Arbitrarily high" (RFC 5681 section 3.1): the largest window that RFC 7323 can express. */
export const LARGEST_WINDOW = 65535 * 16384;

/** How cwnd grows and what a loss leaves of it. State is in the transmission control block; recovery itself is common to all. */
export interface CongestionControl {
  readonly name: string;
  /** New data was acknowledged outside of recovery, while the window was in use. @param acked bytes */
  grow(tcb: Tcb, conn: number, acked: number): void;
  /** ssthresh after a loss. @param flight bytes outstanding */
  reduce(tcb: Tcb, conn: number, flight: number): number;
}

export const newReno: CongestionControl = {
  name: "NewReno",
  grow(tcb, conn, acked) {
    const mss = tcb.sndMss[conn]!;
    let cwnd = tcb.cwnd[conn]!;
    if (cwnd < tcb.ssthresh[conn]!) {
      // RFC 3465 sections 2.2 and 2.3: by bytes acknowledged, at most two SMSS an ACK, since one ACK may stand for many segments; one SMSS
      // (RFC 5681 section 3.1, equation 2) while what a timeout found lost is sent again.
      const limit = before(tcb.sndUna[conn]!, tcb.recover[conn]!) ? mss : 2 * mss;
      cwnd += acked < limit ? acked : limit;
    } else {
      // RFC 5681 section 3.1: by bytes acknowledged, one SMSS for each cwnd of them.
      const bytes = tcb.bytesAcked[conn]! + acked;
      if (bytes >= cwnd) {
        tcb.bytesAcked[conn] = bytes - cwnd;
        cwnd += mss;
      } else {
        tcb.bytesAcked[conn] = bytes;
      }
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
