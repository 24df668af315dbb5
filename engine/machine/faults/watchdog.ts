import type { FunctionSource, Model } from "../../kernel/kernel";
import { Priority } from "../../kernel/queue";
import type { Table } from "../../kernel/state";
import { NONE } from "../../trace/trace";
import type { DomainPlace, Machine } from "../machine";

const Op = { beat: 0, due: 1, expired: 2 } as const;
/** A domain beats twice within the time that it is allowed to be silent: `xenwatchdogd` sleeps half its timeout. */
const BEATS = 2;

/** A beat, the sleep after it, and what finds that there was none in time. */
interface WatchdogFunctions {
  readonly beat: FunctionSource;
  readonly sleep: FunctionSource;
  readonly expired: FunctionSource;
}

const functionsOf: Readonly<Record<"machine" | "linux" | "netbsd" | "process", WatchdogFunctions>> = {
  machine: {
    beat: { name: "SCHEDOP_watchdog", file: "xen/common/schedule.c", kind: "hypervisor", tally: "hypercall" },
    sleep: { name: "xenwatchdogd", file: "tools/misc/xenwatchdogd.c", kind: "thread" },
    expired: { name: "domain_watchdog_timeout", file: "xen/common/schedule.c", kind: "fault", a: "vCPU" },
  },
  // Each CPU's thread notes the time, each CPU's timer looks at it, and the kernel panics where it is old.
  linux: {
    beat: { name: "__touch_watchdog", file: "kernel/watchdog.c", kind: "thread" },
    sleep: { name: "watchdog", file: "kernel/watchdog.c", kind: "thread" },
    expired: { name: "watchdog_timer_fn", file: "kernel/watchdog.c", kind: "fault", a: "vCPU" },
  },
  // The kernel tickles a timer of the board's, which resets it: WDOG_MODE_KTICKLE.
  netbsd: {
    beat: { name: "sysmon_wdog_ktickle", file: "sys/dev/sysmon/sysmon_wdog.c", kind: "thread" },
    sleep: { name: "sysmon_wdog", file: "sys/dev/sysmon/sysmon_wdog.c", kind: "thread" },
    expired: { name: "watchdog timer reset", kind: "fault", a: "vCPU" },
  },
  // Whoever starts processes (systemd, MINIX' reincarnation server) has each say that it is alive, and ends one that does not.
  process: {
    beat: { name: "sd_notify", file: "src/libsystemd/sd-daemon/sd-daemon.c", kind: "thread" },
    sleep: { name: "watchdog: sleep", kind: "thread" },
    expired: { name: "service_dispatch_watchdog", file: "src/core/service.c", kind: "fault", a: "vCPU" },
  },
};

function watchdogOf({ virtual, kernel, system }: DomainPlace): keyof typeof functionsOf {
  if (kernel !== undefined) return "process";
  if (virtual) return "machine";
  return system === "linux" ? "linux" : "netbsd";
}

/**
 * A watchdog over a domain: a thread on each vCPU resets a timer of its own, and who watches ends the domain when one runs out. Over a virtual machine
 * that is the hypervisor (`SCHEDOP_watchdog`, Xen's `xenwatchdogd`); a kernel on bare metal and a process have no hypervisor to call. It finds vCPUs that
 * are held, and only those: a component that hangs on one vCPU of a domain whose threads go on elsewhere is found too, because each vCPU must beat.
 */
export class Watchdog implements Model {
  readonly id: number;
  private readonly fn;
  private readonly threads: number[] = [];
  /** Handle of the timer of each vCPU. */
  private readonly timer: Table<{ readonly event: "i32" }>;

  /** @param timeout picoseconds without a beat @param expired who watches acts */
  constructor(private readonly machine: Machine, private readonly domain: DomainPlace, private readonly timeout: number, private readonly expired: (cause: number) => void) {
    const { kernel, cpus } = machine;
    this.id = kernel.component(`${domain.path}/watchdog`, "watchdog", domain.host, domain.path, this);
    const whose = watchdogOf(domain);
    this.fn = kernel.functions({ ...functionsOf[whose] });
    const timer = kernel.store.table(`watchdog of ${domain.path}`, { event: "i32" }, domain.vcpus);
    this.timer = timer;
    for (let i = 0; i < domain.vcpus; i++) {
      this.threads.push(cpus.addThread(domain.id, `${whose === "machine" ? "xenwatchdogd" : "watchdog"}-${i}`, i));
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
    this.machine.cpus.spend(this.fn.beat);
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
    kernel.mark(this.fn.expired, this.id, this.machine.lifecycle.contextOf(this.domain.host), kernel.now, 0, NONE, i);
    this.expired(this.id);
  }
}
