import type { Table } from "../../kernel/state";
import type { Machine } from "../../machine/machine";
import { CloseReason } from "../../network/tcp/tcp";
import { NONE } from "../../trace/trace";
import { SocketCall, type Libc } from "../libc";
import type { SocketUser } from "../socketUser";
import { closedFor, failureOf } from "./failures";
import type { Run } from "./run";
import { EndpointTables, type Transport } from "./transport";

const Op = { open: 1, send: 2, write: 3, read: 4, close: 5, shutdown: 6, answer: 7 } as const;
/** Bytes that one read asks for. */
const READ_SIZE = 65536;
/** "Test aborted after 10 failures": how often ab tries again at once where connect fails at once (`start_connect`, support/ab.c). */
const ATTEMPTS = 10;

/** TCP connections of the load generator: each belongs to a workload and stays with one thread. */
export class Streams implements Transport, SocketUser {
  private readonly conn: Table<{
    readonly run: "i32"; readonly received: "f64"; readonly unsent: "f64"; readonly asked: "i32"; readonly reading: "u8"; readonly writing: "u8"; readonly closed: "u8"; readonly ticket: "i32"; readonly opening: "u8";
  }>;
  private readonly scalars;
  /** By workload, how often no connection could be made. */
  private readonly unopened;
  private readonly fn;
  private user = 0;
  readonly tables: EndpointTables;

  constructor(
    private readonly machine: Machine, private readonly component: number, path: string,
    private readonly threads: readonly number[], private readonly runs: readonly Run[], private readonly libc: () => Libc,
  ) {
    const { kernel } = machine;
    this.fn = kernel.functions({
      "write request": { file: "support/ab.c", kind: "workload" },
      "read response": { file: "support/ab.c", kind: "workload" },
      "connection failed": { kind: "violation", a: "reason" },
      // What connect(2) says where there is no port: by itself, and where a portmap gives ports.
      "connect failed: EADDRNOTAVAIL": { kind: "violation", a: "port" },
      "connect failed: EADDRINUSE": { kind: "violation", a: "port" },
    });
    this.conn = kernel.store.table(`client connections of ${path}`, { run: "i32", received: "f64", unsent: "f64", asked: "i32", reading: "u8", writing: "u8", closed: "u8", ticket: "i32", opening: "u8" });
    this.tables = new EndpointTables(kernel.store, "client connections", path);
    this.scalars = kernel.store.table(`client threads of ${path}`, { opened: "f64" }, 1);
    this.scalars.alloc();
    this.unopened = kernel.store.table(`connections not made of ${path}`, { count: "u32" });
  }

  start(): void {
    this.user = this.libc().sockets.addUser(this);
  }

  // --- What workloads ask for ---------------------------------------------------------------------------------------

  open(run: Run, ticket: number): void {
    this.machine.cpus.post(this.threadOf(run, this.scalars.opened[0]!++), this.component, Op.open, run.number, ticket);
  }

  ask(conn: number): void {
    this.post(Op.send, conn);
  }

  close(conn: number): void {
    if (this.conn.closed[conn] === 1) return;
    this.conn.closed[conn] = 1;
    this.post(Op.close, conn);
  }

  shutdown(conn: number): void {
    this.post(Op.shutdown, conn);
  }

  streamOf(conn: number): number {
    return this.libc().sockets.tcp.sendStream(conn);
  }

  // --- What the sockets report --------------------------------------------------------------------------------------

  onAcceptable(): void {}

  onEstablished(conn: number): void {
    this.conn.opening[conn] = 0;
    this.runOf(conn).client.ready(conn);
  }

  onReadable(conn: number): void {
    if (this.conn.reading[conn] === 1) return;
    this.conn.reading[conn] = 1;
    this.post(Op.read, conn);
  }

  onWritable(conn: number): void {
    const c = this.conn;
    if (c.closed[conn] === 1) return;
    this.runOf(conn).client.acknowledged?.(conn, this.libc().sockets.tcp.acknowledged(conn));
    if (c.unsent[conn]! <= 0 || c.writing[conn] === 1) return;
    c.writing[conn] = 1;
    this.post(Op.write, conn, c.asked[conn]);
  }

  onClosed(conn: number, reason: CloseReason): void {
    if (this.conn.closed[conn] === 1) return;
    const { kernel, cpus } = this.machine;
    kernel.mark(this.fn["connection failed"], this.component, cpus.contextOf(this.threadOf(this.runOf(conn), conn)), kernel.now, 0, NONE, reason);
    this.close(conn);
    const run = this.runOf(conn);
    run.failed(closedFor[reason]);
    // It was connect(2) that failed, at once: to try again without end would take no time.
    if (reason === CloseReason.hostDown && this.conn.opening[conn] === 1) this.tryAgain(run.number, this.conn.ticket[conn]!);
    else run.client.failed?.(conn);
  }

  // --- Work ---------------------------------------------------------------------------------------------------------

  begin(op: number, a: number): void {
    const { cpus } = this.machine;
    const libc = this.libc();
    if (op === Op.open) {
      libc.spend(SocketCall.connect);
    } else if (op === Op.send) {
      const { client } = this.runOf(a);
      let bytes = 0;
      for (let i = 0; i < (client.atOnce ?? 1); i++) bytes += client.message(a, i)?.length ?? 0;
      cpus.spend(this.fn["write request"]);
      libc.spend(SocketCall.send, Math.min(bytes, libc.sockets.tcp.sendSpace(a)), a);
    } else if (op === Op.write) {
      libc.spend(SocketCall.send, Math.min(this.conn.unsent[a]!, libc.sockets.tcp.sendSpace(a)), a);
    } else if (op === Op.read) {
      libc.spend(SocketCall.wait);
      libc.spend(SocketCall.receive, Math.min(READ_SIZE, libc.sockets.tcp.available(a)), a);
      cpus.spend(this.fn["read response"]);
    } else if (op === Op.answer) {
      cpus.spend(this.fn["read response"]);
    } else {
      // shutdown costs as much as close.
      libc.spend(SocketCall.close, 0, a);
    }
  }

  end(op: number, a: number, b: number): void {
    if (op === Op.open) this.connect(a, b);
    else if (op === Op.send) this.send(a);
    else if (op === Op.write) this.push(a);
    else if (op === Op.read) this.read(a);
    else if (op === Op.answer) this.answer(a);
    else if (op === Op.shutdown) this.libc().sockets.tcp.shutdown(a);
    else this.libc().sockets.tcp.close(a);
  }

  private connect(w: number, ticket: number): void {
    const { target: { address, port }, noDelay } = this.runs[w]!;
    const { sockets } = this.libc();
    const conn = sockets.open(this.user, address, port);
    if (typeof conn === "string") return this.notOpened(w, ticket, conn);
    if (noDelay) sockets.tcp.setNoDelay(conn);
    while (this.conn.rows <= conn) this.conn.alloc();
    const c = this.conn;
    c.run[conn] = w;
    c.received[conn] = c.unsent[conn] = c.reading[conn] = c.writing[conn] = c.closed[conn] = 0;
    c.ticket[conn] = ticket;
    c.opening[conn] = 1;
    this.runs[w]!.opened(conn, ticket);
  }

  /** No connection could be made: the client may try again, as after other failures, but not for ever. */
  private notOpened(w: number, ticket: number, error: string): void {
    const { kernel, cpus } = this.machine;
    const run = this.runs[w]!;
    const row = this.fn[error === "EADDRNOTAVAIL" ? "connect failed: EADDRNOTAVAIL" : "connect failed: EADDRINUSE"];
    kernel.mark(row, this.component, cpus.contextOf(cpus.currentThread), kernel.now, 0, NONE, run.target.port);
    run.failed(failureOf(error));
    this.tryAgain(w, ticket);
  }

  private tryAgain(w: number, ticket: number): void {
    while (this.unopened.rows <= w) this.unopened.alloc();
    this.unopened.count[w]!++;
    this.runs[w]!.client.unopened?.(ticket, this.unopened.count[w]! <= ATTEMPTS);
  }

  private send(conn: number): void {
    if (this.conn.closed[conn] === 1) return;
    const run = this.runOf(conn);
    const { atOnce = 1 } = run.client;
    const stream = this.streamOf(conn);
    let messages = 0;
    for (; messages < atOnce; messages++) {
      const message = run.client.message(conn, messages);
      if (message === undefined) break;
      this.machine.transcript.write(stream, message.kind, message.length, message.value);
      this.conn.unsent[conn]! += message.length;
    }
    if (messages === 0) return this.close(conn);
    this.conn.asked[conn] = this.machine.kernel.cause;
    for (let i = 0; i < messages; i++) run.sent(conn, i);
    this.push(conn);
  }

  private push(conn: number): void {
    const c = this.conn;
    c.writing[conn] = 0;
    if (c.closed[conn] === 1 || c.unsent[conn]! <= 0) return;
    c.unsent[conn]! -= this.libc().sockets.tcp.send(conn, c.unsent[conn]!);
    if (c.unsent[conn] === 0) this.runOf(conn).client.taken?.(conn);
  }

  private read(conn: number): void {
    const { tcp } = this.libc().sockets;
    const c = this.conn;
    c.reading[conn] = 0;
    if (c.closed[conn] === 1) return;
    const run = this.runOf(conn);
    const bytes = tcp.receive(conn, READ_SIZE);
    c.received[conn]! += bytes;
    run.read(conn, bytes);
    // The rest may be the last that comes: nobody will say again that it is there.
    if (tcp.available(conn) > 0) this.onReadable(conn);
    if (this.answer(conn) || !tcp.atEof(conn)) return;
    if (run.client.ended !== undefined && tcp.acknowledged(conn) === tcp.sendOffset(conn)) run.client.ended(conn);
    else this.onClosed(conn, CloseReason.normal);
  }

  /** Takes the first answer of those that were read whole; the next one is work of its own. @returns whether there was one */
  private answer(conn: number): boolean {
    const { transcript } = this.machine;
    const c = this.conn;
    if (c.closed[conn] === 1) return false;
    const stream = this.libc().sockets.tcp.receiveStream(conn);
    const answer = transcript.complete(stream, c.received[conn]!);
    if (answer < 0) return false;
    transcript.take(stream);
    if (transcript.complete(stream, c.received[conn]!) >= 0) this.post(Op.answer, conn);
    this.runOf(conn).client.answered?.(conn, transcript.valueOf(answer));
    return true;
  }

  private post(op: number, conn: number, cause?: number): void {
    const { cpus } = this.machine;
    const thread = this.threadOf(this.runOf(conn), conn);
    if (cpus.currentThread === thread) cpus.call(thread, this.component, op, conn, 0, cause);
    else cpus.post(thread, this.component, op, conn, 0, cause);
  }

  private runOf(conn: number): Run {
    return this.runs[this.conn.run[conn]!]!;
  }

  /** The thread of a workload's connection, by the connection's number. */
  private threadOf({ threads }: Run, conn: number): number {
    const { length } = this.threads;
    const own = Math.min(threads ?? length, length);
    return this.threads[length - own + (conn % own)]!;
  }
}
