import type { CostProfile } from "../profiles/profile";
import type { Kernel, Model } from "../kernel/kernel";
import { Priority } from "../kernel/queue";
import type { Variable } from "../inspect";
import { NONE } from "../trace/trace";
import { describeDomain } from "./cpuVariables";
import { Crossings, type KernelSystem } from "./crossing";
import { Ipc, WAITING, type Rendezvous } from "./ipc";
import { ANY, Threads, ThreadState } from "./threads";
import { WorkSlots } from "./work";

/** What a vCPU is doing, as its hypervisor sees it; `off` where its domain does not run. */
export const VcpuState = { blocked: 0, runnable: 1, running: 2, off: 3 } as const;

/** Where a blocked or woken vCPU is reported: the scheduler of the host. */
export interface VcpuHost {
  /** Its component in the trace. */
  readonly id: number;
  /** A blocked vCPU has something to do. */
  wake(vcpu: number): void;
  /** A running vCPU has nothing to do and halts. */
  block(vcpu: number): void;
  /** A vCPU that is not blocked is taken down for good, wherever it is: running, being switched to, or waiting. */
  takeDown(vcpu: number): void;
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
  /** The domain whose vCPUs and run queues its threads use: itself, or a process' kernel. */
  readonly kernel: number;
}

const Op = { workEnd: 0, idlePoll: 1, kick: 2, deliver: 3 } as const;
/** Work on a vCPU: level 0 is the thread's, level 1 an interrupt's on top of it. */
const LEVELS = 2;
/** A vCPU that makes no progress burns its time in pieces of this length, picoseconds: each is a row. */
const HUNG_PIECE = 1e9;

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
  readonly crossings: Crossings;
  readonly ipc: Ipc;
  private readonly threads: Threads;
  private readonly work: WorkSlots;
  private readonly line;
  /** By component: its next job does not end. `count`: how many. */
  private readonly hung;
  private readonly hangs;
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
      "no progress": { kind: "thread" },
    });
    this.vcpu = store.table("vcpus", {
      state: "u8", frozen: "u8", thread: "i32", idle: "u8", idlePoll: "i32", kicked: "u8",
      lineHead: "i32", lineTail: "i32", lastRow: "i32", busy: "f64", ran: "f64", since: "f64", switches: "f64",
    });
    this.threads = new Threads(store);
    this.work = new WorkSlots(kernel, this.id, Op.workEnd);
    this.crossings = new Crossings(kernel, costs, this.work);
    this.ipc = new Ipc(kernel, this.work, this.crossings, this.rendezvous());
    this.line = store.table("interrupt lines", {
      pending: "u8", vcpu: "u16", component: "u16", op: "u16", a: "i32", next: "i32", cause: "i32", raised: "f64", delivered: "f64", latency: "f64",
    });

    this.hung = store.table("hung components", { hung: "u8" });
    this.hangs = store.table("hangs", { count: "i32" }, 1);
    this.hangs.alloc();
  }

  addDomain(path: string, host: string, idle: "halt" | "spin", vcpuHost: VcpuHost): number {
    this.threads.addDomain();
    const id = this.domains.length;
    const component = this.kernel.component(path, "domain", host, path, { fire: () => {}, describe: () => [{ name: "Scheduling", variables: this.describeDomain(id) }] });
    this.domains.push({ path, component, host, vcpus: [], idle, vcpuHost, threads: [], kernel: id });
    this.crossings.addSpace(component);
    this.crossings.place(component, id);
    return id;
  }

  /**
   * A process of a kernel: threads of its own in an address space of its own, on the kernel's vCPUs.
   * @param path that of the kernel for a process that the design does not name
   */
  addProcess(path: string, kernel: number, system: KernelSystem): number {
    this.threads.addDomain();
    const id = this.domains.length;
    const { host, vcpus, idle, vcpuHost, path: above, component: kernelComponent } = this.domains[kernel]!;
    const component = path === above ? kernelComponent
      : this.kernel.component(path, "domain", host, path, { fire: () => {}, describe: () => [{ name: "Scheduling", variables: this.describeDomain(id) }] });
    this.domains.push({ path, component, host, vcpus, idle, vcpuHost, threads: [], kernel });
    this.crossings.addProcess(kernel, system);
    return id;
  }

  /** The processes of a kernel, which share its fate. */
  processesOf(kernel: number): number[] {
    return this.domains.flatMap((d, id) => (d.kernel === kernel && id !== kernel ? [id] : []));
  }

  addVcpu(domain: number): number {
    const d = this.domains[domain]!;
    const path = `${d.path}/vcpu${d.vcpus.length}`;
    const v = this.vcpu.alloc();
    const columns = this.vcpu;
    columns.thread[v] = columns.lineHead[v] = columns.lineTail[v] = NONE;
    columns.idlePoll[v] = columns.lastRow[v] = NONE;
    this.threads.addVcpu();
    for (let i = 0; i < LEVELS; i++) this.work.addSlot();
    this.kernel.names.vcpus.push({ id: v, path, domain: d.path });
    this.crossings.addVcpu();
    this.contextOfInterrupt.push(this.kernel.context("thread", `${d.path}/interrupt-${d.vcpus.length}`, d.host, d.path));
    d.vcpus.push(v);
    this.domainOfVcpu.push(domain);
    return v;
  }

  /** @param affinity index of the vCPU in the domain that runs it, or −1 for the global queue; fixed for life, as in `sched.c`. */
  addThread(domain: number, name: string, affinity = ANY): number {
    const d = this.domains[domain]!;
    const t = this.threads.add(d.kernel, affinity < 0 ? ANY : d.vcpus[affinity % d.vcpus.length]!);
    d.threads.push(t);
    this.crossings.addThread(domain);
    this.ipc.addThread(this.crossings.canCall(domain));
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

  /** Whether the thread has nothing to do and waits for nobody's answer. */
  isBlocked(thread: number): boolean {
    return this.threads.thread.state[thread] === ThreadState.idle;
  }

  /** The thread's id as a context of the trace. */
  contextOf(thread: number): number {
    return this.contextOfThread[thread]!;
  }

  /** The domain as a component of the trace. */
  componentOf(domain: number): number {
    return this.domains[domain]!.component;
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
    this.crossings.to(this.spending);
    this.work.spend(this.current, this.spending, fn, cost, packet, a, b);
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
    this.work.slot.spin[this.current] = round;
  }

  /** In `end`: how often the function was called in vain. */
  get rounds(): number {
    return this.work.rounds(this.current);
  }

  /** In `begin`: how much of what waits this work is for, which its cost was said for. Its `end` reads it by {@link noted}: more may wait by then. */
  note(count: number): void {
    this.work.slot.noted[this.current] = count;
  }

  get noted(): number {
    return this.work.slot.noted[this.current]!;
  }

  /** The thread whose work runs now, or −1 in an interrupt. */
  get currentThread(): number {
    return this.current >= 0 ? this.work.slot.thread[this.current]! : NONE;
  }

  /** The thread whose work runs now, where it may run the component's code itself; else the other one given. */
  carrier(component: number, otherwise: number): number {
    const thread = this.currentThread;
    return thread !== NONE && this.crossings.reaches(thread, component) ? thread : otherwise;
  }

  /** What processes need of the scheduler to call each other. */
  private rendezvous(): Rendezvous {
    const { threads: { thread: column } } = this;
    return {
      spend: (fn, component, cost, packet, a, b) => {
        this.spending = component;
        this.spendTime(fn, cost, packet, a, b);
      },
      costOf: (fn) => this.costs.of(fn, 0),
      contextOf: (thread) => this.contextOf(thread),
      call: (thread, component, op, a) => this.call(thread, component, op, a),
      queue: (thread, component, op, a) => this.threads.append(thread, component, op, a, 0, this.kernel.cause, this.kernel.now),
      stateOf: (thread) => column.state[thread]!,
      wait: (server) => {
        column.state[this.currentThread] = WAITING;
        this.goOn(server);
      },
      giveBack: (thread) => {
        const { currentThread } = this;
        const affinity = column.affinity[thread]!;
        const v = (this.current / LEVELS) | 0;
        if (affinity !== ANY && affinity !== v) {
          this.makeReady(thread);
          return;
        }
        column.state[currentThread] = ThreadState.idle;
        this.goOn(thread);
        if (this.threads.hasJob(currentThread)) this.makeReady(currentThread);
      },
    };
  }

  /** In `end`: another thread has the vCPU of the work that ends, and what is left of its slice; −1: whoever is next. */
  private goOn(thread: number): void {
    const v = (this.current / LEVELS) | 0;
    this.vcpu.thread[v] = thread;
    if (thread === NONE) return;
    this.threads.thread.state[thread] = ThreadState.running;
    this.crossings.load(v, thread, -1);
    this.vcpu.switches[v]!++;
  }

  /** In `end`: lets the other threads of the vCPU go first. */
  yield(): void {
    this.yielding = true;
  }

  /** Adds a job at the end of a thread's queue and wakes the thread if it was blocked. A thread of a domain that does not run takes none. */
  post(thread: number, component: number, op: number, a = 0, b = 0): void {
    if (this.threads.thread.state[thread] === ThreadState.dead) return;
    this.threads.append(thread, component, op, a, b, this.kernel.cause, this.kernel.now);
    if (this.threads.thread.state[thread] === ThreadState.idle) this.makeReady(thread);
  }

  /** Adds a job before all others of the thread: a call, or the rest of what it does now. */
  call(thread: number, component: number, op: number, a = 0, b = 0): void {
    if (this.threads.thread.state[thread] === ThreadState.dead) return;
    if (thread === this.currentThread) this.crossings.called(thread);
    this.threads.prepend(thread, component, op, a, b, this.kernel.cause, this.kernel.now);
    if (this.threads.thread.state[thread] === ThreadState.idle) this.makeReady(thread);
  }

  /** Ends a thread's spinning at the end of the round it is in. */
  cutShort(thread: number): void {
    for (const v of this.domains[this.threads.thread.domain[thread]!]!.vcpus) {
      if (this.work.slot.thread[v * LEVELS] === thread) this.work.cut(v * LEVELS);
    }
  }

  /** Makes an interrupt or event pending; nothing more happens if it already is, or where the domain does not run. @returns whether it was newly raised */
  raise(line: number): boolean {
    const l = this.line;
    if (l.pending[line] === 1 || this.vcpu.state[l.vcpu[line]!] === VcpuState.off) return false;
    l.pending[line] = 1;
    l.raised[line]!++;
    this.kernel.schedule(l.latency[line]!, Priority.interrupt, this.id, Op.deliver, line);
    return true;
  }

  /** In the `end` of an interrupt's work: the handler found more to do and goes on, before any other line of its vCPU. */
  repeat(line: number): void {
    const { line: l, vcpu: columns } = this;
    const v = l.vcpu[line]!;
    if (l.pending[line] === 1) return;
    l.pending[line] = 1;
    l.cause[line] = this.kernel.cause;
    l.next[line] = columns.lineHead[v]!;
    columns.lineHead[v] = line;
    if (columns.lineTail[v] === NONE) columns.lineTail[v] = line;
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
    if (this.work.isActive(interrupt)) this.work.proceed(interrupt);
    else this.next(v);
  }

  /** The vCPU loses its pCPU; it stays runnable. */
  suspend(v: number): void {
    this.vcpu.ran[v]! += this.kernel.now - this.vcpu.since[v]!;
    this.vcpu.state[v] = VcpuState.runnable;
    this.vcpu.idle[v] = 0;
    for (let level = LEVELS - 1; level >= 0; level--) this.work.pause(v * LEVELS + level);
    if (this.vcpu.idlePoll[v] !== NONE) {
      this.kernel.cancel(this.vcpu.idlePoll[v]!);
      this.vcpu.idlePoll[v] = NONE;
    }
  }

  // --- Life and death of domains ------------------------------------------------------------------------------------

  /**
   * The domain stops between two instructions: what its vCPUs do and what its threads were to do is gone, its lines deliver
   * nothing, its pCPUs are free. Must be called in a dispatch of its own, not from a CPU's work.
   */
  stop(domain: number): void {
    const { kernel, vcpu: columns, line: l } = this;
    const { vcpus, threads, vcpuHost } = this.domains[domain]!;
    for (const v of vcpus) {
      if (columns.state[v] === VcpuState.running) columns.ran[v]! += kernel.now - columns.since[v]!;
      if (columns.state[v] === VcpuState.runnable || columns.state[v] === VcpuState.running) vcpuHost.takeDown(v);
      columns.state[v] = VcpuState.off;
      columns.idle[v] = columns.frozen[v] = columns.kicked[v] = 0;
      columns.thread[v] = columns.lineHead[v] = columns.lineTail[v] = columns.idlePoll[v] = NONE;
      for (let level = 0; level < LEVELS; level++) this.work.drop(v * LEVELS + level);
    }
    for (let line = 0; line < l.rows; line++) if (this.domainOfVcpu[l.vcpu[line]!] === domain) l.pending[line] = 0;
    kernel.queue.cancelWhere((component, op, a) => {
      if (component !== this.id || op === Op.workEnd) return false;
      return this.domainOfVcpu[op === Op.deliver ? l.vcpu[a]! : a] === domain;
    });
    this.threads.kill(domain, vcpus, threads);
  }

  /** A domain that was stopped runs again: its vCPUs boot, its threads have nothing to do yet. */
  boot(domain: number): void {
    const { vcpus, threads, vcpuHost } = this.domains[domain]!;
    this.threads.revive(threads);
    for (const v of vcpus) {
      this.vcpu.lastRow[v] = this.kernel.cause;
      vcpuHost.wake(v);
    }
  }

  /** The domain makes no progress from now on, with interrupts disabled, and burns all the time that its vCPUs get, until it is stopped. */
  freeze(domain: number): void {
    const { vcpu: columns, work } = this;
    const { vcpus, vcpuHost } = this.domains[domain]!;
    for (const v of vcpus) {
      if (columns.state[v] === VcpuState.off || columns.frozen[v] === 1) continue;
      columns.frozen[v] = 1;
      columns.idle[v] = 0;
      if (columns.idlePoll[v] !== NONE) this.kernel.cancel(columns.idlePoll[v]!);
      columns.idlePoll[v] = NONE;
      work.pause(v * LEVELS);
      work.drop(v * LEVELS + 1);
      this.burn(v);
      if (columns.state[v] === VcpuState.running) work.proceed(v * LEVELS + 1);
      else if (columns.state[v] === VcpuState.blocked) vcpuHost.wake(v);
    }
  }

  /** From the component's next job on, its work does not end, and holds its vCPU. @param on false: it works again */
  hang(component: number, on: boolean): void {
    while (this.hung.rows <= component) this.hung.alloc();
    this.hangs.count[0]! += Number(on) - this.hung.hung[component]!;
    this.hung.hung[component] = on ? 1 : 0;
  }

  /** Whether the domain's vCPUs are on: false after `stop`, until `boot`. */
  isOn(domain: number): boolean {
    return this.vcpu.state[this.domains[domain]!.vcpus[0]!] !== VcpuState.off;
  }

  /** The next piece of a frozen vCPU's time, as an interrupt that does not end. */
  private burn(v: number): void {
    const { component } = this.domainOf(v);
    const w = v * LEVELS + 1;
    this.work.begin(w, NONE, component, 0, 0, 0, this.kernel.cause, NONE);
    this.work.spend(w, component, this.fn["no progress"], HUNG_PIECE, NONE, 0, 0);
    this.work.slot.hung[w] = 1;
  }

  /** The same for work of a hung component. */
  private hold(w: number): void {
    const { slot } = this.work;
    this.work.begin(w, slot.thread[w]!, slot.component[w]!, slot.op[w]!, slot.a[w]!, slot.b[w]!, slot.cause[w]!, NONE);
    this.work.spend(w, slot.component[w]!, this.fn["no progress"], HUNG_PIECE, NONE, 0, 0);
    slot.hung[w] = 1;
    this.work.proceed(w);
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
    const { slot } = this.work;
    const thread = slot.thread[w]!;
    const spent = this.work.finish(w, thread === NONE ? this.contextOfInterrupt[v]! : this.contextOfThread[thread]!, v);
    this.vcpu.busy[v]! += spent;
    if (thread !== NONE) this.threads.thread.busy[thread]! += spent;
    this.vcpu.lastRow[v] = this.kernel.cause;
    if (slot.hung[w] === 1) return this.hold(w);
    this.current = w;
    this.yielding = false;
    this.kernel.end(slot.component[w]!, slot.op[w]!, slot.a[w]!, slot.b[w]!);
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
    } else if (columns.state[v] === VcpuState.running && !this.work.isActive(v * LEVELS + 1)) {
      this.work.pause(v * LEVELS);
      this.next(v);
    }
  }

  // --- Choosing what a running vCPU does ---------------------------------------------------------------------------

  /** Interrupts first, then the thread that runs, then the local queue, then the global one, then idle. */
  private next(v: number): void {
    const columns = this.vcpu;
    columns.idle[v] = 0;
    if (columns.lineHead[v] !== NONE) return this.startInterrupt(v);
    if (this.work.isActive(v * LEVELS)) return this.work.proceed(v * LEVELS);
    const { thread } = this.threads;
    const running = columns.thread[v]!;
    if (running !== NONE) {
      const more = this.threads.hasJob(running);
      if (more && !this.yielding) return this.startJob(v, running, false);
      columns.thread[v] = NONE;
      thread.state[running] = ThreadState.idle;
      if (more) this.threads.enqueue(running);
    }
    this.yielding = false;
    const chosen = this.threads.dequeue(v, this.domainOfVcpu[v]!);
    if (chosen !== NONE) {
      columns.thread[v] = chosen;
      thread.state[chosen] = ThreadState.running;
      if (chosen !== running) columns.switches[v]!++;
      return this.startJob(v, chosen, chosen !== running);
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

  private startJob(v: number, thread: number, switched: boolean): void {
    const { job } = this.threads;
    const j = this.threads.takeJob(thread);
    const enabler = job.posted[j]! < this.kernel.now ? this.vcpu.lastRow[v]! : NONE;
    this.work.begin(v * LEVELS, thread, job.component[j]!, job.op[j]!, job.a[j]!, job.b[j]!, job.cause[j]!, enabler);
    this.startWork(v * LEVELS, switched);
    // The vCPU is busy now; what waits in the global queue is for an idle one.
    const domain = this.domainOfVcpu[v]!;
    if (this.threads.isGlobalWaiting(domain)) this.notify(this.domains[domain]!.vcpus);
  }

  private startInterrupt(v: number): void {
    const line = this.vcpu.lineHead[v]!;
    const { line: l } = this;
    this.vcpu.lineHead[v] = l.next[line]!;
    if (l.next[line] === NONE) this.vcpu.lineTail[v] = NONE;
    l.pending[line] = 0;
    const w = v * LEVELS + 1;
    this.work.begin(w, NONE, l.component[line]!, l.op[line]!, l.a[line]!, 0, l.cause[line]!, this.vcpu.lastRow[v]!);
    this.startWork(w, false);
  }

  private startWork(w: number, switched: boolean): void {
    const { kernel } = this;
    const { slot } = this.work;
    this.current = w;
    if (switched) {
      this.spending = this.domainOf((w / LEVELS) | 0).component;
      this.work.spend(w, this.spending, this.fn.bmk_sched, this.costs.of(this.fn.bmk_sched, 0), NONE, 0, 0);
      this.crossings.load((w / LEVELS) | 0, slot.thread[w]!, w);
    }
    this.spending = slot.component[w]!;
    this.crossings.begin(w, slot.thread[w]!);
    const before = slot.shares[w]!;
    if (this.hangs.count[0]! > 0 && this.hung.hung[slot.component[w]!] === 1) return this.hold(w);
    kernel.begin(slot.component[w]!, slot.op[w]!, slot.a[w]!, slot.b[w]!);
    if (this.crossings.cut !== NONE) this.ipc.split(w);
    this.current = -1;
    if (slot.shares[w] === before) throw new Error(`${kernel.names.components[slot.component[w]!]!.path}: work without a function`);
    this.work.proceed(w);
  }

  // --- Waking vCPUs -------------------------------------------------------------------------------------------------

  private makeReady(thread: number): void {
    this.threads.enqueue(thread);
    const affinity = this.threads.thread.affinity[thread]!;
    const domain = this.threads.thread.domain[thread]!;
    // A vCPU that makes a thread of the global queue ready looks there itself before it asks others to: see `startJob`.
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
      if (columns.state[v] === VcpuState.running && this.work.isActive(w) && this.work.slot.spin[w]! > 0) return this.work.cut(w);
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

  private domainOf(v: number): DomainEntry {
    return this.domains[this.domainOfVcpu[v]!]!;
  }

  // --- For people ---------------------------------------------------------------------------------------------------

  /** vCPUs, run queues and threads of a domain. */
  describeDomain(domain: number): Variable[] {
    const { vcpus } = this.domains[domain]!;
    return describeDomain(vcpus, this.threadsOf(domain), this.vcpu, this.threads, domain, (thread) => {
      const { path } = this.kernel.names.contexts[this.contextOfThread[thread]!]!;
      return path.slice(path.lastIndexOf("/") + 1);
    });
  }

  /** Threads of the domain that wait for a vCPU. */
  waiting(domain: number): number {
    let ready = 0;
    for (const thread of this.threadsOf(domain)) if (this.threads.thread.state[thread] === ThreadState.ready) ready++;
    return ready;
  }

  /** Threads of a domain, with those of a process that the design does not name and that goes by its kernel's. */
  private threadsOf(domain: number): number[] {
    const { path, threads } = this.domains[domain]!;
    return [...threads, ...this.processesOf(domain).filter((p) => this.domains[p]!.path === path).flatMap((p) => this.domains[p]!.threads)];
  }

  /** The domain's threads with the CPU time that each has spent on work, picoseconds. */
  threadTimes(domain: number): { readonly thread: string; readonly busy: number }[] {
    return this.threadsOf(domain).map((thread) => ({
      thread: this.kernel.names.contexts[this.contextOfThread[thread]!]!.path, busy: this.threads.thread.busy[thread]!,
    }));
  }

  /** CPU time that the domain's vCPUs spent on work, picoseconds; of a process, that its threads did, in the kernel as well. */
  busyOf(domain: number): number {
    const { path, vcpus, threads, kernel } = this.domains[domain]!;
    let sum = 0;
    if (kernel !== domain) {
      for (const thread of threads) sum += this.threads.thread.busy[thread]!;
      return sum;
    }
    for (const v of vcpus) sum += this.vcpu.busy[v]!;
    for (const process of this.processesOf(domain)) if (this.domains[process]!.path !== path) sum -= this.busyOf(process);
    return sum;
  }
}
