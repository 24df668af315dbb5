import type { Kernel } from "../kernel/kernel";
import { Priority } from "../kernel/queue";
import type { DomainPlace, Placement } from "../machine/machine";
import { Protocol } from "../network/packets";
import { CloseReason, NO_CONNECTION, TcpStack, linuxTcp, netbsdTcp, rumpTcp, type Discard, type QueuesBelow, type TcpEnv, type TcpOptions, type TcpTimer } from "../network/tcp/tcp";
import { NONE } from "../trace/trace";
import type { NetworkInterface } from "./interface";
import type { OwnedSockets } from "./ownedSockets";
import type { SocketUser } from "./socketUser";
import type { SoftInterrupts } from "./softInterrupts";

/** Ops of the stack that are about connections: all from here on, up to those of ARP. */
export const StreamOp = { output: 1, timeout: 2, timer: 3, reset: 4, left: 6, resume: 7 } as const;

/** A connection has fewer timers than this power of two (`TcpTimer`). */
const TIMER_BITS = 3;

/** Of a timer's event: which it is, and by which number the stack's soft interrupts know the vCPU that armed it. */
export const timerOf = (b: number): TcpTimer => (b & ((1 << TIMER_BITS) - 1)) as TcpTimer;
export const vcpuOf = (b: number): number => b >> TIMER_BITS;

/** IPv4 and TCP headers with all options, which a long segment's length includes. */
const LONGEST_HEADERS = 20 + 60;
/** IPv4 and TCP headers without options (RFC 6691). */
const HEADERS_IP_TCP = 40;

/** A kernel of NetBSD is known by its locks. */
const defaultsOf = ({ system, locking }: DomainPlace): TcpOptions => (system === "linux" ? linuxTcp : locking?.startsWith("netbsd") === true ? netbsdTcp : rumpTcp);

/** What is around the sockets in their stack. */
export interface AroundSockets {
  /** The interface that ports are bound at. */
  readonly wire: NetworkInterface;
  /** TCP has a segment, something was answered by an address, a segment is thrown away: see `TcpEnv`. */
  wantOutput(conn: number, cause: number): void;
  answered(ip: number): void;
  discarded(packet: number, why: Discard): void;
}

/**
 * TCP sockets of one stack: whose each connection is, who listens on which port, and the timers that TCP asks for. They are what TCP asks, by methods: a function of
 * each stack's own for each question would be an object, which with hundreds of stacks has left the caches when it is called.
 */
export class StreamSockets implements TcpEnv {
  readonly tcp: TcpStack;
  private readonly conn;
  /** Handles of armed timers, plus one; 0: not armed. A connection's are beside each other, at `conn << TIMER_BITS`. */
  private readonly timer;
  private readonly listener;
  private readonly failed;
  /** Applications ask for it on each of their connections (SO_KEEPALIVE). */
  private readonly keepsAlive: boolean;
  private readonly kernel: Kernel;
  /** The random stream of initial sequence numbers. */
  private readonly iss: number;
  /** That of dynamic ports. It goes on when the domain boots anew, as all streams do. */
  private readonly ports: number;

  constructor(
    private readonly place: Placement, private readonly component: number, private readonly ip: number, private readonly users: readonly SocketUser[],
    private readonly around: AroundSockets, readonly below: QueuesBelow, private readonly owned: OwnedSockets, private readonly softints: SoftInterrupts,
  ) {
    const { machine, domain, spec } = place;
    const { kernel } = machine;
    this.kernel = kernel;
    this.conn = kernel.store.table(`sockets of ${spec.path}`, {
      user: "i32", port: "u16", live: "u8", wanted: "u8",
    });
    this.timer = kernel.store.table(`timers of the sockets of ${spec.path}`, { handle: "i32" }, 8 << TIMER_BITS);
    this.listener = kernel.store.table(`listeners of ${spec.path}`, { port: "u16", user: "u16" });
    this.failed = kernel.functions({
      "connection failed: EHOSTUNREACH": { kind: "violation", a: "connection" },
      "connection failed: EHOSTDOWN": { kind: "violation", a: "connection" },
    });
    this.iss = kernel.random.open(spec.path, "initial sequence numbers");
    this.ports = kernel.random.open(spec.path, "dynamic ports");
    const base = defaultsOf(domain);
    const { congestion = base.congestion, keepalive } = spec.options as { readonly congestion?: TcpOptions["congestion"]; readonly keepalive?: number };
    this.keepsAlive = keepalive !== undefined;
    const keepAlive = { ...base.keepAlive, ...(keepalive === undefined ? {} : { idle: keepalive }) };
    this.tcp = new TcpStack(kernel.store, machine.packets, { ...base, congestion, keepAlive, mss: domain.mtu - HEADERS_IP_TCP }, this, spec.path);
  }

  // --- What TCP asks for --------------------------------------------------------------------------------------------

  now(): number {
    return this.kernel.now;
  }

  cause(): number {
    return this.kernel.cause;
  }

  random(): number {
    return this.kernel.random.next(this.iss);
  }

  randomPort(ports: number): number {
    return this.kernel.random.next(this.ports) % ports;
  }

  largestSegment(): number {
    return Math.max(0, this.around.wire.offloads.segmentation - LONGEST_HEADERS);
  }

  wantOutput(conn: number, cause: number): void {
    this.around.wantOutput(conn, cause);
  }

  answered(ip: number): void {
    this.around.answered(ip);
  }

  discarded(packet: number, why: Discard): void {
    this.around.discarded(packet, why);
  }

  readable(conn: number): void {
    this.userOf(conn)?.onReadable(conn);
  }

  writable(conn: number): void {
    this.userOf(conn)?.onWritable(conn);
  }

  established(conn: number): void {
    this.userOf(conn)?.onEstablished(conn);
  }

  /** A connection waits to be accepted: it is nobody's yet, and holds its port. */
  accepted(conn: number, port: number): void {
    this.hold(conn, port);
    let l = 0;
    while (l < this.listener.rows && this.listener.port[l] !== port) l++;
    if (l < this.listener.rows) this.users[this.listener.user[l]!]!.onAcceptable(conn);
  }

  closed(conn: number, reason: CloseReason): void {
    if (reason === CloseReason.hostUnreachable) this.markFailed(this.failed["connection failed: EHOSTUNREACH"], conn);
    else if (reason === CloseReason.hostDown) this.markFailed(this.failed["connection failed: EHOSTDOWN"], conn);
    this.userOf(conn)?.onClosed(conn, reason);
    if (conn >= this.conn.rows || this.conn.live[conn] === 0) return;
    this.conn.live[conn] = 0;
    this.releasePort(this.conn.port[conn]!);
  }

  /** A timer runs out on the CPU that armed it (`__mod_timer`, kernel/time/timer.c of Linux; `callout_schedule_locked`, sys/kern/kern_timeout.c of NetBSD). */
  arm(conn: number, timer: TcpTimer, at: number): void {
    this.reach(conn);
    this.disarm(conn, timer);
    const { kernel } = this;
    const handle = kernel.schedule(at - kernel.now, Priority.timeout, this.component, StreamOp.timer, conn, timer | (this.softints.index << TIMER_BITS));
    this.timer.handle[(conn << TIMER_BITS) + timer] = handle + 1;
  }

  disarm(conn: number, timer: TcpTimer): void {
    const { handle } = this.timer;
    const at = (conn << TIMER_BITS) + timer;
    const armed = handle[at] ?? 0;
    if (armed === 0) return;
    this.kernel.cancel(armed - 1);
    handle[at] = 0;
  }

  // --- What the stack asks for --------------------------------------------------------------------------------------

  /** bind and listen. @returns an error name, or undefined */
  listen(user: number, port: number, backlog: number): string | undefined {
    const bound = this.around.wire.bindPort?.(Protocol.tcp, port);
    if (bound !== undefined && "error" in bound) return bound.error;
    let l = 0;
    while (l < this.listener.rows && this.listener.port[l] !== 0) l++;
    if (l === this.listener.rows) l = this.listener.alloc();
    this.listener.port[l] = port;
    this.listener.user[l] = user;
    this.tcp.listen(this.ip, port, backlog);
    return undefined;
  }

  /**
   * socket and connect, from a dynamic port: where a portmap says whose ports are, of that; "both static and dynamic" ones are bound there
   * (LibrettOS 3.2). @returns the connection, whose `onEstablished` follows, or an error name
   */
  open(user: number, ip: number, port: number): number | string {
    const conn = this.around.wire.bindPort === undefined ? this.tcp.connect(this.ip, 0, ip, port) : this.connectBound(ip, port);
    if (typeof conn === "string") return conn;
    if (conn === NO_CONNECTION) return "EADDRNOTAVAIL";
    this.adopt(conn, user, this.tcp.localPort(conn));
    return conn;
  }

  /** A port that the portmap gives may be that of a connection to the same server, made when there was no portmap: that one keeps it until it is over. */
  private connectBound(ip: number, port: number): number | string {
    for (;;) {
      const bound = this.around.wire.bindPort?.(Protocol.tcp, 0);
      if (bound === undefined) return NO_CONNECTION;
      if ("error" in bound) return bound.error;
      const conn = this.tcp.connect(this.ip, bound.port, ip, port);
      if (conn !== NO_CONNECTION) return conn;
    }
  }

  private markFailed(fn: number, conn: number): void {
    const { kernel, cpus } = this.place.machine;
    kernel.mark(fn, this.component, cpus.contextOf(cpus.carrier(this.component, this.softints.here)), kernel.now, 0, NONE, conn);
  }

  /** A port goes back to the portmap when nobody listens on it, and no connection has it. */
  private releasePort(port: number): void {
    const wire = this.around.wire;
    const { listener, conn } = this;
    if (wire.releasePort === undefined) return;
    for (let l = 0; l < listener.rows; l++) if (listener.port[l] === port) return;
    for (let c = 0; c < conn.rows; c++) if (conn.live[c] === 1 && conn.port[c] === port) return;
    wire.releasePort(Protocol.tcp, port);
  }

  /** All sockets of a user are closed: where something was not read, by a reset (RFC 2525 section 2.17). */
  closeAll(user: number): void {
    const { listener, conn, tcp } = this;
    for (let l = 0; l < listener.rows; l++) {
      if (listener.port[l] === 0 || listener.user[l] !== user) continue;
      const port = listener.port[l]!;
      tcp.unlisten(this.ip, port);
      listener.port[l] = 0;
      this.releasePort(port);
    }
    for (let c = 0; c < conn.rows; c++) {
      if (conn.user[c] !== user + 1) continue;
      conn.user[c] = 0;
      this.owned.orphan(c);
      if (tcp.available(c) > 0) tcp.abort(c);
      else tcp.close(c);
    }
  }

  /** Notes that a connection wants to send. @returns false if that was known */
  want(conn: number): boolean {
    this.reach(conn);
    if (this.conn.wanted[conn] === 1) return false;
    this.conn.wanted[conn] = 1;
    return true;
  }

  /** The segment that was wanted is about to be built. */
  unwant(conn: number): void {
    this.conn.wanted[conn] = 0;
  }

  /** A timer's event has come: it is armed no longer. */
  expired(conn: number, timer: number): void {
    this.timer.handle[(conn << TIMER_BITS) + timer] = 0;
  }

  /** accept, of a socket that does not block. @returns the connection that has waited longest, or −1 */
  accept(user: number, port: number): number {
    const conn = this.tcp.accept(this.ip, port);
    if (conn >= 0) this.adopt(conn, user, port);
    return conn;
  }

  private hold(conn: number, port: number): void {
    this.reach(conn);
    this.conn.user[conn] = 0;
    this.conn.port[conn] = port;
    this.conn.live[conn] = 1;
  }

  private adopt(conn: number, user: number, port: number): void {
    this.hold(conn, port);
    this.conn.user[conn] = user + 1;
    if (this.keepsAlive) this.tcp.setKeepAlive(conn);
    this.owned.adopt(conn);
  }

  private userOf(conn: number): SocketUser | undefined {
    return conn < this.conn.rows ? this.users[this.conn.user[conn]! - 1] : undefined;
  }

  private reach(conn: number): void {
    while (this.conn.rows <= conn) {
      this.conn.alloc();
      this.timer.append(1 << TIMER_BITS);
    }
  }

  /** Segments sent again. */
  get retransmissions(): number {
    const c = this.tcp.counters;
    return c.retransmittedByTimeout + c.retransmittedFast + c.retransmittedBySack + c.retransmittedByProbe + c.retransmittedSyn;
  }
}
