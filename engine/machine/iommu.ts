import type { Scope } from "../inspect";
import type { Kernel, Model } from "../kernel/kernel";

/**
 * The IOMMU of a host: which domain's memory each PCI function may reach (LibrettOS 2.5). A hypervisor maps the whole
 * memory of a domain for a function when it assigns the function, so the mapping is per function and domain.
 */
export class Iommu implements Model {
  readonly id: number;
  private readonly mapping;
  private readonly counters;
  private readonly fault: number;
  private readonly names: string[] = [];

  /** @param on false: every DMA reaches all memory, unchecked */
  constructor(private readonly kernel: Kernel, host: string, readonly on: boolean) {
    this.id = kernel.component(`${host}/iommu`, "iommu", host, undefined, this);
    this.fault = kernel.functions({ "IOMMU fault": { kind: "violation", a: "function", b: "owner of the memory" } })["IOMMU fault"];
    this.mapping = kernel.store.table(`iommu of ${host}`, { owner: "i32", translations: "f64", faults: "f64" });
    this.counters = kernel.store.table(`iommu counters of ${host}`, { faults: "f64" }, 1);
    this.counters.alloc();
  }

  /** Adds a PCI function, assigned to nobody. */
  addFunction(path: string): number {
    const f = this.mapping.alloc();
    this.mapping.owner[f] = -1;
    this.names.push(path);
    return f;
  }

  /** Maps a domain's memory for the function. @throws Error if it is assigned to another: a function has one owner. */
  assign(f: number, domain: number): void {
    const owner = this.mapping.owner[f]!;
    if (owner !== -1 && owner !== domain) throw new Error(`${this.names[f]} is assigned already (EBUSY)`);
    this.mapping.owner[f] = domain;
  }

  /**
   * May this function reach memory of `domain`? A refusal is marked in the trace on `context` and nothing is transferred.
   * A hardware model asks at every DMA, after it marked its own row.
   */
  translate(f: number, domain: number, component: number, context: number, packet: number): boolean {
    if (!this.on) return true;
    this.mapping.translations[f]!++;
    if (this.mapping.owner[f] === domain) return true;
    this.mapping.faults[f]!++;
    this.counters.faults[0]!++;
    this.kernel.mark(this.fault, component, context, this.kernel.now, 0, packet, f, domain);
    return false;
  }

  get faults(): number {
    return this.counters.faults[0]!;
  }

  fire(): void {}

  describe(): Scope[] {
    return [{
      name: "IOMMU",
      variables: this.names.map((name, f) => ({
        name, value: this.mapping.owner[f] === -1 ? "unassigned" : `memory of domain ${this.mapping.owner[f]!}`,
        children: [
          { name: "translations", value: `${this.mapping.translations[f]!}`, number: this.mapping.translations[f]! },
          { name: "faults", value: `${this.mapping.faults[f]!}`, number: this.mapping.faults[f]! },
        ],
      })),
    }];
  }
}
