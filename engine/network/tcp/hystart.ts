import type { Tcb } from "./congestion";
import type { TcpCore } from "./core";
import { News } from "./proportionalRate";
import { after } from "./sequence";

/**
 * HyStart (Ha and Rhee, "Taming the elephants: New TCP slow start", 2011), as Linux 4.13's CUBIC has it (`hystart_update`, net/ipv4/tcp_cubic.c): slow start ends
 * before segments are lost, when either the ACKs of a round have come close behind each other for longer than half of the smallest round trip, so that the path is
 * full, or the first of a round show that round trips have become longer, so that a queue is. It is not the HyStart++ of RFC 9406.
 *
 * Its clock ticks in milliseconds (`bictcp_clock`), and its round trips are in eighths of one. Where these are shorter than that, half of the smallest is 0, and
 * slow start ends in the first round in which the clock happens to tick: so it was until Linux 5.6 took microseconds.
 */
const MILLISECOND = 1e9;
const EIGHTH = MILLISECOND / 8;
/** `hystart_low_window`: segments; no smaller window ends slow start. */
const LOW_WINDOW = 16;
/** `hystart_ack_delta`, ms: ACKs that are not further apart are of one train. */
const ACK_DELTA = 2;
/** `HYSTART_MIN_SAMPLES`: of each round, so many tell the delay. */
const SAMPLES = 8;
/** `HYSTART_DELAY_MIN`, `HYSTART_DELAY_MAX`, eighths of a millisecond: by how much round trips must have grown, within which it is an eighth of the smallest. */
const LEAST_INCREASE = 4 << 3;
const LARGEST_INCREASE = 16 << 3;
/** How long after the beginning of congestion avoidance round trips are not looked at: they show what was before it (`bictcp_acked`). */
const AFTER_RECOVERY = 1e12;

/** What has ended slow start. */
export const Ended = { not: 0, byTrain: 1, byDelay: 2 } as const;

function clock(now: number): number {
  return Math.floor(now / MILLISECOND);
}

/** Nothing is known of the path: a connection begins, or a timeout has said that things are not as they were (`bictcp_reset`). */
export function startHystart(tcb: Tcb, conn: number, now: number): void {
  tcb.hystartDelay[conn] = tcb.hystartEnded[conn] = 0;
  startRound(tcb, conn, now);
}

/** `bictcp_hystart_reset` */
function startRound(tcb: Tcb, conn: number, now: number): void {
  tcb.hystartRound[conn] = tcb.hystartTrain[conn] = clock(now);
  tcb.hystartEnd[conn] = tcb.sndMax[conn]!;
  tcb.hystartLeast[conn] = tcb.hystartSamples[conn] = 0;
}

/** The window is about to grow by slow start: is that the first ACK of another round (`bictcp_cong_avoid`)? */
export function nextRound(tcb: Tcb, conn: number, ack: number, now: number): void {
  if (after(ack, tcb.hystartEnd[conn]!)) startRound(tcb, conn, now);
}

/** An ACK has told a round trip (`bictcp_acked`); ssthresh becomes the window where that ends slow start. @param rtt picoseconds @returns by what it does, if so */
export function roundTrip(tcb: Tcb, conn: number, rtt: number, now: number): number {
  const epoch = tcb.cubicEpoch[conn]!;
  if (epoch !== 0 && now - epoch < AFTER_RECOVERY) return Ended.not;
  const delay = Math.max(1, Math.floor(rtt / EIGHTH));
  if (tcb.hystartDelay[conn] === 0 || delay < tcb.hystartDelay[conn]!) tcb.hystartDelay[conn] = delay;
  const cwnd = tcb.cwnd[conn]!;
  if (tcb.hystartEnded[conn] !== 0 || cwnd >= tcb.ssthresh[conn]! || cwnd < LOW_WINDOW * tcb.sndMss[conn]!) return Ended.not;
  const ended = isTrain(tcb, conn, clock(now)) ? Ended.byTrain : isDelayed(tcb, conn, delay) ? Ended.byDelay : Ended.not;
  if (ended === Ended.not) return ended;
  tcb.hystartEnded[conn] = ended;
  tcb.ssthresh[conn] = cwnd;
  return ended;
}

/** @param now milliseconds */
function isTrain(tcb: Tcb, conn: number, now: number): boolean {
  if (now - tcb.hystartTrain[conn]! > ACK_DELTA) return false;
  tcb.hystartTrain[conn] = now;
  return now - tcb.hystartRound[conn]! > tcb.hystartDelay[conn]! >> 4;
}

/** @param delay eighths of a millisecond */
function isDelayed(tcb: Tcb, conn: number, delay: number): boolean {
  if (tcb.hystartSamples[conn]! < SAMPLES) {
    if (tcb.hystartLeast[conn] === 0 || delay < tcb.hystartLeast[conn]!) tcb.hystartLeast[conn] = delay;
    tcb.hystartSamples[conn]!++;
    return false;
  }
  const least = tcb.hystartDelay[conn]!;
  const eighth = least >> 3;
  const increase = eighth < LEAST_INCREASE ? LEAST_INCREASE : eighth < LARGEST_INCREASE ? eighth : LARGEST_INCREASE;
  return tcb.hystartLeast[conn]! > least + increase;
}

/** What an ACK acknowledges or reports is noted; nothing that was sent twice tells a round trip. */
export function afterArrival(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  const rtt = t.ackRtt[conn]!;
  if (rtt === 0 || (t.resentNews[conn]! & News.arrived) !== 0) return;
  const ended = roundTrip(t, conn, rtt, tcp.env.now());
  if (ended !== Ended.not) tcp.count(ended === Ended.byTrain ? "slowStartsEndedByTrain" : "slowStartsEndedByDelay");
}
