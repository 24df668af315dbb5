import { SLOT_BYTES } from "../machine/frameRing";
import type { Machine } from "../machine/machine";
import type { Portmap } from "../machine/portmap";
import { ArpOperation, IcmpType } from "../network/packets";
import { NONE } from "../trace/trace";
import { ARP_FRAME } from "./addressClaim";
import type { NetworkInterface } from "./interface";
import { INDEX_LINES } from "./ringReaders";
import type { ServerAddresses } from "./serverAddresses";
import type { ServerChannel } from "./serverChannel";
import { ServerStackOp } from "./serverStack";

/** Ops of the network server's component that are about frames from its driver. */
export const InboundOp = { receive: 0, send: 1, notify: 2, echo: 3, answer: 4 } as const;

/**
 * The network server's way in (LibrettOS 3.2; `backend_receive`): it is at the very bottom of the stack and only routes. TCP and UDP go by
 * the destination port, which the portmap says the owner of; the hypervisor keeps that, and its pages are mapped here, so that a look
 * takes no hypercall. ARP goes to every application, each of which answers for its own address, and is kept by the server; for the address
 * that they share, and for echo requests, the server answers itself. What is for a port that nobody owns is left to its own stack
 * ({@link ServerStack}). What is for an application is copied into its ring.
 */
export class ServerInbound {
  private readonly fn;

  /** @param softint thread of what the driver has received */
  constructor(
    private readonly machine: Machine, private readonly component: number, private readonly softint: number, private readonly channels: readonly ServerChannel[],
    private readonly portmap: Portmap, private readonly addresses: ServerAddresses, private readonly wire: () => NetworkInterface,
  ) {
    this.fn = machine.kernel.functions({
      if_percpuq_softint: { file: "sys/net/if.c", kind: "ethernet" },
      backend_receive: { file: "platform/hw/xen/backend.c", kind: "server" },
      backend_forward_send: { file: "platform/hw/xen/backend.c", kind: "server", a: "bytes", tally: "copy" },
      icmp_input: { file: "sys/netinet/ip_icmp.c", kind: "ip" },
      icmp_reflect: { file: "sys/netinet/ip_icmp.c", kind: "ip" },
      in_arpinput: { file: "sys/netinet/if_arp.c", kind: "ethernet" },
      minios_notify_remote_via_evtchn: { file: "platform/hw/xen/events.c", kind: "hypervisor", tally: "notification" },
      "ring to application full": { kind: "drop" },
      "channel not connected": { kind: "drop" },
      "longer than a slot": { kind: "drop" },
      "no owner of the port": { kind: "drop", a: "port" },
      "echo reply for nobody": { kind: "drop" },
      "bad UDP or ICMP checksum": { kind: "drop" },
      "address is not this host's": { kind: "drop" },
    });
  }

  /** The driver has received a frame. */
  input(packet: number): void {
    this.machine.cpus.post(this.softint, this.component, InboundOp.receive, packet);
  }

  begin(op: number, packet: number, application: number): void {
    const { machine: { cpus, packets }, fn } = this;
    if (op === InboundOp.receive) {
      cpus.spend(fn.if_percpuq_softint, packet);
      cpus.spend(fn.backend_receive, packet);
      if (packets.isArp(packet)) cpus.spend(fn.in_arpinput, packet);
    } else if (op === InboundOp.send) {
      cpus.spendLines(this.channels[application]!.toApplication.consumer, INDEX_LINES);
      cpus.spend(fn.backend_forward_send, packet, packets.frameLength(packet), application);
    } else if (op === InboundOp.echo) {
      cpus.spend(fn.icmp_input, packet);
      cpus.spend(fn.icmp_reflect, packet);
      this.wire().spendTransmit(NONE, packets.frameLength(packet));
    } else if (op === InboundOp.answer) {
      this.wire().spendTransmit(NONE, ARP_FRAME);
    } else {
      cpus.spend(fn.minios_notify_remote_via_evtchn, packet);
    }
  }

  end(op: number, packet: number, application: number): void {
    if (op === InboundOp.receive) this.route(packet);
    else if (op === InboundOp.send) this.send(packet, application);
    else if (op === InboundOp.echo) this.echo(packet);
    else if (op === InboundOp.answer) this.answer(packet);
    else this.notify(application);
  }

  // --- Whose it is --------------------------------------------------------------------------------------------------

  private route(packet: number): void {
    const { packets } = this.machine;
    if (packets.isArp(packet)) this.routeArp(packet);
    else if (packets.isIcmp(packet)) this.routeIcmp(packet);
    else this.routeByPort(packet, packets.protocol(packet), packets.destinationPort(packet));
  }

  private routeByPort(packet: number, protocol: number, port: number): void {
    const { machine: { cpus }, addresses, softint, component } = this;
    const owner = this.portmap.owner(protocol, port);
    if (owner === -1) this.leave(packet, port);
    else if (addresses.isActive(owner)) cpus.call(softint, component, InboundOp.send, packet, owner);
    else addresses.refuse(owner, packet, cpus.contextOf(softint));
  }

  /** The stack that has the interface takes what is for an address of its. */
  private leave(packet: number, port: number): void {
    if (this.hasAddress(packet)) this.machine.cpus.call(this.softint, this.component, ServerStackOp.take, packet, port);
  }

  /** Whether the interface has the address that a packet is for; without it that goes no further. */
  private hasAddress(packet: number): boolean {
    const { machine: { cpus, packets }, addresses } = this;
    const destination = packets.destinationIp(packet);
    if (addresses.isShared(destination)) return true;
    const served = this.servedAt(destination);
    if (served < 0) this.drop("address is not this host's", packet);
    else if (addresses.isActive(served)) return true;
    else addresses.refuse(served, packet, cpus.contextOf(this.softint));
    return false;
  }

  /** The application with an address of its own, or −1. */
  private servedAt(address: number): number {
    return this.channels.findIndex((channel) => channel.address() === address);
  }

  private routeArp(packet: number): void {
    const { machine: { cpus, packets }, addresses, softint, component, channels } = this;
    addresses.hear(packet);
    const isRequest = packets.arpOperation(packet) === ArpOperation.request;
    if (isRequest && addresses.isShared(packets.destinationIp(packet))) return cpus.call(softint, component, InboundOp.answer, packet);
    for (let i = channels.length - 1; i >= 0; i--) if (channels[i]!.memory.connected && addresses.isActive(i)) cpus.call(softint, component, InboundOp.send, packet, i);
  }

  /**
   * ICMP has no port. The applications' addresses are aliases of the server's adapter (LibrettOS 3.3), so that its own stack answers echo
   * requests to them, as in `backend.c`; what answers an application, or tells it of an error, goes to the one whose address it is. Where
   * that is shared, an error is for the one whose packet it quotes.
   */
  private routeIcmp(packet: number): void {
    const { machine: { cpus, packets }, addresses, softint, component } = this;
    if (!this.hasAddress(packet)) return;
    const destination = packets.destinationIp(packet);
    const type = packets.icmpType(packet);
    const isShared = addresses.isShared(destination);
    if (type === IcmpType.echo) {
      if (packets.isCorrupted(packet)) this.drop("bad UDP or ICMP checksum", packet);
      else cpus.call(softint, component, InboundOp.echo, packet);
    } else if (!isShared) {
      cpus.call(softint, component, InboundOp.send, packet, this.servedAt(destination));
    } else if (type === IcmpType.echoReply) {
      this.drop("echo reply for nobody", packet);
    } else {
      const quoted = packets.quoted(packet);
      this.routeByPort(packet, packets.protocol(quoted), packets.sourcePort(quoted));
    }
  }

  // --- What the server answers itself -------------------------------------------------------------------------------

  private echo(request: number): void {
    const { packets } = this.machine;
    this.transmit(packets.createEcho(
      IcmpType.echoReply, packets.destinationIp(request), packets.sourceIp(request), packets.echoIdentifier(request), packets.echoSequence(request),
      packets.stream(request), packets.offset(request), packets.payloadLength(request), packets.id(request),
    ), packets.sourceMac(request));
  }

  /** The address that applications share is the server's interface's. */
  private answer(request: number): void {
    const { packets } = this.machine;
    const asker = packets.arpSenderMac(request);
    this.transmit(packets.createArp(ArpOperation.reply, this.wire().mac, packets.destinationIp(request), asker, packets.sourceIp(request)), asker);
  }

  /** Sends what the server says itself. */
  transmit(packet: number, destination: number): void {
    const { kernel, packets } = this.machine;
    const wire = this.wire();
    packets.setEthernet(packet, destination, wire.mac);
    kernel.namePacket(packet);
    wire.transmit(packet);
  }

  // --- Into a ring --------------------------------------------------------------------------------------------------

  /** Copies a frame into an application's ring; its reader is notified if it is not active. */
  private send(packet: number, index: number): void {
    const { machine: { cpus, packets }, addresses } = this;
    const { memory, toApplication, vif } = this.channels[index]!;
    if (!addresses.isActive(index)) return addresses.refuse(index, packet, cpus.contextOf(this.softint));
    if (!memory.connected) return this.drop("channel not connected", packet);
    if (packets.frameLength(packet) > SLOT_BYTES) return this.drop("longer than a slot", packet);
    if (!toApplication.produce(packet)) return this.drop("ring to application full", packet);
    if (vif.enqueued()) cpus.call(this.softint, this.component, InboundOp.notify, packet, index);
  }

  private notify(index: number): void {
    const { toApplication, line } = this.channels[index]!;
    toApplication.countNotification();
    this.machine.cpus.raise(line);
  }

  /** Says why a frame goes no further. */
  drop(why: keyof ServerInbound["fn"], packet: number, a = 0): void {
    const { kernel, cpus } = this.machine;
    kernel.mark(this.fn[why], this.component, cpus.contextOf(this.softint), kernel.now, 0, packet, a);
  }
}
