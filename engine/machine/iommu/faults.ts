import type { Store } from "../../kernel/state";

/** A fault is "close" to the one before within this time, picoseconds; Xen 4.14 `pci_check_disable_device`: 10 ms. */
const WINDOW = 10e9;
/** Xen 4.14 `PT_FAULT_THRESHOLD`. */
export const FAULT_THRESHOLD = 10;
/** Records that are kept: the oldest goes first. */
const RECORDS = 64;

export interface FaultRecord {
  readonly time: number;
  readonly routingId: number;
  /** I/O virtual page that could not be reached. */
  readonly page: number;
}

/**
 * Faults of an IOMMU: a log with routing ids, and the hypervisor's count for each function, which halves when the last
 * fault is more than 10 ms ago (Xen 4.14 `xen/drivers/passthrough/pci.c`).
 */
export class FaultLog {
  private readonly record;
  private readonly total;
  private readonly counter;

  constructor(store: Store, host: string) {
    this.record = store.table(`IOMMU faults of ${host}`, { time: "f64", routingId: "u16", page: "u32" }, RECORDS);
    this.record.append(RECORDS);
    this.total = store.table(`IOMMU fault total of ${host}`, { faults: "f64" }, 1);
    this.total.alloc();
    this.counter = store.table(`IOMMU fault counters of ${host}`, { count: "f64", last: "f64", faults: "f64" });
  }

  addFunction(): void {
    this.counter.alloc();
  }

  /** @returns whether the function has reached the threshold just now and must lose bus-mastering */
  add(f: number, routingId: number, page: number, now: number): boolean {
    const slot = this.total.faults[0]!++ % RECORDS;
    this.record.time[slot] = now;
    this.record.routingId[slot] = routingId;
    this.record.page[slot] = page;
    this.counter.faults[f]!++;
    if (now - this.counter.last[f]! > WINDOW) this.counter.count[f] = Math.floor(this.counter.count[f]! / 2);
    this.counter.last[f] = now;
    return ++this.counter.count[f]! === FAULT_THRESHOLD;
  }

  /** A new owner starts without a record. */
  reset(f: number): void {
    this.counter.count[f] = 0;
  }

  get all(): number {
    return this.total.faults[0]!;
  }

  of(f: number): number {
    return this.counter.faults[f]!;
  }

  /** The last faults, oldest first. */
  records(): FaultRecord[] {
    const { all } = this;
    const from = Math.max(0, all - RECORDS);
    return Array.from({ length: all - from }, (_, i) => {
      const slot = (from + i) % RECORDS;
      return { time: this.record.time[slot]!, routingId: this.record.routingId[slot]!, page: this.record.page[slot]! };
    });
  }
}
