import type { Store } from "../../kernel/state";
import { SUPERPAGE_PAGES } from "../memory";

const NONE = -1;

/** What a walk of the page tables finds: the page that the table holds, at its size, and the machine page behind it. */
export interface Translation {
  readonly page: number;
  readonly pages: number;
  readonly frame: number;
}

/** Second-level page tables of an IOMMU: per PCI function, ranges of I/O virtual pages onto machine pages. */
export class PageTables {
  private readonly range;
  private readonly root;

  constructor(store: Store, host: string) {
    this.range = store.table(`IOMMU mappings of ${host}`, { next: "i32", page: "u32", pages: "u32", frame: "u32" });
    this.root = store.table(`IOMMU roots of ${host}`, { first: "i32" });
  }

  addFunction(): number {
    const f = this.root.alloc();
    this.root.first[f] = NONE;
    return f;
  }

  /** @throws Error if a page is mapped already */
  map(f: number, page: number, pages: number, frame: number): void {
    for (let r = this.root.first[f]!; r !== NONE; r = this.range.next[r]!) {
      if (this.range.page[r]! < page + pages && page < this.range.page[r]! + this.range.pages[r]!) throw new Error(`I/O page ${page} is mapped already`);
    }
    this.prepend(f, page, pages, frame);
  }

  /** Takes pages out; what is left of a range stays mapped. */
  unmap(f: number, page: number, pages: number): void {
    const end = page + pages;
    let r = this.root.first[f]!;
    this.root.first[f] = NONE;
    while (r !== NONE) {
      const next = this.range.next[r]!;
      const first = this.range.page[r]!;
      const last = first + this.range.pages[r]!;
      const frame = this.range.frame[r]!;
      this.range.release(r);
      if (first < Math.min(last, page)) this.prepend(f, first, Math.min(last, page) - first, frame);
      if (Math.max(first, end) < last) this.prepend(f, Math.max(first, end), last - Math.max(first, end), frame + Math.max(first, end) - first);
      r = next;
    }
  }

  /** Pages mapped for the function. */
  mapped(f: number): number {
    let sum = 0;
    for (let r = this.root.first[f]!; r !== NONE; r = this.range.next[r]!) sum += this.range.pages[r]!;
    return sum;
  }

  /** Walks the tables for one page; undefined: not mapped. A superpage is used wherever a range covers one, aligned at both ends. */
  walk(f: number, page: number): Translation | undefined {
    for (let r = this.root.first[f]!; r !== NONE; r = this.range.next[r]!) {
      const first = this.range.page[r]!;
      const end = first + this.range.pages[r]!;
      if (page < first || page >= end) continue;
      const frame = this.range.frame[r]!;
      const start = page - (page % SUPERPAGE_PAGES);
      const covers = start >= first && start + SUPERPAGE_PAGES <= end && (frame - first) % SUPERPAGE_PAGES === 0;
      return covers ? { page: start, pages: SUPERPAGE_PAGES, frame: frame + start - first } : { page, pages: 1, frame: frame + page - first };
    }
    return undefined;
  }

  private prepend(f: number, page: number, pages: number, frame: number): void {
    const r = this.range.alloc();
    this.range.page[r] = page;
    this.range.pages[r] = pages;
    this.range.frame[r] = frame;
    this.range.next[r] = this.root.first[f]!;
    this.root.first[f] = r;
  }
}
