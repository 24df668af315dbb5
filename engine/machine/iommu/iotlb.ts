import type { Store } from "../../kernel/state";
import { SUPERPAGE_PAGES } from "../memory";

/** Effective entries (Neugebauer et al., "Understanding PCIe performance for end host networking", SIGCOMM 2018; recalled, not verified). */
export const IOTLB_ENTRIES = 64;
const BUCKETS = 64;
const NONE = -1;

/**
 * Cache of translations of an IOMMU, least recently used out first: a hash table of (function, page) chained in tables,
 * and a list in order of use. It knows nothing of the page tables behind it: what it holds stays until it is invalidated.
 */
export class Iotlb {
  private readonly entry;
  private readonly bucket;
  private readonly order;

  constructor(store: Store, host: string) {
    this.entry = store.table(`IOTLB of ${host}`, {
      used: "u8", function: "u16", page: "u32", pages: "u16", frame: "u32", chain: "i8", newer: "i8", older: "i8",
    }, IOTLB_ENTRIES);
    const bucket = store.table(`IOTLB buckets of ${host}`, { head: "i8" }, BUCKETS);
    this.bucket = bucket;
    this.order = store.table(`IOTLB order of ${host}`, { newest: "i8", oldest: "i8" }, 1);
    for (let b = 0; b < BUCKETS; b++) {
      const row = bucket.alloc();
      bucket.head[row] = NONE;
    }
    this.order.alloc();
    this.order.newest[0] = this.order.oldest[0] = NONE;
    for (let e = 0; e < IOTLB_ENTRIES; e++) {
      this.entry.alloc();
      this.link(e);
    }
  }

  /** The machine page behind a page of a function, as cached; −1: a miss. Pages are looked up at both sizes, as the hardware does. */
  lookup(f: number, page: number): number {
    const start = page - (page % SUPERPAGE_PAGES);
    const found = this.find(f, start, SUPERPAGE_PAGES);
    const e = found >= 0 ? found : this.find(f, page, 1);
    if (e < 0) return NONE;
    if (this.order.newest[0] !== e) {
      this.unlink(e);
      this.link(e);
    }
    return this.entry.frame[e]! + page - this.entry.page[e]!;
  }

  /** Takes a translation in, the least recently used one out. @param pages 1 or a superpage, whose first page `page` is */
  fill(f: number, page: number, pages: number, frame: number): void {
    const e = this.order.oldest[0]!;
    this.remove(e);
    this.unlink(e);
    this.entry.used[e] = 1;
    this.entry.function[e] = f;
    this.entry.page[e] = page;
    this.entry.pages[e] = pages;
    this.entry.frame[e] = frame;
    const b = hash(f, page);
    this.entry.chain[e] = this.bucket.head[b]!;
    this.bucket.head[b] = e;
    this.link(e);
  }

  /** Forgets every translation of the function that touches the pages. @returns how many */
  invalidate(f: number, first: number, pages: number): number {
    let dropped = 0;
    for (let e = 0; e < IOTLB_ENTRIES; e++) {
      const { entry } = this;
      if (entry.used[e] === 0 || entry.function[e] !== f) continue;
      if (entry.page[e]! >= first + pages || entry.page[e]! + entry.pages[e]! <= first) continue;
      this.remove(e);
      dropped++;
    }
    return dropped;
  }

  get count(): number {
    let count = 0;
    for (let e = 0; e < IOTLB_ENTRIES; e++) count += this.entry.used[e]!;
    return count;
  }

  private find(f: number, page: number, pages: number): number {
    const { entry } = this;
    let e = this.bucket.head[hash(f, page)]!;
    while (e >= 0 && (entry.page[e] !== page || entry.function[e] !== f || entry.pages[e] !== pages)) e = entry.chain[e]!;
    return e;
  }

  /** Out of its bucket; it stays in the order of use, to be filled again. */
  private remove(e: number): void {
    const { entry } = this;
    if (entry.used[e] === 0) return;
    entry.used[e] = 0;
    const b = hash(entry.function[e]!, entry.page[e]!);
    if (this.bucket.head[b] === e) {
      this.bucket.head[b] = entry.chain[e]!;
      return;
    }
    let before = this.bucket.head[b]!;
    while (entry.chain[before] !== e) before = entry.chain[before]!;
    entry.chain[before] = entry.chain[e]!;
  }

  private unlink(e: number): void {
    const { entry, order } = this;
    const newer = entry.newer[e]!;
    const older = entry.older[e]!;
    if (newer >= 0) entry.older[newer] = older;
    else order.newest[0] = older;
    if (older >= 0) entry.newer[older] = newer;
    else order.oldest[0] = newer;
  }

  private link(e: number): void {
    const { entry, order } = this;
    const newest = order.newest[0]!;
    entry.newer[e] = NONE;
    entry.older[e] = newest;
    if (newest >= 0) entry.newer[newest] = e;
    else order.oldest[0] = e;
    order.newest[0] = e;
  }
}

function hash(f: number, page: number): number {
  return ((page >>> 9) + page + f * 7) & (BUCKETS - 1);
}
