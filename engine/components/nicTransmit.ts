import type { Variable } from "../inspect";
import type { FrameLoans } from "../machine/frameLoans";
import type { Placement } from "../machine/machine";
import { Watch } from "../machine/nic/adapter";
import type { Nic } from "../machine/nic/nic";
import { NONE } from "../trace/trace";
import type { FrameConsumer, SendError } from "./interface";
import type { InterruptModeration } from "./interruptModeration";
import type { DriverFunction } from "./nicDrivers";
import { QueueingDiscipline, WAKE } from "./queueingDiscipline";

/** Ops of the driver that are about sending. */
export const TransmitOp = { clean: 4, run: 5 } as const;

/** A multiplier after which the upper bits depend on all lower ones (`GOLDEN_RATIO_32`, include/linux/hash.h). */
const GOLDEN_RATIO = 0x61c88647;

/** What sending needs of the driver that it is a part of. */
export interface SendingDriver {
  readonly component: number;
  readonly nic: Nic;
  /** The function that it drives, or −1. */
  readonly f: number;
  readonly isUp: boolean;
  /** Of each queue, the one that interrupts leave their work to. */
  readonly threads: readonly number[];
  /** VLAN of the interface above it; 0: none. */
  readonly vlan: number;
  /** Whether Linux has each CPU send on the queue of its own number, as far as there are so many: not where the PF has VFs (`ixgbe_alloc_q_vector`). */
  readonly xps: boolean;
}

/**
 * The sending half of an adapter's driver: a call on the sender's thread that ends in a write to the tail register. A frame for which the ring has no room
 * waits in Linux' queueing discipline. NetBSD's driver frees it, and its caller hears nothing: `ixgbe_mq_start` returns 0 whatever becomes of the frame
 * (sys/dev/pci/ixgbe/ix_txrx.c), and so it is where the driver polls.
 *
 * Of several queues a frame goes to one by the CPU that sends it: `ixgbe_mq_start` takes the CPU's number modulo the queues; where the driver polls, each core has a
 * queue of its own (DPDK, Programmer's Guide, Poll Mode Driver; IX, OSDI 2014). Linux (`__netdev_pick_tx`, net/core/dev.c) has a connection keep to the queue on
 * which it has frames. Else it is the CPU's own (XPS): ixgbe says so, of its PF, and as far as there are queues. Else it goes by the flow (`skb_tx_hash`): what is
 * forwarded, by the queue that it came by (`skb_get_rx_queue`), which RSS has chosen; the rest by a hash, of TCP a random number for each socket (`sk_txhash`), here
 * of addresses and ports. Datagrams are sent as by sockets that are not connected, which keep to none. Flow Director, by which ixgbe has a connection received
 * where it sends (ATR), is left out.
 */
export class NicTransmit {
  private readonly discipline: QueueingDiscipline | undefined;
  private readonly fn;
  private readonly kernel;
  private readonly cpus;
  private readonly packets;
  private upper!: FrameConsumer;
  private loans: FrameLoans | undefined;

  constructor(
    private readonly place: Placement, private readonly driver: SendingDriver, private readonly driverFn: Readonly<Record<DriverFunction, number>>,
    private readonly moderation: InterruptModeration, private readonly polled: boolean,
  ) {
    const { kernel, cpus, packets } = place.machine;
    this.kernel = kernel;
    this.cpus = cpus;
    this.packets = packets;
    this.fn = kernel.functions({
      "TDT write": { kind: "device" },
      __dev_xmit_skb: { file: "net/core/dev.c", kind: "driver" },
      pfifo_fast_enqueue: { file: "net/sched/sch_generic.c", kind: "driver", a: "queue" },
      qdisc_restart: { file: "net/sched/sch_generic.c", kind: "driver" },
      "queueing discipline full": { kind: "drop" },
      "transmit ring full": { kind: "drop" },
      "interface down": { kind: "drop" },
    });
    this.discipline = place.domain.system !== "linux" || polled ? undefined : new QueueingDiscipline(kernel.store, place.spec.path, driver.threads.length);
  }

  connect(upper: FrameConsumer): void {
    this.upper = upper;
    this.loans = this.place.machine.loans.get(this.place.domain.id);
  }

  /** Said in `begin`. What waits goes through the driver later. @param like an earlier packet of the same flow, for one that does not exist yet */
  spend(packet: number, bytes: number, like: number): void {
    const { cpus } = this;
    const before = cpus.enter(this.driver.component);
    if (this.isWaitedAt(packet === NONE ? like : packet)) cpus.spend(this.fn.__dev_xmit_skb, packet);
    else this.spendDriver(packet, bytes);
    cpus.enter(before);
  }

  private isWaitedAt(packet: number): boolean {
    const { discipline } = this;
    if (discipline === undefined || this.driver.f === NONE) return false;
    const q = this.queueOf(packet);
    return q !== NONE && !discipline.isOpen(q);
  }

  /** Whether a frame that is sent now is dropped: `__dev_xmit_skb` returns NET_XMIT_DROP. */
  isFull(packet: number): boolean {
    return this.discipline !== undefined && this.driver.isUp && this.discipline.isFull(this.queueOf(packet));
  }

  /** The adapter is to interrupt for frames that are awaited: those of a connection may be on several queues. */
  hasten(): void {
    const { nic, f, threads } = this.driver;
    for (let q = 0; f !== NONE && q < threads.length; q++) nic.transmitQueues.hasten(nic.rowOf(f, q), true);
  }

  private spendDriver(packet: number, bytes: number): void {
    const { cpus } = this;
    cpus.spend(this.driverFn.start, packet);
    cpus.spend(this.driverFn.xmit, packet, bytes);
    cpus.spend(this.fn["TDT write"], packet);
  }

  transmit(packet: number): void {
    const { packets, kernel, cpus } = this;
    const { isUp, vlan, component, threads } = this.driver;
    if (vlan !== 0) packets.setVlan(packet, vlan);
    if (!isUp) return this.drop(this.fn["interface down"], packet, "ENETDOWN");
    const q = this.queueOf(packet);
    if (threads.length > 1) this.upper.queued?.(packet, q);
    const { discipline } = this;
    if ((discipline === undefined || discipline.isOpen(q)) && this.post(q, packet)) return;
    if (discipline === undefined) return this.drop(this.fn["transmit ring full"], packet);
    if (!discipline.put(q, packet, kernel.cause)) return this.drop(this.fn["queueing discipline full"], packet, "ENOBUFS");
    kernel.mark(this.fn.pfifo_fast_enqueue, component, cpus.contextOf(cpus.carrier(component, threads[q]!)), kernel.now, 0, packet, q);
  }

  /**
   * In `begin` or `end`: the queue of a frame that is sent now. Work that has lost its vCPU may end on another: what counts is where it ends. @param packet −1: of a flow that
   * has had none @returns −1: it is the flow that it depends on
   */
  queueOf(packet: number): number {
    const { driver: { nic, threads, xps }, polled, place: { domain } } = this;
    const queues = threads.length;
    if (queues === 1) return 0;
    const kept = this.upper.queueOf?.(packet) ?? NONE;
    // The connection may have had another interface, with more queues.
    if (kept !== NONE && kept < queues && this.isBusy(kept)) return kept;
    const cpu = Math.max(0, this.cpus.indexIn(domain.id));
    if (polled || domain.system === "rump") return cpu % queues;
    if (xps && cpu < queues) return cpu;
    if (packet === NONE) return NONE;
    return this.upper.queueOf === undefined ? nic.rss.queueOf(packet, queues) : Math.floor((this.hashOf(packet) * queues) / 0x100000000);
  }

  /** A hash of the packet's flow, 32 bits, unsigned. */
  private hashOf(packet: number): number {
    const { packets } = this;
    const ports = (packets.sourcePort(packet) << 16) | packets.destinationPort(packet);
    return Math.imul(this.driver.nic.rss.hash(packet) ^ ports, GOLDEN_RATIO) >>> 0;
  }

  /** Whether there are frames that the adapter has not read. When it has, an interrupt frees them, which is left out here where nobody waits for that. */
  private isBusy(q: number): boolean {
    return this.discipline?.isEmpty(q) === false || !this.driver.nic.transmitQueues.isRead(this.rowOf(q));
  }

  /** The adapter's row of a queue. */
  private rowOf(q: number): number {
    return this.driver.nic.rowOf(this.driver.f, q);
  }

  /** Puts a frame on the ring. @returns false where that has no room */
  private post(q: number, packet: number): boolean {
    const { discipline, driver: { nic: { transmitQueues } } } = this;
    const row = this.rowOf(q);
    const isPosted = transmitQueues.post(row, packet, undefined, this.loans?.isLent(packet) === true ? Watch.told : this.upper.awaits?.(packet));
    if (isPosted) this.moderation.countSent(q, this.packets.frameLength(packet));
    if (discipline?.posted(q, isPosted ? transmitQueues.room(row) : 0) === true) transmitQueues.awaitRoom(row, WAKE);
    return isPosted;
  }

  private drop(fn: number, packet: number, error?: SendError): void {
    const { kernel, cpus } = this;
    kernel.mark(fn, this.driver.component, cpus.contextOf(this.driver.threads[0]!), kernel.now, 0, packet);
    this.free(packet, error);
  }

  /**
   * An interrupt, or a poll: what was sent is freed, and what waits for room is sent (`ixgbe_clean_tx_irq`, `net_tx_action`). Where nobody waits for what is freed
   * that takes no time of its own: it is a part of what sending costs.
   */
  interrupted(q: number): void {
    const { discipline, driver: { nic: { transmitQueues }, component, threads } } = this;
    const { cpus } = this;
    const row = this.rowOf(q);
    const sent = transmitQueues.sentCount(row);
    if (sent > 0 && transmitQueues.isAwaited(row)) cpus.post(threads[q]!, component, TransmitOp.clean, q);
    else if (sent > 0) this.clean(q, sent);
    if (discipline?.isStopped(q) !== true || transmitQueues.room(row) < WAKE) return;
    transmitQueues.awaitRoom(row, 0);
    if (discipline.wake(q)) cpus.post(threads[q]!, component, TransmitOp.run, q, 0, discipline.causeOf(q));
  }

  begin(op: number, q: number): void {
    const { cpus, costs, packets } = this.place.machine;
    if (op === TransmitOp.run) {
      const packet = this.discipline!.peek(q);
      cpus.spend(this.fn.qdisc_restart, packet);
      return packet === NONE ? undefined : this.spendDriver(packet, packets.frameLength(packet));
    }
    const sent = this.driver.nic.transmitQueues.sentCount(this.rowOf(q));
    cpus.note(sent);
    // Of frames that are the domain's own, the freeing is part of what sending costs.
    cpus.spendTime(this.driverFn.clean, this.loans === undefined ? 0 : sent * costs.of(this.driverFn.clean, 0), NONE, sent);
    this.loans?.spendReturn(sent);
  }

  end(op: number, q: number): void {
    if (op === TransmitOp.run) this.run(q);
    else this.clean(q, this.cpus.noted);
  }

  /** The softirq sends the frame that has waited longest; others follow, as long as the ring has room. */
  private run(q: number): void {
    const { component, threads, isUp } = this.driver;
    const { cpus } = this;
    const discipline = this.discipline!;
    const packet = isUp ? discipline.take(q) : NONE;
    if (packet !== NONE && !this.post(q, packet)) this.drop(this.fn["transmit ring full"], packet, "ENOBUFS");
    if (!discipline.goesOn(q)) return;
    const cause = discipline.causeOf(q);
    if (discipline.isQuotaSpent(q)) cpus.post(threads[q]!, component, TransmitOp.run, q, 0, cause);
    else cpus.call(threads[q]!, component, TransmitOp.run, q, 0, cause);
  }

  /** Frees frames that were sent, and that somebody waits for. */
  private clean(q: number, frames: number): void {
    const { transmitQueues } = this.driver.nic;
    const row = this.rowOf(q);
    for (let i = 0; i < frames; i++) {
      const packet = transmitQueues.takeSent(row);
      // A reset has emptied the ring meanwhile.
      if (packet === NONE) return;
      this.free(packet);
    }
    if (!transmitQueues.isWatching(row) && this.discipline?.isEmpty(q) !== false) transmitQueues.hasten(row, false);
  }

  /** The driver is about to reset the adapter: it frees what is on its rings, sent or not (`ixgbe_clean_all_tx_rings`). */
  freeRings(): void {
    const { nic: { transmitQueues }, threads } = this.driver;
    for (let q = 0; q < threads.length; q++) {
      const row = this.rowOf(q);
      for (let packet = transmitQueues.takeWatched(row); packet !== NONE; packet = transmitQueues.takeWatched(row)) this.free(packet);
    }
  }

  private free(packet: number, error?: SendError): void {
    this.loans?.giveBack(packet);
    this.upper.freed?.(packet, error);
  }

  /** The interface is up, with empty rings. */
  up(): void {
    this.discipline?.open();
  }

  /** The interface goes down: what waits is freed (`dev_deactivate`, net/sched/sch_generic.c). */
  down(): void {
    for (let q = 0; this.discipline !== undefined && q < this.driver.threads.length; q++) {
      for (let packet = this.discipline.take(q); packet !== NONE; packet = this.discipline.take(q)) this.drop(this.fn["interface down"], packet, "ENETDOWN");
    }
  }

  describe(): Variable[] {
    return this.discipline === undefined ? [] : [this.discipline.describe()];
  }
}
