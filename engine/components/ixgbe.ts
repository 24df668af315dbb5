import type { Scope } from "../inspect";
import { sharedThread, type PlacedModel, type Placement, type System } from "../machine/machine";
import type { Offloads } from "../machine/nic/model";
import type { Nic } from "../machine/nic/nic";
import { NONE } from "../trace/trace";
import { consumerAbove } from "./above";
import type { FrameConsumer, NetworkInterface } from "./interface";
import { VfStart, VfStartOp } from "./ixgbevf";

const Op = { interrupt: 0, receive: 1, unmask: 2 } as const;
/** NetBSD's static interrupt throttling: 4,000,000/31,250 (sys/dev/pci/ixgbe), 16 units of 2.048 µs; adaptive moderation off (LibrettOS 5.1). */
const EITR = 128;
/** Linux' lowest-latency class: `IXGBE_100K_ITR`, 5 units. */
const EITR_LINUX = 40;
/** Ethernet header and frame check sequence. */
const FRAMING = 18;

const functionsOf = {
  rump: {
    isr: { name: "isr", file: "platform/hw/intr.c", kind: "interrupt", tally: "interrupt" },
    legacyIrq: { name: "ixgbe_legacy_irq", file: "sys/dev/pci/ixgbe/ixgbe.c", kind: "driver" },
    rxeof: { name: "ixgbe_rxeof", file: "sys/dev/pci/ixgbe/ix_txrx.c", kind: "driver", a: "bytes" },
    handOver: { name: "if_percpuq_enqueue", file: "sys/net/if.c", kind: "driver" },
    unmask: { name: "ixgbe_enable_intr", file: "sys/dev/pci/ixgbe/ixgbe.c", kind: "driver" },
    start: { name: "ixgbe_mq_start", file: "sys/dev/pci/ixgbe/ix_txrx.c", kind: "driver" },
    xmit: { name: "ixgbe_xmit", file: "sys/dev/pci/ixgbe/ix_txrx.c", kind: "driver", a: "bytes" },
  },
  linux: {
    isr: { name: "ixgbe_msix_clean_rings", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c", kind: "interrupt", tally: "interrupt" },
    legacyIrq: { name: "ixgbe_poll", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c", kind: "driver" },
    rxeof: { name: "ixgbe_clean_rx_irq", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c", kind: "driver", a: "bytes" },
    handOver: { name: "napi_gro_receive", file: "net/core/dev.c", kind: "driver" },
    unmask: { name: "napi_complete_done", file: "net/core/dev.c", kind: "driver" },
    start: { name: "ixgbe_xmit_frame", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c", kind: "driver" },
    xmit: { name: "ixgbe_tx_map", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_main.c", kind: "driver", a: "bytes" },
  },
} as const satisfies Record<System, unknown>;

/**
 * The driver of an 82599 function, PF or VF alike: the same in the kernel, in a network server and in an application's own
 * domain. Sending is a call on the caller's thread that ends in a write to the tail register; receiving starts in an
 * interrupt, which the adapter masks, and leaves the work to the interrupt thread until the ring is empty.
 */
export class Ixgbe implements PlacedModel, NetworkInterface {
  readonly id: number;
  readonly component: number;
  private readonly fn;
  private readonly events;
  /** One thread and one interrupt line a queue pair, each on a vCPU of its own where there are enough. */
  private readonly threads: number[] = [];
  private readonly lines: number[] = [];
  private readonly vfStart: VfStart | undefined;
  private readonly nic: Nic;
  private readonly f: number;
  private upper!: FrameConsumer;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel, cpus } = machine;
    this.id = this.component = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = kernel.functions(functionsOf[domain.system]);
    this.events = kernel.functions({
      "TDT write": { kind: "device" },
      "transmit ring full": { kind: "drop" },
    });
    const { nic, f } = functionAt(machine.nics, spec.bind);
    this.nic = nic;
    this.f = f;
    const vcpus = cpus.vcpusOf(domain.id);
    const name = domain.system === "rump" ? "isrthr" : "ksoftirqd";
    const latency = machine.costs.latency(domain.virtual ? "interrupt to a vCPU" : "interrupt");
    // The adapter's, whoever drives it: they outlive the domain.
    const queues = kernel.store.within(undefined, () => nic.configure(f, domain.id, Math.min(Number(spec.options["queues"] ?? 1), vcpus.length)));
    for (let q = 0; q < queues; q++) {
      this.threads.push(q === 0 ? sharedThread(machine, domain, name, 0) : cpus.addThread(domain.id, `${name}-${q}`, q));
      this.lines.push(cpus.addLine(vcpus[q]!, this.id, Op.interrupt, q, latency));
    }
    this.vfStart = nic.isPhysical(f) ? undefined : new VfStart(machine, nic, f, this.id, this.threads[0]!, spec.path, domain.system, domain.mtu + FRAMING);
  }

  get mac(): number {
    return this.nic.macOf(this.f);
  }

  get offloads(): Offloads {
    return this.nic.model.offloads;
  }

  connect(): void {
    this.upper = consumerAbove(this.place);
  }

  start(): void {
    const { domain } = this.place;
    this.nic.open(this.f, domain.id, this.lines, domain.system === "rump" ? EITR : EITR_LINUX);
    this.vfStart?.start();
  }

  /** The hypervisor takes the function back and resets it. */
  reclaim(): void {
    this.nic.detach(this.f);
  }

  get resetTime(): number {
    return this.nic.model.resetTime;
  }

  spendTransmit(packet: number, bytes: number): void {
    const { cpus } = this.place.machine;
    const before = cpus.enter(this.id);
    cpus.spend(this.fn.start, packet);
    cpus.spend(this.fn.xmit, packet, bytes);
    cpus.spend(this.events["TDT write"], packet);
    cpus.enter(before);
  }

  transmit(packet: number): void {
    if (this.nic.post(this.f, packet)) return;
    const { kernel, cpus } = this.place.machine;
    kernel.mark(this.events["transmit ring full"], this.id, cpus.contextOf(this.threads[0]!), kernel.now, 0, packet);
  }

  begin(op: number, q: number): void {
    const { cpus, packets } = this.place.machine;
    if (op === Op.interrupt) {
      cpus.spend(this.fn.isr);
    } else if (op === Op.receive) {
      const packet = this.nic.peekReceived(this.f, q);
      cpus.spend(this.fn.legacyIrq, packet);
      cpus.spend(this.fn.rxeof, packet, packets.frameLength(packet));
      cpus.spend(this.fn.handOver, packet);
      this.upper.spendInput(packet);
    } else if (op === Op.unmask) {
      cpus.spend(this.fn.unmask);
    } else {
      this.vfStart!.begin(op);
    }
  }

  end(op: number, q: number): void {
    if (op >= VfStartOp.send) return this.vfStart!.end(op);
    if (op === Op.receive) {
      this.upper.input(this.nic.takeReceived(this.f, q));
    } else if (op === Op.unmask) {
      this.nic.unmask(this.f, q);
      return;
    }
    const more = this.nic.peekReceived(this.f, q) !== NONE;
    this.place.machine.cpus.post(this.threads[q]!, this.id, more ? Op.receive : Op.unmask, q);
  }

  fire(op: number): void {
    this.vfStart!.fire(op);
  }

  describe(): Scope[] {
    return this.nic.describe();
  }
}

/** The adapter and function number of a design path such as `server/nic0/vf1`. */
function functionAt(nics: ReadonlyMap<string, Nic>, path: string | undefined): { nic: Nic; f: number } {
  for (const [device, nic] of nics) {
    if (path?.startsWith(`${device}/`)) return { nic, f: nic.functionNamed(path) };
  }
  throw new Error(`There is no PCI function ${path ?? "(none)"}.`);
}
