import type { Table } from "../../kernel/state";
import type { Machine } from "../../machine/machine";
import type { Message } from "../../workloads/protocol";
import { NONE } from "../../trace/trace";
import { SocketCall, type Libc } from "../libc";
import type { SocketUser } from "../socketUser";
import { failureOf } from "./failures";
import type { Run } from "./run";
import { EndpointTables, type Transport } from "./transport";

/** `held`: messages that were asked for and wait for room in the send buffer. */
const schema = { run: "i32", stream: "i32", held: "i32" } as const;

/** What endpoints have in common whose messages are packets: a thread, a stream of their own, and one message a packet. */
abstract class PacketEndpoints implements Transport, SocketUser {
  /** By which the stack knows it. */
  protected user = 0;
  protected readonly endpoint: Table<typeof schema>;
  readonly tables: EndpointTables;
  private readonly scalars;
  private readonly fn;

  /** @param firstOp of the four that are this transport's */
  constructor(
    protected readonly machine: Machine, private readonly component: number, path: string, noun: string, private readonly firstOp: number,
    private readonly threads: readonly number[], protected readonly runs: readonly Run[], protected readonly libc: () => Libc,
    functions: { readonly send: string; readonly receive: string },
  ) {
    const { kernel } = machine;
    this.fn = kernel.functions({ send: { name: functions.send, kind: "workload" }, receive: { name: functions.receive, kind: "workload" } });
    this.endpoint = kernel.store.table(`${noun} of ${path}`, schema);
    this.tables = new EndpointTables(kernel.store, noun, path);
    this.scalars = kernel.store.table(`${noun} of ${path}: threads`, { opened: "f64" }, 1);
    this.scalars.alloc();
  }

  /** socket and bind. @returns the endpoint, or an error name */
  protected abstract openEndpoint(run: Run): number | string;
  /** Whether its sender has to wait before it sends: {@link resume} follows. */
  protected abstract waits(endpoint: number): boolean;
  protected abstract emit(endpoint: number, message: Message, offset: number): void;
  /** Payload of the answer that is read next, bytes. */
  protected abstract nextLength(endpoint: number, packet: number): number;
  /** Takes the answer that {@link arrived} told of. @returns its packet, or −1 */
  protected abstract take(endpoint: number, packet: number): number;

  start(): void {
    this.user = this.libc().sockets.addUser(this);
  }

  onAcceptable(): void {}
  onEstablished(): void {}
  onReadable(): void {}
  onWritable(): void {}
  onClosed(): void {}

  open(run: Run, ticket: number): void {
    const thread = this.threads[this.scalars.opened[0]!++ % this.threads.length]!;
    this.machine.cpus.post(thread, this.component, this.firstOp, run.number, ticket);
  }

  /** A sender that waits for room sends what is asked for meanwhile after that. */
  ask(endpoint: number): void {
    this.endpoint.held[endpoint]!++;
    if (this.endpoint.held[endpoint] === 1) this.resume(endpoint);
  }

  /** Sends the next of those that were held back, if there is room; the others follow it. */
  protected resume(endpoint: number): void {
    if (this.endpoint.held[endpoint] === 0 || this.waits(endpoint)) return;
    this.endpoint.held[endpoint]!--;
    this.post(this.firstOp + 1, endpoint);
  }

  /** A datagram has no end to tell of. */
  close(): void {}
  shutdown(): void {}

  streamOf(endpoint: number): number {
    return this.endpoint.stream[endpoint]!;
  }

  protected arrived(endpoint: number, packet: number): void {
    this.post(this.firstOp + 2, endpoint, packet);
  }

  begin(op: number, a: number, b: number): void {
    const { cpus } = this.machine;
    const libc = this.libc();
    if (op === this.firstOp) {
      libc.spend(SocketCall.bind);
    } else if (op === this.firstOp + 1) {
      cpus.spend(this.fn.send);
      libc.spend(SocketCall.sendTo, this.runOf(a).client.message(a, 0)?.length ?? 0);
    } else {
      libc.spend(SocketCall.wait);
      libc.spend(SocketCall.receiveFrom, this.nextLength(a, b));
      cpus.spend(this.fn.receive);
    }
  }

  end(op: number, a: number, b: number): void {
    if (op === this.firstOp) this.opened(this.runs[a]!, b);
    else if (op === this.firstOp + 1) this.send(a);
    else this.receive(a, b);
  }

  private opened(run: Run, ticket: number): void {
    const endpoint = this.openEndpoint(run);
    if (typeof endpoint === "string") return run.failed(failureOf(endpoint));
    while (this.endpoint.rows <= endpoint) this.endpoint.alloc();
    this.endpoint.run[endpoint] = run.number;
    this.endpoint.held[endpoint] = 0;
    this.endpoint.stream[endpoint] = this.machine.packets.openStreams();
    run.opened(endpoint, ticket);
    run.client.ready(endpoint);
  }

  private send(endpoint: number): void {
    const { transcript } = this.machine;
    const run = this.runOf(endpoint);
    const message = run.client.message(endpoint, 0);
    if (message === undefined) return;
    const stream = this.streamOf(endpoint);
    const offset = transcript.endOf(stream);
    transcript.write(stream, message.kind, message.length, message.value);
    this.emit(endpoint, message, offset);
    this.resume(endpoint);
    run.sent(endpoint, 0);
    // The kernel looks after what has arrived before it returns to a sender that never waits.
    this.machine.cpus.yield();
  }

  private receive(endpoint: number, noted: number): void {
    const { packets, transcript } = this.machine;
    const packet = this.take(endpoint, noted);
    if (packet < 0) return;
    const run = this.runOf(endpoint);
    const answer = transcript.at(packets.stream(packet), packets.offset(packet));
    // ping's “DUP!”.
    if (answer >= 0 && run.client.has?.(transcript.valueOf(answer)) === true) return run.repeated();
    run.read(endpoint, packets.payloadLength(packet));
    if (answer >= 0) run.client.answered?.(endpoint, transcript.valueOf(answer));
  }

  private post(op: number, endpoint: number, packet = 0): void {
    const { cpus } = this.machine;
    cpus.post(this.threads[endpoint % this.threads.length]!, this.component, op, endpoint, packet);
  }

  protected runOf(endpoint: number): Run {
    return this.runs[this.endpoint.run[endpoint]!]!;
  }
}

/** UDP sockets of the load generator. */
export class UdpEndpoints extends PacketEndpoints {
  constructor(machine: Machine, component: number, path: string, firstOp: number, threads: readonly number[], runs: readonly Run[], libc: () => Libc) {
    super(machine, component, path, "client UDP sockets", firstOp, threads, runs, libc, { send: "send datagram", receive: "receive datagram" });
  }

  onDatagram(socket: number): void {
    this.arrived(socket, NONE);
  }

  onUnreachable(socket: number): void {
    this.runOf(socket).failed("port unreachable");
  }

  onSendFailed(socket: number, error: string): void {
    this.runOf(socket).failed(failureOf(error));
  }

  onSendSpace(socket: number): void {
    this.resume(socket);
  }

  protected openEndpoint(): number | string {
    return this.libc().sockets.datagrams.open(this.user, 0);
  }

  protected waits(socket: number): boolean {
    return this.libc().sockets.datagrams.waits(socket);
  }

  protected emit(socket: number, message: Message, offset: number): void {
    const run = this.runOf(socket);
    const error = this.libc().sockets.datagrams.send(socket, run.target.address, run.target.port, this.streamOf(socket), offset, message.length);
    if (error !== undefined) run.failed(failureOf(error));
  }

  protected nextLength(socket: number): number {
    return this.libc().sockets.datagrams.nextLength(socket);
  }

  protected take(socket: number): number {
    return this.libc().sockets.datagrams.receive(socket);
  }
}

/** Echo identifiers of the load generator; an answer returns the data of its request. */
export class EchoEndpoints extends PacketEndpoints {
  constructor(machine: Machine, component: number, path: string, firstOp: number, threads: readonly number[], runs: readonly Run[], libc: () => Libc) {
    super(machine, component, path, "client echo identifiers", firstOp, threads, runs, libc, { send: "send echo request", receive: "receive echo reply" });
  }

  onEchoReply(identifier: number, packet: number): void {
    this.arrived(identifier, packet);
  }

  protected openEndpoint(): number {
    return this.libc().sockets.datagrams.openEcho(this.user);
  }

  /** A few requests at a time: they do not fill a buffer. */
  protected waits(): boolean {
    return false;
  }

  protected emit(identifier: number, message: Message, offset: number): void {
    const run = this.runOf(identifier);
    const error = this.libc().sockets.datagrams.echo(identifier, run.target.address, run.issued & 0xffff, this.streamOf(identifier), offset, message.length);
    if (error !== undefined) run.failed(failureOf(error));
  }

  protected nextLength(_identifier: number, packet: number): number {
    return this.machine.packets.payloadLength(packet);
  }

  protected take(_identifier: number, packet: number): number {
    return packet;
  }
}
