import { TcpTimer } from "./api";
import type { TcpCore } from "./core";
import { after, before } from "./sequence";
import { ProbeOut, TimerFor } from "./tcb";

/**
 * Tail loss probes (RFC 8985 section 7), as Linux 4.13 sends them (`tcp_schedule_loss_probe`, `tcp_send_loss_probe`, `tcp_process_tlp_ack`): when nothing is
 * acknowledged for two round trips, a segment that was not sent yet goes, or else the last one again, so that an ACK of it tells RACK what is lost before it.
 */
const LEAST = 10e9;
/** Where no round trip was measured (`TCP_TIMEOUT_INIT`). */
const WITHOUT_ROUND_TRIP = 1e12;
/** The longest that the other end may delay an ACK of a single segment (`TCP_DELACK_MAX`). */
const LONGEST_DELAY = 200e9;

/**
 * After something was sent or acknowledged on a connection that keeps times: a probe comes before the retransmission timeout, where one may be of use.
 * @param begins the timeout begins now: the timer is armed once, for what comes first
 */
export function scheduleProbe(tcp: TcpCore, conn: number, begins: boolean): void {
  const t = tcp.tcb;
  if (begins) tcp.beginTimeout(conn);
  else if (!tcp.isArmed(conn, TcpTimer.retransmit) || t.timerFor[conn] === TimerFor.reordering) return;
  if (!mayProbe(tcp, conn)) {
    if (begins || t.timerFor[conn] === TimerFor.probe) tcp.resumeTimeout(conn);
    return;
  }
  const now = tcp.env.now();
  const srtt = t.srtt[conn]!;
  let wait = srtt === 0 ? WITHOUT_ROUND_TRIP : 2 * srtt;
  if (((t.sndMax[conn]! - t.sndUna[conn]!) >>> 0) <= t.sndMss[conn]! && wait < 1.5 * srtt + LONGEST_DELAY) wait = 1.5 * srtt + LONGEST_DELAY;
  if (wait < LEAST) wait = LEAST;
  const due = t.dueTimeout[conn]!;
  tcp.armRetransmit(conn, TimerFor.probe, now + wait < due ? now + wait : due);
}

/** Nothing was reported or found lost, and it is the window, or the application, that keeps more from being sent. */
function mayProbe(tcp: TcpCore, conn: number): boolean {
  const t = tcp.tcb;
  const una = t.sndUna[conn]!;
  const outstanding = (t.sndMax[conn]! - una) >>> 0;
  if (outstanding === 0 || t.inRecovery[conn] !== 0 || t.reducing[conn] !== 0 || before(una, t.recover[conn]!) || tcp.sent.lists.sacked[conn] !== 0) return false;
  return t.cwnd[conn]! - outstanding < t.sndMss[conn]! || t.written[conn]! - t.unaOffset[conn]! <= outstanding;
}

/** The time of a probe has come; one at a time. */
export function probeTimeout(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  if (t.probeOut[conn] !== ProbeOut.none || t.sndMax[conn] === t.sndUna[conn]) return tcp.resumeTimeout(conn);
  t.lossProbe[conn] = 1;
  t.lossCause[conn] = tcp.env.cause();
  tcp.startTimeout(conn);
}

/** A probe has left. @param again it was the last segment, not a new one */
export function probed(tcp: TcpCore, conn: number, again: boolean): void {
  const t = tcp.tcb;
  t.lossProbe[conn] = 0;
  t.probeOut[conn] = again ? ProbeOut.again : ProbeOut.fresh;
  t.probeFlight[conn] = (t.sndMax[conn]! - t.sndUna[conn]!) >>> 0;
  t.probeEnd[conn] = t.sndMax[conn]!;
  tcp.count("lossProbes");
  tcp.startTimeout(conn);
}

/** @param advanced the ACK acknowledges something @param reported it reports something @param twice it says that something came twice */
export function afterProbe(tcp: TcpCore, conn: number, ack: number, advanced: boolean, reported: boolean, twice: boolean): void {
  const t = tcp.tcb;
  if (advanced) t.lossProbe[conn] = 0;
  if (t.probeOut[conn] === ProbeOut.none || before(ack, t.probeEnd[conn]!)) return;
  if (t.probeOut[conn] === ProbeOut.fresh || twice || !(advanced || reported)) {
    // New data has arrived; or the original as well as the probe: nothing was lost.
    t.probeOut[conn] = ProbeOut.none;
  } else if (after(ack, t.probeEnd[conn]!)) {
    // What the probe has repaired had been lost: the window answers for it.
    t.probeOut[conn] = ProbeOut.none;
    if (t.inRecovery[conn] !== 0) return;
    t.ssthresh[conn] = tcp.congestion.reduce(t, conn, t.probeFlight[conn]!, false);
    t.cwnd[conn] = t.ssthresh[conn]!;
    t.bytesAcked[conn] = 0;
  }
}
