import { Histogram } from "../analysis/histogram";
import type { Workload } from "../design/model";
import type { Scope } from "../inspect";
import { Priority } from "../kernel/queue";
import type { PlacedModel, Placement, WorkloadReport } from "../machine/machine";
import { NONE } from "../trace/trace";
import { httpValue } from "../workloads/http";
import { Kind, message, type Message } from "../workloads/protocol";
import type { Libc } from "./libc";
import type { SocketUser, TcpIp } from "./tcpip";

const Op = { begin: 0, open: 1, send: 2, read: 3, close: 4 } as const;
/** The servers are up before the first request, and the VFs through their mailboxes. */
const START = 10e9;
const READ_SIZE = 65536;

interface Running {
  readonly spec: Workload;
  readonly latency: Histogram;
  readonly address: number;
  readonly port: number;
  readonly random: number;
  readonly requests: number;
  readonly concurrency: number;
  readonly keepAlive: boolean;
}

/**
 * The clients of the workloads: closed loops of requests on a number of connections (ApacheBench, redis-benchmark). The
 * latency of a request runs from the moment it has been written until its answer has been read.
 */
export class LoadGenerator implements PlacedModel, SocketUser {
  readonly id: number;
  private readonly workloads: Running[] = [];
  private readonly state;
  private readonly conn;
  private readonly fn;
  private readonly threads: number[] = [];
  private libc!: Libc;
  private user = 0;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel, cpus } = machine;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = kernel.functions({
      "start workload": { kind: "workload" },
      "write request": { file: "support/ab.c", kind: "workload" },
      "read response": { file: "support/ab.c", kind: "workload" },
      "connection failed": { kind: "violation", a: "reason" },
    });
    for (let i = 0; i < domain.vcpus; i++) this.threads.push(cpus.addThread(domain.id, `client-${i}`, i));
    this.state = kernel.store.table(`workloads of ${spec.path}`, {
      issued: "f64", completed: "f64", errors: "f64", bytes: "f64", first: "f64", last: "f64", opened: "f64",
    });
    this.conn = kernel.store.table(`client connections of ${spec.path}`, {
      workload: "i32", received: "f64", unsent: "f64", since: "f64", draw: "u32", reading: "u8", closed: "u8",
    });
  }

  connect(): void {
    const { machine, domain } = this.place;
    const library = domain.components.find((c) => c.type === "libc");
    if (library === undefined) throw new Error(`${this.place.spec.path} has no libc to call.`);
    this.libc = machine.placed(library.path) as Libc;
    for (const spec of machine.design.workloads.filter((w) => w.from === domain.host)) {
      const target = machine.design.hosts.flatMap((h) => h.domains).find((d) => d.path === spec.to);
      const stack = target?.components.find((c) => c.type === "tcpip");
      const server = target?.components.find((c) => c.options["port"] !== undefined);
      if (stack === undefined || server === undefined) throw new Error(`The workload ${spec.path} finds no server in ${spec.to}.`);
      this.state.alloc();
      this.workloads.push({
        spec,
        latency: new Histogram(machine.kernel.store, spec.path),
        address: (machine.placed(stack.path) as TcpIp).ip,
        port: Number(server.options["port"]),
        random: machine.kernel.random.open(spec.path, "requests"),
        requests: Number(spec.options["requests"]),
        concurrency: Number(spec.options["concurrency"]),
        keepAlive: spec.options["keepalive"] !== false,
      });
    }
  }

  start(): void {
    this.user = this.libc.sockets.addUser(this);
    const { kernel } = this.place.machine;
    for (let w = 0; w < this.workloads.length; w++) kernel.schedule(START, Priority.control, this.id, Op.begin, w);
  }

  fire(_op: number, w: number): void {
    const { kernel, cpus } = this.place.machine;
    kernel.mark(this.fn["start workload"], this.id, cpus.contextOf(this.threads[0]!), kernel.now, 0, NONE, w);
    this.state.first[w] = kernel.now;
    const { concurrency, requests } = this.workloads[w]!;
    for (let i = 0; i < Math.min(concurrency, requests); i++) this.openOne(w);
  }

  private openOne(w: number): void {
    const thread = this.threads[this.state.opened[w]!++ % this.threads.length]!;
    this.place.machine.cpus.post(thread, this.id, Op.open, w);
  }

  // --- What the sockets report --------------------------------------------------------------------------------------

  onAccepted(): void {}

  onEstablished(conn: number): void {
    this.post(Op.send, conn);
  }

  onReadable(conn: number): void {
    if (this.conn.reading[conn] === 1) return;
    this.conn.reading[conn] = 1;
    this.post(Op.read, conn);
  }

  onWritable(conn: number): void {
    if (this.conn.unsent[conn]! > 0) this.push(conn);
  }

  onClosed(conn: number, reason: number): void {
    const c = this.conn;
    if (c.closed[conn] === 1) return;
    c.closed[conn] = 1;
    const { kernel, cpus } = this.place.machine;
    kernel.mark(this.fn["connection failed"], this.id, cpus.contextOf(this.threadOf(conn)), kernel.now, 0, NONE, reason);
    const w = c.workload[conn]!;
    this.state.errors[w]!++;
    this.post(Op.close, conn);
    if (this.state.issued[w]! < this.workloads[w]!.requests) this.openOne(w);
  }

  // --- Work ---------------------------------------------------------------------------------------------------------

  begin(op: number, a: number): void {
    const { cpus } = this.place.machine;
    const { libc } = this;
    if (op === Op.open) {
      libc.spend("connect");
    } else if (op === Op.send) {
      cpus.spend(this.fn["write request"]);
      libc.spend("send", this.request(a).length);
    } else if (op === Op.read) {
      libc.spend("wait");
      libc.spend("receive", Math.min(READ_SIZE, libc.sockets.tcp.available(a)));
      cpus.spend(this.fn["read response"]);
    } else {
      libc.spend("close");
    }
  }

  end(op: number, a: number): void {
    if (op === Op.open) this.open(a);
    else if (op === Op.send) this.send(a);
    else if (op === Op.read) this.read(a);
    else this.libc.sockets.tcp.close(a);
  }

  private open(w: number): void {
    const { address, port } = this.workloads[w]!;
    const conn = this.libc.sockets.open(this.user, address, port);
    while (this.conn.rows <= conn) this.conn.alloc();
    const c = this.conn;
    c.workload[conn] = w;
    c.received[conn] = c.unsent[conn] = c.reading[conn] = c.closed[conn] = 0;
    this.draw(conn);
  }

  /** Draws what the next request of the connection will be. */
  private draw(conn: number): void {
    this.conn.draw[conn] = this.place.machine.kernel.random.next(this.workloads[this.conn.workload[conn]!]!.random);
  }

  private send(conn: number): void {
    const { kernel, transcript } = this.place.machine;
    const { tcp } = this.libc.sockets;
    if (this.conn.closed[conn] === 1) return;
    const w = this.conn.workload[conn]!;
    if (this.state.issued[w]! >= this.workloads[w]!.requests) return this.finish(conn);
    const request = this.request(conn);
    this.state.issued[w]!++;
    transcript.write(tcp.sendStream(conn), request.kind, request.length, request.value);
    this.conn.since[conn] = kernel.now;
    this.conn.unsent[conn]! += request.length;
    this.push(conn);
  }

  private push(conn: number): void {
    this.conn.unsent[conn]! -= this.libc.sockets.tcp.send(conn, this.conn.unsent[conn]!);
  }

  private read(conn: number): void {
    const { kernel, transcript, cpus } = this.place.machine;
    const { tcp } = this.libc.sockets;
    const c = this.conn;
    c.reading[conn] = 0;
    if (c.closed[conn] === 1) return;
    const w = c.workload[conn]!;
    const bytes = tcp.receive(conn, READ_SIZE);
    // The rest may be the last that comes: nobody will say again that it is there.
    if (tcp.available(conn) > 0) this.onReadable(conn);
    c.received[conn]! += bytes;
    this.state.bytes[w]! += bytes;
    const stream = tcp.receiveStream(conn);
    if (transcript.complete(stream, c.received[conn]!) >= 0) {
      transcript.take(stream);
      this.workloads[w]!.latency.record(kernel.now - c.since[conn]!);
      this.state.completed[w]!++;
      this.state.last[w] = kernel.now;
      const more = this.state.issued[w]! < this.workloads[w]!.requests;
      if (more && this.workloads[w]!.keepAlive) {
        this.draw(conn);
        return cpus.call(this.threadOf(conn), this.id, Op.send, conn);
      }
      this.finish(conn);
      if (more) this.openOne(w);
    } else if (tcp.atEof(conn)) {
      this.onClosed(conn, 0);
    }
  }

  private finish(conn: number): void {
    this.conn.closed[conn] = 1;
    this.place.machine.cpus.call(this.threadOf(conn), this.id, Op.close, conn);
  }

  private post(op: number, conn: number): void {
    this.place.machine.cpus.post(this.threadOf(conn), this.id, op, conn);
  }

  private threadOf(conn: number): number {
    return this.threads[conn % this.threads.length]!;
  }

  /** The connection's next request. */
  private request(conn: number): Message {
    const { spec, keepAlive } = this.workloads[this.conn.workload[conn]!]!;
    if (spec.kind === "http") return message(Kind.httpRequest, httpValue(Number(spec.options["size"]), keepAlive));
    const sets = Number(spec.options["sets"]);
    const gets = Number(spec.options["gets"]);
    const isSet = this.conn.draw[conn]! % (sets + gets) < sets;
    return message(isSet ? Kind.set : Kind.get, Number(spec.options["value"]));
  }

  reports(): WorkloadReport[] {
    return this.workloads.map(({ spec, latency, requests }, w) => ({
      path: spec.path, kind: spec.kind, requests, completed: this.state.completed[w]!, errors: this.state.errors[w]!,
      duration: this.state.last[w]! - this.state.first[w]!, bytes: this.state.bytes[w]!, latency,
    }));
  }

  describe(): Scope[] {
    return this.workloads.map(({ spec, latency, requests }, w) => ({
      name: spec.path,
      variables: [
        { name: "issued", value: `${this.state.issued[w]!} of ${requests}`, number: this.state.issued[w]! },
        { name: "completed", value: `${this.state.completed[w]!}`, number: this.state.completed[w]! },
        { name: "errors", value: `${this.state.errors[w]!}`, number: this.state.errors[w]! },
        { name: "latency p50", value: `${(latency.quantile(0.5) / 1e6).toFixed(1)} µs`, number: latency.quantile(0.5) },
        { name: "latency p99", value: `${(latency.quantile(0.99) / 1e6).toFixed(1)} µs`, number: latency.quantile(0.99) },
      ],
    }));
  }
}
