import { TcpFlag, TcpOption } from "../packets";
import { CloseReason, NO_CONNECTION, TcpTimer } from "./api";
import { acknowledge, challenge, enterTimeWait } from "./acknowledge";
import type { TcpCore } from "./core";
import { inSynReceived, inSynSent, withoutConnection } from "./handshake";
import { after, before, distance } from "./sequence";
import { State } from "./tcb";

/** A segment smaller than this is not taken for the peer's full size (RFC 9293 section 3.7.1: the default MSS). */
const SMALLEST_FULL_SEGMENT = 536;

/** SEGMENT ARRIVES (RFC 9293 section 3.10.7). @returns the connection that it was for, or −1 */
export function segmentArrives(tcp: TcpCore, packet: number): number {
  const { packets } = tcp;
  tcp.counters.segmentsReceived++;
  if (packets.isCorrupted(packet)) {
    tcp.count("corrupted");
    tcp.env.discarded(packet, "corrupted");
    return NO_CONNECTION;
  }
  const conn = tcp.connections.find(packets.destinationIp(packet), packets.destinationPort(packet), packets.sourceIp(packet), packets.sourcePort(packet));
  if (conn < 0) return withoutConnection(tcp, packet);
  const state = tcp.tcb.state[conn]!;
  tcp.tcb.lastReceive[conn] = tcp.env.now();
  tcp.tcb.keepAliveProbes[conn] = 0;
  if (state === State.synSent) inSynSent(tcp, conn, packet);
  else if (state === State.timeWait && reopens(tcp, conn, packet)) return withoutConnection(tcp, packet);
  else synchronised(tcp, conn, packet);
  return conn;
}

/** A new SYN with a later timestamp or beyond the old sequence numbers may end TIME_WAIT early (RFC 6191 section 2). */
function reopens(tcp: TcpCore, conn: number, packet: number): boolean {
  const { packets } = tcp;
  if ((packets.flags(packet) & (TcpFlag.syn | TcpFlag.ack | TcpFlag.rst)) !== TcpFlag.syn) return false;
  const newer = tcp.tcb.timestamps[conn] !== 0 && packets.hasOption(packet, TcpOption.timestamps) &&
    after(packets.timestampValue(packet), tcp.tcb.tsRecent[conn]!);
  if (!newer && !after(packets.sequence(packet), tcp.tcb.rcvNxt[conn]!)) return false;
  if (tcp.listeners.find(packets.destinationIp(packet), packets.destinationPort(packet)) < 0) return false;
  tcp.destroy(conn, CloseReason.normal);
  return true;
}

/** All states from SYN-RECEIVED on (RFC 9293 section 3.10.7.4), with the checks of RFC 5961 and RFC 7323. */
function synchronised(tcp: TcpCore, conn: number, packet: number): void {
  const t = tcp.tcb;
  const { packets } = tcp;
  const flags = packets.flags(packet);
  let seq = packets.sequence(packet);
  if ((flags & TcpFlag.rst) !== 0) {
    resetArrives(tcp, conn, packet, seq);
    return;
  }
  if (t.timestamps[conn] !== 0 && !timestampAcceptable(tcp, conn, packet)) return;
  if ((flags & TcpFlag.syn) !== 0) {
    if (t.state[conn] !== State.synReceived || seq !== t.irs[conn]) {
      tcp.env.discarded(packet, "synInConnection");
      challenge(tcp, conn);
      return;
    }
    if ((flags & TcpFlag.ack) === 0) {
      // The peer's SYN again: our SYN,ACK was lost.
      t.sndNxt[conn] = t.iss[conn]!;
      return;
    }
    seq = (seq + 1) >>> 0;
  }
  let length = packets.payloadLength(packet);
  let fin = (flags & TcpFlag.fin) !== 0 ? 1 : 0;
  const bare = length + fin === 0;
  const next = t.rcvNxt[conn]!;
  // Its data has been thrown away, which is said once.
  let discarded = false;

  // What was received before is cut off; if nothing is left, the ACK still counts.
  const old = distance(next, seq);
  if (old > 0) {
    if (length > 0) reportDuplicate(tcp, conn, seq, old < length ? next : (seq + length) >>> 0);
    if (old >= length + fin) {
      t.ackNow[conn] = 1;
      if (length > 0) {
        tcp.count("duplicates");
        tcp.env.discarded(packet, "duplicate");
        discarded = true;
      }
      if (fin !== 0 && t.state[conn] === State.timeWait) enterTimeWait(tcp, conn);
      length = fin = 0;
    } else {
      length -= old;
    }
    seq = next;
  }
  // So is what lies beyond the window.
  const window = Math.max(0, distance(t.rcvAdv[conn]!, next));
  const beyond = distance(seq, next) + length + fin - window;
  if (beyond > 0) {
    t.ackNow[conn] = 1;
    if (seq === next && window === 0) {
      tcp.env.discarded(packet, "windowClosed");
      discarded = true;
      length = fin = 0;
    } else if (beyond >= length + fin) {
      tcp.env.discarded(packet, "beyondWindow");
      return;
    } else {
      length -= beyond - fin;
      fin = 0;
    }
  }
  if (t.timestamps[conn] !== 0 && !after(seq, t.lastAckSent[conn]!) && packets.hasOption(packet, TcpOption.timestamps)) {
    t.tsRecent[conn] = packets.timestampValue(packet);
  }
  if ((flags & TcpFlag.ack) === 0) {
    if (!discarded) tcp.env.discarded(packet, "noAck");
    return;
  }
  if (t.state[conn] === State.synReceived) {
    if (!inSynReceived(tcp, conn, packet)) return;
  } else if (!acknowledge(tcp, conn, packet, packets.acknowledgement(packet), bare)) {
    if (!discarded) tcp.env.discarded(packet, "badAck");
    return;
  }
  if (length + fin > 0) text(tcp, conn, packet, seq, length, fin);
}

/** RFC 5961 section 3.2: only a reset with exactly the expected number is believed. */
function resetArrives(tcp: TcpCore, conn: number, packet: number, seq: number): void {
  const t = tcp.tcb;
  const offset = distance(seq, t.rcvNxt[conn]!);
  if (offset === 0) {
    tcp.count("resetsReceived");
    tcp.destroy(conn, t.state[conn] === State.timeWait ? CloseReason.normal : CloseReason.reset);
    return;
  }
  tcp.env.discarded(packet, "badReset");
  if (offset > 0 && offset < distance(t.rcvAdv[conn]!, t.rcvNxt[conn]!)) challenge(tcp, conn);
}

/** RFC 7323 sections 3.2 and 5.3: without the option agreed on, or with an older timestamp than the last in order, a segment is dropped. */
function timestampAcceptable(tcp: TcpCore, conn: number, packet: number): boolean {
  const t = tcp.tcb;
  if (!tcp.packets.hasOption(packet, TcpOption.timestamps)) {
    tcp.env.discarded(packet, "noTimestamp");
    return false;
  }
  if (!before(tcp.packets.timestampValue(packet), t.tsRecent[conn]!)) return true;
  tcp.count("pawsDropped");
  tcp.env.discarded(packet, "oldTimestamp");
  t.ackNow[conn] = 1;
  // An old segment that comes after what was sent again for it is no news, but tells the sender so (`tcp_send_dupack`).
  const seq = tcp.packets.sequence(packet);
  const end = (seq + tcp.packets.payloadLength(packet)) >>> 0;
  const next = t.rcvNxt[conn]!;
  if (seq !== end && before(seq, next)) reportDuplicate(tcp, conn, seq, before(next, end) ? next : end);
  return false;
}

/** Data and FIN, within the window (RFC 9293 section 3.10.7.4, seventh and eighth check). @param seq of what has not been received before, as are `length` and `fin` */
function text(tcp: TcpCore, conn: number, packet: number, seq: number, length: number, fin: number): void {
  const t = tcp.tcb;
  const state = t.state[conn]!;
  if (state !== State.established && state !== State.finWait1 && state !== State.finWait2) {
    tcp.env.discarded(packet, "afterFin");
    return;
  }
  if (length > 0 && state !== State.established && t.held[conn] === 0) {
    // RFC 1122 section 4.2.2.13: data for a user who has closed is lost, and the peer is told so.
    tcp.env.discarded(packet, "afterClose");
    tcp.sendReset(conn, TcpFlag.rst | TcpFlag.ack);
    tcp.destroy(conn, CloseReason.aborted);
    return;
  }
  // Of each of those that were joined (Linux `tcp_measure_rcv_mss`).
  const segment = tcp.packets.isLong(packet) ? tcp.packets.segmentSize(packet) : length;
  if (segment > t.rcvSegment[conn]!) t.rcvSegment[conn] = Math.min(segment, tcp.options.mss);
  const end = (seq + length) >>> 0;
  if (fin !== 0) {
    t.finSeen[conn] = 1;
    t.finSeq[conn] = end;
  }
  if (seq === t.rcvNxt[conn]) {
    const gap = !tcp.reassembly.isEmpty(conn);
    if (length > 0) inOrder(tcp, conn, gap ? tcp.reassembly.take(conn, end) : end, gap);
  } else {
    tcp.count("outOfOrder");
    if (length > 0 && tcp.reassembly.insert(conn, seq, end) === 0) {
      tcp.count("duplicates");
      tcp.env.discarded(packet, "heldBefore");
      reportDuplicate(tcp, conn, seq, end);
    }
    // RFC 5681 section 4.2: at once, so that the sender learns of the gap.
    t.ackNow[conn] = 1;
  }
  if (t.finSeen[conn] !== 0 && t.finReceived[conn] === 0 && t.rcvNxt[conn] === t.finSeq[conn]) finArrives(tcp, conn);
}

/** The next ACK will say what came twice (RFC 2883). */
function reportDuplicate(tcp: TcpCore, conn: number, left: number, right: number): void {
  const t = tcp.tcb;
  if (t.sack[conn] === 0 || tcp.options.dsack !== true) return;
  t.dsack[conn] = 1;
  t.dsackLeft[conn] = left;
  t.dsackRight[conn] = right;
}

/** Bytes up to `end` are in order. ACK: at least every second full segment, and at once when a gap closes (RFC 5681 section 4.2). */
function inOrder(tcp: TcpCore, conn: number, end: number, gap: boolean): void {
  const t = tcp.tcb;
  const bytes = distance(end, t.rcvNxt[conn]!);
  t.rcvNxt[conn] = end;
  t.rcvOffset[conn] = t.rcvOffset[conn]! + bytes;
  tcp.counters.bytesReceived += bytes;
  const full = Math.max(t.rcvSegment[conn]!, SMALLEST_FULL_SEGMENT);
  const now = tcp.env.now();
  // `tcp_event_data_recv`: at the first data, and after a silence longer than the retransmission timeout.
  if (tcp.options.quickAcks !== undefined && (t.lastData[conn] === 0 || now - t.lastData[conn]! > t.rto[conn]!)) t.quickAcks[conn] = tcp.options.quickAcks;
  t.lastData[conn] = now;
  if (gap || tcp.options.delayedAck === 0 || t.quickAcks[conn]! > 0 || distance(end, t.lastAckSent[conn]!) >= 2 * full) {
    t.ackNow[conn] = 1;
  } else if (t.ackDelayed[conn] === 0) {
    t.ackDelayed[conn] = 1;
    tcp.arm(conn, TcpTimer.delayedAck, now + tcp.options.delayedAck);
  }
  tcp.env.readable(tcp.numbers.of(conn));
}

function finArrives(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  t.rcvNxt[conn] = t.finSeq[conn]! + 1;
  t.finReceived[conn] = 1;
  t.ackNow[conn] = 1;
  if (t.state[conn] === State.established) t.state[conn] = State.closeWait;
  else if (t.state[conn] === State.finWait1) t.state[conn] = State.closing;
  else if (t.state[conn] === State.finWait2) enterTimeWait(tcp, conn);
  tcp.env.readable(tcp.numbers.of(conn));
}
