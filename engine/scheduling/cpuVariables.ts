import type { Variable } from "../inspect";
import { NONE } from "../trace/trace";
import type { CpuParts } from "./cpuParts";
import { vcpuStates } from "./vcpus";

const threadStates = ["blocked", "ready", "running", "gone", "waiting for an answer", "asleep for a lock"] as const;

/** vCPUs, run queues, threads and locks of a domain, for people. */
export function describeDomain({ kernel: { names }, vcpus, threads, locks, contextOfThread }: CpuParts, domain: number): Variable[] {
  const all = vcpus.threadsOf(domain);
  const nameOf = (t: number): string => names.contexts[contextOfThread[t]!]!.path.split("/").at(-1)!;
  const { vcpus: own, policy, scheduler, kernel } = vcpus.domains[domain]!;
  const { vcpu } = vcpus;
  const { thread } = threads;
  const list = (waiting: readonly number[]): string => (waiting.length > 0 ? waiting.map(nameOf).join(", ") : "empty");
  const shared = policy.waitingForWhichever();
  const counts = vcpus.countsOf(kernel);
  const held = locks.describe(kernel, (v) => `vcpu${v - own[0]!}`);
  return [
    { name: "scheduler", value: scheduler },
    {
      name: "vcpus", value: `${own.length}`, number: own.length,
      children: own.map((v, i) => ({
        name: `vcpu${i}`, value: `${vcpuStates[vcpu.state[v]!]!}${vcpu.stuckSince[v]! > 0 ? ", spins for a lock" : vcpu.idle[v] === 1 ? ", idle" : ""}`,
        children: [
          { name: "thread", value: vcpu.thread[v] === NONE ? "none" : nameOf(vcpu.thread[v]!) },
          { name: "run queue", value: list(policy.waitingFor(v)) },
          { name: "busy", value: microseconds(vcpu.busy[v]!), number: vcpu.busy[v]! },
        ],
      })),
    },
    ...(shared === undefined ? [] : [{ name: "global run queue", value: list(shared) }]),
    {
      name: "threads", value: `${all.length}`, number: all.length,
      children: all.map((t) => ({
        name: nameOf(t), value: `${threadStates[thread.state[t]!]!}${policy.describe?.(t) ?? ""}`,
        children: [
          { name: "busy", value: microseconds(thread.busy[t]!), number: thread.busy[t]! },
          { name: "jobs done", value: `${thread.jobs[t]!}`, number: thread.jobs[t]! },
        ],
      })),
    },
    ...(held.length === 0 ? [] : [{ name: "locks", value: `${held.length}`, number: held.length, children: held }]),
    {
      name: "counters", value: "",
      children: Object.entries(counts).map(([name, number]: [string, number]) => ({ name: words(name), value: `${number}`, number })),
    },
  ];
}

/** `threadSwitches` → `thread switches`. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function microseconds(time: number): string {
  return `${(time / 1e6).toFixed(3)} µs`;
}
