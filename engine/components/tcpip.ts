import type { Scope } from "../inspect";
import type { DomainPlace, PlacedModel, Placement } from "../machine/machine";
import { Watch } from "../machine/nic/adapter";
import { formatIpv4, parseIpv4 } from "../network/addresses";
import { Protocol } from "../network/packets";
import { TimerFor } from "../network/tcp/tcb";
import { CloseReason, NO_CONNECTION, TcpTimer, type Discard, type TcpStack } from "../network/tcp/tcp";
import { NONE } from "../trace/trace";
import { AcrossOp, DistantInterface, distance } from "./across";
import { AddressResolution, ArpOp, type HostError } from "./addressResolution";
import { DatagramOp, Datagrams } from "./datagrams";
import type { FrameConsumer, NetworkInterface, SendError } from "./interface";
import { OwnedSockets } from "./ownedSockets";
import { SocketCalls } from "./socketCalls";
import type { SocketUser } from "./socketUser";
import { SoftInterrupts } from "./softInterrupts";
import { StackLocks, StackPart } from "./stackLocks";
import { StreamOp, StreamSockets, timerOf, vcpuOf, type AroundSockets } from "./streamSockets";
import { discardFunctions } from "./tcpipDiscards";
import { stackFunctions } from "./tcpipFunctions";

/** Ops of the stack's own: a frame has come. */
const Op = { input: 0 } as const;
/** Ethernet, IPv4 and TCP headers with timestamps, for the cost of a segment that is yet to be built. */
const HEADERS = 14 + 20 + 32;

/**
 * The TCP/IP stack of one domain: sockets above, one interface below, ARP beside. It runs wherever it is placed: on the
 * application's threads when they send, on the soft-interrupt threads of the domain's vCPUs for what arrives and for timers.
 */
export class TcpIp implements PlacedModel, FrameConsumer, AroundSockets {
  readonly id: number;
  readonly ip: number;
  private readonly kernel;
  private readonly cpus;
  private readonly packets;
  readonly datagrams: Datagrams;
  private readonly streams: StreamSockets;
  readonly owned: OwnedSockets;
  /** What the C library says of calls in `begin`. */
  readonly calls: SocketCalls;
  private readonly locks: StackLocks;
  private readonly arp: AddressResolution;
  private readonly fn;
  private readonly events;
  private readonly discards;
  /** Threads of what nobody's thread asked for. */
  readonly softints: SoftInterrupts;
  private readonly scalars;
  private readonly users: SocketUser[] = [];
  /** Where frames leave: the interface below it, or the way to one in another domain. */
  wire!: NetworkInterface;
  /** A segment is being sent. Never outlives a dispatch. */
  private sending = false;
  /** The same where the driver is in another domain. */
  private distant: DistantInterface | undefined = undefined;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel } = machine;
    this.kernel = kernel;
    this.cpus = machine.cpus;
    this.packets = machine.packets;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.ip = parseIpv4(String(spec.options["ip"])) ?? 0;
    this.fn = kernel.functions(stackFunctions[domain.system]);
    this.events = kernel.functions({
      "retransmission timeout": { kind: "timeout", a: "connection" },
      "tail loss probe": { kind: "timeout", a: "connection" },
      "bad IP header checksum": { kind: "drop" },
      "address is not this host's": { kind: "drop" },
    });
    this.discards = kernel.functions(discardFunctions(domain.system));
    this.softints = new SoftInterrupts(machine, domain);
    machine.cpus.ipc.serve(this.id, this.softints.first);
    this.scalars = kernel.store.table(`stack ${spec.path}`, { resetWanted: "u8" }, 1);
    this.scalars.alloc();
    const wire = (): NetworkInterface => this.wire;
    this.locks = new StackLocks(machine, domain);
    this.owned = new OwnedSockets(place, this.id, this.softints, this.locks, this);
    this.calls = new SocketCalls(place, this.id, this.locks, this.owned);
    this.arp = new AddressResolution(place, this.id, this.ip, this.softints, this.locks, wire, (packet, error) => this.undelivered(packet, error));
    this.streams = new StreamSockets(
      place, this.id, this.ip, this.users, this, {
        tellsOfSent: () => this.wire.tellsOfSent === true,
        // What waits for a neighbour's address does not go down now.
        isFull: (packet) => !this.arp.isHeldBack && this.wire.isFull?.(packet) === true,
        hasten: () => this.wire.hasten?.(),
        resume: (conn) => machine.cpus.post(this.softints.here, this.id, StreamOp.resume, conn),
      }, this.owned, this.softints,
    );
    this.datagrams = new Datagrams(place, this.id, this.ip, this.softints, this.users, this.locks, {
      spend: (ip, packet, bytes) => this.spendWayOut(ip, packet, bytes),
      spendLooking: (what) => this.calls.spendLooking(what, NONE),
      route: (packet) => this.arp.send(packet),
      bind: (port) => this.wire.bindPort?.(Protocol.udp, port),
      release: (port) => this.wire.releasePort?.(Protocol.udp, port),
      tellsOfSent: () => this.wire.tellsOfSent === true,
    });
  }

  connect(): void {
    const { machine, domain } = this.place;
    const below = this.place.spec.below ?? domain.socketInterface;
    if (below === undefined) throw new Error(`${this.place.spec.path} has no interface below it.`);
    this.wire = machine.placed(below) as PlacedModel & NetworkInterface;
    if (distance(machine, this.id, this.wire.component) !== "same") this.wire = this.distant = new DistantInterface(machine, this.id, this.softints.first, this.wire);
  }

  /** The stack has died meanwhile: it chooses its ports anew, and who had sockets in it opens them again. */
  start(): void {
    if (this.kernel.now === 0) return;
    this.tcp.booted();
    for (const user of this.users) user.onRestart?.();
  }

  get tcp(): TcpStack {
    return this.streams.tcp;
  }

  // --- Sockets, as the C library calls them -------------------------------------------------------------------------

  /** Registers an application; `listen` and `open` name it by the number returned. */
  addUser(user: SocketUser): number {
    const known = this.users.indexOf(user);
    return known >= 0 ? known : this.users.push(user) - 1;
  }

  /** A process has ended: its descriptors are closed, and so are its sockets in this stack. */
  peerDied(domain: DomainPlace): void {
    const { components } = this.kernel.names;
    this.users.forEach(({ id }, user) => {
      if (id === undefined || components[id]!.domain !== domain.path) return;
      this.streams.closeAll(user);
      this.datagrams.closeAll(user);
    });
  }

  /** Where another domain finds a server on a port of this stack: another address and port where something on the way translates. @param asker path of that domain */
  published(protocol: number, port: number, asker: string): { readonly address: number; readonly port: number } {
    return this.wire.published?.(this.ip, protocol, port, asker) ?? { address: this.ip, port };
  }

  /** Whether binding a port takes a call to the hypervisor, and what it costs: said in `begin`. */
  spendBind(): void {
    this.wire.spendBindPort?.();
  }

  /** bind and listen. @param backlog see {@link TcpStack.listen} @returns an error name, or undefined */
  listen(user: number, port: number, backlog: number): string | undefined {
    return this.streams.listen(user, port, backlog);
  }

  /** Takes the connection that has waited longest on a port that the user listens on. @returns it, or −1 (`EWOULDBLOCK`) */
  accept(user: number, port: number): number {
    return this.streams.accept(user, port);
  }

  /** socket and connect. @returns the connection, whose `onEstablished` follows, or an error name */
  open(user: number, ip: number, port: number): number | string {
    return this.streams.open(user, ip, port);
  }

  // --- Frames from below --------------------------------------------------------------------------------------------

  spendInput(): void {}

  input(packet: number): void {
    this.cpus.post(this.softints.here, this.id, Op.input, packet);
  }

  awaits(packet: number): Watch {
    if (!this.packets.isTcp(packet)) return this.datagrams.awaits(packet);
    return this.tcp.counts(packet) ? Watch.quietly : Watch.no;
  }

  freed(packet: number, error?: SendError): void {
    if (this.packets.isTcp(packet)) this.tcp.freed(packet);
    else this.datagrams.freed(packet, error);
  }

  queueOf(packet: number): number {
    return packet !== NONE && this.packets.isTcp(packet) ? this.tcp.queueOf(packet) : NONE;
  }

  queued(packet: number, q: number): void {
    if (this.packets.isTcp(packet)) this.tcp.queued(packet, q);
  }

  /** A packet has gone no further than ARP. */
  private undelivered(packet: number, error: HostError | undefined): void {
    if (!this.packets.isTcp(packet)) return this.datagrams.freed(packet, error);
    this.tcp.freed(packet);
    if (error !== undefined) this.tcp.unreachable(packet, error === "EHOSTDOWN" ? CloseReason.hostDown : CloseReason.hostUnreachable);
  }

  /** ARP, for who moves the stack's address from one interface to another: see {@link AddressResolution.move}. */
  get addressing(): AddressResolution {
    return this.arp;
  }

  // --- Work ---------------------------------------------------------------------------------------------------------

  begin(op: number, a: number, b: number): void {
    if (op >= DatagramOp.send) return this.datagrams.begin(op, a);
    if (op >= ArpOp.timer) return this.arp.begin(op, a);
    const { cpus } = this;
    const { fn } = this;
    if (op === Op.input) return this.spendTaking(a);
    if (op === AcrossOp.transmit) return this.distant!.begin(a);
    if (op === StreamOp.timeout) {
      cpus.spend(fn.callout, NONE);
      this.owned.underTimer(a);
      cpus.spend(fn.tcpTimer, NONE, 0, b);
      return;
    }
    if (op === StreamOp.left) return this.owned.spendLeft(a, fn.tcpTimer);
    if (op === StreamOp.resume) return this.owned.spendResuming(a);
    const conn = op === StreamOp.output ? a : NONE;
    const bytes = op === StreamOp.output ? Math.max(0, this.tcp.nextOutputLength(a)) : 0;
    this.owned.underOutput(StackPart.output, conn);
    cpus.spend(fn.tcpOutput, NONE, bytes);
    cpus.spend(fn.ipOutput);
    this.owned.underOutput(StackPart.link, conn);
    if (op === StreamOp.output) this.spendWayOut(this.tcp.remoteIp(a), NONE, bytes + HEADERS, this.tcp.lastPacket(a));
    else this.spendWayOut(this.tcp.nextResetTo, NONE, bytes + HEADERS);
  }

  end(op: number, a: number, b: number): void {
    if (op >= DatagramOp.send) return this.datagrams.end(op, a);
    if (op >= ArpOp.timer) return this.arp.end(op, a);
    if (op === Op.input) this.take(a);
    else if (op === AcrossOp.transmit) this.distant!.end(a);
    else if (op === StreamOp.output) this.output(a);
    else if (op === StreamOp.left) this.owned.takeLeft(a);
    else if (op === StreamOp.reset) this.reset();
    else if (op === StreamOp.resume) this.resume(a);
    else if (!this.owned.leavesTimer(a, b as TcpTimer)) this.tcp.timeout(a, b as TcpTimer);
  }

  private spendTaking(packet: number): void {
    const { cpus, packets } = this;
    const { fn } = this;
    this.distant?.spendReading(packet);
    this.locks.under(StackPart.ether);
    cpus.spend(fn.etherInput, packet);
    if (packets.isArp(packet)) {
      this.locks.under(StackPart.arp);
      return cpus.spend(fn.arpInput, packet);
    }
    this.locks.under(StackPart.ip);
    cpus.spend(fn.ipInput, packet);
    if (packets.destinationIp(packet) !== this.ip) return;
    if (!this.wire.offloads.checksum) cpus.spend(fn.checksum, packet, packets.frameLength(packet));
    if (packets.isTcp(packet)) {
      this.owned.underSegment(packet);
      return cpus.spend(fn.tcpInput, packet, packets.payloadLength(packet));
    }
    this.locks.under(StackPart.transport);
    this.datagrams.spendInput(packet);
  }

  private take(packet: number): void {
    const { packets } = this;
    if (packets.isArp(packet)) this.arp.input(packet);
    else if (packets.isHeaderCorrupted(packet)) this.drop(this.events["bad IP header checksum"], packet);
    else if (packets.destinationIp(packet) !== this.ip) this.drop(this.events["address is not this host's"], packet);
    else if (!packets.isTcp(packet)) this.datagrams.input(packet);
    else if (!this.owned.leavesSegment(packet)) this.tcp.input(packet);
  }

  discarded(packet: number, why: Discard): void {
    this.drop(this.discards[why], packet);
  }

  /** An answer has come from an address: its neighbour is there. */
  answered(ip: number): void {
    this.arp.confirm(ip);
  }

  private drop(fn: number, packet: number): void {
    const { kernel, cpus } = this;
    kernel.mark(fn, this.id, cpus.contextOf(this.softints.here), kernel.now, 0, packet);
  }

  /**
   * Said in `begin`: the way of a new packet to a neighbour and through the interface, and its checksum where the interface does not compute
   * it; what is longer than a frame the interface cuts, and computes those of the frames. Who waits for the neighbour's address does so in `ether_output` in BSD (`arpresolve`), before `dev_queue_xmit` in Linux (`neigh_resolve_output`).
   */
  private spendWayOut(ip: number, packet: number, bytes: number, like = NONE): void {
    const { machine: { cpus }, domain } = this.place;
    const isCut = bytes > domain.mtu + HEADERS;
    if (domain.system === "rump" || this.arp.knows(ip)) cpus.spend(this.fn.etherOutput, packet);
    if (!this.wire.offloads.checksum && !isCut) cpus.spend(this.fn.checksum, packet, bytes);
    this.arp.spendSend(ip, packet, bytes, like);
  }

  /** One segment of a connection, built and sent; more follow for as long as TCP has them. */
  private output(conn: number): void {
    this.streams.unwant(conn);
    this.sending = true;
    const packet = this.tcp.output(conn);
    this.sending = false;
    if (packet < 0) return;
    this.kernel.namePacket(packet);
    // The next segment has been asked for; what is called last is done first: a call that this one goes on by comes before it.
    this.arp.send(packet);
  }

  /** A connection goes on that has waited for what it has below TCP. */
  private resume(conn: number): void {
    if (!this.owned.leavesResuming(conn)) this.tcp.resume(conn);
  }

  /** One reset that belongs to no connection; more follow for as long as there are any. */
  private reset(): void {
    this.scalars.resetWanted[0] = 0;
    const packet = this.tcp.nextReset();
    if (packet < 0) return;
    this.kernel.namePacket(packet);
    if (this.tcp.resetReady) this.wantOutput(NO_CONNECTION, this.tcp.nextResetCause);
    this.arp.send(packet);
  }

  /**
   * A socket call's or a segment's way through TCP ends with what it leads to, under the same lock (`tcp_output`). A call that sends much copies it
   * piece by piece (`sosend`), and lets go in between: each further segment takes the lock anew.
   */
  wantOutput(conn: number, cause: number): void {
    const { cpus } = this;
    const thread = cpus.carrier(this.id, this.softints.here);
    if (conn !== NO_CONNECTION) {
      if (!this.streams.want(conn)) return;
      if (this.locks.outputGoesOn && (!this.sending || this.softints.has(thread))) cpus.callOn(thread, this.id, StreamOp.output, conn, 0, cause);
      else cpus.call(thread, this.id, StreamOp.output, conn, 0, cause);
    } else if (this.scalars.resetWanted[0] === 0) {
      this.scalars.resetWanted[0] = 1;
      cpus.call(thread, this.id, StreamOp.reset, 0, 0, cause);
    }
  }

  fire(op: number, a: number, b: number): void {
    if (op >= ArpOp.timer) return this.arp.fire(op, a);
    const { kernel, cpus } = this;
    const timer = timerOf(b);
    this.streams.expired(a, timer);
    const what = timer === TcpTimer.retransmit ? this.tcp.timerFor(a) : NONE;
    const fn = what === TimerFor.timeout ? this.events["retransmission timeout"] : what === TimerFor.probe ? this.events["tail loss probe"] : this.fn.callout;
    const softint = this.softints.threads[vcpuOf(b)]!;
    kernel.mark(fn, this.id, cpus.contextOf(softint), kernel.now, 0, NONE, a, timer);
    cpus.post(softint, this.id, StreamOp.timeout, a, timer);
  }

  /** Segments sent again. */
  get retransmissions(): number {
    return this.streams.retransmissions;
  }

  describe(): Scope[] {
    return [
      { name: "TCP/IP", variables: [{ name: "address", value: formatIpv4(this.ip) }, this.arp.describe(), this.datagrams.describe(), ...this.owned.describe()] },
      this.tcp.describeAll(),
    ];
  }
}
