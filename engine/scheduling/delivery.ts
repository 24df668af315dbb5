import { Priority } from "../kernel/queue";
import { NONE } from "../trace/trace";
import { CpuOp, type CpuParts } from "./cpuParts";
import type { Dispatcher } from "./dispatcher";
import { VcpuState } from "./vcpus";
import type { Waking } from "./waking";

/** How an interrupt comes from whoever raises it to its vCPU: whether that runs, idles, polls, or is blocked in the hypervisor. */
export class Delivery {
  /** Per vCPU, the line of its timer: only where the policy has ticks. */
  private readonly timerLines: number[] = [];

  /** @param pending function by which the hypervisor notes an interrupt for a guest */
  constructor(private readonly cpus: CpuParts, private readonly dispatcher: Dispatcher, private readonly waking: Waking, private readonly pending: number) {}

  /** The vCPU has a timer. */
  addTimer(v: number): void {
    this.timerLines[v] = this.cpus.lines.add(v, this.cpus.id, CpuOp.tick, v, 0, "event");
  }

  /** @param from the pCPU whose code does so; −1: a device or a timer does @returns whether the line was newly raised */
  raise(line: number, from: number): boolean {
    const { lines: { line: l }, vcpus: { vcpu: c }, kernel, id } = this.cpus;
    const v = l.vcpu[line]!;
    if (l.pending[line] === 1 || c.state[v]! >= VcpuState.off) return false;
    l.pending[line] = 1;
    l.raised[line]!++;
    if (l.polled[line] === 0) {
      kernel.schedule(l.latency[line]!, Priority.interrupt, id, CpuOp.deliver, line, from);
    } else {
      l.delivered[line]!++;
      l.cause[line] = kernel.cause;
      if (c.idle[v] === 1 && c.state[v] === VcpuState.running) this.waking.nudge(v);
    }
    return true;
  }

  /** @param from the pCPU whose code raised the line; −1: a device or a timer did */
  delivered(line: number, from: number): void {
    const { lines, vcpus, kernel } = this.cpus;
    const l = lines.line;
    const v = l.vcpu[line]!;
    const latency = l.latency[line]!;
    const d = vcpus.entry(v);
    const c = vcpus.vcpu;
    kernel.mark(d.virtual ? this.pending : d.fn.interrupt, l.component[line]!, vcpus.contextOf[v]!, kernel.now - latency, latency);
    lines.deliver(line, kernel.cause);
    if (c.state[v] === VcpuState.running) return this.dispatcher.interrupt(v);
    const at = l.device[line] === 1 ? this.deviceInterrupt(v) : from;
    if (c.state[v] === VcpuState.blocked) d.vcpuHost.wake(v, at);
  }

  /**
   * A device's interrupt for a vCPU that does not run comes to the pCPU on which that ran last (`hvm_migrate_pirqs`, xen/arch/x86/hvm/hvm.c, and
   * `evtchn_move_pirqs`, xen/common/event_channel.c), whoever has it now. @returns that pCPU; −1: it has run on none
   */
  private deviceInterrupt(v: number): number {
    const { vcpus } = this.cpus;
    const at = vcpus.vcpu.lastPcpu[v]!;
    if (at !== NONE) vcpus.entry(v).vcpuHost.deviceInterrupt(at);
    return at;
  }

  /** A vCPU's timer; while it idles, none is needed. */
  timer(v: number): void {
    const { kernel, vcpus, lines: { line: l } } = this.cpus;
    const c = vcpus.vcpu;
    const line = this.timerLines[v]!;
    if (c.thread[v] !== NONE && l.pending[line] === 0) {
      l.pending[line] = 1;
      return this.delivered(line, NONE);
    }
    const { fn, component } = vcpus.entry(v);
    kernel.mark(fn.interrupt, component, vcpus.contextOf[v]!, kernel.now, 0);
    c.ticking[v] = 0;
  }
}
