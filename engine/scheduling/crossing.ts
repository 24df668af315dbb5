import type { FunctionSource, Kernel } from "../kernel/kernel";
import type { CostProfile } from "../profiles/profile";
import { NONE } from "../trace/trace";
import type { WorkSlots } from "./work";
import { COUNT } from "./workSlot";

/** Whose kernel it is that processes call: the names and files of the crossings' rows. */
export type KernelSystem = "linux" | "netbsd" | "minix";

interface KernelFunctions {
  /** From user mode into the kernel, and back. */
  readonly entry: FunctionSource;
  readonly exit: FunctionSource;
  /** A thread of another process follows on a vCPU. */
  readonly space: FunctionSource;
  /** A message to another process whose thread takes over at once, and the answer, with which the caller goes on. */
  readonly call: FunctionSource;
  readonly reply: FunctionSource;
  /** A message that nobody waits for, and one that tells a driver of an interrupt. */
  readonly message: FunctionSource;
  readonly notify: FunctionSource;
  /** Bytes from one process' memory into another's, and between a process and its kernel. */
  readonly copy: FunctionSource;
  readonly copyIn: FunctionSource;
  readonly copyOut: FunctionSource;
  /** The same asked for in user mode; a message taken; the next interrupt let through for a driver. */
  readonly fetch: FunctionSource;
  readonly receive: FunctionSource;
  readonly unmask: FunctionSource;
  /** Which process a frame is for, by its addresses. */
  readonly filter: FunctionSource;
}

export const kernelFunctions: Readonly<Record<KernelSystem, KernelFunctions>> = {
  linux: {
    entry: { name: "entry_SYSCALL_64", file: "arch/x86/entry/entry_64.S", kind: "kernel", tally: "system call" },
    exit: { name: "syscall_return_via_sysret", file: "arch/x86/entry/entry_64.S", kind: "kernel" },
    space: { name: "switch_mm_irqs_off", file: "arch/x86/mm/tlb.c", kind: "kernel" },
    call: { name: "binder_transaction", file: "drivers/android/binder.c", kind: "kernel", a: "server's thread", tally: "IPC" },
    reply: { name: "binder_transaction: reply", file: "drivers/android/binder.c", kind: "kernel", a: "caller's thread" },
    message: { name: "binder_transaction: one-way", file: "drivers/android/binder.c", kind: "kernel", tally: "IPC" },
    notify: { name: "uio_event_notify", file: "drivers/uio/uio.c", kind: "kernel", tally: "interrupt" },
    copy: { name: "process_vm_rw", file: "mm/process_vm_access.c", kind: "kernel", a: "bytes", tally: "copy" },
    copyIn: { name: "packet_snd", file: "net/packet/af_packet.c", kind: "kernel", a: "bytes", tally: "copy" },
    copyOut: { name: "packet_recvmsg", file: "net/packet/af_packet.c", kind: "kernel", a: "bytes", tally: "copy" },
    fetch: { name: "process_vm_readv", file: "sysdeps/unix/sysv/linux/process_vm_readv.c", kind: "libc" },
    receive: { name: "binder_thread_read", file: "drivers/android/binder.c", kind: "kernel" },
    unmask: { name: "uio_write", file: "drivers/uio/uio.c", kind: "kernel" },
    filter: { name: "packet_rcv", file: "net/packet/af_packet.c", kind: "kernel" },
  },
  netbsd: {
    entry: { name: "syscall", file: "sys/arch/x86/x86/syscall.c", kind: "kernel", tally: "system call" },
    exit: { name: "userret", file: "sys/sys/userret.h", kind: "kernel" },
    space: { name: "pmap_activate", file: "sys/arch/x86/x86/pmap.c", kind: "kernel" },
    call: { name: "IPC call", kind: "kernel", a: "server's thread", tally: "IPC" },
    reply: { name: "IPC reply", kind: "kernel", a: "caller's thread" },
    message: { name: "IPC message", kind: "kernel", tally: "IPC" },
    notify: { name: "IPC notification", kind: "kernel", tally: "interrupt" },
    copy: { name: "copyin_vmspace", file: "sys/kern/subr_copy.c", kind: "kernel", a: "bytes", tally: "copy" },
    copyIn: { name: "bpf_write", file: "sys/net/bpf.c", kind: "kernel", a: "bytes", tally: "copy" },
    copyOut: { name: "bpf_read", file: "sys/net/bpf.c", kind: "kernel", a: "bytes", tally: "copy" },
    fetch: { name: "IPC copy request", kind: "libc" },
    receive: { name: "IPC receive", kind: "kernel" },
    unmask: { name: "interrupt control", kind: "kernel" },
    filter: { name: "bpf_mtap", file: "sys/net/bpf.c", kind: "kernel" },
  },
  minix: {
    entry: { name: "kernel_call_entry_common", file: "minix/kernel/arch/i386/mpx.S", kind: "kernel", tally: "system call" },
    exit: { name: "restore_user_context", file: "minix/kernel/arch/i386/arch_system.c", kind: "kernel" },
    space: { name: "switch_address_space", file: "minix/kernel/arch/i386/klib.S", kind: "kernel" },
    call: { name: "do_sync_ipc", file: "minix/kernel/proc.c", kind: "kernel", a: "server's thread", tally: "IPC" },
    reply: { name: "do_sync_ipc: reply", file: "minix/kernel/proc.c", kind: "kernel", a: "caller's thread" },
    message: { name: "mini_senda", file: "minix/kernel/proc.c", kind: "kernel", tally: "IPC" },
    notify: { name: "mini_notify", file: "minix/kernel/proc.c", kind: "kernel", tally: "interrupt" },
    copy: { name: "do_safecopy_from", file: "minix/kernel/system/do_safecopy.c", kind: "kernel", a: "bytes", tally: "copy" },
    copyIn: { name: "do_safecopy_from", file: "minix/kernel/system/do_safecopy.c", kind: "kernel", a: "bytes", tally: "copy" },
    copyOut: { name: "do_safecopy_to", file: "minix/kernel/system/do_safecopy.c", kind: "kernel", a: "bytes", tally: "copy" },
    fetch: { name: "sys_safecopy", file: "minix/lib/libsys/sys_safecopy.c", kind: "libc" },
    receive: { name: "mini_receive", file: "minix/kernel/proc.c", kind: "kernel" },
    unmask: { name: "do_irqctl", file: "minix/kernel/system/do_irqctl.c", kind: "kernel" },
    filter: { name: "packet filter", kind: "kernel" },
  },
};

/** Where a process' thread is. `inside` owes a way back to user mode; `passing` does not: it is the tail of a call that has been paid for. */
const Mode = { user: 0, inside: 1, passing: 2 } as const;

/** A protection domain, as its threads see it. */
interface Space {
  /** The space of its kernel: its own id, for a kernel or a virtual machine. */
  readonly kernel: number;
  /** The kernel as a component of the trace. */
  readonly component: number;
  /** Names of its kernel's functions; undefined where there is nothing to cross. */
  fn: Readonly<Record<keyof KernelFunctions, number>> | undefined;
}

/**
 * What it costs to get from the code of one component to that of another: nothing within a protection domain; a system
 * call from a process into its kernel, which the caller's own thread makes; a message from one process to another
 * (`ipc.ts`). Nobody asks for a crossing: it follows from where the component sits that spends next. A thread stays in
 * the kernel after a call for as long as only the kernel's work follows, and pays the way back when its own comes next.
 */
export class Crossings {
  private readonly spaces: Space[] = [];
  /** Space of a component; undefined: hardware, and whatever else is in none. */
  private readonly spaceOfComponent: number[] = [];
  private readonly homes: number[] = [];
  private readonly thread;
  private readonly vcpu;
  private readonly exposed: number;
  private readonly isolation: number;
  /** Where the thread of the work that begins is, or −1 where nothing can be crossed. None of these outlives a dispatch. */
  private at = NONE;
  private w = 0;
  private t = 0;
  private home = NONE;
  /** The space whose function came last, −1: there is none yet. What comes next in the same space crosses nothing. */
  private last = NONE;
  private isTail = false;
  /** Number of functions of the work before the first in another process; −1: all are the thread's own. */
  private cutAt = NONE;

  constructor(private readonly kernel: Kernel, private readonly costs: CostProfile, private readonly work: WorkSlots) {
    this.thread = kernel.store.table("threads in kernels", { mode: "u8", visited: "u8", tail: "u16" });
    this.vcpu = kernel.store.table("address spaces on vCPUs", { space: "i32" });
    this.exposed = costs.latency("system call: cache and TLB pollution");
    this.isolation = costs.latency("page-table isolation");
  }

  /** A domain that has its own kernel, or is one. @param component the domain in the trace */
  addSpace(component: number): void {
    this.spaces.push({ kernel: this.spaces.length, component, fn: undefined });
  }

  /** A process of the kernel whose space is given. */
  addProcess(kernel: number, system: KernelSystem): void {
    const fn = this.kernel.functions({ ...kernelFunctions[system] });
    const { component } = this.spaces[kernel]!;
    this.spaces[kernel]!.fn = fn;
    this.spaces.push({ kernel, component, fn });
  }

  addThread(space: number): void {
    this.homes.push(space);
    this.thread.alloc();
  }

  addVcpu(): void {
    const row = this.vcpu.alloc();
    this.vcpu.space[row] = NONE;
  }

  /** Whether threads of the space can call other processes. */
  canCall(space: number): boolean {
    return this.spaces[space]!.fn !== undefined;
  }

  /** Says which space a component sits in. */
  place(component: number, space: number): void {
    this.spaceOfComponent[component] = space;
  }

  /** The space that a component sits in, or −1. */
  spaceOf(component: number): number {
    return this.spaceOfComponent[component] ?? NONE;
  }

  componentsOf(space: number): number[] {
    return this.spaceOfComponent.flatMap((s, component) => (s === space ? [component] : []));
  }

  homeOf(thread: number): number {
    return this.homes[thread]!;
  }

  /** Functions of the kernel that a space has, or is; @throws Error where it has no processes */
  functionsOf(space: number): Readonly<Record<keyof KernelFunctions, number>> {
    const { fn } = this.spaces[space]!;
    if (fn === undefined) throw new Error("a domain without processes has nothing to cross");
    return fn;
  }

  /** The space of a space's kernel: its own, if it is one. */
  kernelOf(space: number): number {
    return this.spaces[space]!.kernel;
  }

  /** The kernel of a space as a component of the trace. */
  kernelComponentOf(space: number): number {
    return this.spaces[space]!.component;
  }

  /** Whether a thread can run a component's code itself: in its own process or in its kernel. */
  reaches(thread: number, component: number): boolean {
    const space = this.spaceOf(component);
    const home = this.homes[thread]!;
    return space === NONE || space === home || space === this.spaces[home]!.kernel;
  }

  /** The function that loads the thread's address space; −1: there is but one. */
  spaceSwitchOf(thread: number): number {
    return this.spaces[this.homes[thread]!]!.fn?.space ?? NONE;
  }

  /** A vCPU goes on with a thread: another process' address space is loaded, with its cost; a kernel's thread runs in whichever is there. */
  load(v: number, thread: number, w: number): void {
    const home = this.homes[thread]!;
    const { kernel, fn, component } = this.spaces[home]!;
    if (kernel === home || this.vcpu.space[v] === home) return;
    if (w >= 0) this.work.spend(w, component, fn!.space, this.costs.of(fn!.space, 0), NONE, 0, 0);
    this.vcpu.space[v] = home;
  }

  /** The threads are new: in user mode, with no call behind them. */
  forget(threads: readonly number[]): void {
    for (const t of threads) this.thread.mode[t] = this.thread.visited[t] = this.thread.tail[t] = 0;
  }

  /** In `end`: the work that ends leaves its thread something to do next, which is the tail of a call if it made one. */
  called(thread: number): void {
    if (this.thread.visited[thread] === 1) this.thread.tail[thread]!++;
  }

  /** A thread begins a piece of work. */
  begin(w: number, thread: number): void {
    this.at = this.cutAt = NONE;
    if (thread === NONE) return;
    const home = this.homes[thread]!;
    const { kernel, fn } = this.spaces[home]!;
    if (fn === undefined) return;
    this.w = w;
    this.t = thread;
    this.home = home;
    this.last = NONE;
    const { tail, visited } = this.thread;
    this.isTail = tail[thread]! > 0;
    if (this.isTail) tail[thread]!--;
    visited[thread] = 0;
    this.at = this.thread.mode[thread] === Mode.user ? home : kernel;
  }

  /** The work's next function belongs to a component: pays for the way there, or notes that another process must go on from here. */
  to(component: number): void {
    if (this.at === NONE) return;
    const space = this.spaceOfComponent[component];
    if (space !== undefined && space !== this.last) this.cross(space);
  }

  private cross(space: number): void {
    const first = this.last === NONE;
    this.last = space;
    const { kernel, fn } = this.spaces[this.home]!;
    const { visited, mode } = this.thread;
    if (space === kernel) visited[this.t] = 1;
    if (space === this.at) return;
    if (space === kernel) {
      // What a call leaves to be done once it is over belongs to it, although its caller has gone on in user mode.
      const passing = first && this.isTail;
      if (!passing) this.pay(fn!.entry, this.costs.of(fn!.entry, 0) + this.isolation);
      mode[this.t] = passing ? Mode.passing : Mode.inside;
      this.at = kernel;
    } else if (space === this.home) {
      this.leave();
      this.at = space;
    } else if (this.spaces[space]!.kernel === kernel) {
      if (this.home !== kernel) this.leave();
      this.cutAt = this.work.get(this.w, COUNT);
      this.at = NONE;
    }
  }

  /** What the work spends next is a crossing itself, which pays for its own way: into the kernel it goes from user mode. */
  step(): void {
    if (this.at !== NONE && this.home !== this.spaces[this.home]!.kernel) this.leave();
    this.at = NONE;
  }

  /** Back to user mode. */
  private leave(): void {
    const { fn } = this.spaces[this.home]!;
    if (this.thread.mode[this.t] === Mode.inside) this.pay(fn!.exit, this.costs.of(fn!.exit, 0) + this.isolation + this.exposed);
    this.thread.mode[this.t] = Mode.user;
  }

  private pay(fn: number, cost: number): void {
    this.work.spend(this.w, this.spaces[this.home]!.component, fn, cost, NONE, 0, 0);
  }

  /** How many of the work's functions its thread runs before another process' must; −1: all. */
  get cut(): number {
    return this.cutAt;
  }
}
