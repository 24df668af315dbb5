import type { Kernel } from "../kernel/kernel";
import type { VcpuParameters } from "./vcpuPolicy";

const MILLISECOND = 1e9;
/** `CSCHED_CREDITS_PER_MSEC`, xen/common/sched_credit.c. */
const CREDITS_PER_MS = 10;
export const Priority = { boost: 0, under: -1, over: -2, idle: -64 } as const;

/** What accounting reads and writes of a vCPU. */
export interface CreditTable {
  readonly credit: Float64Array;
  readonly priority: Int8Array;
  readonly active: Uint8Array;
  readonly parked: Uint8Array;
}

/** What becomes of a vCPU whose domain's cap keeps it from running, and does no longer. */
export interface Parking {
  park(v: number): void;
  unpark(v: number): void;
}

/**
 * Who gets how many credits: `csched_acct` of xen/common/sched_credit.c. The credits of one slice of all pCPUs go to the
 * domains that have active vCPUs, by weight times their number. A domain gets no more than its vCPUs can burn, nor than its
 * cap, which is a percentage of one pCPU for all of them together; what it leaves goes to the domains after it, and those
 * that could use more come first the next time. Within a domain all active vCPUs get the same.
 */
export class CreditAccounting {
  private readonly domain;
  private readonly state;
  private readonly rowOf = new Map<number, number>();
  /** By vCPU: row of its domain. */
  private readonly domainOf: number[] = [];
  private readonly vcpusOf: number[][] = [];
  private readonly parameters: VcpuParameters[] = [];
  private readonly perSlice: number;

  /** @param timeslice picoseconds */
  constructor(kernel: Kernel, name: string, timeslice: number, private readonly pcpus: number, private readonly vcpus: CreditTable) {
    this.perSlice = (CREDITS_PER_MS * timeslice) / MILLISECOND;
    this.domain = kernel.store.table(`credit: domains of ${name}`, { active: "u16", rank: "f64" });
    this.state = kernel.store.table(`credit: accounting of ${name}`, { count: "i32", balance: "f64", ranks: "f64" }, 1);
    this.state.alloc();
  }

  /** vCPUs are numbered from 0, as they are added. */
  add(parameters: VcpuParameters): void {
    let d = this.rowOf.get(parameters.domain);
    if (d === undefined) {
      d = this.domain.alloc();
      this.rowOf.set(parameters.domain, d);
      this.vcpusOf.push([]);
      this.parameters.push(parameters);
    }
    this.vcpusOf[d]!.push(this.domainOf.length);
    this.domainOf.push(d);
  }

  burn(v: number, picoseconds: number): void {
    this.vcpus.credit[v]! -= (picoseconds * CREDITS_PER_MS) / MILLISECOND;
  }

  /** `__csched_vcpu_acct_start`: a vCPU that a tick finds running, and that was not active, earns credits. */
  start(v: number): void {
    this.vcpus.active[v] = 1;
    const d = this.domainOf[v]!;
    if (this.domain.active[d]!++ === 0) this.toHead(d);
  }

  /** `csched_acct` */
  account(parking: Parking): void {
    const { domain, state, perSlice } = this;
    const debt = Math.max(0, -state.balance[0]!);
    let weights = 0;
    let total = perSlice * this.pcpus + debt;
    const active = this.parameters.map((_, d) => d).filter((d) => domain.active[d]! > 0).sort((a, b) => domain.rank[b]! - domain.rank[a]!);
    for (const d of active) weights += this.weightOf(d);
    state.balance[0] = 0;
    state.count[0]!++;
    let left = weights;
    let extra = false;
    for (const d of active) {
      const count = domain.active[d]!;
      const weight = this.weightOf(d);
      left -= weight;
      const ceiling = (this.parameters[d]!.cap * perSlice) / 100;
      let peak = count * perSlice + (debt * weight) / weights;
      if (ceiling > 0) peak = Math.min(peak, ceiling);
      let fair = (total * weight) / weights;
      if (fair < peak) extra = true;
      else {
        if (left > 0) total += ((fair - peak) * weights) / left;
        if (extra) this.toHead(d);
        fair = peak;
      }
      for (const v of this.vcpusOf[d]!) if (this.vcpus.active[v] === 1) this.earn(v, fair / count, ceiling / count, parking);
    }
  }

  /** @param ceiling the vCPU's part of its domain's cap; 0: none */
  private earn(v: number, earned: number, ceiling: number, parking: Parking): void {
    const c = this.vcpus;
    let credit = c.credit[v]! + earned;
    if (credit < 0) {
      c.priority[v] = Priority.over;
      if (ceiling > 0 && credit < -ceiling && c.parked[v] === 0) {
        c.parked[v] = 1;
        parking.park(v);
      }
      credit = Math.max(credit, -this.perSlice);
    } else {
      c.priority[v] = Priority.under;
      if (c.parked[v] === 1) {
        c.parked[v] = 0;
        parking.unpark(v);
      }
      if (credit > this.perSlice) {
        // It earns no more until a tick finds it running again, and is a little ahead then.
        credit /= 2;
        c.active[v] = 0;
        this.domain.active[this.domainOf[v]!]!--;
      }
    }
    c.credit[v] = credit;
    this.state.balance[0]! += credit;
  }

  /** A domain's weight is each of its vCPUs'. */
  private weightOf(d: number): number {
    return this.parameters[d]!.weight * this.domain.active[d]!;
  }

  private toHead(d: number): void {
    this.domain.rank[d] = ++this.state.ranks[0]!;
  }

  /** Accountings so far. */
  get count(): number {
    return this.state.count[0]!;
  }

  /** Those that earn credits, of all domains. */
  get activeVcpus(): number {
    let count = 0;
    for (let d = 0; d < this.domain.rows; d++) count += this.domain.active[d]!;
    return count;
  }

  get activeDomains(): number {
    let count = 0;
    for (let d = 0; d < this.domain.rows; d++) if (this.domain.active[d]! > 0) count++;
    return count;
  }
}
