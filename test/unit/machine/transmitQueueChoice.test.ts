import assert from "node:assert/strict";
import { report } from "../../../engine/analysis/report";
import type { MachineEngine } from "../../../engine/create";
import type { Nic } from "../../../engine/machine/nic/nic";
import { NONE } from "../../../engine/trace/trace";
import { rowsOf } from "../../support/act";
import { runDesign } from "../../support/runDesign";

interface Serving {
  readonly domain: string;
  readonly queues: number;
  readonly function?: string;
  readonly vfs?: number;
  readonly vcpus?: number;
  readonly link?: string;
  readonly workload?: string;
}

/** A server with as many workers as vCPUs, and a client with four CPUs and queues. */
function serve({ domain, queues, function: f = "pf", vfs = 0, vcpus = 4, link = "", workload = "size: 1KiB, concurrency: 12, requests: 120" }: Serving): MachineEngine {
  return runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: ${vcpus} }
    iommu: on
    devices: { nic0: { model: intel-82599${vfs > 0 ? `, sriov: { vfs: ${vfs} }` : ""} } }
    ${domain.includes("kind: vm") ? "hypervisor: { model: xen, scheduler: pinned }" : ""}
    domains:
      s: { ${domain}, vcpus: ${vcpus}, components: [ http-server: { workers: ${vcpus} }, libc, tcpip, ixgbe: { bind: nic0.${f}, queues: ${queues} } ] }
  client: { model: load-generator, cpu: { cores: 4 }, queues: 4, link: { to: server.nic0${link} } }
workloads:
  - http: { from: client, to: s, ${workload} }
run: { until: 60ms }
`).engine;
}

interface Sent {
  readonly packet: number;
  readonly vcpu: number;
  readonly queue: number;
  /** When it was put on the ring, and when the adapter had read it. */
  readonly written: number;
  readonly read: number;
}

/** Frames in the order in which the adapter reads them: the queue of the function, and the vCPU, by its number in its domain, on which the driver has written the tail register. */
function sent(engine: MachineEngine, device: string, f: string): Sent[] {
  const { trace, names, built: { machine } } = engine;
  const { packets, cpus } = machine;
  const nic: Nic = machine.nics.get(device)!;
  const { queues, component } = nic.functions[nic.functionNamed(`${device}/${f}`)]!;
  const rowOf = new Map<number, number>();
  const { host } = names.components[component]!;
  for (const row of rowsOf(engine, "TDT write")) if (names.contexts[trace.context(row)]!.host === host) rowOf.set(trace.packet(row), row);
  const found: Sent[] = [];
  for (const row of rowsOf(engine, "DMA read")) {
    const packet = trace.packet(row);
    if (trace.component(row) !== component || packet === NONE) continue;
    const tail = rowOf.get(packet) ?? rowOf.get(packets.parentOf(packet));
    if (tail === undefined) continue;
    const v = trace.vcpu(tail);
    found.push({ packet, written: trace.time(tail), read: trace.time(row), vcpu: cpus.vcpusOf(cpus.vcpus.domainOf[v]!).indexOf(v), queue: queues.findIndex(({ number }) => number === trace.b(row)) });
  }
  assert.ok(found.length > 100, `${found.length} frames`);
  return found;
}

/** Which queues each vCPU has sent on. */
function queuesByVcpu(frames: readonly Sent[]): Record<number, number[]> {
  const found: Record<number, number[]> = {};
  for (const { vcpu, queue } of frames) if (found[vcpu]?.includes(queue) !== true) (found[vcpu] ??= []).push(queue);
  for (const queues of Object.values(found)) queues.sort((a, b) => a - b);
  return found;
}

/** Which queues each flow was sent on. */
function queuesByFlow(engine: MachineEngine, frames: readonly Sent[]): number[][] {
  const { packets } = engine.built.machine;
  const found = new Map<number, Set<number>>();
  for (const { packet, queue } of frames) {
    if (!packets.isTcp(packet)) continue;
    const flow = packets.destinationPort(packet);
    if (!found.has(flow)) found.set(flow, new Set());
    found.get(flow)!.add(queue);
  }
  return [...found.values()].map((queues) => [...queues]);
}

const server = (engine: MachineEngine, f = "pf"): Sent[] => sent(engine, "server/nic0", f);

describe("which transmit queue a frame goes to", () => {
  it("NetBSD and rump kernels: the CPU's own number, modulo the queues", () => {
    for (const domain of ["kind: kernel, system: netbsd", "kind: vm"]) {
      assert.deepEqual(queuesByVcpu(server(serve({ domain, queues: 4 }))), { 0: [0], 1: [1], 2: [2], 3: [3] }, domain);
      assert.deepEqual(queuesByVcpu(server(serve({ domain, queues: 2, function: "vf0", vfs: 40 }), "vf0")), { 0: [0], 1: [1], 2: [0], 3: [1] }, domain);
    }
  });

  it("vCPUs that poll: each has its own", () => {
    for (const domain of ["kind: vm, scheduler: run-to-completion", "kind: vm, system: linux, scheduler: run-to-completion"]) {
      assert.deepEqual(queuesByVcpu(server(serve({ domain, queues: 4 }))), { 0: [0], 1: [1], 2: [2], 3: [3] }, domain);
    }
  });

  it("Linux' ixgbe: the CPU's own, as far as there are so many; the others go by the flow", () => {
    const own = (frames: readonly Sent[]): number => frames.filter(({ vcpu, queue }) => vcpu === queue).length / frames.length;
    const engine = serve({ domain: "kind: vm, system: linux", queues: 4 });
    for (const [device, f] of [["server/nic0", "pf"], ["client/nic", "pf"]] as const) {
      const frames = sent(engine, device, f);
      assert.equal(new Set(frames.map(({ queue }) => queue)).size, 4);
      // A connection keeps to its queue while frames are there.
      assert.ok(own(frames) > 0.9, `${device}: ${own(frames)}`);
    }
    const few = server(serve({ domain: "kind: vm, system: linux", queues: 2 }));
    assert.ok(own(few.filter(({ vcpu }) => vcpu < 2)) > 0.9);
    const others = few.filter(({ vcpu }) => vcpu >= 2);
    assert.deepEqual([...new Set(others.map(({ queue }) => queue))].sort(), [0, 1]);
  });

  it("Linux' ixgbevf, and ixgbe where the PF has VFs: a flow's, whichever CPU sends", () => {
    for (const f of ["vf0", "pf"]) {
      const engine = serve({ domain: "kind: vm, system: linux", queues: 2, function: f, vfs: 40 });
      const frames = server(engine, f);
      const flows = queuesByFlow(engine, frames);
      assert.ok(flows.every((queues) => queues.length === 1), f);
      assert.equal(new Set(flows.flat()).size, 2);
      assert.ok(Object.values(queuesByVcpu(frames)).some((queues) => queues.length === 2), f);
    }
  });

  it("frames of a Linux connection are on one queue at a time, though its process and soft interrupts send on several CPUs", () => {
    const engine = serve({ domain: "kind: vm, system: linux", queues: 4, link: ", rate: 1Gbps", workload: "size: 64KiB, concurrency: 32, requests: 64" });
    const { packets } = engine.built.machine;
    // Of each connection, the queue of what was written last, and when that was read.
    const latest = new Map<number, { readonly queue: number; readonly read: number }>();
    let [strange, apart] = [0, 0];
    for (const { packet, vcpu, queue, written, read } of server(engine).sort((a, b) => a.written - b.written)) {
      if (packets.payloadLength(packet) === 0) continue;
      if (queue !== vcpu) strange++;
      const flow = packets.destinationPort(packet);
      const before = latest.get(flow);
      if (before !== undefined && before.queue !== queue && before.read > written) apart++;
      latest.set(flow, { queue, read: Math.max(read, before?.read ?? 0) });
    }
    assert.ok(strange > 10, `${strange} on another CPU's queue`);
    assert.equal(apart, 0);
    // Whoever waits for frames of his on one or the other to be freed hears of it.
    assert.equal(report(engine).workloads[0]!.completed, 64);
  });
});
