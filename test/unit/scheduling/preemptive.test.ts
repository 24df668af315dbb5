import assert from "node:assert/strict";
import { Kernel } from "../../../engine/kernel/kernel";
import { Preemptive } from "../../../engine/scheduling/preemptive";
import { schedulerFunctions } from "../../../engine/scheduling/schedulerFunctions";
import { Ready } from "../../../engine/scheduling/threadPolicy";
import { ANY, Threads, ThreadState } from "../../../engine/scheduling/threads";
import { NONE } from "../../../engine/trace/trace";

const MS = 1e9;

/** The policy by itself, on one vCPU of which the test says what runs, and for how long it has. */
function rig() {
  const kernel = new Kernel(1, false);
  const threads = new Threads(kernel.store);
  let running: number = NONE;
  let partial = 0;
  const policy = new Preemptive({
    kernel, threads, fn: kernel.functions({ ...schedulerFunctions.linux }),
    domain: { path: "os", vcpus: [0], isIdle: () => running === NONE, current: () => running, ranNow: () => partial },
  });
  policy.addVcpu();
  return {
    policy,
    thread: (): number => {
      const thread = threads.add(0, ANY);
      policy.addThread(thread, ANY, "thread");
      threads.thread.vcpu[thread] = 0;
      return thread;
    },
    wake: (thread: number): void => {
      threads.thread.state[thread] = ThreadState.ready;
      policy.ready(thread, NONE, Ready.woken);
    },
    run: (): number => (running = policy.pick(0)),
    ran: (time: number): void => policy.ran(0, running, time),
    hasRun: (time: number): void => { partial = time; },
    vruntime: (thread: number): number => Number(/virtual runtime ([\d.-]+) ms/.exec(policy.describe(thread))![1]),
  };
}

describe("Linux' CFS (kernel/sched/fair.c)", () => {
  it("gives who slept while another thread ran alone half a period of credit, and not all the time that it slept (update_min_vruntime, place_entity)", () => {
    const { policy, thread, wake, run, ran, hasRun, vruntime } = rig();
    const [busy, sleeper] = [thread(), thread()];
    wake(busy);
    assert.equal(run(), busy);
    // A second in pieces, and of the next one 40 ms so far: nobody chose anew.
    for (let i = 0; i < 100; i++) ran(10 * MS);
    hasRun(40 * MS);
    wake(sleeper);
    assert.equal(vruntime(busy), 1000);
    assert.equal(vruntime(sleeper), 1040 - 3);
    assert.ok(policy.preempts(0, sleeper), "it is more than the wake-up granularity of 1 ms behind");
  });

  it("lets the minimum follow who waits and has run least, and never go back", () => {
    const { thread, wake, run, ran, vruntime } = rig();
    const [busy, waits, late] = [thread(), thread(), thread()];
    wake(busy);
    run();
    ran(100 * MS);
    wake(waits);
    ran(50 * MS);
    wake(late);
    assert.deepEqual([waits, late].map(vruntime), [97, 97], "the minimum does not go back");
  });
});
