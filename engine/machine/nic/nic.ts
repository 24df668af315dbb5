import type { VfPolicy } from "../../design/model";
import type { Scope } from "../../inspect";
import type { Kernel, Model } from "../../kernel/kernel";
import { Priority } from "../../kernel/queue";
import { Ring } from "../../kernel/ring";
import type { Link, LinkEnd } from "../../network/link";
import type { PacketLog } from "../../network/packets";
import type { CostProfile } from "../../profiles/profile";
import { NONE } from "../../trace/trace";
import type { Iommu } from "../iommu/iommu";
import { NOBODY } from "../memory";
import { NicOp, epochOfEvent, functionSchema, nicFunctions, rowOfEvent, type Adapter, type FunctionTable, type FunctionUnit, type QueueUnit, type Watch } from "./adapter";
import { describeNic } from "./describe";
import { Filters } from "./filters";
import { FunctionUse } from "./functionUse";
import { Mailbox, defaultVfPolicy } from "./mailbox";
import type { NicModel, RingSizes } from "./model";
import { PcieLink } from "./pcie";
import { allocateQueues, buildQueues, pointQueues, queueRegisters, type QueueMemory, type QueueRegisters } from "./queuePairs";
import { ReceiveQueues } from "./receiveQueues";
import { Rss } from "./rss";
import { SrIov } from "./sriov";
import { Switch } from "./switch";
import { TransmitQueues } from "./transmitQueues";
import { Vectors, type InterruptController } from "./vectors";

/** Ethernet header and frame check sequence, which a largest frame counts beyond the MTU. */
const FRAMING = 18;
/** A function has no more queue pairs than this power of two: as many as RSS spreads over. */
const QUEUE_BITS = 4;

/** How a design wants an adapter set up. */
export interface NicSetup {
  readonly model: NicModel;
  /** Routing id of the physical function. */
  readonly routingId: number;
  /** Largest IP datagram of the port. */
  readonly mtu: number;
  readonly vfs: number;
  /** Whether a driver asks for more than one queue pair. */
  readonly multiqueue: boolean;
  /** Whether the hierarchy above forwards alternative routing ids; without it, it does. */
  readonly ari?: boolean;
  /** What the PF's driver grants to each VF; without one, {@link defaultVfPolicy}. */
  readonly policies?: readonly VfPolicy[];
  /** How much longer an access to a domain's memory takes than to memory beside the adapter, picoseconds; without it, all is near. */
  readonly distance?: (domain: number) => number;
}

/**
 * A network adapter with one port: a physical function and virtual functions (SR-IOV), each with a pool of queues of its
 * own. Frames are read and written by DMA; an internal switch sorts them by filters, so that frames between functions never
 * reach the wire. The parts are in files of their own; this is how they are joined.
 */
export class Nic implements Model, LinkEnd, Adapter {
  readonly id: number;
  readonly functions: FunctionUnit[] = [];
  readonly queues: QueueUnit[] = [];
  readonly state: FunctionTable;
  readonly model: NicModel;
  readonly fn;
  readonly pcie: PcieLink;
  readonly sriov: SrIov;
  readonly filters: Filters;
  readonly rss: Rss;
  readonly mailbox: Mailbox;
  readonly transmitQueues: TransmitQueues;
  readonly receiveQueues: ReceiveQueues;
  readonly vectors: Vectors;
  readonly use: FunctionUse;
  /** See {@link rowOf}. */
  private readonly rows: Int32Array;
  /** Who looks at frames that leave for the wire. */
  readonly sentToWire: ((packet: number) => void)[] = [];
  private readonly switch: Switch;
  private readonly registers: QueueRegisters;
  private readonly port;
  /** Frames on the chip that wait for the wire. */
  private readonly outbound: Ring;
  private link: { readonly wire: Link; readonly end: number } | undefined = undefined;

  constructor(
    readonly kernel: Kernel, readonly packets: PacketLog, interrupts: InterruptController, readonly iommu: Iommu, costs: CostProfile,
    readonly path: string, private readonly host: string, private readonly setup: NicSetup,
  ) {
    const { store } = kernel;
    const { model } = setup;
    this.model = model;
    this.id = kernel.component(path, "nic", host, undefined, this);
    this.fn = kernel.functions(nicFunctions);
    this.state = store.table(`functions of ${path}`, functionSchema);
    this.use = new FunctionUse(store, path);
    this.registers = queueRegisters(store, path);
    this.port = store.table(`port of ${path}`, { busy: "u8", maxFrame: "u32" }, 1);
    this.port.alloc();
    this.port.maxFrame[0] = setup.mtu + FRAMING;
    this.outbound = new Ring(store, `frames for the wire of ${path}`, 4096);
    this.pcie = new PcieLink(kernel, costs, path, model.pcie);
    this.sriov = new SrIov(store, path, model, setup.routingId, setup.multiqueue);
    this.sriov.setAri(setup.ari ?? true);
    if (setup.vfs > 0 && !(this.sriov.setVfs(setup.vfs) && this.sriov.enable(true))) throw new Error(`${path} cannot have ${setup.vfs} VFs.`);
    this.rows = new Int32Array((1 + this.sriov.vfs) << QUEUE_BITS);
    this.filters = new Filters(store, path, packets, model.filters);
    this.rss = new Rss(store, path, packets, model.redirection.entries, model.redirection.queues);
    this.transmitQueues = new TransmitQueues(this, path, (queue, packet, bytes) => this.read(queue, packet, bytes), (q) => this.vectors.arm(q));
    this.receiveQueues = new ReceiveQueues(this, path, (q) => this.vectors.arm(q));
    this.vectors = new Vectors(this, path, interrupts, (q) => this.transmitQueues.writeBack(q));
    this.switch = new Switch(this, this.filters, this.rss, this.receiveQueues, this.sriov, setup.policies?.some(({ vlan }) => vlan !== 0) === true);
    this.mailbox = new Mailbox(this, path, this.filters, (f) => setup.policies?.[f - 1] ?? defaultVfPolicy, () => costs.of(this.mailbox.served, 0), (q) => this.transmitQueues.enabled(q));
  }

  attach(link: Link): void {
    this.link = { wire: link, end: link.attach(this) };
  }

  /** Adds a function: the PF first, then the VFs in order. */
  addFunction(path: string, mac: number): number {
    const { kernel } = this;
    const f = this.state.alloc();
    this.state.owner[f] = NOBODY;
    this.state.maxFrame[f] = this.port.maxFrame[0]!;
    this.filters.addPool();
    this.mailbox.add();
    this.functions.push({
      path, index: f, mac, queues: [], pool: f === 0 ? this.sriov.vfs : f - 1,
      iommu: this.iommu.addFunction(path, f === 0 ? this.sriov.pf : this.sriov.routingIdOf(f - 1)),
      component: kernel.component(path, "function", this.host, undefined, this),
      context: kernel.context("device", path, this.host, undefined),
    });
    return f;
  }

  /** Builds queue pairs for a function; see {@link buildQueues}. They are the adapter's, whoever drives it. @returns how many */
  addQueues(f: number, wanted: number): number {
    const count = this.kernel.store.within(undefined, () => buildQueues(this, this.registers, this.queues, f, wanted));
    this.functions[f]!.queues.forEach(({ row }, q) => (this.rows[(f << QUEUE_BITS) | q] = row));
    return count;
  }

  /** Sets memory of a domain aside for queue pairs of its driver. */
  allocate(domain: number, queues: number, sizes: RingSizes = { transmit: this.model.ring, receive: this.model.ring }): QueueMemory[] {
    return allocateQueues(this, domain, queues, this.port.maxFrame[0]!, sizes);
  }

  /** The driver of a function says where its rings and buffers are. */
  point(f: number, memory: readonly QueueMemory[]): void {
    pointQueues(this, this.registers, this.functions[f]!.queues, memory);
  }

  /** Builds queue pairs for a function with memory of the domain that drives it. @returns how many */
  configure(f: number, domain: number, wanted: number): number {
    const queues = this.addQueues(f, wanted);
    this.point(f, this.allocate(domain, queues));
    return queues;
  }

  /** @throws Error if the adapter has no such function */
  functionNamed(path: string): number {
    const f = this.functions.findIndex((entry) => entry.path === path);
    if (f < 0) throw new Error(`There is no PCI function ${path}.`);
    return f;
  }

  /** The address that a function's frames carry: as set through the mailbox, or its own. */
  macOf(f: number): number {
    const { pool, mac } = this.functions[f]!;
    const set = this.filters.addressOf(pool);
    return set < 0 ? mac : set;
  }

  /** The VLAN that the PF's driver has put a function into, whose driver sees no tags, or 0. */
  portVlanOf(f: number): number {
    return this.filters.portVlanOf(this.functions[f]!.pool);
  }

  distance({ pool }: FunctionUnit): number {
    const { distance } = this.setup;
    if (distance === undefined) return 0;
    const owner = this.state.owner[pool === this.sriov.vfs ? 0 : pool + 1]!;
    return owner === NOBODY ? 0 : distance(owner);
  }

  componentOf(f: number): number {
    return this.functions[f]!.component;
  }

  isPhysical(f: number): boolean {
    return f === 0;
  }

  // --- What a hypervisor and a driver do ----------------------------------------------------------------------------

  /** Gives the function to a domain, which may drive it from now on. @throws Error if it is another domain's */
  assign(f: number, domain: number): void {
    this.iommu.assign(this.functions[f]!.iommu, domain);
    this.hand(f, domain);
  }

  /** Whether the function is nobody's, and answers: it can be assigned. */
  isFree(f: number): boolean {
    return this.state.owner[f] === NOBODY && this.state.resetting[f] === 0;
  }

  /**
   * Assigns the function to a domain and opens its queues. A PF works at once; a VF sends and receives when its driver has
   * been through the mailbox.
   * @param lines interrupt lines, one a queue pair
   * @param eitr register value, see {@link Vectors.throttle}; −1: the driver polls, and gets no interrupts
   * @throws Error if the function is another domain's
   */
  open(f: number, domain: number, lines: readonly number[], eitr: number): void {
    const { pool, mac, queues } = this.functions[f]!;
    this.assign(f, domain);
    queues.forEach(({ row }, q) => {
      this.iommu.route(this.vectors.state.index[row]!, lines[q] ?? NONE);
      if (eitr < 0) this.vectors.poll(row, lines[q] ?? NONE);
      else this.vectors.throttle(row, eitr);
      this.receiveQueues.open(row);
    });
    if (!this.isPhysical(f)) return;
    this.filters.addAddress(mac, pool);
    this.filters.setBroadcast(pool, true);
    this.state.receive[f] = this.state.transmit[f] = 1;
  }

  /** Whether the function sends and receives. */
  isUp(f: number): boolean {
    return this.state.transmit[f] === 1 && this.state.receive[f] === 1;
  }

  /**
   * Function-level reset: queues, filters, mailbox and vectors of this function and of no other; what was in its rings is
   * lost. It answers again after the device's reset time, or when another ends that has begun before, where that is later. What the PF's own driver
   * resets is more: {@link Mailbox.portReset}.
   *
   * For the PF this is less than what PCI Express calls by the name: there, it clears VF Enable with the rest of the SR-IOV capability, and all VFs
   * vanish (SR-IOV 1.1, section 2.2.3). A system whose applications are to outlive the server that drives the PF (LibrettOS 1, 3.3) cannot do
   * that to it, so that the hypervisor here resets what the PF's driver had, and leaves the VFs as that had set them up. The
   * driver that boots in that domain again takes the port over as it is.
   * @param time picoseconds until then
   */
  reset(f: number, time = this.model.resetTime): void {
    const { kernel, fn, state } = this;
    const unit = this.functions[f]!;
    kernel.mark(fn["function-level reset"], unit.component, unit.context, kernel.now, 0, NONE, unit.pool);
    this.state.receive[f] = this.state.transmit[f] = 0;
    for (const queue of unit.queues) {
      const lost = (packet: number): void => this.lose(queue, packet);
      this.transmitQueues.reset(queue.row, lost);
      this.receiveQueues.reset(queue.row, lost);
      this.vectors.reset(queue.row);
    }
    this.filters.clearPool(unit.pool);
    this.mailbox.clear(f);
    // During another reset: it is ready once, when both have ended.
    const isDuring = state.resetting[f] === 1;
    if (isDuring && state.readyAt[f]! >= kernel.now + time) return;
    if (isDuring) kernel.cancel(state.ready[f]!);
    state.resetting[f] = 1;
    state.readyAt[f] = kernel.now + time;
    state.ready[f] = kernel.schedule(time, Priority.hardware, this.id, NicOp.resetDone, f);
  }

  /** Takes the function from its domain: reset, and nothing of the domain stays mapped. */
  detach(f: number): void {
    this.reset(f);
    this.iommu.release(this.functions[f]!.iommu);
    this.hand(f, NOBODY);
  }

  private hand(f: number, domain: number): void {
    if (this.state.owner[f] !== domain) this.use.changed(f, domain, this.kernel.now);
    this.state.owner[f] = domain;
  }

  /**
   * Puts a frame on a transmit ring and rings the doorbell.
   * @param q the function's queue pair
   * @param address of the data in I/O virtual memory, where it is not in the ring's own buffers: what a malicious driver can say
   * @param watch whether the driver wants to know when the frame has been read: {@link TransmitQueues.sentCount}
   * @returns false when no descriptor is free
   */
  post(f: number, q: number, packet: number, address?: number, watch?: Watch): boolean {
    return this.transmitQueues.post(this.rowOf(f, q), packet, address, watch);
  }

  /** The row of a function's queue pair in the tables of queues and vectors. */
  rowOf(f: number, q: number): number {
    return this.rows[(f << QUEUE_BITS) | q]!;
  }

  /** Programs the least time between two interrupts of a queue. @param eitr register value, see {@link Vectors.throttle} */
  throttle(f: number, q: number, eitr: number): void {
    this.vectors.throttle(this.rowOf(f, q), eitr);
  }

  /** The oldest received frame of a queue of the function, or −1; it stays. */
  peekReceived(f: number, q: number): number {
    return this.receiveQueues.peek(this.rowOf(f, q));
  }

  /** Takes the oldest received frame. */
  takeReceived(f: number, q: number): number {
    this.state.received[f]!++;
    return this.receiveQueues.take(this.rowOf(f, q));
  }

  /** The driver has emptied the ring: fresh buffers, and interrupts again, at once if a frame has come in between. */
  unmask(f: number, q: number): void {
    const row = this.rowOf(f, q);
    this.receiveQueues.giveBack(row);
    this.vectors.unmask(row);
    if (this.receiveQueues.peek(row) !== NONE || this.transmitQueues.hasNews(row) || this.transmitQueues.hasAwaitedRoom(row)) this.vectors.arm(row);
  }

  // --- LinkEnd ------------------------------------------------------------------------------------------------------

  transmitted(packet: number): void {
    for (const saw of this.sentToWire) saw(packet);
    this.port.busy[0] = 0;
    this.outbound.shift();
    this.transmitQueues.leave(packet);
    this.transmitQueues.pump();
    this.feedWire();
  }

  received(packet: number): void {
    this.switch.fromWire(packet);
  }

  /** A frame of a function is on the chip. @param bytes that were read: the switch may add a VLAN tag */
  private read(queue: QueueUnit, packet: number, bytes: number): void {
    if (this.state.transmit[queue.unit.index] === 0) {
      // The port was reset while the frame was read.
      this.lose(queue, packet);
      return this.transmitQueues.leave(packet);
    }
    const leaves = this.switch.fromFunction(queue.unit, packet);
    this.transmitQueues.grow(this.packets.frameLength(packet) - bytes);
    if (leaves) {
      this.outbound.push(packet);
      this.feedWire();
    } else {
      this.transmitQueues.leave(packet);
    }
  }

  private feedWire(): void {
    if (this.port.busy[0] === 1 || this.link === undefined) return;
    const packet = this.outbound.peek();
    if (packet === NONE) return;
    this.port.busy[0] = 1;
    this.link.wire.send(this.link.end, packet);
  }

  // --- Events -------------------------------------------------------------------------------------------------------

  fire(op: number, a: number, packet: number): void {
    if (op === NicOp.mailbox) return this.mailbox.serveByToolstack(a);
    if (op === NicOp.resetDone) return this.resetDone(a);
    const q = rowOfEvent(a);
    const { transmitQueues: tx, receiveQueues: rx, vectors } = this;
    const side = op === NicOp.interrupt ? vectors : op <= NicOp.transmitWritten || op === NicOp.segmentFetched ? tx : rx;
    if (side.state.epoch[q] !== epochOfEvent(a)) return this.lateFor(q, op, packet);
    if (op === NicOp.transmitDescriptors) tx.descriptorsFetched(q);
    else if (op === NicOp.fetched) tx.fetched(q, packet);
    else if (op === NicOp.segmentFetched) tx.segmentFetched(q, packet);
    else if (op === NicOp.transmitWritten) tx.written(q);
    else if (op === NicOp.receiveDescriptors) rx.descriptorsFetched(q);
    else if (op === NicOp.stored) rx.stored(q, packet);
    else if (op === NicOp.receiveWritten) rx.written(q);
    else if (op === NicOp.receiveTail) rx.opened(q);
    else vectors.fire(q);
  }

  /** A transfer ends whose queue was reset while it was under way. */
  private lateFor(q: number, op: number, packet: number): void {
    const read = op === NicOp.fetched || op === NicOp.segmentFetched;
    this.lose(this.queues[q]!, read || op === NicOp.stored ? packet : NONE);
    if (read) this.transmitQueues.discard(packet);
    else if (op === NicOp.stored) this.receiveQueues.discard(packet);
    this.transmitQueues.pump();
  }

  private lose({ unit, number }: QueueUnit, packet: number): void {
    this.kernel.mark(this.fn["lost in a reset"], unit.component, unit.context, this.kernel.now, 0, packet, number);
  }

  private resetDone(f: number): void {
    const { component, context, pool } = this.functions[f]!;
    this.state.resetting[f] = 0;
    this.kernel.mark(this.fn["function ready"], component, context, this.kernel.now, 0, NONE, pool);
  }

  describe(): Scope[] {
    return describeNic(this);
  }
}
