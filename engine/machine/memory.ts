import type { Store } from "../kernel/state";

/** Bytes of a page, and pages of a superpage (x86-64: 4 KiB, 2 MiB). */
export const PAGE_SIZE = 4096;
export const SUPERPAGE_PAGES = 512;
/** Nobody's memory: what no domain owns. */
export const NOBODY = -1;

/**
 * Guest memory of a domain: 1 GiB, or more where its drivers' rings and buffers want it ({@link HostMemory.provide}), one extent of machine
 * memory, so that second-level tables map it by superpages. Only what devices reach is told apart; the size is not a cost.
 */
export const DOMAIN_PAGES = 262_144;

/**
 * The pages of a host and who owns them, as extents in order of address: frames are allocated, change hands and are looked
 * up by page number. What a domain sees as its memory starts at guest address 0.
 */
export class HostMemory {
  private readonly extent;
  private readonly guest;
  /** Row of a domain in `guest`: wiring, complete when the machine is built. */
  private readonly rowOf = new Map<number, number>();
  /** Pages of domains that have more than {@link DOMAIN_PAGES}: wiring, too. */
  private readonly pages = new Map<number, number>();

  constructor(store: Store, host: string) {
    this.extent = store.table(`memory of ${host}`, { owner: "i32", first: "u32", pages: "u32" });
    this.guest = store.table(`guests of ${host}`, { first: "u32", used: "f64" });
  }

  /** Takes fresh machine pages, aligned to a superpage. @returns the first one's number */
  allocate(owner: number, pages: number): number {
    const last = this.extent.rows - 1;
    const end = last < 0 ? 0 : this.extent.first[last]! + this.extent.pages[last]!;
    const first = Math.ceil(end / SUPERPAGE_PAGES) * SUPERPAGE_PAGES;
    this.append(owner, first, pages);
    return first;
  }

  /** The domain that owns a machine page, or {@link NOBODY}. */
  ownerOf(page: number): number {
    const e = this.extentOf(page);
    return e < 0 ? NOBODY : this.extent.owner[e]!;
  }

  /** Whether all the pages are the domain's. */
  owns(domain: number, first: number, pages: number): boolean {
    for (let page = first; page < first + pages;) {
      const e = this.extentOf(page);
      if (e < 0 || this.extent.owner[e] !== domain) return false;
      page = this.extent.first[e]! + this.extent.pages[e]!;
    }
    return true;
  }

  /** Gives pages to another owner; whoever maps them has to be told apart from this. @throws Error for pages that do not exist */
  transfer(first: number, pages: number, owner: number): void {
    const end = first + pages;
    const before = Array.from({ length: this.extent.rows }, (_, e) => ({
      owner: this.extent.owner[e]!, first: this.extent.first[e]!, end: this.extent.first[e]! + this.extent.pages[e]!,
    }));
    const after = before.flatMap((e) => {
      if (e.end <= first || e.first >= end) return [e];
      return [
        { owner: e.owner, first: e.first, end: Math.max(e.first, first) },
        { owner, first: Math.max(e.first, first), end: Math.min(e.end, end) },
        { owner: e.owner, first: Math.min(e.end, end), end: e.end },
      ].filter((part) => part.end > part.first);
    });
    if (this.extentOf(first) < 0 || this.extentOf(end - 1) < 0) throw new Error(`There are no pages ${first} to ${end - 1}.`);
    after.forEach((e, row) => {
      if (row >= this.extent.rows) this.extent.alloc();
      this.extent.owner[row] = e.owner;
      this.extent.first[row] = e.first;
      this.extent.pages[row] = e.end - e.first;
    });
  }

  /** Before anything of it is used: a domain has enough memory for so many bytes of DMA buffers, which take half of it at most; gigabytes. */
  provide(domain: number, buffers: number): void {
    this.pages.set(domain, DOMAIN_PAGES * Math.max(1, Math.ceil((2 * buffers) / (DOMAIN_PAGES * PAGE_SIZE))));
  }

  /** Pages of a domain's memory. */
  pagesOf(domain: number): number {
    return this.pages.get(domain) ?? DOMAIN_PAGES;
  }

  /** First machine page of a domain's memory, which is allocated at the first call. */
  guestBase(domain: number): number {
    const row = this.guestRow(domain);
    return this.guest.first[row]!;
  }

  /** Sets guest memory aside for buffers. @returns its guest address; page-aligned @throws Error when the domain's memory is used up */
  allocateBuffer(domain: number, bytes: number): number {
    const row = this.guestRow(domain);
    const address = this.guest.used[row]!;
    const used = address + Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
    const size = this.pagesOf(domain) * PAGE_SIZE;
    if (used > size) throw new Error(`The DMA buffers of a domain take more than its ${size} bytes of memory.`);
    this.guest.used[row] = used;
    return address;
  }

  private guestRow(domain: number): number {
    let row = this.rowOf.get(domain);
    if (row === undefined) {
      row = this.guest.alloc();
      this.rowOf.set(domain, row);
      this.guest.first[row] = this.allocate(domain, this.pagesOf(domain));
    }
    return row;
  }

  private append(owner: number, first: number, pages: number): void {
    const e = this.extent.alloc();
    this.extent.owner[e] = owner;
    this.extent.first[e] = first;
    this.extent.pages[e] = pages;
  }

  /** Binary search: extents are in order and do not overlap. */
  private extentOf(page: number): number {
    let low = 0;
    let high = this.extent.rows - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const first = this.extent.first[middle]!;
      if (page < first) high = middle - 1;
      else if (page >= first + this.extent.pages[middle]!) low = middle + 1;
      else return middle;
    }
    return -1;
  }
}
