import { CloseReason, TcpTimer } from "./api";
import { TcpFlag } from "../packets";
import type { TcpCore } from "./core";
import { startHystart } from "./hystart";
import { probeTimeout } from "./lossProbe";
import { reorderingTimeout } from "./rack";
import { after } from "./sequence";
import { ProbeOut, Resend, State, TimerFor } from "./tcb";
import { remember } from "./undo";
import { reasonOfSilence } from "./unreachable";

/** RFC 6298 section 5.7: the RTO to begin with where the SYN had to be sent again and nothing could be measured; in NetBSD it is that of a SYN still. */
const RTO_AFTER_LOST_SYN = 3e12;

/** How long a SYN cookie is good for at least (`MAX_SYNCOOKIE_AGE` periods of a minute, the first of which may be nearly over; Linux' tcp.h). */
const COOKIE_LIFETIME = 60e12;

/**
 * A round-trip time was measured (RFC 6298 sections 2.2 to 2.4; alpha 1/8, beta 1/4). The simulated clock is exact, so the granularity G is
 * that of the lower bound.
 * @param rtt picoseconds
 */
export function measured(tcp: TcpCore, conn: number, rtt: number): void {
  const t = tcp.tcb;
  if (t.srtt[conn] === 0) {
    t.srtt[conn] = rtt;
    t.rttvar[conn] = Math.round(rtt / 2);
  } else {
    const error = Math.abs(t.srtt[conn]! - rtt);
    t.rttvar[conn] = Math.round(t.rttvar[conn]! * 0.75 + error * 0.25);
    t.srtt[conn] = Math.round(t.srtt[conn]! * 0.875 + rtt * 0.125);
  }
  const spread = 4 * t.rttvar[conn]!;
  t.rto[conn] = tcp.clampRto(t.srtt[conn]! + (tcp.options.minRtoOverSrtt === true && spread < tcp.options.minRto ? tcp.options.minRto : spread));
}

/** The handshake is over: what a lost SYN costs (RFC 6298 section 5.7, RFC 5681 section 3.1). */
export function afterHandshake(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  const mss = t.sndMss[conn]!;
  t.cwnd[conn] = t.synRetransmitted[conn] !== 0 ? mss : tcp.initialWindow(mss);
  if (tcp.hystart) startHystart(t, conn, tcp.env.now());
  if (t.synRetransmitted[conn] !== 0 && t.srtt[conn] === 0) t.rto[conn] = tcp.clampRto(Math.max(RTO_AFTER_LOST_SYN, tcp.options.synRto));
  if (tcp.options.connectTimeout === undefined || !tcp.isArmed(conn, TcpTimer.keepAlive)) return;
  if (t.keepAlive[conn] !== 0) tcp.arm(conn, TcpTimer.keepAlive, tcp.env.now() + tcp.options.keepAlive.idle);
  else tcp.disarm(conn, TcpTimer.keepAlive);
}

/** An armed timer has run out. */
export function expire(tcp: TcpCore, conn: number, timer: TcpTimer): void {
  const t = tcp.tcb;
  if (conn >= t.rows || t.live[conn] === 0 || !tcp.isDue(conn, timer)) return;
  t.armed[conn] = t.armed[conn]! & ~(1 << timer);
  switch (timer) {
    case TcpTimer.retransmit:
      if (t.timerFor[conn] === TimerFor.probe) probeTimeout(tcp, conn);
      else if (t.timerFor[conn] === TimerFor.reordering) reorderingTimeout(tcp, conn);
      else retransmitTimeout(tcp, conn);
      break;
    case TcpTimer.persist:
      t.probe[conn] = 1;
      if (t.persistShift[conn]! < 12) t.persistShift[conn]!++;
      break;
    case TcpTimer.delayedAck:
      t.ackDelayed[conn] = 0;
      t.ackNow[conn] = 1;
      tcp.count("delayedAcks");
      break;
    case TcpTimer.timeWait:
      tcp.destroy(conn, CloseReason.normal);
      break;
    case TcpTimer.keepAlive:
      keepAlive(tcp, conn);
  }
}

/** A connection that has been silent for long enough is probed, again and again, and at last given up; one that takes too long to open is given up at once (BSD `tcp_timer_keep`). */
function keepAlive(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  const { idle, interval, probes } = tcp.options.keepAlive;
  const now = tcp.env.now();
  const silent = now - t.lastReceive[conn]!;
  if (t.state[conn]! < State.established) {
    if (tcp.options.connectTimeout !== undefined) tcp.destroy(conn, CloseReason.timedOut);
    else tcp.arm(conn, TcpTimer.keepAlive, now + idle);
  } else if (silent < idle) {
    tcp.arm(conn, TcpTimer.keepAlive, t.lastReceive[conn]! + idle);
  } else if (t.keepAliveProbes[conn]! >= probes) {
    tcp.sendReset(conn, TcpFlag.rst | TcpFlag.ack);
    tcp.destroy(conn, CloseReason.timedOut);
  } else {
    t.keepAliveProbes[conn]!++;
    t.keepAliveNow[conn] = 1;
    tcp.arm(conn, TcpTimer.keepAlive, now + interval);
  }
}

/** A system that sent a cookie keeps nothing that it could send again; an ACK is good for as long as the cookie is. */
function cookieTimeout(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  if (t.retransmits[conn]!++ === 0) tcp.arm(conn, TcpTimer.retransmit, tcp.env.now() + COOKIE_LIFETIME);
  else tcp.destroy(conn, CloseReason.aborted);
}

/** How often a connection may send again, in its state, before it is given up. */
export function mostRetransmits({ options, tcb }: TcpCore, conn: number): number {
  const state = tcb.state[conn]!;
  if (state === State.synSent) return options.maxSynRetransmits;
  return state === State.synReceived ? options.maxSynAckRetransmits : options.maxRetransmits;
}

function retransmitTimeout(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  if (t.cookie[conn] !== 0 && t.state[conn] === State.synReceived) return cookieTimeout(tcp, conn);
  tcp.count("timeouts");
  const handshake = t.state[conn] === State.synSent || t.state[conn] === State.synReceived;
  if (t.retransmits[conn]! >= mostRetransmits(tcp, conn)) {
    tcp.destroy(conn, reasonOfSilence(tcp, conn));
    return;
  }
  const first = t.retransmits[conn] === 0;
  t.retransmits[conn]!++;
  // RFC 6298 sections 5.5 and 5.6; Karn: what was timed is now ambiguous.
  t.rto[conn] = tcp.clampRto(t.rto[conn]! * 2);
  t.rttTiming[conn] = 0;
  t.ambiguous[conn] = 1;
  t.ambiguousEnd[conn] = t.sndMax[conn]!;
  if (handshake) {
    t.synRetransmitted[conn] = 1;
    t.sndNxt[conn] = t.iss[conn]!;
    return;
  }
  // RFC 5681 section 3.1: ssthresh once for a segment; the loss window is one segment.
  // A window that comes down already has been answered for (`tcp_enter_loss`).
  const answered = t.reducing[conn] !== 0 && after(t.reducingEnd[conn]!, t.sndUna[conn]!);
  t.reducing[conn] = 0;
  if (first && !answered) remember(tcp, conn, true);
  if (first && !answered) t.ssthresh[conn] = tcp.congestion.reduce(t, conn, (t.sndMax[conn]! - t.sndUna[conn]!) >>> 0, true);
  if (tcp.hystart) startHystart(t, conn, tcp.env.now());
  t.cwnd[conn] = t.sndMss[conn]!;
  t.bytesAcked[conn] = 0;
  t.dupAcks[conn] = 0;
  t.inRecovery[conn] = 0;
  // RFC 6582 section 4 and RFC 6675 section 5.1: no new recovery until all that was sent is acknowledged.
  t.recover[conn] = t.sndMax[conn]!;
  // RFC 2018 section 8: the receiver may have discarded what it had SACKed.
  tcp.scoreboard.intervals.clear(conn);
  tcp.sent.forgive(conn, true);
  t.lossProbe[conn] = 0;
  t.probeOut[conn] = ProbeOut.none;
  t.sndNxt[conn] = t.sndUna[conn]!;
  t.resend[conn] = Resend.timeout;
  t.lossCause[conn] = tcp.env.cause();
}
