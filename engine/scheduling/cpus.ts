import type { CostProfile } from "../profiles/profile";
import type { Kernel, Model } from "../kernel/kernel";
import { Priority } from "../kernel/queue";
import type { Variable } from "../inspect";
import { NONE } from "../trace/trace";

/** What a vCPU is doing, as its hypervisor sees it. */
export const VcpuState = { blocked: 0, runnable: 1, running: 2 } as const;

/** Where a blocked or woken vCPU is reported: the scheduler of the host. */
export interface VcpuHost {
  /** Its component in the trace. */
  readonly id: number;
  /** A blocked vCPU has something to do. */
  wake(vcpu: number): void;
  /** A running vCPU has nothing to do and halts. */
  block(vcpu: number): void;
}

/** Static facts of a domain, for its scheduler. */
interface DomainEntry {
  readonly path: string;
  /** The domain as a component of the trace: what its own scheduler does. */
  readonly component: number;
  readonly host: string;
  readonly vcpus: number[];
  readonly idle: "halt" | "spin";
  readonly vcpuHost: VcpuHost;
  readonly threads: number[];
}

const ThreadState = { idle: 0, ready: 1, running: 2 } as const;
const threadStateNames = ["blocked", "ready", "running"] as const;
const vcpuStateNames = ["blocked", "runnable", "running"] as const;

const Op = { workEnd: 0, idlePoll: 1, kick: 2, deliver: 3 } as const;
/** Work on a vCPU: level 0 is the thread's, level 1 an interrupt's on top of it. */
const LEVELS = 2;
/** Functions that one piece of work can name. */
const SHARES = 16;
const ANY = -1;

/**
 * The upper level of scheduling: threads on vCPUs, M:N and non-preemptive, with a local queue per vCPU and a global one
 * (LibrettOS section 4.1; `lib/libbmk_core/sched.c`). A thread is a queue of jobs; a job is (component, op, a, b). When a
 * job begins, its component says what it costs; when the time has been spent, the effect happens, atomically. The
 * hypervisor may take the vCPU away in between: the rest of the cost is then paid later.
 *
 * An interrupt runs above the thread's work on its vCPU. A *line* is an interrupt or event-channel port: raising it
 * while it is pending does nothing more, as with Xen's pending bits.
 */
export class Cpus implements Model {
  readonly id: number;
  readonly vcpu;
  readonly thread;
  readonly line;
  private readonly job;
  private readonly work;
  private readonly share;
  private readonly queue;
  private readonly domains: DomainEntry[] = [];
  private readonly domainOfVcpu: number[] = [];
  private readonly contextOfThread: number[] = [];
  private readonly contextOfInterrupt: number[] = [];
  private readonly fn;
  /** The work whose `begin` or `end` runs at this moment. Never outlives a dispatch. */
  private current = -1;
  private yielding = false;

  constructor(private readonly kernel: Kernel, private readonly costs: CostProfile) {
    const { store } = kernel;
    this.id = kernel.component("cpus", "cpus", "", undefined, this);
    this.fn = kernel.functions({
      bmk_sched: { file: "lib/libbmk_core/sched.c", kind: "thread" },
      "idle poll": { file: "lib/libbmk_core/sched.c", kind: "thread" },
      vcpu_kick: { file: "xen/common/domain.c", kind: "hypervisor" },
      vcpu_mark_events_pending: { file: "xen/arch/x86/hvm/irq.c", kind: "hypervisor" },
    });
    this.vcpu = store.table("vcpus", {
      state: "u8", thread: "i32", idle: "u8", idlePoll: "i32", kicked: "u8", localHead: "i32", localTail: "i32",
      lineHead: "i32", lineTail: "i32", lastRow: "i32", busy: "f64", ran: "f64", since: "f64", switches: "f64",
    });
    this.thread = store.table("threads", {
      state: "u8", domain: "u16", affinity: "i16", head: "i32", tail: "i32", next: "i32", busy: "f64", jobs: "f64",
    });
    this.job = store.table("jobs", { next: "i32", component: "u16", op: "u16", a: "i32", b: "i32", cause: "i32", posted: "f64" }, 64);
    this.work = store.table("work", {
      active: "u8", component: "u16", op: "u16", a: "i32", b: "i32", cause: "i32", enabler: "i32",
      begin: "f64", end: "f64", remaining: "f64", event: "i32", shares: "u8", spin: "f64", cut: "u8", thread: "i32",
    });
    this.share = store.table("work shares", { fn: "u16", component: "u16", cost: "f64", packet: "i32", a: "i32", b: "i32" });
    this.queue = store.table("global run queues", { head: "i32", tail: "i32" });
    this.line = store.table("interrupt lines", {
      pending: "u8", vcpu: "u16", component: "u16", op: "u16", a: "i32", next: "i32", cause: "i32", raised: "f64", delivered: "f64", latency: "f64",
    });
  }

  addDomain(path: string, host: string, idle: "halt" | "spin", vcpuHost: VcpuHost): number {
    const q = this.queue.alloc();
    this.queue.head[q] = this.queue.tail[q] = NONE;
    const id = this.domains.length;
    const component = this.kernel.component(path, "domain", host, path, { fire: () => {}, describe: () => [{ name: "Scheduling", variables: this.describeDomain(id) }] });
    this.domains.push({ path, component, host, vcpus: [], idle, vcpuHost, threads: [] });
    return id;
  }

  addVcpu(domain: number): number {
    const d = this.domains[domain]!;
    const path = `${d.path}/vcpu${d.vcpus.length}`;
    const v = this.vcpu.alloc();
    const columns = this.vcpu;
    columns.thread[v] = columns.localHead[v] = columns.localTail[v] = columns.lineHead[v] = columns.lineTail[v] = NONE;
    columns.idlePoll[v] = columns.lastRow[v] = NONE;
    for (let i = 0; i < LEVELS; i++) this.work.alloc();
    for (let i = 0; i < LEVELS * SHARES; i++) this.share.alloc();
    this.kernel.names.vcpus.push({ id: v, path, domain: d.path });
    this.contextOfInterrupt.push(this.kernel.context("thread", `${d.path}/interrupt-${d.vcpus.length}`, d.host, d.path));
    d.vcpus.push(v);
    this.domainOfVcpu.push(domain);
    return v;
  }

  /** @param affinity index of the vCPU in the domain that runs it, or −1 for the global queue; fixed for life, as in `sched.c`. */
  addThread(domain: number, name: string, affinity = ANY): number {
    const d = this.domains[domain]!;
    const t = this.thread.alloc();
    this.thread.domain[t] = domain;
    this.thread.affinity[t] = affinity < 0 ? ANY : d.vcpus[affinity % d.vcpus.length]!;
    this.thread.head[t] = this.thread.tail[t] = this.thread.next[t] = NONE;
    d.threads.push(t);
    this.contextOfThread[t] = this.kernel.context("thread", `${d.path}/${name}`, d.host, d.path);
    return t;
  }

  /**
   * @param vcpu the one that takes the interrupt
   * @param latency from raising to the vCPU noticing it, picoseconds
   */
  addLine(vcpu: number, component: number, op: number, a: number, latency: number): number {
    const l = this.line.alloc();
    this.line.vcpu[l] = vcpu;
    this.line.component[l] = component;
    this.line.op[l] = op;
    this.line.a[l] = a;
    this.line.latency[l] = latency;
    this.line.next[l] = NONE;
    return l;
  }

  /** The thread's id as a context of the trace. */
  contextOf(thread: number): number {
    return this.contextOfThread[thread]!;
  }

  vcpusOf(domain: number): readonly number[] {
    return this.domains[domain]!.vcpus;
  }

  // --- What models say --------------------------------------------------------------------------------------------

  /** In `begin`: this work goes through `fn`, at the cost that the profile gives it for `bytes`. */
  spend(fn: number, packet: number = NONE, bytes = 0, b = 0): void {
    this.spendTime(fn, this.costs.of(fn, bytes), packet, bytes, b);
  }

  /** In `begin`: this work goes through `fn` for `cost` picoseconds. */
  spendTime(fn: number, cost: number, packet: number = NONE, a = 0, b = 0): void {
    const w = this.current;
    const n = this.work.shares[w]!++;
    if (n >= SHARES) throw new Error("a piece of work names too many functions");
    const s = w * SHARES + n;
    this.share.fn[s] = fn;
    this.share.component[s] = this.spending;
    this.share.cost[s] = cost;
    this.share.packet[s] = packet;
    this.share.a[s] = a;
    this.share.b[s] = b;
  }

  /** The component that `spend` charges: the job's own, or one that it calls into. */
  private spending = 0;

  /** In `begin`: what is spent from now on belongs to `component`, a neighbour that is called. @returns whose it was, for the way back */
  enter(component: number): number {
    const before = this.spending;
    this.spending = component;
    return before;
  }

  /** In `begin`: call `fn` at most `limit` times in vain; ends early, after the call under way, when {@link cutShort}. */
  spinOn(fn: number, limit: number): void {
    const round = this.costs.of(fn, 0);
    this.spendTime(fn, round * limit, NONE, limit);
    this.work.spin[this.current] = round;
  }

  /** In `end`: whether the spinning that ends was cut short. */
  get wasCut(): boolean {
    return this.work.cut[this.current] === 1;
  }

  /** The thread whose work runs now, or −1 in an interrupt. */
  get currentThread(): number {
    return this.current >= 0 ? this.work.thread[this.current]! : NONE;
  }

  /** In `end`: lets the other threads of the vCPU go first. */
  yield(): void {
    this.yielding = true;
  }

  /** Adds a job at the end of a thread's queue and wakes the thread if it was blocked. */
  post(thread: number, component: number, op: number, a = 0, b = 0): void {
    const j = this.newJob(component, op, a, b);
    const t = this.thread;
    if (t.tail[thread] === NONE) t.head[thread] = j;
    else this.job.next[t.tail[thread]!] = j;
    t.tail[thread] = j;
    if (t.state[thread] === ThreadState.idle) this.makeReady(thread);
  }

  /** Adds a job before all others of the thread: a call, or the rest of what it does now. */
  call(thread: number, component: number, op: number, a = 0, b = 0): void {
    const j = this.newJob(component, op, a, b);
    const t = this.thread;
    this.job.next[j] = t.head[thread]!;
    t.head[thread] = j;
    if (t.tail[thread] === NONE) t.tail[thread] = j;
    if (t.state[thread] === ThreadState.idle) this.makeReady(thread);
  }

  /** Ends a thread's spinning at the end of the round it is in. */
  cutShort(thread: number): void {
    for (const v of this.domains[this.thread.domain[thread]!]!.vcpus) {
      const w = v * LEVELS;
      if (this.work.active[w] === 1 && this.work.thread[w] === thread) this.cutWork(v);
    }
  }

  /** Makes an interrupt or event pending; nothing more happens if it already is. @returns whether it was newly raised */
  raise(line: number): boolean {
    const l = this.line;
    if (l.pending[line] === 1) return false;
    l.pending[line] = 1;
    l.raised[line]!++;
    this.kernel.schedule(l.latency[line]!, Priority.interrupt, this.id, Op.deliver, line);
    return true;
  }

  // --- What the hypervisor says -----------------------------------------------------------------------------------

  /** The vCPU has a pCPU from now on. */
  resume(v: number): void {
    const columns = this.vcpu;
    columns.state[v] = VcpuState.running;
    columns.since[v] = this.kernel.now;
    columns.kicked[v] = 0;
    columns.lastRow[v] = this.kernel.cause;
    const interrupt = v * LEVELS + 1;
    if (this.work.active[interrupt] === 1) this.continueWork(interrupt);
    else this.next(v);
  }

  /** The vCPU loses its pCPU; it stays runnable. */
  suspend(v: number): void {
    this.vcpu.ran[v]! += this.kernel.now - this.vcpu.since[v]!;
    this.vcpu.state[v] = VcpuState.runnable;
    this.vcpu.idle[v] = 0;
    for (let level = LEVELS - 1; level >= 0; level--) this.pauseWork(v * LEVELS + level);
    if (this.vcpu.idlePoll[v] !== NONE) {
      this.kernel.cancel(this.vcpu.idlePoll[v]!);
      this.vcpu.idlePoll[v] = NONE;
    }
  }

  // --- Events -----------------------------------------------------------------------------------------------------

  fire(op: number, a: number): void {
    if (op === Op.workEnd) this.workEnded(a);
    else if (op === Op.idlePoll) this.idlePolled(a);
    else if (op === Op.kick) this.kicked(a);
    else this.delivered(a);
  }

  private workEnded(w: number): void {
    const v = (w / LEVELS) | 0;
    const { work, share, kernel } = this;
    work.active[w] = 0;
    work.event[w] = NONE;
    kernel.cause = work.cause[w]!;
    const context = w % LEVELS === 0 ? this.contextOfThread[work.thread[w]!]! : this.contextOfInterrupt[v]!;
    let begin = work.begin[w]!;
    let enabler = work.enabler[w]!;
    for (let s = w * SHARES, end = s + work.shares[w]!; s < end; s++) {
      const cost = share.cost[s]!;
      kernel.mark(share.fn[s]!, share.component[s]!, context, begin, cost, share.packet[s]!, share.a[s]!, share.b[s]!, v, enabler);
      begin += cost;
      enabler = NONE;
      this.vcpu.busy[v]! += cost;
      if (w % LEVELS === 0) this.thread.busy[work.thread[w]!]! += cost;
    }
    this.vcpu.lastRow[v] = kernel.cause;
    this.current = w;
    this.yielding = false;
    kernel.models[work.component[w]!]!.end!(work.op[w]!, work.a[w]!, work.b[w]!);
    this.current = -1;
    this.next(v);
  }

  private idlePolled(v: number): void {
    this.vcpu.idlePoll[v] = NONE;
    this.kernel.mark(this.fn["idle poll"], this.domainOf(v).component, this.contextOfInterrupt[v]!, this.kernel.now, 0, NONE, 0, 0, v);
    if (this.vcpu.idle[v] === 1) this.next(v);
  }

  private kicked(v: number): void {
    this.vcpu.kicked[v] = 0;
    this.kernel.mark(this.fn.vcpu_kick, this.domainOf(v).vcpuHost.id, this.contextOfInterrupt[v]!, this.kernel.now, 0);
    if (this.vcpu.state[v] === VcpuState.blocked) this.domainOf(v).vcpuHost.wake(v);
  }

  private delivered(line: number): void {
    const l = this.line;
    const v = l.vcpu[line]!;
    const component = l.component[line]!;
    const latency = l.latency[line]!;
    this.kernel.mark(this.fn.vcpu_mark_events_pending, component, this.contextOfInterrupt[v]!, this.kernel.now - latency, latency);
    l.delivered[line]!++;
    l.cause[line] = this.kernel.cause;
    l.next[line] = NONE;
    const columns = this.vcpu;
    if (columns.lineTail[v] === NONE) columns.lineHead[v] = line;
    else l.next[columns.lineTail[v]!] = line;
    columns.lineTail[v] = line;
    if (columns.state[v] === VcpuState.blocked) {
      this.domainOf(v).vcpuHost.wake(v);
    } else if (columns.state[v] === VcpuState.running && this.work.active[v * LEVELS + 1] === 0) {
      this.pauseWork(v * LEVELS);
      this.next(v);
    }
  }

  // --- Choosing what a running vCPU does ---------------------------------------------------------------------------

  /** Interrupts first, then the thread that runs, then the local queue, then the global one, then idle. */
  private next(v: number): void {
    const columns = this.vcpu;
    columns.idle[v] = 0;
    if (columns.lineHead[v] !== NONE) return this.startInterrupt(v);
    const w = v * LEVELS;
    if (this.work.active[w] === 1) return this.continueWork(w);
    const t = this.thread;
    const running = columns.thread[v]!;
    if (running !== NONE) {
      const more = t.head[running] !== NONE;
      if (more && !this.yielding) {
        this.startJob(v, running, false);
        return this.offerGlobalQueue(v);
      }
      columns.thread[v] = NONE;
      t.state[running] = ThreadState.idle;
      if (more) this.enqueue(running);
    }
    this.yielding = false;
    const chosen = this.dequeue(v);
    if (chosen !== NONE) {
      columns.thread[v] = chosen;
      t.state[chosen] = ThreadState.running;
      if (chosen !== running) columns.switches[v]!++;
      this.startJob(v, chosen, chosen !== running);
      return this.offerGlobalQueue(v);
    }
    const domain = this.domainOf(v);
    if (domain.idle === "spin") {
      columns.idle[v] = 1;
    } else {
      columns.ran[v]! += this.kernel.now - columns.since[v]!;
      columns.state[v] = VcpuState.blocked;
      domain.vcpuHost.block(v);
    }
  }

  /** The vCPU is busy; what waits in the global queue is for an idle one. */
  private offerGlobalQueue(v: number): void {
    const domain = this.domainOfVcpu[v]!;
    if (this.queue.head[domain] !== NONE) this.notify(this.domains[domain]!.vcpus);
  }

  private startJob(v: number, thread: number, switched: boolean): void {
    const t = this.thread;
    const j = t.head[thread]!;
    const { job, work } = this;
    t.head[thread] = job.next[j]!;
    if (t.head[thread] === NONE) t.tail[thread] = NONE;
    t.jobs[thread]!++;
    const w = v * LEVELS;
    work.component[w] = job.component[j]!;
    work.op[w] = job.op[j]!;
    work.a[w] = job.a[j]!;
    work.b[w] = job.b[j]!;
    work.cause[w] = job.cause[j]!;
    work.enabler[w] = job.posted[j]! < this.kernel.now ? this.vcpu.lastRow[v]! : NONE;
    work.thread[w] = thread;
    this.job.release(j);
    this.startWork(w, switched);
  }

  private startInterrupt(v: number): void {
    const line = this.vcpu.lineHead[v]!;
    const { line: l, work } = this;
    this.vcpu.lineHead[v] = l.next[line]!;
    if (l.next[line] === NONE) this.vcpu.lineTail[v] = NONE;
    l.pending[line] = 0;
    const w = v * LEVELS + 1;
    work.component[w] = l.component[line]!;
    work.op[w] = l.op[line]!;
    work.a[w] = l.a[line]!;
    work.b[w] = 0;
    work.cause[w] = l.cause[line]!;
    work.enabler[w] = this.vcpu.lastRow[v]!;
    work.thread[w] = NONE;
    this.startWork(w, false);
  }

  private startWork(w: number, switched: boolean): void {
    const { work, share, kernel } = this;
    work.active[w] = 1;
    work.shares[w] = 0;
    work.spin[w] = 0;
    work.cut[w] = 0;
    work.begin[w] = kernel.now;
    this.current = w;
    this.spending = work.component[w]!;
    if (switched) {
      const component = this.enter(this.domainOf((w / LEVELS) | 0).component);
      this.spend(this.fn.bmk_sched);
      this.enter(component);
    }
    kernel.models[work.component[w]!]!.begin!(work.op[w]!, work.a[w]!, work.b[w]!);
    this.current = -1;
    let total = 0;
    for (let s = w * SHARES, end = s + work.shares[w]!; s < end; s++) total += share.cost[s]!;
    work.remaining[w] = total;
    if (work.shares[w] === 0) throw new Error(`${kernel.names.components[work.component[w]!]!.path}: work without a function`);
    this.continueWork(w);
  }

  private continueWork(w: number): void {
    this.work.end[w] = this.kernel.now + this.work.remaining[w]!;
    this.work.event[w] = this.kernel.schedule(this.work.remaining[w]!, Priority.cpu, this.id, Op.workEnd, w);
  }

  private pauseWork(w: number): void {
    const { work } = this;
    if (work.active[w] === 0 || work.event[w] === NONE) return;
    work.remaining[w] = work.end[w]! - this.kernel.now;
    this.kernel.cancel(work.event[w]!);
    work.event[w] = NONE;
  }

  /** Takes the rounds of polling that have not begun off the work of a spinning vCPU. */
  private cutWork(v: number): void {
    const w = v * LEVELS;
    const { work } = this;
    const round = work.spin[w]!;
    if (round === 0 || work.cut[w] === 1) return;
    work.cut[w] = 1;
    const running = work.event[w] !== NONE;
    this.pauseWork(w);
    const last = w * SHARES + work.shares[w]! - 1;
    const saved = Math.floor(Math.min(work.remaining[w]!, this.share.cost[last]!) / round) * round;
    work.remaining[w]! -= saved;
    this.share.cost[last]! -= saved;
    this.share.a[last] = Math.round(this.share.cost[last]! / round);
    if (running) this.continueWork(w);
  }

  // --- Run queues ---------------------------------------------------------------------------------------------------

  private makeReady(thread: number): void {
    this.enqueue(thread);
    const affinity = this.thread.affinity[thread]!;
    const domain = this.thread.domain[thread]!;
    // A vCPU that makes a thread of the global queue ready looks there itself before it asks others to: see `next`.
    if (affinity === ANY && this.current >= 0 && this.domainOfVcpu[(this.current / LEVELS) | 0] === domain) return;
    this.notify(affinity === ANY ? this.domains[domain]!.vcpus : [affinity]);
  }

  /** A thread became ready: an idle vCPU notices when it polls next, a spinning one at its round's end, a halted one is kicked. */
  private notify(candidates: readonly number[]): void {
    const columns = this.vcpu;
    for (const v of candidates) {
      if (columns.idle[v] === 1 && columns.state[v] === VcpuState.running) {
        if (columns.idlePoll[v] === NONE) {
          columns.idlePoll[v] = this.kernel.schedule(this.costs.of(this.fn["idle poll"], 0), Priority.cpu, this.id, Op.idlePoll, v);
        }
        return;
      }
    }
    for (const v of candidates) {
      const w = v * LEVELS;
      if (columns.state[v] === VcpuState.running && this.work.active[w] === 1 && this.work.spin[w]! > 0) return this.cutWork(v);
    }
    for (const v of candidates) {
      if (columns.state[v] === VcpuState.blocked) {
        if (columns.kicked[v] === 0) {
          columns.kicked[v] = 1;
          this.kernel.schedule(this.costs.of(this.fn.vcpu_kick, 0), Priority.interrupt, this.id, Op.kick, v);
        }
        return;
      }
    }
  }

  private enqueue(thread: number): void {
    const t = this.thread;
    t.state[thread] = ThreadState.ready;
    t.next[thread] = NONE;
    const affinity = t.affinity[thread]!;
    const local = affinity !== ANY;
    const head = local ? this.vcpu.localHead : this.queue.head;
    const tail = local ? this.vcpu.localTail : this.queue.tail;
    const q = local ? affinity : t.domain[thread]!;
    if (tail[q] === NONE) head[q] = thread;
    else t.next[tail[q]!] = thread;
    tail[q] = thread;
  }

  private dequeue(v: number): number {
    const columns = this.vcpu;
    const local = columns.localHead[v]!;
    if (local !== NONE) {
      columns.localHead[v] = this.thread.next[local]!;
      if (columns.localHead[v] === NONE) columns.localTail[v] = NONE;
      return local;
    }
    const q = this.domainOfVcpu[v]!;
    const global = this.queue.head[q]!;
    if (global !== NONE) {
      this.queue.head[q] = this.thread.next[global]!;
      if (this.queue.head[q] === NONE) this.queue.tail[q] = NONE;
    }
    return global;
  }

  private newJob(component: number, op: number, a: number, b: number): number {
    const j = this.job.alloc();
    const { job } = this;
    job.next[j] = NONE;
    job.component[j] = component;
    job.op[j] = op;
    job.a[j] = a;
    job.b[j] = b;
    job.cause[j] = this.kernel.cause;
    job.posted[j] = this.kernel.now;
    return j;
  }

  private domainOf(v: number): DomainEntry {
    return this.domains[this.domainOfVcpu[v]!]!;
  }

  // --- For people ---------------------------------------------------------------------------------------------------

  describe(): [] {
    return [];
  }

  /** vCPUs, run queues and threads of a domain, with times in picoseconds. */
  describeDomain(domain: number): Variable[] {
    const d = this.domains[domain]!;
    const t = this.thread;
    const queueOf = (head: number): string => {
      const ids: string[] = [];
      for (let thread = head; thread !== NONE; thread = t.next[thread]!) ids.push(this.threadName(thread));
      return ids.length > 0 ? ids.join(", ") : "empty";
    };
    return [
      {
        name: "vcpus", value: `${d.vcpus.length}`, number: d.vcpus.length,
        children: d.vcpus.map((v, i) => ({
          name: `vcpu${i}`,
          value: `${vcpuStateNames[this.vcpu.state[v]!]!}${this.vcpu.idle[v] === 1 ? ", idle" : ""}`,
          children: [
            { name: "thread", value: this.vcpu.thread[v] === NONE ? "none" : this.threadName(this.vcpu.thread[v]!) },
            { name: "run queue", value: queueOf(this.vcpu.localHead[v]!) },
            { name: "busy", value: microseconds(this.vcpu.busy[v]!), number: this.vcpu.busy[v]! },
            { name: "thread switches", value: `${this.vcpu.switches[v]!}`, number: this.vcpu.switches[v]! },
          ],
        })),
      },
      { name: "global run queue", value: queueOf(this.queue.head[domain]!) },
      {
        name: "threads", value: `${d.threads.length}`, number: d.threads.length,
        children: d.threads.map((thread) => ({
          name: this.threadName(thread), value: threadStateNames[t.state[thread]!]!,
          children: [
            { name: "busy", value: microseconds(t.busy[thread]!), number: t.busy[thread]! },
            { name: "jobs done", value: `${t.jobs[thread]!}`, number: t.jobs[thread]! },
          ],
        })),
      },
    ];
  }

  private threadName(thread: number): string {
    const { path } = this.kernel.names.contexts[this.contextOfThread[thread]!]!;
    return path.slice(path.lastIndexOf("/") + 1);
  }

  /** CPU time that the domain's vCPUs spent on work, picoseconds. */
  busyOf(domain: number): number {
    let sum = 0;
    for (const v of this.domains[domain]!.vcpus) sum += this.vcpu.busy[v]!;
    return sum;
  }
}

function microseconds(time: number): string {
  return `${(time / 1e6).toFixed(3)} µs`;
}
