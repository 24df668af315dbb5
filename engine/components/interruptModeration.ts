import type { Store } from "../kernel/state";

/**
 * Register values (EITR) as Linux' ixgbe driver writes them, by class: at most 100,000, 20,000 and 12,000 interrupts a second. The interval in
 * microseconds is a quarter of the value (`drivers/net/ethernet/intel/ixgbe/ixgbe.h`, Linux 4.13).
 */
const CLASSES = [40, 200, 336] as const;
const LOWEST_LATENCY = 0;
const LOW_LATENCY = 1;
const BULK_LATENCY = 2;
/** NetBSD's static throttling: 4,000,000/31,250 (`sys/dev/pci/ixgbe`). */
const STATIC_NETBSD = 128;
/** Linux with a fixed rate: its lowest-latency class. */
const STATIC_LINUX = CLASSES[LOWEST_LATENCY];

/** Linux' igb: its first value, and the one for 20,000 interrupts a second, which it does not go below (`igb.h`). */
const IGB_START = 648;
const IGB_LEAST = 196;

/** How a driver sets the least time between two interrupts of a queue pair. */
export type Moderation = "static" | "linux" | "netbsd" | "igb";

/**
 * Interrupt moderation by a driver: static, or adaptive to the traffic. Linux goes by bytes a microsecond between classes, one step at a time,
 * and smooths the change (`ixgbe_update_itr`, `ixgbe_set_itr`, Linux 4.13); NetBSD goes by the mean size of the frames since the last
 * interrupt (`ixgbe.c`, "Adaptive Interrupt Moderation"; the LibrettOS paper turned it off: section 5.1), and so does Linux' igb
 * (`igb_update_ring_itr`).
 */
export class InterruptModeration {
  private readonly queue;

  constructor(store: Store, path: string, queues: number, private readonly kind: Moderation, private readonly fixed: "linux" | "netbsd") {
    const queue = store.table(`interrupt moderation of ${path}`, {
      eitr: "u16", planned: "u16", sentBytes: "f64", sent: "f64", receivedBytes: "f64", received: "f64", sentClass: "u8", receivedClass: "u8",
    }, queues);
    this.queue = queue;
    for (let q = 0; q < queues; q++) {
      const row = queue.alloc();
      queue.eitr[row] = this.initial;
    }
  }

  /** The register's value when the interface comes up. */
  get initial(): number {
    if (this.kind === "igb") return IGB_START;
    // Linux begins an adaptive vector at 20,000 a second (`ixgbe_alloc_q_vector`).
    return this.kind === "linux" ? CLASSES[LOW_LATENCY] : this.fixed === "linux" ? STATIC_LINUX : STATIC_NETBSD;
  }

  countSent(q: number, bytes: number): void {
    this.queue.sent[q]!++;
    this.queue.sentBytes[q]! += bytes;
  }

  countReceived(q: number, bytes: number): void {
    this.queue.received[q]!++;
    this.queue.receivedBytes[q]! += bytes;
  }

  /** The work of an interrupt is done. @returns the register's new value, or −1 where it stays */
  next(q: number): number {
    if (this.kind === "static") return -1;
    const before = this.queue.eitr[q]!;
    const value = this.kind === "linux" ? this.linux(q, before) : this.bySize(q, before);
    const t = this.queue;
    t.sent[q] = t.sentBytes[q] = t.received[q] = t.receivedBytes[q] = 0;
    t.eitr[q] = value;
    return value === before ? -1 : value;
  }

  private linux(q: number, before: number): number {
    const t = this.queue;
    t.sentClass[q] = nextClass(t.sentClass[q]!, t.sent[q]!, t.sentBytes[q]!, before);
    t.receivedClass[q] = nextClass(t.receivedClass[q]!, t.received[q]!, t.receivedBytes[q]!, before);
    const target = CLASSES[Math.max(t.sentClass[q]!, t.receivedClass[q]!)]!;
    return target === before ? before : Math.floor((10 * target * before) / (9 * target + before));
  }

  /** What was worked out after the last interrupt is written after this one. */
  private bySize(q: number, before: number): number {
    const t = this.queue;
    const value = t.planned[q]! > 0 ? t.planned[q]! : before;
    t.planned[q] = 0;
    if (t.sent[q] === 0 && t.received[q] === 0) return value;
    const sent = t.sent[q]! > 0 ? Math.floor(t.sentBytes[q]! / t.sent[q]!) : 0;
    const received = t.received[q]! > 0 ? Math.floor(t.receivedBytes[q]! / t.received[q]!) : 0;
    const size = Math.min(3000, Math.max(sent, received) + 24);
    const planned = Math.floor(size / (size > 300 && size < 1200 ? 3 : 2));
    t.planned[q] = this.kind === "igb" ? Math.max(IGB_LEAST, planned) : planned;
    return value;
  }
}

/** One step between the classes by the bytes a microsecond of the last interval; without packets, none. */
function nextClass(now: number, packets: number, bytes: number, eitr: number): number {
  const microseconds = eitr >> 2;
  if (packets === 0 || microseconds === 0) return now;
  const rate = Math.floor(bytes / microseconds);
  if (now === LOWEST_LATENCY) return rate > 10 ? LOW_LATENCY : now;
  if (now === LOW_LATENCY) return rate > 20 ? BULK_LATENCY : rate <= 10 ? LOWEST_LATENCY : now;
  return rate <= 20 ? LOW_LATENCY : now;
}
