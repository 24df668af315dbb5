import type { Fault } from "../../design/model";
import type { Model } from "../../kernel/kernel";
import { Priority } from "../../kernel/queue";
import type { Hypervisor } from "../../scheduling/hypervisor";
import { HostState } from "../../scheduling/vcpus";
import { NONE } from "../../trace/trace";
import type { Machine } from "../machine";

const Op = { strike: 0, expired: 1, boot: 2 } as const;

/** A host of the machine, whose hypervisor a bare one has as its pCPUs. */
export interface StruckHost {
  readonly host: string;
  readonly hypervisor: Hypervisor;
}

/**
 * A whole host, or its hypervisor, dies, hangs, or is restarted. Either takes everything along: domains lose their memory, devices are reset, and what
 * the hypervisor held (the portmap, grants, event channels, who has registered with whom) is gone with those it was held for. What is in the
 * buffers of a device on the wire's side goes out; what arrives until a driver is up again finds no filter. The pCPUs do nothing until the
 * host boots; then all its domains do, whether they ran before or not.
 *
 * A hang holds every pCPU with interrupts disabled, so that no domain gets any further; the watchdog is the hardware's (Xen: `watchdog`, an NMI that
 * finds a pCPU which has not moved, xen/arch/x86/nmi.c), and reboots the host.
 */
export class HostFault implements Model {
  readonly id: number;
  private readonly fn;
  private readonly context: number;
  private readonly restart: number | undefined;

  constructor(private readonly machine: Machine, private readonly struck: StruckHost, private readonly spec: Fault) {
    const { kernel, lifecycle } = machine;
    const { host } = struck;
    this.id = kernel.component(spec.path, "fault", host, undefined, this);
    this.fn = kernel.functions({
      planned: { name: spec.kind, kind: "fault" },
      "host stops": { kind: "device" },
      "host hangs": { kind: "device" },
      "host starts": { kind: "device" },
      "not running": { kind: "device" },
      nmi_watchdog_tick: { file: "xen/arch/x86/nmi.c", kind: "fault" },
    });
    this.context = lifecycle.contextOf(host);
    const { restart, takes } = spec.options;
    const time = restart ?? takes;
    this.restart = typeof time === "number" ? time : undefined;
    if (this.restart !== undefined) for (const domain of lifecycle.domainsOf(host)) lifecycle.willRestart(domain);
    kernel.schedule(spec.at, Priority.control, this.id, Op.strike);
  }

  fire(op: number): void {
    const { fn, spec, struck, machine: { kernel } } = this;
    if (op === Op.boot) {
      this.mark(fn["host starts"], struck.hypervisor.id);
      struck.hypervisor.boot();
      return;
    }
    this.mark(op === Op.expired ? fn.nmi_watchdog_tick : fn.planned, this.id);
    // One that is down is started by a planned restart only.
    if (struck.hypervisor.state === HostState.down && spec.kind !== "restart") return this.mark(fn["not running"], struck.hypervisor.id);
    if (op === Op.expired || spec.kind !== "hang") return this.kill();
    this.hang();
    const { watchdog } = spec.options;
    if (typeof watchdog === "number") kernel.schedule(watchdog, Priority.timeout, this.id, Op.expired);
  }

  private hang(): void {
    const { fn, struck: { host, hypervisor }, machine: { lifecycle } } = this;
    this.mark(fn["host hangs"], hypervisor.id);
    // It may hang already.
    if (hypervisor.state !== HostState.up) return;
    hypervisor.hang();
    lifecycle.hold(host);
  }

  private kill(): void {
    const { fn, struck: { host, hypervisor }, restart, machine: { kernel, lifecycle } } = this;
    this.mark(fn["host stops"], hypervisor.id);
    const domains = lifecycle.domainsOf(host);
    for (const domain of domains) if (lifecycle.isRunning(domain)) lifecycle.kill(domain, this.id, undefined);
    lifecycle.cancelBoots(host);
    // Nor does what an earlier fault was to do to it: its watchdog's timer is reset with it, and it boots once.
    kernel.queue.cancelWhere((component, op) => op !== Op.strike && this.isOfThisHost(component));
    hypervisor.stop();
    if (restart === undefined) return;
    // Before its domains: of what happens at the same time, what was scheduled first comes first.
    kernel.schedule(restart, Priority.timeout, this.id, Op.boot);
    for (const domain of domains) lifecycle.bootAfter(domain, restart);
  }

  private isOfThisHost(component: number): boolean {
    const model = this.machine.kernel.models[component];
    return model instanceof HostFault && model.struck.host === this.struck.host;
  }

  private mark(fn: number, component: number): void {
    const { kernel } = this.machine;
    kernel.mark(fn, component, this.context, kernel.now, 0, NONE);
  }
}
