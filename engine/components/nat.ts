import type { Scope } from "../inspect";
import type { FrameLoans } from "../machine/frameLoans";
import { sharedThread, type PlacedModel, type Placement, type System } from "../machine/machine";
import { formatIpv4, parseIpv4 } from "../network/addresses";
import { Conntrack, type Tuple } from "../network/conntrack";
import { ArpOperation, IcmpType, Protocol } from "../network/packets";
import { translated, tupleOf, turned } from "../network/translation";
import { NONE } from "../trace/trace";
import { AddressResolution, ArpOp } from "./addressResolution";
import type { FrameSwitch, SwitchPort } from "./frameSwitch";
import type { FrameConsumer, NetworkInterface } from "./interface";
import { FIRST_PORT, PORTS, portForwards, type PortForward } from "./portForwards";
import { StackLocks } from "./stackLocks";

const Op = { echo: 0 } as const;
/** What the router's functions are called in each system, and where they are: Linux' netfilter, NetBSD's NPF. */
const natFunctions = {
  linux: {
    input: { name: "ip_rcv", file: "net/ipv4/ip_input.c", kind: "ip" },
    arpInput: { name: "arp_rcv", file: "net/ipv4/arp.c", kind: "ethernet" },
    find: { name: "nf_conntrack_in", file: "net/netfilter/nf_conntrack_core.c", kind: "ip" },
    open: { name: "nf_nat_setup_info", file: "net/netfilter/nf_nat_core.c", kind: "ip" },
    translate: { name: "nf_nat_packet", file: "net/netfilter/nf_nat_core.c", kind: "ip" },
    forward: { name: "ip_forward", file: "net/ipv4/ip_forward.c", kind: "ip" },
    icmpInput: { name: "icmp_rcv", file: "net/ipv4/icmp.c", kind: "ip" },
    icmpReply: { name: "icmp_reply", file: "net/ipv4/icmp.c", kind: "ip" },
  },
  rump: {
    input: { name: "ip_input", file: "sys/netinet/ip_input.c", kind: "ip" },
    arpInput: { name: "in_arpinput", file: "sys/netinet/if_arp.c", kind: "ethernet" },
    find: { name: "npf_conn_inspect", file: "sys/net/npf/npf_conn.c", kind: "ip" },
    open: { name: "npf_conn_establish", file: "sys/net/npf/npf_conn.c", kind: "ip" },
    translate: { name: "npf_do_nat", file: "sys/net/npf/npf_nat.c", kind: "ip" },
    forward: { name: "ip_forward", file: "sys/netinet/ip_input.c", kind: "ip" },
    icmpInput: { name: "icmp_input", file: "sys/netinet/ip_icmp.c", kind: "ip" },
    icmpReply: { name: "icmp_reflect", file: "sys/netinet/ip_icmp.c", kind: "ip" },
  },
} as const satisfies Record<System, unknown>;

/** The address of every backend interface, as Xen's scripts set it. */
const INSIDE_MAC = 0xfe_ff_ff_ff_ff_ff;

/**
 * A router between a driver domain's device and its guests that translates addresses (RFC 3022; Linux' masquerading, as Xen's
 * `vif-nat` script sets it up): the guests share its address. A connection from a guest keeps its port, where no other has it
 * towards the same destination, else gets another; one from the world reaches a guest only by a port that is forwarded, as a
 * reply does that of its connection (RFC 4787: mapping and filtering by address and port). To the guests it stands for the
 * whole world, by proxy ARP; what one of them sends to another it forwards as it is.
 */
export class Nat implements PlacedModel, FrameConsumer, FrameSwitch {
  readonly id: number;
  readonly ip: number;
  private readonly fn;
  private readonly softirq: number;
  private readonly arp: AddressResolution;
  readonly connections: Conntrack;
  private readonly state;
  private readonly guests: SwitchPort[] = [];
  private wire!: NetworkInterface;
  private loans: FrameLoans | undefined;
  /** Ports of its address that lead to servers: wiring. */
  private forwards: readonly PortForward[] | undefined;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel } = machine;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.ip = parseIpv4(String(spec.options["ip"])) ?? 0;
    this.fn = kernel.functions({
      ...natFunctions[domain.system],
      "no mapping": { kind: "drop", a: "port" },
      "address is not this host's": { kind: "drop" },
      "not translated, bad checksum": { kind: "drop" },
      "no port is free": { kind: "drop" },
      "table of connections is full": { kind: "drop" },
      "source is not the guest's": { kind: "violation", discards: true },
      "longer than the port's MTU": { kind: "drop", a: "bytes" },
    });
    this.softirq = sharedThread(machine, domain, domain.system === "linux" ? "ksoftirqd" : "softint-net", 0);
    this.connections = new Conntrack(kernel.store, spec.path);
    this.state = kernel.store.table(`NAT ${spec.path}`, { nextPort: "u16", ipId: "u16", out: "f64", in: "f64" }, 1);
    this.state.alloc();
    this.state.nextPort[0] = FIRST_PORT;
    this.arp = new AddressResolution(place, this.id, this.ip, { first: this.softirq, here: this.softirq }, new StackLocks(machine, domain), () => this.wire);
  }

  connect(): void {
    const { machine, domain, spec } = this.place;
    const here = domain.components.findIndex((c) => c.path === spec.path);
    const below = domain.components.slice(here + 1).find((c) => c.bind !== undefined);
    if (below === undefined) throw new Error(`${spec.path} has no driver below it.`);
    this.wire = machine.placed(below.path) as PlacedModel & NetworkInterface;
    this.loans = machine.loans.get(domain.id);
  }

  attach(port: SwitchPort): number {
    return this.guests.push(port) - 1;
  }

  /** To its guests each of them is there by its own address. */
  published(guest: number, address: number, protocol: number, server: number, asker: string): { readonly address: number; readonly port: number } {
    if (this.guests.some(({ path }) => path === asker)) return { address, port: server };
    const rule = this.rules().find((r) => r.guest === guest && r.protocol === protocol && r.inside === server);
    return { address: this.ip, port: rule?.outside ?? server };
  }

  private rules(): readonly PortForward[] {
    const { machine: { design }, spec } = this.place;
    return (this.forwards ??= portForwards(spec, this.guests, design.hosts.flatMap(({ domains }) => domains)));
  }

  // --- From a guest -------------------------------------------------------------------------------------------------

  spendForward(guest: number, packet: number): void {
    const { cpus, packets } = this.place.machine;
    const before = cpus.enter(this.id);
    // What IP receives has pages of its own.
    this.loans?.spendCopy(packet);
    if (packets.isArp(packet)) {
      cpus.spend(this.fn.arpInput, packet);
      if (this.isAnswered(packet)) this.guests[guest]!.spendDeliver(NONE);
    } else if (packets.sourceIp(packet) === this.guests[guest]!.address() && !packets.isCorrupted(packet) && !this.isAsked(packet)) {
      this.spendTranslation(packet);
      const neighbour = this.neighbourAt(packets.destinationIp(packet));
      // What leaves is the translated packet, which does not exist yet.
      if (neighbour >= 0) this.guests[neighbour]!.spendDeliver(NONE);
      else this.arp.spendSend(packets.destinationIp(packet), NONE, packets.frameLength(packet));
    } else {
      this.spendArrival(packet);
    }
    cpus.enter(before);
  }

  forward(guest: number, packet: number): void {
    const { packets, kernel } = this.place.machine;
    const port = this.guests[guest]!;
    this.loans?.giveBack(packet);
    if (packets.isArp(packet)) return this.answerArp(port, packet);
    if (packets.sourceIp(packet) !== port.address()) return this.drop("source is not the guest's", packet);
    if (packets.isCorrupted(packet)) return this.drop("not translated, bad checksum", packet);
    const destination = packets.destinationIp(packet);
    if (this.isAsked(packet)) return this.place.machine.cpus.call(this.softirq, this.id, Op.echo, packet, guest);
    const neighbour = this.neighbourAt(destination);
    if (packets.isIcmp(packet) && packets.icmpType(packet) === IcmpType.unreachable) return neighbour >= 0 ? this.errorToNeighbour(neighbour, packet) : this.errorFromGuest(packet);
    const t = tupleOf(packets, packet);
    const known = this.connections.find(0, t, kernel.now);
    const answered = known < 0 ? this.connections.find(1, t, kernel.now) : NONE;
    const r = known >= 0 ? known : answered >= 0 ? answered : neighbour >= 0 ? this.track(guest, packet, t) : this.masquerade(guest, packet, t);
    if (r < 0) return;
    const direction = answered >= 0 ? 1 : 0;
    // What leaves is what the other direction expects an answer to, turned round.
    const other = direction === 0 ? this.connections.reply(r) : this.connections.original(r);
    this.connections.pass(r, direction, packets, packet, kernel.now);
    if (neighbour >= 0) return this.toGuest(neighbour, translated(packets, packet, t));
    this.state.out[0]!++;
    this.toWorld(translated(packets, packet, turned(other)));
  }

  /** Whether it is a question to the router itself. */
  private isAsked(packet: number): boolean {
    const { packets } = this.place.machine;
    return packets.isIcmp(packet) && packets.icmpType(packet) !== IcmpType.unreachable && packets.destinationIp(packet) === this.ip;
  }

  /** The guest that has an address, or −1. */
  private neighbourAt(address: number): number {
    return this.guests.findIndex((g) => g.address() === address);
  }

  /** A new connection between guests: the router knows it as it knows all, and leaves its addresses as they are (`__nf_nat_alloc_null_binding`). */
  private track(guest: number, packet: number, t: Tuple): number {
    const r = this.connections.open(t, turned(t), guest, this.place.machine.kernel.now);
    if (r < 0) this.drop("table of connections is full", packet);
    return r;
  }

  /** A new connection of a guest: its own port, or the next one that nobody has towards the same destination (`nf_nat_l4proto_unique_tuple`). */
  private masquerade(guest: number, packet: number, t: Tuple): number {
    const { now } = this.place.machine.kernel;
    const { state } = this;
    let port = t.sourcePort;
    for (let tries = 0; tries < PORTS - FIRST_PORT; tries++) {
      const reply = { protocol: t.protocol, source: t.destination, sourcePort: t.destinationPort, destination: this.ip, destinationPort: port };
      if (this.connections.find(1, reply, now) < 0 && this.connections.find(0, reply, now) < 0 && this.ruleFor(t.protocol, port) === undefined) {
        const r = this.connections.open(t, reply, guest, now);
        if (r >= 0) return r;
        break;
      }
      port = state.nextPort[0]!;
      state.nextPort[0] = port === PORTS - 1 ? FIRST_PORT : port + 1;
    }
    this.drop("no port is free", packet);
    return NONE;
  }

  /** Proxy ARP: whatever a guest looks for is here, but for itself. */
  private answerArp(port: SwitchPort, request: number): void {
    if (!this.isAnswered(request)) return;
    const { packets, kernel } = this.place.machine;
    const asker = packets.arpSenderMac(request);
    const reply = packets.createArp(ArpOperation.reply, INSIDE_MAC, packets.destinationIp(request), asker, packets.sourceIp(request));
    packets.setEthernet(reply, asker, INSIDE_MAC);
    kernel.namePacket(reply);
    port.deliver(reply);
  }

  private isAnswered(arp: number): boolean {
    const { packets } = this.place.machine;
    return packets.arpOperation(arp) === ArpOperation.request && packets.destinationIp(arp) !== packets.sourceIp(arp);
  }

  /** An error that a guest sends, about a datagram that was translated on its way in (RFC 5508 section 4.2). */
  private errorFromGuest(packet: number): void {
    const { packets, kernel } = this.place.machine;
    const quoted = packets.quoted(packet);
    const r = this.connections.find(1, turned(tupleOf(packets, quoted)), kernel.now);
    if (r < 0) return this.drop("no mapping", packet);
    const o = this.connections.original(r);
    const error = packets.translate(packet, this.ip, 0, packets.destinationIp(packet), 0);
    packets.requote(error, packets.translate(quoted, o.source, o.sourcePort, o.destination, o.destinationPort));
    this.toWorld(error);
  }

  /** An error about a datagram of another guest, which came as it was sent. */
  private errorToNeighbour(neighbour: number, packet: number): void {
    const { packets } = this.place.machine;
    this.toGuest(neighbour, packets.translate(packet, packets.sourceIp(packet), 0, packets.destinationIp(packet), 0));
  }

  private toWorld(packet: number): void {
    this.place.machine.kernel.namePacket(packet);
    this.arp.send(packet);
  }

  // --- From the world -----------------------------------------------------------------------------------------------

  spendInput(packet: number): void {
    const { cpus, packets } = this.place.machine;
    const before = cpus.enter(this.id);
    if (packets.isArp(packet)) {
      cpus.spend(this.fn.arpInput, packet);
    } else if (this.isForGuest(packet)) {
      this.spendTranslation(packet);
      this.guests[0]?.spendDeliver(NONE);
    } else {
      this.spendArrival(packet);
    }
    cpus.enter(before);
  }

  private isForGuest(packet: number): boolean {
    const { packets } = this.place.machine;
    if (packets.destinationIp(packet) !== this.ip || packets.isCorrupted(packet)) return false;
    if (packets.isIcmp(packet) && packets.icmpType(packet) !== IcmpType.echoReply) return packets.icmpType(packet) === IcmpType.unreachable;
    return this.isKnown(packet) || this.ruleFor(packets.protocol(packet), packets.destinationPort(packet)) !== undefined;
  }

  private isKnown(packet: number): boolean {
    const { kernel: { now }, packets } = this.place.machine;
    const t = tupleOf(packets, packet);
    return this.connections.find(0, t, now) >= 0 || this.connections.find(1, t, now) >= 0;
  }

  input(packet: number): void {
    const { packets, kernel, cpus } = this.place.machine;
    if (packets.isArp(packet)) return this.arp.input(packet);
    if (packets.destinationIp(packet) !== this.ip) return this.drop("address is not this host's", packet);
    if (packets.isCorrupted(packet)) return this.drop("not translated, bad checksum", packet);
    if (packets.isIcmp(packet)) {
      const type = packets.icmpType(packet);
      if (type === IcmpType.echo) return cpus.call(this.softirq, this.id, Op.echo, packet, NONE);
      if (type === IcmpType.unreachable) return this.errorFromWorld(packet);
    }
    const t = tupleOf(packets, packet);
    const answered = this.connections.find(1, t, kernel.now);
    const known = answered < 0 ? this.connections.find(0, t, kernel.now) : NONE;
    const r = answered >= 0 ? answered : known >= 0 ? known : this.admit(t);
    if (r < 0) return this.drop("no mapping", packet, t.destinationPort);
    const direction = answered >= 0 ? 1 : 0;
    const other = direction === 1 ? this.connections.original(r) : this.connections.reply(r);
    this.connections.pass(r, direction, packets, packet, kernel.now);
    this.state.in[0]!++;
    this.toGuest(this.connections.portOf(r), translated(packets, packet, turned(other)));
  }

  /** A new connection from the world: to the guest that the port is forwarded to, or to nobody. */
  private admit(t: Tuple): number {
    const rule = this.ruleFor(t.protocol, t.destinationPort);
    if (rule === undefined) return NONE;
    const reply = { protocol: t.protocol, source: this.guests[rule.guest]!.address(), sourcePort: rule.inside, destination: t.source, destinationPort: t.sourcePort };
    return this.connections.open(t, reply, rule.guest, this.place.machine.kernel.now);
  }

  private ruleFor(protocol: number, port: number): PortForward | undefined {
    return this.rules().find((rule) => rule.protocol === protocol && rule.outside === port);
  }

  /** An error about a datagram of a guest, which it quotes as it left (RFC 5508 section 4.1). */
  private errorFromWorld(packet: number): void {
    const { packets, kernel } = this.place.machine;
    const quoted = packets.quoted(packet);
    const t = turned(tupleOf(packets, quoted));
    const masked = this.connections.find(1, t, kernel.now);
    const r = masked >= 0 ? masked : this.connections.find(0, t, kernel.now);
    if (r < 0) return this.drop("no mapping", packet);
    const inside = masked >= 0 ? this.connections.original(r) : turned(this.connections.original(r));
    const guest = this.connections.portOf(r);
    const error = packets.translate(packet, packets.sourceIp(packet), 0, this.guests[guest]!.address(), 0);
    packets.requote(error, packets.translate(quoted, inside.source, inside.sourcePort, inside.destination, inside.destinationPort));
    this.toGuest(guest, error);
  }

  /** Towards a guest, whose addresses the toolstack has entered. */
  private toGuest(guest: number, packet: number): void {
    const { packets, kernel } = this.place.machine;
    const port = this.guests[guest]!;
    kernel.namePacket(packet);
    if (packets.ipLength(packet) > port.mtu) return this.drop("longer than the port's MTU", packet, packets.ipLength(packet));
    packets.setEthernet(packet, port.mac, INSIDE_MAC);
    port.deliver(packet);
  }

  // --- Work ---------------------------------------------------------------------------------------------------------

  /** A packet that goes no further. */
  private spendArrival(packet: number): void {
    const { cpus } = this.place.machine;
    cpus.spend(this.fn.input, packet);
    cpus.spend(this.fn.find, packet);
  }

  private spendTranslation(packet: number): void {
    const { cpus } = this.place.machine;
    this.spendArrival(packet);
    if (!this.isKnown(packet)) cpus.spend(this.fn.open, packet);
    cpus.spend(this.fn.translate, packet);
    cpus.spend(this.fn.forward, packet);
  }

  private drop(why: keyof Nat["fn"], packet: number, a = 0): void {
    const { kernel, cpus } = this.place.machine;
    kernel.mark(this.fn[why], this.id, cpus.contextOf(this.softirq), kernel.now, 0, packet, a);
  }

  begin(op: number, a: number, guest: number): void {
    const { cpus, packets } = this.place.machine;
    if (op >= ArpOp.timer) return this.arp.begin(op, a);
    cpus.spend(this.fn.icmpInput, a);
    cpus.spend(this.fn.icmpReply, a);
    // The answer, which does not exist yet.
    if (guest < 0) this.arp.spendSend(packets.sourceIp(a), NONE, packets.frameLength(a));
    else this.guests[guest]!.spendDeliver(NONE);
  }

  end(op: number, a: number, guest: number): void {
    if (op >= ArpOp.timer) this.arp.end(op, a);
    else this.reply(a, guest);
  }

  /** It answers for its own address. */
  private reply(request: number, guest: number): void {
    const { packets } = this.place.machine;
    const reply = packets.createEcho(
      IcmpType.echoReply, this.ip, packets.sourceIp(request), packets.echoIdentifier(request), packets.echoSequence(request),
      packets.stream(request), packets.offset(request), packets.payloadLength(request), this.state.ipId[0]!++,
    );
    if (guest < 0) this.toWorld(reply);
    else this.toGuest(guest, reply);
  }

  /** The time to ask for an address again has come. */
  fire(op: number, a: number): void {
    this.arp.fire(op, a);
  }

  describe(): Scope[] {
    const { kernel } = this.place.machine;
    const rules = this.rules();
    return [{
      name: "NAT",
      variables: [
        { name: "address", value: formatIpv4(this.ip) },
        this.connections.describe(kernel.now),
        {
          name: "forwarded ports", value: `${rules.length}`, number: rules.length,
          children: rules.map(({ protocol, outside, inside, guest }) => ({ name: `${protocol === Protocol.tcp ? "TCP" : "UDP"} ${outside}`, value: `${this.guests[guest]!.path}, port ${inside}`, number: inside })),
        },
        { name: "translated out", value: `${this.state.out[0]!}`, number: this.state.out[0]! },
        { name: "translated in", value: `${this.state.in[0]!}`, number: this.state.in[0]! },
        this.arp.describe(),
      ],
    }];
  }
}
