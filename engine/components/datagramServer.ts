import type { Scope } from "../inspect";
import type { FunctionSource } from "../kernel/kernel";
import type { PlacedModel, Placement } from "../machine/machine";
import { echoOf } from "../workloads/data";
import type { Received } from "../workloads/client";
import type { Libc } from "./libc";
import { ServiceTime } from "./serviceTime";
import type { SocketUser } from "./socketUser";

const Op = { bind: 0, receive: 1 } as const;

/** A server that reads datagrams from one UDP socket, on one thread, and sends each back, or not. */
export class DatagramServer implements PlacedModel, SocketUser {
  readonly id: number;
  private readonly fn: number[];
  private readonly failed: number;
  private readonly thread: number;
  private readonly service: ServiceTime;
  private readonly state;
  /** By stream over two: the one of a pair that a client sends on. */
  private readonly received;
  private libc!: Libc;
  private user = 0;

  constructor(private readonly place: Placement, functions: Readonly<Record<string, FunctionSource>>, private readonly echoes: boolean) {
    const { machine, domain, spec } = place;
    const { kernel, cpus } = machine;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = Object.values(kernel.functions(functions));
    this.failed = kernel.functions({ "bind failed: EADDRINUSE": { kind: "violation", a: "port" } })["bind failed: EADDRINUSE"];
    this.thread = cpus.addThread(domain.id, "inetd");
    this.service = new ServiceTime(place);
    this.state = kernel.store.table(`counters of ${spec.path}`, { datagrams: "f64", bytes: "f64" }, 1);
    this.state.alloc();
    this.received = kernel.store.table(`received by ${spec.path}`, { messages: "f64", bytes: "f64", last: "f64" });
  }

  private get port(): number {
    return Number(this.place.spec.options["port"]);
  }

  connect(): void {
    const library = this.place.domain.components.find((c) => c.type === "libc");
    if (library === undefined) throw new Error(`${this.place.spec.path} has no libc to call.`);
    this.libc = this.place.machine.placed(library.path) as Libc;
  }

  start(): void {
    this.user = this.libc.sockets.addUser(this);
    this.place.machine.cpus.post(this.thread, this.id, Op.bind);
  }

  onAccepted(): void {}
  onEstablished(): void {}
  onReadable(): void {}
  onWritable(): void {}
  onClosed(): void {}

  onDatagram(socket: number): void {
    this.place.machine.cpus.post(this.thread, this.id, Op.receive, socket);
  }

  begin(op: number, socket: number): void {
    const { libc } = this;
    if (op === Op.bind) {
      libc.spend("bind");
      return;
    }
    const bytes = libc.sockets.datagrams.nextLength(socket);
    libc.spend("wait");
    libc.spend("receiveFrom", bytes);
    for (const fn of this.fn) this.place.machine.cpus.spend(fn);
    this.service.spend();
    if (this.echoes) libc.spend("sendTo", bytes);
  }

  end(op: number, socket: number): void {
    if (op === Op.bind) this.bind();
    else this.receive(socket);
  }

  private bind(): void {
    const { kernel, cpus } = this.place.machine;
    const socket = this.libc.sockets.datagrams.open(this.user, this.port);
    if (typeof socket === "string") kernel.mark(this.failed, this.id, cpus.contextOf(this.thread), kernel.now, 0, -1, this.port);
  }

  private receive(socket: number): void {
    const { packets, transcript, kernel } = this.place.machine;
    const { datagrams } = this.libc.sockets;
    const packet = datagrams.receive(socket);
    if (packet < 0) return;
    this.service.draw();
    const stream = packets.stream(packet);
    const length = packets.payloadLength(packet);
    this.state.datagrams[0]!++;
    this.state.bytes[0]! += length;
    while (this.received.rows <= stream >> 1) this.received.alloc();
    this.received.messages[stream >> 1]!++;
    this.received.bytes[stream >> 1]! += length;
    this.received.last[stream >> 1] = kernel.now;
    if (!this.echoes) return;
    const request = transcript.at(stream, packets.offset(packet));
    const back = stream ^ 1;
    const offset = transcript.endOf(back);
    const answer = echoOf(transcript.valueOf(request));
    transcript.write(back, answer.kind, answer.length, answer.value);
    datagrams.send(socket, packets.sourceIp(packet), packets.sourcePort(packet), back, offset, length);
  }

  /** What came on one stream. */
  receivedOn(stream: number): Received {
    const row = stream >> 1;
    if (row >= this.received.rows) return { messages: 0, bytes: 0, last: 0 };
    return { messages: this.received.messages[row]!, bytes: this.received.bytes[row]!, last: this.received.last[row]! };
  }

  fire(): void {}

  describe(): Scope[] {
    return [{
      name: "Server",
      variables: [
        { name: "port", value: `${this.port}`, number: this.port },
        { name: "datagrams received", value: `${this.state.datagrams[0]!}`, number: this.state.datagrams[0]! },
        { name: "bytes received", value: `${this.state.bytes[0]!}`, number: this.state.bytes[0]! },
      ],
    }];
  }
}
