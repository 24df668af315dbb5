import { TcpOption } from "../packets";
import type { TcpCore } from "./core";
import { after, before } from "./sequence";
import { Resend } from "./tcb";

/**
 * The window was reduced for a loss that was none: segments had only overtaken each other, or came late. Two things tell (Linux
 * `tcp_input.c`, "Undo procedures"): the receiver reports every retransmission as a duplicate (D-SACK; RFC 3708), or it echoes a timestamp
 * from before the first of them (Eifel; RFC 3522), so that it answers the original. Then cwnd and ssthresh become what they were (RFC 4015).
 * NetBSD keeps no earlier window (`struct tcpcb`), and restores none.
 */

/** What reduced the window that is remembered. */
const Reduced = { not: 0, byRecovery: 1, byTimeout: 2 } as const;
/** Nothing has been sent again yet. */
const NONE_YET = -1;

/** The window is about to be reduced (`tcp_init_undo`). During a recovery it was already, and what it was before that is what counts. */
export function remember(tcp: TcpCore, conn: number, timeout: boolean): void {
  const t = tcp.tcb;
  if (tcp.options.undo !== true || t.inRecovery[conn] !== 0) return;
  t.reduced[conn] = timeout ? Reduced.byTimeout : Reduced.byRecovery;
  t.undoMarker[conn] = t.sndUna[conn]!;
  t.undoRetrans[conn] = NONE_YET;
  t.undoStamp[conn] = 0;
  t.priorCwnd[conn] = t.cwnd[conn]!;
  // `tcp_current_ssthresh`.
  t.priorSsthresh[conn] = Math.max(t.ssthresh[conn]!, Math.floor(t.cwnd[conn]! * 0.75));
}

/** The window that was remembered is not to be restored. */
export function forget(tcp: TcpCore, conn: number): void {
  tcp.tcb.reduced[conn] = Reduced.not;
}

/** A segment has been sent again. */
export function countResent(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  if (t.reduced[conn] === Reduced.not) return;
  if (t.undoRetrans[conn] === NONE_YET) {
    t.undoRetrans[conn] = 0;
    t.undoStamp[conn] = tcp.timestampClock();
  }
  t.undoRetrans[conn]!++;
}

/** The receiver has had something twice that ends at `right` (`tcp_check_dsack`: "do dumb counting"). */
export function countReported(tcp: TcpCore, conn: number, right: number): void {
  const t = tcp.tcb;
  if (t.reduced[conn] !== Reduced.not && t.undoRetrans[conn]! > 0 && after(right, t.undoMarker[conn]!)) t.undoRetrans[conn]!--;
}

/** Whether the ACK answers something that was sent before anything was sent again (`tcp_packet_delayed`). */
function answersOriginal(tcp: TcpCore, conn: number, packet: number): boolean {
  const t = tcp.tcb;
  if (t.undoRetrans[conn] === NONE_YET) return true;
  return t.timestamps[conn] !== 0 && tcp.packets.hasOption(packet, TcpOption.timestamps) && before(tcp.packets.timestampEcho(packet), t.undoStamp[conn]!);
}

/**
 * New data was acknowledged up to `ack`, and the window is still that which a loss left. In a recovery that is not over yet only a timestamp tells, and only when
 * nothing that was sent again is under way (`tcp_try_undo_partial`); after a timeout, or at the end, D-SACK does too (`tcp_try_undo_loss`, `_recovery`).
 * @returns whether it was undone
 */
export function undoAtAdvance(tcp: TcpCore, conn: number, packet: number, ack: number): boolean {
  const t = tcp.tcb;
  const isInRecovery = t.inRecovery[conn] !== 0;
  const isOver = !before(ack, t.recover[conn]!);
  if (!isInRecovery && t.reduced[conn] === Reduced.byRecovery) return false;
  const original = answersOriginal(tcp, conn, packet);
  const undone = isInRecovery && !isOver ? original && !after(t.highRxt[conn]!, ack) : original || t.undoRetrans[conn] === 0;
  if (undone) undo(tcp, conn, ack, original);
  return undone;
}

/** The ACK may have reported the last of what was sent again (`tcp_try_undo_dsack`); after a timeout that waits for new data to be acknowledged. */
export function undoAtReport(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  if (t.undoRetrans[conn] !== 0 || (t.reduced[conn] === Reduced.byTimeout && before(t.sndUna[conn]!, t.recover[conn]!))) return;
  undo(tcp, conn, t.sndUna[conn]!, false);
}

/** `tcp_undo_cwnd_reduction`: nothing was lost. */
function undo(tcp: TcpCore, conn: number, una: number, byTimestamp: boolean): void {
  const t = tcp.tcb;
  tcp.count(byTimestamp ? "undoneByTimestamp" : "undoneByDsack");
  if (t.priorCwnd[conn]! > t.cwnd[conn]!) t.cwnd[conn] = t.priorCwnd[conn]!;
  if (t.priorSsthresh[conn]! > t.ssthresh[conn]!) t.ssthresh[conn] = t.priorSsthresh[conn]!;
  t.inRecovery[conn] = 0;
  t.dupAcks[conn] = 0;
  t.partialAcks[conn] = 0;
  t.resend[conn] = Resend.none;
  // What a timeout was about to send again need not be; and a loss among it may be found out anew.
  t.sndNxt[conn] = t.sndMax[conn]!;
  t.recover[conn] = una - 1;
  t.reduced[conn] = Reduced.not;
  tcp.sent.forgive(conn, false);
}
