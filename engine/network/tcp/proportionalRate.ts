import type { TcpCore } from "./core";
import { isTimely } from "./sent";

/**
 * Proportional rate reduction (RFC 6937), as Linux 4.13 has it (`tcp_cwnd_reduction`, net/ipv4/tcp_input.c): in recovery, for what ACKs tell to have left the
 * network, the share ssthresh : RecoverFS of it is sent, so that the window is at ssthresh when a round trip is over, and no silence goes before that. Where so
 * much is lost that less than ssthresh is in flight, the bound is what the ACK tells of (PRR-CRB), and a segment more (PRR-SSRB) for an ACK of something that was
 * sent again, if it does not show that such a segment was lost once more. What NetBSD does instead, cwnd at ssthresh from the start, is RFC 6675's.
 *
 * Linux counts segments, as do the figures of the RFC; here they are bytes, rounded up to whole segments.
 */

/** What an ACK tells of segments that were sent again: it acknowledges one (`FLAG_RETRANS_DATA_ACKED`), one was lost again (`FLAG_LOST_RETRANS`). */
export const News = { none: 0, arrived: 1, lost: 2 } as const;

/** Linux counts what is in flight by the marks of its segments. */
export function isProportional(tcp: TcpCore, conn: number): boolean {
  return tcp.options.proportionalRate === true && isTimely(tcp, conn);
}

/** A recovery begins (`tcp_init_cwnd_reduction`). */
export function beginProportion(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  t.prrDelivered[conn] = t.prrOut[conn] = t.recoverFlight[conn] = 0;
}

/** After an ACK, when all that it tells of is noted. @param newly bytes that it tells to have arrived and that no other did (DeliveredData) */
export function reduceInProportion(tcp: TcpCore, conn: number, newly: number): void {
  const t = tcp.tcb;
  if ((t.inRecovery[conn] === 0 && t.reducing[conn] === 0) || newly <= 0 || !isProportional(tcp, conn)) return;
  const outstanding = (t.sndMax[conn]! - t.sndUna[conn]!) >>> 0;
  // At the first ACK: what was in flight before it, by which ssthresh was set. RFC 9937 section 6 leaves out, as this does, what was reported earlier; for
  // Linux it is the window, which comes to the same, as what was reported has let as much go (RFC 3042).
  if (t.recoverFlight[conn] === 0) t.recoverFlight[conn] = outstanding - tcp.sent.lists.sacked[conn]! + newly;
  t.prrDelivered[conn] = t.prrDelivered[conn]! + newly;
  const inFlight = tcp.sent.inFlight(conn, outstanding);
  const sendable = sendableBytes(
    t.prrDelivered[conn]!, t.prrOut[conn]!, newly, t.ssthresh[conn]!, t.recoverFlight[conn]!, inFlight, t.sndMss[conn]!, t.resentNews[conn] === News.arrived,
  );
  t.cwnd[conn] = inFlight + sendable;
}

/** SndCnt of RFC 6937 section 3. @param slowStarts the bound is PRR-SSRB's, not PRR-CRB's */
export function sendableBytes(
  delivered: number, out: number, newly: number, ssthresh: number, recoverFlight: number, inFlight: number, mss: number, slowStarts: boolean,
): number {
  const room = ssthresh - inFlight;
  let bytes: number;
  if (room < 0) bytes = wholeSegments((delivered * ssthresh) / recoverFlight, mss) - out;
  else {
    const bound = slowStarts ? Math.max(wholeSegments(delivered, mss) - out, wholeSegments(newly, mss)) + mss : wholeSegments(newly, mss);
    bytes = bound < room ? bound : room;
  }
  // The first retransmission goes in any case.
  const least = out === 0 ? mss : 0;
  return bytes > least ? bytes : least;
}

function wholeSegments(bytes: number, mss: number): number {
  return Math.ceil(bytes / mss) * mss;
}
