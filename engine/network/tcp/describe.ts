import type { Scope, Variable } from "../../inspect";
import { formatIpv4 } from "../addresses";
import type { TcpCore } from "./core";
import { isProportional } from "./proportionalRate";
import { STATE_NAMES, COUNTERS } from "./tcb";

/** A time for people: the largest unit that leaves a whole part. @param picoseconds not negative */
function time(picoseconds: number): string {
  if (picoseconds >= 1e12) return `${picoseconds / 1e12} s`;
  if (picoseconds >= 1e9) return `${picoseconds / 1e9} ms`;
  return picoseconds >= 1e6 ? `${picoseconds / 1e6} µs` : `${picoseconds / 1e3} ns`;
}

function bytes(name: string, number: number): Variable {
  return { name, value: `${number} B`, number };
}

function duration(name: string, number: number): Variable {
  return { name, value: time(number), number };
}

function plain(name: string, number: number): Variable {
  return { name, value: String(number), number };
}

function yes(name: string, number: number): Variable {
  return { name, value: number !== 0 ? "yes" : "no", number };
}

/** What has ended slow start, by `Ended`. */
const ENDED: readonly string[] = ["nothing yet", "ACK train", "delay"];

/** A transmission control block, with RFC 9293's names. Sequence numbers are absolute, the relative one in brackets. */
export function describeConnection(tcp: TcpCore, conn: number): Variable[] {
  const t = tcp.tcb;
  const sent = (name: string, seq: number): Variable => ({ name, value: `${seq} (${(seq - t.iss[conn]!) >>> 0})`, number: seq });
  const received = (name: string, seq: number): Variable => ({ name, value: `${seq} (${(seq - t.irs[conn]!) >>> 0})`, number: seq });
  const unread = t.rcvOffset[conn]! - t.consumed[conn]!;
  return [
    { name: "state", value: STATE_NAMES[t.state[conn]!]!, number: t.state[conn]! },
    { name: "local", value: `${formatIpv4(t.localIp[conn]!)}:${t.localPort[conn]!}`, number: t.localPort[conn]! },
    { name: "remote", value: `${formatIpv4(t.remoteIp[conn]!)}:${t.remotePort[conn]!}`, number: t.remotePort[conn]! },
    sent("snd_una", t.sndUna[conn]!), sent("snd_nxt", t.sndNxt[conn]!), sent("snd_max", t.sndMax[conn]!), bytes("snd_wnd", t.sndWnd[conn]!),
    bytes("flight", (t.sndNxt[conn]! - t.sndUna[conn]!) >>> 0),
    bytes("send buffer", Math.max(0, t.written[conn]! - Math.max(0, t.unaOffset[conn]!))),
    { name: "congestion control", value: tcp.congestion.name }, bytes("cwnd", Math.floor(t.cwnd[conn]!)), bytes("ssthresh", t.ssthresh[conn]!), plain("dup_acks", t.dupAcks[conn]!),
    yes("in_recovery", t.inRecovery[conn]!), yes("in_cwr", t.reducing[conn]!), sent("recover", t.recover[conn]!), yes("may_undo", t.reduced[conn]!),
    ...(isProportional(tcp, conn) ? [bytes("prr_delivered", t.prrDelivered[conn]!), bytes("prr_out", t.prrOut[conn]!), bytes("recover_fs", t.recoverFlight[conn]!)] : []),
    ...(tcp.hystart ? [{ name: "hystart", value: ENDED[t.hystartEnded[conn]!]!, number: t.hystartEnded[conn]! }, duration("delay_min", t.hystartDelay[conn]! * 0.125e9)] : []),
    ...below(tcp, conn),
    { name: "sacked", value: `${tcp.scoreboard.intervals.lists.bytes[conn]!} B in ${tcp.scoreboard.count(conn)} blocks`, number: tcp.scoreboard.intervals.lists.bytes[conn]! },
    bytes("marked_lost", tcp.sent.lists.lost[conn]!),
    received("rcv_nxt", t.rcvNxt[conn]!), bytes("rcv_wnd", Math.max(0, (t.rcvAdv[conn]! - t.rcvNxt[conn]!) | 0)), bytes("receive buffer", unread),
    {
      name: "out of order", value: `${tcp.reassembly.intervals.lists.bytes[conn]!} B in ${tcp.reassembly.count(conn)} blocks`,
      number: tcp.reassembly.intervals.lists.bytes[conn]!,
    },
    yes("ack_now", t.ackNow[conn]!), yes("ack_delayed", t.ackDelayed[conn]!),
    duration("srtt", t.srtt[conn]!), duration("rttvar", t.rttvar[conn]!), duration("rto", t.rto[conn]!), plain("retransmits", t.retransmits[conn]!),
    bytes("mss", t.sndMss[conn]!), plain("snd_scale", t.sndScale[conn]!), plain("rcv_scale", t.rcvScale[conn]!),
    yes("sack", t.sack[conn]!), yes("timestamps", t.timestamps[conn]!),
  ];
}

/** What the connection has below TCP, and may have if the next segment is of one frame. */
function below({ smallQueues, tcb }: TcpCore, conn: number): Variable[] {
  if (smallQueues === undefined) return [];
  const { rows } = smallQueues;
  return [
    bytes("wmem_alloc", rows.below[conn]!), bytes("tsq_limit", smallQueues.limit(conn, tcb.sndMss[conn]!)), yes("tsq_throttled", rows.throttled[conn]!),
    { name: "pacing_rate", value: `${Math.round(rows.pacingRate[conn]!)} B/s`, number: rows.pacingRate[conn]! },
  ];
}

/** All connections, listeners and counters of a stack. */
export function describeStack(tcp: TcpCore): Scope {
  const t = tcp.tcb;
  const variables: Variable[] = [];
  const l = tcp.listeners.rows;
  for (let i = 0; i < l.rows; i++) {
    if (l.live[i] !== 1) continue;
    variables.push({
      name: `${l.ip[i] === 0 ? "*" : formatIpv4(l.ip[i]!)}:${l.port[i]!}`, value: "LISTEN",
      children: [plain("backlog", l.backlog[i]!), plain("embryonic", l.embryonic[i]!), plain("queued", l.queued[i]!)],
    });
  }
  for (let number = 0; number < tcp.numbers.count; number++) {
    const c = tcp.numbers.row(number);
    if (t.live[c] !== 1) continue;
    variables.push({
      name: `${formatIpv4(t.localIp[c]!)}:${t.localPort[c]!} ↔ ${formatIpv4(t.remoteIp[c]!)}:${t.remotePort[c]!} #${number}`,
      value: STATE_NAMES[t.state[c]!]!, children: describeConnection(tcp, c),
    });
  }
  const counters = COUNTERS.map((name) => plain(name, tcp.counters[name]));
  variables.push({ name: "counters", value: `${tcp.counters.segmentsSent} segments sent`, children: counters });
  return { name: "TCP", variables };
}
