import { TcpTimer } from "./api";
import type { TcpCore } from "./core";
import { News, reduceInProportion } from "./proportionalRate";
import { enterRecovery } from "./recovery";
import { Mark } from "./sent";
import { after, before } from "./sequence";
import { TimerFor } from "./tcb";

/**
 * RACK, loss detection by time (RFC 8985 section 6), as Linux 4.13 has it (`net/ipv4/tcp_recovery.c`): a segment is lost when one that was sent after it has
 * arrived, and a round trip and some time for reordering are over. It holds for what was sent again as well, and for the end of the data, of which no duplicate ACK
 * tells. The window of reordering is a quarter of the smallest round trip, but 1 ms at least (`tcp_rack_detect_loss`), and 1 ms alone where something
 * is lost already and nothing has ever been out of order. NetBSD has none of this.
 */
const REORDERING = 1e9;
/** What is added to the wait for what may only be late (`TCP_REO_TIMEOUT_MIN`, 2 ms). */
const LEAST_WAIT = 2e9;

/** A segment has been reported, or acknowledged: the latest that has arrived is what others are compared with (`tcp_rack_advance`). */
function arrived(tcp: TcpCore, conn: number, at: number): void {
  const t = tcp.tcb;
  const { rows } = tcp.sent;
  const time = rows.time[at - 1]!;
  const right = rows.right[at - 1]!;
  const rtt = tcp.env.now() - time;
  const again = (rows.marks[at - 1]! & Mark.everResent) !== 0;
  if (!again) {
    t.ackRtt[conn] = rtt;
    if (t.minRtt[conn] === 0 || rtt < t.minRtt[conn]!) t.minRtt[conn] = rtt;
    if (t.rackTime[conn]! > 0 && before(right, t.rackFurthest[conn]!)) t.reordered[conn] = 1;
  }
  if (t.rackTime[conn] === 0) {
    t.rackFurthest[conn] = rows.left[at - 1]!;
    t.rackHighest[conn] = right;
  } else if (after(right, t.rackHighest[conn]!)) {
    t.rackHighest[conn] = right;
  }
  if (t.rackTime[conn]! > 0 && !sentAfter(time, right, t.rackTime[conn]!, t.rackEnd[conn]!)) return;
  // It may be the original that has arrived, not what was sent again, if that would have been faster than anything before.
  if (again && rtt < t.minRtt[conn]!) return;
  t.rackTime[conn] = time;
  t.rackEnd[conn] = right;
  t.rackRtt[conn] = rtt;
  t.rackNews[conn] = 1;
}

/** `tcp_rack_sent_after` */
function sentAfter(time: number, right: number, otherTime: number, otherRight: number): boolean {
  return time > otherTime || (time === otherTime && after(right, otherRight));
}

/** Everything before `ack` has arrived (`tcp_clean_rtx_queue`). */
export function noteAcknowledged(tcp: TcpCore, conn: number, ack: number): void {
  const { sent } = tcp;
  const { rows } = sent;
  for (let at = sent.head(conn); at !== 0 && before(rows.left[at - 1]!, ack); at = sent.head(conn)) {
    const again = (rows.marks[at - 1]! & Mark.everResent) !== 0;
    if (after(rows.right[at - 1]!, ack)) {
      // A part of a long segment tells its round trip as well (`tcp_tso_acked`).
      if (!again) tcp.tcb.ackRtt[conn] = tcp.env.now() - rows.time[at - 1]!;
      return sent.trim(conn, ack);
    }
    if (again) tcp.tcb.resentNews[conn] = tcp.tcb.resentNews[conn]! | News.arrived;
    if ((rows.marks[at - 1]! & Mark.sacked) === 0) arrived(tcp, conn, at);
    sent.shift(conn);
  }
}

/** A block of an ACK (`tcp_sacktag_walk`). */
export function noteSacked(tcp: TcpCore, conn: number, left: number, right: number): void {
  const { sent } = tcp;
  const { rows } = sent;
  const last = sent.tail(conn);
  if (last === 0 || !before(left, right) || after(right, rows.right[last - 1]!)) return;
  for (let at = sent.cut(conn, left, right); at !== 0 && before(rows.left[at - 1]!, right); at = rows.next[at - 1]!) {
    if ((rows.marks[at - 1]! & Mark.sacked) !== 0) continue;
    arrived(tcp, conn, at);
    sent.markSacked(conn, at);
  }
}

/** Marks what is lost by now. @returns how long to wait for what may only be late, or 0 */
function detect(tcp: TcpCore, conn: number): number {
  const t = tcp.tcb;
  const { sent } = tcp;
  const { rows, lists } = sent;
  const now = tcp.env.now();
  const quarter = t.minRtt[conn]! / 4;
  const window = (t.reordered[conn] !== 0 || lists.lost[conn] === 0) && quarter > REORDERING ? quarter : REORDERING;
  let wait = 0;
  for (let at = sent.head(conn); at !== 0; at = rows.next[at - 1]!) {
    const marks = rows.marks[at - 1]!;
    if ((marks & Mark.sacked) !== 0) continue;
    if (sentAfter(t.rackTime[conn]!, t.rackEnd[conn]!, rows.time[at - 1]!, rows.right[at - 1]!)) {
      const waits = (marks & (Mark.lost | Mark.resent)) === Mark.lost;
      const left = rows.time[at - 1]! + t.rackRtt[conn]! + window - now;
      if (waits) continue;
      if (left < 0) {
        if ((marks & Mark.resent) !== 0) t.resentNews[conn] = t.resentNews[conn]! | News.lost;
        sent.markLost(conn, at);
      } else if (left >= wait) wait = left + 1;
    } else if ((marks & Mark.everResent) === 0) {
      // What goes for the first time goes in order: all behind it went later still.
      break;
    }
  }
  return wait;
}

/** What three segments beyond it, or as many bytes, tell of a loss (RFC 6675 section 4, IsLost(); Linux `tcp_mark_head_lost`). */
function markBelowSacked(tcp: TcpCore, conn: number): void {
  const { sent } = tcp;
  const { rows } = sent;
  const end = tcp.scoreboard.lostBefore(conn, tcp.tcb.sndUna[conn]!, tcp.tcb.sndMss[conn]!);
  for (let at = sent.head(conn); at !== 0 && !after(rows.right[at - 1]!, end); at = rows.next[at - 1]!) {
    if ((rows.marks[at - 1]! & (Mark.sacked | Mark.lost | Mark.resent)) === 0) sent.markLost(conn, at);
  }
}

/** Whether all that a timeout, or a recovery that is over, found lost has been acknowledged. */
function isOpen(tcp: TcpCore, conn: number): boolean {
  return !before(tcp.tcb.sndUna[conn]!, tcp.tcb.recover[conn]!);
}

/** After an ACK: what is lost by what it said, whether a recovery begins, and whether to wait (`tcp_rack_identify_loss`). */
export function afterAck(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  t.rackFurthest[conn] = t.rackHighest[conn]!;
  if (t.sndMax[conn] === t.sndUna[conn] || (t.inRecovery[conn] === 0 && !isOpen(tcp, conn))) return;
  if (t.inRecovery[conn] !== 0) markBelowSacked(tcp, conn);
  if (t.rackNews[conn] !== 0) {
    t.rackNews[conn] = 0;
    const wait = detect(tcp, conn);
    if (wait > 0) tcp.armRetransmit(conn, TimerFor.reordering, tcp.env.now() + Math.min(wait + LEAST_WAIT, t.rto[conn]!));
  }
  beginWhereLost(tcp, conn);
}

function beginWhereLost(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  if (t.inRecovery[conn] !== 0 || !isOpen(tcp, conn) || tcp.sent.lists.lost[conn] === 0) return;
  enterRecovery(tcp, conn);
  markBelowSacked(tcp, conn);
}

/** A recovery has begun by duplicate ACKs: the oldest segment is lost in any case (`tcp_update_scoreboard`). */
export function afterDuplicates(tcp: TcpCore, conn: number): void {
  const { sent } = tcp;
  const head = sent.head(conn);
  markBelowSacked(tcp, conn);
  if (head !== 0 && (sent.rows.marks[head - 1]! & (Mark.lost | Mark.sacked)) === 0) {
    const first = sent.cut(conn, tcp.tcb.sndUna[conn]!, (tcp.tcb.sndUna[conn]! + tcp.tcb.sndMss[conn]!) >>> 0);
    if (first !== 0) sent.markLost(conn, first);
  }
}

/** What may only have been late has had its time (`tcp_rack_reo_timeout`). */
export function reorderingTimeout(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  const wasInRecovery = t.inRecovery[conn] !== 0;
  detect(tcp, conn);
  beginWhereLost(tcp, conn);
  if (!wasInRecovery && t.inRecovery[conn] !== 0) {
    // No ACK has told of it, but as much may go as if one had told of a segment.
    t.resentNews[conn] = News.none;
    reduceInProportion(tcp, conn, t.sndMss[conn]!);
  }
  if (!tcp.isArmed(conn, TcpTimer.retransmit)) tcp.resumeTimeout(conn);
}
