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
}

/**
 * The sending half of an adapter's driver: a call on the sender's thread that ends in a write to the tail register. A frame for which the ring has no room
 * waits in Linux' queueing discipline. NetBSD's driver frees it, and its caller hears nothing: `ixgbe_mq_start` returns 0 whatever becomes of the frame
 * (sys/dev/pci/ixgbe/ix_txrx.c), and so it is where the driver polls.
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
    private readonly moderation: InterruptModeration, polled: boolean,
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

  /**
   * Said in `begin`. What waits goes through the driver later. @param like an earlier packet of the same flow: of one that does not exist yet, is the first, and has
   * several queues to go to, nobody knows
   */
  spend(packet: number, bytes: number, like: number): void {
    const { cpus } = this;
    const before = cpus.enter(this.driver.component);
    if (this.isWaitedAt(packet === NONE ? like : packet)) cpus.spend(this.fn.__dev_xmit_skb, packet);
    else this.spendDriver(packet, bytes);
    cpus.enter(before);
  }

  private isWaitedAt(packet: number): boolean {
    const { discipline, driver: { f, threads } } = this;
    if (discipline === undefined || f === NONE || (packet === NONE && threads.length > 1)) return false;
    return !discipline.isOpen(packet === NONE ? 0 : this.queueOf(packet));
  }

  /** Whether a frame that is sent now is dropped: `__dev_xmit_skb` returns NET_XMIT_DROP. */
  isFull(packet: number): boolean {
    return this.discipline !== undefined && this.driver.isUp && this.discipline.isFull(this.queueOf(packet));
  }

  /** The adapter is to interrupt for frames of the packet's queue that are awaited. */
  hasten(packet: number): void {
    const { nic, f } = this.driver;
    if (f !== NONE) nic.transmitQueues.hasten(nic.rowOf(f, this.queueOf(packet)), true);
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
    const { discipline } = this;
    if ((discipline === undefined || discipline.isOpen(q)) && this.post(q, packet)) return;
    if (discipline === undefined) return this.drop(this.fn["transmit ring full"], packet);
    if (!discipline.put(q, packet, kernel.cause)) return this.drop(this.fn["queueing discipline full"], packet, "ENOBUFS");
    kernel.mark(this.fn.pfifo_fast_enqueue, component, cpus.contextOf(cpus.carrier(component, threads[q]!)), kernel.now, 0, packet, q);
  }

  private queueOf(packet: number): number {
    return this.driver.nic.queueOf(this.driver.f, packet);
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
