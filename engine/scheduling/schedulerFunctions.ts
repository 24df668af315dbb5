import type { FunctionSource } from "../kernel/kernel";
import type { KernelSystem } from "./crossing";

/** What a kernel does on its CPUs by itself: the names and files of its rows. */
export interface SchedulerFunctions {
  /** An interrupt has come, where no hypervisor is in between. */
  readonly interrupt: FunctionSource;
  /** The timer's interrupt, and that a thread is to give way at it or to one that wakes. */
  readonly tick: FunctionSource;
  readonly preempt: FunctionSource;
  /** Another CPU is told to look for a thread. */
  readonly ipi: FunctionSource;
  /** From one thread to another, to what an interrupt has put off, and a round of idling. */
  readonly switch: FunctionSource;
  readonly softint: FunctionSource;
  readonly idle: FunctionSource;
}

/** MINIX 3 puts nothing off: hooks run in the interrupt, and drivers are processes. The hook stands for what a design puts there. */
export const schedulerFunctions: Readonly<Record<KernelSystem, SchedulerFunctions>> = {
  linux: {
    interrupt: { name: "do_IRQ", file: "arch/x86/kernel/irq.c", kind: "interrupt" },
    tick: { name: "scheduler_tick", file: "kernel/sched/core.c", kind: "thread" },
    preempt: { name: "resched_curr", file: "kernel/sched/core.c", kind: "thread", a: "thread" },
    ipi: { name: "x2apic_send_IPI", file: "arch/x86/kernel/apic/x2apic_phys.c", kind: "thread" },
    switch: { name: "__switch_to", file: "arch/x86/kernel/process_64.c", kind: "thread", tally: "thread switch" },
    softint: { name: "__do_softirq", file: "kernel/softirq.c", kind: "thread" },
    idle: { name: "do_idle", file: "kernel/sched/idle.c", kind: "thread", a: "rounds" },
  },
  netbsd: {
    interrupt: { name: "INTRSTUB", file: "sys/arch/amd64/amd64/vector.S", kind: "interrupt" },
    tick: { name: "hardclock", file: "sys/kern/kern_clock.c", kind: "thread" },
    preempt: { name: "cpu_need_resched", file: "sys/arch/x86/x86/x86_machdep.c", kind: "thread", a: "thread" },
    ipi: { name: "x2apic_ipi", file: "sys/arch/x86/x86/lapic.c", kind: "thread" },
    switch: { name: "cpu_switchto", file: "sys/arch/amd64/amd64/locore.S", kind: "thread", tally: "thread switch" },
    softint: { name: "softint_dispatch", file: "sys/kern/kern_softint.c", kind: "thread" },
    idle: { name: "idle_loop", file: "sys/kern/kern_idle.c", kind: "thread", a: "rounds" },
  },
  minix: {
    interrupt: { name: "irq_handle", file: "minix/kernel/interrupt.c", kind: "interrupt" },
    tick: { name: "timer_int_handler", file: "minix/kernel/clock.c", kind: "thread" },
    preempt: { name: "enqueue", file: "minix/kernel/proc.c", kind: "thread", a: "thread" },
    ipi: { name: "arch_send_smp_schedule_ipi", file: "minix/kernel/arch/i386/arch_smp.c", kind: "thread" },
    switch: { name: "switch_to_user", file: "minix/kernel/proc.c", kind: "thread", tally: "thread switch" },
    softint: { name: "irq_handle: hook", file: "minix/kernel/interrupt.c", kind: "thread" },
    idle: { name: "idle", file: "minix/kernel/proc.c", kind: "thread", a: "rounds" },
  },
};

/** Ids of these functions in a machine. */
export type SchedulerFunctionIds = Readonly<Record<keyof SchedulerFunctions, number>>;
