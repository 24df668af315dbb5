import assert from "node:assert/strict";
import { Kernel } from "../../../engine/kernel/kernel";
import { Priority } from "../../../engine/kernel/queue";
import { CostProfile } from "../../../engine/profiles/profile";
import { CreditPolicy } from "../../../engine/scheduling/credit";
import { Topology } from "../../../engine/scheduling/topology";
import type { PcpuView } from "../../../engine/scheduling/vcpuPolicy";

const MS = 1e9;
const NONE = -1;

/** The policy by itself, on pCPUs of which the test says who has them. */
function rig({ pcpus, caps, slice = 30 * MS, ratelimit = 0 }: { pcpus: number; caps: readonly number[]; slice?: number; ratelimit?: number }) {
  const kernel = new Kernel(1, false);
  const running = Array.from({ length: pcpus }, () => NONE as number);
  const since = running.map(() => 0);
  const tickled: (readonly [number, number])[] = [];
  const host: PcpuView = {
    count: pcpus, topology: new Topology(new CostProfile("xeon-4114-82599", kernel.names.functions), pcpus, 1),
    current: (p) => running[p]!, isIdler: (p) => running[p] === NONE && !tickled.some(([at]) => at === p), since: (p) => since[p]!, isRunnable: () => true,
    tickle: (p, from) => void tickled.push([p, from]),
  };
  const policy = new CreditPolicy(kernel, host, "h", slice, ratelimit);
  caps.forEach((cap, vcpu) => policy.add(vcpu, { domain: vcpu, weight: 256, cap, affinity: [] }));
  const clock = kernel.component("clock", "clock", "", undefined, { fire: () => kernel.mark(0, clock, 0, kernel.now, 0) });
  return {
    policy, running, tickled,
    until: (time: number): void => {
      kernel.schedule(time - kernel.now, Priority.cpu, clock, 0);
      kernel.dispatch();
    },
    take: (p: number): number => {
      running[p] = policy.pick(p).vcpu;
      since[p] = kernel.now;
      return running[p];
    },
  };
}

describe("the run queues of the credit scheduler", () => {
  it("are sorted by each pCPU at its own tick after an accounting: those with credits first, in the order in which they stood (csched_runq_sort)", () => {
    const { policy, until, take } = rig({ pcpus: 1, caps: [0, 0, 0, 0] });
    for (const v of [0, 1, 2, 3]) policy.wake(v, NONE);
    // 0 and 2 run for long, and owe then what 1 and 3 do not.
    for (const [v, at] of [[0, 40], [1, 41], [2, 81], [3, 82]] as const) {
      assert.equal(take(0), v);
      until(at * MS);
      policy.tick(0);
    }
    policy.accounting.account(0);
    assert.deepEqual([0, 1, 2, 3].map((v) => /OVER/.test(policy.describe(v))), [true, false, true, false]);
    policy.tick(0);
    assert.deepEqual([take(0), take(0), take(0)], [1, 3, 1]);
  });

  it("give nobody the pCPU at a tick who comes before the vCPU that runs: it waits for the end of the slice", () => {
    const { policy, tickled, until, take } = rig({ pcpus: 1, caps: [0, 0] });
    policy.wake(0, NONE);
    take(0);
    until(5 * MS);
    policy.tick(0);
    policy.wake(1, NONE);
    tickled.length = 0;
    until(65 * MS);
    policy.tick(0);
    policy.accounting.account(0);
    policy.tick(0);
    assert.match(policy.describe(0), /OVER/);
    assert.match(policy.describe(1), /BOOST/);
    assert.deepEqual(tickled, []);
  });
});

describe("a tick of the credit scheduler", () => {
  it("comes three times a slice, in whole microseconds, and once where a slice has fewer than three milliseconds (__csched_set_tslice)", () => {
    for (const [slice, tick] of [[30, 10_000], [10, 3333], [3, 1000], [2, 2000], [1, 1000]] as const) assert.equal(rig({ pcpus: 1, caps: [], slice: slice * MS }).policy.tickPeriod, tick * 1e6);
  });
});

describe("an accounting of the credit scheduler", () => {
  it("ends a boost: who is active and owes nothing is UNDER", () => {
    const { policy, until, take } = rig({ pcpus: 1, caps: [0] });
    policy.wake(0, NONE);
    take(0);
    until(MS);
    policy.tick(0);
    policy.sleep(0, 0);
    policy.wake(0, NONE);
    assert.match(policy.describe(0), /BOOST/);
    policy.accounting.account(0);
    assert.match(policy.describe(0), /UNDER/);
  });

  it("asks the pCPU of a vCPU that it parks to choose anew", () => {
    const { policy, tickled, until, take } = rig({ pcpus: 2, caps: [10, 10] });
    policy.wake(0, NONE);
    policy.wake(1, NONE);
    take(0);
    take(1);
    until(30 * MS);
    policy.tick(0);
    policy.tick(1);
    tickled.length = 0;
    policy.accounting.account(0);
    assert.deepEqual(tickled, [[1, 0], [0, 0]], "the domain that became active last comes first");
    assert.match(policy.describe(1), /parked/);
  });
});

describe("the rate limit of the credit scheduler", () => {
  it("sets no timer shorter than 100 µs for who has just begun (CSCHED_MIN_TIMER), and one to its end after that", () => {
    const { policy, until, take } = rig({ pcpus: 1, caps: [0], ratelimit: MS });
    policy.wake(0, NONE);
    take(0);
    until(50e6);
    assert.deepEqual(policy.pick(0), { vcpu: 0, slice: 100e6 });
    until(100e6);
    assert.deepEqual(policy.pick(0), { vcpu: 0, slice: 900e6 });
  });
});

describe("a vCPU that wakes", () => {
  it("goes to idle pCPUs in turn, from the pCPU on that was chosen last where it is woken (last_tickle_cpu), and to none that is about to choose", () => {
    const { policy, running, tickled } = rig({ pcpus: 4, caps: [0, 0, 0, 0, 0, 0] });
    running[0] = 0;
    // 4 is at home on pCPU 0, which is busy.
    for (let i = 0; i < 4; i++) {
      if (i > 0) policy.sleep(4, NONE);
      policy.wake(4, 0);
    }
    assert.deepEqual(tickled.slice(0, 3), [[1, 0], [2, 0], [3, 0]]);
    tickled.length = 0;
    policy.sleep(4, NONE);
    policy.wake(4, 0);
    assert.deepEqual(tickled, [[1, 0]]);
  });
});
