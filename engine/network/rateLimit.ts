import type { Store, Table } from "../kernel/state";

const SECOND = 1e12;

/**
 * How many answers of one kind a host sends to what is not for it, as ICMP errors (RFC 1812 section 4.3.2.8): so many in each second, by itself
 * (NetBSD's `ppsratecheck`, sys/kern/kern_time.c).
 */
export class RateLimit {
  private readonly rows: Table<{ readonly count: "u32"; readonly since: "f64" }>;

  /** @param name unique @param limit answers a second */
  constructor(store: Store, name: string, private readonly limit: number) {
    this.rows = store.table(name, { count: "u32", since: "f64" }, 1);
    this.rows.alloc();
  }

  /** Whether there is to be one more answer, which is counted. @param now picoseconds */
  allows(now: number): boolean {
    const { count, since } = this.rows;
    if (count[0] === 0 || now - since[0]! >= SECOND) {
      since[0] = now;
      count[0] = 0;
    }
    return count[0]!++ < this.limit;
  }
}
