import type { Scope } from "../inspect";
import type { FrameLoans } from "../machine/frameLoans";
import { sharedThread, type DomainPlace, type PlacedModel, type Placement, type System } from "../machine/machine";
import { isGroup } from "../machine/nic/filters";
import { ForwardingDatabase } from "../network/forwardingDatabase";
import { ETHERNET_HEADER } from "../network/headers";
import { NONE } from "../trace/trace";
import type { FrameSwitch, SwitchPort } from "./frameSwitch";
import type { FrameConsumer, NetworkInterface } from "./interface";

/** What the bridge's functions are called in each system, and where they are. */
const bridgeFunctions = {
  linux: {
    take: { name: "br_handle_frame", file: "net/bridge/br_input.c", kind: "ethernet" },
    send: { name: "br_forward", file: "net/bridge/br_forward.c", kind: "ethernet" },
    flood: { name: "br_flood", file: "net/bridge/br_forward.c", kind: "ethernet", a: "ports" },
  },
  rump: {
    take: { name: "bridge_input", file: "sys/net/if_bridge.c", kind: "ethernet" },
    send: { name: "bridge_enqueue", file: "sys/net/if_bridge.c", kind: "ethernet" },
    flood: { name: "bridge_broadcast", file: "sys/net/if_bridge.c", kind: "ethernet", a: "ports" },
  },
} as const satisfies Record<System, unknown>;

/** The port that the device is at; the guests follow. */
const DEVICE = 0;

/**
 * A learning bridge between a driver domain's device and its guests (IEEE 802.1D; Linux `net/bridge`, as Xen's `vif-bridge`
 * script sets it up: no spanning tree, no delay before forwarding). It learns where addresses are from what they send; a frame
 * to an address that it has not heard of, and one to a group, goes out at every other port.
 */
export class Bridge implements PlacedModel, FrameConsumer, FrameSwitch {
  readonly id: number;
  private readonly fn;
  private readonly softirq: number;
  private readonly database: ForwardingDatabase;
  private readonly counters;
  private readonly guests: SwitchPort[] = [];
  private wire!: NetworkInterface;
  private mtu = 0;
  private loans: FrameLoans | undefined;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel } = machine;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = kernel.functions({ ...bridgeFunctions[domain.system], "longer than the port's MTU": { kind: "drop", a: "bytes" }, "destination is at the port it came from": { kind: "drop" } });
    this.softirq = sharedThread(machine, domain, domain.system === "linux" ? "ksoftirqd" : "softint-net", 0);
    this.database = new ForwardingDatabase(kernel.store, spec.path);
    this.counters = kernel.store.table(`bridge ${spec.path}`, { forwarded: "f64", flooded: "f64", filtered: "f64", learned: "f64" }, 1);
    this.counters.alloc();
  }

  connect(): void {
    const { machine, domain, spec } = this.place;
    const here = domain.components.findIndex((c) => c.path === spec.path);
    const below = domain.components.slice(here + 1).find((c) => c.bind !== undefined);
    if (below === undefined) throw new Error(`${spec.path} has no driver below it.`);
    this.wire = machine.placed(below.path) as PlacedModel & NetworkInterface;
    this.mtu = domain.mtu;
    this.loans = machine.loans.get(domain.id);
  }

  /** A device that is a port of a bridge takes every frame. */
  start(): void {
    this.wire.promiscuous?.();
  }

  attach(port: SwitchPort): number {
    return this.guests.push(port);
  }

  published(_port: number, address: number, _protocol: number, server: number): { readonly address: number; readonly port: number } {
    return { address, port: server };
  }

  // --- From the device ----------------------------------------------------------------------------------------------

  spendInput(packet: number): void {
    this.spendForward(DEVICE, packet);
  }

  input(packet: number): void {
    this.forward(DEVICE, packet);
  }

  // --- From any port ------------------------------------------------------------------------------------------------

  spendForward(from: number, packet: number): void {
    const { cpus, costs, packets } = this.place.machine;
    const before = cpus.enter(this.id);
    cpus.spend(this.fn.take, packet);
    const to = this.portFor(packet);
    if (to === NONE) {
      const ports = this.guests.length;
      if (this.clones) this.loans?.spendCopy(packet);
      cpus.spendTime(this.fn.flood, ports * costs.of(this.fn.flood, 0), packet, ports);
      if (from !== DEVICE) this.wire.spendTransmit(packet, packets.frameLength(packet));
      // Cloned for each: the first stands for all in the cost of taking it over.
      const other = this.guests.find((_, i) => i + 1 !== from);
      if (other !== undefined) other.spendDeliver(packet);
    } else if (to !== from) {
      cpus.spend(this.fn.send, packet);
      if (to === DEVICE) this.wire.spendTransmit(packet, packets.frameLength(packet));
      else this.guests[to - 1]!.spendDeliver(packet);
    }
    cpus.enter(before);
  }

  forward(from: number, packet: number): void {
    const { kernel, cpus, packets } = this.place.machine;
    const source = packets.sourceMac(packet);
    if (!isGroup(source) && this.database.learn(source, from, kernel.now)) this.counters.learned[0]!++;
    const to = this.portFor(packet);
    if (to === from) {
      // Filtered (IEEE 802.1D section 7.7); Linux: `should_deliver` of br_forward.c.
      this.counters.filtered[0]!++;
      kernel.mark(this.fn["destination is at the port it came from"], this.id, cpus.contextOf(this.softirq), kernel.now, 0, packet);
      this.loans?.giveBack(packet);
    } else if (to !== NONE) {
      this.counters.forwarded[0]!++;
      this.send(to, packet);
    } else {
      this.counters.flooded[0]!++;
      if (this.clones) this.loans?.giveBack(packet);
      for (let port = 0; port <= this.guests.length; port++) if (port !== from) this.send(port, packet);
    }
  }

  /** Whether a frame that is flooded goes to more than one port: it is cloned then, and a clone shares no pages that are lent (`skb_clone`). */
  private get clones(): boolean {
    return this.guests.length > 1;
  }

  /** The port for a frame, or −1: all. */
  private portFor(packet: number): number {
    const { kernel, packets } = this.place.machine;
    const destination = packets.destinationMac(packet);
    return isGroup(destination) ? NONE : this.database.lookup(destination, kernel.now);
  }

  private send(port: number, packet: number): void {
    const { kernel, cpus, packets } = this.place.machine;
    const guest = port === DEVICE ? undefined : this.guests[port - 1]!;
    const bytes = packets.ipLength(packet);
    if (bytes > (guest?.mtu ?? this.mtu)) {
      kernel.mark(this.fn["longer than the port's MTU"], this.id, cpus.contextOf(this.softirq), kernel.now, 0, packet, bytes + ETHERNET_HEADER);
      this.loans?.giveBack(packet);
    } else if (guest === undefined) {
      this.wire.transmit(packet);
    } else {
      guest.deliver(packet);
    }
  }

  /** What was heard from a guest that is gone is forgotten (`br_fdb_delete_by_port`). */
  peerDied(domain: DomainPlace): void {
    this.guests.forEach(({ path }, i) => {
      if (path === domain.path) this.database.forget(i + 1);
    });
  }

  fire(): void {}

  describe(): Scope[] {
    const c = this.counters;
    const plain = (name: string, number: number): { name: string; value: string; number: number } => ({ name, value: `${number}`, number });
    return [{
      name: "Bridge",
      variables: [
        this.database.describe(this.place.machine.kernel.now, (port) => (port === DEVICE ? "device" : this.guests[port - 1]!.path)),
        plain("forwarded", c.forwarded[0]!), plain("flooded", c.flooded[0]!), plain("filtered, same port", c.filtered[0]!), plain("addresses learned", c.learned[0]!),
      ],
    }];
  }
}
