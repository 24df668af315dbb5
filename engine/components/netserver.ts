import type { Scope } from "../inspect";
import { ChannelGrants } from "../machine/channelGrants";
import { FrameRing } from "../machine/frameRing";
import { sharedThread, type DomainPlace, type PlacedModel, type Placement } from "../machine/machine";
import { Portmap, type BindResult } from "../machine/portmap";
import { ServiceRegistry } from "../machine/serviceRegistry";
import { parseIpv4 } from "../network/addresses";
import { Backend, BackendOp } from "./backend";
import type { FrameConsumer, NetworkInterface } from "./interface";
import { ReaderOp, type RingReaders } from "./ringReaders";
import { AddressOp, ServerAddresses } from "./serverAddresses";
import type { ServerChannel } from "./serverChannel";
import { ServerInbound } from "./serverInbound";
import { ServerOutbound } from "./serverOutbound";
import { ServerStack, ServerStackOp } from "./serverStack";
import type { TcpIp } from "./tcpip";
import type { Vif } from "./vif";

/**
 * The network server of LibrettOS (3.2, Figure 4; `backend.c`): it owns an adapter function and relays Ethernet frames between it and
 * the applications' rings, as they are. TCP is in the applications, so that nothing of a connection is lost with the server. The way out
 * is {@link ServerOutbound}, with what it verifies; the way in {@link ServerInbound}, by the portmap, which outlives the server as the
 * hypervisor holds it; what no application has the port of is {@link ServerStack}'s to answer. {@link ServerAddresses} are those of its
 * interface: one that applications share, and aliases for those that can switch to direct access. {@link Backend} connects channels, on the
 * first day and after a crash.
 */
export class Netserver implements PlacedModel, FrameConsumer {
  readonly id: number;
  private readonly softint: number;
  private readonly portmap: Portmap;
  readonly registry: ServiceRegistry;
  private readonly backend: Backend;
  private readonly channels: ServerChannel[] = [];
  /** Those of the channels. */
  private readonly handlers: RingReaders;
  /** The applications' addresses, while they are at the server's interface. */
  readonly addresses: ServerAddresses;
  private readonly outbound: ServerOutbound;
  private readonly inbound: ServerInbound;
  private stack!: ServerStack;
  private wire!: NetworkInterface;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel } = machine;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.softint = sharedThread(machine, domain, "softint-net", 0, "soft interrupt");
    this.portmap = new Portmap(kernel, spec.path, (application) => this.channels[application]!.application);
    machine.portmaps.set(spec.path, this.portmap);
    this.registry = new ServiceRegistry(kernel, spec.path);
    const { ip, pool, probes } = spec.options as { readonly ip?: string; readonly pool?: number; readonly probes?: number };
    const wire = (): NetworkInterface => this.wire;
    this.addresses = new ServerAddresses(machine, domain, this.id, spec.path, sharedThread(machine, domain, "backend_switcher"), wire, this.registry, {
      shared: ip === undefined ? 0 : parseIpv4(ip) ?? 0, pool: pool ?? 0, probes: probes ?? 0,
    });
    this.outbound = new ServerOutbound(machine, this.id, this.channels, this.portmap, this.addresses, wire);
    this.handlers = this.outbound.handlers;
    this.inbound = new ServerInbound(machine, this.id, this.softint, this.channels, this.portmap, this.addresses, wire);
    this.backend = new Backend(place, this.id, this.softint, this.registry, this.channels, this.handlers, (i) => this.addresses.connected(i), (i) => this.addresses.withdraw(i));
  }

  connect(): void {
    const { machine, domain, spec } = this.place;
    const here = domain.components.findIndex((c) => c.path === spec.path);
    const below = domain.components.slice(here + 1).find((c) => c.type !== "vif");
    if (below === undefined) throw new Error(`${spec.path} has no driver below it.`);
    this.wire = machine.placed(below.path) as PlacedModel & NetworkInterface;
    this.stack = new ServerStack(machine, this.id, spec.path, this.softint, this.wire, this.inbound);
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

  get isRunning(): boolean {
    return this.place.machine.lifecycle.isRunning(this.place.domain);
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
    const { kernel, cpus, costs } = machine;
    const index = this.channels.length;
    const name = application.path.slice(application.path.lastIndexOf("/") + 1);
    const toServer = new FrameRing(kernel, `ring ${application.path} to ${spec.path}`);
    this.handlers.add(cpus.addThread(domain.id, `handler-${name}`), toServer);
    this.channels.push({
      application: application.path, vif, line, toServer,
      memory: new ChannelGrants(machine, domain.host, application.id, domain.id, `${application.path} to ${spec.path}`),
      welcomeLine: this.backend.addChannel(index), helloPort: () => vif.helloPort,
      ownLine: cpus.addLine(cpus.vcpusOf(domain.id)[0]!, this.id, ReaderOp.wake, index, costs.latency("event to a vCPU")),
      switchLine: cpus.addLine(cpus.vcpusOf(domain.id)[0]!, this.id, AddressOp.asked, index, costs.latency("event to a vCPU")),
      toApplication: new FrameRing(kernel, `ring ${spec.path} to ${application.path}`),
      address: this.addressOf(application),
    });
    this.addresses.addApplication(application, this.channels[index]!.address, vif.uplink);
    return index;
  }

  /** Its stack is placed after its VIF is attached: it is looked for when somebody asks, once. */
  private addressOf(application: DomainPlace): () => number {
    const path = application.components.find((c) => c.type === "tcpip")?.path;
    if (path === undefined) return () => 0;
    let stack: TcpIp | undefined;
    return () => (stack ??= this.place.machine.placed(path) as TcpIp).ip;
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

  /** An application has enqueued. @returns whether its handler must be notified */
  enqueued(channel: number): boolean {
    return this.handlers.enqueued(channel);
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

  /** The same for the call that gives a port back. */
  unbindPort(channel: number, protocol: number, port: number): void {
    this.portmap.unbind(channel, protocol, port);
  }

  spendInput(): void {}

  input(packet: number): void {
    this.inbound.input(packet);
  }

  begin(op: number, a: number, b: number): void {
    if (op >= AddressOp.asked) this.addresses.begin(op, a);
    else if (op >= ReaderOp.take) this.handlers.begin(op, a);
    else if (op >= BackendOp.init) this.backend.begin(op, a);
    else if (op >= ServerStackOp.take) this.stack.begin(op, a);
    else this.inbound.begin(op, a, b);
  }

  end(op: number, a: number, b: number): void {
    if (op >= AddressOp.asked) this.addresses.end(op, a);
    else if (op >= ReaderOp.take) this.handlers.end(op, a);
    else if (op >= BackendOp.init) this.backend.end(op, a);
    else if (op >= ServerStackOp.take) this.stack.end(op, a, b);
    else this.inbound.end(op, a, b);
  }

  /** A timer of an address that is being claimed. */
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
