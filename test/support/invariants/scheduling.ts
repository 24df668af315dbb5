import assert from "node:assert/strict";
import type { MachineEngine } from "../../../engine/create";
import { Wait } from "../../../engine/scheduling/sections";
import { ThreadState } from "../../../engine/scheduling/threads";
import { CreditPolicy } from "../../../engine/scheduling/credit";
import { VcpuState } from "../../../engine/scheduling/vcpus";
import { EVENT, VCPU } from "../../../engine/scheduling/workSlot";
import { NONE, NO_VCPU } from "../../../engine/trace/trace";
import type { Invariant } from "./invariant";

const cpusOf = ({ built }: MachineEngine): MachineEngine["built"]["machine"]["cpus"] => built.machine.cpus;

/** Times that each thread stands in a run queue of its domain, and the vCPU whose queue it is; −1: whichever. */
function queued(engine: MachineEngine): Map<number, number[]> {
  const { vcpus } = cpusOf(engine);
  const found = new Map<number, number[]>();
  const add = (thread: number, vcpu: number): void => { found.set(thread, [...(found.get(thread) ?? []), vcpu]); };
  vcpus.domains.forEach(({ kernel, policy, vcpus: own }, domain) => {
    if (kernel !== domain) return;
    for (const v of own) for (const thread of policy.waitingFor(v)) add(thread, v);
    for (const thread of policy.waitingForWhichever() ?? []) add(thread, NONE);
  });
  return found;
}

/** Rules of threads on vCPUs. */
const threadInvariants: readonly Invariant[] = [
  {
    number: 51, says: "a thread is in exactly one place: on one vCPU, in one run queue, or in none and blocked",
    watch: (engine) => {
      const { threads: { thread }, vcpus } = cpusOf(engine);
      return {
        sample: () => {
          const waiting = queued(engine);
          const running = new Map<number, number>();
          for (let v = 0; v < vcpus.vcpu.rows; v++) if (vcpus.vcpu.thread[v] !== NONE) running.set(vcpus.vcpu.thread[v]!, (running.get(vcpus.vcpu.thread[v]!) ?? 0) + 1);
          for (let t = 0; t < thread.rows; t++) {
            const state = thread.state[t];
            assert.equal(waiting.get(t)?.length ?? 0, state === ThreadState.ready ? 1 : 0, `thread ${t} in run queues, state ${state}`);
            assert.equal(running.get(t) ?? 0, state === ThreadState.running ? 1 : 0, `thread ${t} on vCPUs, state ${state}`);
          }
        },
      };
    },
  },
  {
    number: 52, says: "no thread has two vCPUs, and its work is done on the one that it has",
    watch: (engine) => {
      const { vcpus: { vcpu }, threads: { thread }, work } = cpusOf(engine);
      /** By thread: the look that last found it on a vCPU. */
      const found = new Int32Array(thread.rows);
      let look = 0;
      return {
        step: () => {
          look++;
          for (let v = 0; v < vcpu.rows; v++) {
            const t = vcpu.thread[v]!;
            if (t === NONE) continue;
            if (found[t] === look) assert.fail("a thread on two vCPUs");
            found[t] = look;
            const w = thread.work[t]!;
            if (w !== NONE && work.get(w, VCPU) !== v) assert.fail("work on another vCPU");
          }
        },
      };
    },
  },
  {
    number: 53, says: "a vCPU does one piece of a thread's work at a time, and a thread that is not preemptible keeps its vCPU until the piece is done, or sleeps for a lock",
    watch: (engine) => {
      const { trace, names } = engine;
      const { vcpus, threads: { thread }, work: { slot } } = cpusOf(engine);
      const busyUntil = new Map<number, number>();
      return {
        row: (row) => {
          const { kind, path } = names.contexts[trace.context(row)]!;
          const vcpu = trace.vcpu(row);
          if (kind === "pcpu" || vcpu === NO_VCPU || path.includes("/interrupt-") || path.includes("/poll-")) return;
          assert.ok(trace.begin(row) >= (busyUntil.get(vcpu) ?? 0), "two pieces of work on a vCPU at once");
          busyUntil.set(vcpu, trace.begin(row) + trace.cost(row));
        },
        sample: () => {
          for (let t = 0; t < thread.rows; t++) {
            const w = thread.work[t]!;
            if (w === NONE || vcpus.domains[thread.domain[t]!]!.policy.tickPeriod > 0) continue;
            // Who slept has got the lock, or tries to again, when it runs.
            if (thread.state[t] === ThreadState.asleep || slot.wants[w] !== NONE || slot.held[w] !== NONE) continue;
            assert.equal(thread.state[t], ThreadState.running, "work that is half done on a thread that does not run");
          }
        },
      };
    },
  },
  {
    number: 54, says: "nobody spins for a lock that is free, unless about to look at it, or that a vCPU which idles and has its pCPU could let go",
    watch: (engine) => {
      const { vcpus, work, work: { slot }, locks } = cpusOf(engine);
      return {
        sample: () => {
          for (let w = 0; w < slot.rows; w++) {
            if ((slot.spinning[w] === Wait.spinning && work.get(w, EVENT) === NONE) || slot.spinning[w] === Wait.asleep) assert.notEqual(locks.holder(slot.wants[w]!), NONE, "waits for a lock that is free");
          }
          for (let v = 0; v < vcpus.vcpu.rows; v++) {
            if (vcpus.vcpu.stuckSince[v] === 0 || vcpus.vcpu.idlePoll[v] !== NONE) continue;
            const holder = locks.holder(vcpus.entry(v).idleLock);
            assert.ok(holder !== NONE && vcpus.vcpu.state[holder] !== VcpuState.running, "spins for a lock that an idle vCPU could let go");
          }
        },
      };
    },
  },
  {
    number: 55, says: "a thread that waits for a vCPU is run: a vCPU that may run it and has nothing else to do knows of it",
    watch: (engine) => {
      const { vcpus } = cpusOf(engine);
      const { vcpu: c } = vcpus;
      const told = (v: number): boolean => c.idlePoll[v] !== NONE || c.kicked[v] === 1 || c.lineHead[v] !== NONE;
      const rests = (v: number): boolean => c.state[v] === VcpuState.blocked || (c.state[v] === VcpuState.running && c.idle[v] === 1 && c.stuckSince[v] === 0);
      return {
        sample: () => {
          for (const [thread, places] of queued(engine)) {
            const { usable, idleLock } = vcpus.domains[cpusOf(engine).threads.thread.domain[thread]!]!;
            if (idleLock !== NONE && cpusOf(engine).locks.holder(idleLock) !== NONE) continue;
            const candidates = places[0] === NONE ? usable : places;
            assert.ok(!candidates.every(rests) || candidates.some(told), `thread ${thread} waits, and nobody is told`);
          }
        },
      };
    },
  },
];

/** Rules of vCPUs on pCPUs. */
const vcpuInvariants: readonly Invariant[] = [
  {
    number: 56, says: "a vCPU has at most one pCPU, one of its affinity, a pCPU at most one vCPU, and work is done only on a vCPU that has one",
    watch: ({ trace, names, design }) => {
      const pcpuOfVcpu = new Map<number, number>();
      const vcpuOfPcpu = new Map<number, number>();
      const affinity = new Map(design.hosts.flatMap((host) => host.domains).map((domain) => [domain.path, domain.affinity]));
      return {
        row: (row) => {
          const context = trace.context(row);
          const vcpu = trace.vcpu(row);
          if (names.contexts[context]!.kind === "pcpu") {
            pcpuOfVcpu.delete(vcpuOfPcpu.get(context)!);
            vcpuOfPcpu.delete(context);
            if (vcpu === NO_VCPU) return;
            assert.ok(!pcpuOfVcpu.has(vcpu), "a vCPU on two pCPUs");
            const allowed = affinity.get(names.vcpus[vcpu]!.domain) ?? [];
            const pcpu = Number(/\d+$/.exec(names.contexts[context]!.path)![0]);
            assert.ok(allowed.length === 0 || allowed.includes(pcpu), `a vCPU of ${names.vcpus[vcpu]!.domain} on pCPU ${pcpu}`);
            pcpuOfVcpu.set(vcpu, context);
            vcpuOfPcpu.set(context, vcpu);
          } else if (vcpu !== NO_VCPU) {
            assert.ok(pcpuOfVcpu.has(vcpu), "work on a vCPU without a pCPU");
          }
        },
      };
    },
  },
  {
    number: 58, says: "under the credit scheduler, a vCPU that has something to do runs for the rate limit before it is preempted, unless it leaves its pCPU as another one idles",
    watch: (engine) => {
      const { trace, names, design } = engine;
      const { vcpu: c } = cpusOf(engine);
      const limits = new Map(design.hosts.filter((host) => host.hypervisor?.scheduler === "credit").map((host) => [host.path, host.hypervisor!.ratelimit]));
      const capped = new Set(design.hosts.flatMap((host) => host.domains).filter(({ cap }) => cap > 0).map(({ path }) => path));
      const running = new Map<number, { vcpu: number; since: number }>();
      const policies = engine.built.hypervisors.flatMap(({ hypervisor }): readonly unknown[] => [hypervisor["policy"]]).filter((policy) => policy instanceof CreditPolicy);
      const leaves = (vcpu: number): boolean => policies.some((policy) => {
        const row = policy["rowOf"].get(vcpu);
        return row !== undefined && policy["vcpu"].leaving[row] === 1;
      });
      return {
        row: (row) => {
          const context = trace.context(row);
          const { kind, host } = names.contexts[context]!;
          const limit = limits.get(host);
          if (kind !== "pcpu" || limit === undefined) return;
          const before = running.get(context);
          const vcpu = trace.vcpu(row);
          if (before !== undefined && before.vcpu === vcpu) return;
          running.delete(context);
          if (vcpu !== NO_VCPU) running.set(context, { vcpu, since: trace.time(row) });
          if (before === undefined || c.state[before.vcpu] !== VcpuState.runnable || capped.has(names.vcpus[before.vcpu]!.domain)) return;
          assert.ok(trace.time(row) - before.since >= limit, `preempted after ${trace.time(row) - before.since} ps`);
        },
        // Who halts gives its pCPU up, also if it is woken before that chooses anew, at the same instant; so does who is to leave it.
        step: () => {
          for (const [context, { vcpu }] of running) if (c.state[vcpu] === VcpuState.blocked || leaves(vcpu)) running.delete(context);
        },
      };
    },
  },
  {
    number: 59, says: "a boost lasts until the next tick that finds the vCPU running",
    watch: (engine) => {
      const { trace, names, built } = engine;
      const tick = names.functions.find(({ name }) => name === "csched_tick")?.id;
      let ticks = 0;
      return {
        row: (row) => {
          // The look costs more than the tick: at some of them.
          if (trace.fn(row) !== tick || trace.vcpu(row) === NO_VCPU || ticks++ % 32 !== 0) return;
          const { host } = names.contexts[trace.context(row)]!;
          const { path } = names.vcpus[trace.vcpu(row)]!;
          const { hypervisor } = built.hypervisors.find((h) => h.host === host)!;
          const variables = hypervisor.describe().flatMap((scope) => scope.variables).find(({ name }) => name === "vcpus")!.children!;
          assert.ok(!variables.find(({ name }) => name === path)!.value.includes("BOOST"), `${path} is still boosted`);
        },
      };
    },
  },
  {
    number: 78, says: "CPU time adds up: a vCPU works no longer than it has a pCPU, and pCPUs give no more time than passes",
    watch: (engine) => {
      const { vcpu: c, domainOf, domains } = cpusOf(engine).vcpus;
      const had = (v: number): number => c.ran[v]! + (c.state[v] === VcpuState.running ? engine.time - c.since[v]! : 0);
      return {
        sample: () => {
          for (let v = 0; v < c.rows; v++) assert.ok(c.busy[v]! <= had(v), `vCPU ${v} was busy for ${c.busy[v]} ps of ${had(v)}`);
          for (const { host, hypervisor, cores } of engine.built.hypervisors) {
            let given = 0;
            for (let v = 0; v < c.rows; v++) if (domains[domainOf[v]!]!.host === host) given += had(v);
            for (let p = 0; p < cores; p++) given += hypervisor.overheadOf(p, engine.time);
            assert.ok(given <= cores * engine.time, `${host} gave ${given} ps of ${cores * engine.time}`);
          }
        },
      };
    },
  },
];

/** Rules of both levels of scheduling. */
export const schedulingInvariants: readonly Invariant[] = [...threadInvariants, ...vcpuInvariants];
