import { Malformed } from "../machine/frameRing";
import type { Machine } from "../machine/machine";
import type { Portmap } from "../machine/portmap";
import type { NetworkInterface } from "./interface";
import { RingReaders } from "./ringReaders";
import type { ServerAddresses } from "./serverAddresses";
import type { ServerChannel } from "./serverChannel";

/** What is forged in a frame, if anything. */
type Forged = "forged source MAC" | "forged source IP" | "forged source port";

/**
 * The network server's way out (LibrettOS 3.2): every application has a handler, which takes frames out of its ring, as they are, and
 * forwards them to the driver. The server trusts nobody: an entry of the ring is verified before it is used, and a frame when it is copied
 * to the global medium. Its MAC address, IP address and port must be the application's by then; a frame forged after that does not exist, as the
 * application's own memory is left behind. Who had a port before has sent everything: see `Vif.releasePort`.
 */
export class ServerOutbound {
  private readonly fn;
  /** Of each application, by its index, a thread at the end of its ring. */
  readonly handlers: RingReaders;

  constructor(
    private readonly machine: Machine, private readonly component: number, private readonly channels: readonly ServerChannel[],
    private readonly portmap: Portmap, private readonly addresses: ServerAddresses, private readonly wire: () => NetworkInterface,
  ) {
    this.fn = machine.kernel.functions({
      backend_forward_receiver: { file: "platform/hw/xen/backend.c", kind: "server" },
      rump_virtif_pktforward: { file: "platform/hw/librumpnet_xenif/if_virt.c", kind: "server", a: "bytes", tally: "copy" },
      "verify source": { file: "platform/hw/xen/backend.c", kind: "server" },
      _backend_interrupt_handler: { file: "platform/hw/xen/backend.c", kind: "interrupt", tally: "interrupt" },
      "poll ring": { name: "backend_forward_receiver: poll", file: "platform/hw/xen/backend.c", kind: "server", a: "polls" },
      announce: { name: "backend_forward_receiver: about to sleep", file: "platform/hw/xen/backend.c", kind: "server" },
      sleep: { name: "backend_forward_receiver: sleep", file: "platform/hw/xen/backend.c", kind: "server" },
      "ring index out of range": { kind: "violation", a: "index", discards: true },
      "frame longer than its slot": { kind: "violation", a: "bytes", discards: true },
      "forged source MAC": { kind: "violation", a: "application", discards: true },
      "forged source IP": { kind: "violation", a: "application", discards: true },
      "forged source port": { kind: "violation", a: "application", discards: true },
    });
    const { machine: { kernel, cpus, packets }, fn } = this;
    this.handlers = new RingReaders(machine, component, {
      poll: fn["poll ring"], announce: fn.announce, sleep: fn.sleep, wake: fn._backend_interrupt_handler,
      spend: (packet) => {
        cpus.spend(fn.backend_forward_receiver, packet);
        cpus.spend(fn["verify source"], packet);
        cpus.spend(fn.rump_virtif_pktforward, packet, packets.frameLength(packet));
        this.wire().spendTransmit(packet, packets.frameLength(packet));
      },
      accept: (packet, index) => this.forward(index, packet),
      spendRejected: (packet) => {
        cpus.spend(fn.backend_forward_receiver, packet);
        cpus.spend(fn["verify source"], packet);
      },
      reject: (packet, malformed, claim, index) => {
        const context = cpus.contextOf(this.handlers.threadOf(index));
        kernel.mark(malformed === Malformed.index ? fn["ring index out of range"] : fn["frame longer than its slot"], component, context, kernel.now, 0, packet, claim);
      },
    });
  }

  /** A frame of an application goes to the driver, or, where it is forged, no further than here. */
  private forward(index: number, packet: number): void {
    const { machine: { kernel, cpus }, addresses } = this;
    const context = cpus.contextOf(this.handlers.threadOf(index));
    const forged = this.forgedIn(index, packet);
    // An address that the application has taken to another interface, or is about to: its frames have nothing to do here, but are not forged.
    if (!addresses.isActive(index) && forged !== "forged source IP") addresses.refuse(index, packet, context);
    else if (forged === undefined) this.wire().transmit(packet);
    else kernel.mark(this.fn[forged], this.component, context, kernel.now, 0, packet, index);
  }

  /** What a frame has that is not the application's. An address that is shared is each one's own; their ports are not. */
  private forgedIn(index: number, packet: number): Forged | undefined {
    const { packets } = this.machine;
    if (packets.sourceMac(packet) !== this.wire().mac) return "forged source MAC";
    if (packets.sourceIp(packet) !== this.channels[index]!.address()) return "forged source IP";
    return this.isPortOwn(index, packet) ? undefined : "forged source port";
  }

  /** ARP and ICMP have no port: the address alone says whose it is. */
  private isPortOwn(index: number, packet: number): boolean {
    const { packets } = this.machine;
    return packets.isArp(packet) || packets.isIcmp(packet) || this.portmap.owner(packets.protocol(packet), packets.sourcePort(packet)) === index;
  }
}
