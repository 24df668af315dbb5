import type { Scalars } from "../../kernel/scalars";
import type { Store, Table } from "../../kernel/state";
import { NONE } from "../../trace/trace";
import type { PacketLog } from "../packets";
import { type CloseReason, NO_CONNECTION, ofOneShape, TcpTimer, type TcpEnv, type TcpOptions } from "./api";
import { LARGEST_WINDOW, newReno, type CongestionControl } from "./congestion";
import { cubic } from "./cubic";
import { ConnectionIndex } from "./connections";
import { Listeners } from "./listeners";
import { Numbers } from "./numbers";
import { Reassembly } from "./reassembly";
import { ResetQueue } from "./resets";
import { Scoreboard } from "./sack";
import { SentSegments } from "./sent";
import { SmallQueues } from "./smallQueues";
import { Writes } from "./writes";
import { State, TimerFor, COUNTERS, tcbSchema, type TcpCounter } from "./tcb";

const PICOSECONDS_PER_MILLISECOND = 1e9;

/** What the parts of TCP share: the tables of one stack and the ways to its surroundings. */
export class TcpCore {
  readonly options: ReturnType<typeof ofOneShape>;
  readonly tcb: Table<typeof tcbSchema>;
  readonly numbers: Numbers;
  readonly counters: Scalars<TcpCounter>;
  readonly scalars: Scalars<"ipId" | "nextPort" | "challenges" | "challengesSince">;
  readonly connections: ConnectionIndex;
  readonly listeners: Listeners;
  readonly reassembly: Reassembly;
  readonly scoreboard: Scoreboard;
  readonly sent: SentSegments;
  readonly resets: ResetQueue;
  readonly writes: Writes;
  readonly congestion: CongestionControl;
  /** Where the system has them. */
  readonly smallQueues: SmallQueues | undefined;
  /** CUBIC's slow start ends by HyStart. */
  readonly hystart: boolean;

  constructor(store: Store, readonly packets: PacketLog, options: TcpOptions, readonly env: TcpEnv, name: string) {
    this.options = ofOneShape(options);
    this.congestion = options.congestion === "cubic" ? cubic : newReno;
    this.hystart = options.hystart === true && options.congestion === "cubic";
    this.tcb = store.shared("TCP connections", tcbSchema);
    this.numbers = new Numbers(store, name, this.tcb);
    // For people: what a stack did before its domain died is in the report as well.
    this.counters = store.within(undefined, () => store.scalars(`${name}: TCP counters`, COUNTERS));
    this.scalars = store.scalars(`${name}: TCP scalars`, ["ipId", "nextPort", "challenges", "challengesSince"]);
    this.connections = new ConnectionIndex(store, name, this.tcb);
    this.listeners = new Listeners(store, name, this.tcb, options);
    this.reassembly = new Reassembly(store);
    this.scoreboard = new Scoreboard(store);
    this.sent = new SentSegments(store);
    this.resets = new ResetQueue(store, name);
    this.writes = new Writes(store);
    const { smallQueues } = options;
    this.smallQueues = smallQueues === undefined || env.below === undefined ? undefined : new SmallQueues(store, smallQueues, env.below, this.numbers);
    store.share({
      tables: [this.tcb, this.scoreboard.intervals.lists, this.reassembly.intervals.lists, this.writes.list, this.sent.lists, ...(this.smallQueues === undefined ? [] : [this.smallQueues.rows])],
      rows: () => this.numbers.all(),
      giveBack: () => this.forgetAll(),
    });
  }

  count(counter: TcpCounter): void {
    this.counters[counter]++;
  }

  /** The clock of the timestamps option, 1 ms a tick (RFC 7323 section 5.4 asks for 1 ms to 1 s). */
  timestampClock(): number {
    return Math.floor(this.env.now() / PICOSECONDS_PER_MILLISECOND) >>> 0;
  }

  arm(conn: number, timer: TcpTimer, at: number): void {
    this.tcb.armed[conn] = this.tcb.armed[conn]! | (1 << timer);
    this.dueColumn(timer)[conn] = at;
    this.env.arm(this.numbers.of(conn), timer, at);
  }

  /** The retransmission timer, for the timeout or for something that comes before it. */
  armRetransmit(conn: number, what: number, at: number): void {
    this.tcb.timerFor[conn] = what;
    this.arm(conn, TcpTimer.retransmit, at);
  }

  /** The timeout begins anew. */
  startTimeout(conn: number): void {
    this.armRetransmit(conn, TimerFor.timeout, this.beginTimeout(conn));
  }

  /** The same for who arms the timer then. @returns when it runs out */
  beginTimeout(conn: number): number {
    return (this.tcb.dueTimeout[conn] = this.env.now() + this.tcb.rto[conn]!);
  }

  /** The timeout goes on as if there had been nothing before it (`tcp_rearm_rto`). */
  resumeTimeout(conn: number): void {
    const now = this.env.now();
    const due = this.tcb.dueTimeout[conn]!;
    this.armRetransmit(conn, TimerFor.timeout, due > now ? due : now);
  }

  disarm(conn: number, timer: TcpTimer): void {
    if (!this.isArmed(conn, timer)) return;
    this.tcb.armed[conn] = this.tcb.armed[conn]! & ~(1 << timer);
    this.env.disarm(this.numbers.of(conn), timer);
  }

  isArmed(conn: number, timer: TcpTimer): boolean {
    return (this.tcb.armed[conn]! & (1 << timer)) !== 0;
  }

  /** Has the timer run out? Not if it was armed anew while word of the earlier time was on its way. */
  isDue(conn: number, timer: TcpTimer): boolean {
    return this.isArmed(conn, timer) && this.env.now() >= this.dueColumn(timer)[conn]!;
  }

  private dueColumn(timer: TcpTimer): Float64Array {
    const t = this.tcb;
    return timer === TcpTimer.retransmit ? t.dueRetransmit : timer === TcpTimer.persist ? t.duePersist : timer === TcpTimer.delayedAck ? t.dueDelayedAck : timer === TcpTimer.timeWait ? t.dueTimeWait : t.dueKeepAlive;
  }

  /** A new block for a 4-tuple that is free, in the index, with an initial sequence number, nothing sent. */
  create(localIp: number, localPort: number, remoteIp: number, remotePort: number, state: number): number {
    const c = this.numbers.take();
    this.scoreboard.intervals.reserve(c);
    this.reassembly.intervals.reserve(c);
    this.writes.reserve(c);
    this.sent.reserve(c);
    this.smallQueues?.reset(c);
    const t = this.tcb;
    t.live[c] = 1;
    t.state[c] = state;
    t.localIp[c] = localIp;
    t.localPort[c] = localPort;
    t.remoteIp[c] = remoteIp;
    t.remotePort[c] = remotePort;
    t.iss[c] = t.sndUna[c] = t.sndNxt[c] = t.sndMax[c] = t.recover[c] = t.highRxt[c] = this.env.random();
    t.unaOffset[c] = -1;
    t.lossCause[c] = NONE;
    t.sndMss[c] = this.options.mss;
    t.cwnd[c] = this.initialWindow(this.options.mss);
    t.ssthresh[c] = LARGEST_WINDOW;
    t.rto[c] = this.clampRto(state === State.synSent ? this.options.synRto : this.options.synAckRto);
    this.connections.add(c);
    return c;
  }

  /** The initial (and restart) window, bytes. */
  initialWindow(mss: number): number {
    const { initialWindow, initialWindowBytes } = this.options;
    const segments = initialWindow * mss;
    return initialWindowBytes === undefined ? segments : Math.min(segments, Math.max(2 * mss, initialWindowBytes));
  }

  clampRto(rto: number): number {
    if (rto < this.options.minRto) return this.options.minRto;
    return rto < this.options.maxRto ? rto : this.options.maxRto;
  }

  /** The connection is gone: no more packets, no more timers. The row stays for as long as the user holds its number. */
  destroy(conn: number, reason: CloseReason): void {
    const t = this.tcb;
    this.disarm(conn, TcpTimer.retransmit);
    this.disarm(conn, TcpTimer.persist);
    this.disarm(conn, TcpTimer.delayedAck);
    this.disarm(conn, TcpTimer.timeWait);
    this.disarm(conn, TcpTimer.keepAlive);
    // An embryonic connection is gone as it came: the user has not heard of it.
    const known = t.listener[conn] === 0 || t.queued[conn] !== 0;
    this.listeners.forget(conn);
    this.connections.remove(conn);
    this.empty(conn);
    t.state[conn] = State.closed;
    t.ackNow[conn] = t.resend[conn] = t.probe[conn] = 0;
    if (known) this.env.closed(this.numbers.of(conn), reason);
    if (t.held[conn] === 0) this.release(conn);
  }

  release(conn: number): void {
    this.tcb.live[conn] = 0;
    this.numbers.release(conn);
  }

  /** Nothing is sent, received or written on a connection any more. */
  private empty(conn: number): void {
    this.scoreboard.intervals.clear(conn);
    this.reassembly.intervals.clear(conn);
    this.writes.forget(conn, Infinity);
    this.sent.clear(conn);
  }

  /** The memory that the stack is in is about to be as it was at first, when there was no connection. What it has of the machine's tables is free. */
  private forgetAll(): void {
    for (const conn of this.numbers.all()) this.empty(conn);
    this.numbers.giveBack();
  }

  /** Queues a reset of a connection: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=RST,ACK> (RFC 9293 section 3.10.5). */
  sendReset(conn: number, flags: number): void {
    const t = this.tcb;
    const cause = this.env.cause();
    this.resets.push(
      t.localIp[conn]!, t.localPort[conn]!, t.remoteIp[conn]!, t.remotePort[conn]!, t.sndNxt[conn]!, t.rcvNxt[conn]!, flags,
      t.stream[conn]!, t.unaOffset[conn]! + ((t.sndNxt[conn]! - t.sndUna[conn]!) >>> 0), cause,
    );
    this.env.wantOutput(NO_CONNECTION, cause);
  }

  /** The interface will cut the packet into frames: each counts as a segment and takes an IP identification of its own. */
  announceFrames(packet: number, length: number, frame: number): void {
    const more = Math.ceil(length / frame) - 1;
    this.packets.setSegmentSize(packet, frame);
    this.scalars.ipId = (this.scalars.ipId + more) & 0xffff;
    this.counters.segmentsSent += more;
  }

  nextIpId(): number {
    const id = this.scalars.ipId;
    this.scalars.ipId = (id + 1) & 0xffff;
    return id;
  }
}
