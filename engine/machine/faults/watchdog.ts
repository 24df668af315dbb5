import type { Model } from "../../kernel/kernel";
import { Priority } from "../../kernel/queue";
import type { Table } from "../../kernel/state";
import { NONE } from "../../trace/trace";
import type { DomainPlace, Machine } from "../machine";

const Op = { beat: 0, due: 1, expired: 2 } as const;
/** A domain beats twice within the time that it is allowed to be silent: `xenwatchdogd` sleeps half its timeout. */
const BEATS = 2;

/**
 * The hypervisor's watchdog over a domain (`SCHEDOP_watchdog`, Xen's `xenwatchdogd`): a thread on each vCPU resets a timer of
 * its own; the hypervisor shuts the domain down when one runs out. So it finds vCPUs that are held, and only those: a
 * component that hangs on one vCPU of a domain whose threads go on elsewhere is found too, because each vCPU must beat.
 */
export class Watchdog implements Model {
  readonly id: number;
  private readonly fn;
  private readonly threads: number[] = [];
  /** Handle of the timer of each vCPU. */
  private readonly timer: Table<{ readonly event: "i32" }>;

  /** @param timeout picoseconds without a beat @param expired the hypervisor acts */
  constructor(private readonly machine: Machine, private readonly domain: DomainPlace, private readonly timeout: number, private readonly expired: (cause: number) => void) {
    const { kernel, cpus } = machine;
    this.id = kernel.component(`${domain.path}/watchdog`, "watchdog", domain.host, domain.path, this);
    this.fn = kernel.functions({
      SCHEDOP_watchdog: { file: "xen/common/schedule.c", kind: "hypervisor", tally: "hypercall" },
      sleep: { name: "xenwatchdogd", file: "tools/misc/xenwatchdogd.c", kind: "thread" },
      domain_watchdog_timeout: { file: "xen/common/schedule.c", kind: "fault", a: "vCPU" },
    });
    const timer = kernel.store.table(`watchdog of ${domain.path}`, { event: "i32" }, domain.vcpus);
    this.timer = timer;
    for (let i = 0; i < domain.vcpus; i++) {
      this.threads.push(cpus.addThread(domain.id, `xenwatchdogd-${i}`, i));
      const row = timer.alloc();
      timer.event[row] = NONE;
    }
    machine.lifecycle.add(domain, this);
    cpus.crossings.place(this.id, domain.id);
  }

  start(): void {
    this.threads.forEach((thread, i) => {
      this.timer.event[i] = this.arm(i);
      this.machine.cpus.post(thread, this.id, Op.beat, i);
    });
  }

  private arm(i: number): number {
    return this.machine.kernel.schedule(this.timeout, Priority.timeout, this.id, Op.expired, i);
  }

  begin(): void {
    this.machine.cpus.spend(this.fn.SCHEDOP_watchdog);
  }

  end(_op: number, i: number): void {
    const { kernel } = this.machine;
    kernel.cancel(this.timer.event[i]!);
    this.timer.event[i] = this.arm(i);
    kernel.schedule(Math.floor(this.timeout / BEATS), Priority.timeout, this.id, Op.due, i);
  }

  fire(op: number, i: number): void {
    const { kernel, cpus } = this.machine;
    const context = cpus.contextOf(this.threads[i]!);
    if (op === Op.due) {
      kernel.mark(this.fn.sleep, this.id, context, kernel.now, 0);
      cpus.post(this.threads[i]!, this.id, Op.beat, i);
      return;
    }
    kernel.mark(this.fn.domain_watchdog_timeout, this.id, this.machine.lifecycle.contextOf(this.domain.host), kernel.now, 0, NONE, i);
    this.expired(this.id);
  }
}
