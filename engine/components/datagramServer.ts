import { SocketCall } from "./libc";
import type { Scope } from "../inspect";
import type { FunctionSource } from "../kernel/kernel";
import type { Placement } from "../machine/machine";
import { echoOf } from "../workloads/data";
import { NOTHING_RECEIVED, type Received } from "../workloads/client";
import { ServiceTime } from "./serviceTime";
import { OPEN, SocketServer } from "./socketServer";

const Op = { bind: OPEN, receive: 1 } as const;

/** A server that reads datagrams from one UDP socket, on one thread, and sends each back, or not. */
export class DatagramServer extends SocketServer {
  private readonly service: ServiceTime;
  private readonly state;
  /** By stream over two, the one of a pair that a client sends on: who measures keeps it, and the server's end does not take it away. */
  private readonly received;

  constructor(place: Placement, functions: Readonly<Record<string, FunctionSource>>, private readonly echoes: boolean) {
    super(place, functions, ["inetd"]);
    const { machine: { kernel }, spec } = place;
    this.service = new ServiceTime(place);
    this.state = kernel.store.table(`counters of ${spec.path}`, { datagrams: "f64", bytes: "f64" }, 1);
    this.state.alloc();
    this.received = kernel.store.within(undefined, () => kernel.store.table(`received by ${spec.path}`, { messages: "f64", bytes: "f64", first: "f64", last: "f64", silence: "f64" }));
  }

  onDatagram(socket: number): void {
    this.place.machine.cpus.post(this.threads[0]!, this.id, Op.receive, socket);
  }

  begin(op: number, socket: number): void {
    const { libc } = this;
    if (op === Op.bind) {
      libc.spend(SocketCall.bind);
      return;
    }
    const bytes = libc.sockets.datagrams.nextLength(socket);
    libc.spend(SocketCall.wait);
    libc.spend(SocketCall.receiveFrom, bytes);
    for (const fn of this.fn) this.place.machine.cpus.spend(fn);
    this.service.spend();
    if (this.echoes) libc.spend(SocketCall.sendTo, bytes);
  }

  end(op: number, socket: number): void {
    if (op === Op.bind) this.bind();
    else this.receive(socket);
  }

  private bind(): void {
    const socket = this.libc.sockets.datagrams.open(this.user, this.port);
    if (typeof socket === "string") this.markFailed();
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
    this.book(stream >> 1, length, kernel.now);
    if (!this.echoes) return;
    const request = transcript.at(stream, packets.offset(packet));
    const back = stream ^ 1;
    const offset = transcript.endOf(back);
    const answer = echoOf(transcript.valueOf(request));
    transcript.write(back, answer.kind, answer.length, answer.value);
    datagrams.send(socket, packets.sourceIp(packet), packets.sourcePort(packet), back, offset, length);
  }

  private book(row: number, length: number, now: number): void {
    const { received } = this;
    while (received.rows <= row) received.alloc();
    if (received.messages[row]!++ === 0) received.first[row] = now;
    else received.silence[row] = Math.max(received.silence[row]!, now - received.last[row]!);
    received.bytes[row]! += length;
    received.last[row] = now;
  }

  /** What came on one stream. */
  receivedOn(stream: number): Received {
    const row = stream >> 1;
    const { messages, bytes, first, last, silence } = this.received;
    if (row >= this.received.rows) return NOTHING_RECEIVED;
    return { messages: messages[row]!, bytes: bytes[row]!, first: first[row]!, last: last[row]!, silence: silence[row]! };
  }

  describe(): Scope[] {
    return this.describeCounts({ "datagrams received": this.state.datagrams[0]!, "bytes received": this.state.bytes[0]! });
  }
}
