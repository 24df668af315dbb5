import { Ixgbe } from "../../components/ixgbe";
import { TcpIp } from "../../components/tcpip";
import { Vif } from "../../components/vif";
import type { Fault } from "../../design/model";
import type { Scope } from "../../inspect";
import type { Model } from "../../kernel/kernel";
import { Priority } from "../../kernel/queue";
import { BROADCAST, Protocol, TcpFlag } from "../../network/packets";
import { NONE } from "../../trace/trace";
import { Malformed, RING_SLOTS, SLOT_BYTES } from "../frameRing";
import type { DomainPlace, Machine } from "../machine";
import { PAGE_SIZE } from "../memory";

const Op = { again: 0, send: 1 } as const;
/** What a compromised domain can try, in the order of the design's choices. */
export const forgeries = ["mac", "vlan", "ip", "port", "index", "length", "dma", "portmap"] as const;
export type Forgery = (typeof forgeries)[number];

/** Ethernet, IPv4 and TCP headers. */
const FRAME = 54;
/** Locally administered addresses that no function of a design has (IEEE 802 clause 8.4). */
const FOREIGN_MAC = 0x06_00_00_00_00_00;
/** Ports that a forged frame may come from: neither well known nor dynamic ones. */
const FIRST_PORT = 20_000;
const PORTS = 20_000;

/**
 * A domain that is malicious, or taken over: a thread of it, which dies with it, does what no honest stack or driver does. It sends frames with a MAC or IP
 * address, a VLAN or a port that is not its own, enqueues ring entries that the network server must not believe, has its adapter read
 * memory that is not its own, or, in the network server's domain, writes into the portmap.
 *
 * It stands for no rule itself: what stops it, or does not, are the server's checks (LibrettOS 3.2), the adapter's, the IOMMU's, and the
 * hypervisor's page tables. A forged frame that gets as far as the wire is marked, as the gap that it is: the 82599 compares MAC
 * addresses, and neither IP addresses nor ports, and those of VFs only; netback and a bridge compare nothing (`xenvif_tx_submit`, `br_handle_frame`).
 */
export class Forger implements Model {
  readonly id: number;
  private readonly fn;
  private readonly thread: number;
  private readonly state;
  /** Frames that it has forged, by number, in order. */
  private readonly forged;
  private readonly random: number;
  private readonly what: Forgery;
  private readonly interval: number;
  private readonly vif: Vif | undefined;
  private readonly driver: Ixgbe | undefined;
  private readonly stack: TcpIp | undefined;
  /** Pages of the domain's memory: what comes after them is not its own. */
  private readonly pages: number;

  constructor(private readonly machine: Machine, private readonly domain: DomainPlace, spec: Fault) {
    const { kernel, cpus, design } = machine;
    this.id = kernel.component(`${spec.path}/attacker`, "attacker", domain.host, domain.path, this);
    cpus.crossings.place(this.id, domain.id);
    this.fn = kernel.functions({
      "forged frame": { kind: "application" },
      "forged source on the wire": { kind: "violation" },
      "write to a read-only page": { kind: "violation", a: "port" },
      hvm_hap_nested_page_fault: { file: "xen/arch/x86/hvm/hvm.c", kind: "hypervisor", tally: "VM exit" },
      "no function to drive": { kind: "drop" },
    });
    this.what = spec.options["what"] as Forgery;
    this.interval = Number(spec.options["interval"]);
    this.state = kernel.store.table(`forger ${spec.path}`, { left: "i32" }, 1);
    this.state.alloc();
    this.state.left[0] = Number(spec.options["count"]);
    this.forged = kernel.store.within(undefined, () => kernel.store.table(`frames forged by ${spec.path}`, { packet: "i32" }));
    this.random = kernel.random.open(spec.path, "forgeries");
    const alike = design.faults.filter(({ kind, target, options }) => kind === spec.kind && target === spec.target && options["what"] === this.what);
    const which = alike.indexOf(spec);
    this.thread = cpus.addThread(domain.id, `attacker-${this.what}${which > 0 ? which + 1 : ""}`);
    const models = domain.components.map(({ path }) => machine.placed(path));
    this.vif = models.find((model) => model instanceof Vif);
    this.driver = models.find((model) => model instanceof Ixgbe);
    this.stack = models.find((model) => model instanceof TcpIp);
    this.pages = machine.memories.get(domain.host)!.pagesOf(domain.id);
    const devices = design.hosts.find(({ path }) => path === domain.host)?.devices ?? [];
    for (const { path } of devices) machine.nics.get(path)!.sentToWire.push((packet) => this.sawOnWire(packet));
  }

  /** The domain turns malicious. */
  strike(): void {
    this.machine.cpus.post(this.thread, this.id, Op.send);
  }

  fire(): void {
    const { kernel, cpus } = this.machine;
    kernel.mark(this.fn["forged frame"], this.id, cpus.contextOf(this.thread), kernel.now, 0, NONE, this.state.left[0]!);
    this.strike();
  }

  begin(): void {
    const { cpus } = this.machine;
    cpus.spend(this.fn["forged frame"]);
    if (this.what === "portmap") cpus.spend(this.fn.hvm_hap_nested_page_fault);
    else if (this.what === "mac" || this.what === "vlan" || this.what === "ip" || this.what === "port") this.stack?.wire.spendTransmit(NONE, FRAME);
  }

  end(): void {
    const { kernel } = this.machine;
    if (this.state.left[0] === 0) return;
    this.state.left[0]!--;
    this.attempt();
    if (this.state.left[0]! > 0) kernel.schedule(this.interval, Priority.timeout, this.id, Op.again);
  }

  private attempt(): void {
    const { what, machine: { kernel, cpus, portmaps } } = this;
    const context = cpus.contextOf(this.thread);
    if (what === "portmap") {
      // The hypervisor maps the pages read-only: the write faults, and Xen discards it (p2m_ram_ro in hvm_hap_nested_page_fault).
      const port = this.draw(65_536);
      const [, portmap] = [...portmaps].find(([path]) => path.startsWith(`${this.domain.path}/`)) ?? [];
      if (portmap !== undefined && !portmap.writeAsServer(Protocol.tcp, port, 0)) kernel.mark(this.fn["write to a read-only page"], this.id, context, kernel.now, 0, NONE, port);
      return;
    }
    const packet = this.frame();
    if (what === "index" || what === "length") {
      this.vif?.enqueueMalformed(packet, what === "index" ? Malformed.index : Malformed.length, what === "index" ? RING_SLOTS + this.draw(1 << 15) : SLOT_BYTES + 1 + this.draw(1 << 15));
      return;
    }
    // Who drives a function writes descriptors, whatever its driver thinks of it.
    const wire = what === "dma" || what === "vlan" ? this.driver : this.stack?.wire;
    const address = what === "dma" ? (this.pages + this.draw(1 << 20)) * PAGE_SIZE : undefined;
    if (wire !== this.driver) wire?.transmit(packet);
    else if (this.driver?.postAt(packet, address) !== true) kernel.mark(this.fn["no function to drive"], this.id, context, kernel.now, 0, packet);
  }

  /** A segment to the first client, with one thing forged, or none. */
  private frame(): number {
    const { machine, what, stack, domain } = this;
    const { packets, kernel } = machine;
    const own = domain.components.find(({ options }) => typeof options["port"] === "number");
    const ip = what === "ip" ? this.otherAddress() : (stack?.ip ?? 0);
    const port = what === "port" ? this.otherPort() : Number(own?.options["port"] ?? 0);
    const client = this.client();
    const packet = own?.options["protocol"] === "udp"
      ? packets.createUdp(ip, client.ip, port, FIRST_PORT, NONE, 0, 0, this.draw(65_536))
      : packets.createTcp(ip, client.ip, port, FIRST_PORT, this.draw(0x7fffffff), 0, TcpFlag.rst, 0, NONE, 0, 0, this.draw(65_536));
    packets.setEthernet(packet, client.mac, what === "mac" ? FOREIGN_MAC + this.draw(1 << 24) : (this.stack?.wire.mac ?? 0));
    if (what === "vlan") packets.setVlan(packet, this.otherVlan());
    kernel.namePacket(packet);
    if (what === "mac" || what === "vlan" || what === "ip" || what === "port") {
      const row = this.forged.alloc();
      this.forged.packet[row] = packet;
    }
    return packet;
  }

  /** Where a client listens, if there is one; else everybody. */
  private client(): { readonly ip: number; readonly mac: number } {
    const { design } = this.machine;
    const components = design.hosts.find(({ kind }) => kind === "load-generator")?.domains.flatMap((d) => d.components) ?? [];
    const models = components.map(({ path }) => this.machine.placed(path));
    const stack = models.find((model) => model instanceof TcpIp);
    const driver = models.find((model) => model instanceof Ixgbe);
    return { ip: stack?.ip ?? 0xffff_ffff, mac: driver?.mac ?? BROADCAST };
  }

  /** Another stack's address where the design has one, else any. */
  private otherAddress(): number {
    for (const model of this.machine.components.values()) if (model instanceof TcpIp && model.ip !== this.stack?.ip && model.ip !== this.client().ip) return model.ip;
    return 0x0a_ff_00_00 + this.draw(1 << 16);
  }

  /** A VLAN that is not the domain's: another one of the design where it has one, else any. */
  private otherVlan(): number {
    const { design } = this.machine;
    const mine = this.domain.components.map(({ bind }) => bind).find((bind) => bind !== undefined);
    const policies = design.hosts.flatMap(({ devices }) => devices).flatMap((device) => device.functions.slice(1).map(({ path }, vf) => ({ path, vlan: device.policies[vf]?.vlan ?? 0 })));
    const drivers = design.hosts.flatMap(({ domains }) => domains).flatMap(({ components }) => components).map(({ bind, options }) => ({ path: bind, vlan: Number(options["vlan"] ?? 0) }));
    const known = [...policies, ...drivers].filter(({ vlan }) => vlan !== 0);
    const own = known.find(({ path }) => path === mine)?.vlan ?? 0;
    return known.find(({ vlan }) => vlan !== own)?.vlan ?? 1 + ((own + this.draw(4093)) % 4094);
  }

  private otherPort(): number {
    const own = new Set(this.domain.components.map(({ options }) => options["port"]));
    let port: number;
    do port = FIRST_PORT + this.draw(PORTS);
    while (own.has(port));
    return port;
  }

  private draw(below: number): number {
    return Math.floor(this.machine.kernel.random.uniform(this.random) * below);
  }

  /** A frame has left an adapter of the host. */
  private sawOnWire(packet: number): void {
    const { forged, machine: { kernel, cpus } } = this;
    let low = 0;
    let high = forged.rows;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (forged.packet[middle]! < packet) low = middle + 1;
      else high = middle;
    }
    if (low < forged.rows && forged.packet[low] === packet) kernel.mark(this.fn["forged source on the wire"], this.id, cpus.contextOf(this.thread), kernel.now, 0, packet);
  }

  describe(): Scope[] {
    return [{ name: "Forgery", variables: [{ name: "what", value: this.what }, { name: "left", value: `${this.state.left[0]!}`, number: this.state.left[0]! }] }];
  }
}
