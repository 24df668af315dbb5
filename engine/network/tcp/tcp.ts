import type { Scope, Variable } from "../../inspect";
import type { Scalars } from "../../kernel/scalars";
import type { Store } from "../../kernel/state";
import { NONE } from "../../trace/trace";
import { TcpFlag, type PacketLog } from "../packets";
import { CloseReason, NO_CONNECTION, TcpTimer, type TcpEnv, type TcpOptions } from "./api";
import { awaitFin } from "./acknowledge";
import { TcpCore } from "./core";
import { describeConnection, describeStack } from "./describe";
import { segmentArrives } from "./input";
import { buildSegment, settle } from "./output";
import { SegmentPlan } from "./plan";
import { STATE_NAMES, State, type TcpCounter } from "./tcb";
import { expire } from "./timers";
import { answersRead } from "./window";
import { unreachable, type Unreachable } from "./unreachable";

export { CloseReason, NO_CONNECTION, TcpTimer, linuxTcp, netbsdTcp, rumpTcp, type Discard, type QueuesBelow, type TcpEnv, type TcpOptions } from "./api";
export { State } from "./tcb";

/**
 * One host's TCP: many connections, all state in tables. It never acts by itself: segments come by `input`, time by `timeout`, and what
 * it wants goes to its {@link TcpEnv}. A connection's number is valid until the user's `close` or `abort` and `TcpEnv.closed`, both.
 * It is the stack's own, here and in `TcpEnv`; inside, a connection is a row of what all stacks share: see {@link Numbers}.
 */
export class TcpStack {
  private readonly tcp: TcpCore;
  private readonly plan = new SegmentPlan();

  /** @param name the component's path: the tables are named by it */
  constructor(store: Store, packets: PacketLog, options: TcpOptions, env: TcpEnv, name: string) {
    this.tcp = new TcpCore(store, packets, options, env, name);
  }

  /** One row: what has been counted so far. */
  get counters(): Scalars<TcpCounter> {
    return this.tcp.counters;
  }

  /**
   * @param ip 0: any local address
   * @param backlog connections that may wait for `accept`, as far as the system allows; what happens to more is in `listeners.ts`
   */
  listen(ip: number, port: number, backlog: number): void {
    this.tcp.listeners.add(ip, port, backlog);
  }

  /** Stops listening; connections that were not accepted are reset. */
  unlisten(ip: number, port: number): void {
    const { tcp } = this;
    const listener = tcp.listeners.find(ip, port);
    if (listener < 0) return;
    for (let number = 0; number < tcp.numbers.count; number++) {
      const conn = tcp.numbers.row(number);
      if (tcp.tcb.live[conn] === 1 && tcp.tcb.listener[conn] === listener + 1) this.abort(number);
    }
    tcp.listeners.remove(listener);
  }

  /** Takes the oldest connection from the accept queue of the listener for (ip, port); −1: none. */
  accept(ip: number, port: number): number {
    const listener = this.tcp.listeners.find(ip, port);
    if (listener < 0) return NO_CONNECTION;
    const conn = this.tcp.listeners.dequeue(listener);
    if (conn < 0) return NO_CONNECTION;
    this.tcp.tcb.held[conn] = 1;
    return this.tcp.numbers.of(conn);
  }

  /**
   * Active open.
   * @param localPort 0: a free dynamic port
   * @returns the connection, or −1 where the 4-tuple is in use or no port is free
   */
  connect(localIp: number, localPort: number, remoteIp: number, remotePort: number): number {
    const { tcp } = this;
    const port = localPort !== 0 ? localPort : this.dynamicPort(localIp, remoteIp, remotePort);
    if (port === 0 || tcp.connections.find(localIp, port, remoteIp, remotePort) >= 0) return NO_CONNECTION;
    const conn = tcp.create(localIp, port, remoteIp, remotePort, State.synSent);
    tcp.tcb.held[conn] = 1;
    tcp.tcb.stream[conn] = tcp.packets.openStreams();
    if (tcp.options.connectTimeout !== undefined) tcp.arm(conn, TcpTimer.keepAlive, tcp.env.now() + tcp.options.connectTimeout);
    settle(tcp, this.plan, conn);
    return tcp.numbers.of(conn);
  }

  /** Appends to the send buffer. @returns bytes taken: fewer than asked when it is full, 0 when the connection takes no more */
  send(number: number, bytes: number): number {
    const { tcp } = this;
    const conn = tcp.numbers.row(number);
    const t = tcp.tcb;
    const state = t.state[conn]!;
    if (t.closeWanted[conn] !== 0 || state === State.closed || (state > State.established && state !== State.closeWait)) return 0;
    const accepted = Math.min(bytes, this.sendSpace(number));
    if (accepted <= 0) return 0;
    if (t.sndMax[conn] === t.sndUna[conn] && state >= State.established && tcp.env.now() - t.lastSend[conn]! > t.rto[conn]!) {
      // RFC 5681 section 4.1: an idle connection starts anew.
      t.cwnd[conn] = Math.min(t.cwnd[conn]!, tcp.initialWindow(t.sndMss[conn]!));
    }
    t.written[conn] = t.written[conn]! + accepted;
    tcp.writes.note(conn, t.written[conn], tcp.env.cause());
    settle(tcp, this.plan, conn);
    return accepted;
  }

  /** A segment was not sent, as its neighbour does not answer. */
  unreachable(packet: number, why: Unreachable): void {
    unreachable(this.tcp, packet, why);
  }

  /** TCP_NODELAY: small segments are sent though others are on the way. */
  setNoDelay(number: number): void {
    this.tcp.tcb.noDelay[this.tcp.numbers.row(number)] = 1;
  }

  /** SO_KEEPALIVE: a peer that is silent for long is asked whether it is still there. */
  setKeepAlive(number: number): void {
    const { tcp } = this;
    const conn = tcp.numbers.row(number);
    tcp.tcb.keepAlive[conn] = 1;
    tcp.tcb.lastReceive[conn] = tcp.env.now();
    // Until the handshake is over, the timer may be that of the handshake.
    if (!tcp.isArmed(conn, TcpTimer.keepAlive)) tcp.arm(conn, TcpTimer.keepAlive, tcp.env.now() + tcp.options.keepAlive.idle);
  }

  /** Room in the send buffer, bytes. */
  sendSpace(number: number): number {
    const conn = this.tcp.numbers.row(number);
    const t = this.tcp.tcb;
    return this.tcp.options.sendBuffer - (t.written[conn]! - Math.max(0, t.unaOffset[conn]!));
  }

  /** Bytes in order that the user has not read. */
  available(number: number): number {
    const conn = this.tcp.numbers.row(number);
    return this.tcp.tcb.rcvOffset[conn]! - this.tcp.tcb.consumed[conn]!;
  }

  /** Reads. @returns bytes read */
  receive(number: number, max: number): number {
    const { tcp } = this;
    const conn = tcp.numbers.row(number);
    const bytes = Math.min(max, this.available(number));
    if (bytes <= 0) return 0;
    tcp.tcb.consumed[conn] = tcp.tcb.consumed[conn]! + bytes;
    if (tcp.tcb.state[conn] !== State.closed && answersRead(tcp, conn)) {
      tcp.tcb.ackNow[conn] = 1;
      settle(tcp, this.plan, conn);
    }
    return bytes;
  }

  /** The peer has closed and everything was read; also after a reset. */
  atEof(number: number): boolean {
    const conn = this.tcp.numbers.row(number);
    const t = this.tcp.tcb;
    return (t.finReceived[conn] !== 0 || t.state[conn] === State.closed) && this.available(number) === 0;
  }

  /** Closes the sending direction; the number stays the user's, who may read on. */
  shutdown(number: number): void {
    const { tcp } = this;
    const conn = tcp.numbers.row(number);
    const t = tcp.tcb;
    switch (t.state[conn]) {
      case State.synSent:
        tcp.destroy(conn, CloseReason.normal);
        return;
      case State.synReceived:
        t.closeWanted[conn] = 1;
        tcp.writes.note(conn, t.written[conn]! + 1, tcp.env.cause());
        return;
      case State.established:
        t.state[conn] = State.finWait1;
        break;
      case State.closeWait:
        t.state[conn] = State.lastAck;
        break;
      default:
        return;
    }
    tcp.writes.note(conn, t.written[conn]! + 1, tcp.env.cause());
    settle(tcp, this.plan, conn);
  }

  /** Closes in order and gives the number back; data that arrives from now on is answered by a reset. */
  close(number: number): void {
    const conn = this.tcp.numbers.row(number);
    const t = this.tcp.tcb;
    if (t.state[conn] === State.closed) {
      if (t.live[conn] !== 0) this.tcp.release(conn);
      return;
    }
    t.held[conn] = 0;
    if (t.state[conn] === State.finWait2) awaitFin(this.tcp, conn);
    this.shutdown(number);
  }

  /** Closes at once, with a reset where the peer knows of the connection, and gives the number back. */
  abort(number: number): void {
    const { tcp } = this;
    const conn = tcp.numbers.row(number);
    const t = tcp.tcb;
    const state = t.state[conn]!;
    if (state === State.closed) {
      if (t.live[conn] !== 0) tcp.release(conn);
      return;
    }
    t.held[conn] = 0;
    if (state !== State.synSent && state !== State.timeWait) tcp.sendReset(conn, TcpFlag.rst | TcpFlag.ack);
    tcp.destroy(conn, CloseReason.aborted);
  }

  /** The connection that a packet addressed to this stack is of, or −1. */
  connectionOf(packet: number): number {
    const { packets, connections, numbers } = this.tcp;
    const conn = connections.find(packets.destinationIp(packet), packets.destinationPort(packet), packets.sourceIp(packet), packets.sourcePort(packet));
    return conn < 0 ? NO_CONNECTION : numbers.of(conn);
  }

  /** A packet addressed to this stack. */
  input(packet: number): void {
    const conn = segmentArrives(this.tcp, packet);
    if (conn >= 0) settle(this.tcp, this.plan, conn);
  }

  /** Would `output` return a segment now? Changes nothing. */
  outputReady(number: number): boolean {
    return this.plan.decide(this.tcp, this.tcp.numbers.row(number));
  }

  /** Payload bytes of the segment that `output` would return: 0 for one without data, −1 for none. Changes nothing. */
  nextOutputLength(number: number): number {
    return this.plan.decide(this.tcp, this.tcp.numbers.row(number)) ? this.plan.length : -1;
  }

  /** Builds one segment. @returns the packet, or −1 if there is nothing to send */
  output(number: number): number {
    return buildSegment(this.tcp, this.plan, this.tcp.numbers.row(number));
  }

  /** Whether it counts when a segment is freed: see {@link freed}. */
  counts(packet: number): boolean {
    return this.tcp.smallQueues !== undefined && this.tcp.packets.payloadLength(packet) > 0;
  }

  /** A segment of the stack's own was sent, or thrown away on its way, and its memory is free. */
  freed(packet: number): void {
    const { smallQueues, packets } = this.tcp;
    const length = packets.payloadLength(packet);
    if (smallQueues === undefined || length === 0) return;
    const conn = this.senderOf(packet);
    if (conn >= 0) smallQueues.freed(conn, length);
  }

  /** The transmit queue that the connection of a segment of the stack's own keeps to, or −1: see {@link SmallQueues.queueOf}. */
  queueOf(packet: number): number {
    const { smallQueues } = this.tcp;
    const conn = smallQueues === undefined ? -1 : this.senderOf(packet);
    return conn < 0 ? NONE : smallQueues!.queueOf(conn);
  }

  /** The segment goes to a transmit queue. */
  queued(packet: number, q: number): void {
    const { smallQueues } = this.tcp;
    const conn = smallQueues === undefined ? -1 : this.senderOf(packet);
    if (conn >= 0) smallQueues!.queued(conn, q);
  }

  /** The connection that a segment of the stack's own is of, or one below 0: also where another one has the same ports by now. */
  private senderOf(packet: number): number {
    const { connections, packets, tcb } = this.tcp;
    const conn = connections.find(packets.sourceIp(packet), packets.sourcePort(packet), packets.destinationIp(packet), packets.destinationPort(packet));
    return conn >= 0 && tcb.stream[conn] === packets.stream(packet) ? conn : NONE;
  }

  /** A segment may go that has waited for others of its connection to be freed (`tcp_tsq_handler`). */
  resume(number: number): void {
    const conn = this.tcp.numbers.row(number);
    this.tcp.smallQueues?.resumed(conn);
    settle(this.tcp, this.plan, conn);
  }

  /** The packet that a connection has sent last, where that is kept; or −1. */
  lastPacket(number: number): number {
    return this.tcp.smallQueues?.rows.last[this.tcp.numbers.row(number)] ?? NONE;
  }

  /** Is a reset waiting for `nextReset`? */
  get resetReady(): boolean {
    return !this.tcp.resets.isEmpty;
  }

  /** Where `nextReset` goes; 0 where none waits. */
  get nextResetTo(): number {
    const { resets } = this.tcp;
    return resets.isEmpty ? 0 : resets.rows.remoteIp[resets.first]!;
  }

  /** The row that asked for it. */
  get nextResetCause(): number {
    const { resets } = this.tcp;
    return resets.rows.cause[resets.first]!;
  }

  /** Builds the oldest reset that belongs to no connection. @returns the packet, or −1 */
  nextReset(): number {
    const { tcp } = this;
    const r = tcp.resets.shift();
    if (r < 0) return -1;
    const q = tcp.resets.rows;
    tcp.count("resetsSent");
    tcp.count("segmentsSent");
    return tcp.packets.createTcp(
      q.localIp[r]!, q.remoteIp[r]!, q.localPort[r]!, q.remotePort[r]!, q.seq[r]!, q.ack[r]!, q.flags[r]!, 0, q.stream[r]!, q.offset[r]!, 0, tcp.nextIpId(),
    );
  }

  /** A timer that was armed has run out. */
  timeout(number: number, timer: TcpTimer): void {
    const conn = this.tcp.numbers.row(number);
    expire(this.tcp, conn, timer);
    settle(this.tcp, this.plan, conn);
  }

  /** What a connection's retransmission timer runs out for, {@link TimerFor}. */
  timerFor(number: number): number {
    return this.tcp.tcb.timerFor[this.tcp.numbers.row(number)]!;
  }

  /** The payload stream that this end sends. */
  sendStream(number: number): number {
    return this.tcp.tcb.stream[this.tcp.numbers.row(number)]!;
  }

  /** The payload stream that the other end sends. */
  receiveStream(number: number): number {
    return this.tcp.tcb.stream[this.tcp.numbers.row(number)]! ^ 1;
  }

  /** Bytes ever given to `send`: the stream offset of the next one. */
  sendOffset(number: number): number {
    return this.tcp.tcb.written[this.tcp.numbers.row(number)]!;
  }

  /** Bytes ever read: the stream offset of the next one. */
  receiveOffset(number: number): number {
    return this.tcp.tcb.consumed[this.tcp.numbers.row(number)]!;
  }

  /** Bytes that the other end has acknowledged. */
  acknowledged(number: number): number {
    const conn = this.tcp.numbers.row(number);
    return Math.min(this.tcp.tcb.written[conn]!, Math.max(0, this.tcp.tcb.unaOffset[conn]!));
  }

  state(number: number): number {
    return this.tcp.tcb.state[this.tcp.numbers.row(number)]!;
  }

  stateName(number: number): string {
    return STATE_NAMES[this.state(number)]!;
  }

  remoteIp(number: number): number {
    return this.tcp.tcb.remoteIp[this.tcp.numbers.row(number)]!;
  }

  localPort(number: number): number {
    return this.tcp.tcb.localPort[this.tcp.numbers.row(number)]!;
  }

  /** The transmission control block, with RFC 9293's names. */
  describe(number: number): Variable[] {
    return describeConnection(this.tcp, this.tcp.numbers.row(number));
  }

  /** Listeners, connections and counters. */
  describeAll(): Scope {
    return describeStack(this.tcp);
  }

  /** The system has booted anew. What Linux keeps secret is another then (`inet_ehash_secret`): here one offset for all peers. */
  booted(): void {
    const { scalars, env, options: { portChoice, dynamicPorts: [first, last] } } = this.tcp;
    if (portChoice === "upwards") scalars.nextPort = env.randomPort(last - first + 1);
  }

  /**
   * The next one, as the system chooses, that the 4-tuple is free with, and that nobody listens on; 0: none. When the machine is switched on, Linux begins at the first of
   * its ports: it could be any, and only that it is another after each boot shows.
   */
  private dynamicPort(localIp: number, remoteIp: number, remotePort: number): number {
    const { scalars, connections, listeners, env, options: { portChoice, dynamicPorts: [first, last] } } = this.tcp;
    const ports = last - first + 1;
    const from = portChoice === "random" ? env.randomPort(ports) : scalars.nextPort;
    for (let n = 0; n < ports; n++) {
      const nth = (from + n) % ports;
      const port = portChoice === "downwards" ? last - nth : first + nth;
      if (connections.find(localIp, port, remoteIp, remotePort) >= 0 || listeners.find(localIp, port) >= 0) continue;
      scalars.nextPort = (nth + 1) % ports;
      return port;
    }
    return 0;
  }
}
