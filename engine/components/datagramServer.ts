import { SocketCall } from "./libc";
import type { Scope } from "../inspect";
import type { FunctionSource } from "../kernel/kernel";
import type { Placement } from "../machine/machine";
import { echoOf } from "../workloads/data";
import { NOTHING_RECEIVED, type Received } from "../workloads/client";
import { DatagramCounts } from "./datagramCounts";
import { ServiceTime } from "./serviceTime";
import { OPEN, SocketServer } from "./socketServer";

const Op = { bind: OPEN, receive: 1, answer: 2 } as const;

/**
 * A server that reads datagrams from one UDP socket, on one thread, and sends each back, or not. Where its socket's send buffer is full, its call waits for room
 * (Linux), and the thread in it: datagrams that arrive meanwhile wait at the socket, and are lost there when they are too many.
 */
export class DatagramServer extends SocketServer {
  private readonly service: ServiceTime;
  private readonly state;
  /** Who measures keeps them: the server's end does not take them away. */
  private readonly counts: DatagramCounts | undefined;

  constructor(place: Placement, functions: Readonly<Record<string, FunctionSource>>, private readonly echoes: boolean) {
    super(place, functions, ["inetd"]);
    const { machine: { kernel }, spec } = place;
    this.service = new ServiceTime(place);
    this.state = kernel.store.table(`counters of ${spec.path}`, { datagrams: "f64", bytes: "f64", duplicates: "f64", held: "i32", cause: "i32" }, 1);
    this.state.alloc();
    if (!echoes) this.counts = kernel.store.within(undefined, () => new DatagramCounts(kernel.store, spec.path));
  }

  onDatagram(socket: number): void {
    this.place.machine.cpus.post(this.threads[0]!, this.id, Op.receive, socket);
  }

  /** @param request of {@link Op.answer} */
  begin(op: number, socket: number, request: number): void {
    const { libc } = this;
    if (op === Op.bind) return this.spendOpen(SocketCall.bind);
    if (op === Op.answer) return libc.spend(SocketCall.sendTo, this.place.machine.packets.payloadLength(request));
    const bytes = libc.sockets.datagrams.nextLength(socket);
    libc.spend(SocketCall.wait);
    libc.spend(SocketCall.receiveFrom, bytes);
    for (const fn of this.fn) this.place.machine.cpus.spend(fn);
    this.service.spend();
    // Until this ends, the buffer can only get emptier: nobody else sends by the socket.
    const waits = this.echoes && libc.mayWait && libc.sockets.datagrams.isFull(socket);
    this.place.machine.cpus.note(waits ? 1 : 0);
    if (this.echoes && !waits) libc.spend(SocketCall.sendTo, bytes);
  }

  end(op: number, socket: number, request: number): void {
    if (op === Op.bind) this.bind();
    else if (op === Op.answer) this.answer(socket, request);
    else this.receive(socket);
  }

  private bind(): void {
    const socket = this.libc.sockets.datagrams.open(this.user, this.port);
    if (typeof socket === "string") this.markFailed();
  }

  private receive(socket: number): void {
    const { packets, kernel, cpus } = this.place.machine;
    const { datagrams } = this.libc.sockets;
    const waits = cpus.noted === 1;
    const packet = datagrams.receive(socket);
    if (packet < 0) return;
    this.service.draw();
    const stream = packets.stream(packet);
    const length = packets.payloadLength(packet);
    this.state.datagrams[0]!++;
    this.state.bytes[0]! += length;
    if (this.counts !== undefined) {
      if (!this.counts.book(stream, packets.offset(packet), length, kernel.now)) this.state.duplicates[0]!++;
      return;
    }
    if (!waits) return this.answer(socket, packet);
    if (!datagrams.waits(socket)) return cpus.call(this.threads[0]!, this.id, Op.answer, socket, packet);
    this.state.held[0] = packet;
    this.state.cause[0] = kernel.cause;
    cpus.sleep();
  }

  /** @param packet the request */
  private answer(socket: number, packet: number): void {
    const { packets, transcript } = this.place.machine;
    const stream = packets.stream(packet);
    const request = transcript.at(stream, packets.offset(packet));
    const back = stream ^ 1;
    const offset = transcript.endOf(back);
    const answer = echoOf(transcript.valueOf(request));
    transcript.write(back, answer.kind, answer.length, answer.value);
    this.libc.sockets.datagrams.send(socket, packets.sourceIp(packet), packets.sourcePort(packet), back, offset, packets.payloadLength(packet));
  }

  /** There is room for the answer that waits for it. */
  onSendSpace(socket: number): void {
    const { held, cause } = this.state;
    this.place.machine.cpus.wakeUp(this.threads[0]!, this.id, Op.answer, socket, held[0]!, cause[0]!);
  }

  /** What came on one stream, where it is not sent back: who gets an answer counts that. */
  receivedOn(stream: number): Received {
    return this.counts?.on(stream) ?? NOTHING_RECEIVED;
  }

  describe(): Scope[] {
    const { datagrams, bytes, duplicates } = this.state;
    return this.describeCounts({ "datagrams received": datagrams[0]!, "bytes received": bytes[0]!, ...(this.echoes ? {} : { "duplicates among them": duplicates[0]! }) });
  }
}
