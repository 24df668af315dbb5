import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Kernel } from "../../../engine/kernel/kernel";
import { Priority } from "../../../engine/kernel/queue";
import { FourBsd } from "../../../engine/scheduling/fourBsd";
import { schedulerFunctions } from "../../../engine/scheduling/schedulerFunctions";
import { Ready } from "../../../engine/scheduling/threadPolicy";
import { ANY, Threads, ThreadState } from "../../../engine/scheduling/threads";
import { NONE } from "../../../engine/trace/trace";
import { parseDesign } from "../../../engine/design/parse";
import { runDesign } from "../../support/runDesign";

const MS = 1e9;

/** The policy by itself: `vcpus` vCPUs on which the test says what runs. */
function rig(vcpus: number) {
  const kernel = new Kernel(1, false);
  const threads = new Threads(kernel.store);
  const running = Array.from({ length: vcpus }, () => NONE as number);
  const policy = new FourBsd({
    kernel, threads, fn: kernel.functions({ ...schedulerFunctions.netbsd }),
    domain: { path: "os", vcpus: running.map((_, v) => v), isIdle: (v) => running[v] === NONE, current: (v) => running[v]!, ranNow: () => 0 },
  });
  running.forEach(() => policy.addVcpu());
  const clock = kernel.component("clock", "clock", "", undefined, { fire: () => kernel.mark(0, clock, 0, kernel.now, 0) });
  const state = (thread: number, to: number): void => { threads.thread.state[thread] = to; };
  return {
    policy,
    /** @param last the vCPU that it ran on last */
    thread: (level: "thread" | "soft interrupt" = "thread", affinity = ANY, last: number = 0): number => {
      const thread = threads.add(0, affinity);
      policy.addThread(thread, affinity, level);
      threads.thread.vcpu[thread] = last;
      return thread;
    },
    /** Until a time, in milliseconds, with the clock ticking where something runs. @returns the ticks that took a vCPU away, in milliseconds */
    until: (time: number): number[] => {
      const expired: number[] = [];
      for (let next = Math.floor(kernel.now / (10 * MS)) * 10 + 10; next <= time; next += 10) {
        kernel.schedule(next * MS - kernel.now, Priority.cpu, clock, 0);
        kernel.dispatch();
        running.forEach((thread, v) => {
          if (thread === NONE) return;
          policy.ran(v, thread);
          if (policy.tick(v)) expired.push(next);
        });
      }
      kernel.schedule(time * MS - kernel.now, Priority.cpu, clock, 0);
      kernel.dispatch();
      return expired;
    },
    wake: (thread: number, by = NONE): number => {
      state(thread, ThreadState.ready);
      return policy.ready(thread, by, Ready.woken);
    },
    preempt: (v: number): number => {
      const thread = running[v]!;
      running[v] = NONE;
      state(thread, ThreadState.ready);
      return policy.ready(thread, v, Ready.preempted);
    },
    sleep: (v: number): void => {
      state(running[v]!, ThreadState.idle);
      running[v] = NONE;
    },
    run: (v: number): number => {
      const thread = policy.pick(v);
      running[v] = thread;
      if (thread === NONE) return NONE;
      threads.thread.vcpu[thread] = v;
      state(thread, ThreadState.running);
      return thread;
    },
    priority: (thread: number): number => Number(/priority (\d+)/.exec(policy.describe(thread))![1]),
  };
}

describe("4BSD", () => {
  it("is the scheduler of NetBSD's kernels, and of nobody else who does not ask for it", () => {
    const text = (system: string): string => `exoscope: 1\nhosts:\n  server:\n    domains:\n      os: { kind: kernel, system: ${system}, components: [ compute ] }\n      guest: { kind: process, kernel: os, components: [ compute ] }\n`;
    const scheduler = (system: string): string => parseDesign(text(system)).design!.hosts[0]!.domains[0]!.scheduler;
    assert.deepEqual(["netbsd", "linux", "minix"].map(scheduler), ["4bsd", "preemptive", "preemptive"]);
  });

  it("lets the priority fall by a level for every 80 ms of CPU time, to 18 below the best", () => {
    const { thread, wake, run, until, priority } = rig(1);
    const t = thread();
    wake(t);
    assert.equal(priority(t), 64 + 31, "woken: above all in user mode");
    run(0);
    assert.equal(priority(t), 63);
    until(790);
    assert.equal(priority(t), 63 - Math.floor(19 / 2));
    until(800);
    assert.equal(priority(t), 63 - 10);
  });

  it("forgets use by 2·load / (2·load + 1) a second, which is all of it while there is no load average", () => {
    const { thread, wake, run, until, priority } = rig(1);
    const t = thread();
    wake(t);
    run(0);
    until(990);
    assert.equal(priority(t), 63 - 12);
    until(1000);
    assert.equal(priority(t), 63, "the average is sampled every 5 s: it is still 0");
    // After 5 s it is 164/2048 = 0.08: 25 looks of 1024 each second leave 25600 · 0.16 / 1.16 / 2048.
    until(5990);
    const before = priority(t);
    until(6000);
    assert.equal(before, 63 - 12);
    assert.equal(priority(t), 63 - Math.floor(Math.trunc((25 * 1024 * 328) / (328 + 2048)) / 2048));
  });

  it("takes the CPU from a thread at the second look of the round robin, for one of its priority or a better one", () => {
    const { thread, wake, run, until, preempt, policy } = rig(1);
    const [a, b] = [thread(), thread()];
    wake(a);
    run(0);
    wake(b);
    until(30);
    // It woke: it does not wait for a look. Then both have what is theirs in user mode.
    assert.equal(policy.preempts(0, b), true);
    preempt(0);
    assert.equal(run(0), b);
    const first = until(500)[0]!;
    assert.equal(first, 200, "100 ms: seen, 200 ms: must yield");
    preempt(0);
    assert.equal(run(0), a);
    assert.deepEqual(until(990), [], "b has computed for longer: its priority is lower");
    assert.deepEqual(until(1000), [1000], "what both have used is forgotten");
  });

  it("puts soft interrupts first, in order", () => {
    const { thread, wake, run, policy, sleep } = rig(1);
    const [a, soft, other] = [thread(), thread("soft interrupt", 0), thread("soft interrupt", 0)];
    wake(a);
    run(0);
    wake(soft);
    wake(other);
    assert.equal(policy.preempts(0, soft), true);
    sleep(0);
    wake(a);
    assert.deepEqual([run(0), run(0), run(0)], [soft, other, a]);
    assert.equal(policy.preempts(0, a), false);
  });

  it("keeps a thread that wakes on its CPU, busy or not, where nobody waits; else on the waker's, else on the least of all", () => {
    const { thread, wake, run, until, sleep } = rig(3);
    const [a, b, c] = [thread(), thread(), thread()];
    wake(a);
    run(0);
    sleep(0);
    wake(b);
    run(0);
    until(10);
    assert.equal(wake(a), 0, "CPU 0 is busy, its queue empty, and CPU 1 idle");
    wake(c, 1);
    run(1);
    // Somebody waits at CPU 0 now.
    const d = thread();
    assert.equal(wake(d, 1), 1, "d has woken: it comes before what runs where it was woken");
    const e = thread();
    assert.equal(wake(e), 2, "the idle one");
  });

  it("starts threads on all CPUs in turn, and the first of all not on the one that takes the interrupts", () => {
    const { thread, wake, run } = rig(3);
    const started = Array.from({ length: 6 }, () => {
      const v = wake(thread("thread", ANY, NONE));
      run(v);
      return v;
    });
    assert.deepEqual(started, [2, 1, 0, 2, 1, 0]);
  });

  it("catches a thread of a queue of two, and leaves a single one there: averages round down", () => {
    /** Three threads that have last run on CPU 0: one has it, `waiting` wait. @returns what CPU 1 finds then */
    const found = (waiting: number): number => {
      const { thread, wake, run, until, policy } = rig(2);
      const three = [thread(), thread(), thread()] as const;
      wake(three[0]);
      run(0);
      until(20);
      for (const t of three.slice(1, 1 + waiting)) policy.ready(t, 0, Ready.preempted);
      return run(1);
    };
    assert.equal(found(1), NONE);
    assert.notEqual(found(2), NONE);
  });

  it("answers at once beside threads that compute, and these share a vCPU in turns of 100 to 200 ms", () => {
    const sample = readFileSync("samples/scheduling/preemptive.exo.yaml", "utf8").replace("scheduler: preemptive", "scheduler: 4bsd");
    const { report } = runDesign(sample);
    assert.ok(report.workloads[1]!.latency.p99 < 1e9, `${report.workloads[1]!.latency.p99}`);
    const alone = runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 1 }
    domains:
      os: { kind: kernel, system: netbsd, components: [ { compute: { burst: 900ms, threads: 2 } } ] }
run: { until: 4s }
`).engine;
    const rows: number[] = [];
    for (let row = 0; row < alone.trace.length; row++) if (alone.names.functions[alone.trace.fn(row)]!.name === "cpu_need_resched") rows.push(alone.trace.time(row));
    assert.ok(rows.length >= 15, `${rows.length}`);
    for (let i = 1; i < rows.length; i++) assert.ok(rows[i]! - rows[i - 1]! > 99 * MS && rows[i]! - rows[i - 1]! < 301 * MS, `${rows[i]! - rows[i - 1]!}`);
  });

  it("spreads threads that only compute over the CPUs within seconds", () => {
    const { engine } = runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    domains:
      os: { kind: kernel, system: netbsd, vcpus: 2, components: [ { compute: { burst: 50ms, threads: 3 } } ] }
run: { until: 20s }
`);
    const busy = engine.built.machine.cpus.times.ofThreads(engine.built.domains[0]!.id).map(({ busy: b }) => b);
    for (const time of busy) assert.ok(Math.abs(time - 40e12 / 3) < 3e12, busy.join(" "));
    assert.ok(busy.reduce((sum, b) => sum + b, 0) > 39.5e12);
  });
});
