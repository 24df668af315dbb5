import assert from "node:assert/strict";
import type { MachineEngine } from "../../../engine/create";
import type { RunReport } from "../../../engine/analysis/report";
import { NONE } from "../../../engine/trace/trace";
import { rowsOf } from "../../support/act";
import { runDesign } from "../../support/runDesign";

/** memcached on vCPUs that poll, each a queue of its own; with fewer workers than that, more clients, and Linux' stack, for whose locks a busy worker does not sleep. */
function poll(vcpus: number, threads: number): { readonly engine: MachineEngine; readonly report: RunReport } {
  return runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 5 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      ix: { ${vcpus > threads ? "system: linux, " : ""}vcpus: ${vcpus}, scheduler: run-to-completion, components: [ memcached: { threads: ${threads} }, libc, tcpip, ixgbe: { bind: nic0.pf, queues: ${vcpus} } ] }
  client: { model: load-generator, cpu: { cores: 8 }, queues: 8, link: { to: server.nic0 } }
workloads:
  - memcached: { from: client, to: ix, concurrency: ${vcpus > threads ? 128 : 64}, requests: 2000 }
run: { until: 40ms }
`);
}

/** Rows of a function in the domain, by vCPU. */
function byVcpu({ engine }: { readonly engine: MachineEngine }, fn: string): Map<number, number[]> {
  const { trace, names } = engine;
  const found = new Map<number, number[]>();
  for (const row of rowsOf(engine, fn)) {
    if (names.contexts[trace.context(row)]!.domain !== "server/ix") continue;
    const v = trace.vcpu(row);
    if (!found.has(v)) found.set(v, []);
    found.get(v)!.push(row);
  }
  return found;
}

/** Longest time for which a vCPU did not poll its queue, from its first frame to its last, picoseconds. */
function longestWithoutPoll(run: { readonly engine: MachineEngine }): number {
  const { trace } = run.engine;
  const [found, empty] = [byVcpu(run, "rte_eth_rx_burst"), byVcpu(run, "rte_eth_rx_burst: empty")];
  let longest = 0;
  for (const [v, frames] of byVcpu(run, "ixgbe_clean_rx_irq")) {
    const polls = [...(found.get(v) ?? []), ...(empty.get(v) ?? []), ...frames].map((row) => trace.time(row)).sort((a, b) => a - b);
    for (let i = 1; i < polls.length; i++) if (polls[i]! <= trace.time(frames.at(-1)!)) longest = Math.max(longest, polls[i]! - polls[i - 1]!);
  }
  return longest;
}

describe("vCPUs that poll a queue each", () => {
  const four = poll(4, 4);

  it("take what they poll to the end: the stack's part and the application's", () => {
    const { trace } = four.engine;
    const stack = byVcpu(four, "tcp_input");
    const application = byVcpu(four, "dispatch_bin_command");
    assert.equal(stack.size, 4);
    assert.equal(application.size, 4);
    // What a request is caused by, back to the frame that it came in, was on its vCPU. By 11 ms each connection has had its first, which may have waited for another's `accept`.
    let followed = 0;
    for (const [v, requests] of application) {
      for (const request of requests) {
        if (trace.time(request) < 11e9) continue;
        let row: number = trace.cause(request);
        while (row !== NONE && trace.fn(row) !== trace.fn(stack.get(v)![0]!)) row = trace.cause(row);
        if (row === NONE) continue;
        followed++;
        assert.equal(trace.vcpu(row), v);
      }
    }
    assert.ok(followed > 1500, `${followed}`);
  });

  it("are fair, and more throughput than one", () => {
    const one = poll(1, 4);
    const [[first], [alone]] = [four.report.workloads, one.report.workloads];
    assert.equal(first!.completed, 2000);
    assert.ok(first!.throughput > 1.4 * alone!.throughput, `${first!.throughput} ${alone!.throughput}`);
    assert.ok(first!.fairness! > 0.95, `${first!.fairness}`);
    assert.ok(first!.latency.max < 1e9, `${first!.latency.max}`);
  });

  it("poll again after a batch of what others leave to them: one worker on the first vCPU serves all, and that polls as the others do", () => {
    const crowded = poll(4, 1);
    const [first] = crowded.report.workloads;
    assert.equal(byVcpu(crowded, "dispatch_bin_command").size, 1);
    assert.equal(first!.completed, 2000);
    assert.ok(first!.fairness! > 0.95, `${first!.fairness}`);
    assert.ok(longestWithoutPoll(crowded) < 1e9, `${longestWithoutPoll(crowded)}`);
  });
});
