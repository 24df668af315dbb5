import assert from "node:assert/strict";
import { Kernel } from "../../../engine/kernel/kernel";
import { Priority } from "../../../engine/kernel/queue";
import { CostProfile } from "../../../engine/profiles/profile";
import { CreditPolicy } from "../../../engine/scheduling/credit";
import { Topology } from "../../../engine/scheduling/topology";
import type { PcpuView } from "../../../engine/scheduling/vcpuPolicy";
import { runDesign } from "../../support/runDesign";

const MS = 1e9;
const NONE = -1;

/** The policy by itself, on pCPUs of which the test says who has them. vCPU v has the affinity `affinities[v]`; its first home is the first of these, or pCPU v. */
function rig(affinities: readonly (readonly number[])[], { pcpus = 2, nodes = 1, ratelimit = 0 } = {}) {
  const kernel = new Kernel(1, false);
  const running = Array.from({ length: pcpus }, () => NONE as number);
  const tickled: number[] = [];
  const asleep = new Set<number>();
  const host: PcpuView = {
    count: pcpus, topology: new Topology(new CostProfile("xeon-4114-82599", kernel.names.functions), pcpus, nodes),
    current: (p) => running[p]!, isIdler: (p) => running[p] === NONE && !tickled.includes(p), since: () => 0, isRunnable: (v) => !asleep.has(v),
    tickle: (p) => void tickled.push(p),
  };
  const policy = new CreditPolicy(kernel, host, "h", 30 * MS, ratelimit);
  affinities.forEach((affinity, vcpu) => policy.add(vcpu, { domain: vcpu, weight: 256, cap: 0, affinity }));
  const clock = kernel.component("clock", "clock", "", undefined, { fire: () => kernel.mark(0, clock, 0, kernel.now, 0) });
  return {
    policy, running, tickled,
    /** Those that were asked to choose anew since the last time. */
    asked: (): number[] => tickled.splice(0),
    until: (time: number): void => {
      kernel.schedule(time - kernel.now, Priority.cpu, clock, 0);
      kernel.dispatch();
    },
    take: (p: number): number => (running[p] = policy.pick(p).vcpu),
  };
}

/** vCPU 0 may run anywhere, and has pCPU 0, for which vCPU 1 waits, which may run on no other; pCPU 1 idles. */
function crowded(options?: Parameters<typeof rig>[1]): ReturnType<typeof rig> {
  const made = rig([[], [0]], options);
  made.policy.wake(0, NONE);
  made.take(0);
  made.asked();
  // Its credits are spent: it comes to the end of the queue, and does not have the pCPU at once.
  made.policy["vcpu"].priority[1] = -2;
  made.policy.wake(1, NONE);
  made.asked();
  return made;
}

describe("a vCPU that has run for a while on a pCPU that others wait for", () => {
  it("leaves it at the second tick that finds it there for one that idles, without a boost (csched_vcpu_acct, _csched_cpu_pick)", () => {
    const { policy, asked, take, until } = crowded();
    until(10 * MS);
    policy.tick(0);
    assert.deepEqual(asked(), [], "it has only become active");
    until(20 * MS);
    policy.tick(0);
    assert.deepEqual(asked(), [0]);
    assert.equal(take(0), 1, "also one of a lower priority");
    assert.deepEqual(asked(), [1]);
    assert.equal(take(1), 0);
    assert.match(policy.describe(0), /UNDER/);
  });

  it("stays where none idles that it may run on", () => {
    const { policy, running, asked, until } = crowded();
    running[1] = 7;
    for (const time of [10, 20, 30]) {
      until(time * MS);
      if (time > 0) policy.tick(0);
    }
    assert.deepEqual(asked(), []);
  });

  it("stays where nobody waits, whoever idles", () => {
    const { policy, running, asked, until } = rig([[]], { pcpus: 6, nodes: 2 });
    policy.wake(0, NONE);
    running[0] = policy.pick(0).vcpu;
    asked();
    for (const time of [10, 20]) {
      until(time * MS);
      policy.tick(0);
    }
    assert.deepEqual(asked(), []);
  });

  it("goes to another node where none of its own idles", () => {
    const { policy, running, asked, take, until } = crowded({ pcpus: 4, nodes: 2 });
    running[1] = 7;
    for (const time of [10, 20]) {
      until(time * MS);
      policy.tick(0);
    }
    assert.deepEqual(asked(), [0]);
    assert.equal(take(0), 1);
    assert.deepEqual(asked(), [2]);
  });

  it("goes to a node that has more than twice as many idle, to its pCPUs in turn (migrate_factor, idle_bias)", () => {
    const { policy, running } = crowded({ pcpus: 9, nodes: 3 });
    for (const p of [1, 2, 4, 5]) running[p] = 7;
    const place = (commit: boolean): number => policy["placement"].place(0, commit);
    assert.deepEqual([place(false), place(true), place(true), place(true), place(true)], [6, 6, 7, 8, 6]);
    running[6] = 7;
    assert.equal(place(false), 3, "two are not more than twice one");
  });
});

describe("a vCPU that is preempted by one that may run nowhere else", () => {
  it("goes to a pCPU that idles, before the rate limit too (__runq_tickle)", () => {
    const { policy, asked, take } = rig([[], [0]], { ratelimit: MS });
    policy.wake(0, NONE);
    take(0);
    policy["vcpu"].priority[0] = -1;
    asked();
    policy.wake(1, NONE);
    assert.match(policy.describe(1), /BOOST/);
    assert.deepEqual(asked(), [0]);
    assert.equal(take(0), 1);
    assert.deepEqual(asked(), [1]);
    assert.equal(take(1), 0);
  });

  it("waits where none idles, for as long as the rate limit is", () => {
    const { policy, running, asked, take } = rig([[], [0]], { ratelimit: MS });
    policy.wake(0, NONE);
    take(0);
    policy["vcpu"].priority[0] = -1;
    running[1] = 7;
    asked();
    policy.wake(1, NONE);
    assert.deepEqual(asked(), [0]);
    assert.equal(take(0), 0);
  });
});

describe("where a vCPU that is bound to a pCPU meets one that is not", () => {
  it("both have a pCPU each before long", () => {
    const { report } = runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    hypervisor: { model: xen, scheduler: credit }
    domains:
      free: { vcpus: 1, components: [ compute ] }
      bound: { vcpus: 1, affinity: [0], components: [ compute ] }
run: { until: 1s }
`);
    for (const { busy, domain } of report.domains) assert.ok(busy > 0.95e12, `${domain}: ${busy}`);
  });
});
