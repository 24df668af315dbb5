import type { Kernel } from "../kernel/kernel";
import { NONE } from "../trace/trace";
import { CreditAccounting, Priority } from "./creditAccounting";
import { CreditPlacement } from "./creditPlacement";
import type { Accounting, PcpuView, VcpuParameters, VcpuPolicy } from "./vcpuPolicy";

const MICROSECOND = 1e6;
const MILLISECOND = 1e9;
/** `CSCHED_TICKS_PER_TSLICE`, xen/common/sched_credit.c; a slice of fewer milliseconds has one. */
const TICKS_PER_SLICE = 3;
/** `CSCHED_MIN_TIMER`: XEN_SYSCTL_SCHED_RATELIMIT_MIN, xen/include/public/sysctl.h. */
const MIN_TIMER = 100 * MICROSECOND;

/**
 * Xen's credit scheduler (credit1, the default of Xen 4.10), after `xen/common/sched_credit.c`: run queues per pCPU in
 * order of priority, credits burned by running and handed out by weight every slice (`creditAccounting.ts`), BOOST on
 * wake-up for a vCPU that has credits left, a ratelimit before preemption, caps by parking, stealing of strictly higher
 * priorities by a pCPU that would otherwise run something lower or idle, on its own node first, and vCPUs that leave a pCPU for
 * which others wait while another one idles (`creditPlacement.ts`).
 */
export class CreditPolicy implements VcpuPolicy {
  readonly tickPeriod: number;
  private readonly vcpu;
  private readonly queue;
  private readonly node;
  readonly accounting: Accounting;
  private readonly credits: CreditAccounting;
  private readonly placement: CreditPlacement;
  private readonly parameters = new Map<number, VcpuParameters>();
  private readonly order: number[] = [];
  private readonly rowOf = new Map<number, number>();

  /**
   * @param timeslice picoseconds (`sched_credit_tslice_ms`, 30 ms); a tick is a third of it, in whole microseconds (`__csched_set_tslice`)
   * @param ratelimit picoseconds (`sched_ratelimit_us`, 1000 µs); 0: off
   */
  constructor(
    private readonly kernel: Kernel, private readonly host: PcpuView, name: string,
    private readonly timeslice: number, private readonly ratelimit: number,
  ) {
    const ticks = timeslice < TICKS_PER_SLICE * MILLISECOND ? 1 : TICKS_PER_SLICE;
    this.tickPeriod = Math.floor(timeslice / MICROSECOND / ticks) * MICROSECOND;
    this.vcpu = kernel.store.table(`credit: vcpus of ${name}`, {
      credit: "f64", priority: "i8", pcpu: "u16", next: "i32", queued: "u8", active: "u8", parked: "u8", leaving: "u8", started: "f64",
    });
    const queue = kernel.store.table(`credit: run queues of ${name}`, { head: "i32", sorted: "i32" });
    this.queue = queue;
    this.placement = new CreditPlacement(kernel.store, name, host, this.vcpu, { mayRun: (v, p) => this.mayRun(v, p), isEmpty: (p) => queue.head[p] === NONE });
    const credits = new CreditAccounting(kernel, name, timeslice, host.count, this.vcpu);
    this.credits = credits;
    this.accounting = {
      period: timeslice,
      get activeVcpus() { return credits.activeVcpus; },
      get activeDomains() { return credits.activeDomains; },
      account: (pcpu) => this.account(pcpu),
    };
    for (let p = 0; p < host.count; p++) {
      const row = queue.alloc();
      queue.head[row] = NONE;
    }
    const node = kernel.store.table(`credit: nodes of ${name}`, { robbed: "u16" });
    this.node = node;
    for (let n = 0; n < host.topology.nodes; n++) {
      const row = node.alloc();
      node.robbed[row] = host.topology.firstOf(n);
    }
  }

  add(vcpu: number, parameters: VcpuParameters): void {
    const v = this.vcpu.alloc();
    this.rowOf.set(vcpu, v);
    this.parameters.set(v, parameters);
    this.order.push(vcpu);
    this.credits.add(parameters);
    const allowed = parameters.affinity.length > 0 ? parameters.affinity : Array.from({ length: this.host.count }, (_, p) => p);
    this.vcpu.pcpu[v] = allowed[v % allowed.length]!;
    this.vcpu.priority[v] = Priority.under;
    this.vcpu.next[v] = NONE;
  }

  /** `csched_vcpu_wake`: boost a vCPU that has credits, queue it, and tickle whoever should run it. */
  wake(vcpu: number, from: number): void {
    const v = this.rowOf.get(vcpu)!;
    const c = this.vcpu;
    if (c.queued[v] === 1) return;
    if (c.priority[v] === Priority.under && c.parked[v] === 0) c.priority[v] = Priority.boost;
    this.insert(v);
    this.tickleFor(v, from);
  }

  /**
   * `__runq_tickle`: its own pCPU if that is idle, else another idle one, else its own if that runs something lower. That leaves it, if one idles that it may run on.
   * @param running what runs there, or will in a moment
   */
  private tickleFor(v: number, from: number, running = this.runningOn(this.vcpu.pcpu[v]!)): void {
    const c = this.vcpu;
    if (c.queued[v] === 0) return;
    const home = c.pcpu[v]!;
    if (running === NONE) return this.host.tickle(home, from);
    const idler = this.placement.idlerFor(v, from === NONE ? home : from);
    if (idler !== NONE) return this.host.tickle(idler, from);
    if (c.priority[v]! <= c.priority[running]!) return;
    if (this.placement.hasIdlerFor(running)) c.leaving[running] = 1;
    this.host.tickle(home, from);
  }

  /** `csched_vcpu_sleep`. */
  sleep(vcpu: number, pcpu: number): void {
    const v = this.rowOf.get(vcpu)!;
    this.vcpu.leaving[v] = 0;
    if (pcpu !== NONE) this.burn(v, pcpu);
    else if (this.vcpu.queued[v] === 1) this.remove(v);
  }

  /** `csched_schedule`. */
  pick(pcpu: number): { vcpu: number; slice: number } {
    const c = this.vcpu;
    const { host } = this;
    const vcpu = host.current(pcpu);
    const current = vcpu === NONE ? NONE : this.rowOf.get(vcpu)!;
    const leaves = current !== NONE && c.leaving[current] === 1;
    const runnable = current !== NONE && !leaves && host.isRunnable(vcpu);
    if (current !== NONE) this.burn(current, pcpu);
    const ran = this.kernel.now - host.since(pcpu);
    if (runnable && c.parked[current] === 0 && ran < this.ratelimit) return { vcpu, slice: ran < MIN_TIMER ? MIN_TIMER : this.ratelimit - ran };
    if (runnable) this.insert(current);
    let chosen = this.queue.head[pcpu]!;
    const priority = chosen === NONE ? Priority.idle : c.priority[chosen]!;
    if (priority <= Priority.over) {
      const stolen = this.steal(pcpu, priority);
      if (stolen !== NONE) chosen = stolen;
    }
    if (chosen !== NONE) this.remove(chosen);
    if (leaves) chosen = this.migrate(current, pcpu, chosen);
    if (chosen === NONE) return { vcpu: NONE, slice: 0 };
    c.pcpu[chosen] = pcpu;
    c.started[chosen] = this.kernel.now;
    return { vcpu: this.order[chosen]!, slice: this.timeslice };
  }

  /**
   * `vcpu_migrate` (xen/common/schedule.c): a vCPU that has left its pCPU for whoever is chosen waits at the one where it is best now, and is not boosted for that.
   * @returns who is chosen: itself, if nobody else is and it is best where it was
   */
  private migrate(v: number, pcpu: number, chosen: number): number {
    const c = this.vcpu;
    c.leaving[v] = 0;
    if (!this.host.isRunnable(this.order[v]!) || c.parked[v] === 1) return chosen;
    const to = this.placement.place(v, true);
    if (chosen === NONE && to === pcpu) return v;
    c.pcpu[v] = to;
    this.insert(v);
    this.tickleFor(v, pcpu, to === pcpu ? chosen : this.runningOn(to));
    return chosen;
  }

  /** `csched_tick`. Who waits and comes before the vCPU that runs, now that it has no boost or no credits, waits for the end of its slice. */
  tick(pcpu: number): void {
    const vcpu = this.host.current(pcpu);
    if (vcpu !== NONE) {
      const v = this.rowOf.get(vcpu)!;
      if (this.vcpu.priority[v] === Priority.boost) this.vcpu.priority[v] = Priority.under;
      this.burn(v, pcpu);
      if (this.vcpu.active[v] === 0) this.credits.start(v);
      else this.look(v, pcpu);
    }
    this.sort(pcpu);
  }

  /** `csched_vcpu_acct`, of a vCPU that has been active since a tick before: it leaves its pCPU if it is better off elsewhere. */
  private look(v: number, pcpu: number): void {
    if (this.placement.place(v, false) === pcpu) return;
    this.vcpu.leaving[v] = 1;
    this.host.tickle(pcpu, pcpu);
  }

  /** `csched_acct`. Each pCPU sorts its queue at its next tick. */
  private account(pcpu: number): void {
    this.credits.account({ park: (v) => this.park(v, pcpu), unpark: (v) => this.unpark(v, pcpu) });
  }

  /** `vcpu_pause_nosync`, and with it `csched_vcpu_sleep`. */
  private park(v: number, by: number): void {
    const home = this.vcpu.pcpu[v]!;
    if (this.host.current(home) === this.order[v]) this.host.tickle(home, by);
    else if (this.vcpu.queued[v] === 1) this.remove(v);
  }

  /** `vcpu_unpause`: it looks for a pCPU as if it woke, but is not boosted. */
  private unpark(v: number, by: number): void {
    const vcpu = this.order[v]!;
    if (!this.host.isRunnable(vcpu) || this.host.current(this.vcpu.pcpu[v]!) === vcpu) return;
    this.insert(v);
    this.tickleFor(v, by);
  }

  private burn(v: number, pcpu: number): void {
    const from = Math.max(this.vcpu.started[v]!, this.host.since(pcpu));
    const ran = this.kernel.now - from;
    if (ran <= 0) return;
    this.credits.burn(v, ran);
    this.vcpu.started[v] = this.kernel.now;
  }

  /** The row of who has the pCPU, or −1. */
  private runningOn(pcpu: number): number {
    const vcpu = this.host.current(pcpu);
    return vcpu === NONE ? NONE : this.rowOf.get(vcpu)!;
  }

  private mayRun(v: number, pcpu: number): boolean {
    const { affinity } = this.parameters.get(v)!;
    return affinity.length === 0 || affinity.includes(pcpu);
  }

  /**
   * `csched_load_balance`: the first waiting vCPU of another pCPU with a priority strictly above `priority`, node by node from
   * the own one on, and on each from the pCPU on that comes after the one that was robbed last (`balance_bias`).
   */
  private steal(pcpu: number, priority: number): number {
    const { topology } = this.host;
    const own = topology.nodeOf(pcpu);
    for (let i = 0; i < topology.nodes; i++) {
      const node = (own + i) % topology.nodes;
      const first = topology.firstOf(node);
      const size = topology.firstOf(node + 1) - first;
      const robbed = this.node.robbed[node]!;
      for (let k = 1; k <= size; k++) {
        const peer = first + ((robbed - first + k) % size);
        const v = peer === pcpu ? NONE : this.stealFrom(peer, pcpu, priority);
        if (v === NONE) continue;
        this.node.robbed[node] = peer;
        return v;
      }
    }
    return NONE;
  }

  /** `csched_runq_steal`: an idle pCPU is about to take what waits for it itself. */
  private stealFrom(peer: number, pcpu: number, priority: number): number {
    if (this.host.current(peer) === NONE) return NONE;
    for (let v = this.queue.head[peer]!; v !== NONE && this.vcpu.priority[v]! > priority; v = this.vcpu.next[v]!) {
      if (this.mayRun(v, pcpu)) return v;
    }
    return NONE;
  }

  /** Behind all of its priority or better; a parked one is not queued. */
  private insert(v: number): void {
    const c = this.vcpu;
    if (c.queued[v] === 1 || c.parked[v] === 1) return;
    const q = c.pcpu[v]!;
    c.queued[v] = 1;
    let before: number = NONE;
    let at = this.queue.head[q]!;
    while (at !== NONE && c.priority[at]! >= c.priority[v]!) {
      before = at;
      at = c.next[at]!;
    }
    c.next[v] = at;
    if (before === NONE) this.queue.head[q] = v;
    else c.next[before] = v;
  }

  private remove(v: number): void {
    const c = this.vcpu;
    const q = c.pcpu[v]!;
    c.queued[v] = 0;
    if (this.queue.head[q] === v) {
      this.queue.head[q] = c.next[v]!;
      return;
    }
    let at = this.queue.head[q]!;
    while (c.next[at] !== v) at = c.next[at]!;
    c.next[at] = c.next[v]!;
  }

  /** `csched_runq_sort`: since priorities have changed, those that have credits come before those that have none, each in the order in which they stand. */
  private sort(pcpu: number): void {
    const c = this.vcpu;
    const { head, sorted } = this.queue;
    if (sorted[pcpu] === this.credits.count) return;
    sorted[pcpu] = this.credits.count;
    let lastUnder: number = NONE;
    let before: number = NONE;
    for (let v = head[pcpu]!; v !== NONE;) {
      const next = c.next[v]!;
      if (c.priority[v]! < Priority.under) {
        before = v;
      } else {
        if (before === lastUnder) {
          before = v;
        } else {
          c.next[before] = next;
          c.next[v] = lastUnder === NONE ? head[pcpu]! : c.next[lastUnder]!;
          if (lastUnder === NONE) head[pcpu] = v;
          else c.next[lastUnder] = v;
        }
        lastUnder = v;
      }
      v = next;
    }
  }

  describe(vcpu: number): string {
    const v = this.rowOf.get(vcpu)!;
    const names: Record<number, string> = { 0: "BOOST", [-1]: "UNDER", [-2]: "OVER" };
    return `, ${names[this.vcpu.priority[v]!]!}, ${this.vcpu.credit[v]!.toFixed(1)} credits${this.vcpu.parked[v] === 1 ? ", parked" : ""}`;
  }
}
