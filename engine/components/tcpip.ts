import type { Scope } from "../inspect";
import { Priority } from "../kernel/queue";
import { sharedThread, type PlacedModel, type Placement, type System } from "../machine/machine";
import { formatIpv4, parseIpv4 } from "../network/addresses";
import { ArpCache } from "../network/arp";
import { ArpOperation, BROADCAST, Protocol } from "../network/packets";
import { NO_CONNECTION, TcpStack, linuxTcp, netbsdTcp, type CloseReason, type TcpOptions, type TcpTimer } from "../network/tcp/tcp";
import { NONE } from "../trace/trace";
import { DatagramOp, Datagrams, type DatagramUser } from "./datagrams";
import type { FrameConsumer, NetworkInterface } from "./interface";

/** An application that uses sockets. Called from inside a dispatch: it posts work to its own threads. */
export interface SocketUser extends DatagramUser {
  /** A connection was made on a port that it listens on. */
  onAccepted(conn: number): void;
  /** Its active open completed. */
  onEstablished(conn: number): void;
  /** Bytes to read, or the end of the stream. */
  onReadable(conn: number): void;
  onWritable(conn: number): void;
  onClosed(conn: number, reason: CloseReason): void;
}

const Op = { input: 0, output: 1, timeout: 2, timer: 3, arpTimer: 4, arpRequest: 5, reset: 6, arpReply: 7, flush: 8 } as const;
const FIRST_DYNAMIC_PORT = 49152;
/** Time until an ARP request is repeated (RFC 1122 section 2.3.2.1: at most one a second). */
const ARP_RETRY = 1e12;

const functionsOf = {
  rump: {
    receive: { name: "soreceive", file: "sys/kern/uipc_socket.c", kind: "socket", a: "bytes" },
    send: { name: "sosend", file: "sys/kern/uipc_socket.c", kind: "socket", a: "bytes" },
    tcpSend: { name: "tcp_send", file: "sys/netinet/tcp_usrreq.c", kind: "tcp", a: "bytes" },
    tcpOutput: { name: "tcp_output", file: "sys/netinet/tcp_output.c", kind: "tcp", a: "bytes" },
    ipOutput: { name: "ip_output", file: "sys/netinet/ip_output.c", kind: "ip" },
    etherOutput: { name: "ether_output", file: "sys/net/if_ethersubr.c", kind: "ethernet" },
    etherInput: { name: "ether_input", file: "sys/net/if_ethersubr.c", kind: "ethernet" },
    ipInput: { name: "ip_input", file: "sys/netinet/ip_input.c", kind: "ip" },
    tcpInput: { name: "tcp_input", file: "sys/netinet/tcp_input.c", kind: "tcp", a: "bytes" },
    tcpTimer: { name: "tcp_timer", file: "sys/netinet/tcp_timer.c", kind: "tcp" },
    arpInput: { name: "in_arpinput", file: "sys/netinet/if_arp.c", kind: "ethernet" },
    arpRequest: { name: "arprequest", file: "sys/netinet/if_arp.c", kind: "ethernet" },
    checksum: { name: "in4_cksum", file: "sys/netinet/in4_cksum.c", kind: "ip", a: "bytes" },
    callout: { name: "callout_softclock", file: "sys/kern/kern_timeout.c", kind: "thread" },
  },
  linux: {
    receive: { name: "tcp_recvmsg", file: "net/ipv4/tcp.c", kind: "socket", a: "bytes" },
    send: { name: "tcp_sendmsg", file: "net/ipv4/tcp.c", kind: "socket", a: "bytes" },
    tcpSend: { name: "tcp_push", file: "net/ipv4/tcp.c", kind: "tcp", a: "bytes" },
    tcpOutput: { name: "tcp_write_xmit", file: "net/ipv4/tcp_output.c", kind: "tcp", a: "bytes" },
    ipOutput: { name: "ip_queue_xmit", file: "net/ipv4/ip_output.c", kind: "ip" },
    etherOutput: { name: "dev_queue_xmit", file: "net/core/dev.c", kind: "ethernet" },
    etherInput: { name: "netif_receive_skb", file: "net/core/dev.c", kind: "ethernet" },
    ipInput: { name: "ip_rcv", file: "net/ipv4/ip_input.c", kind: "ip" },
    tcpInput: { name: "tcp_v4_rcv", file: "net/ipv4/tcp_ipv4.c", kind: "tcp", a: "bytes" },
    tcpTimer: { name: "tcp_write_timer_handler", file: "net/ipv4/tcp_timer.c", kind: "tcp" },
    arpInput: { name: "arp_rcv", file: "net/ipv4/arp.c", kind: "ethernet" },
    arpRequest: { name: "arp_solicit", file: "net/ipv4/arp.c", kind: "ethernet" },
    checksum: { name: "csum_partial", file: "lib/checksum.c", kind: "ip", a: "bytes" },
    callout: { name: "call_timer_fn", file: "kernel/time/timer.c", kind: "thread" },
  },
} as const satisfies Record<System, unknown>;

/**
 * The TCP/IP stack of one domain: sockets above, one interface below, ARP beside. It runs wherever it is placed: on the
 * application's threads when they send, on the domain's soft-interrupt thread for what arrives and for timers.
 */
export class TcpIp implements PlacedModel, FrameConsumer {
  readonly id: number;
  readonly ip: number;
  readonly tcp: TcpStack;
  readonly datagrams: Datagrams;
  private readonly fn;
  private readonly arp: ArpCache;
  private readonly softint: number;
  private readonly conn;
  private readonly scalars;
  private readonly events;
  private readonly users: SocketUser[] = [];
  private readonly listener;
  private wire!: NetworkInterface;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel } = machine;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.ip = parseIpv4(String(spec.options["ip"])) ?? 0;
    this.fn = kernel.functions(functionsOf[domain.system]);
    this.events = kernel.functions({
      "retransmission timeout": { kind: "timeout", a: "connection" },
      "no address yet": { kind: "drop" },
    });
    this.softint = sharedThread(machine, domain, domain.system === "rump" ? "softint-net" : "ksoftirqd", 0);
    this.arp = new ArpCache(kernel.store, spec.path, heldPackets[domain.system]);
    this.conn = kernel.store.table(`sockets of ${spec.path}`, {
      user: "i32", port: "u16", wanted: "u8", timer0: "i32", timer1: "i32", timer2: "i32", timer3: "i32",
    });
    this.scalars = kernel.store.table(`sockets state of ${spec.path}`, { nextPort: "u16", resetWanted: "u8" }, 1);
    this.scalars.alloc();
    this.scalars.nextPort[0] = FIRST_DYNAMIC_PORT;
    this.listener = kernel.store.table(`listeners of ${spec.path}`, { port: "u16", user: "u16" });
    const iss = kernel.random.open(spec.path, "initial sequence numbers");
    const base = domain.system === "rump" ? netbsdTcp : linuxTcp;
    const { congestion = base.congestion } = spec.options as { readonly congestion?: TcpOptions["congestion"] };
    this.tcp = new TcpStack(kernel.store, machine.packets, { ...base, congestion, mss: domain.mtu - HEADERS_IP_TCP }, {
      now: () => kernel.now,
      random: () => kernel.random.next(iss),
      arm: (conn, timer, at) => this.arm(conn, timer, at),
      disarm: (conn, timer) => this.disarm(conn, timer),
      wantOutput: (conn) => this.wantOutput(conn),
      readable: (conn) => this.userOf(conn)?.onReadable(conn),
      writable: (conn) => this.userOf(conn)?.onWritable(conn),
      established: (conn) => this.userOf(conn)?.onEstablished(conn),
      accepted: (_conn, port) => this.acceptOn(port),
      closed: (conn, reason) => this.userOf(conn)?.onClosed(conn, reason),
    }, spec.path);
    this.datagrams = new Datagrams(place, this.id, this.ip, this.softint, this.users, {
      spend: (packet) => this.spendTransmit(packet, machine.packets.frameLength(packet)),
      route: (packet) => this.route(packet),
      bind: (port) => this.wire.bindPort?.(Protocol.udp, port),
    });
  }

  connect(): void {
    const { machine, domain } = this.place;
    const below = domain.activeUplink;
    if (below === undefined) throw new Error(`${this.place.spec.path} has no interface below it.`);
    this.wire = machine.placed(below) as PlacedModel & NetworkInterface;
  }

  /** Registers an application; `listen` and `open` name it by the number returned. */
  addUser(user: SocketUser): number {
    return this.users.push(user) - 1;
  }

  // --- Sockets, as the C library calls them -------------------------------------------------------------------------

  /** Whether binding a port takes a call to the hypervisor, and what it costs: said in `begin`. */
  spendBind(): void {
    this.wire.spendBindPort?.();
  }

  /** bind and listen. @returns an error name, or undefined */
  listen(user: number, port: number): string | undefined {
    const bound = this.wire.bindPort?.(Protocol.tcp, port);
    if (bound !== undefined && "error" in bound) return bound.error;
    const l = this.listener.alloc();
    this.listener.port[l] = port;
    this.listener.user[l] = user;
    this.tcp.listen(this.ip, port, 128);
    return undefined;
  }

  /** socket and connect. @returns the connection; `onEstablished` follows */
  open(user: number, ip: number, port: number): number {
    const local = this.scalars.nextPort[0]!;
    this.scalars.nextPort[0] = local === 65535 ? FIRST_DYNAMIC_PORT : local + 1;
    const conn = this.tcp.connect(this.ip, local, ip, port);
    this.adopt(conn, user, local);
    return conn;
  }

  /** Said in `begin`: the way of `bytes` from the application into the send buffer. */
  spendSend(bytes: number): void {
    const before = this.place.machine.cpus.enter(this.id);
    this.place.machine.cpus.spend(this.fn.send, NONE, bytes);
    this.place.machine.cpus.spend(this.fn.tcpSend, NONE, bytes);
    this.place.machine.cpus.enter(before);
  }

  /** Said in `begin`: copying what can be read to the application. */
  spendReceive(bytes: number): void {
    const before = this.place.machine.cpus.enter(this.id);
    this.place.machine.cpus.spend(this.fn.receive, NONE, bytes);
    this.place.machine.cpus.enter(before);
  }

  // --- Frames from below --------------------------------------------------------------------------------------------

  spendInput(): void {}

  input(packet: number): void {
    this.place.machine.cpus.post(this.softint, this.id, Op.input, packet);
  }

  // --- Work ---------------------------------------------------------------------------------------------------------

  begin(op: number, a: number, b: number): void {
    const { cpus, packets } = this.place.machine;
    const { fn } = this;
    if (op === Op.input) {
      cpus.spend(fn.etherInput, a);
      if (packets.isArp(a)) {
        cpus.spend(fn.arpInput, a);
      } else {
        cpus.spend(fn.ipInput, a);
        if (!this.wire.offloads.checksum) cpus.spend(fn.checksum, a, packets.frameLength(a));
        if (packets.isTcp(a)) cpus.spend(fn.tcpInput, a, packets.payloadLength(a));
        else this.datagrams.spendInput(a);
      }
    } else if (op === Op.output || op === Op.reset) {
      const bytes = op === Op.output ? Math.max(0, this.tcp.nextOutputLength(a)) : 0;
      cpus.spend(fn.tcpOutput, NONE, bytes);
      cpus.spend(fn.ipOutput);
      cpus.spend(fn.etherOutput);
      this.spendTransmit(NONE, bytes + HEADERS);
    } else if (op >= DatagramOp.send) {
      this.datagrams.begin(op, a);
    } else if (op === Op.timeout) {
      cpus.spend(fn.callout, NONE);
      cpus.spend(fn.tcpTimer, NONE, 0, b);
    } else if (op === Op.flush) {
      cpus.spend(fn.etherOutput, a);
      this.wire.spendTransmit(a, packets.frameLength(a));
    } else {
      cpus.spend(op === Op.arpReply ? fn.arpInput : fn.arpRequest);
      this.wire.spendTransmit(NONE, ARP_FRAME);
    }
  }

  end(op: number, a: number, b: number): void {
    if (op === Op.input) {
      const { packets } = this.place.machine;
      if (packets.isArp(a)) this.arpInput(a);
      else if (packets.destinationIp(a) !== this.ip) return;
      else if (packets.isTcp(a)) this.tcp.input(a);
      else this.datagrams.input(a);
    } else if (op >= DatagramOp.send) {
      this.datagrams.end(op, a);
    } else if (op === Op.output) {
      this.output(a);
    } else if (op === Op.reset) {
      this.scalars.resetWanted[0] = 0;
      for (let packet = this.tcp.nextReset(); packet >= 0; packet = this.tcp.nextReset()) this.route(packet);
    } else if (op === Op.timeout) {
      this.tcp.timeout(a, b as TcpTimer);
    } else if (op === Op.flush) {
      this.route(a);
    } else if (op === Op.arpReply) {
      this.reply(a);
    } else {
      this.requestAddress(a >>> 0);
    }
  }

  /** Said in `begin`: the way of a new packet through the interface, and its checksum where the interface does not compute it. */
  private spendTransmit(packet: number, bytes: number): void {
    if (!this.wire.offloads.checksum) this.place.machine.cpus.spend(this.fn.checksum, packet, bytes);
    this.wire.spendTransmit(packet, bytes);
  }

  fire(op: number, a: number, b: number): void {
    const { kernel, cpus } = this.place.machine;
    const context = cpus.contextOf(this.softint);
    if (op === Op.timer) {
      this.timerColumn(b)[a] = 0;
      const isRetransmit = b === 0;
      kernel.mark(isRetransmit ? this.events["retransmission timeout"] : this.fn.callout, this.id, context, kernel.now, 0, NONE, a, b);
      cpus.post(this.softint, this.id, Op.timeout, a, b);
    } else {
      kernel.mark(this.fn.callout, this.id, context, kernel.now, 0, NONE, a, b);
      if (this.arp.isWaiting(a >>> 0)) cpus.post(this.softint, this.id, Op.arpRequest, a);
    }
  }

  private output(conn: number): void {
    this.conn.wanted[conn] = 0;
    const packet = this.tcp.output(conn);
    if (packet < 0) return;
    this.place.machine.kernel.namePacket(packet);
    this.route(packet);
    if (this.tcp.outputReady(conn)) this.wantOutput(conn);
  }

  /** Resolves the Ethernet address and hands the packet to the interface; all addresses are on one network. */
  private route(packet: number): void {
    const { packets, kernel } = this.place.machine;
    const next = packets.destinationIp(packet);
    const mac = this.arp.lookup(next, kernel.now);
    if (mac === NONE) {
      const { displaced, asked } = this.arp.wait(next, packet);
      if (displaced !== NONE) {
        kernel.mark(this.events["no address yet"], this.id, this.place.machine.cpus.contextOf(this.softint), kernel.now, 0, displaced);
      }
      if (!asked) this.requestAddressSoon(next);
      return;
    }
    packets.setEthernet(packet, mac, this.wire.mac);
    this.wire.transmit(packet);
  }

  // --- ARP (RFC 826) ------------------------------------------------------------------------------------------------

  private requestAddressSoon(ip: number): void {
    const { cpus } = this.place.machine;
    cpus.call(cpus.currentThread === NONE ? this.softint : cpus.currentThread, this.id, Op.arpRequest, ip | 0);
  }

  private requestAddress(ip: number): void {
    const { packets, kernel } = this.place.machine;
    const request = packets.createArp(ArpOperation.request, this.wire.mac, this.ip, 0, ip);
    packets.setEthernet(request, BROADCAST, this.wire.mac);
    kernel.namePacket(request);
    this.wire.transmit(request);
    kernel.schedule(ARP_RETRY, Priority.timeout, this.id, Op.arpTimer, ip | 0);
  }

  private arpInput(packet: number): void {
    const { packets, kernel, cpus } = this.place.machine;
    if (packets.destinationIp(packet) !== this.ip) return;
    const sender = packets.sourceIp(packet);
    let waiting = this.arp.learn(sender, packets.arpSenderMac(packet), kernel.now);
    if (packets.arpOperation(packet) === ArpOperation.request) cpus.call(cpus.currentThread, this.id, Op.arpReply, packet);
    for (; waiting !== NONE; waiting = this.arp.take(sender)) cpus.post(cpus.currentThread, this.id, Op.flush, waiting);
  }

  private reply(request: number): void {
    const { packets, kernel } = this.place.machine;
    const asker = packets.arpSenderMac(request);
    const reply = packets.createArp(ArpOperation.reply, this.wire.mac, this.ip, asker, packets.sourceIp(request));
    packets.setEthernet(reply, asker, this.wire.mac);
    kernel.namePacket(reply);
    this.wire.transmit(reply);
  }

  // --- What TCP asks for --------------------------------------------------------------------------------------------

  private wantOutput(conn: number): void {
    const { cpus } = this.place.machine;
    const thread = cpus.currentThread === NONE ? this.softint : cpus.currentThread;
    if (conn === NO_CONNECTION) {
      if (this.scalars.resetWanted[0] === 1) return;
      this.scalars.resetWanted[0] = 1;
      cpus.call(thread, this.id, Op.reset);
      return;
    }
    this.reach(conn);
    if (this.conn.wanted[conn] === 1) return;
    this.conn.wanted[conn] = 1;
    cpus.call(thread, this.id, Op.output, conn);
  }

  private arm(conn: number, timer: number, at: number): void {
    this.disarm(conn, timer);
    const { kernel } = this.place.machine;
    const handle = kernel.schedule(at - kernel.now, Priority.timeout, this.id, Op.timer, conn, timer);
    this.timerColumn(timer)[conn] = handle + 1;
  }

  private disarm(conn: number, timer: number): void {
    this.reach(conn);
    const column = this.timerColumn(timer);
    if (column[conn] !== 0) this.place.machine.kernel.cancel(column[conn]! - 1);
    column[conn] = 0;
  }

  /** Handles of armed timers, plus one; 0: not armed. */
  private timerColumn(timer: number): Int32Array {
    const c = this.conn;
    return timer === 0 ? c.timer0 : timer === 1 ? c.timer1 : timer === 2 ? c.timer2 : c.timer3;
  }

  private acceptOn(port: number): void {
    let l = 0;
    while (l < this.listener.rows && this.listener.port[l] !== port) l++;
    if (l === this.listener.rows) return;
    const conn = this.tcp.accept(this.ip, port);
    if (conn < 0) return;
    const user = this.listener.user[l]!;
    this.adopt(conn, user, port);
    this.users[user]!.onAccepted(conn);
  }

  private adopt(conn: number, user: number, port: number): void {
    this.reach(conn);
    this.conn.user[conn] = user + 1;
    this.conn.port[conn] = port;
  }

  private userOf(conn: number): SocketUser | undefined {
    return conn < this.conn.rows ? this.users[this.conn.user[conn]! - 1] : undefined;
  }

  private reach(conn: number): void {
    while (this.conn.rows <= conn) this.conn.alloc();
  }

  /** Segments sent again. */
  get retransmissions(): number {
    const c = this.tcp.counters;
    return c.retransmittedByTimeout[0]! + c.retransmittedFast[0]! + c.retransmittedBySack[0]! + c.retransmittedSyn[0]!;
  }

  describe(): Scope[] {
    return [
      { name: "TCP/IP", variables: [{ name: "address", value: formatIpv4(this.ip) }, this.arp.describe(), this.datagrams.describe()] },
      this.tcp.describeAll(),
    ];
  }
}

/** Packets that wait for one address: BSD keeps the last, Linux 212,992 bytes of them (`unres_qlen_bytes`), about a hundred. */
const heldPackets: Readonly<Record<System, number>> = { rump: 1, linux: 101 };
/** IPv4 and TCP headers without options (RFC 6691). */
const HEADERS_IP_TCP = 40;
/** Ethernet, IPv4 and TCP headers with timestamps, for the cost of a segment that is yet to be built. */
const HEADERS = 14 + 20 + 32;
const ARP_FRAME = 60;
