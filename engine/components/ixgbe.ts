import { componentType } from "../design/catalogue/components";
import type { Scope } from "../inspect";
import { parseMac } from "../network/addresses";
import { sharedThread, type PlacedModel, type Placement, type System } from "../machine/machine";
import type { Offloads } from "../machine/nic/model";
import type { Nic } from "../machine/nic/nic";
import { NONE } from "../trace/trace";
import { consumerAbove } from "./above";
import { InterruptMessages } from "./across";
import type { FrameConsumer, NetworkInterface } from "./interface";
import type { QueueMemory } from "../machine/nic/queuePairs";
import { isUnassigned } from "../design/switchable";
import { functionsAt } from "./boundFunctions";
import { InterfaceSetup, SetupOp } from "./interfaceSetup";
import { InterruptModeration } from "./interruptModeration";
import { nicDrivers, ringsOf, type DriverFunction } from "./nicDrivers";
import { NicTransmit, TransmitOp } from "./nicTransmit";
import { PfMailbox, PfMailboxOp } from "./pfMailbox";
import { VfStart, VfStartOp } from "./ixgbevf";
import { VfLink, VfLinkOp } from "./vfLink";
import { ReceiveOffload } from "./receiveOffload";
import { softInterrupt } from "./softInterrupts";
import { StackLocks, StackPart } from "./stackLocks";

const Op = { interrupt: 0, receive: 1, unmask: 2, passOn: 3 } as const;
/**
 * Checksums, TSO and LRO where the design says nothing. Linux has the adapter compute checksums and cut segments, and joins received ones in software (GRO);
 * NetBSD's drivers of PFs and VFs can as much (`if_capabilities`) and have everything off until `ifconfig` says otherwise (`ixgbe.c`, `ixv.c`: `if_capenable = 0`,
 * "Don't enable LRO by default"). Neither rumprun nor LibrettOS says so (`netconfig.c`, librettos-network).
 */
const offloadsByDefault: Readonly<Record<System, boolean>> = { rump: false, linux: true };
/** Ethernet header and frame check sequence. */
const FRAMING = 18;
/** Frames of a batch where the vCPU polls: DPDK's usual burst; IX bounds its batches at 64. */
const BATCH = 32;

/**
 * The driver of an adapter's function, PF or VF alike: the same in the kernel, in a network server and in an application's own
 * domain; what one driver calls its functions, and asks a PF for, is in `nicDrivers`. Sending is `nicTransmit`'s; receiving starts in an
 * interrupt, which the adapter masks, and leaves the work to the interrupt thread until the ring is empty. On vCPUs that poll,
 * there are no interrupts: a poll finds frames, and after each batch what it leads to comes first.
 */
export class Ixgbe implements PlacedModel, NetworkInterface {
  readonly id: number;
  readonly component: number;
  private readonly fn: Readonly<Record<DriverFunction, number>>;
  private readonly events;
  private readonly kernel;
  private readonly cpus;
  private readonly packets;
  /** One thread and one interrupt line a queue pair, each on a vCPU of its own where there are enough. */
  readonly threads: number[] = [];
  private readonly lines: number[] = [];
  /** By queue: frames of the present batch. */
  private readonly batch;
  private readonly polled: boolean;
  readonly xps: boolean;
  private readonly vfStart: VfStart;
  private readonly setup: InterfaceSetup;
  /** Where it drives a PF that has VFs. */
  private readonly mailbox: PfMailbox | undefined;
  /** Where it drives a VF whose PF another component drives. */
  private readonly vfLink: VfLink | undefined;
  private readonly moderation: InterruptModeration;
  private readonly sending: NicTransmit;
  readonly nic: Nic;
  /** Functions that it may drive: one, or those of the device that nobody binds. */
  readonly candidates: readonly number[];
  private readonly memory: readonly QueueMemory[];
  /**
   * Which of them it drives, or −1, and whether its interface is up (IFF_RUNNING): it takes no frames before, neither to send nor from its queues. `lost`: of a VF
   * whose interface is to be up and that the PF's driver does not let send.
   */
  private readonly state;
  /** Whether its interface comes up with the domain. */
  private readonly isUpAtStart: boolean;
  /** Where it is a process: its way to interrupts. */
  private readonly messages: InterruptMessages | undefined;
  readonly offloads: Offloads;
  private readonly receiveOffload: ReceiveOffload | undefined = undefined;
  /** VLAN of the interface above it, whose frames are tagged; 0: none. And the address that it is to have, where that is not the function's. */
  readonly vlan: number;
  /** A frame in no VLAN; those of other VLANs the adapter does not let through. */
  private readonly untagged: number;
  private readonly ownMac: number | undefined;
  private readonly locks: StackLocks;
  private upper!: FrameConsumer;
  /** Told when the interface is up or down, or (`false`) does not come up: who switches the uplink. */
  onSetup: (ok: boolean) => void = () => {};

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel, cpus } = machine;
    this.kernel = kernel;
    this.cpus = cpus;
    this.packets = machine.packets;
    const driver = nicDrivers[spec.type]!;
    this.vlan = Number(spec.options["vlan"] ?? 0);
    this.untagged = this.vlan === 0 ? NONE : kernel.functions({ "no VLAN interface": { kind: "drop" } })["no VLAN interface"];
    this.ownMac = parseMac(String(spec.options["mac"] ?? ""));
    this.id = this.component = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = kernel.functions(driver.functions[domain.system]);
    this.events = kernel.functions({
      rte_eth_rx_burst: { file: "lib/ethdev/rte_ethdev.h", kind: "driver" },
    });
    const { nic, functions, pfIsDriven } = functionsAt(machine, spec.bind);
    this.nic = nic;
    this.xps = driver.xps && nic.sriov.vfs === 0;
    this.candidates = functions;
    this.state = kernel.store.table(`driver ${spec.path}`, { function: "i32", up: "u8", lost: "u8" }, 1);
    this.state.alloc();
    this.state.function[0] = isUnassigned(spec) ? NONE : functions[0]!;
    this.isUpAtStart = domain.switchable?.drivers.includes(spec) !== true || domain.activeUplink === spec.path;
    const vcpus = cpus.vcpusOf(domain.id);
    this.polled = cpus.polls(domain.id);
    this.batch = kernel.store.table(`batches of ${spec.path}`, { frames: "u16" });
    const threadName = domain.kernel !== undefined ? "driver" : domain.system === "rump" ? "isrthr" : "ksoftirqd";
    this.messages = domain.kernel === undefined ? undefined : new InterruptMessages(machine, this.id, domain.id);
    const latency = machine.costs.latency(domain.virtual ? "interrupt to a vCPU" : "interrupt");
    const wanted = Math.min(Number(spec.options["queues"] ?? 1), vcpus.length);
    const queues = functions.reduce((least, f) => Math.min(least, nic.addQueues(f, wanted)), wanted);
    this.memory = nic.allocate(domain.id, queues, ringsOf(driver, domain.system, nic.isPhysical(functions[0]!), this.polled));
    for (let q = 0; q < queues; q++) {
      const inKernel = domain.kernel === undefined;
      this.threads.push(inKernel ? softInterrupt(machine, domain, threadName, q) : q === 0 ? sharedThread(machine, domain, threadName) : cpus.addThread(domain.id, `${threadName}-${q}`, q));
      this.lines.push(cpus.addLine(vcpus[q]!, this.id, Op.interrupt, q, latency, "device"));
      this.batch.alloc();
    }
    const byDefault = offloadsByDefault[domain.system];
    const { checksum: wantsChecksum = byDefault, tso = byDefault, lro: wantsLro = byDefault } = spec.options as { readonly checksum?: boolean; readonly tso?: boolean; readonly lro?: boolean };
    const lro = wantsLro && !domain.components.some(({ type }) => componentType(type)?.forwards === true);
    const { checksum, segmentation } = nic.model.offloads;
    this.offloads = { checksum: checksum && wantsChecksum, segmentation: tso ? segmentation : 0, receiveCoalescing: lro };
    if (lro) this.receiveOffload = new ReceiveOffload(kernel.store, machine.packets, spec.path, queues);
    cpus.ipc.serve(this.id, this.threads[0]!);
    this.locks = new StackLocks(machine, domain);
    // Linux adapts by itself; NetBSD can (`hw.ixgbe.enable_aim`), and does not in LibrettOS.
    const system = domain.system === "linux" ? "linux" : "netbsd";
    const { moderation = system === "linux" ? "adaptive" : "static" } = spec.options;
    this.moderation = new InterruptModeration(kernel.store, spec.path, queues, moderation === "adaptive" ? driver.adaptive[domain.system] : "static", system);
    this.sending = new NicTransmit(place, this, this.fn, this.moderation, this.polled);
    this.vfStart = new VfStart(machine, nic, this.id, spec.path, driver, domain.system, domain.mtu + FRAMING, { mac: this.ownMac, vlan: this.vlan }, {
      afterReset: () => this.setup.afterReset(),
      ended: (up) => {
        if (up) this.throughMailbox();
        else if (!this.setup.isAwaited) this.state.lost[0] = 1;
        this.setup.vfEnded(up);
      },
    });
    this.mailbox = !nic.isPhysical(functions[0]!) || nic.sriov.vfs === 0 ? undefined : new PfMailbox(
      machine, nic, { component: this.id, isUp: () => this.state.up[0] === 1, spendInterrupt: () => this.spendInterrupt() }, driver, this.threads[0]!, vcpus[0]!, latency,
    );
    this.vfLink = nic.isPhysical(functions[0]!) || !pfIsDriven ? undefined : new VfLink(machine, nic, this, driver, domain.system, this.threads[0]!, vcpus[0]!, latency);
    this.setup = new InterfaceSetup(machine, nic, this.id, spec.path, driver, this.mailbox, () => this.freeRings(), (f) => this.open(f), this.vfStart, (ok) => this.onSetup(ok));
  }

  /** The function that it drives, or −1. */
  get f(): number {
    return this.state.function[0]!;
  }

  get isUp(): boolean {
    return this.state.up[0] === 1;
  }

  /** Whether it has a function of its device only for a time. */
  get isLent(): boolean {
    return this.f !== NONE && isUnassigned(this.place.spec);
  }

  get mac(): number {
    return this.nic.macOf(this.f);
  }

  connect(): void {
    this.upper = consumerAbove(this.place);
    this.sending.connect(this.upper);
  }

  start(): void {
    const { nic, f } = this;
    if (f === NONE) return;
    if (!this.isUpAtStart) return nic.assign(f, this.place.domain.id);
    this.open(f);
    if (!nic.isPhysical(f)) this.vfStart.start(f, this.threads[0]!);
  }

  private open(f: number): void {
    const { domain } = this.place;
    this.sending.up();
    this.nic.point(f, this.memory);
    this.nic.open(f, domain.id, this.lines, this.polled ? -1 : this.moderation.initial);
    if (this.nic.isPhysical(f)) {
      const { pool } = this.nic.functions[f]!;
      if (this.ownMac !== undefined) this.nic.filters.setAddress(this.ownMac, pool);
      if (this.vlan !== 0) this.nic.filters.addVlan(this.vlan, pool);
      this.state.up[0] = 1;
    }
    this.mailbox?.look();
  }

  /** A VF sends and receives from now on; what has come since the PF's driver let it is found (`ixv_init_locked` enables interrupts last). */
  private throughMailbox(): void {
    this.state.up[0] = 1;
    this.state.lost[0] = 0;
    for (let q = 0; q < this.threads.length; q++) this.nic.unmask(this.f, q);
  }

  private freeRings(): void {
    this.state.up[0] = 0;
    this.sending.freeRings();
  }

  hears(): boolean {
    return !this.setup.isRunning && (this.state.up[0] === 1 || this.state.lost[0] === 1);
  }

  linkLost(): void {
    this.state.up[0] = 0;
    this.state.lost[0] = 1;
    this.sending.down();
  }

  initialize(): void {
    this.setup.again(this.f, this.threads[0]!);
  }

  spendInterrupt(): void {
    const { cpus } = this;
    if (this.messages === undefined) cpus.spend(this.polled ? this.events.rte_eth_rx_burst : this.fn.isr);
    else this.messages.spendNotification();
  }

  /** The toolstack gives it a function of its device, which nobody has. */
  give(f: number): void {
    this.nic.assign(f, this.place.domain.id);
    this.state.function[0] = f;
  }

  /** Its interface comes up, as jobs of a thread; `onSetup` follows. @param attach the function has just been given to it */
  up(thread: number, attach: boolean): void {
    this.setup.up(this.f, thread, attach);
  }

  /** Its interface goes down; `onSetup` follows. */
  down(thread: number): void {
    this.state.up[0] = this.state.lost[0] = 0;
    this.sending.down();
    this.setup.down(this.f, thread);
  }

  /** The hypervisor takes the function back and resets it. */
  reclaim(): void {
    if (this.f === NONE) return;
    this.nic.detach(this.f);
    if (isUnassigned(this.place.spec)) this.state.function[0] = NONE;
  }

  get resetTime(): number {
    return this.nic.model.resetTime;
  }

  promiscuous(): void {
    this.nic.filters.setPromiscuous(this.nic.functions[this.f]!.pool, true);
  }

  spendTransmit(packet: number, bytes: number, like = NONE): void {
    this.sending.spend(packet, bytes, like);
  }

  isFull(packet: number): boolean {
    return this.sending.isFull(packet);
  }

  hasten(): void {
    this.sending.hasten();
  }

  transmit(packet: number): void {
    this.sending.transmit(packet);
  }

  get tellsOfSent(): boolean {
    return this.upper.freed !== undefined;
  }

  /** What a malicious driver does: a descriptor whose data is anywhere, whether or not the interface is up. @returns false where it has no function, or no descriptor is free */
  postAt(packet: number, address?: number): boolean {
    return this.f !== NONE && this.nic.post(this.f, this.sending.queueOf(packet), packet, address);
  }

  begin(op: number, q: number): void {
    const { cpus, packets } = this;
    this.locks.under(StackPart.driver);
    if (op === Op.interrupt) {
      this.spendInterrupt();
    } else if (op === Op.receive) {
      const packet = this.peek(q);
      cpus.spend(this.fn.legacyIrq, packet);
      if (packet === NONE) return;
      cpus.spend(this.fn.rxeof, packet, packets.frameLength(packet));
      cpus.spend(this.fn.handOver, packet);
      if (!this.hasInterfaceFor(packet)) return;
      if (this.receiveOffload?.passes(q, packet) !== false) this.upper.spendInput(packet);
    } else if (op === Op.unmask) {
      cpus.spend(this.fn.unmask);
      this.messages?.spendUnmasking();
    } else if (op === TransmitOp.clean || op === TransmitOp.run) {
      this.sending.begin(op, q);
    } else if (op === Op.passOn) {
      cpus.spend(this.fn.passOn, q, packets.payloadLength(q));
      this.upper.spendInput(q);
    } else if (op === PfMailboxOp.raised || op === PfMailboxOp.serve) {
      this.mailbox?.begin(op, q);
    } else {
      this.driverOf(op)?.begin(op);
    }
  }

  /** The oldest received frame, or −1: also where a reset has emptied the ring meanwhile. */
  private peek(q: number): number {
    return this.state.up[0] === 1 ? this.nic.peekReceived(this.f, q) : NONE;
  }

  private driverOf(op: number): InterfaceSetup | VfStart | VfLink | undefined {
    return op >= SetupOp.step ? this.setup : op >= VfStartOp.send ? this.vfStart : this.vfLink;
  }

  end(op: number, q: number): void {
    if (op >= VfLinkOp.raised) return this.driverOf(op)?.end(op);
    if (op === PfMailboxOp.raised || op === PfMailboxOp.serve) return this.mailbox?.end(op, q);
    if (op === Op.passOn) return this.upper.input(q);
    if (op === TransmitOp.clean || op === TransmitOp.run) return this.sending.end(op, q);
    if (op === Op.receive) {
      if (this.peek(q) !== NONE) {
        const packet = this.nic.takeReceived(this.f, q);
        this.moderation.countReceived(q, this.packets.frameLength(packet));
        this.take(q, packet);
      }
    } else if (op === Op.unmask) {
      if (this.state.up[0] !== 1) return;
      const eitr = this.moderation.next(q);
      if (eitr >= 0) this.nic.throttle(this.f, q, eitr);
      this.nic.unmask(this.f, q);
      return;
    }
    const { cpus } = this;
    if (op === Op.interrupt) this.sending.interrupted(q);
    const more = this.peek(q) !== NONE;
    if (!more && this.receiveOffload?.holds(q) === true) this.receiveOffload.flush(q);
    this.passOn(q);
    if (this.polled) return this.goOnPolling(op, q, more);
    cpus.post(this.threads[q]!, this.id, more ? Op.receive : Op.unmask, q);
  }

  /** The next frame of the batch; after the last, what the batch has led to. */
  private goOnPolling(op: number, q: number, more: boolean): void {
    const { cpus } = this;
    const { frames } = this.batch;
    frames[q] = op === Op.interrupt ? 0 : frames[q]! + 1;
    if (!more) {
      if (this.state.up[0] === 1) this.nic.unmask(this.f, q);
      return;
    }
    cpus.post(this.threads[q]!, this.id, Op.receive, q);
    if (frames[q]! < BATCH) return;
    frames[q] = 0;
    cpus.yield();
  }

  /** Whether what is above is in the frame's VLAN. Of a function with a port VLAN the adapter hides the tag, and lets no other through. */
  private hasInterfaceFor(packet: number): boolean {
    return this.vlan === 0 || this.packets.vlan(packet) === this.vlan;
  }

  /** Hands a frame to what is above, or holds it for those that may follow. */
  private take(q: number, packet: number): void {
    const { receiveOffload } = this;
    if (!this.hasInterfaceFor(packet)) {
      const { kernel, cpus } = this;
      return kernel.mark(this.untagged, this.id, cpus.contextOf(this.threads[q]!), kernel.now, 0, packet);
    }
    if (receiveOffload === undefined || receiveOffload.passes(q, packet)) return this.upper.input(packet);
    receiveOffload.take(q, packet);
  }

  /** Calls come last first: what a frame has set free, and what goes on because the ring is empty, are called together. */
  private passOn(q: number): void {
    if (this.receiveOffload === undefined) return;
    const { passed } = this.receiveOffload;
    while (passed.length > 0) this.cpus.call(this.threads[q]!, this.id, Op.passOn, passed.pop()!);
  }

  fire(op: number): void {
    this.vfStart.fire(op);
  }

  describe(): Scope[] {
    const [adapter, ...others] = this.nic.describe();
    return [{ ...adapter!, variables: [...this.sending.describe(), ...adapter!.variables] }, ...others];
  }
}
