import type { Scope } from "../inspect";
import type { Kernel, Model } from "../kernel/kernel";
import type { Machine } from "../machine/machine";
import { Priority } from "../kernel/queue";
import type { CostProfile } from "../profiles/profile";
import { NONE, NO_VCPU } from "../trace/trace";
import { VcpuState, type Cpus, type VcpuHost } from "./cpus";
import type { Topology } from "./topology";

/** What a policy knows of its host. pCPUs are numbered from 0 within the host. */
export interface PcpuView {
  readonly count: number;
  readonly topology: Topology;
  /** The vCPU that has the pCPU (also while it is being switched to), or −1. */
  current(pcpu: number): number;
  /** When it got it, picoseconds. */
  since(pcpu: number): number;
  isRunnable(vcpu: number): boolean;
  /** Makes the pCPU choose anew, as the scheduling softirq does. */
  tickle(pcpu: number): void;
}

export interface VcpuParameters {
  readonly domain: number;
  /** Weight and cap are the domain's. */
  readonly weight: number;
  /** Percent of one pCPU that all vCPUs of the domain get together (xl.cfg(5)); 0: no limit. */
  readonly cap: number;
  /** pCPUs it may run on; empty: any. */
  readonly affinity: readonly number[];
}

/** A scheduler of vCPUs over pCPUs. A further one is one file beside `credit.ts`. */
export interface VcpuPolicy {
  add(vcpu: number, parameters: VcpuParameters): void;
  /** The vCPU became runnable. */
  wake(vcpu: number): void;
  /** The vCPU gave up its pCPU and sleeps. @param pcpu −1: it was waiting for one, and does no longer */
  sleep(vcpu: number, pcpu: number): void;
  /** Chooses for a pCPU; the current vCPU, if still runnable, is a candidate. */
  pick(pcpu: number): { readonly vcpu: number; /** Longest run, picoseconds; 0: no limit. */ readonly slice: number };
  /** Period of `tick` on every pCPU, picoseconds; 0: none. */
  readonly tickPeriod: number;
  tick(pcpu: number): void;
  describe(vcpu: number): string;
}

const Op = { reschedule: 0, switched: 1, tick: 2, sliceEnd: 3 } as const;

/**
 * The lower level of scheduling: vCPUs on pCPUs. The mechanism is here (who has which pCPU, what a switch costs, slices);
 * the choice is the policy's.
 */
export class Hypervisor implements Model, VcpuHost, PcpuView {
  readonly id: number;
  private readonly pcpu;
  private readonly contexts: number[] = [];
  private readonly vcpus: number[] = [];
  private readonly fn;
  private policy!: VcpuPolicy;

  private readonly kernel: Kernel;
  private readonly cpus: Cpus;
  private readonly costs: CostProfile;
  readonly count: number;

  /** @param component its path in the design: the hypervisor's, or the host's where there is none */
  constructor(private readonly machine: Machine, private readonly host: string, readonly topology: Topology, component: string, type: string) {
    const { kernel } = machine;
    const count = topology.cores;
    this.count = count;
    this.kernel = kernel;
    this.cpus = machine.cpus;
    this.costs = machine.costs;
    this.id = kernel.component(component, type, host, undefined, this);
    this.fn = kernel.functions({
      schedule: { file: "xen/common/schedule.c", kind: "hypervisor" },
      context_switch: { file: "xen/arch/x86/domain.c", kind: "hypervisor", tally: "vCPU switch" },
      "resume vcpu": { file: "xen/arch/x86/domain.c", kind: "hypervisor" },
      s_timer_fn: { file: "xen/common/schedule.c", kind: "hypervisor" },
      csched_tick: { file: "xen/common/sched_credit.c", kind: "hypervisor" },
    });
    this.pcpu = kernel.store.table(`pcpus of ${host}`, {
      vcpu: "i32", last: "i32", since: "f64", switching: "u8", asked: "u8", slice: "i32", switches: "f64", pending: "f64", overhead: "f64",
    });
    for (let p = 0; p < count; p++) {
      this.pcpu.alloc();
      this.pcpu.vcpu[p] = this.pcpu.last[p] = this.pcpu.slice[p] = NONE;
      this.contexts.push(kernel.context("pcpu", `${host}/pcpu${p}`, host, undefined));
    }
  }

  /** Must be called once, before `start`. */
  use(policy: VcpuPolicy): void {
    this.policy = policy;
  }

  addVcpu(vcpu: number, parameters: VcpuParameters): void {
    this.vcpus.push(vcpu);
    this.policy.add(vcpu, parameters);
  }

  /** The machine is on: every vCPU boots, runnable. */
  start(): void {
    for (const vcpu of this.vcpus) this.wake(vcpu);
    this.startTicks();
  }

  /** The host is down, and no vCPU is left: each pCPU finds nothing to run once more, and its clock stops. */
  stop(): void {
    this.kernel.queue.cancelWhere((component, op) => component === this.id && op === Op.tick);
  }

  /** The host runs again; its domains boot one by one. */
  boot(): void {
    this.startTicks();
  }

  private startTicks(): void {
    if (this.policy.tickPeriod === 0) return;
    for (let p = 0; p < this.count; p++) this.kernel.schedule(this.policy.tickPeriod, Priority.scheduler, this.id, Op.tick, p);
  }

  // --- VcpuHost -----------------------------------------------------------------------------------------------------

  wake(vcpu: number): void {
    this.cpus.vcpu.state[vcpu] = VcpuState.runnable;
    this.policy.wake(vcpu);
  }

  block(vcpu: number): void {
    const p = this.pcpuOf(vcpu);
    this.pcpu.vcpu[p] = NONE;
    this.cancelSlice(p);
    this.policy.sleep(vcpu, p);
    this.tickle(p);
  }

  takeDown(vcpu: number): void {
    const p = this.currentPcpu(vcpu);
    if (p !== NONE) {
      this.pcpu.vcpu[p] = NONE;
      this.cancelSlice(p);
    }
    this.cpus.vcpu.state[vcpu] = VcpuState.off;
    this.policy.sleep(vcpu, p);
    if (p !== NONE) this.tickle(p);
  }

  // --- PcpuView -----------------------------------------------------------------------------------------------------

  current(pcpu: number): number {
    return this.pcpu.vcpu[pcpu]!;
  }

  since(pcpu: number): number {
    return this.pcpu.since[pcpu]!;
  }

  isRunnable(vcpu: number): boolean {
    const state = this.cpus.vcpu.state[vcpu];
    return state === VcpuState.runnable || state === VcpuState.running;
  }

  tickle(pcpu: number): void {
    if (this.pcpu.asked[pcpu] === 1) return;
    this.pcpu.asked[pcpu] = 1;
    if (this.pcpu.switching[pcpu] === 0) this.kernel.schedule(0, Priority.scheduler, this.id, Op.reschedule, pcpu);
  }

  // --- Events -------------------------------------------------------------------------------------------------------

  fire(op: number, pcpu: number): void {
    if (op === Op.reschedule) this.reschedule(pcpu);
    else if (op === Op.switched) this.switched(pcpu);
    else if (op === Op.tick) this.ticked(pcpu);
    else this.sliceEnded(pcpu);
  }

  private reschedule(p: number): void {
    const before = this.pcpu.vcpu[p]!;
    this.pcpu.asked[p] = 0;
    this.cancelSlice(p);
    const { vcpu, slice } = this.policy.pick(p);
    const stays = vcpu === before;
    if (!stays && before !== NONE && this.cpus.vcpu.state[before] === VcpuState.running) this.cpus.suspend(before);
    this.kernel.mark(this.fn.schedule, this.id, this.contexts[p]!, this.kernel.now, 0, NONE, 0, 0, stays && vcpu !== NONE ? vcpu : NO_VCPU);
    if (stays) {
      if (vcpu !== NONE) this.armSlice(p, slice);
      return;
    }
    this.pcpu.vcpu[p] = vcpu;
    if (vcpu === NONE) return;
    const fn = this.pcpu.last[p] === vcpu ? this.fn["resume vcpu"] : this.fn.context_switch;
    this.pcpu.switching[p] = 1;
    this.pcpu.since[p] = this.kernel.now;
    this.pcpu.pending[p] = slice;
    this.kernel.schedule(this.costs.of(fn, 0), Priority.scheduler, this.id, Op.switched, p, fn);
  }

  private switched(p: number): void {
    const vcpu = this.pcpu.vcpu[p]!;
    if (vcpu === NONE) return this.switchedInVain(p);
    const same = this.pcpu.last[p] === vcpu;
    const fn = same ? this.fn["resume vcpu"] : this.fn.context_switch;
    const cost = this.costs.of(fn, 0);
    this.kernel.mark(fn, this.id, this.contexts[p]!, this.kernel.now - cost, cost, NONE, 0, 0, vcpu);
    this.pcpu.switching[p] = 0;
    this.pcpu.last[p] = vcpu;
    this.pcpu.since[p] = this.kernel.now;
    this.pcpu.overhead[p]! += cost;
    if (!same) {
      this.pcpu.switches[p]!++;
      this.cpus.vcpus.counts.vcpuSwitches[this.cpus.vcpus.domainOf[vcpu]!]!++;
    }
    this.armSlice(p, this.pcpu.pending[p]!);
    const asked = this.pcpu.asked[p] === 1;
    this.cpus.resume(vcpu, p);
    if (asked) this.kernel.schedule(0, Priority.scheduler, this.id, Op.reschedule, p);
  }

  /** The vCPU was taken down while the pCPU switched to it. */
  private switchedInVain(p: number): void {
    const cost = this.kernel.now - this.pcpu.since[p]!;
    this.kernel.mark(this.fn.context_switch, this.id, this.contexts[p]!, this.pcpu.since[p]!, cost);
    this.pcpu.switching[p] = 0;
    this.pcpu.overhead[p]! += cost;
    this.pcpu.last[p] = NONE;
    if (this.pcpu.asked[p] === 1) this.kernel.schedule(0, Priority.scheduler, this.id, Op.reschedule, p);
  }

  private ticked(p: number): void {
    const vcpu = this.pcpu.vcpu[p]!;
    this.kernel.mark(this.fn.csched_tick, this.id, this.contexts[p]!, this.kernel.now, 0, NONE, 0, 0, vcpu === NONE || this.pcpu.switching[p] === 1 ? NO_VCPU : vcpu);
    this.policy.tick(p);
    // The clock causes the next tick, not this one: a stack of ticks would say nothing.
    this.kernel.cause = NONE;
    this.kernel.schedule(this.policy.tickPeriod, Priority.scheduler, this.id, Op.tick, p);
  }

  private sliceEnded(p: number): void {
    const vcpu = this.pcpu.vcpu[p]!;
    this.pcpu.slice[p] = NONE;
    this.kernel.mark(this.fn.s_timer_fn, this.id, this.contexts[p]!, this.kernel.now, 0, NONE, 0, 0, vcpu);
    this.tickle(p);
  }

  private armSlice(p: number, slice: number): void {
    if (slice > 0) this.pcpu.slice[p] = this.kernel.schedule(slice, Priority.scheduler, this.id, Op.sliceEnd, p);
  }

  private cancelSlice(p: number): void {
    const handle = this.pcpu.slice[p]!;
    if (handle !== NONE) this.kernel.cancel(handle);
    this.pcpu.slice[p] = NONE;
  }

  private pcpuOf(vcpu: number): number {
    const p = this.currentPcpu(vcpu);
    if (p === NONE) throw new Error(`vCPU ${vcpu} has no pCPU`);
    return p;
  }

  /** The pCPU that the vCPU has or is being given, or −1. */
  private currentPcpu(vcpu: number): number {
    for (let p = 0; p < this.count; p++) if (this.pcpu.vcpu[p] === vcpu) return p;
    return NONE;
  }

  // --- For people ---------------------------------------------------------------------------------------------------

  describe(): Scope[] {
    const name = (vcpu: number): string => (vcpu === NONE ? "idle" : this.kernel.names.vcpus[vcpu]!.path);
    const portmaps = [...this.machine.portmaps].filter(([server]) => server.startsWith(`${this.host}/`));
    return [{
      name: "Scheduler",
      variables: [
        {
          name: "pcpus", value: `${this.count}`, number: this.count,
          children: Array.from({ length: this.count }, (_, p) => ({
            name: `pcpu${p}`, value: name(this.pcpu.vcpu[p]!) + (this.pcpu.switching[p] === 1 ? " (switching)" : ""),
            children: [{ name: "context switches", value: `${this.pcpu.switches[p]!}`, number: this.pcpu.switches[p]! }],
          })),
        },
        {
          name: "vcpus", value: `${this.vcpus.length}`, number: this.vcpus.length,
          children: this.vcpus.map((v) => ({ name: name(v), value: `${["blocked", "runnable", "running", "off"][this.cpus.vcpu.state[v]!]!}${this.policy.describe(v)}` })),
        },
      ],
    }, ...(portmaps.length > 0 ? [{ name: "Portmaps", variables: portmaps.map(([server, portmap]) => ({ ...portmap.describe(), name: server })) }] : [])];
  }

  /** Time until `now` that the pCPU spent on going from one vCPU to another, picoseconds. */
  overheadOf(pcpu: number, now: number): number {
    return this.pcpu.overhead[pcpu]! + (this.pcpu.switching[pcpu] === 1 ? now - this.pcpu.since[pcpu]! : 0);
  }
}
