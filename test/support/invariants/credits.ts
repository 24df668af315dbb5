import assert from "node:assert/strict";
import type { MachineEngine } from "../../../engine/create";
import { CreditPolicy } from "../../../engine/scheduling/credit";
import { VcpuState } from "../../../engine/scheduling/vcpus";
import type { Invariant } from "./invariant";

/** Credits of a picosecond (`CSCHED_CREDITS_PER_MSEC`), and a priority (xen/common/sched_credit.c). */
const PER_PICOSECOND = 10 / 1e9;
const OVER = -2;
/** Credits that may be lost in rounding. */
const ROUNDING = 1e-3;

type Host = MachineEngine["built"]["hypervisors"][number];

/** What the active vCPUs of a domain get at an accounting. `each`: undefined where all of them are let off a debt. */
interface Earnings {
  readonly count: number;
  readonly weight: number;
  readonly cap: number;
  readonly each: number | undefined;
}

/** What the credit scheduler of one host gives to vCPUs and takes from them. Rows are the policy's. */
class Ledger {
  private readonly columns;
  private readonly vcpus: readonly number[];
  private readonly slice: number;
  /** As they were after the dispatch before. */
  private readonly credit: Float64Array;
  private readonly active: Uint8Array;
  /** Accountings so far. */
  private count = 0;
  /** What all together owed after the last accounting. */
  private debt = 0;
  /** Credits that have been taken from each vCPU so far. */
  private readonly taken: Float64Array;

  constructor(private readonly engine: MachineEngine, private readonly host: Host, private readonly policy: CreditPolicy) {
    this.columns = policy["vcpu"];
    this.vcpus = policy["order"];
    this.slice = policy["timeslice"] * PER_PICOSECOND;
    const count = this.vcpus.length;
    this.credit = new Float64Array(count);
    this.active = new Uint8Array(count);
    this.taken = new Float64Array(count);
  }

  private nameOf(v: number): string {
    return this.engine.names.vcpus[this.vcpus[v]!]!.path;
  }

  readonly step = (): void => {
    const { columns, credit, taken, active } = this;
    const count = this.policy["credits"].count;
    if (count !== this.count) this.accounted();
    else for (let v = 0; v < credit.length; v++) taken[v]! += credit[v]! - columns.credit[v]!;
    this.count = count;
    for (let v = 0; v < credit.length; v++) {
      credit[v] = columns.credit[v]!;
      active[v] = columns.active[v]!;
      if (columns.parked[v] === 1 && columns.queued[v] === 1) assert.fail(`${this.nameOf(v)} is parked, and waits for a pCPU`);
    }
  };

  /** Whoever has no pCPU has paid for the time that it had one; and for no more than that and what the hypervisor took. */
  readonly sample = (): void => {
    const { vcpu } = this.engine.built.machine.cpus.vcpus;
    const { hypervisor, cores } = this.host;
    let overhead = 0;
    const current = new Set<number>();
    for (let p = 0; p < cores; p++) {
      overhead += hypervisor.overheadOf(p, this.engine.time) * PER_PICOSECOND;
      current.add(hypervisor.current(p));
    }
    this.vcpus.forEach((id, v) => {
      // From whom the hypervisor has its pCPU only for a while, it still has it.
      if (vcpu.state[id] === VcpuState.running || current.has(id)) return;
      const owed = vcpu.ran[id]! * PER_PICOSECOND;
      const paid = this.taken[v]!;
      assert.ok(paid > owed - ROUNDING && paid < owed + overhead + ROUNDING, `${this.nameOf(v)} has paid ${paid} credits for ${owed}`);
    });
  };

  /** Every active vCPU has got its share. */
  private accounted(): void {
    const { columns, credit, slice, host: { cores } } = this;
    const domains = new Map<number, Earnings>();
    let balance = 0;
    for (let v = 0; v < credit.length; v++) {
      const { domain, weight, cap } = this.policy["parameters"].get(v)!;
      const isActive = this.active[v] === 1;
      const after = columns.credit[v]!;
      // Who has more than it can use in a slice drops out, with half of it.
      const gained = (isActive && columns.active[v] === 0 ? 2 * after : after) - credit[v]!;
      if (!isActive) {
        assert.ok(Math.abs(gained) < ROUNDING, `${this.nameOf(v)} is not active, and gets ${gained} credits`);
        continue;
      }
      balance += after;
      assert.equal(columns.priority[v] === OVER, after < 0, `${this.nameOf(v)} has ${after} credits, and priority ${columns.priority[v]}`);
      const { count, each } = domains.get(domain) ?? { count: 0, each: undefined };
      // Nobody owes more than a slice: who would is let off the rest.
      const isLetOff = after === -slice;
      if (!isLetOff && each !== undefined) assert.ok(Math.abs(gained - each) < ROUNDING, `${this.nameOf(v)} gets ${gained} credits, another vCPU of its domain ${each}`);
      domains.set(domain, { count: count + 1, weight, cap, each: isLetOff ? each : gained });
    }
    this.shared([...domains.values()], slice * cores + this.debt, slice);
    this.debt = Math.max(0, -balance);
  }

  /** @param total credits that there are, with those that all together owed after the accounting before: what is let off comes back so */
  private shared(domains: readonly Earnings[], total: number, slice: number): void {
    const weights = domains.reduce((sum, { weight, count }) => sum + weight * count, 0);
    let all = 0;
    for (const { weight, count, cap, each } of domains) {
      if (each === undefined) continue;
      const part = (weight * count) / weights;
      const most = Math.min(count * slice + this.debt * part, cap > 0 ? (cap * slice) / 100 : Infinity);
      const gained = count * each;
      all += gained;
      assert.ok(gained < most + ROUNDING, `${count} vCPUs under a cap of ${cap} % get ${gained} credits, and at most ${most}`);
      assert.ok(gained > Math.min(total * part, most) - ROUNDING, `${count} vCPUs of weight ${weight} of ${weights} get ${gained} of ${total} credits`);
    }
    assert.ok(all < total + ROUNDING, `${all} of ${total} credits`);
  }
}

/** Rules of Xen's credit accounting. */
export const creditInvariants: readonly Invariant[] = [
  {
    number: 57, says: "under the credit scheduler time follows weights, and caps hold: a vCPU pays for the time that it runs, an accounting gives the domains that are active no less than the part of the credits that is theirs by weight, as far as they can use it and their caps let them, and all no more than there are; who owes comes after who does not, and who is parked does not wait for a pCPU",
    watch: (engine) => {
      const ledgers = engine.built.hypervisors.flatMap((host) => {
        const policy: unknown = host.hypervisor["policy"];
        return policy instanceof CreditPolicy ? [new Ledger(engine, host, policy)] : [];
      });
      return ledgers.length === 0 ? {} : {
        step: () => { for (const ledger of ledgers) ledger.step(); },
        sample: () => { for (const ledger of ledgers) ledger.sample(); },
      };
    },
  },
];
