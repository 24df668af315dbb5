import type { Variable } from "../inspect";
import type { Kernel } from "../kernel/kernel";
import type { CostProfile } from "../profiles/profile";
import type { Cpus } from "../scheduling/cpus";
import { NONE } from "../trace/trace";
import type { Requester } from "./iommu/iommu";
import type { HostMemory } from "./memory";

/** Entries of a frame of a grant table: a page of version 1 entries, 8 bytes each (xen/include/public/grant_table.h). */
export const ENTRIES_PER_FRAME = 512;
/** Entries that the hypervisor keeps for its own use (`GNTTAB_NR_RESERVED_ENTRIES`). */
export const RESERVED_ENTRIES = 8;
/** Frames that a domain's table may grow to: Xen's default (`gnttab_max_frames`), and what mini-os and rumprun set up (`NR_GRANT_FRAMES`, gnttab.c). */
export const XEN_FRAMES = 64;
export const RUMP_FRAMES = 8;
/** Mappings that a domain may hold of others' grants: 1024 maptrack frames (`gnttab_max_maptrack_frames`) of 256 entries of 16 bytes. */
export const MAPTRACK_ENTRIES = 1024 * 256;

/** Grants that the hypervisor unmaps between two flushes of the TLB (`GNTTAB_UNMAP_BATCH_SIZE`). */
const UNMAP_BATCH = 32;

/** States of a run of entries. `orphaned`: its domain is gone while others still map the pages; the last unmap frees it. */
export const State = { free: 1, granted: 2, orphaned: 3 } as const;

/** What the hypervisor had to do with the grants of a domain that is gone. */
export interface Released {
  /** Grants of others that it had mapped, and its own that ended. */
  readonly mapped: number;
  readonly granted: number;
  /** Picoseconds that the unmapping takes. */
  readonly time: number;
}

/**
 * The grant tables of a host: which pages a domain lets which other domain map or have copied by the hypervisor (Xen,
 * `xen/common/grant_table.c`). The granting guest writes entries without a hypercall; the hypervisor checks them when they are
 * used: that the asking domain is the one named, that a read-only grant is not written, and that the page is the granting
 * domain's own. A mapping pins its entries: access ends only when nobody maps them.
 *
 * Entries are kept in runs of consecutive references to consecutive pages, granted, mapped and revoked together; a run may be
 * of one.
 */
export class GrantTables {
  readonly fn;
  private readonly table;
  private readonly run;
  private readonly mapping;
  /** Row of a domain in `table`, and its path: wiring, complete when the machine is built. */
  private readonly rowOf = new Map<number, number>();
  private readonly paths = new Map<number, string>();

  constructor(private readonly kernel: Kernel, private readonly costs: CostProfile, private readonly cpus: Cpus, private readonly memory: HostMemory, host: string) {
    const { store } = kernel;
    this.fn = kernel.functions({
      GNTTABOP_map_grant_ref: { file: "xen/common/grant_table.c", kind: "hypervisor", a: "grants", tally: "hypercall" },
      GNTTABOP_unmap_grant_ref: { file: "xen/common/grant_table.c", kind: "hypervisor", a: "grants", tally: "hypercall" },
      gnttab_flush_tlb: { file: "xen/common/grant_table.c", kind: "hypervisor", a: "flushes" },
      GNTTABOP_copy: { file: "xen/common/grant_table.c", kind: "hypervisor", a: "bytes", b: "operations", tally: "copy" },
      gnttab_release_mappings: { file: "xen/common/grant_table.c", kind: "hypervisor", a: "mapped grants", b: "own grants" },
      "grant table full": { kind: "violation", a: "grants", b: "entries in use" },
      "grant is another's": { kind: "violation", a: "reference" },
      "grant has ended": { kind: "violation", a: "reference" },
      "grant is read-only": { kind: "violation", a: "reference" },
      "granted page is another's": { kind: "violation", a: "reference", b: "page" },
      "too many mapped grants": { kind: "violation", a: "grants" },
      "grant still in use": { kind: "violation", a: "reference", b: "mappings" },
    });
    this.table = store.table(`grant tables of ${host}`, { frames: "u16", high: "u32", used: "u32", free: "i32", mapped: "u32" });
    this.run = store.table(`grants of ${host}`, {
      state: "u8", owner: "u16", grantee: "u16", reference: "u32", count: "u32", page: "u32", readonly: "u8", pins: "u32", next: "i32",
    });
    this.mapping = store.table(`grant mappings of ${host}`, { held: "u8", run: "i32", mapper: "u16" });
  }

  /** Gives a domain a table. @param frames that it may grow to */
  addDomain(domain: number, path: string, frames: number): void {
    const t = this.table.alloc();
    this.rowOf.set(domain, t);
    this.paths.set(domain, path);
    this.table.frames[t] = frames;
    this.table.high[t] = RESERVED_ENTRIES;
  }

  // --- What the granting guest does ---------------------------------------------------------------------------------

  /**
   * Writes entries: `grantee` may map `count` pages of machine memory from `page` on. Whether they are the owner's is checked
   * when they are used.
   * @param by whom a refusal is marked for
   * @returns the run's handle, or −1 where the table has no room: marked so
   */
  grant(by: Requester, owner: number, grantee: number, page: number, count: number, readonly: boolean): number {
    const { run } = this;
    const t = this.rowOf.get(owner)!;
    const r = this.takeEntries(t, count);
    if (r === NONE) {
      this.refuse(by, "grant table full", count, this.table.used[t]!);
      return NONE;
    }
    run.state[r] = State.granted;
    run.owner[r] = owner;
    run.grantee[r] = grantee;
    run.page[r] = page;
    run.readonly[r] = readonly ? 1 : 0;
    run.pins[r] = 0;
    this.table.used[t]! += count;
    return r;
  }

  /**
   * Revokes access. The entries can be used again for another grant.
   * @returns false, and nothing changes, while somebody maps them (`gnttab_end_foreign_access`): marked so
   */
  endAccess(by: Requester, r: number): boolean {
    const { run } = this;
    if (run.pins[r]! > 0) {
      this.refuse(by, "grant still in use", run.reference[r]!, run.pins[r]!);
      return false;
    }
    this.giveBack(r);
    return true;
  }

  // --- What the other domain asks of the hypervisor -----------------------------------------------------------------

  /** Said in `begin`: one hypercall that maps `count` grants. */
  spendMap(count: number): void {
    this.spendBatch(this.fn.GNTTABOP_map_grant_ref, count);
  }

  /** Said in `begin`: one hypercall that unmaps `count` grants, and flushes the TLB once for each batch of them. */
  spendUnmap(count: number): void {
    const { fn: { GNTTABOP_unmap_grant_ref, gnttab_flush_tlb }, cpus, costs } = this;
    this.spendBatch(GNTTABOP_unmap_grant_ref, count);
    const flushes = Math.ceil(count / UNMAP_BATCH);
    cpus.spendTime(gnttab_flush_tlb, flushes * costs.of(gnttab_flush_tlb, 0), NONE, flushes);
  }

  /** Said in `begin`: one hypercall that copies `bytes` in so many operations, each to or from one granted page. */
  spendCopy(bytes: number, operations: number, packet: number = NONE): void {
    const fn = this.fn.GNTTABOP_copy;
    const cost = this.costs.latency("grant hypercall") + (operations - 1) * this.costs.of(fn, 0) + this.costs.of(fn, bytes);
    this.cpus.spendTime(fn, cost, packet, bytes, operations);
  }

  /** Maps a run of grants into a domain. @returns the mapping's handle, or −1: refused, and marked why */
  map(by: Requester, mapper: number, r: number, writable: boolean): number {
    const { run, mapping, table } = this;
    if (!this.mayUse(by, mapper, r, writable)) return NONE;
    const t = this.rowOf.get(mapper)!;
    if (table.mapped[t]! + run.count[r]! > MAPTRACK_ENTRIES) {
      this.refuse(by, "too many mapped grants", run.count[r]!, 0);
      return NONE;
    }
    run.pins[r]!++;
    table.mapped[t]! += run.count[r]!;
    const m = mapping.alloc();
    mapping.held[m] = 1;
    mapping.run[m] = r;
    mapping.mapper[m] = mapper;
    return m;
  }

  /** Takes a mapping away. */
  unmap(m: number): void {
    const { run, mapping } = this;
    const r = mapping.run[m]!;
    this.table.mapped[this.rowOf.get(mapping.mapper[m]!)!]! -= run.count[r]!;
    mapping.held[m] = 0;
    mapping.release(m);
    run.pins[r]!--;
    if (run.pins[r] === 0 && run.state[r] === State.orphaned) this.giveBack(r);
  }

  /**
   * Whether the hypervisor copies to (`write`) or from a granted page for a domain; it pins the page no longer than the copy
   * takes. A refusal is marked with its reason.
   */
  mayUse(by: Requester, domain: number, r: number, write: boolean): boolean {
    const { run } = this;
    const reference = run.reference[r]!;
    if (run.state[r] !== State.granted) return this.refuse(by, "grant has ended", reference, 0);
    if (run.grantee[r] !== domain) return this.refuse(by, "grant is another's", reference, 0);
    if (write && run.readonly[r] === 1) return this.refuse(by, "grant is read-only", reference, 0);
    if (!this.memory.owns(run.owner[r]!, run.page[r]!, run.count[r]!)) return this.refuse(by, "granted page is another's", reference, run.page[r]!);
    return true;
  }

  // --- What the hypervisor does by itself ---------------------------------------------------------------------------

  /**
   * A domain is gone: what it had mapped is unmapped by force, and what it granted ends; pages that others still map stay
   * theirs to unmap. All of it at once: what it takes, and its row, are for whoever kills the domain.
   */
  release(domain: number): Released {
    const { run, mapping } = this;
    let mapped = 0;
    let granted = 0;
    for (let m = 0; m < mapping.rows; m++) {
      if (mapping.held[m] === 0 || mapping.mapper[m] !== domain) continue;
      mapped += run.count[mapping.run[m]!]!;
      this.unmap(m);
    }
    for (let r = 0; r < run.rows; r++) {
      if (run.state[r] !== State.granted || run.owner[r] !== domain) continue;
      granted += run.count[r]!;
      if (run.pins[r] === 0) this.giveBack(r);
      else run.state[r] = State.orphaned;
    }
    return { mapped, granted, time: mapped * this.costs.of(this.fn.GNTTABOP_unmap_grant_ref, 0) };
  }

  // --- Looking ------------------------------------------------------------------------------------------------------

  /** Entries of a domain's table that are in use. */
  grantedBy(domain: number): number {
    return this.table.used[this.rowOf.get(domain)!]!;
  }

  /** Grants of others that a domain has mapped. */
  mappedBy(domain: number): number {
    return this.table.mapped[this.rowOf.get(domain)!]!;
  }

  /** Entries that a domain's table can still take. */
  freeOf(domain: number): number {
    const t = this.rowOf.get(domain)!;
    return this.table.frames[t]! * ENTRIES_PER_FRAME - RESERVED_ENTRIES - this.table.used[t]!;
  }

  /** Whether nothing that a domain has granted can be mapped any more. */
  endedBy(domain: number): boolean {
    for (let r = 0; r < this.run.rows; r++) if (this.run.owner[r] === domain && this.run.state[r] === State.granted) return false;
    return true;
  }

  referenceOf(r: number): number {
    return this.run.reference[r]!;
  }

  /** A domain's own table and what it has mapped; at most 64 runs. */
  describe(domain: number): Variable {
    const { run, table } = this;
    const t = this.rowOf.get(domain)!;
    const frames = Math.ceil(table.high[t]! / ENTRIES_PER_FRAME);
    const children: Variable[] = [
      { name: "frames", value: `${frames} of ${table.frames[t]!}`, number: frames },
      { name: "mapped of others", value: `${table.mapped[t]!}`, number: table.mapped[t]! },
    ];
    for (let r = 0; r < run.rows && children.length < 66; r++) {
      if (run.owner[r] !== domain || run.state[r] === State.free || run.state[r] === 0) continue;
      const last = run.reference[r]! + run.count[r]! - 1;
      const to = this.paths.get(run.grantee[r]!) ?? "";
      children.push({
        name: run.count[r] === 1 ? `${last}` : `${run.reference[r]!}–${last}`,
        value: `${run.readonly[r] === 1 ? "read-only " : ""}to ${to}, ${run.pins[r] === 0 ? "not mapped" : "mapped"}${run.state[r] === State.orphaned ? ", its domain is gone" : ""}`,
        number: run.pins[r]!,
      });
    }
    return { name: "grant table", value: `${table.used[t]!} of ${table.frames[t]! * ENTRIES_PER_FRAME - RESERVED_ENTRIES} entries`, number: table.used[t]!, children };
  }

  // --- Entries ------------------------------------------------------------------------------------------------------

  /** Takes the first free run that is long enough, else entries that were never used. @returns a row with reference and count, or −1 */
  private takeEntries(t: number, count: number): number {
    const { run, table } = this;
    for (let before = 0, link = table.free[t]!; link !== 0; before = link, link = run.next[link - 1]!) {
      const found = link - 1;
      if (run.count[found]! < count) continue;
      if (run.count[found] === count) {
        if (before === 0) table.free[t] = run.next[found]!;
        else run.next[before - 1] = run.next[found]!;
        return found;
      }
      const part = run.alloc();
      run.reference[part] = run.reference[found]!;
      run.count[part] = count;
      run.reference[found]! += count;
      run.count[found]! -= count;
      return part;
    }
    if (table.high[t]! + count > table.frames[t]! * ENTRIES_PER_FRAME) return NONE;
    const r = run.alloc();
    run.reference[r] = table.high[t]!;
    run.count[r] = count;
    table.high[t]! += count;
    return r;
  }

  private giveBack(r: number): void {
    const { run, table } = this;
    const t = this.rowOf.get(run.owner[r]!)!;
    table.used[t]! -= run.count[r]!;
    run.state[r] = State.free;
    run.next[r] = table.free[t]!;
    table.free[t] = r + 1;
  }

  private spendBatch(fn: number, count: number): void {
    this.cpus.spendTime(fn, this.costs.latency("grant hypercall") + count * this.costs.of(fn, 0), NONE, count);
  }

  private refuse(by: Requester, why: keyof typeof this.fn, a: number, b: number): false {
    this.kernel.mark(this.fn[why], by.component, by.context, this.kernel.now, 0, NONE, a, b);
    return false;
  }
}
