import { CloseReason } from "./api";
import type { TcpCore } from "./core";
import { State } from "./tcb";

/** What a system says of a neighbour that does not answer ARP. */
export type Unreachable = typeof CloseReason.hostUnreachable | typeof CloseReason.hostDown;

/**
 * A segment was not sent, as its neighbour does not answer. Who opens a connection hears so at once; what is open goes on, as the neighbour may come back, and
 * hears it when it is given up (RFC 1122 section 4.2.3.9: a soft error). Linux sends itself an ICMP error, whatever segment it is about (`ipv4_link_failure`,
 * `tcp_v4_err`); in NetBSD the error is that of the call that sends, and nobody looks at it where a timer does (`tcp_timer_rexmt`).
 */
export function unreachable(tcp: TcpCore, packet: number, why: Unreachable): void {
  const { packets, options } = tcp;
  const t = tcp.tcb;
  const conn = tcp.connections.find(packets.sourceIp(packet), packets.sourcePort(packet), packets.destinationIp(packet), packets.destinationPort(packet));
  if (conn < 0) return;
  const state = t.state[conn]!;
  if (state > State.synReceived) t.softError[conn] = why;
  else if (options.unreachable === "linux" || (state === State.synSent && t.retransmits[conn] === 0)) tcp.destroy(conn, why);
}

/** Why a connection is given up whose segments stay unanswered (`tcp_write_err`; `tcp_timer_rexmt`). */
export function reasonOfSilence(tcp: TcpCore, conn: number): CloseReason {
  const soft = tcp.tcb.softError[conn]!;
  return soft === CloseReason.hostUnreachable || soft === CloseReason.hostDown ? soft : CloseReason.timedOut;
}
