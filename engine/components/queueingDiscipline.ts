import type { Variable } from "../inspect";
import type { Store } from "../kernel/state";
import { NONE } from "../trace/trace";

/** Frames that may wait for each of an interface's transmit queues: `DEFAULT_TX_QUEUE_LEN` (include/net/pkt_sched.h), which `ether_setup` gives it. */
const LENGTH = 1000;
/** Descriptors that the longest frame may need: DESC_NEEDED, MAX_SKB_FRAGS and 4 (ixgbe.h, igb.h). With fewer the driver lets none through (`ixgbe_maybe_stop_tx`). */
const NEEDED = 17 + 4;
/** Free descriptors at which it does again: TX_WAKE_THRESHOLD (`ixgbe_clean_tx_irq`). */
export const WAKE = 2 * NEEDED;
/** Frames that are sent in a row before others have the CPU: `dev_weight` (`__qdisc_run`). */
const QUOTA = 64;

/**
 * What Linux 4.13 has between a network stack and an adapter's driver: for each transmit queue (`mq`) a `pfifo_fast` (net/sched/sch_generic.c), all of whose frames
 * are of the same priority here. A frame goes past it to the driver while nothing waits and the ring has room (`__dev_xmit_skb`: TCQ_F_CAN_BYPASS).
 * Without byte queue limits: in what order frames leave, and which are dropped, would be the same, but not whether they wait here or in the ring.
 */
export class QueueingDiscipline {
  /** `stopped`: the driver lets none through. `running`: a softirq sends what waits, of which it has sent `sent`. `first`, `last`: rows of frames plus one; 0: none. */
  private readonly queue;
  private readonly frame;

  constructor(store: Store, path: string, queues: number) {
    this.queue = store.table(`queueing disciplines of ${path}`, { stopped: "u8", running: "u8", sent: "u32", count: "u16", first: "i32", last: "i32", dropped: "f64" }, queues);
    for (let q = 0; q < queues; q++) this.queue.alloc();
    this.frame = store.table(`frames in queueing disciplines of ${path}`, { packet: "i32", cause: "i32", next: "i32" });
  }

  /** Whether a frame goes past it. */
  isOpen(q: number): boolean {
    return this.queue.stopped[q] === 0 && this.queue.count[q] === 0;
  }

  /** Whether a frame that comes now is dropped. */
  isFull(q: number): boolean {
    return this.queue.count[q] === LENGTH;
  }

  isEmpty(q: number): boolean {
    return this.queue.count[q] === 0;
  }

  isStopped(q: number): boolean {
    return this.queue.stopped[q] === 1;
  }

  /** The driver has put a frame on the ring. @param room descriptors that are left @returns whether it lets none through from now on, until there are {@link WAKE} */
  posted(q: number, room: number): boolean {
    if (room >= NEEDED) return false;
    this.queue.stopped[q] = 1;
    return true;
  }

  /** @param cause the row that asked for the frame to be sent @returns false where there is no room: dropped */
  put(q: number, packet: number, cause: number): boolean {
    const { queue, frame } = this;
    if (this.isFull(q)) {
      queue.dropped[q]!++;
      return false;
    }
    const row = frame.alloc();
    frame.packet[row] = packet;
    frame.cause[row] = cause;
    frame.next[row] = 0;
    if (queue.last[q] === 0) queue.first[q] = row + 1;
    else frame.next[queue.last[q]! - 1] = row + 1;
    queue.last[q] = row + 1;
    queue.count[q]!++;
    return true;
  }

  /** The ring has room again (`netif_tx_wake_queue`). @returns whether a softirq is to send what waits */
  wake(q: number): boolean {
    const { queue } = this;
    queue.stopped[q] = 0;
    if (queue.count[q] === 0 || queue.running[q] === 1) return false;
    queue.running[q] = 1;
    queue.sent[q] = 0;
    return true;
  }

  /** After a frame that a softirq has sent: whether it goes on. */
  goesOn(q: number): boolean {
    const { queue } = this;
    if (queue.stopped[q] === 0 && queue.count[q]! > 0) return true;
    queue.running[q] = 0;
    return false;
  }

  /** Whether others have the CPU before it goes on. */
  isQuotaSpent(q: number): boolean {
    return this.queue.sent[q]! % QUOTA === 0;
  }

  /** The frame that has waited longest, or −1; it stays. */
  peek(q: number): number {
    const row = this.queue.first[q]! - 1;
    return row < 0 ? NONE : this.frame.packet[row]!;
  }

  /** The row that asked for it. */
  causeOf(q: number): number {
    const row = this.queue.first[q]! - 1;
    return row < 0 ? NONE : this.frame.cause[row]!;
  }

  /** Takes it, or −1. */
  take(q: number): number {
    const { queue, frame } = this;
    const row = queue.first[q]! - 1;
    if (row < 0) return NONE;
    queue.first[q] = frame.next[row]!;
    if (queue.first[q] === 0) queue.last[q] = 0;
    queue.count[q]!--;
    queue.sent[q]!++;
    const packet = frame.packet[row]!;
    frame.release(row);
    return packet;
  }

  /** The interface comes up, with an empty ring. */
  open(): void {
    for (let q = 0; q < this.queue.rows; q++) this.queue.stopped[q] = 0;
  }

  describe(): Variable {
    const { queue } = this;
    const children = Array.from({ length: queue.rows }, (_, q): Variable => ({
      name: `${q}`, value: `${queue.count[q]!} of ${LENGTH}${queue.stopped[q] === 1 ? ", stopped" : ""}`, number: queue.count[q]!,
      children: [{ name: "dropped", value: `${queue.dropped[q]!}`, number: queue.dropped[q]! }],
    }));
    return { name: "queueing disciplines", value: `${queue.rows}`, number: queue.rows, children };
  }
}
