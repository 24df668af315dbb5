import { Store } from "../../engine/kernel/state";
import { PacketLog } from "../../engine/network/packets";
import { cutSegment } from "../../engine/network/segmentation";
import { TcpStack, linuxTcp, type Discard, type QueuesBelow, type TcpEnv, type TcpOptions, type TcpTimer } from "../../engine/network/tcp/tcp";

export const MICROSECOND = 1e6;
export const MILLISECOND = 1e9;
export const SECOND = 1e12;

/** What the wire does with one packet: the delays after which copies arrive; none: it is lost. Picoseconds. */
export type Channel = (packet: number, from: number, index: number) => readonly number[];

interface Pending {
  readonly time: number;
  readonly order: number;
  readonly run: () => void;
}

const CALLS = ["listen", "accept", "connect", "send", "receive", "shutdown", "close", "abort", "input", "output", "nextReset", "timeout", "freed", "resume"] as const;

/** One call of a stack that changed its state. */
export interface Call {
  readonly host: number;
  readonly time: number;
  readonly name: (typeof CALLS)[number];
  readonly args: readonly number[];
  readonly result: unknown;
}

/** One end: a stack and what its surroundings were told. */
export class Host implements TcpEnv {
  readonly stack: TcpStack;
  readonly timers = new Map<string, { readonly at: number; readonly token: number }>();
  readonly establishedConns: number[] = [];
  readonly acceptedConns: number[] = [];
  readonly closedConns: { readonly conn: number; readonly reason: number }[] = [];
  /** Called when the stack reports; a test's application. */
  onReadable: (conn: number) => void = () => {};
  onWritable: (conn: number) => void = () => {};
  onEstablished: (conn: number) => void = () => {};
  onAccepted: (conn: number, port: number) => void = () => {};
  /** Connections that want to send, with the cause that each gave. */
  private readonly wanted = new Map<number, number>();
  /** All initial sequence numbers that were handed out. */
  readonly draws: number[] = [];
  private draw: number;

  /** What the stack's memory is in. */
  get scope(): string {
    return `host${this.index}`;
  }

  constructor(private readonly network: TcpNetwork, readonly index: number, options: TcpOptions, seed: number) {
    this.draw = seed;
    const stack = network.store.within(this.scope, () => new TcpStack(network.store, network.packets, options, this, this.scope));
    const calls: ReadonlySet<PropertyKey> = new Set(CALLS);
    this.stack = new Proxy(stack, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        if (!calls.has(name)) return member.bind(target) as unknown;
        return (...args: number[]): unknown => {
          network.onCall();
          const result: unknown = Reflect.apply(member, target, args);
          network.calls.push({ host: index, time: network.time, name: name as Call["name"], args, result });
          return result;
        };
      },
    });
  }

  now(): number {
    return this.network.time;
  }

  /** The call that goes on, by its number in `network.calls`. */
  cause(): number {
    return this.network.calls.length;
  }

  /** The seed first, so that a test can choose an initial sequence number. */
  random(): number {
    const drawn = this.draw;
    this.draws.push(drawn);
    this.draw = (Math.imul(this.draw, 1664525) + 1013904223) >>> 0;
    return drawn;
  }

  /** What is drawn next of dynamic ports, counted from 0. */
  nextRandomPort = 0;

  randomPort(ports: number): number {
    return this.nextRandomPort % ports;
  }

  answered(): void {}

  /** Why segments were thrown away, in order. */
  readonly discards: Discard[] = [];

  discarded(_packet: number, why: Discard): void {
    this.discards.push(why);
  }

  /** No interface cuts segments, unless a test says so. */
  largest = 0;

  largestSegment(): number {
    return this.largest;
  }

  /** What is below takes all and says nothing, unless a test says so. */
  readonly queues = { tells: false, isFull: (_packet: number): boolean => false };

  readonly below: QueuesBelow = {
    tellsOfSent: () => this.queues.tells,
    isFull: (packet) => this.queues.isFull(packet),
    hasten: () => {},
    resume: (conn) => {
      this.network.at(this.network.time, () => {
        this.stack.resume(conn);
        this.flush();
      });
    },
  };

  arm(conn: number, timer: TcpTimer, at: number): void {
    const token = this.network.at(at, () => {
      if (this.timers.get(`${conn} ${timer}`)?.token !== token) return;
      this.timers.delete(`${conn} ${timer}`);
      this.stack.timeout(conn, timer);
      this.flush();
    });
    this.timers.set(`${conn} ${timer}`, { at, token });
  }

  disarm(conn: number, timer: TcpTimer): void {
    this.timers.delete(`${conn} ${timer}`);
  }

  /** What was asked for, and by which call, in order. */
  readonly asked: { readonly by: number; readonly conn: number; readonly cause: number }[] = [];

  wantOutput(conn: number, cause: number): void {
    this.asked.push({ by: this.cause(), conn, cause });
    if (!this.wanted.has(conn)) this.wanted.set(conn, cause);
    this.network.soon(this);
  }

  readable(conn: number): void {
    this.network.at(this.network.time, () => this.onReadable(conn));
  }

  writable(conn: number): void {
    this.network.at(this.network.time, () => this.onWritable(conn));
  }

  established(conn: number): void {
    this.establishedConns.push(conn);
    this.network.at(this.network.time, () => this.onEstablished(conn));
  }

  accepted(conn: number, port: number): void {
    this.acceptedConns.push(conn);
    this.network.at(this.network.time, () => this.onAccepted(conn, port));
  }

  closed(conn: number, reason: number): void {
    this.closedConns.push({ conn, reason });
  }

  /** Sends all that the stack wants to send. */
  flush(): void {
    for (const [conn, first] of [...this.wanted]) {
      let cause = first;
      this.wanted.delete(conn);
      if (conn < 0) {
        for (let p = this.stack.nextReset(); p >= 0; p = this.stack.nextReset()) this.network.send(p, this.index, cause);
        continue;
      }
      for (let goesOn = true; goesOn && this.stack.outputReady(conn); ) {
        const length = this.stack.nextOutputLength(conn);
        const packet = this.stack.output(conn);
        if (packet < 0) throw new Error("outputReady, yet no output");
        if (this.network.packets.payloadLength(packet) !== length) throw new Error("nextOutputLength differs from output");
        this.network.send(packet, this.index, cause);
        cause = this.wanted.get(conn) ?? cause;
        goesOn = this.wanted.delete(conn);
      }
    }
  }
}

/** Two stacks at 10.0.0.1 and 10.0.0.2, joined by a channel. Packets are noted when they are sent, before the channel has its way. */
export class TcpNetwork {
  readonly store = new Store();
  readonly packets = new PacketLog(this.store);
  readonly hosts: readonly [Host, Host];
  readonly sent: { readonly packet: number; readonly time: number; readonly from: number; readonly cause: number }[] = [];
  channel: Channel = () => [10 * MICROSECOND];
  /** Packets that a queue below their sender has dropped. */
  readonly refused = new Set<number>();
  time = 0;
  readonly calls: Call[] = [];
  /** Before each call that may change the state. */
  onCall: () => void = () => {};
  private order = 0;
  private readonly pending: Pending[] = [];

  constructor(a: Partial<TcpOptions> = {}, b: Partial<TcpOptions> = {}, seeds: readonly [number, number] = [1000, 2000]) {
    // By the RFCs of loss recovery that all systems have; what RACK adds is asked for.
    const base = { ...linuxTcp, rackTlp: false };
    this.hosts = [new Host(this, 0, { ...base, ...a }, seeds[0]), new Host(this, 1, { ...base, ...b }, seeds[1])];
  }

  static ip(host: number): number {
    return 0x0a000001 + host;
  }

  at(time: number, run: () => void): number {
    const event = { time, order: this.order++, run };
    // The earliest is kept last.
    const i = this.pending.findIndex((other) => other.time < time || (other.time === time && other.order < event.order));
    this.pending.splice(i < 0 ? this.pending.length : i, 0, event);
    return event.order;
  }

  soon(host: Host): void {
    this.at(this.time, () => host.flush());
  }

  /** Sends a packet; a long one in the frames that an interface would cut it into. @param cause the call that asked for it */
  send(packet: number, from: number, cause: number): void {
    this.packets.setEthernet(packet, 0x020000000001 + (1 - from), 0x020000000001 + from);
    if (this.packets.isLong(packet)) {
      for (let at = 0; at < this.packets.payloadLength(packet); at += this.packets.segmentSize(packet)) this.transmit(cutSegment(this.packets, packet, at), from, cause);
    } else {
      this.transmit(packet, from, cause);
    }
  }

  private transmit(packet: number, from: number, cause: number): void {
    this.sent.push({ packet, time: this.time, from, cause });
    for (const delay of this.channel(packet, from, this.sent.length - 1)) {
      this.at(this.time + delay, () => this.hosts[from === 0 ? 1 : 0].stack.input(packet));
    }
  }

  /** Runs until nothing is pending or the time is over. @returns false if something is still pending at `until` */
  run(until = Infinity): boolean {
    for (let event = this.pending.at(-1); event !== undefined && event.time <= until; event = this.pending.at(-1)) {
      this.pending.pop();
      this.time = event.time;
      event.run();
    }
    if (until !== Infinity) this.time = until;
    return this.pending.length === 0;
  }

  /** An established connection: [conn of host 0, conn of host 1]. @param wait what the handshake may take, picoseconds */
  open(port = 80, wait = MILLISECOND): readonly [number, number] {
    const [client, server] = this.hosts;
    server.stack.listen(TcpNetwork.ip(1), port, 16);
    const c = client.stack.connect(TcpNetwork.ip(0), 0, TcpNetwork.ip(1), port);
    this.run(this.time + wait);
    const s = server.stack.accept(TcpNetwork.ip(1), port);
    if (s < 0) throw new Error("no connection");
    return [c, s];
  }

  /** One line a packet, from the given one on. */
  lines(from = 0): string[] {
    return this.sent.slice(from).map(({ packet, from: host }) => `${host === 0 ? ">" : "<"} ${this.packets.summarize(packet).replace(/^TCP \S+ → \S+ /, "")}`);
  }
}
