import { DATAGRAM_HEADERS } from "../design/mtu";
import type { Variable } from "../inspect";
import type { Placement, System } from "../machine/machine";
import { Watch } from "../machine/nic/adapter";
import { linuxPorts, netbsdPorts, type DynamicPorts } from "../network/dynamicPorts";
import { ETHERNET_HEADER, ICMP_QUOTE } from "../network/headers";
import { IcmpType } from "../network/packets";
import { RateLimit } from "../network/rateLimit";
import { UdpSockets } from "../network/udp";
import { UdpSendBuffers } from "../network/udpSendBuffers";
import { NONE } from "../trace/trace";
import type { HostError } from "./addressResolution";
import type { SendError } from "./interface";
import type { SoftInterrupts } from "./softInterrupts";
import { StackPart, type StackLocks } from "./stackLocks";

/** An application that uses datagrams. Called from inside a dispatch, as {@link SocketUser} is. */
export interface DatagramUser {
  /** A datagram waits at the socket. */
  onDatagram?(socket: number): void;
  /** "Port unreachable" came back for a datagram that the socket had sent. */
  onUnreachable?(socket: number): void;
  /** A datagram that the socket had sent was not taken by the interface: the call fails. */
  onSendFailed?(socket: number, error: string): void;
  /** There is room in the send buffer, for which it waits. */
  onSendSpace?(socket: number): void;
  /** The answer to an echo request. */
  onEchoReply?(identifier: number, packet: number): void;
}

/** Ops of the stack that are about datagrams: all from here on. */
export const DatagramOp = { send: 20, echo: 21, refuse: 22 } as const;

/** What the functions of UDP and ICMP are called in each system, and where they are. */
export const datagramFunctions = {
  rump: {
    copyIn: { name: "sosend", file: "sys/kern/uipc_socket.c", kind: "socket", a: "bytes", tally: "copy" },
    copyOut: { name: "soreceive", file: "sys/kern/uipc_socket.c", kind: "socket", a: "bytes", tally: "copy" },
    udpOutput: { name: "udp_output", file: "sys/netinet/udp_usrreq.c", kind: "udp", a: "bytes" },
    udpInput: { name: "udp_input", file: "sys/netinet/udp_usrreq.c", kind: "udp", a: "bytes" },
    rawOutput: { name: "rip_output", file: "sys/netinet/raw_ip.c", kind: "ip", a: "bytes" },
    icmpInput: { name: "icmp_input", file: "sys/netinet/ip_icmp.c", kind: "ip" },
    icmpReflect: { name: "icmp_reflect", file: "sys/netinet/ip_icmp.c", kind: "ip" },
    icmpError: { name: "icmp_error", file: "sys/netinet/ip_icmp.c", kind: "ip" },
    ipOutput: { name: "ip_output", file: "sys/netinet/ip_output.c", kind: "ip" },
  },
  linux: {
    copyIn: { name: "ip_append_data", file: "net/ipv4/ip_output.c", kind: "socket", a: "bytes", tally: "copy" },
    copyOut: { name: "udp_recvmsg", file: "net/ipv4/udp.c", kind: "socket", a: "bytes", tally: "copy" },
    udpOutput: { name: "udp_sendmsg", file: "net/ipv4/udp.c", kind: "udp", a: "bytes" },
    udpInput: { name: "udp_rcv", file: "net/ipv4/udp.c", kind: "udp", a: "bytes" },
    rawOutput: { name: "raw_sendmsg", file: "net/ipv4/raw.c", kind: "ip", a: "bytes" },
    icmpInput: { name: "icmp_rcv", file: "net/ipv4/icmp.c", kind: "ip" },
    icmpReflect: { name: "icmp_reply", file: "net/ipv4/icmp.c", kind: "ip" },
    icmpError: { name: "__icmp_send", file: "net/ipv4/icmp.c", kind: "ip" },
    ipOutput: { name: "ip_send_skb", file: "net/ipv4/ip_output.c", kind: "ip" },
  },
} as const satisfies Record<System, unknown>;

/**
 * Receive buffer of a UDP socket, bytes: NetBSD's `udp_recvspace` (40 datagrams of 1 KiB with their addresses), Linux'
 * `net.core.rmem_default`.
 */
const receiveBuffer: Readonly<Record<System, number>> = { rump: 41600, linux: 212992 };
/** ICMP errors a second: NetBSD's `icmperrppslim`, Linux' `icmp_msgs_per_sec`. */
export const errorLimit: Readonly<Record<System, number>> = { rump: 100, linux: 1000 };
const dynamicPorts: Readonly<Record<System, DynamicPorts>> = { rump: netbsdPorts, linux: linuxPorts };

/** What the stack does for datagrams: cost and way of a packet that is ready, and the portmap where there is one. */
export interface BelowDatagrams {
  /** Said in `begin`. @param packet −1 where it does not exist yet */
  spend(ip: number, packet: number, bytes: number): void;
  /** Said in `begin`: what a call does at the socket before it copies: see {@link SocketCalls.spendLooking}. */
  spendLooking(what: "room" | "data"): void;
  route(packet: number): void;
  /** Binds in the hypervisor's portmap; undefined where the uplink has none. @param port 0: any dynamic one */
  bind(port: number): { readonly port: number } | { readonly error: string } | undefined;
  /** Gives it back there. */
  release(port: number): void;
  /** Whether {@link Datagrams.freed} will be called of each packet that is awaited. */
  tellsOfSent(): boolean;
}

/** UDP and ICMP of one stack: the part of {@link TcpIp} that knows no connections. Rows and ops are the stack's own. */
export class Datagrams {
  private readonly sockets: UdpSockets;
  /** Linux has them; in NetBSD a datagram is not counted once it has left the socket, and what the interface does not take is the caller's to know (`udp_output`). */
  private readonly sendBuffers: UdpSendBuffers | undefined;
  private readonly fn;
  private readonly events;
  private readonly waiting: number;
  private readonly scalars;
  private readonly errors: RateLimit;
  /** Users of echo identifiers: row `i` is that of identifier `i + 1`. */
  private readonly echoes;

  constructor(
    private readonly place: Placement, private readonly component: number, private readonly ip: number, private readonly softints: SoftInterrupts,
    private readonly users: readonly DatagramUser[], private readonly locks: StackLocks, private readonly below: BelowDatagrams,
  ) {
    const { kernel } = place.machine;
    const { system } = place.domain;
    this.fn = kernel.functions(datagramFunctions[system]);
    this.events = kernel.functions({
      "no socket on the port": { kind: "drop", a: "port" },
      "socket buffer full": { kind: "drop", a: "port" },
      "bad UDP or ICMP checksum": { kind: "drop" },
      "sendto failed: EMSGSIZE": { kind: "violation", a: "bytes" },
      "sendto failed: ENOBUFS": { kind: "violation", a: "bytes" },
      "sendto failed: ENETDOWN": { kind: "violation", a: "bytes" },
      "sendto failed: EHOSTDOWN": { kind: "violation", a: "bytes" },
    });
    this.waiting = system === "linux" ? kernel.functions({ sock_wait_for_wmem: { file: "net/core/sock.c", kind: "socket", a: "bytes" } }).sock_wait_for_wmem : NONE;
    this.sendBuffers = system === "linux" ? new UdpSendBuffers(kernel.store, place.spec.path) : undefined;
    this.sockets = new UdpSockets(kernel.store, place.spec.path, receiveBuffer[system]);
    this.echoes = kernel.store.table(`echo identifiers of ${place.spec.path}`, { user: "u16" });
    this.scalars = kernel.store.table(`datagrams of ${place.spec.path}`, { ipId: "u16" }, 1);
    this.scalars.alloc();
    this.errors = new RateLimit(kernel.store, `ICMP errors of ${place.spec.path}`, errorLimit[system]);
  }

  // --- Sockets, as the C library calls them -------------------------------------------------------------------------

  /** socket and bind. @param port 0: any free dynamic one @returns the socket, or an error name */
  open(user: number, port: number): number | string {
    const bound = this.below.bind(port);
    if (bound !== undefined && "error" in bound) return bound.error;
    const local = bound?.port ?? (port === 0 ? this.freePort() : port);
    return local < 0 || this.sockets.find(local) >= 0 ? "EADDRINUSE" : this.sockets.open(local, user);
  }

  /** The lowest; −1: none. */
  private freePort(): number {
    const [first, last] = dynamicPorts[this.place.domain.system];
    for (let port = first; port <= last; port++) if (this.sockets.find(port) < 0) return port;
    return -1;
  }

  /** All sockets of a user are closed. */
  closeAll(user: number): void {
    this.sockets.closeAll(user, (port) => this.below.release(port));
  }

  portOf(socket: number): number {
    return this.sockets.portOf(socket);
  }

  /** Whether a frame takes a datagram with so many bytes of payload: there are no IP fragments, so that a longer one is refused before anything is copied. */
  takes(bytes: number): boolean {
    return bytes <= this.place.domain.mtu - DATAGRAM_HEADERS;
  }

  /** Said in `begin`: copying `bytes` from the application. */
  spendSend(bytes: number): void {
    if (this.takes(bytes)) this.spendCopy("room", this.fn.copyIn, bytes);
  }

  /** Said in `begin`: copying the next datagram to the application. */
  spendReceive(bytes: number): void {
    this.spendCopy("data", this.fn.copyOut, bytes);
  }

  /** Payload of the datagram that `receive` would return; 0 where none waits. */
  nextLength(socket: number): number {
    const packet = this.sockets.peek(socket);
    return packet < 0 ? 0 : this.place.machine.packets.payloadLength(packet);
  }

  /** recvfrom. @returns the packet, which says from whom, or −1 */
  receive(socket: number): number {
    const { packets } = this.place.machine;
    return this.sockets.take(socket, (packet) => packets.payloadLength(packet));
  }

  /** sendto. The payload is `length` bytes of a stream. A datagram longer than the MTU allows is refused. @returns an error name, or undefined */
  send(socket: number, ip: number, port: number, stream: number, offset: number, length: number): string | undefined {
    if (!this.takes(length)) return this.refuse("EMSGSIZE", length);
    const { packets } = this.place.machine;
    if (this.below.tellsOfSent()) this.sendBuffers?.take(socket, length + DATAGRAM_HEADERS);
    this.emit(packets.createUdp(this.ip, ip, this.sockets.portOf(socket), port, stream, offset, length, this.nextId()));
    return undefined;
  }

  /** Whether who sends by the socket now would wait for room. */
  isFull(socket: number): boolean {
    return this.sendBuffers?.isFull(socket) === true;
  }

  /** Before `send`, of a socket that blocks: whether it waits for room in its send buffer. {@link DatagramUser.onSendSpace} follows. */
  waits(socket: number): boolean {
    if (this.sendBuffers?.waits(socket) !== true) return false;
    this.mark(this.waiting, this.sendBuffers.used(socket));
    return true;
  }

  /** Whether a frame counts in a send buffer until it is {@link freed}. */
  awaits(packet: number): Watch {
    return this.sendBuffers !== undefined && this.socketOf(packet) >= 0 ? Watch.told : Watch.no;
  }

  /**
   * A frame is freed. @param error as it could not be sent. Linux' sender hears of none: "host unreachable" is not fatal in its table of ICMP errors, and is
   * told only to who has asked for such (`icmp_err_convert`, `__udp4_lib_err`: IP_RECVERR).
   */
  freed(packet: number, error?: SendError | HostError): void {
    const socket = this.socketOf(packet);
    if (socket < 0) return;
    const length = this.place.machine.packets.payloadLength(packet);
    const user = this.users[this.sockets.userOf(socket)];
    if (this.sendBuffers !== undefined) {
      if (this.sendBuffers.free(socket, length + DATAGRAM_HEADERS)) user?.onSendSpace?.(socket);
    } else if (error !== undefined && error !== "EHOSTUNREACH") {
      this.refuse(error, length);
      user?.onSendFailed?.(socket, error);
    }
  }

  /** The socket that a datagram was sent from, or −1. */
  private socketOf(packet: number): number {
    const { packets } = this.place.machine;
    return packets.isUdp(packet) ? this.sockets.find(packets.sourcePort(packet)) : NONE;
  }

  /** A raw socket for echo requests. @returns the identifier of its requests */
  openEcho(user: number): number {
    const row = this.echoes.alloc();
    this.echoes.user[row] = user;
    return row + 1;
  }

  /** An echo request (RFC 792) whose data is `length` bytes of a stream. @returns an error name, or undefined */
  echo(identifier: number, ip: number, sequence: number, stream: number, offset: number, length: number): string | undefined {
    if (!this.takes(length)) return this.refuse("EMSGSIZE", length);
    this.emit(this.place.machine.packets.createEcho(IcmpType.echo, this.ip, ip, identifier, sequence, stream, offset, length, this.nextId()));
    return undefined;
  }

  /** A call fails, and says why. */
  private refuse(error: "EMSGSIZE" | "EHOSTDOWN" | SendError, bytes: number): string {
    this.mark(this.events[`sendto failed: ${error}`], bytes);
    return error;
  }

  /** On the thread of who calls. */
  private mark(fn: number, bytes: number): void {
    const { kernel, cpus } = this.place.machine;
    kernel.mark(fn, this.component, cpus.contextOf(cpus.carrier(this.component, this.softints.here)), kernel.now, 0, NONE, bytes);
  }

  private emit(packet: number): void {
    const { kernel, cpus } = this.place.machine;
    kernel.namePacket(packet);
    cpus.call(cpus.carrier(this.component, this.softints.here), this.component, DatagramOp.send, packet);
  }

  // --- Packets from below -------------------------------------------------------------------------------------------

  /** Said in `begin` of what takes the packet in. */
  spendInput(packet: number): void {
    const { cpus, packets } = this.place.machine;
    cpus.spend(packets.isIcmp(packet) ? this.fn.icmpInput : this.fn.udpInput, packet, packets.payloadLength(packet));
  }

  input(packet: number): void {
    const { packets } = this.place.machine;
    if (packets.isCorrupted(packet)) this.drop(this.events["bad UDP or ICMP checksum"], packet, 0);
    else if (packets.isIcmp(packet)) this.control(packet);
    else this.deliver(packet);
  }

  private deliver(packet: number): void {
    const { kernel, packets, cpus } = this.place.machine;
    const port = packets.destinationPort(packet);
    const socket = this.sockets.find(port);
    if (socket < 0) {
      this.drop(this.events["no socket on the port"], packet, port);
      if (this.errors.allows(kernel.now)) cpus.call(cpus.currentThread, this.component, DatagramOp.refuse, packet);
    } else if (this.sockets.deliver(socket, packet, packets.payloadLength(packet))) {
      this.users[this.sockets.userOf(socket)]?.onDatagram?.(socket);
    } else {
      this.drop(this.events["socket buffer full"], packet, port);
    }
  }

  private control(packet: number): void {
    const { packets, cpus } = this.place.machine;
    const type = packets.icmpType(packet);
    if (type === IcmpType.echo) {
      cpus.call(cpus.currentThread, this.component, DatagramOp.echo, packet);
    } else if (type === IcmpType.echoReply) {
      const identifier = packets.echoIdentifier(packet);
      if (identifier > 0 && identifier <= this.echoes.rows) this.users[this.echoes.user[identifier - 1]!]?.onEchoReply?.(identifier, packet);
    } else {
      const socket = this.sockets.find(packets.sourcePort(packets.quoted(packet)));
      if (socket >= 0) this.users[this.sockets.userOf(socket)]?.onUnreachable?.(socket);
    }
  }

  private drop(fn: number, packet: number, port: number): void {
    const { kernel, cpus } = this.place.machine;
    kernel.mark(fn, this.component, cpus.contextOf(this.softints.here), kernel.now, 0, packet, port);
  }

  // --- Work ---------------------------------------------------------------------------------------------------------

  begin(op: number, packet: number): void {
    const { cpus, packets } = this.place.machine;
    const { fn } = this;
    this.locks.under(StackPart.output);
    if (op === DatagramOp.send) {
      cpus.spend(packets.isIcmp(packet) ? fn.rawOutput : fn.udpOutput, packet, packets.payloadLength(packet));
      cpus.spend(fn.ipOutput, packet);
      this.locks.under(StackPart.link);
      return this.below.spend(packets.destinationIp(packet), packet, packets.frameLength(packet));
    }
    // From here on it is the answer that goes on, which does not exist yet.
    cpus.spend(op === DatagramOp.echo ? fn.icmpReflect : fn.icmpError, packet);
    cpus.spend(fn.ipOutput);
    this.locks.under(StackPart.link);
    this.below.spend(packets.sourceIp(packet), NONE, op === DatagramOp.echo ? packets.frameLength(packet) : ERROR_FRAME);
  }

  end(op: number, packet: number): void {
    const { packets, kernel } = this.place.machine;
    if (op === DatagramOp.send) return this.below.route(packet);
    const answer = op === DatagramOp.refuse
      ? packets.createPortUnreachable(packet, this.nextId())
      : packets.createEcho(
        IcmpType.echoReply, this.ip, packets.sourceIp(packet), packets.echoIdentifier(packet), packets.echoSequence(packet),
        packets.stream(packet), packets.offset(packet), packets.payloadLength(packet), this.nextId(),
      );
    kernel.namePacket(answer);
    this.below.route(answer);
  }

  private spendCopy(what: "room" | "data", fn: number, bytes: number): void {
    const { cpus } = this.place.machine;
    const before = cpus.enter(this.component);
    this.below.spendLooking(what);
    cpus.spend(fn, NONE, bytes);
    cpus.enter(before);
  }

  private nextId(): number {
    return this.scalars.ipId[0]!++;
  }

  describe(): Variable {
    return this.sockets.describe();
  }
}

/** A frame with "port unreachable": Ethernet's header, IPv4's and ICMP's, and what it quotes. */
export const ERROR_FRAME = ETHERNET_HEADER + DATAGRAM_HEADERS + ICMP_QUOTE;
