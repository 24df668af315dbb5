import type { TcpCore } from "./core";
import { isTimely } from "./sent";
import { DUP_THRESH, NOTHING } from "./sack";
import { Resend, State } from "./tcb";

export const SegmentKind = { none: 0, syn: 1, data: 2, resend: 3, sackResend: 4, probe: 5, ack: 6, keepAlive: 7, lossProbe: 8 } as const;

/** The segment that `output` would build now. Scratch: rewritten by each `decide`, never read across calls, so no part of the state. */
export class SegmentPlan {
  kind: number = SegmentKind.none;
  sequence = 0;
  /** Payload bytes. */
  length = 0;
  /** Payload bytes of a frame, where that is less: what the interface cuts it into. */
  frame = 0;
  fin = false;
  /** There would be a segment, but enough of the connection waits below TCP. */
  held = false;

  private set(kind: number, sequence: number, length: number, fin: boolean): boolean {
    this.kind = kind;
    this.sequence = sequence >>> 0;
    this.length = length;
    this.fin = fin;
    return true;
  }

  private none(): boolean {
    this.kind = SegmentKind.none;
    return false;
  }

  /** Decides what to send next, without changing anything. @returns false if there is nothing */
  decide(tcp: TcpCore, conn: number): boolean {
    const t = tcp.tcb;
    this.held = false;
    if (conn < 0 || conn >= t.rows || t.live[conn] === 0) return this.none();
    switch (t.state[conn]) {
      case State.closed:
        return this.none();
      case State.synSent:
      case State.synReceived:
        if (t.sndNxt[conn] === t.iss[conn]) return this.set(SegmentKind.syn, t.iss[conn]!, 0, false);
        break;
      case State.finWait2:
      case State.timeWait:
        break;
      default:
        if (this.decideData(tcp, conn)) return true;
    }
    // One number before what the peer expects: it must answer (RFC 9293 section 3.8.4).
    if (t.keepAliveNow[conn] !== 0) return this.set(SegmentKind.keepAlive, t.sndUna[conn]! - 1, 0, false);
    // With SND.NXT moved back by a timeout, a pure ACK still stands after everything that was sent.
    return t.ackNow[conn] !== 0 ? this.set(SegmentKind.ack, t.sndMax[conn]!, 0, false) : this.none();
  }

  /** Numbers here are relative to SND.UNA, so that they do not wrap: `end` is where the user's data ends. */
  private decideData(tcp: TcpCore, conn: number): boolean {
    const t = tcp.tcb;
    const una = t.sndUna[conn]!;
    const end = t.written[conn]! - t.unaOffset[conn]!;
    const next = (t.sndNxt[conn]! - una) >>> 0;
    const max = (t.sndMax[conn]! - una) >>> 0;
    const state = t.state[conn]!;
    const finWanted = state === State.finWait1 || state === State.closing || state === State.lastAck;
    const resend = t.resend[conn]!;
    const probe = t.probe[conn]!;
    const lossProbe = t.lossProbe[conn]!;
    const inRecovery = t.inRecovery[conn]!;
    // All was sent and nothing goes again, as in half of all cases: the rest need not be looked at.
    if (max >= end && next >= max && !finWanted && (resend | probe | lossProbe | inRecovery) === 0) return false;
    const mss = maxPayload(tcp, conn);
    const cwnd = Math.floor(t.cwnd[conn]!);
    this.frame = mss;

    if (resend !== Resend.none && max > 0) {
      if (resend === Resend.fast && this.decideLost(tcp, conn, SegmentKind.resend, end, mss)) return true;
      const limit = (tcp.scoreboard.nextSacked(conn, una, t.sndMax[conn]!) - una) >>> 0;
      return this.resent(SegmentKind.resend, una, 0, min3(mss, limit, end), limit, end);
    }
    if (probe !== 0 && next < end + (finWanted ? 1 : 0)) {
      const room = t.sndWnd[conn]! - next;
      if (room <= 0) return this.set(SegmentKind.probe, una + next, next < end ? 1 : 0, next >= end);
      const length = min3(mss, room, end - next);
      return this.set(SegmentKind.data, una + next, length, finWanted && next + length === end && room > length);
    }
    if (lossProbe !== 0 && max > 0) return this.decideProbe(tcp, conn, end, max, finWanted, mss);
    if (inRecovery !== 0 && t.sack[conn] !== 0) return this.decideSackRecovery(tcp, conn, end, max, finWanted, mss);

    // RFC 3042: the first two duplicate ACKs each let one new segment out.
    const dupAcks = t.dupAcks[conn]!;
    const limited = inRecovery === 0 && dupAcks < DUP_THRESH ? dupAcks * t.sndMss[conn]! : 0;
    if (next >= max) return this.decideNew(tcp, conn, max, end, cwnd + limited - max, finWanted, mss);

    // After a timeout: what was sent goes again from SND.UNA on, but for what has been SACKed since.
    const from = (tcp.scoreboard.skip(conn, una + next) - una) >>> 0;
    if (from >= max) return this.decideNew(tcp, conn, max, end, cwnd - max, finWanted, mss);
    const window = cwnd < t.sndWnd[conn]! ? cwnd : t.sndWnd[conn]!;
    const limit = (tcp.scoreboard.nextSacked(conn, una + from, t.sndMax[conn]!) - una) >>> 0;
    const length = min3(mss, limit - from, end - from);
    return window >= from + length && this.isFree(tcp, conn, una + from, length, true) && this.resent(SegmentKind.data, una, from, length, limit, end);
  }

  /**
   * RFC 6675 section 5, step C: while the pipe has room for a segment, what NextSeg() says. Its rule 4, the rescue retransmission, is left
   * out: neither NetBSD nor Linux has it (Linux has RACK for what it is for), and where no new data follows it repeats segments that are still on the way.
   */
  private decideSackRecovery(tcp: TcpCore, conn: number, end: number, max: number, finWanted: boolean, mss: number): boolean {
    const t = tcp.tcb;
    const board = tcp.scoreboard;
    const una = t.sndUna[conn]!;
    const full = t.sndMss[conn]!;
    const highRxt = t.highRxt[conn]!;
    if (isTimely(tcp, conn)) {
      // Linux' `tcp_xmit_retransmit_queue`: what is marked lost, whatever told of it, and then new data.
      const room = Math.floor(t.cwnd[conn]!) - tcp.sent.inFlight(conn, max);
      return room >= full && (this.decideLost(tcp, conn, SegmentKind.sackResend, end, mss) || this.decideNew(tcp, conn, max, end, room, finWanted, mss));
    }
    const room = Math.floor(t.cwnd[conn]!) - board.pipe(conn, una, t.sndMax[conn]!, highRxt, full);
    if (room < full) return false;
    const lost = board.nextHole(conn, una, highRxt, full, true);
    if (lost !== NOTHING) return this.hole(tcp, conn, lost, end, mss);
    if (this.decideNew(tcp, conn, max, end, room, finWanted, mss)) return true;
    const hole = board.nextHole(conn, una, highRxt, full, false);
    return hole !== NOTHING && this.hole(tcp, conn, hole, end, mss);
  }

  /** The first segment that is marked lost. */
  private decideLost(tcp: TcpCore, conn: number, kind: number, end: number, mss: number): boolean {
    const at = tcp.sent.firstLost(conn);
    if (at === 0) return false;
    const una = tcp.tcb.sndUna[conn]!;
    const from = (tcp.sent.rows.left[at - 1]! - una) >>> 0;
    const limit = (tcp.sent.rows.right[at - 1]! - una) >>> 0;
    const length = min3(mss, limit - from, end - from);
    // What goes again when a recovery begins waits for nothing.
    if (kind === SegmentKind.sackResend && !this.isFree(tcp, conn, una + from, length, true)) return false;
    return this.resent(kind, una, from, length, limit, end);
  }

  /** A tail loss probe: a segment of new data, if the other end's window takes it, whatever the congestion window; else the last one again (`tcp_send_loss_probe`). */
  private decideProbe(tcp: TcpCore, conn: number, end: number, max: number, finWanted: boolean, mss: number): boolean {
    const t = tcp.tcb;
    const una = t.sndUna[conn]!;
    const offered = t.sndWnd[conn]! - max;
    const fresh = end - max < mss ? end - max : mss;
    if (fresh > 0 && offered >= fresh) return this.set(SegmentKind.lossProbe, una + max, fresh, finWanted && max + fresh === end && offered > fresh);
    const tail = tcp.sent.tail(conn);
    if (tail === 0) return this.none();
    const left = (tcp.sent.rows.left[tail - 1]! - una) >>> 0;
    const limit = (tcp.sent.rows.right[tail - 1]! - una) >>> 0;
    const length = (limit < end ? limit : end) - left;
    const from = length > mss ? left + Math.floor((length - 1) / mss) * mss : left;
    return this.resent(SegmentKind.lossProbe, una, from, left + length - from, limit, end);
  }

  /** Whether a segment may go down now. */
  private isFree(tcp: TcpCore, conn: number, sequence: number, length: number, again: boolean): boolean {
    if (tcp.smallQueues?.holds(tcp, conn, sequence >>> 0, length, again) !== true) return true;
    this.held = true;
    return false;
  }

  private hole(tcp: TcpCore, conn: number, sequence: number, end: number, mss: number): boolean {
    const una = tcp.tcb.sndUna[conn]!;
    const from = (sequence - una) >>> 0;
    const limit = (tcp.scoreboard.limit - una) >>> 0;
    return this.resent(SegmentKind.sackResend, una, from, min3(mss, limit - from, end - from), limit, end);
  }

  /** A segment that was sent before; the FIN goes with it if it lies before `limit` (all relative to `una`). */
  private resent(kind: number, una: number, from: number, length: number, limit: number, end: number): boolean {
    return this.set(kind, una + from, length, from + length === end && limit > end);
  }

  /** New data, if the windows allow it and it is worth a segment (RFC 1122 section 4.2.3.4: Nagle, silly window avoidance). */
  private decideNew(tcp: TcpCore, conn: number, max: number, end: number, congestionRoom: number, finWanted: boolean, mss: number): boolean {
    const t = tcp.tcb;
    if (max > end) return false;
    const offered = t.sndWnd[conn]! - max;
    let length = min3(mss, min3(offered, congestionRoom, end - max), end - max);
    if (length === mss && end - max > mss) {
      length = longSegment(tcp, conn, mss, offered < congestionRoom ? offered : congestionRoom, end - max, finWanted);
      if (length === 0) return false;
    }
    const fin = finWanted && offered > 0 && length >= 0 && max + length === end && offered > length;
    if (length <= 0) return fin && max === end && this.set(SegmentKind.data, t.sndUna[conn]! + max, 0, true);
    const idle = max === 0;
    const nagle = tcp.options.nagle && t.noDelay[conn] === 0;
    const last = max + length === end;
    const worthIt = length >= mss || (last && (fin || idle || !nagle)) ||
      ((idle || !nagle) && length * 2 >= t.maxSndWnd[conn]!);
    return worthIt && this.isFree(tcp, conn, t.sndUna[conn]! + max, length, false) && this.set(SegmentKind.data, t.sndUna[conn]! + max, length, fin);
  }
}

/** Largest payload of a segment sent now: SACK blocks take room (RFC 6691). */
function maxPayload(tcp: TcpCore, conn: number): number {
  const blocks = tcp.tcb.sack[conn] !== 0 ? tcp.reassembly.count(conn) + tcp.tcb.dsack[conn]! : 0;
  return tcp.tcb.sndMss[conn]! - (blocks > 0 ? 4 + 8 * (blocks < 3 ? blocks : 3) : 0);
}

/**
 * With segmentation offload, new data goes down in one piece as far as the windows reach, outside of recovery: congestion control and
 * retransmission stay with single segments, as BSD's `tcp_output` does while it retransmits. Of whole segments; what is left at the end of the
 * data goes with them where it would be sent at all (Nagle).
 * @param mss of a single frame @param room bytes that windows allow, at least `mss` @param left bytes to the end of the data, more than `mss`
 * @returns 0 where it is better to wait
 */
function longSegment(tcp: TcpCore, conn: number, mss: number, room: number, left: number, fin: boolean): number {
  const t = tcp.tcb;
  const largest = tcp.env.largestSegment();
  if (largest < 2 * mss || t.inRecovery[conn] !== 0 || t.dupAcks[conn] !== 0) return mss;
  const most = largest - largest % mss;
  const length = min3(room, most, left);
  if (length < left && length < most && tcp.options.defersLongSegments === true && defers(tcp, conn, room)) return 0;
  const whole = length - length % mss;
  const tail = length === left && (fin || !tcp.options.nagle || t.noDelay[conn] !== 0 || t.sndMax[conn] === t.sndUna[conn]);
  return tail ? length : whole;
}

/** Time after the last segment from which on nothing is waited for, picoseconds (Linux `tcp_tso_should_defer`: 1 ms). */
const WORTH_WAITING = 1e9;
/** The share of the window that is worth a segment (Linux `tcp_tso_win_divisor`). */
const WIN_DIVISOR = 3;

/** Only the windows keep the segment short, less than a third of them is free, and what is in flight will be acknowledged soon. */
function defers(tcp: TcpCore, conn: number, room: number): boolean {
  const t = tcp.tcb;
  const window = t.sndWnd[conn]! < t.cwnd[conn]! ? t.sndWnd[conn]! : t.cwnd[conn]!;
  return t.sndMax[conn] !== t.sndUna[conn] && room < window / WIN_DIVISOR && tcp.env.now() - t.lastSend[conn]! <= WORTH_WAITING;
}

function min3(a: number, b: number, c: number): number {
  const d = a < b ? a : b;
  return d < c ? d : c;
}
