import type { Store, Table } from "../../kernel/state";
import type { tcbSchema } from "./tcb";

/** `TCP_SYN_HASH_SIZE` and `TCP_SYN_BUCKET_SIZE` of NetBSD's tcp_var.h, and what tcp_input.c makes of them: `tcp_syn_bucket_limit`, `tcp_syn_cache_limit`. */
const BUCKETS = 293;
const BUCKET_SIZE = 35;
export const SYN_BUCKET_LIMIT = 3 * BUCKET_SIZE;
export const SYN_CACHE_LIMIT = BUCKETS * BUCKET_SIZE;

/**
 * NetBSD's SYN cache: connections whose handshake is not over, of all listeners together, in buckets by their addresses, the oldest first. What does not fit
 * displaces the oldest of its bucket; where the cache is full, that of the first bucket from there on that has any (`syn_cache_insert`, tcp_syncache.c).
 */
export class SynCache {
  /** `head` and `tail` are connections plus one, linked by `nextQueued` of their blocks; 0: none. */
  private readonly buckets: Table<{ readonly head: "i32"; readonly tail: "i32"; readonly length: "i32" }>;
  private readonly size: Table<{ readonly entries: "i32" }>;

  constructor(store: Store, name: string, private readonly tcb: Table<typeof tcbSchema>) {
    this.buckets = store.table(`${name}: SYN cache`, { head: "i32", tail: "i32", length: "i32" }, BUCKETS);
    this.buckets.append(BUCKETS);
    this.size = store.table(`${name}: SYN cache size`, { entries: "i32" }, 1);
    this.size.alloc();
  }

  /** The connection that has to go before another one is added; −1: there is room. */
  displacedBy(conn: number): number {
    const { buckets } = this;
    let b = this.bucketOf(conn);
    if (buckets.length[b]! < SYN_BUCKET_LIMIT && this.size.entries[0]! < SYN_CACHE_LIMIT) return -1;
    while (buckets.length[b] === 0) b = (b + 1) % BUCKETS;
    return buckets.head[b]! - 1;
  }

  add(conn: number): void {
    const { buckets, tcb } = this;
    const b = this.bucketOf(conn);
    tcb.nextQueued[conn] = 0;
    if (buckets.tail[b] === 0) buckets.head[b] = conn + 1;
    else tcb.nextQueued[buckets.tail[b]! - 1] = conn + 1;
    buckets.tail[b] = conn + 1;
    buckets.length[b]!++;
    this.size.entries[0]!++;
  }

  remove(conn: number): void {
    const { buckets, tcb } = this;
    const b = this.bucketOf(conn);
    let previous = 0;
    for (let at = buckets.head[b]!; at !== conn + 1; at = tcb.nextQueued[at - 1]!) previous = at;
    const next = tcb.nextQueued[conn]!;
    if (previous === 0) buckets.head[b] = next;
    else tcb.nextQueued[previous - 1] = next;
    if (next === 0) buckets.tail[b] = previous;
    buckets.length[b]!--;
    this.size.entries[0]!--;
  }

  /** NetBSD hashes ports and addresses with two random numbers (`SYN_HASHALL`); here by multiplication, the same in every run. */
  private bucketOf(conn: number): number {
    const { tcb } = this;
    const ports = Math.imul((tcb.remotePort[conn]! << 16) | tcb.localPort[conn]!, 0x9e3779b1);
    return (((ports ^ tcb.remoteIp[conn]!) >>> 0) % BUCKETS);
  }
}
