import { SocketCall } from "./libc";
import type { Scope } from "../inspect";
import type { Table } from "../kernel/state";
import type { FunctionSource } from "../kernel/kernel";
import type { Placement } from "../machine/machine";
import { kinds, type Message } from "../workloads/protocol";
import type { ServiceTime } from "./serviceTime";
import { OPEN, SocketServer } from "./socketServer";

type Functions = Readonly<Record<string, FunctionSource>>;

/** What tells one server application from another. */
export interface ServerProgram {
  /** Functions that a request goes through between reading and answering, in order. */
  readonly functions: Functions;
  /** And after these, those of its kind, an index of `kinds`. */
  readonly byKind?: Readonly<Record<number, Functions>>;
  /** Functions that a read goes through, however many requests it brings. */
  readonly reading?: Functions;
  /** Functions that a write goes through. With these it answers all requests that it has read before it writes; without, it writes each answer. */
  readonly writing?: Functions;
  /** Bytes that one read asks for; 64 KiB where that is not said. */
  readonly readSize?: number;
  /** It sets TCP_NODELAY on its connections. */
  readonly noDelay?: boolean;
  /** CPU time that each request takes besides. */
  readonly service?: ServiceTime;
  /** The answer to a request; without it, what is read is thrown away. */
  answer?(kind: number, value: number): { readonly message: Message; readonly close: boolean };
  readonly threadName: string;
}

const Op = { listen: OPEN, accept: 1, read: 2, serve: 3, write: 4, close: 5 } as const;
const Closing = { no: 0, wanted: 1, done: 2 } as const;
const READ_SIZE = 65536;

/**
 * A server that answers requests on TCP connections, with event loops on one or more worker threads; a connection stays
 * with its worker: they are dealt out by turns, or, where vCPUs poll, to a worker of the vCPU that they have come to, which runs to completion what
 * it polls (IX 3: RSS maps a flow to a core, and that core's thread accepts it). What it reads and writes are messages of the transcript.
 */
export class RequestServer extends SocketServer {
  private readonly conn: Table<{ readonly received: "f64"; readonly unsent: "f64"; readonly asked: "i32"; readonly reading: "u8"; readonly writing: "u8"; readonly closing: "u8"; readonly worker: "u16" }>;
  private readonly counters;
  private readonly kernel;
  private readonly cpus;
  /** Functions by kind of request. */
  private readonly byKind: readonly (readonly number[])[];
  private readonly reading: readonly number[];
  private readonly writing: readonly number[];
  /** It answers all requests that it has read before it writes. */
  private readonly together: boolean;
  private readonly readSize: number;

  constructor(place: Placement, private readonly program: ServerProgram, workers: number) {
    super(place, program.functions, Array.from({ length: workers }, (_, i) => `${program.threadName}-${i}`));
    const { machine: { kernel, cpus }, spec } = place;
    this.kernel = kernel;
    this.cpus = cpus;
    const ids = (functions: Functions): number[] => Object.values(kernel.functions(functions));
    this.byKind = kinds.map((_, kind) => ids(program.byKind?.[kind] ?? {}));
    this.reading = ids(program.reading ?? {});
    this.together = program.writing !== undefined;
    this.writing = ids(program.writing ?? {});
    this.readSize = program.readSize ?? READ_SIZE;
    this.conn = kernel.store.table(`connections of ${spec.path}`, { received: "f64", unsent: "f64", asked: "i32", reading: "u8", writing: "u8", closing: "u8", worker: "u16" });
    this.counters = kernel.store.scalars(`counters of ${spec.path}`, ["requests", "connections", "bytes"]);
  }

  // --- What the sockets report --------------------------------------------------------------------------------------

  override onAcceptable(conn: number): void {
    while (this.conn.rows <= conn) this.conn.alloc();
    this.conn.worker[conn] = this.workerFor(conn);
    this.cpus.post(this.workerOf(conn), this.id, Op.accept, conn);
  }

  override onReadable(conn: number): void {
    if (this.conn.reading[conn] === 1) return;
    this.conn.reading[conn] = 1;
    this.cpus.post(this.workerOf(conn), this.id, Op.read, conn);
  }

  override onWritable(conn: number): void {
    if (this.conn.unsent[conn]! <= 0 || this.conn.writing[conn] === 1) return;
    this.conn.writing[conn] = 1;
    this.cpus.post(this.workerOf(conn), this.id, Op.write, conn, 0, this.conn.asked[conn]);
  }

  override onClosed(conn: number): void {
    if (this.conn.closing[conn] === Closing.done) return;
    this.conn.unsent[conn] = 0;
    this.cpus.post(this.workerOf(conn), this.id, Op.close, conn);
  }

  override onRestart(): void {
    const c = this.conn;
    for (let conn = 0; conn < c.rows; conn++) {
      c.closing[conn] = Closing.done;
      c.unsent[conn] = c.reading[conn] = c.writing[conn] = 0;
    }
    super.onRestart();
  }

  // --- Work ---------------------------------------------------------------------------------------------------------

  begin(op: number, conn: number, m: number): void {
    const { cpus, transcript } = this.place.machine;
    const { libc } = this;
    if (op === Op.listen) {
      this.spendOpen(SocketCall.listen);
    } else if (op === Op.accept) {
      libc.spend(SocketCall.wait);
      libc.spend(SocketCall.accept);
    } else if (op === Op.read) {
      libc.spend(SocketCall.wait);
      libc.spend(SocketCall.receive, Math.min(this.readSize, libc.sockets.tcp.available(conn)), conn);
      for (const fn of this.reading) cpus.spend(fn);
      if (this.program.answer === undefined) for (const fn of this.fn) cpus.spend(fn);
    } else if (op === Op.serve) {
      const kind = transcript.kindOf(m);
      for (const fn of this.fn) cpus.spend(fn);
      for (const fn of this.byKind[kind]!) cpus.spend(fn);
      this.program.service?.spend();
      if (this.together) return;
      const answer = this.program.answer?.(kind, transcript.valueOf(m));
      libc.spend(SocketCall.send, Math.min(answer?.message.length ?? 0, libc.sockets.tcp.sendSpace(conn)), conn);
    } else if (op === Op.write) {
      for (const fn of this.writing) cpus.spend(fn);
      libc.spend(SocketCall.send, Math.min(this.conn.unsent[conn]!, libc.sockets.tcp.sendSpace(conn)), conn);
    } else {
      libc.spend(SocketCall.close, 0, conn);
    }
  }

  end(op: number, conn: number, m: number): void {
    if (op === Op.listen) this.listen();
    else if (op === Op.accept) this.accept();
    else if (op === Op.read) this.read(conn);
    else if (op === Op.serve) this.serve(conn, m);
    else if (op === Op.write) this.write(conn);
    else if (op === Op.close) this.close(conn);
  }

  private listen(): void {
    if (this.libc.sockets.listen(this.user, this.port, Number(this.place.spec.options["backlog"])) !== undefined) this.markFailed();
  }

  /** Takes the connection that has waited longest, if the other end has not reset it meanwhile. What it has sent until now is to be read. */
  private accept(): void {
    const { sockets } = this.libc;
    const conn = sockets.accept(this.user, this.port);
    if (conn < 0) return;
    const c = this.conn;
    c.received[conn] = c.unsent[conn] = c.reading[conn] = c.writing[conn] = c.closing[conn] = 0;
    this.counters.connections++;
    if (this.program.noDelay === true) sockets.tcp.setNoDelay(conn);
    if (sockets.tcp.available(conn) > 0 || sockets.tcp.atEof(conn)) this.onReadable(conn);
  }

  private read(conn: number): void {
    const { tcp } = this.libc.sockets;
    this.conn.reading[conn] = 0;
    if (this.conn.closing[conn] !== Closing.no) return;
    const bytes = tcp.receive(conn, this.readSize);
    this.conn.received[conn]! += bytes;
    this.counters.bytes += bytes;
    // The rest may be the last that comes: nobody will say again that it is there.
    if (tcp.available(conn) > 0) this.onReadable(conn);
    if (!this.serveNext(conn) && tcp.atEof(conn)) this.call(Op.close, conn);
  }

  /** Answers the next whole request that has been received. */
  private serveNext(conn: number): boolean {
    if (this.program.answer === undefined) return false;
    const m = this.place.machine.transcript.complete(this.libc.sockets.tcp.receiveStream(conn), this.conn.received[conn]!);
    if (m < 0) return false;
    this.call(Op.serve, conn, m);
    return true;
  }

  private serve(conn: number, m: number): void {
    const { transcript } = this.place.machine;
    const { tcp } = this.libc.sockets;
    if (this.conn.closing[conn] !== Closing.no) return;
    const answer = this.program.answer?.(transcript.kindOf(m), transcript.valueOf(m));
    if (answer === undefined) return;
    const { message, close } = answer;
    this.program.service?.draw();
    transcript.take(tcp.receiveStream(conn));
    transcript.write(tcp.sendStream(conn), message.kind, message.length, message.value);
    this.counters.requests++;
    this.conn.unsent[conn]! += message.length;
    this.conn.asked[conn] = this.kernel.cause;
    if (!this.together) this.push(conn);
    if (close) this.call(Op.close, conn);
    else if (this.serveNext(conn)) return;
    if (!this.together || this.conn.writing[conn] === 1) return;
    this.conn.writing[conn] = 1;
    this.call(Op.write, conn);
  }

  private write(conn: number): void {
    this.conn.writing[conn] = 0;
    this.push(conn);
  }

  private push(conn: number): void {
    const c = this.conn;
    if (c.closing[conn] === Closing.done) return;
    c.unsent[conn]! -= this.libc.sockets.tcp.send(conn, c.unsent[conn]!);
    if (c.closing[conn] === Closing.wanted && c.unsent[conn] === 0) this.call(Op.close, conn);
  }

  /** Closes once everything has been handed to TCP. */
  private close(conn: number): void {
    const c = this.conn;
    if (c.closing[conn] === Closing.done) return;
    c.closing[conn] = Closing.wanted;
    if (c.unsent[conn]! > 0) return;
    c.closing[conn] = Closing.done;
    this.libc.sockets.tcp.close(conn);
  }

  private call(op: number, conn: number, m = 0): void {
    this.cpus.call(this.workerOf(conn), this.id, op, conn, m);
  }

  private workerOf(conn: number): number {
    return this.threads[this.conn.worker[conn]!]!;
  }

  /** The worker of a new connection, by number: one of the vCPU's on which this is, as {@link SocketServer} places them, where vCPUs poll. */
  private workerFor(conn: number): number {
    const { place: { machine: { cpus }, domain: { id } }, threads } = this;
    if (!cpus.polls(id)) return conn % threads.length;
    const vcpus = cpus.vcpusOf(id).length;
    const first = Math.max(0, cpus.indexIn(id)) % Math.min(vcpus, threads.length);
    return first + vcpus * (conn % Math.ceil((threads.length - first) / vcpus));
  }

  describe(): Scope[] {
    const { requests, bytes, connections } = this.counters;
    return this.describeCounts({ "requests answered": requests, "bytes read": bytes, "connections accepted": connections });
  }
}
