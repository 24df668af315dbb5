import type { Kernel } from "../kernel/kernel";
import type { CostProfile } from "../profiles/profile";
import type { Accounting } from "./vcpuPolicy";

/**
 * The pCPU whose timer does the policy's accounting for the whole host: the first that has come up (`prv->master`, `init_pdata` of
 * xen/common/sched_credit.c).
 */
export const MASTER = 0;

/** What an accounting costs: it goes through the domains that are active when it begins, and their active vCPUs. */
export class MasterAccounting {
  /** What the one that is under way goes through, or the last. A tick of another pCPU may make a vCPU active meanwhile. */
  private readonly under;
  private readonly perVcpu: number;
  private readonly perDomain: number;

  constructor(kernel: Kernel, private readonly costs: CostProfile, private readonly fn: number, host: string) {
    this.under = kernel.store.table(`accounting of ${host}`, { vcpus: "i32", domains: "i32" }, 1);
    this.under.alloc();
    this.perVcpu = costs.latency("csched_acct: active vCPU");
    this.perDomain = costs.latency("csched_acct: active domain");
  }

  /** One begins. @returns how long it takes, picoseconds */
  begin({ activeVcpus, activeDomains }: Accounting): number {
    this.under.vcpus[0] = activeVcpus;
    this.under.domains[0] = activeDomains;
    return this.costs.of(this.fn, 0) + activeVcpus * this.perVcpu + activeDomains * this.perDomain;
  }

  get vcpus(): number {
    return this.under.vcpus[0]!;
  }

  get domains(): number {
    return this.under.domains[0]!;
  }
}
