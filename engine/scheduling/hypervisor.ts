import type { Scope } from "../inspect";
import type { Kernel, Model } from "../kernel/kernel";
import type { Machine } from "../machine/machine";
import { Priority } from "../kernel/queue";
import { NONE } from "../trace/trace";
import { HostState, VcpuState, type Cpus, type VcpuHost } from "./cpus";
import { describeHypervisor } from "./hypervisorVariables";
import { MASTER, MasterAccounting } from "./masterAccounting";
import { Inside, Pcpus } from "./pcpus";
import type { Topology } from "./topology";
import type { PcpuView, VcpuParameters, VcpuPolicy } from "./vcpuPolicy";

const Op = { ipi: 0, switched: 1, tick: 2, sliceEnd: 3, exited: 4, ticked: 5, reschedule: 6, continued: 7, softirq: 8, account: 9, accounted: 10, hung: 11 } as const;

/**
 * The lower level of scheduling: vCPUs on pCPUs. The mechanism is here (who has which pCPU, what a switch costs, ticks, slices);
 * the choice is the policy's.
 *
 * A tick, the time for the host's accounting, a slice's end, a device or a timer that wants a vCPU which does not run, and another pCPU that asks this
 * one to choose anew are interrupts: they take the pCPU from the guest that it is in, by a VM exit. A pCPU that asks itself does so in a hypercall, or
 * in an interrupt, and needs none (`cpu_raise_softirq`). What they raise is done after one another before any guest has the pCPU again, as Xen does its
 * softirqs (`xen/common/softirq.c`): what comes meanwhile waits, and costs no further exit.
 */
export class Hypervisor implements Model, VcpuHost, PcpuView {
  readonly id: number;
  private readonly pcpus: Pcpus;
  private readonly pcpu;
  private readonly condition;
  private readonly vcpus: number[] = [];
  private readonly fn;
  private readonly master: MasterAccounting;
  private policy!: VcpuPolicy;

  private readonly kernel: Kernel;
  private readonly cpus: Cpus;
  readonly count: number;

  /** @param component its path in the design: the hypervisor's, or the host's where there is none */
  constructor(private readonly machine: Machine, private readonly host: string, readonly topology: Topology, component: string, type: string) {
    const { kernel } = machine;
    const count = topology.cores;
    this.count = count;
    this.kernel = kernel;
    this.cpus = machine.cpus;
    this.id = kernel.component(component, type, host, undefined, this);
    this.fn = kernel.functions({
      schedule: { file: "xen/common/schedule.c", kind: "hypervisor" },
      context_switch: { file: "xen/arch/x86/domain.c", kind: "hypervisor", tally: "vCPU switch" },
      "resume vcpu": { file: "xen/arch/x86/domain.c", kind: "hypervisor" },
      s_timer_fn: { file: "xen/common/schedule.c", kind: "hypervisor" },
      csched_tick: { file: "xen/common/sched_credit.c", kind: "hypervisor" },
      csched_acct: { file: "xen/common/sched_credit.c", kind: "hypervisor", a: "active vCPUs", b: "active domains" },
      continue_running: { file: "xen/arch/x86/domain.c", kind: "hypervisor" },
      apic_timer_interrupt: { file: "xen/arch/x86/apic.c", kind: "hypervisor" },
      event_check_interrupt: { file: "xen/arch/x86/smp.c", kind: "hypervisor" },
      do_IRQ: { file: "xen/arch/x86/irq.c", kind: "hypervisor" },
      cpumask_raise_softirq: { file: "xen/common/softirq.c", kind: "hypervisor" },
      "no progress": { kind: "thread" },
      "VM exit: external interrupt": { file: "xen/arch/x86/hvm/vmx/vmx.c", kind: "hypervisor", tally: "VM exit" },
    });
    this.pcpus = new Pcpus(kernel, machine.costs, this.id, host, count);
    this.pcpu = this.pcpus.pcpu;
    this.condition = kernel.store.table(`state of ${host}`, { state: "u8" }, 1);
    this.condition.alloc();
    this.master = new MasterAccounting(kernel, machine.costs, this.fn.csched_acct, host);
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
    for (const vcpu of this.vcpus) this.wake(vcpu, NONE);
    this.startAccounting();
  }

  /** The host is down, and no vCPU is left: each pCPU finds nothing to run once more, and clocks stop. */
  stop(): void {
    const hung = this.state === HostState.hangs;
    this.condition.state[0] = HostState.down;
    this.kernel.queue.cancelWhere((component, op) => component === this.id && (op === Op.account || op === Op.hung));
    for (let p = 0; p < this.count; p++) {
      if (hung) this.pcpus.reset(p);
      this.pcpus.stopTicks(p);
      this.pcpu.ticks[p] = this.pcpu.accounts[p] = 0;
    }
  }

  /** The host runs again; its domains boot one by one. */
  boot(): void {
    this.condition.state[0] = HostState.up;
    this.startAccounting();
  }

  /**
   * Each pCPU stays in the hypervisor from now on, with interrupts disabled: no vCPU has one again, no timer rings, and nobody chooses. What vCPUs have
   * to be told is held up with them ({@link Cpus.hold}).
   */
  hang(): void {
    this.condition.state[0] = HostState.hangs;
    for (let p = 0; p < this.count; p++) if (this.pcpu.inside[p] === Inside.guest) this.take(p);
    for (const vcpu of this.vcpus) if (this.isRunnable(vcpu)) this.policy.sleep(vcpu, this.pcpus.of(vcpu));
    this.kernel.queue.cancelWhere((component) => component === this.id);
    for (let p = 0; p < this.count; p++) this.pcpus.hang(p, Op.hung);
  }

  /** A piece of the time of a pCPU that hangs is over. */
  private hung(p: number): void {
    this.pcpus.spent(p, this.fn["no progress"]);
    this.pcpus.hang(p, Op.hung);
  }

  get state(): number {
    return this.condition.state[0]!;
  }

  private startAccounting(): void {
    const { accounting } = this.policy;
    if (accounting !== undefined) this.kernel.schedule(accounting.period, Priority.scheduler, this.id, Op.account, MASTER);
  }

  // --- VcpuHost -----------------------------------------------------------------------------------------------------

  wake(vcpu: number, from: number): void {
    this.cpus.vcpu.state[vcpu] = VcpuState.runnable;
    this.policy.wake(vcpu, from);
  }

  deviceInterrupt(pcpu: number): void {
    if (!this.pcpus.isIdle(pcpu)) this.interrupt(pcpu, this.fn.do_IRQ);
  }

  timerInterrupt(pcpu: number): void {
    if (!this.pcpus.isIdle(pcpu)) this.interrupt(pcpu, this.fn.apic_timer_interrupt);
  }

  block(vcpu: number): void {
    const p = this.pcpus.of(vcpu);
    if (p === NONE) throw new Error(`vCPU ${vcpu} has no pCPU`);
    this.pcpu.vcpu[p] = NONE;
    this.pcpus.cancelSlice(p);
    this.policy.sleep(vcpu, p);
    this.tickle(p, p);
  }

  takeDown(vcpu: number): void {
    const p = this.pcpus.of(vcpu);
    if (p !== NONE) {
      this.pcpu.vcpu[p] = NONE;
      this.pcpus.cancelSlice(p);
    }
    this.cpus.vcpu.state[vcpu] = VcpuState.off;
    this.policy.sleep(vcpu, p);
    if (p !== NONE) this.tickle(p, NONE);
  }

  // --- PcpuView -----------------------------------------------------------------------------------------------------

  current(pcpu: number): number {
    return this.pcpu.vcpu[pcpu]!;
  }

  isIdler(pcpu: number): boolean {
    return this.pcpu.vcpu[pcpu] === NONE && this.pcpu.asked[pcpu] === 0;
  }

  since(pcpu: number): number {
    return this.pcpu.since[pcpu]!;
  }

  isRunnable(vcpu: number): boolean {
    const state = this.cpus.vcpu.state[vcpu];
    return state === VcpuState.runnable || state === VcpuState.running;
  }

  tickle(pcpu: number, from: number): void {
    if (this.pcpu.asked[pcpu] === 1) return;
    this.pcpu.asked[pcpu] = 1;
    if (this.pcpu.inside[pcpu] === Inside.guest) this.kernel.schedule(0, Priority.scheduler, this.id, pcpu === from ? Op.softirq : Op.ipi, pcpu);
  }

  // --- Interrupts ---------------------------------------------------------------------------------------------------

  fire(op: number, pcpu: number, b: number): void {
    if (op === Op.ipi) this.asked(pcpu);
    else if (op === Op.tick) this.tick(pcpu);
    else if (op === Op.sliceEnd) this.sliceEnded(pcpu);
    else if (op === Op.exited) this.exited(pcpu, b);
    else if (op === Op.ticked) this.ticked(pcpu);
    else if (op === Op.reschedule) this.reschedule(pcpu);
    else if (op === Op.switched) this.switched(pcpu);
    else if (op === Op.continued) this.continued(pcpu);
    else if (op === Op.softirq) this.raised(pcpu);
    else if (op === Op.account) this.account(pcpu);
    else if (op === Op.hung) this.hung(pcpu);
    else this.accounted(pcpu);
  }

  /** The scheduling softirq was raised by another pCPU: by an interrupt, where this one is in a guest. */
  private asked(p: number): void {
    if (this.pcpus.isIdle(p)) return this.reschedule(p);
    this.interrupt(p, this.fn.event_check_interrupt);
  }

  /** The pCPU has raised the softirq itself, in a hypercall whose exit its guest has paid for, and sees to it on the way back. */
  private raised(p: number): void {
    const { pcpu } = this;
    if (this.pcpus.isIdle(p)) return this.reschedule(p);
    const leaves = pcpu.inside[p] === Inside.guest;
    if (leaves) this.take(p);
    this.pcpus.mark(p, this.fn.cpumask_raise_softirq);
    if (leaves) this.goOn(p);
  }

  private tick(p: number): void {
    this.pcpu.ticker[p] = NONE;
    this.pcpu.ticks[p] = 1;
    this.interrupt(p, this.fn.apic_timer_interrupt);
    this.pcpus.startTicks(p, this.policy.tickPeriod, Op.tick);
  }

  private sliceEnded(p: number): void {
    this.pcpu.slice[p] = NONE;
    this.pcpu.ends[p] = 1;
    this.interrupt(p, this.fn.apic_timer_interrupt);
  }

  /** Time for the host's accounting: also where the pCPU idles, since the others do not. */
  private account(p: number): void {
    this.pcpu.accounts[p] = 1;
    this.interrupt(p, this.fn.apic_timer_interrupt);
    this.kernel.cause = NONE;
    this.kernel.schedule(this.policy.accounting!.period, Priority.scheduler, this.id, Op.account, p);
  }

  /** An interrupt takes the pCPU from its guest; where it is in the hypervisor already, that sees to what was raised. */
  private interrupt(p: number, fn: number): void {
    const vcpu = this.pcpu.vcpu[p]!;
    const enters = this.pcpu.inside[p] === Inside.guest;
    if (enters) this.take(p);
    this.pcpus.mark(p, fn);
    if (!enters) return;
    if (vcpu === NONE) this.goOn(p);
    else this.pcpus.go(p, this.fn["VM exit: external interrupt"], Op.exited, vcpu);
  }

  /** The hypervisor has the pCPU from now on, and not the guest, if there is one. */
  private take(p: number): void {
    const vcpu = this.pcpu.vcpu[p]!;
    if (vcpu !== NONE) this.cpus.suspend(vcpu);
    this.pcpu.inside[p] = Inside.hypervisor;
    this.pcpu.from[p] = this.kernel.now;
  }

  private exited(p: number, vcpu: number): void {
    const { counts, domainOf } = this.cpus.vcpus;
    counts.exits[domainOf[vcpu]!]!++;
    this.pcpus.spent(p, this.fn["VM exit: external interrupt"]);
    this.goOn(p);
  }

  // --- In the hypervisor --------------------------------------------------------------------------------------------

  /** Sees to what has been raised, and then lets the vCPU run. */
  private goOn(p: number): void {
    const { pcpu } = this;
    if (pcpu.ticks[p] === 1) {
      pcpu.ticks[p] = 0;
      return this.pcpus.go(p, this.fn.csched_tick, Op.ticked);
    }
    if (pcpu.accounts[p] === 1) {
      pcpu.accounts[p] = 0;
      return this.pcpus.goFor(p, this.master.begin(this.policy.accounting!), Op.accounted);
    }
    if (pcpu.ends[p] === 1) {
      pcpu.ends[p] = 0;
      pcpu.asked[p] = 1;
      this.pcpus.mark(p, this.fn.s_timer_fn);
    }
    if (pcpu.asked[p] === 1) return void this.kernel.schedule(0, Priority.scheduler, this.id, Op.reschedule, p);
    pcpu.inside[p] = Inside.guest;
    if (pcpu.vcpu[p] === NONE) return;
    this.pcpus.armSlice(p, Op.sliceEnd);
    this.cpus.resume(pcpu.vcpu[p]!, p);
  }

  private ticked(p: number): void {
    this.pcpus.spent(p, this.fn.csched_tick);
    this.policy.tick(p);
    this.goOn(p);
  }

  private accounted(p: number): void {
    this.pcpus.spent(p, this.fn.csched_acct, this.master.vcpus, this.master.domains);
    this.policy.accounting!.account(p);
    this.goOn(p);
  }

  /** `schedule`: the policy chooses. What that costs is part of going on, or of the switch, that it leads to. */
  private reschedule(p: number): void {
    const { pcpu } = this;
    const before = pcpu.vcpu[p]!;
    pcpu.asked[p] = 0;
    this.pcpus.cancelSlice(p);
    const { vcpu, slice } = this.policy.pick(p);
    const stays = vcpu === before;
    if (!stays && before !== NONE) this.cpus.vcpus.preempted(before);
    if (!stays) pcpu.vcpu[p] = NONE;
    this.pcpus.mark(p, this.fn.schedule);
    if (vcpu === NONE) {
      this.pcpus.stopTicks(p);
      pcpu.inside[p] = Inside.guest;
      return;
    }
    this.pcpus.startTicks(p, this.policy.tickPeriod, Op.tick);
    pcpu.granted[p] = slice;
    if (stays) return this.pcpus.go(p, this.fn.continue_running, Op.continued);
    pcpu.vcpu[p] = vcpu;
    pcpu.inside[p] = Inside.aSwitch;
    pcpu.since[p] = this.kernel.now;
    this.pcpus.go(p, this.switchTo(p), Op.switched);
  }

  private continued(p: number): void {
    this.pcpus.spent(p, this.fn.continue_running);
    this.goOn(p);
  }

  private switchTo(p: number): number {
    return this.pcpu.last[p] === this.pcpu.vcpu[p] ? this.fn["resume vcpu"] : this.fn.context_switch;
  }

  /** The vCPU may have been taken down while the pCPU switched to it. */
  private switched(p: number): void {
    const { pcpu } = this;
    const vcpu = pcpu.vcpu[p]!;
    const fn = vcpu === NONE ? this.fn.context_switch : this.switchTo(p);
    pcpu.inside[p] = Inside.hypervisor;
    pcpu.last[p] = vcpu;
    pcpu.since[p] = this.kernel.now;
    this.pcpus.spent(p, fn);
    if (fn === this.fn.context_switch && vcpu !== NONE) {
      pcpu.switches[p]!++;
      this.cpus.vcpus.counts.vcpuSwitches[this.cpus.vcpus.domainOf[vcpu]!]!++;
    }
    this.goOn(p);
  }

  // --- For people ---------------------------------------------------------------------------------------------------

  describe(): Scope[] {
    return describeHypervisor(this.machine, this.host, this.pcpu, this.vcpus, this.policy);
  }

  /** See {@link Pcpus.overheadOf}. */
  overheadOf(pcpu: number, now: number): number {
    return this.pcpus.overheadOf(pcpu, now);
  }
}
