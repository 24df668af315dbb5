import { CloseReason, TcpTimer } from "./api";
import { slowStart } from "./congestion";
import type { TcpCore } from "./core";
import { afterArrival, nextRound } from "./hystart";
import { afterProbe, scheduleProbe } from "./lossProbe";
import { leaveWindowReduction } from "./localCongestion";
import { News, reduceInProportion } from "./proportionalRate";
import { afterAck, afterDuplicates, noteAcknowledged, noteSacked } from "./rack";
import { enterRecovery } from "./recovery";
import { measured } from "./timers";
import { DUP_THRESH } from "./sack";
import { isTimely } from "./sent";
import { after, before, later } from "./sequence";
import { Resend, State } from "./tcb";
import { countReported, undoAtAdvance, undoAtReport } from "./undo";
import { TcpOption } from "../packets";

const PICOSECONDS_PER_MILLISECOND = 1e9;

/**
 * The ACK of an acceptable segment (RFC 9293 section 3.10.7.4, fifth check) in a synchronised state.
 * @param bare the segment holds neither data nor FIN
 * @returns false: drop the segment
 */
export function acknowledge(tcp: TcpCore, conn: number, packet: number, ack: number, bare: boolean): boolean {
  const t = tcp.tcb;
  const una = t.sndUna[conn]!;
  // RFC 5961 section 5.2: neither beyond what was sent nor from long ago.
  if (after(ack, (t.sndMax[conn]! + t.probed[conn]!) >>> 0) || before(ack, (una - t.maxSndWnd[conn]!) >>> 0)) {
    challenge(tcp, conn);
    return false;
  }
  const sameWindow = t.sndWnd[conn] === tcp.packets.window(packet) << t.sndScale[conn]!;
  updateWindow(tcp, conn, packet, ack);
  if (before(ack, una)) return true;
  if (after(ack, t.sndMax[conn]!)) {
    // A probe's byte or FIN was taken.
    t.sndMax[conn] = ack;
  }
  t.resentNews[conn] = News.none;
  t.ackRtt[conn] = 0;
  const reportedBefore = tcp.scoreboard.intervals.lists.bytes[conn]!;
  if (ack !== una) {
    t.probed[conn] = 0;
    if (t.sack[conn] !== 0) tcp.scoreboard.intervals.prune(conn, ack);
  }
  const sacked = t.sack[conn] !== 0 ? readSack(tcp, conn, packet, ack) : 0;
  if (ack !== una || sacked > 0) tcp.env.answered(t.remoteIp[conn]!);
  if (sacked > 0 && ack === una && tcp.hystart) afterArrival(tcp, conn);
  if (ack !== una) advance(tcp, conn, packet, ack);
  else if (t.sndMax[conn] === una) t.dupAcks[conn] = 0;
  else if (t.sack[conn] !== 0 ? sacked > 0 : bare && sameWindow) duplicate(tcp, conn);
  if (isTimely(tcp, conn)) {
    afterProbe(tcp, conn, ack, ack !== una, sacked > 0, isDuplicateReport(tcp, packet, ack));
    afterAck(tcp, conn);
    if (ack !== una) scheduleProbe(tcp, conn, false);
  }
  if (t.reduced[conn] !== 0) undoAtReport(tcp, conn);
  reduceInProportion(tcp, conn, ((ack - una) >>> 0) + tcp.scoreboard.intervals.lists.bytes[conn]! - reportedBefore);
  tcp.smallQueues?.updatePacing(tcp, conn);
  return true;
}

const SECOND = 1e12;

/** A challenge ACK (RFC 5961), unless as many as a second may have went in this one (section 10). */
export function challenge(tcp: TcpCore, conn: number): void {
  const { scalars, options } = tcp;
  const now = tcp.env.now();
  if (scalars.challenges === 0 || now - scalars.challengesSince >= SECOND) {
    scalars.challengesSince = now;
    scalars.challenges = 0;
  }
  if (scalars.challenges >= options.challengeAcks) {
    tcp.count("challengeAcksWithheld");
    return;
  }
  scalars.challenges++;
  tcp.tcb.ackNow[conn] = 1;
  tcp.count("challengeAcks");
}

/** RFC 9293 section 3.10.7.4: SND.WND, unless the segment is older than the last that set it. */
export function updateWindow(tcp: TcpCore, conn: number, packet: number, ack: number): void {
  const t = tcp.tcb;
  const seq = tcp.packets.sequence(packet);
  if (before(ack, t.sndUna[conn]!)) return;
  if (before(seq, t.sndWl1[conn]!) || (seq === t.sndWl1[conn] && before(ack, t.sndWl2[conn]!))) return;
  const window = tcp.packets.window(packet) << t.sndScale[conn]!;
  t.sndWnd[conn] = window;
  t.sndWl1[conn] = seq;
  t.sndWl2[conn] = ack;
  if (window > t.maxSndWnd[conn]!) t.maxSndWnd[conn] = window;
}

function readSack(tcp: TcpCore, conn: number, packet: number, ack: number): number {
  let sacked = 0;
  const timely = isTimely(tcp, conn);
  if (isDuplicateReport(tcp, packet, ack)) {
    tcp.count("dsacksReceived");
    countReported(tcp, conn, tcp.packets.sackRight(packet, 0));
  }
  for (let i = 0; i < tcp.packets.sackCount(packet); i++) {
    const left = tcp.packets.sackLeft(packet, i);
    const right = tcp.packets.sackRight(packet, i);
    const fresh = tcp.scoreboard.update(conn, left, right, ack, tcp.tcb.sndMax[conn]!);
    if (timely && fresh > 0) noteSacked(tcp, conn, left, right);
    sacked += fresh;
  }
  return sacked;
}

/** RFC 2883 section 4: the first block lies below the ACK, or within the second one. */
function isDuplicateReport({ packets }: TcpCore, packet: number, ack: number): boolean {
  if (packets.sackCount(packet) === 0) return false;
  const left = packets.sackLeft(packet, 0);
  const right = packets.sackRight(packet, 0);
  if (!after(right, ack)) return true;
  return packets.sackCount(packet) > 1 && !before(left, packets.sackLeft(packet, 1)) && !after(right, packets.sackRight(packet, 1));
}

/** New data was acknowledged. */
function advance(tcp: TcpCore, conn: number, packet: number, ack: number): void {
  const t = tcp.tcb;
  const una = t.sndUna[conn]!;
  const acked = (ack - una) >>> 0;
  const flight = (t.sndMax[conn]! - una) >>> 0;
  measureRtt(tcp, conn, packet, ack);
  if (t.ambiguous[conn] !== 0 && !before(ack, t.ambiguousEnd[conn]!)) t.ambiguous[conn] = 0;
  const writtenBefore = t.unaOffset[conn]!;
  t.sndUna[conn] = ack;
  t.unaOffset[conn] = writtenBefore + acked;
  tcp.writes.forget(conn, writtenBefore + acked);
  if (isTimely(tcp, conn)) noteAcknowledged(tcp, conn, ack);
  if (tcp.hystart) afterArrival(tcp, conn);
  t.sndNxt[conn] = later(t.sndNxt[conn]!, ack);
  t.retransmits[conn] = t.softError[conn] = 0;
  const undone = t.reduced[conn] !== 0 && undoAtAdvance(tcp, conn, packet, ack);
  if (undone) t.highRxt[conn] = ack;
  else if (t.inRecovery[conn] !== 0) recover(tcp, conn, acked, ack);
  else {
    t.dupAcks[conn] = 0;
    t.resend[conn] = Resend.none;
    if (t.reducing[conn] !== 0) leaveWindowReduction(tcp, conn, ack);
    // RFC 7661 section 4.3: a window that is not at least half used says nothing about the path.
    if (t.reducing[conn] === 0 && flight * 2 >= t.cwnd[conn]!) {
      const now = tcp.env.now();
      const inSlowStart = t.cwnd[conn]! < t.ssthresh[conn]!;
      if (inSlowStart && tcp.hystart) nextRound(t, conn, ack, now);
      const rest = inSlowStart ? slowStart(t, conn, acked, tcp.options.abcLimit) : acked;
      if (rest > 0) tcp.congestion.grow(t, conn, rest, now);
    }
    if (t.sack[conn] !== 0) t.highRxt[conn] = ack;
  }
  if (ack === t.sndMax[conn]) {
    tcp.disarm(conn, TcpTimer.retransmit);
  } else if (t.partialAcks[conn]! <= 1 || t.sack[conn] !== 0) {
    // RFC 6298 section 5.3; RFC 6582 section 3.2: in recovery only the first partial ACK restarts it.
    tcp.startTimeout(conn);
  }
  if (t.written[conn]! > writtenBefore && t.state[conn]! <= State.closeWait) tcp.env.writable(tcp.numbers.of(conn));
  if (t.unaOffset[conn]! > t.written[conn]!) finAcknowledged(tcp, conn);
}

/** Karn: a segment sent once, by the exact clock; else by the echoed timestamp (RFC 7323 section 4.1), where there is one. */
export function measureRtt(tcp: TcpCore, conn: number, packet: number, ack: number): void {
  const t = tcp.tcb;
  if (t.rttTiming[conn] !== 0) {
    if (before(ack, t.rttSeq[conn]!)) return;
    t.rttTiming[conn] = 0;
    measured(tcp, conn, tcp.env.now() - t.rttStart[conn]!);
  } else if (t.ambiguous[conn] !== 0 && t.timestamps[conn] !== 0 && tcp.packets.hasOption(packet, TcpOption.timestamps)) {
    const elapsed = (tcp.timestampClock() - tcp.packets.timestampEcho(packet)) | 0;
    if (elapsed >= 0) measured(tcp, conn, (elapsed > 0 ? elapsed : 1) * PICOSECONDS_PER_MILLISECOND);
  }
}

/** A duplicate ACK: RFC 5681 section 3.2 and RFC 6582, or RFC 6675 section 5. */
function duplicate(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  tcp.count("duplicateAcks");
  t.dupAcks[conn]!++;
  const mss = t.sndMss[conn]!;
  if (t.inRecovery[conn] !== 0) {
    if (t.sack[conn] === 0) t.cwnd[conn] = t.cwnd[conn]! + mss;
    return;
  }
  const una = t.sndUna[conn]!;
  const sack = t.sack[conn] !== 0;
  if (t.dupAcks[conn]! < threshold(tcp, conn) && !(sack && tcp.scoreboard.firstIsLost(conn, mss))) return;
  // Not for losses of the window that a timeout or the last recovery has already answered.
  if (sack ? before(una, t.recover[conn]!) : !after(una, t.recover[conn]!)) return;
  enterRecovery(tcp, conn);
  if (isTimely(tcp, conn)) afterDuplicates(tcp, conn);
}

/**
 * Duplicate ACKs that mean a loss. RFC 5827 section 3.2: with two or three segments outstanding and nothing new that may be sent, one fewer
 * than there are.
 */
function threshold(tcp: TcpCore, conn: number): number {
  const t = tcp.tcb;
  const flight = (t.sndMax[conn]! - t.sndUna[conn]!) >>> 0;
  const segments = Math.ceil(flight / t.sndMss[conn]!);
  if (tcp.options.earlyRetransmit !== true || segments < 2 || segments > DUP_THRESH) return DUP_THRESH;
  const unsent = t.unaOffset[conn]! + flight < t.written[conn]! && flight < t.sndWnd[conn]!;
  return unsent ? DUP_THRESH : segments - 1;
}

/** An ACK of new data during recovery: it ends it, or shows the next hole. */
function recover(tcp: TcpCore, conn: number, acked: number, ack: number): void {
  const t = tcp.tcb;
  const mss = t.sndMss[conn]!;
  const sack = t.sack[conn] !== 0;
  if (!before(ack, t.recover[conn]!)) {
    const flight = (t.sndMax[conn]! - ack) >>> 0;
    // RFC 6582 section 3.2, step 3, option 1; RFC 6675 leaves cwnd at ssthresh.
    t.cwnd[conn] = sack ? t.ssthresh[conn]! : Math.min(t.ssthresh[conn]!, Math.max(flight, mss) + mss);
    t.inRecovery[conn] = 0;
    t.dupAcks[conn] = 0;
    t.partialAcks[conn] = 0;
    t.resend[conn] = Resend.none;
    return;
  }
  t.partialAcks[conn]!++;
  if (sack) {
    t.resend[conn] = Resend.none;
    t.highRxt[conn] = later(t.highRxt[conn]!, ack);
    return;
  }
  // RFC 6582 section 3.2, step 3, partial ACK.
  t.resend[conn] = Resend.fast;
  t.cwnd[conn] = Math.max(t.cwnd[conn]! - acked, 0) + (acked >= mss ? mss : 0);
}

/** RFC 9293 section 3.10.7.4: what the ACK of our FIN brings. */
function finAcknowledged(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  switch (t.state[conn]) {
    case State.finWait1:
      t.state[conn] = State.finWait2;
      if (t.held[conn] === 0) awaitFin(tcp, conn);
      break;
    case State.closing:
      enterTimeWait(tcp, conn);
      break;
    case State.lastAck:
      tcp.destroy(conn, CloseReason.normal);
  }
}

/** Nobody will read what the other end may still send: its FIN must come in time (Linux `tcp_fin_timeout`, BSD `tcp_maxidle`). */
export function awaitFin(tcp: TcpCore, conn: number): void {
  tcp.arm(conn, TcpTimer.timeWait, tcp.env.now() + tcp.options.finWait2);
}

/** 2 MSL from now, all other timers off. */
export function enterTimeWait(tcp: TcpCore, conn: number): void {
  tcp.tcb.state[conn] = State.timeWait;
  tcp.disarm(conn, TcpTimer.retransmit);
  tcp.disarm(conn, TcpTimer.persist);
  tcp.disarm(conn, TcpTimer.keepAlive);
  tcp.arm(conn, TcpTimer.timeWait, tcp.env.now() + 2 * tcp.options.msl);
}
