import { cbrt } from "../../kernel/math";
import { LARGEST_WINDOW, type CongestionControl, type Tcb } from "./congestion";

/** RFC 9438 section 4.1: segments a second cubed, and what a loss leaves of the window. */
const C = 0.4;
const BETA = 0.7;
/** RFC 9438 section 4.3: what gives AIMD with β_cubic the average window of Reno's. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
const SECOND = 1e12;

/**
 * CUBIC (RFC 9438), section by section. Windows are bytes here and segments in the RFC; `cubicEpoch` is when the congestion avoidance stage
 * began, 0 for none, and moves on by the time in which the application left the window unused (section 5.8).
 */
export const cubic: CongestionControl = {
  name: "CUBIC",

  grow(tcb, conn, acked, now) {
    if (tcb.cubicEpoch[conn] === 0) beginEpoch(tcb, conn, now);
    const mss = tcb.sndMss[conn]!;
    const idle = now - tcb.cubicLast[conn]!;
    // A busy connection is acknowledged at least once a round trip.
    if (idle > tcb.srtt[conn]!) tcb.cubicEpoch[conn] = tcb.cubicEpoch[conn]! + idle;
    tcb.cubicLast[conn] = now;

    const cwnd = tcb.cwnd[conn]!;
    const elapsed = now - tcb.cubicEpoch[conn]!;
    // Section 4.3, figure 4: W_est; once it is back at the window before the loss it grows as Reno's.
    const alpha = tcb.cubicEstimate[conn]! < tcb.cubicPrior[conn]! ? ALPHA : 1;
    const estimate = tcb.cubicEstimate[conn]! + (alpha * acked * mss) / cwnd;
    tcb.cubicEstimate[conn] = estimate;
    let next: number;
    if (windowAt(tcb, conn, elapsed) < estimate) {
      next = estimate;
    } else {
      // Sections 4.2, 4.4 and 4.5: towards where the curve is a round trip later, by (target − cwnd)/cwnd for each segment acknowledged.
      const ahead = windowAt(tcb, conn, elapsed + tcb.srtt[conn]!);
      const target = ahead < cwnd ? cwnd : ahead < 1.5 * cwnd ? ahead : 1.5 * cwnd;
      next = cwnd + ((target - cwnd) * acked) / cwnd;
    }
    if (next > cwnd) tcb.cwnd[conn] = next < LARGEST_WINDOW ? next : LARGEST_WINDOW;
  },

  reduce(tcb, conn, flight, timeout) {
    const cwnd = tcb.cwnd[conn]!;
    // Section 4.7, fast convergence: a window that did not come back to the last maximum makes room for others.
    const released = cwnd < tcb.cubicMax[conn]! ? (cwnd * (1 + BETA)) / 2 : cwnd;
    // Section 4.8: after a timeout the next stage takes its own beginning for the maximum, and K is 0.
    tcb.cubicMax[conn] = timeout ? 0 : released;
    tcb.cubicPrior[conn] = cwnd;
    tcb.cubicEpoch[conn] = 0;
    // Section 4.6.
    const left = Math.floor(flight * BETA);
    const floor = 2 * tcb.sndMss[conn]!;
    return left > floor ? left : floor;
  },
};

/** Section 4.2: K = cbrt((W_max − cwnd_epoch)/C). */
function beginEpoch(tcb: Tcb, conn: number, now: number): void {
  const cwnd = tcb.cwnd[conn]!;
  tcb.cubicEpoch[conn] = tcb.cubicLast[conn] = now;
  tcb.cubicEstimate[conn] = cwnd;
  if (tcb.cubicMax[conn]! < cwnd) tcb.cubicMax[conn] = cwnd;
  tcb.cubicK[conn] = cbrt((tcb.cubicMax[conn]! - cwnd) / tcb.sndMss[conn]! / C);
}

/** W_cubic(t) = C·(t − K)³ + W_max (section 4.2, figure 1), bytes. @param elapsed picoseconds */
function windowAt(tcb: Tcb, conn: number, elapsed: number): number {
  const d = elapsed / SECOND - tcb.cubicK[conn]!;
  return C * d * d * d * tcb.sndMss[conn]! + tcb.cubicMax[conn]!;
}
