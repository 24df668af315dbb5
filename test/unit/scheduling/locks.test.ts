import assert from "node:assert/strict";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { kernelLock, rumpSoftnetLock, socketLock, softnetLock, spinLock, type LockClass } from "../../../engine/scheduling/lockClasses";
import { designOf } from "../../support/runDesign";
import { act } from "../../support/act";

/** Nanoseconds in picoseconds. */
const NS = 1000;

/** What `pause` takes, nanoseconds: the profile's `mutex_vector_enter`. */
const PAUSE = 64;

/** A function of a piece of work: nanoseconds, and the locks that it is under. */
interface Part {
  readonly name: string;
  readonly ns: number;
  readonly lock?: number;
  readonly second?: number;
  /** What a soft interrupt does instead if a process owns the lock: a name. */
  readonly instead?: string;
}

/** Threads that do pieces of work under locks, on an otherwise empty kernel or, as “library”, in a library OS whose idle vCPUs spin: what the rows say of when and how. */
class Rig {
  private readonly engine: MachineEngine;
  private readonly cpus;
  private readonly domain;
  private readonly works: { readonly parts: readonly Part[]; readonly end?: (() => void) | undefined }[] = [];
  private readonly component: number;

  constructor(system: string, vcpus: number) {
    const compute = "components: [ compute: { burst: 1us, events: 1 } ]";
    const domains = system === "library" ? [`os: { vcpus: ${vcpus}, idle: spin, ${compute} }`]
      : [`os: { kind: kernel, system: ${system}, vcpus: ${vcpus} }`, `app: { kind: process, ${compute} }`];
    this.engine = createEngine(designOf(`exoscope: 1
hosts:
  server:
    cpu: { cores: ${vcpus} }${system === "library" ? "\n    hypervisor: { model: xen, scheduler: pinned }" : ""}
    domains:
${domains.map((domain) => `      ${domain}`).join("\n")}
run: { until: 1s }
`));
    const { machine, domains: built } = this.engine.built;
    this.cpus = machine.cpus;
    this.domain = built.find(({ path }) => path === "server/os")!.id;
    const { kernel } = machine;
    this.component = kernel.component("rig", "test", "server", "server/os", {
      fire: () => {},
      begin: (op) => {
        for (const { name, ns, lock = -1, second = -1, instead } of this.works[op]!.parts) {
          this.cpus.under(lock, second, instead === undefined ? -1 : this.fn(instead));
          this.cpus.spendTime(this.fn(name), ns * NS);
        }
      },
      end: (op) => this.works[op]!.end?.(),
    });
    this.cpus.crossings.place(this.component, this.domain);
    while (this.engine.dispatch());
    this.start = this.engine.time;
  }

  private readonly start: number;

  private fn(name: string): number {
    return this.engine.built.machine.kernel.functions({ [name]: { kind: "thread" } } as const)[name]!;
  }

  lock(cls: LockClass): number {
    return this.cpus.addLock(this.domain, cls, cls.name);
  }

  /** @param vcpu −1: whichever */
  thread(name: string, vcpu: number, level: "thread" | "soft interrupt" = "thread"): number {
    return this.cpus.addThread(this.domain, name, vcpu, level);
  }

  /** A thread of the process, which may end. */
  ofProcess(name: string, vcpu: number): number {
    return this.cpus.addThread(this.engine.built.domains.find(({ path }) => path === "server/app")!.id, name, vcpu);
  }

  endProcess(): void {
    this.cpus.stop(this.engine.built.domains.find(({ path }) => path === "server/app")!.id);
  }

  /** What happens so many nanoseconds from the start. */
  at(ns: number, action: () => void): void {
    act(this.engine, ns * NS, action);
  }

  /** A piece of work, by its number. */
  private work(parts: readonly Part[], end?: () => void): number {
    return this.works.push({ parts, end }) - 1;
  }

  post(ns: number, thread: number, parts: readonly Part[], end?: () => void): void {
    const op = this.work(parts, end);
    this.at(ns, () => this.cpus.post(thread, this.component, op));
  }

  /** In an `end`: a job for who owns the lock. @returns whether anybody does */
  leave(lock: number, parts: readonly Part[]): boolean {
    return this.cpus.leaveTo(lock, this.component, this.work(parts, () => this.cpus.leftNothing(lock)), 0);
  }

  /** In an `end`: the next piece of work of the thread that this one ends on, which keeps the lock. */
  goOn(thread: number, parts: readonly Part[]): void {
    this.cpus.callOn(thread, this.component, this.work(parts));
  }

  interrupt(ns: number, vcpu: number, parts: readonly Part[]): void {
    const line = this.cpus.addLine(this.cpus.vcpusOf(this.domain)[vcpu]!, this.component, this.work(parts), 0, 0);
    this.at(ns, () => this.cpus.raise(line));
  }

  /** Nanoseconds from the start. */
  get now(): number {
    return (this.engine.time - this.start) / NS;
  }

  get wentInstead(): boolean {
    return this.cpus.wentInstead;
  }

  /** Rows of functions, in order of their beginning: thread or CPU, function, begin and end in nanoseconds from the start; what the scheduler and crossings add is left out. */
  run(...names: string[]): (readonly [string, string, number, number])[] {
    const { trace, names: { functions, contexts } } = this.engine;
    const first = trace.length;
    while (this.engine.dispatch());
    const rows = Array.from({ length: trace.length - first }, (_, i) => first + i).filter((row) => names.includes(functions[trace.fn(row)]!.name));
    const ns = (time: number): number => Math.round((time - this.start) / NS);
    return rows.map((row) => [contexts[trace.context(row)]!.path.split("/").at(-1)!, functions[trace.fn(row)]!.name, ns(trace.begin(row)), ns(trace.begin(row) + trace.cost(row))] as const)
      .sort((a, b) => a[2] - b[2] || a[3] - b[3]);
  }

  /** Nanoseconds for which a lock was held, and for which all together waited for it. */
  times(lock: LockClass): readonly [number, number] {
    const { children } = this.cpus.locks.describe(this.domain, () => "").find(({ name }) => name === lock.name)!;
    return [children![3]!.number! / NS, children![4]!.number! / NS];
  }

  /** What the state view says of a lock: its value, and how often it was taken, found held and slept for. */
  state(lock: LockClass): readonly [string, number, number, number] {
    const found = this.cpus.locks.describe(this.domain, (v) => `vCPU ${v}`).find(({ name }) => name === lock.name)!;
    const [taken, held, slept] = found.children!.map(({ number }) => number!);
    return [found.value, taken!, held!, slept!];
  }
}

type Row = readonly [string, string, number, number];
const of = (rows: readonly Row[], thread: string, name: string): Row => rows.find((r) => r[0] === thread && r[1] === name)!;

describe("a spin lock", () => {
  it("is gone round for until the other CPU lets it go, and says so in a row", () => {
    const rig = new Rig("linux", 2);
    const lock = rig.lock(spinLock);
    rig.post(0, rig.thread("a", 0), [{ name: "critical", ns: 50_000, lock }]);
    rig.post(10_000, rig.thread("b", 1), [{ name: "critical", ns: 1_000, lock }]);
    const rows = rig.run("critical", "spin lock");
    assert.deepEqual(rows.map(([thread, name]) => `${thread} ${name}`), ["a critical", "b spin lock", "b critical"]);
    assert.equal(rows[1]![3], rows[0]![3]);
    assert.equal(rows[2]![2], rows[0]![3]);
    assert.deepEqual(rig.state(spinLock), ["free", 2, 1, 0]);
    assert.deepEqual(rig.times(spinLock), [50_000 + 1_000, rows[1]![3] - rows[1]![2]]);
  });
});

describe("KERNEL_LOCK (kern_lock.c)", () => {
  it("is a CPU's: its interrupts have it too, and others spin, theirs as well", () => {
    const rig = new Rig("netbsd", 2);
    const lock = rig.lock(kernelLock);
    rig.post(0, rig.thread("a", 0), [{ name: "critical", ns: 50_000, lock }]);
    rig.interrupt(20_000, 0, [{ name: "own", ns: 1_000, lock }]);
    rig.interrupt(20_000, 1, [{ name: "other", ns: 1_000, lock }]);
    const rows = rig.run("critical", "own", "other", "_kernel_lock");
    const [own, other, spins] = ["own", "other", "_kernel_lock"].map((wanted) => rows.filter(([, name]) => name === wanted));
    assert.ok(own![0]![3] < 25_000, "the interrupt of who has it does not wait");
    // It takes the time of the interrupt, and of the way there, from who has it.
    assert.ok(other![0]![2] >= 51_000 && other![0]![2] < 55_000, JSON.stringify(rows));
    assert.equal(spins!.length, 1);
    assert.ok(spins![0]![2] < 25_000 && spins![0]![3] === other![0]![2]);
    assert.deepEqual(rig.state(kernelLock), ["free", 3, 1, 0]);
  });

  it("keeps its CPU: a soft interrupt waits until it is let go, not until the work is over (kpreempt)", () => {
    const rig = new Rig("netbsd", 1);
    const lock = rig.lock(kernelLock);
    const soft = rig.thread("soft", 0, "soft interrupt");
    rig.post(0, rig.thread("a", 0), [{ name: "critical", ns: 50_000, lock }, { name: "rest", ns: 50_000 }], undefined);
    rig.interrupt(10_000, 0, [{ name: "irq", ns: 100 }]);
    rig.post(10_000, soft, [{ name: "soft work", ns: 1_000 }]);
    const rows = rig.run("critical", "rest", "soft work");
    const last = rows.filter(([, name]) => name === "critical").at(-1)!;
    const rest = rows.filter(([, name]) => name === "rest").at(-1)!;
    const done = of(rows, "soft", "soft work");
    assert.ok(done[2] >= last[3] && done[2] < last[3] + 10_000 && done[3] < rest[3], JSON.stringify(rows));
  });
});

describe("softnet_lock of NetBSD, an adaptive mutex (kern_mutex.c)", () => {
  it("is spun for while its owner runs", () => {
    const rig = new Rig("netbsd", 2);
    const lock = rig.lock(softnetLock);
    rig.post(0, rig.thread("a", 0), [{ name: "critical", ns: 50_000, lock }]);
    rig.post(10_000, rig.thread("b", 1), [{ name: "critical", ns: 1_000, lock }]);
    const rows = rig.run("critical", "mutex_vector_enter", "turnstile_block");
    assert.deepEqual(rows.map(([thread, name]) => `${thread} ${name}`), ["a critical", "b mutex_vector_enter", "b critical"]);
    assert.ok(rows[2]![2] > rows[0]![3]);
    assert.equal(rows[2]![2] - rows[1]![2], PAUSE * (4 + 8 + 16 + 32 + 64 + 4 * 128));
  });

  it("is looked at after pauses that get longer: who comes in between has it first (SPINLOCK_BACKOFF, sys/lock.h)", () => {
    const rig = new Rig("netbsd", 3);
    const lock = rig.lock(softnetLock);
    rig.post(0, rig.thread("a", 0), [{ name: "critical", ns: 50_000, lock }]);
    rig.post(10_000, rig.thread("b", 1), [{ name: "critical", ns: 1_000, lock }]);
    rig.post(50_300, rig.thread("c", 2), [{ name: "critical", ns: 1_000, lock }]);
    const rows = rig.run("critical", "mutex_vector_enter");
    assert.deepEqual(rows.filter(([, name]) => name === "critical").map(([thread]) => thread), ["a", "c", "b"]);
    const looks = rows.filter(([thread, name]) => thread === "b" && name === "mutex_vector_enter");
    assert.deepEqual(looks.map(([, , begin, end]) => end - begin), [PAUSE * (124 + 4 * 128), PAUSE * 128]);
    assert.equal(of(rows, "b", "critical")[2], looks[1]![3]);
  });

  it("is slept for while its owner spins for KERNEL_LOCK, and all who sleep try again (mutex_oncpu, turnstile_wakeup)", () => {
    const rig = new Rig("netbsd", 4);
    const giant = rig.lock(kernelLock);
    const lock = rig.lock(softnetLock);
    rig.post(0, rig.thread("giant", 0), [{ name: "critical", ns: 50_000, lock: giant }]);
    rig.post(5_000, rig.thread("owner", 1), [{ name: "critical", ns: 10_000, lock, second: giant }]);
    for (const [i, name] of ["x", "y"].entries()) rig.post(20_000, rig.thread(name, 2 + i), [{ name: "critical", ns: 1_000, lock }]);
    const rows = rig.run("critical", "_kernel_lock", "mutex_vector_enter", "turnstile_block");
    for (const name of ["x", "y"]) assert.ok(of(rows, name, "turnstile_block")[2] < 40_000);
    const owner = of(rows, "owner", "critical");
    assert.equal(owner[2], of(rows, "giant", "critical")[3]);
    const [x, y] = [of(rows, "x", "critical"), of(rows, "y", "critical")];
    assert.ok(x[2] > owner[3] && y[2] > owner[3] && (x[3] <= y[2] || y[3] <= x[2]), JSON.stringify(rows));
    assert.equal(rig.state(softnetLock)[3], 2);
  });
});

describe("softnet_lock of a library OS (rumpuser_synch.c)", () => {
  it("is slept for at once, and handed to who has waited longest: who comes later does not overtake", () => {
    const rig = new Rig("linux", 4);
    const lock = rig.lock(rumpSoftnetLock);
    rig.post(0, rig.thread("a", 0), [{ name: "critical", ns: 50_000, lock }], undefined);
    rig.post(10_000, rig.thread("b", 1), [{ name: "critical", ns: 10_000, lock }]);
    rig.post(20_000, rig.thread("c", 2), [{ name: "critical", ns: 1_000, lock }]);
    // Before b has come to its CPU the lock is b's.
    rig.post(50_500, rig.thread("late", 3), [{ name: "critical", ns: 1_000, lock }]);
    const rows = rig.run("critical", "rumpuser_mutex_enter", "rumpuser_mutex_enter_nowrap");
    assert.deepEqual(rows.filter(([, name]) => name === "critical").map(([thread]) => thread), ["a", "b", "c", "late"]);
    assert.deepEqual(rows.filter(([, name]) => name === "rumpuser_mutex_enter").map(([thread]) => thread), ["b", "c", "late"]);
    assert.deepEqual(rig.state(rumpSoftnetLock), ["free", 4, 3, 3]);
  });

  it("is handed to one: not to a thread that sleeps as well where an interrupt, which cannot sleep, has got it", () => {
    const rig = new Rig("linux", 4);
    const lock = rig.lock(rumpSoftnetLock);
    rig.post(0, rig.thread("a", 0), [{ name: "critical", ns: 50_000, lock }]);
    rig.post(10_000, rig.thread("b", 1), [{ name: "critical", ns: 10_000, lock }]);
    rig.interrupt(20_000, 2, [{ name: "handler", ns: 10_000, lock }]);
    const rows = rig.run("critical", "handler", "rumpuser_mutex_enter", "rumpuser_mutex_enter_nowrap");
    const [a, handler, b] = rows.filter(([, name]) => name === "critical" || name === "handler");
    assert.equal(handler![1], "handler");
    assert.equal(handler![2], a![3]);
    assert.ok(b![2] >= handler![3], JSON.stringify(rows));
    assert.deepEqual(rig.state(rumpSoftnetLock), ["free", 3, 2, 1]);
  });

  it("is taken over by a vCPU that spins idle as soon as its round is over, while who let it go works on", () => {
    const rig = new Rig("library", 3);
    const lock = rig.lock(rumpSoftnetLock);
    rig.post(0, rig.thread("a", -1), [{ name: "critical", ns: 50_000, lock }, { name: "rest", ns: 50_000 }]);
    rig.post(10_000, rig.thread("b", -1), [{ name: "critical", ns: 1_000, lock }]);
    const rows = rig.run("critical", "rest");
    const [free, b] = [of(rows, "a", "critical")[3], of(rows, "b", "critical")];
    // A round of 50 ns, a switch, and lines of the other core.
    assert.ok(b[2] > free && b[2] < free + 500, JSON.stringify(rows));
  });
});

describe("a vCPU that spins idle (schedule, lib/libbmk_core/sched.c)", () => {
  it("finds a thread for whichever vCPU before the one comes to it that has made it ready", () => {
    const rig = new Rig("library", 2);
    const [soft, worker] = [rig.thread("soft", 0), rig.thread("worker", -1)];
    let woken = 0;
    rig.post(0, soft, [{ name: "segment", ns: 10_000 }], () => {
      rig.goOn(worker, [{ name: "request", ns: 50_000 }]);
      woken = rig.now;
    });
    rig.post(11_000, soft, [{ name: "next segment", ns: 1_000 }]);
    const rows = rig.run("request", "next segment");
    const [request, next] = [of(rows, "worker", "request"), of(rows, "soft", "next segment")];
    assert.ok(request[2] > woken && request[2] < woken + 500, JSON.stringify(rows));
    assert.ok(next[2] < 12_000, "the vCPU of who made it ready is free");
  });
});

describe("the lock of a socket in Linux (net/core/sock.c)", () => {
  it("lock_sock: a process sleeps while another owns the socket, and spins while a soft interrupt is at it", () => {
    const rig = new Rig("linux", 3);
    const lock = rig.lock(socketLock);
    rig.post(0, rig.thread("owner", 0), [{ name: "critical", ns: 50_000, lock }]);
    rig.post(10_000, rig.thread("b", 1), [{ name: "critical", ns: 1_000, lock }]);
    rig.post(100_000, rig.thread("soft", 0, "soft interrupt"), [{ name: "critical", ns: 50_000, lock, instead: "add_backlog" }]);
    rig.post(110_000, rig.thread("c", 2), [{ name: "critical", ns: 1_000, lock }]);
    const rows = rig.run("critical", "__lock_sock", "queued_spin_lock_slowpath");
    assert.deepEqual(rows.map(([thread, name]) => `${thread} ${name}`), ["owner critical", "b __lock_sock", "b critical", "soft critical", "c queued_spin_lock_slowpath", "c critical"]);
    assert.equal(of(rows, "c", "critical")[2], of(rows, "soft", "critical")[3]);
  });

  it("an owner can be preempted: the soft interrupt leaves what it has, and release_sock sees to it before anybody else has the socket", () => {
    const rig = new Rig("linux", 2);
    const lock = rig.lock(socketLock);
    let left = false;
    rig.post(0, rig.thread("owner", 0), [{ name: "critical", ns: 50_000, lock }]);
    rig.post(5_000, rig.thread("b", 1), [{ name: "critical", ns: 1_000, lock }]);
    rig.post(10_000, rig.thread("soft", 0, "soft interrupt"), [{ name: "segment", ns: 1_000, lock, instead: "tcp_add_backlog" }], () => {
      left = rig.wentInstead && rig.leave(lock, [{ name: "backlog_rcv", ns: 2_000, lock }]);
    });
    const rows = rig.run("critical", "segment", "tcp_add_backlog", "backlog_rcv");
    assert.ok(left);
    const critical = rows.filter(([thread, name]) => thread === "owner" && name === "critical");
    const soft = of(rows, "soft", "tcp_add_backlog");
    assert.ok(critical.length === 2 && soft[2] >= critical[0]![3] && soft[3] <= critical[1]![2], "in the middle of the owner's work");
    const drained = of(rows, "owner", "backlog_rcv");
    assert.ok(drained[2] >= critical[1]![3] && of(rows, "b", "critical")[2] >= drained[3], JSON.stringify(rows));
    assert.ok(!rows.some(([, name]) => name === "segment"));
    assert.equal(rig.state(socketLock)[0], "free");
  });

  it("what follows a soft interrupt that found it owned has not gone instead of anything itself", () => {
    const rig = new Rig("linux", 2);
    const lock = rig.lock(socketLock);
    const went: boolean[] = [];
    const soft = rig.thread("soft", 0, "soft interrupt");
    const end = (): void => void went.push(rig.wentInstead);
    rig.post(0, rig.thread("owner", 0), [{ name: "critical", ns: 50_000, lock }]);
    rig.post(10_000, soft, [{ name: "segment", ns: 1_000, lock, instead: "tcp_add_backlog" }], end);
    // Two at a time: one of them has the slot of the first.
    rig.post(100_000, rig.thread("b", 1), [{ name: "other", ns: 50_000 }], end);
    rig.post(110_000, soft, [{ name: "segment", ns: 1_000, lock, instead: "tcp_add_backlog" }], end);
    rig.run();
    assert.deepEqual(went, [true, false, false]);
  });

  it("is free when the process has ended that owned it, or kept it for what it does next", () => {
    for (const parts of [[{ name: "critical", ns: 50_000 }], [{ name: "critical", ns: 1_000 }]]) {
      const rig = new Rig("linux", 2);
      const lock = rig.lock(socketLock);
      const thread = rig.ofProcess("owner", 0);
      rig.post(0, thread, parts.map((part) => ({ ...part, lock })), () => rig.goOn(thread, [{ name: "before", ns: 100_000 }, { name: "critical", ns: 1_000, lock }]));
      rig.at(30_000, () => rig.endProcess());
      rig.post(40_000, rig.thread("b", 1), [{ name: "critical", ns: 1_000, lock }]);
      const rows = rig.run("critical", "before", "__lock_sock");
      const b = of(rows, "b", "critical");
      assert.ok(b !== undefined && b[2] < 50_000, JSON.stringify(rows));
      assert.equal(rig.state(socketLock)[0], "free");
    }
  });
});
