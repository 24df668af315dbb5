import type { Variable } from "../inspect";
import type { Placement } from "../machine/machine";
import type { TcpStack, TcpTimer } from "../network/tcp/tcp";
import { NONE } from "../trace/trace";
import { StreamOp } from "./streamSockets";
import type { SoftInterrupts } from "./softInterrupts";
import { StackPart, type StackLocks } from "./stackLocks";
import { backlogFunctions, taskletFunctions } from "./tcpipFunctions";

/** Among the timers that are left: a connection may go on that has waited for what is below it (`TCP_TSQ_DEFERRED`). */
const RESUME = 5;

/** What the stack does with what was left. */
interface Left {
  readonly tcp: TcpStack;
}

/**
 * Sockets that processes own while they are at them, as in Linux (`include/net/sock.h`): a segment that comes meanwhile goes into the socket's
 * backlog, a timer that runs out is noted, and the owner sees to the segments and then to the timers before it lets the socket go
 * (`release_sock`, `net/core/sock.c`; `tcp_release_cb`, `net/ipv4/tcp_output.c`). A backlog is never full here: TCP's window is smaller than
 * `sk_rcvbuf` and `sk_sndbuf` together, which limit it. A keep-alive timer is noted like the others, where Linux tries again 50 ms later.
 */
export class OwnedSockets {
  private readonly fn;
  private readonly cpus;
  private readonly packets;
  private readonly tasklet;
  private readonly socket;
  private readonly item;

  /** @param stack component whose jobs they are @param softints its threads for what nobody's thread asked for */
  constructor(place: Placement, private readonly stack: number, private readonly softints: SoftInterrupts, private readonly locks: StackLocks, private readonly left: Left) {
    const { kernel, cpus, packets } = place.machine;
    this.cpus = cpus;
    this.packets = packets;
    this.fn = kernel.functions(backlogFunctions);
    // Of a system without small queues no connection is ever to go on.
    this.tasklet = place.domain.system === "linux" ? kernel.functions(taskletFunctions) : { tasklet: NONE, handler: NONE, leave: NONE };
    this.socket = kernel.store.table(`owned sockets of ${place.spec.path}`, { lock: "i32", head: "i32", tail: "i32", timers: "u8" });
    this.item = kernel.store.table(`backlogs of ${place.spec.path}`, { next: "i32", packet: "i32" });
  }

  /** A connection has got a socket. */
  adopt(conn: number): void {
    if (!this.locks.bySocket) return;
    while (this.socket.rows <= conn) {
      const row = this.socket.alloc();
      this.socket.lock[row] = this.socket.head[row] = this.socket.tail[row] = NONE;
    }
    if (this.socket.lock[conn] !== NONE) return;
    const lock = this.locks.make();
    this.socket.lock[conn] = lock;
  }

  /** The lock of a connection's own; −1: it has none. */
  lockOf(conn: number): number {
    return conn >= 0 && conn < this.socket.rows ? this.socket.lock[conn]! : NONE;
  }

  /** The connection that a segment is of, where that matters, or −1. */
  private connectionOf(packet: number): number {
    return this.locks.bySocket ? this.left.tcp.connectionOf(packet) : NONE;
  }

  // --- In `begin` -----------------------------------------------------------------------------------------------------

  /** The soft interrupt takes a segment in. */
  underSegment(packet: number): void {
    this.locks.under(StackPart.transport, this.lockOf(this.connectionOf(packet)), this.fn.leave);
  }

  /** It sees to a timer. */
  underTimer(conn: number): void {
    this.locks.under(StackPart.timer, this.lockOf(conn), this.fn.leaveTimer);
  }

  /** The tasklet lets a connection go on. */
  spendResuming(conn: number): void {
    const { cpus } = this;
    cpus.spend(this.tasklet.tasklet, NONE, 0, conn);
    this.locks.under(StackPart.timer, this.lockOf(conn), this.tasklet.leave);
    cpus.spend(this.tasklet.handler, NONE, 0, conn);
  }

  /** A segment goes out. What answers a segment belongs to taking that in, and is not interrupted by an owner. */
  underOutput(part: typeof StackPart.output | typeof StackPart.link, conn: number): void {
    if (this.softints.has(this.cpus.currentThread)) this.locks.under(StackPart.answer);
    else this.locks.under(part, this.lockOf(conn));
  }

  /** The next of what was left at a socket. */
  spendLeft(conn: number, timerFn: number): void {
    const { cpus, packets } = this;
    const packet = this.firstSegment(conn);
    const timer = this.firstTimer(conn);
    this.locks.under(StackPart.transport, this.lockOf(conn), this.softints.has(cpus.currentThread) ? this.fn.leave : NONE);
    if (packet !== NONE) cpus.spend(this.fn.take, packet, packets.payloadLength(packet));
    else if (timer === RESUME) cpus.spend(this.tasklet.handler, NONE, 0, conn);
    else cpus.spend(timerFn, NONE, 0, Math.max(0, timer));
  }

  // --- In `end` -------------------------------------------------------------------------------------------------------

  /** @returns whether the segment is left to who owns its socket */
  leavesSegment(packet: number): boolean {
    if (!this.cpus.wentInstead) return false;
    const conn = this.connectionOf(packet);
    // Its owner may have closed it meanwhile.
    if (this.lockOf(conn) === NONE) return false;
    this.leave(conn, packet);
    return true;
  }

  /** @returns whether the timer is left to who owns the socket */
  leavesTimer(conn: number, timer: TcpTimer): boolean {
    if (!this.cpus.wentInstead) return false;
    this.socket.timers[conn]! |= 1 << timer;
    this.see(conn);
    return true;
  }

  /** @returns whether that is left to who owns the socket (`tcp_release_cb`) */
  leavesResuming(conn: number): boolean {
    if (!this.cpus.wentInstead) return false;
    this.socket.timers[conn]! |= 1 << RESUME;
    this.see(conn);
    return true;
  }

  private leave(conn: number, packet: number): void {
    const { item, socket } = this;
    const row = item.alloc();
    item.next[row] = NONE;
    item.packet[row] = packet;
    if (socket.tail[conn] === NONE) socket.head[conn] = row;
    else item.next[socket.tail[conn]!] = row;
    socket.tail[conn] = row;
    this.see(conn);
  }

  /** Whoever owns the socket sees to what is left; if nobody does any more, the soft interrupt. */
  private see(conn: number): void {
    const { cpus } = this;
    if (!cpus.leaveTo(this.lockOf(conn), this.stack, StreamOp.left, conn)) cpus.call(this.softints.here, this.stack, StreamOp.left, conn);
  }

  /** The next of what was left is seen to, and after that the one behind it. */
  takeLeft(conn: number): void {
    const { cpus } = this;
    if (cpus.wentInstead) return this.see(conn);
    const packet = this.shiftSegment(conn);
    const timer = packet === NONE ? this.firstTimer(conn) : NONE;
    if (timer !== NONE) this.socket.timers[conn]! &= ~(1 << timer);
    // What is called last is done first: what this one leads to.
    if (this.isLeft(conn)) cpus.call(cpus.currentThread, this.stack, StreamOp.left, conn);
    else cpus.leftNothing(this.lockOf(conn));
    if (packet !== NONE) this.left.tcp.input(packet);
    else if (timer === RESUME) this.left.tcp.resume(conn);
    else if (timer !== NONE) this.left.tcp.timeout(conn, timer as TcpTimer);
  }

  /** The process is gone that was to see to it. */
  orphan(conn: number): void {
    if (!this.isLeft(conn)) return;
    const { cpus } = this;
    cpus.leftNothing(this.lockOf(conn));
    cpus.post(this.softints.here, this.stack, StreamOp.left, conn);
  }

  /** Connections that have a lock, or had one. */
  get count(): number {
    return this.socket.rows;
  }

  /** Segments and timers that wait for the socket's owner. */
  leftAt(conn: number): number {
    if (conn >= this.socket.rows) return 0;
    let count = 0;
    for (let timers = this.socket.timers[conn]!; timers !== 0; timers >>= 1) count += timers & 1;
    for (let row = this.socket.head[conn]!; row !== NONE; row = this.item.next[row]!) count++;
    return count;
  }

  /** Segments in backlogs, in order, connection by connection. */
  *segments(): Iterable<number> {
    for (let conn = 0; conn < this.socket.rows; conn++) {
      for (let row = this.socket.head[conn]!; row !== NONE; row = this.item.next[row]!) yield this.item.packet[row]!;
    }
  }

  describe(): Variable[] {
    if (!this.locks.bySocket) return [];
    const left = Array.from({ length: this.count }, (_, conn) => ({ name: `connection ${conn}`, value: `${this.leftAt(conn)}`, number: this.leftAt(conn) })).filter(({ number }) => number > 0);
    return [{ name: "backlogs", value: left.length === 0 ? "empty" : `of ${left.length}`, children: left }];
  }

  private isLeft(conn: number): boolean {
    return conn < this.socket.rows && (this.socket.head[conn] !== NONE || this.socket.timers[conn] !== 0);
  }

  private firstSegment(conn: number): number {
    const head = conn < this.socket.rows ? this.socket.head[conn]! : NONE;
    return head === NONE ? NONE : this.item.packet[head]!;
  }

  /** What is seen to before the timers, or the first timer that has run out, or −1. */
  private firstTimer(conn: number): number {
    const timers = conn < this.socket.rows ? this.socket.timers[conn]! : 0;
    if ((timers & (1 << RESUME)) !== 0) return RESUME;
    return timers === 0 ? NONE : 31 - Math.clz32(timers & -timers);
  }

  private shiftSegment(conn: number): number {
    const { item, socket } = this;
    const head = conn < socket.rows ? socket.head[conn]! : NONE;
    if (head === NONE) return NONE;
    const packet = item.packet[head]!;
    socket.head[conn] = item.next[head]!;
    if (socket.head[conn] === NONE) socket.tail[conn] = NONE;
    item.release(head);
    return packet;
  }
}
