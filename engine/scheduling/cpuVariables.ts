import type { Variable } from "../inspect";
import type { Table } from "../kernel/state";
import { NONE } from "../trace/trace";
import type { Threads } from "./threads";

const threadStates = ["blocked", "ready", "running", "gone", "waiting for an answer"] as const;
const vcpuStates = ["blocked", "runnable", "running", "off"] as const;

type VcpuTable = Table<{ readonly state: "u8"; readonly idle: "u8"; readonly thread: "i32"; readonly busy: "f64"; readonly switches: "f64" }>;

/** vCPUs, run queues and threads of a domain, for people. */
export function describeDomain(
  vcpus: readonly number[], threads: readonly number[], vcpu: VcpuTable, all: Threads, domain: number, nameOf: (thread: number) => string,
): Variable[] {
  const list = (waiting: readonly number[]): string => (waiting.length > 0 ? waiting.map(nameOf).join(", ") : "empty");
  return [
    {
      name: "vcpus", value: `${vcpus.length}`, number: vcpus.length,
      children: vcpus.map((v, i) => ({
        name: `vcpu${i}`, value: `${vcpuStates[vcpu.state[v]!]!}${vcpu.idle[v] === 1 ? ", idle" : ""}`,
        children: [
          { name: "thread", value: vcpu.thread[v] === NONE ? "none" : nameOf(vcpu.thread[v]!) },
          { name: "run queue", value: list(all.waitingLocally(v)) },
          { name: "busy", value: microseconds(vcpu.busy[v]!), number: vcpu.busy[v]! },
          { name: "thread switches", value: `${vcpu.switches[v]!}`, number: vcpu.switches[v]! },
        ],
      })),
    },
    { name: "global run queue", value: list(all.waitingGlobally(domain)) },
    {
      name: "threads", value: `${threads.length}`, number: threads.length,
      children: threads.map((thread) => ({
        name: nameOf(thread), value: threadStates[all.thread.state[thread]!]!,
        children: [
          { name: "busy", value: microseconds(all.thread.busy[thread]!), number: all.thread.busy[thread]! },
          { name: "jobs done", value: `${all.thread.jobs[thread]!}`, number: all.thread.jobs[thread]! },
        ],
      })),
    },
  ];
}

function microseconds(time: number): string {
  return `${(time / 1e6).toFixed(3)} µs`;
}
