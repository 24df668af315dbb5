import type { Kernel } from "../kernel/kernel";
import { NONE } from "../trace/trace";
import type { DomainView } from "./threadPolicy";
import { ThreadState, type Threads } from "./threads";

/** HZ=100, the default of NetBSD/amd64: `hardclock`, and `statclock` with it, since there is no clock of its own for that. */
export const TICK = 10e9;
/** `sys/sys/param.h`: what timesharing has is below PRI_KERNEL. */
const PRI_KERNEL = 64;
/** `sched_4bsd.c`: 2048 units of CPU time used are one level of priority, a look by `schedclock` finds half of one, and 18 levels are the most (PRIO_MAX - 2). */
const ESTCPU_SHIFT = 11;
const ESTCPU_MAX = (20 - 2) << ESTCPU_SHIFT;
const ESTCPU_ACCUM = 1 << (ESTCPU_SHIFT - 1);
/** `schedclock` is every fourth `statclock` of a CPU that does not idle (`kern_clock.c`, schedhz 0). */
export const TICKS_A_SCHEDCLOCK = 4;
/** Fixed point of `sys/sys/param.h`, and `cexp[0]` of `kern_synch.c`: exp(-1/12), of an average over a minute by samples every 5 s. */
const FSHIFT = 11;
const FSCALE = 1 << FSHIFT;
const CEXP = Math.trunc(0.9200444146293232 * FSCALE);
const LOAD_PERIOD = 5;
/** `sched_pstats` looks at all threads once a second. */
const SECOND = 1e12;

/**
 * Priorities of threads that share time, as NetBSD 8's default scheduler makes them (`sys/kern/sched_4bsd.c`, revision 1.30): a thread's
 * use of the CPU counts against it, and is forgotten the faster the less load there is. All threads have nice 0.
 */
export class BsdPriorities {
  private readonly entity;
  private readonly load;
  private readonly rowOf: number[] = [];
  private readonly all: number[] = [];

  /** @param better the vCPU that a thread which only computes had better run on */
  constructor(private readonly kernel: Kernel, private readonly threads: Threads, private readonly domain: DomainView, private readonly better: (thread: number) => number) {
    this.entity = kernel.store.table(`priorities of ${domain.path}`, {
      estcpu: "i32", asleep: "i32", boosted: "u8", oncpu: "i32", ran: "i32", slept: "i32", since: "i32", batch: "u8", target: "i16",
    });
    this.load = kernel.store.table(`load of ${domain.path}`, { average: "i32", seconds: "f64" }, 1);
    this.load.alloc();
  }

  add(thread: number): void {
    const row = this.entity.alloc();
    this.rowOf[thread] = row;
    this.all.push(thread);
    this.entity.target[row] = this.entity.oncpu[row] = NONE;
  }

  /** Clock ticks since the beginning: `hardclock_ticks`. */
  get ticks(): number {
    return Math.floor(this.kernel.now / TICK);
  }

  /** Without what having slept adds: the higher, the sooner. */
  own(thread: number): number {
    return Math.max(0, PRI_KERNEL - 1 - (this.entity.estcpu[this.rowOf[thread]!]! >> ESTCPU_SHIFT));
  }

  /** `lwp_eprio`: who has slept in the kernel comes before all that run in user mode, until it is back there. */
  effective(thread: number): number {
    const own = this.own(thread);
    return this.entity.boosted[this.rowOf[thread]!] === 1 ? (own >> 1) + PRI_KERNEL : own;
  }

  /** It wakes (`sched_setrunnable`): what it used before it slept for seconds is forgotten. */
  wake(thread: number): void {
    const e = this.entity;
    const row = this.rowOf[thread]!;
    if (e.asleep[row]! > 1) {
      const factor = Math.trunc((2 * this.load.average[0]!) / this.domain.vcpus.length);
      let n = e.asleep[row]! - 1;
      // `decay_cpu_batch`
      if (n << FSHIFT >= 7 * factor) e.estcpu[row] = 0;
      for (; e.estcpu[row]! > 0 && n > 1; n--) this.decay(row, factor);
    }
    e.slept[row]! += this.ticks - e.since[row]!;
    e.asleep[row] = 0;
    e.boosted[row] = 1;
  }

  /** It gets the CPU, and goes back to user mode. */
  run(thread: number): void {
    const row = this.rowOf[thread]!;
    this.entity.boosted[row] = 0;
    this.entity.oncpu[row] = this.entity.since[row] = this.ticks;
  }

  /** It runs until now; if it sleeps, then from now on. */
  ran(thread: number): void {
    this.entity.since[this.rowOf[thread]!] = this.ticks;
  }

  /** It has lost the CPU, ready to go on. @returns the vCPU that it is to move to, or −1 */
  stop(thread: number): number {
    const row = this.rowOf[thread]!;
    const { target } = this.entity;
    this.entity.ran[row]! += this.ticks - this.entity.oncpu[row]!;
    const to = target[row]!;
    target[row] = NONE;
    return to;
  }

  /** `schedclock` finds it on its vCPU. */
  charge(thread: number): void {
    const { estcpu } = this.entity;
    const row = this.rowOf[thread]!;
    estcpu[row] = Math.min(ESTCPU_MAX, estcpu[row]! + ESTCPU_ACCUM);
  }

  /** `lwp_cache_hot`, with `cacheht_time` of 3 ms, which are 0 ticks: since the clock has ticked, its cache is cold. */
  isCacheHot(thread: number): boolean {
    const row = this.rowOf[thread]!;
    return this.entity.asleep[row] === 0 && this.entity.oncpu[row] === this.ticks;
  }

  /**
   * `sched_pstats`, for every second that has passed: use decays, the load is averaged, and threads that only compute look for a better vCPU.
   * @returns whether priorities may have changed
   */
  secondsPass(): boolean {
    const { load } = this;
    const now = Math.floor(this.kernel.now / SECOND);
    if (load.seconds[0] === now) return false;
    while (load.seconds[0]! < now) this.secondPasses(++load.seconds[0]!);
    return true;
  }

  private secondPasses(second: number): void {
    const e = this.entity;
    const { load } = this;
    let running = 0;
    for (const thread of this.all) {
      const row = this.rowOf[thread]!;
      const state = this.threads.thread.state[thread]!;
      const runs = state === ThreadState.running || state === ThreadState.ready;
      if (!runs) e.asleep[row]!++;
      if (runs || e.asleep[row]! <= 1) running++;
      this.spread(thread, row, runs);
      e.slept[row] = e.ran[row] = 0;
      if (runs || e.asleep[row]! <= 1) this.decay(row, 2 * load.average[0]!);
    }
    if (second % LOAD_PERIOD === 0) load.average[0] = (CEXP * load.average[0]! + running * FSCALE * (FSCALE - CEXP)) >> FSHIFT;
  }

  /** `sched_lwp_stats`: who has run more than slept in two seconds on end, and has not slept at all for one, may move. */
  private spread(thread: number, row: number, runs: boolean): void {
    const e = this.entity;
    const computes = e.ran[row]! > e.slept[row]!;
    const again = computes && e.batch[row] === 1;
    e.batch[row] = computes ? 1 : 0;
    if (!again || !runs || e.slept[row]! > 0) return;
    const to = this.better(thread);
    e.target[row] = to === this.threads.thread.vcpu[thread] ? NONE : to;
    e.batch[row] = 0;
  }

  /** `decay_cpu` */
  private decay(row: number, factor: number): void {
    const { estcpu } = this.entity;
    estcpu[row] = Math.trunc((estcpu[row]! * factor) / (factor + FSCALE));
  }
}
