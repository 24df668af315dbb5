import { TcpFlag } from "../packets";
import { TcpTimer } from "./api";
import type { TcpCore } from "./core";
import { enterWindowReduction } from "./localCongestion";
import { probed, scheduleProbe } from "./lossProbe";
import { SegmentKind, type SegmentPlan } from "./plan";
import { isTimely } from "./sent";
import { before, distance, later } from "./sequence";
import { Resend, State, TimerFor } from "./tcb";
import { countResent } from "./undo";
import { offerWindow } from "./window";

/** Three SACK blocks fit beside timestamps (RFC 2018 section 3). */
const MAX_SACK_BLOCKS = 3;

/** `TCP_RESOURCE_PROBE_INTERVAL`, picoseconds. */
const LOCAL_CONGESTION_WAIT = 500e9;

/**
 * Builds the segment that the plan decides on and notes that it was sent, or asks for the next one: see {@link settle}.
 * @returns the packet, or −1
 */
export function buildSegment(tcp: TcpCore, plan: SegmentPlan, conn: number): number {
  if (!decideNow(tcp, plan, conn)) return -1;
  const t = tcp.tcb;
  const { kind, sequence, length, fin } = plan;
  const syn = kind === SegmentKind.syn;
  const withAck = t.state[conn] !== State.synSent;
  let flags = (withAck ? TcpFlag.ack : 0) | (syn ? TcpFlag.syn : 0) | (fin ? TcpFlag.fin : 0);
  const offset = t.unaOffset[conn]! + distance(sequence, t.sndUna[conn]!);
  // RFC 9293 section 3.9.1.2: PSH on the segment that empties the buffer.
  if (length > 0 && offset + length === t.written[conn]) flags |= TcpFlag.psh;
  const window = withAck ? offerWindow(tcp, conn, syn) : Math.min(tcp.options.receiveBuffer, 65535);
  const packet = tcp.packets.createTcp(
    t.localIp[conn]!, t.remoteIp[conn]!, t.localPort[conn]!, t.remotePort[conn]!, sequence, withAck ? t.rcvNxt[conn]! : 0,
    flags, window, t.stream[conn]!, offset, length, tcp.nextIpId(),
  );
  if (syn) {
    const scale = withAck && t.scaling[conn] === 0 ? -1 : tcp.options.windowScale;
    tcp.packets.setSynOptions(packet, tcp.options.mss, scale, withAck ? t.sack[conn] !== 0 : tcp.options.sack);
    tcp.packets.setInitialSequence(t.stream[conn]!, sequence);
  }
  if (syn && !withAck ? tcp.options.timestamps : t.timestamps[conn] !== 0) {
    tcp.packets.setTimestamps(packet, tcp.timestampClock(), withAck ? t.tsRecent[conn]! : 0);
  }
  if (!syn && t.sack[conn] !== 0) reportBlocks(tcp, conn, packet);
  if (length > plan.frame) tcp.announceFrames(packet, length, plan.frame);
  tcp.counters.segmentsSent++;
  if (withAck) acknowledged(tcp, conn);
  tcp.smallQueues?.sent(conn, packet, length);
  // Of a SYN it does not matter: what ssthresh has become is forgotten when the handshake is over (`tcp_init_metrics`).
  const isRefused = !syn && tcp.options.localCongestion === true && tcp.env.below?.isFull(packet) === true;
  if (isRefused) enterWindowReduction(tcp, conn);
  if (kind === SegmentKind.keepAlive) {
    t.keepAliveNow[conn] = 0;
    tcp.count("keepAliveProbes");
  } else if (kind !== SegmentKind.ack) {
    if (isRefused) return refused(tcp, conn, packet);
    sent(tcp, conn, kind, sequence, length + (fin || syn ? 1 : 0), length);
  }
  settle(tcp, plan, conn);
  return packet;
}

/** The queue below drops the segment: it is as if it had not been sent, and nothing more is asked for. @returns the packet */
function refused(tcp: TcpCore, conn: number, packet: number): number {
  const t = tcp.tcb;
  t.probe[conn] = 0;
  if (t.lossProbe[conn] !== 0) {
    // `tcp_send_loss_probe`: the timeout goes on.
    t.lossProbe[conn] = 0;
    tcp.resumeTimeout(conn);
  }
  if (t.resend[conn] === Resend.timeout) againSoon(tcp, conn);
  awaitWindow(tcp, conn);
  return packet;
}

/** A timeout's segment could not be sent: it is tried again soon, and the timeout is not doubled for that (`tcp_retransmit_timer`). */
function againSoon(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  t.rto[conn] = tcp.clampRto(t.rto[conn]! / 2);
  if (t.retransmits[conn]! > 1) t.retransmits[conn]!--;
  const wait = t.rto[conn]! < LOCAL_CONGESTION_WAIT ? t.rto[conn]! : LOCAL_CONGESTION_WAIT;
  tcp.armRetransmit(conn, TimerFor.timeout, tcp.env.now() + wait);
}

/** SACK blocks: first what came twice (RFC 2883 section 4), then what came last. */
function reportBlocks(tcp: TcpCore, conn: number, packet: number): void {
  const t = tcp.tcb;
  let room = MAX_SACK_BLOCKS;
  if (t.dsack[conn] !== 0) {
    tcp.packets.addSackBlock(packet, t.dsackLeft[conn]!, t.dsackRight[conn]!);
    tcp.count("dsacksSent");
    t.dsack[conn] = 0;
    room--;
  }
  tcp.reassembly.report(conn, tcp.packets, packet, room);
}

/** Books of the sender: SND.NXT, retransmission counts, the segment that is timed, the timer. @param numbers of the sequence space */
function sent(tcp: TcpCore, conn: number, kind: number, sequence: number, numbers: number, length: number): void {
  const t = tcp.tcb;
  const now = tcp.env.now();
  const end = (sequence + numbers) >>> 0;
  t.lastSend[conn] = now;
  // Who answers soon carries the ACK with the answer (`tcp_event_data_sent`).
  if (length > 0 && now - t.lastData[conn]! < tcp.options.delayedAck) t.quickAcks[conn] = 0;
  if (kind === SegmentKind.probe) {
    t.probe[conn] = 0;
    t.probed[conn] = 1;
    tcp.count("probes");
    tcp.arm(conn, TcpTimer.persist, now + persistInterval(tcp, conn));
    return;
  }
  const again = before(sequence, t.sndMax[conn]!);
  if (again) {
    countRetransmission(tcp, conn, kind);
    countResent(tcp, conn);
    t.rttTiming[conn] = 0;
    t.ambiguous[conn] = 1;
    t.ambiguousEnd[conn] = t.sndMax[conn]!;
  } else if (t.rttTiming[conn] === 0 && t.ambiguous[conn] === 0) {
    t.rttTiming[conn] = 1;
    t.rttSeq[conn] = end;
    t.rttStart[conn] = now;
  }
  tcp.counters.bytesSent += length;
  if (t.inRecovery[conn] !== 0 || t.reducing[conn] !== 0) t.prrOut[conn] = t.prrOut[conn]! + numbers;
  if (kind === SegmentKind.resend || kind === SegmentKind.sackResend) t.highRxt[conn] = later(t.highRxt[conn]!, end);
  if (kind === SegmentKind.resend) t.resend[conn] = Resend.none;
  t.probe[conn] = 0;
  if (kind === SegmentKind.data || kind === SegmentKind.syn) t.sndNxt[conn] = end;
  else t.sndNxt[conn] = later(t.sndNxt[conn]!, end);
  t.sndMax[conn] = later(t.sndMax[conn]!, end);
  tcp.disarm(conn, TcpTimer.persist);
  t.persistShift[conn] = 0;
  // RFC 6298 section 5.1; and anew when the oldest segment goes again, so that it has a whole timeout to be answered.
  const begins = !tcp.isArmed(conn, TcpTimer.retransmit) || sequence === t.sndUna[conn];
  const timely = kind !== SegmentKind.syn && isTimely(tcp, conn);
  if (timely) tcp.sent.note(conn, sequence, end, now);
  if (timely && kind === SegmentKind.lossProbe) probed(tcp, conn, again);
  else if (timely && !again) scheduleProbe(tcp, conn, begins);
  else if (begins) tcp.startTimeout(conn);
}

function countRetransmission(tcp: TcpCore, conn: number, kind: number): void {
  if (kind === SegmentKind.syn) tcp.count("retransmittedSyn");
  else if (kind === SegmentKind.lossProbe) tcp.count("retransmittedByProbe");
  else if (kind === SegmentKind.sackResend) tcp.count("retransmittedBySack");
  else if (kind === SegmentKind.resend && tcp.tcb.resend[conn] === Resend.fast) tcp.count("retransmittedFast");
  else tcp.count("retransmittedByTimeout");
}

/** Every segment with an ACK settles what was to be acknowledged. */
function acknowledged(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  t.ackNow[conn] = 0;
  t.lastAckSent[conn] = t.rcvNxt[conn]!;
  if (t.quickAcks[conn]! > 0) t.quickAcks[conn]!--;
  if (t.ackDelayed[conn] !== 0) {
    t.ackDelayed[conn] = 0;
    tcp.disarm(conn, TcpTimer.delayedAck);
  }
}

/** After any change: asks for output if there is something to send, or arms the persist timer if only the window forbids it. */
export function settle(tcp: TcpCore, plan: SegmentPlan, conn: number): void {
  const t = tcp.tcb;
  if (t.live[conn] === 0) return;
  if (decideNow(tcp, plan, conn)) {
    tcp.env.wantOutput(tcp.numbers.of(conn), causeOf(tcp, plan, conn));
    if (plan.kind !== SegmentKind.ack && plan.kind !== SegmentKind.keepAlive) return;
  }
  awaitWindow(tcp, conn);
}

/** Decides; if a segment has to wait for those below, that is noted. */
function decideNow(tcp: TcpCore, plan: SegmentPlan, conn: number): boolean {
  const decided = plan.decide(tcp, conn);
  if (plan.held) tcp.smallQueues!.throttle(conn);
  return decided;
}

/** Where something is left to send, and no ACK is to come that would let it go, the persist timer does. */
function awaitWindow(tcp: TcpCore, conn: number): void {
  const t = tcp.tcb;
  const state = t.state[conn]!;
  if (state < State.established || state === State.finWait2 || state === State.timeWait) return;
  if (t.sndMax[conn] !== t.sndUna[conn] || tcp.isArmed(conn, TcpTimer.persist) || t.probe[conn] !== 0) return;
  const finWanted = state === State.finWait1 || state === State.closing || state === State.lastAck;
  if (t.written[conn]! + (finWanted ? 1 : 0) <= t.unaOffset[conn]!) return;
  tcp.arm(conn, TcpTimer.persist, tcp.env.now() + persistInterval(tcp, conn));
}

/**
 * Who asks for the segment. New data: the call that wrote its first byte, and an ACK that opens the window only lets it go. What goes again: what found
 * it lost, and an ACK that lets the next one go does no more. All else: what is done now.
 */
function causeOf(tcp: TcpCore, plan: SegmentPlan, conn: number): number {
  const t = tcp.tcb;
  const { kind, sequence } = plan;
  if (kind === SegmentKind.syn || kind === SegmentKind.ack || kind === SegmentKind.keepAlive) return tcp.env.cause();
  if (before(sequence, t.sndMax[conn]!)) return t.lossCause[conn]!;
  return tcp.writes.causeAt(conn, t.unaOffset[conn]! + distance(sequence, t.sndUna[conn]!));
}

/** RFC 9293 section 3.8.6.1: the first probe after one RTO, then exponentially further apart. */
export function persistInterval(tcp: TcpCore, conn: number): number {
  return tcp.clampRto(tcp.tcb.rto[conn]! * (1 << Math.min(tcp.tcb.persistShift[conn]!, 12)));
}
