import type { Scope } from "../inspect";
import { ChannelGrants } from "../machine/channelGrants";
import { FrameRing, Malformed, SLOT_BYTES } from "../machine/frameRing";
import { sharedThread, type DomainPlace, type PlacedModel, type Placement } from "../machine/machine";
import { Portmap, type BindResult } from "../machine/portmap";
import { ServiceRegistry } from "../machine/serviceRegistry";
import { IcmpType } from "../network/packets";
import { Backend } from "./backend";
import type { FrameConsumer, NetworkInterface } from "./interface";
import { INDEX_LINES, ReaderOp, RingReader } from "./ringReader";
import { AddressOp, ServerAddresses } from "./serverAddresses";
import type { TcpIp } from "./tcpip";
import type { Vif } from "./vif";

const Op = { receive: 0, send: 1, notify: 2, echo: 3 } as const;

interface Channel {
  readonly application: string;
  readonly vif: Vif;
  /** The application's event-channel port. */
  readonly line: number;
  /** The server's own port for this application, and the one on which it is welcomed with rings that it has granted. */
  readonly ownLine: number;
  /** The server's port for switches of this application. */
  readonly switchLine: number;
  readonly welcomeLine: number;
  readonly helloPort: () => number;
  readonly memory: ChannelGrants;
  readonly toServer: FrameRing;
  readonly toApplication: FrameRing;
  readonly reader: RingReader;
  /** The application's address, which outbound frames must carry. */
  readonly address: () => number;
}

/**
 * The network server of LibrettOS (3.2, Figure 4; `backend.c`): it owns an adapter function and relays Ethernet frames
 * between it and the applications' rings. Outbound it trusts nobody: a frame's source MAC, IP and port must be the
 * application's own. Inbound it routes by destination port, by the portmap that the hypervisor holds; ARP goes to every
 * application, each of which answers for its own address.
 */
export class Netserver implements PlacedModel, FrameConsumer {
  readonly id: number;
  private readonly fn;
  private readonly softint: number;
  private readonly portmap: Portmap;
  readonly registry: ServiceRegistry;
  private readonly backend: Backend;
  private readonly channels: Channel[] = [];
  /** The applications' addresses, while they are at the server's interface. */
  readonly addresses: ServerAddresses;
  private wire!: NetworkInterface;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel } = machine;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = kernel.functions({
      if_percpuq_softint: { file: "sys/net/if.c", kind: "ethernet" },
      backend_receive: { file: "platform/hw/xen/backend.c", kind: "server" },
      backend_forward_send: { file: "platform/hw/xen/backend.c", kind: "server", a: "bytes", tally: "copy" },
      backend_forward_receiver: { file: "platform/hw/xen/backend.c", kind: "server" },
      rump_virtif_pktforward: { file: "platform/hw/librumpnet_xenif/if_virt.c", kind: "server", a: "bytes", tally: "copy" },
      icmp_input: { file: "sys/netinet/ip_icmp.c", kind: "ip" },
      icmp_reflect: { file: "sys/netinet/ip_icmp.c", kind: "ip" },
      "verify source": { file: "platform/hw/xen/backend.c", kind: "server" },
      _backend_interrupt_handler: { file: "platform/hw/xen/backend.c", kind: "interrupt", tally: "interrupt" },
      minios_notify_remote_via_evtchn: { file: "platform/hw/xen/events.c", kind: "hypervisor", tally: "notification" },
      "poll ring": { name: "backend_forward_receiver: poll", file: "platform/hw/xen/backend.c", kind: "server", a: "polls" },
      announce: { name: "backend_forward_receiver: about to sleep", file: "platform/hw/xen/backend.c", kind: "server" },
      sleep: { name: "backend_forward_receiver: sleep", file: "platform/hw/xen/backend.c", kind: "server" },
      "ring to application full": { kind: "drop" },
      "channel not connected": { kind: "drop" },
      "longer than a slot": { kind: "drop" },
      "no owner of the port": { kind: "drop", a: "port" },
      "ring index out of range": { kind: "violation", a: "index" },
      "frame longer than its slot": { kind: "violation", a: "bytes" },
      "forged source MAC": { kind: "violation", a: "application" },
      "forged source IP": { kind: "violation", a: "application" },
      "forged source port": { kind: "violation", a: "application" },
    });
    this.softint = sharedThread(machine, domain, "softint-net", 0, "soft interrupt");
    this.portmap = new Portmap(kernel, spec.path, (application) => this.channels[application]!.application);
    machine.portmaps.set(spec.path, this.portmap);
    this.addresses = new ServerAddresses(machine, this.id, spec.path, sharedThread(machine, domain, "backend_switcher"), () => this.wire);
    this.registry = new ServiceRegistry(kernel, spec.path);
    this.backend = new Backend(place, this.id, this.softint, this.registry, this.channels, (i) => this.addresses.connected(i), (i) => this.addresses.withdraw(i));
  }

  connect(): void {
    const { machine, domain, spec } = this.place;
    const here = domain.components.findIndex((c) => c.path === spec.path);
    const below = domain.components.slice(here + 1).find((c) => c.type !== "vif");
    if (below === undefined) throw new Error(`${spec.path} has no driver below it.`);
    this.wire = machine.placed(below.path) as PlacedModel & NetworkInterface;
  }

  start(): void {
    this.addresses.start();
    this.backend.start();
  }

  reclaim(): void {
    this.backend.abandon();
  }

  peerDied(domain: DomainPlace): void {
    this.channels.forEach(({ application }, index) => {
      if (application === domain.path) this.backend.applicationDied(index);
    });
  }

  get mac(): number {
    return this.wire.mac;
  }

  /** An application gets its place: rings, a handler thread, event channels; they are connected when both run. @returns the application's index */
  attach(application: DomainPlace, vif: Vif, line: number): number {
    // What the two share is neither's own memory.
    return this.place.machine.kernel.store.within(undefined, () => this.addChannel(application, vif, line));
  }

  private addChannel(application: DomainPlace, vif: Vif, line: number): number {
    const { machine, domain, spec } = this.place;
    const { kernel, cpus, costs, packets } = machine;
    const index = this.channels.length;
    const name = application.path.slice(application.path.lastIndexOf("/") + 1);
    const toServer = new FrameRing(kernel, `ring ${application.path} to ${spec.path}`);
    const { fn } = this;
    const reader: RingReader = new RingReader(cpus, this.id, cpus.addThread(domain.id, `handler-${name}`), toServer, index, {
      poll: fn["poll ring"], announce: fn.announce, sleep: fn.sleep, wake: fn._backend_interrupt_handler,
      spend: (packet) => {
        cpus.spend(fn.backend_forward_receiver, packet);
        cpus.spend(fn["verify source"], packet);
        cpus.spend(fn.rump_virtif_pktforward, packet, packets.frameLength(packet));
        this.wire.spendTransmit(packet, packets.frameLength(packet));
      },
      accept: (packet) => this.forward(index, packet),
      spendRejected: (packet) => {
        cpus.spend(fn.backend_forward_receiver, packet);
        cpus.spend(fn["verify source"], packet);
      },
      reject: (packet, malformed, claim) => {
        kernel.mark(malformed === Malformed.index ? fn["ring index out of range"] : fn["frame longer than its slot"], this.id, cpus.contextOf(reader.thread), kernel.now, 0, packet, claim);
      },
    });
    this.channels.push({
      application: application.path, vif, line, toServer, reader,
      memory: new ChannelGrants(machine, domain.host, application.id, domain.id, `${application.path} to ${spec.path}`),
      welcomeLine: this.backend.addChannel(index), helloPort: () => vif.helloPort,
      ownLine: cpus.addLine(cpus.vcpusOf(domain.id)[0]!, this.id, ReaderOp.wake, index, costs.latency("event to a vCPU")),
      switchLine: cpus.addLine(cpus.vcpusOf(domain.id)[0]!, this.id, AddressOp.asked, index, costs.latency("event to a vCPU")),
      toApplication: new FrameRing(kernel, `ring ${spec.path} to ${application.path}`),
      address: () => {
        const stack = application.components.find((c) => c.type === "tcpip");
        return stack === undefined ? 0 : (machine.placed(stack.path) as TcpIp).ip;
      },
    });
    this.addresses.addApplication(application.path, this.channels[index]!.address, vif.uplink);
    return index;
  }

  toServer(channel: number): FrameRing {
    return this.channels[channel]!.toServer;
  }

  toApplication(channel: number): FrameRing {
    return this.channels[channel]!.toApplication;
  }

  /** All rings, both directions. */
  rings(): FrameRing[] {
    return this.channels.flatMap(({ toServer, toApplication }) => [toServer, toApplication]);
  }

  readerOf(channel: number): RingReader {
    return this.channels[channel]!.reader;
  }

  lineOf(channel: number): number {
    return this.channels[channel]!.ownLine;
  }

  switchLineOf(channel: number): number {
    return this.channels[channel]!.switchLine;
  }

  /** The shared memory of a channel: its rings stand in it. */
  memoryOf(channel: number): ChannelGrants {
    return this.channels[channel]!.memory;
  }

  /** Where an application notifies the server that it has granted its rings. */
  welcomeLineOf(channel: number): number {
    return this.channels[channel]!.welcomeLine;
  }

  /** The application is gone: the hypervisor frees its ports. */
  releasePorts(channel: number): void {
    this.portmap.release(channel);
  }

  /** What the hypervisor does for the application's portbind hypercall. */
  bindPort(channel: number, protocol: number, port: number): BindResult {
    return this.portmap.bind(channel, protocol, port);
  }

  // --- Outbound -----------------------------------------------------------------------------------------------------

  /** MAC, IP and port "must already be valid for a given application" (LibrettOS 3.2); what is not goes no further than here. */
  private forward(index: number, packet: number): void {
    const { kernel, cpus, packets } = this.place.machine;
    const channel = this.channels[index]!;
    const context = cpus.contextOf(channel.reader.thread);
    const forged = packets.sourceMac(packet) !== this.mac ? "forged source MAC"
      : packets.sourceIp(packet) !== channel.address() ? "forged source IP"
      : this.isPortOwn(index, packet) ? undefined : "forged source port";
    // An address that the application has taken to another interface, or is about to: its frames have nothing to do here, but are not forged.
    if (!this.addresses.isActive(index) && forged !== "forged source IP") this.addresses.refuse(index, packet, context);
    else if (forged === undefined) this.wire.transmit(packet);
    else kernel.mark(this.fn[forged], this.id, context, kernel.now, 0, packet, index);
  }

  /** ARP and ICMP have no port: the address alone says whose it is. */
  private isPortOwn(index: number, packet: number): boolean {
    const { packets } = this.place.machine;
    return packets.isArp(packet) || packets.isIcmp(packet) || this.portmap.owner(packets.protocol(packet), packets.sourcePort(packet)) === index;
  }

  // --- Inbound ------------------------------------------------------------------------------------------------------

  spendInput(): void {}

  input(packet: number): void {
    this.place.machine.cpus.post(this.softint, this.id, Op.receive, packet);
  }

  private route(packet: number): void {
    const { kernel, cpus, packets } = this.place.machine;
    if (packets.isArp(packet)) {
      for (let i = this.channels.length - 1; i >= 0; i--) if (this.channels[i]!.memory.connected && this.addresses.isActive(i)) cpus.call(this.softint, this.id, Op.send, packet, i);
      return;
    }
    if (packets.isIcmp(packet)) {
      // ICMP has no port. The applications' addresses are aliases of the server's adapter (LibrettOS 3.3), so that its own stack
      // answers echo requests to them, as in `backend.c`; what answers an application, or tells it of an error, goes to the one
      // whose address it is.
      const served = this.channels.findIndex((channel) => channel.address() === packets.destinationIp(packet));
      if (served < 0) return;
      if (!this.addresses.isActive(served)) return this.addresses.refuse(served, packet, cpus.contextOf(this.softint));
      if (packets.icmpType(packet) !== IcmpType.echo) cpus.call(this.softint, this.id, Op.send, packet, served);
      else if (!packets.isCorrupted(packet)) cpus.call(this.softint, this.id, Op.echo, packet);
      return;
    }
    const port = packets.destinationPort(packet);
    const owner = this.portmap.owner(packets.protocol(packet), port);
    if (owner === -1) kernel.mark(this.fn["no owner of the port"], this.id, cpus.contextOf(this.softint), kernel.now, 0, packet, port);
    else if (this.addresses.isActive(owner)) cpus.call(this.softint, this.id, Op.send, packet, owner);
    else this.addresses.refuse(owner, packet, cpus.contextOf(this.softint));
  }

  private echo(request: number): void {
    const { kernel, packets } = this.place.machine;
    const reply = packets.createEcho(
      IcmpType.echoReply, packets.destinationIp(request), packets.sourceIp(request), packets.echoIdentifier(request), packets.echoSequence(request),
      packets.stream(request), packets.offset(request), packets.payloadLength(request), packets.id(request),
    );
    packets.setEthernet(reply, packets.sourceMac(request), this.mac);
    kernel.namePacket(reply);
    this.wire.transmit(reply);
  }

  private send(packet: number, index: number): void {
    const { kernel, cpus, packets } = this.place.machine;
    const channel = this.channels[index]!;
    if (!this.addresses.isActive(index)) return this.addresses.refuse(index, packet, cpus.contextOf(this.softint));
    const { connected } = channel.memory;
    const tooLong = packets.frameLength(packet) > SLOT_BYTES;
    if (!connected || tooLong || !channel.toApplication.produce(packet)) {
      const why = !connected ? "channel not connected" : tooLong ? "longer than a slot" : "ring to application full";
      kernel.mark(this.fn[why], this.id, cpus.contextOf(this.softint), kernel.now, 0, packet);
      return;
    }
    if (channel.vif.receiver.enqueued()) cpus.call(this.softint, this.id, Op.notify, packet, index);
  }

  // --- Work ---------------------------------------------------------------------------------------------------------

  begin(op: number, a: number, b: number): void {
    if (op >= AddressOp.asked) return this.addresses.begin(op);
    const { cpus, packets } = this.place.machine;
    if (op === Op.receive) {
      cpus.spend(this.fn.if_percpuq_softint, a);
      cpus.spend(this.fn.backend_receive, a);
    } else if (op === Op.send) {
      cpus.spendLines(this.channels[b]!.toApplication.consumer, INDEX_LINES);
      cpus.spend(this.fn.backend_forward_send, a, packets.frameLength(a), b);
    } else if (op === Op.echo) {
      cpus.spend(this.fn.icmp_input, a);
      cpus.spend(this.fn.icmp_reflect, a);
      this.wire.spendTransmit(a, packets.frameLength(a));
    } else if (op === Op.notify) {
      cpus.spend(this.fn.minios_notify_remote_via_evtchn, a);
    } else if (op < ReaderOp.take) {
      this.backend.begin(op, a);
    } else {
      this.channels[a]!.reader.begin(op);
    }
  }

  end(op: number, a: number, b: number): void {
    if (op >= AddressOp.asked) return this.addresses.end(op, a);
    if (op === Op.receive) {
      this.route(a);
    } else if (op === Op.send) {
      this.send(a, b);
    } else if (op === Op.echo) {
      this.echo(a);
    } else if (op === Op.notify) {
      this.channels[b]!.toApplication.countNotification();
      this.place.machine.cpus.raise(this.channels[b]!.line);
    } else if (op < ReaderOp.take) {
      this.backend.end(op, a);
    } else {
      this.channels[a]!.reader.end(op);
    }
  }

  /** An address is announced once more. */
  fire(_op: number, application: number): void {
    this.addresses.fire(application);
  }

  describe(): Scope[] {
    return [{
      name: "Network server",
      variables: [
        this.portmap.describe(), this.registry.describe(), this.addresses.describe(),
        {
          name: "applications", value: `${this.channels.length}`, number: this.channels.length,
          children: this.channels.map((channel) => ({
            name: channel.application, value: `${channel.toServer.count} frames out, ${channel.toApplication.count} in`,
            children: [channel.memory.describe(), channel.toServer.describe("tx ring"), channel.toApplication.describe("rx ring")],
          })),
        },
      ],
    }];
  }

  /** Notifications and frames of all channels, both directions. */
  traffic(): { readonly frames: number; readonly notifications: number } {
    let frames = 0;
    let notifications = 0;
    for (const { toServer, toApplication } of this.channels) {
      frames += toServer.frames + toApplication.frames;
      notifications += toServer.notifications + toApplication.notifications;
    }
    return { frames, notifications };
  }
}
