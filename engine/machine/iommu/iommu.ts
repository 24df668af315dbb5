import type { Scope } from "../../inspect";
import type { Kernel, Model } from "../../kernel/kernel";
import { Priority } from "../../kernel/queue";
import type { CostProfile } from "../../profiles/profile";
import { NONE } from "../../trace/trace";
import { NOBODY, PAGE_SIZE, type HostMemory } from "../memory";
import { FaultLog, type FaultRecord } from "./faults";
import { Iotlb } from "./iotlb";
import { PageTables } from "./pageTables";
import { formatRoutingId } from "../nic/routingIds";

const Op = { invalidated: 0 } as const;
/** What a DMA gets that may not happen. */
export const REFUSED = -1;

/** Who asks for a DMA, as the trace names it. */
export interface Requester {
  readonly component: number;
  readonly context: number;
}

/**
 * The IOMMU of a host: which machine pages each PCI function may reach (LibrettOS 2.5), by page tables per function and a
 * cache of translations (IOTLB); a fault log; and the table that interrupts are remapped by. The hypervisor maps a domain's
 * whole memory when it assigns the function, as Xen's passthrough does: drivers pay nothing at run time.
 */
export class Iommu implements Model {
  readonly id: number;
  private readonly fn;
  private readonly tables: PageTables;
  private readonly iotlb: Iotlb;
  private readonly faultLog: FaultLog;
  private readonly functions;
  private readonly invalidation;
  private readonly remapping;
  private readonly context: number;
  private readonly names: string[] = [];

  /** @param on false: every DMA reaches all memory, unchecked, and interrupts go where the device says */
  constructor(private readonly kernel: Kernel, private readonly costs: CostProfile, readonly memory: HostMemory, host: string, readonly on: boolean) {
    const { store } = kernel;
    this.id = kernel.component(`${host}/iommu`, "iommu", host, undefined, this);
    this.context = kernel.context("device", `${host}/iommu`, host, undefined);
    this.fn = kernel.functions({
      "IOMMU fault": { kind: "violation", a: "routing id", b: "I/O page" },
      "IOTLB miss": { kind: "dma", a: "I/O page" },
      "IOTLB invalidation": { kind: "device", a: "I/O page", b: "pages" },
      "stale translation": { kind: "violation", a: "routing id", b: "I/O page" },
      "bus master off": { kind: "drop", a: "routing id" },
      pci_check_disable_device: { file: "xen/drivers/passthrough/pci.c", kind: "hypervisor", a: "routing id" },
      "interrupt not remapped": { kind: "violation", a: "routing id", b: "index" },
    });
    this.tables = new PageTables(store, host);
    this.iotlb = new Iotlb(store, host);
    this.faultLog = new FaultLog(store, host);
    this.functions = store.table(`iommu of ${host}`, { owner: "i32", routingId: "u16", busMaster: "u8", translations: "f64", misses: "f64", unsettled: "u16" });
    this.invalidation = store.table(`IOTLB invalidations of ${host}`, { function: "u16", page: "u32", pages: "u32", since: "f64" });
    this.remapping = store.table(`interrupt remapping of ${host}`, { function: "u16", line: "i32" });
  }

  /** Adds a PCI function, assigned to nobody. */
  addFunction(path: string, routingId: number): number {
    const f = this.functions.alloc();
    this.tables.addFunction();
    this.faultLog.addFunction();
    this.functions.owner[f] = NOBODY;
    this.functions.routingId[f] = routingId;
    this.functions.busMaster[f] = 1;
    this.names.push(path);
    return f;
  }

  // --- What the hypervisor does -------------------------------------------------------------------------------------

  /** Maps a domain's memory for the function. @throws Error if it is assigned to another: a function has one owner. */
  assign(f: number, domain: number): void {
    const owner = this.functions.owner[f]!;
    if (owner === domain) return;
    if (owner !== NOBODY) throw new Error(`${this.names[f]} is assigned already (EBUSY)`);
    this.functions.owner[f] = domain;
    this.functions.busMaster[f] = 1;
    this.faultLog.reset(f);
    this.tables.map(f, 0, this.memory.pagesOf(domain), this.memory.guestBase(domain));
  }

  /** Takes the function back: nothing is mapped for it any more, and its interrupts lead nowhere. */
  release(f: number): void {
    const pages = this.memory.pagesOf(this.functions.owner[f]!);
    this.functions.owner[f] = NOBODY;
    this.unmap(f, 0, pages);
    for (let index = 0; index < this.remapping.rows; index++) if (this.remapping.function[index] === f) this.remapping.line[index] = NONE;
  }

  /**
   * Maps machine pages for a function that is assigned. @returns false, and nothing changes, unless all pages belong to the
   * function's owner: the guard of every binding
   */
  map(f: number, page: number, pages: number, frame: number): boolean {
    if (!this.memory.owns(this.functions.owner[f]!, frame, pages)) return false;
    this.tables.map(f, page, pages, frame);
    return true;
  }

  /** Takes pages out of the tables. Until the invalidation completes, a DMA may still find them in the IOTLB. */
  unmap(f: number, page: number, pages: number): void {
    this.tables.unmap(f, page, pages);
    const i = this.invalidation.alloc();
    this.invalidation.function[i] = f;
    this.invalidation.page[i] = page;
    this.invalidation.pages[i] = pages;
    this.functions.unsettled[f]!++;
    this.kernel.schedule(this.costs.of(this.fn["IOTLB invalidation"], 0), Priority.hardware, this.id, Op.invalidated, i);
  }

  ownerOf(f: number): number {
    return this.functions.owner[f]!;
  }

  isBusMaster(f: number): boolean {
    return this.functions.busMaster[f] === 1;
  }

  /** Allocates an entry of the interrupt remapping table. @param line {@link NONE}: not assigned yet @returns its index, which the device sends */
  addInterrupt(f: number, line: number = NONE): number {
    const index = this.remapping.alloc();
    this.remapping.function[index] = f;
    this.remapping.line[index] = line;
    return index;
  }

  /** Points an entry at an interrupt line; {@link NONE} takes the line away. */
  route(index: number, line: number): void {
    this.remapping.line[index] = line;
  }

  // --- What devices do ----------------------------------------------------------------------------------------------

  /**
   * A DMA of the function at an I/O virtual address. A refusal is marked in the trace and nothing may be transferred.
   * @returns picoseconds that the translation takes (0 where the IOTLB has it), or {@link REFUSED}
   */
  access(f: number, address: number, bytes: number, by: Requester, packet: number): number {
    if (this.functions.busMaster[f] === 0) {
      this.kernel.mark(this.fn["bus master off"], by.component, by.context, this.kernel.now, 0, packet, this.functions.routingId[f]!);
      return REFUSED;
    }
    if (!this.on) return 0;
    let time = 0;
    for (let page = Math.floor(address / PAGE_SIZE), last = Math.floor((address + bytes - 1) / PAGE_SIZE); page <= last; page++) {
      const miss = this.translate(f, page, by, packet);
      if (miss === REFUSED) return REFUSED;
      time += miss;
    }
    return time;
  }

  /** An interrupt message of the function. @returns the line to raise, or {@link NONE}: dropped, and marked so */
  remap(f: number, index: number, by: Requester): number {
    const valid = index >= 0 && index < this.remapping.rows && this.remapping.function[index] === f;
    const line = valid ? this.remapping.line[index]! : NONE;
    if (line === NONE) this.kernel.mark(this.fn["interrupt not remapped"], by.component, by.context, this.kernel.now, 0, NONE, this.functions.routingId[f]!, index);
    return line;
  }

  private translate(f: number, page: number, by: Requester, packet: number): number {
    const { kernel, functions, fn } = this;
    functions.translations[f]!++;
    if (this.iotlb.lookup(f, page) >= 0) {
      if (functions.unsettled[f]! > 0 && this.tables.walk(f, page) === undefined) {
        kernel.mark(fn["stale translation"], by.component, by.context, kernel.now, 0, packet, functions.routingId[f]!, page);
      }
      return 0;
    }
    const found = this.tables.walk(f, page);
    if (found === undefined) {
      kernel.mark(fn["IOMMU fault"], by.component, by.context, kernel.now, 0, packet, functions.routingId[f]!, page);
      if (this.faultLog.add(f, functions.routingId[f]!, page, kernel.now)) {
        functions.busMaster[f] = 0;
        kernel.mark(fn.pci_check_disable_device, this.id, by.context, kernel.now, 0, NONE, functions.routingId[f]!);
      }
      return REFUSED;
    }
    functions.misses[f]!++;
    kernel.mark(fn["IOTLB miss"], this.id, by.context, kernel.now, 0, packet, page);
    this.iotlb.fill(f, found.page, found.pages, found.frame);
    return this.costs.of(fn["IOTLB miss"], 0);
  }

  fire(_op: number, i: number): void {
    const { kernel, invalidation } = this;
    const f = invalidation.function[i]!;
    this.iotlb.invalidate(f, invalidation.page[i]!, invalidation.pages[i]!);
    this.functions.unsettled[f]!--;
    const time = this.costs.of(this.fn["IOTLB invalidation"], 0);
    kernel.mark(this.fn["IOTLB invalidation"], this.id, this.context, kernel.now - time, time, NONE, invalidation.page[i]!, invalidation.pages[i]!);
    invalidation.release(i);
  }

  // --- For people ---------------------------------------------------------------------------------------------------

  get faults(): number {
    return this.faultLog.all;
  }

  /** The last faults, oldest first. */
  faultRecords(): FaultRecord[] {
    return this.faultLog.records();
  }

  describe(): Scope[] {
    const { functions } = this;
    return [{
      name: "IOMMU",
      variables: [
        { name: "IOTLB", value: `${this.iotlb.count} translations cached`, number: this.iotlb.count },
        ...this.names.map((name, f) => ({
          name, value: functions.owner[f] === NOBODY ? "unassigned" : `memory of domain ${functions.owner[f]!}`,
          children: [
            { name: "routing id", value: formatRoutingId(functions.routingId[f]!), number: functions.routingId[f]! },
            { name: "mapped", value: `${this.tables.mapped(f)} pages`, number: this.tables.mapped(f) },
            { name: "translations", value: `${functions.translations[f]!}`, number: functions.translations[f]! },
            { name: "IOTLB misses", value: `${functions.misses[f]!}`, number: functions.misses[f]! },
            { name: "faults", value: `${this.faultLog.of(f)}`, number: this.faultLog.of(f) },
            { name: "bus master", value: functions.busMaster[f] === 1 ? "on" : "off", number: functions.busMaster[f]! },
          ],
        })),
      ],
    }];
  }
}
