import { TcpFlag, TcpOption } from "../packets";
import { CloseReason, NO_CONNECTION, TcpTimer } from "./api";
import { measureRtt } from "./acknowledge";
import type { TcpCore } from "./core";
import { answerTo } from "./resets";
import { after } from "./sequence";
import { State } from "./tcb";
import { afterHandshake } from "./timers";

/** Bytes of the timestamps option with its NOPs. */
const TIMESTAMPS_LENGTH = 12;
/** RFC 9293 section 3.7.1, for a SYN without the MSS option over IPv4. */
const DEFAULT_MSS = 536;

/** A segment for no connection: a SYN for a listener, or something to reset (RFC 9293 sections 3.10.7.1 and 3.10.7.2). */
export function withoutConnection(tcp: TcpCore, packet: number): number {
  const { packets } = tcp;
  const flags = packets.flags(packet);
  const localIp = packets.destinationIp(packet);
  const localPort = packets.destinationPort(packet);
  const listener = tcp.listeners.find(localIp, localPort);
  if (listener < 0 || (flags & (TcpFlag.syn | TcpFlag.ack | TcpFlag.rst)) !== TcpFlag.syn) {
    tcp.env.discarded(packet, listener < 0 ? "noConnection" : "notOpening");
    if ((flags & TcpFlag.rst) === 0 && (listener < 0 || (flags & TcpFlag.ack) !== 0)) refuse(tcp, packet);
    return NO_CONNECTION;
  }
  if (tcp.listeners.dropsSyn(listener)) {
    tcp.count("listenOverflows");
    tcp.env.discarded(packet, "listenOverflow");
    return NO_CONNECTION;
  }
  const c = tcp.create(localIp, localPort, packets.sourceIp(packet), packets.sourcePort(packet), State.synReceived);
  tcp.tcb.cookie[c] = tcp.listeners.wantsCookie(listener) ? 1 : 0;
  if (tcp.tcb.cookie[c] !== 0) tcp.count("synCookies");
  const displaced = tcp.listeners.synCache?.displacedBy(c) ?? NO_CONNECTION;
  if (displaced >= 0) {
    tcp.count("synCacheOverflows");
    tcp.destroy(displaced, CloseReason.aborted);
  }
  tcp.listeners.begin(c, listener);
  tcp.tcb.stream[c] = packets.stream(packet) >= 0 ? packets.stream(packet) ^ 1 : packets.openStreams();
  readSyn(tcp, c, packet);
  return c;
}

/** A reset in answer to a segment that fits no connection (RFC 9293 section 3.10.7.1). */
export function refuse(tcp: TcpCore, packet: number): void {
  const { packets } = tcp;
  const { sequence, acknowledgement, flags, stream } = answerTo(packets, packet);
  const cause = tcp.env.cause();
  tcp.resets.push(
    packets.destinationIp(packet), packets.destinationPort(packet), packets.sourceIp(packet), packets.sourcePort(packet),
    sequence, acknowledgement, flags, stream, 0, cause,
  );
  tcp.env.wantOutput(NO_CONNECTION, cause);
}

/** The peer's initial sequence number, window and options. */
function readSyn(tcp: TcpCore, conn: number, packet: number): void {
  const t = tcp.tcb;
  const { packets, options } = tcp;
  const seq = packets.sequence(packet);
  t.irs[conn] = seq;
  t.rcvNxt[conn] = seq + 1;
  t.lastAckSent[conn] = seq + 1;
  t.rcvAdv[conn] = seq + 1;
  t.finSeen[conn] = 0;
  const scaling = options.windowScale >= 0 && packets.hasOption(packet, TcpOption.windowScale);
  t.scaling[conn] = scaling ? 1 : 0;
  t.sndScale[conn] = scaling ? Math.min(packets.windowScale(packet), 14) : 0;
  t.rcvScale[conn] = scaling ? options.windowScale : 0;
  t.sack[conn] = options.sack && packets.hasOption(packet, TcpOption.sackPermitted) ? 1 : 0;
  t.timestamps[conn] = options.timestamps && packets.hasOption(packet, TcpOption.timestamps) ? 1 : 0;
  if (t.timestamps[conn] !== 0) t.tsRecent[conn] = packets.timestampValue(packet);
  if (t.cookie[conn] !== 0 && t.timestamps[conn] === 0) {
    // Other options are in the cookie's timestamp, or nowhere (`cookie_timestamp_decode` in Linux' syncookies.c).
    t.scaling[conn] = t.sndScale[conn] = t.rcvScale[conn] = t.sack[conn] = 0;
  }
  const mss = packets.hasOption(packet, TcpOption.mss) ? packets.mss(packet) : DEFAULT_MSS;
  t.sndMss[conn] = Math.min(mss, options.mss) - (t.timestamps[conn] !== 0 ? TIMESTAMPS_LENGTH : 0);
  // RFC 7323 section 2.2: the window of a SYN is never scaled.
  t.sndWnd[conn] = t.maxSndWnd[conn] = packets.window(packet);
  t.sndWl1[conn] = seq;
  t.sndWl2[conn] = packets.acknowledgement(packet);
}

/** RFC 9293 section 3.10.7.3, SYN-SENT. */
export function inSynSent(tcp: TcpCore, conn: number, packet: number): void {
  const t = tcp.tcb;
  const { packets } = tcp;
  const flags = packets.flags(packet);
  const ack = packets.acknowledgement(packet);
  const withAck = (flags & TcpFlag.ack) !== 0;
  if (withAck && (!after(ack, t.iss[conn]!) || after(ack, t.sndMax[conn]!))) {
    tcp.env.discarded(packet, "notSynSent");
    if ((flags & TcpFlag.rst) === 0) refuse(tcp, packet);
    return;
  }
  if ((flags & TcpFlag.rst) !== 0 && withAck) {
    tcp.count("resetsReceived");
    tcp.destroy(conn, CloseReason.refused);
    return;
  }
  if ((flags & (TcpFlag.rst | TcpFlag.syn)) !== TcpFlag.syn) {
    tcp.env.discarded(packet, "notSynSent");
    return;
  }
  readSyn(tcp, conn, packet);
  if (!withAck) {
    // Simultaneous open: SYN,ACK with the same initial sequence number.
    t.state[conn] = State.synReceived;
    t.sndNxt[conn] = t.iss[conn]!;
    return;
  }
  t.rcvAdv[conn] = (t.rcvNxt[conn]! + Math.min(tcp.options.receiveBuffer, 65535)) >>> 0;
  synAcknowledged(tcp, conn, packet, ack);
  t.ackNow[conn] = 1;
  t.state[conn] = State.established;
  tcp.count("opened");
  tcp.env.established(tcp.numbers.of(conn));
}

/** RFC 9293 section 3.10.7.4, fifth check, SYN-RECEIVED. @returns false: drop the segment */
export function inSynReceived(tcp: TcpCore, conn: number, packet: number): boolean {
  const t = tcp.tcb;
  const ack = tcp.packets.acknowledgement(packet);
  if (!after(ack, t.iss[conn]!) || after(ack, t.sndMax[conn]!)) {
    tcp.env.discarded(packet, "notSynReceived");
    refuse(tcp, packet);
    return false;
  }
  if (t.listener[conn] !== 0 && tcp.listeners.isFull(t.listener[conn]! - 1)) {
    acceptOverflow(tcp, conn, packet);
    return false;
  }
  synAcknowledged(tcp, conn, packet, ack);
  const scale = (tcp.packets.flags(packet) & TcpFlag.syn) !== 0 ? 0 : t.sndScale[conn]!;
  t.sndWnd[conn] = tcp.packets.window(packet) << scale;
  t.maxSndWnd[conn] = t.sndWnd[conn]!;
  t.sndWl1[conn] = tcp.packets.sequence(packet);
  t.sndWl2[conn] = ack;
  t.state[conn] = t.closeWanted[conn] !== 0 ? State.finWait1 : State.established;
  if (t.listener[conn] !== 0) {
    const port = t.localPort[conn]!;
    tcp.listeners.enqueue(conn);
    tcp.count("accepted");
    tcp.env.accepted(tcp.numbers.of(conn), port);
  } else if (t.closeWanted[conn] === 0) {
    tcp.count("opened");
    tcp.env.established(tcp.numbers.of(conn));
  }
  return true;
}

/**
 * Nothing has room for a connection whose handshake is over. Linux ignores the ACK, and sends its SYN,ACK again, which the other end answers with another one
 * (`tcp_check_req` in tcp_minisocks.c, with `net.ipv4.tcp_abort_on_overflow` 0); NetBSD resets it (`resetandabort` of `syn_cache_get`, tcp_syncache.c).
 */
function acceptOverflow(tcp: TcpCore, conn: number, packet: number): void {
  tcp.count("listenOverflows");
  tcp.env.discarded(packet, "acceptOverflow");
  if (tcp.options.listeners === "linux") return;
  refuse(tcp, packet);
  tcp.destroy(conn, CloseReason.aborted);
}

/** Our SYN is acknowledged; nothing else has been sent yet. */
function synAcknowledged(tcp: TcpCore, conn: number, packet: number, ack: number): void {
  const t = tcp.tcb;
  t.sndUna[conn] = t.sndNxt[conn] = t.sndMax[conn] = t.highRxt[conn] = ack;
  t.unaOffset[conn] = 0;
  t.retransmits[conn] = 0;
  tcp.disarm(conn, TcpTimer.retransmit);
  measureRtt(tcp, conn, packet, ack);
  t.ambiguous[conn] = 0;
  afterHandshake(tcp, conn);
  tcp.smallQueues?.updatePacing(tcp, conn);
}
