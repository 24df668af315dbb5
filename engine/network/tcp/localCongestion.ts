import type { TcpCore } from "./core";
import { beginProportion, isProportional } from "./proportionalRate";
import { after, before } from "./sequence";
import { ProbeOut } from "./tcb";
import { forget } from "./undo";

/**
 * The queue below has no room for a segment: the queueing discipline drops it and says so (NET_XMIT_DROP, `pfifo_fast_enqueue`). Linux 4.13 takes it for a sign
 * of congestion that came early (`tcp_transmit_skb`, `tcp_enter_cwr`): the window comes down as after a loss, by proportional rate reduction, but nothing is
 * lost: the segment is as if it had not been sent, and `tcp_write_xmit` ends. It goes by the next ACK; if none is to come, when the persist timer runs out.
 * Other disciplines drop another packet than the new one (NET_XMIT_CN), which then counts as sent (`net_xmit_eval`): pfifo_fast does not.
 */
export function enterWindowReduction(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  forget(tcp, conn);
  // A recovery, or what a timeout has begun, has reduced it already (`icsk_ca_state < TCP_CA_CWR`).
  if (t.reducing[conn] !== 0 || t.inRecovery[conn] !== 0 || before(t.sndUna[conn]!, t.recover[conn]!)) return;
  tcp.count("localCongestions");
  // Of the window, not of what is in flight: that may be little where the queue is full of others' (`bictcp_recalc_ssthresh`).
  t.ssthresh[conn] = tcp.congestion.reduce(t, conn, t.cwnd[conn]!, false);
  t.bytesAcked[conn] = 0;
  beginProportion(tcp, conn);
  // `prior_cwnd`; there is no ACK yet that would tell what was in flight before it.
  t.recoverFlight[conn] = t.cwnd[conn]!;
  if (!isProportional(tcp, conn)) t.cwnd[conn] = t.ssthresh[conn]!;
  t.reducing[conn] = 1;
  t.reducingEnd[conn] = t.sndMax[conn]!;
  t.probeOut[conn] = ProbeOut.none;
}

/** New data was acknowledged: the reduction ends when something is that was sent after it began (`tcp_fastretrans_alert`, `tcp_end_cwnd_reduction`). */
export function leaveWindowReduction(tcp: TcpCore, conn: number, ack: number): void {
  const t = tcp.tcb;
  if (!after(ack, t.reducingEnd[conn]!)) return;
  t.cwnd[conn] = t.ssthresh[conn]!;
  t.reducing[conn] = 0;
}
