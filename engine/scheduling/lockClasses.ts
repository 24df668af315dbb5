import type { FunctionSource } from "../kernel/kernel";

/**
 * What one does who finds a lock held.
 * `spin`: goes round until it is free. `adapt`: the same, unless its holder waits for something itself: then sleeps until it is let go,
 * and tries again. `queue`: sleeps, and gets it in turn. `own`: a soft interrupt never waits for who owns it, and others spin for a soft
 * interrupt, and sleep while it is owned.
 */
export type Waiting = "spin" | "adapt" | "queue" | "own";

/** A kind of lock: how one waits for it, and what it keeps from happening meanwhile. */
export interface LockClass {
  readonly name: string;
  readonly waiting: Waiting;
  /** Whether whoever holds it, and whoever spins for it, keeps its vCPU: no other thread gets that, nor a soft interrupt. */
  readonly holderStays: boolean;
  readonly spinnerStays: boolean;
  /** Who spins looks less and less often (SPINLOCK_BACKOFF, `sys/sys/lock.h`): the lock may be free meanwhile, and who comes then has it first. */
  readonly backsOff?: true;
  /** The vCPU that holds it may take it again: an interrupt of who holds it. */
  readonly recursive: boolean;
  /** What a thread goes through that spins, and that sleeps where it may. */
  readonly spin: FunctionSource;
  readonly sleep?: FunctionSource;
}

/** A lock of an application's, or of a library OS' scheduler: its threads can be preempted anywhere. */
export const spinLock: LockClass = {
  name: "spin lock", waiting: "spin", holderStays: false, spinnerStays: false, recursive: false,
  spin: { name: "spin lock", kind: "thread", a: "lock" },
};

/**
 * NetBSD's giant lock (`sys/kern/kern_lock.c`): a CPU has it, and its interrupts with it. `kpreempt` (`kern_synch.c`) does not preempt who has
 * it or wants it.
 */
export const kernelLock: LockClass = {
  name: "KERNEL_LOCK", waiting: "spin", holderStays: true, spinnerStays: true, recursive: true,
  spin: { name: "_kernel_lock", file: "sys/kern/kern_lock.c", kind: "thread", a: "lock" },
};

/**
 * NetBSD's lock of all sockets and protocols, an adaptive mutex (`mutex_vector_enter`, `sys/kern/kern_mutex.c`): who wants it spins while its
 * holder runs, in pauses that get longer, and sleeps if that spins for KERNEL_LOCK (`mutex_oncpu`). Socket calls take it with soft
 * interrupts blocked, "which would block (expensive)" (`splsoftnet`, `sys/kern/uipc_socket.c`).
 */
export const softnetLock: LockClass = {
  name: "softnet_lock", waiting: "adapt", backsOff: true, holderStays: true, spinnerStays: true, recursive: false,
  spin: { name: "mutex_vector_enter", file: "sys/kern/kern_mutex.c", kind: "thread", a: "lock" },
  sleep: { name: "turnstile_block", file: "sys/kern/kern_turnstile.c", kind: "thread", a: "lock" },
};

/** The same in a library OS made of NetBSD: LibrettOS' `rumpuser_mutex_enter` counts who comes, and whoever lets go wakes the next. */
export const rumpSoftnetLock: LockClass = {
  name: "softnet_lock", waiting: "queue", holderStays: false, spinnerStays: false, recursive: false,
  spin: { name: "rumpuser_mutex_enter_nowrap", file: "lib/libbmk_rumpuser/rumpuser_synch.c", kind: "thread", a: "lock" },
  sleep: { name: "rumpuser_mutex_enter", file: "lib/libbmk_rumpuser/rumpuser_synch.c", kind: "thread", a: "lock" },
};

/**
 * Linux' lock of a socket (`lock_sock_nested`, `net/core/sock.c`): a process owns it, and can be preempted and sleep meanwhile; a soft
 * interrupt that finds it owned leaves what it has to the owner. While a soft interrupt is at the socket, processes spin.
 */
export const socketLock: LockClass = {
  name: "sk_lock", waiting: "own", holderStays: false, spinnerStays: true, recursive: false,
  spin: { name: "queued_spin_lock_slowpath", file: "kernel/locking/qspinlock.c", kind: "thread", a: "lock" },
  sleep: { name: "__lock_sock", file: "net/core/sock.c", kind: "thread", a: "lock" },
};

/** Every class; a lock says which one is its own by its number here. */
export const lockClasses: readonly LockClass[] = [spinLock, kernelLock, softnetLock, rumpSoftnetLock, socketLock];
