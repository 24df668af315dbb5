import type { TcpCore } from "./core";
import { beginProportion } from "./proportionalRate";
import { DUP_THRESH } from "./sack";
import { ProbeOut, Resend } from "./tcb";
import { remember } from "./undo";

/** A loss is certain: the window is reduced, and what is lost goes again (RFC 5681 section 3.2, RFC 6582, RFC 6675 section 5). */
export function enterRecovery(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  const una = t.sndUna[conn]!;
  // A window that comes down already does so once (`tcp_enter_recovery`).
  if (t.reducing[conn] === 0) {
    // What is beyond the window went out by limited transmit, and does not count (RFC 5681 section 3.2).
    const flight = Math.min((t.sndMax[conn]! - una) >>> 0, t.cwnd[conn]!);
    remember(tcp, conn, false);
    t.ssthresh[conn] = tcp.congestion.reduce(t, conn, flight, false);
    t.cwnd[conn] = t.ssthresh[conn]! + (t.sack[conn] !== 0 ? 0 : DUP_THRESH * t.sndMss[conn]!);
    t.bytesAcked[conn] = 0;
    beginProportion(tcp, conn);
  }
  t.reducing[conn] = 0;
  t.inRecovery[conn] = 1;
  t.recover[conn] = t.sndMax[conn]!;
  t.partialAcks[conn] = 0;
  t.highRxt[conn] = una;
  t.resend[conn] = Resend.fast;
  t.lossCause[conn] = tcp.env.cause();
  t.probeOut[conn] = ProbeOut.none;
}
