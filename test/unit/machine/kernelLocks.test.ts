import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { RunReport } from "../../../engine/analysis/report";
import type { MachineEngine } from "../../../engine/create";
import type { Variable } from "../../../engine/inspect";
import { rowsOf } from "../../support/act";
import { runDesign } from "../../support/runDesign";

/** A kernel with a web server on it, asked by many connections at once. */
function serve(keys: readonly string[], workers = 4, requests = 400): { readonly engine: MachineEngine; readonly report: RunReport } {
  return runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    devices: { nic0: { model: intel-82599, mtu: 9000 } }
    domains:
      os:
        kind: kernel
${keys.map((key) => `        ${key}`).join("\n")}
        components: [ tcpip, ixgbe: { bind: nic0.pf } ]
      web: { kind: process, components: [ http-server: { workers: ${workers} }, libc ] }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }
workloads:
  - http: { from: client, to: web, size: 8KiB, concurrency: 16, requests: ${requests} }
run: { until: 1s }
`);
}

/** Rows of a function on the server. */
function onServer(engine: MachineEngine, name: string): number[] {
  return rowsOf(engine, name).filter((row) => engine.names.contexts[engine.trace.context(row)]!.host === "server");
}

/** Locks of the server's kernel as the state view has them. */
function locksOf({ names, built }: MachineEngine): readonly Variable[] {
  const { id } = names.components.find(({ path, type }) => type === "domain" && ["server/os", "server/web"].includes(path))!;
  return built.machine.kernel.models[id]!.describe!().flatMap(({ variables }) => variables).find(({ name }) => name === "locks")?.children ?? [];
}

const found = (locks: readonly Variable[], name: string, count: string): number => locks.find((lock) => lock.name === name)!.children!.find((child) => child.name === count)!.number!;

describe("the locks of a kernel's network stack", () => {
  it("are not there where nobody could find one held: NetBSD on one CPU, whose lock keeps the CPU", () => {
    const { engine, report } = serve(["system: netbsd", "vcpus: 1"]);
    assert.equal(report.workloads[0]!.completed, 400);
    assert.deepEqual(locksOf(engine), []);
  });

  it("NetBSD as it comes has one for all: CPUs spin for KERNEL_LOCK and for softnet_lock, and the state view counts it", () => {
    const { engine, report } = serve(["system: netbsd", "vcpus: 4"]);
    assert.equal(report.workloads[0]!.completed, 400);
    for (const [lock, spin] of [["KERNEL_LOCK", "_kernel_lock"], ["softnet_lock", "mutex_vector_enter"]] as const) {
      const rows = onServer(engine, spin);
      assert.ok(rows.length > 20 && rows.some((row) => engine.trace.cost(row) > 100_000), spin);
      // Each look at softnet_lock is a row.
      assert.ok(found(locksOf(engine), lock, "found held") >= (lock === "KERNEL_LOCK" ? rows.length : 20) && found(locksOf(engine), lock, "taken") > 1000);
      assert.equal(locksOf(engine).find(({ name }) => name === lock)!.value, "free");
    }
  });

  it("NetBSD with NET_MPSAFE takes KERNEL_LOCK for TCP's timers only, and waits less", () => {
    const spun = ({ engine }: { readonly engine: MachineEngine }): number => ["_kernel_lock", "mutex_vector_enter"].flatMap((name) => onServer(engine, name)).reduce((sum, row) => sum + engine.trace.cost(row), 0);
    const giant = serve(["system: netbsd", "vcpus: 4"]);
    const safe = serve(["system: netbsd", "vcpus: 4", "net-mpsafe: on"]);
    assert.ok(found(locksOf(safe.engine), "KERNEL_LOCK", "taken") < found(locksOf(giant.engine), "KERNEL_LOCK", "taken") / 20);
    assert.ok(onServer(safe.engine, "mutex_vector_enter").length > 100);
    assert.ok(spun(safe) < spun(giant), `${spun(safe)} and ${spun(giant)}`);
  });

  it("Linux leaves what comes to a socket that a process owns in its backlog, and the owner sees to all of it, in order", () => {
    // Long enough for the window to grow, so that segments come while the process writes.
    const { engine } = runDesign(readFileSync("samples/workloads/tcp-stream.exo.yaml", "utf8").replace("duration: 5ms", "duration: 30ms"));
    const { trace, names } = engine;
    const packets = (name: string): number[] => rowsOf(engine, name).map((row) => trace.packet(row));
    const left = packets("tcp_add_backlog");
    assert.ok(left.length >= 3, `${left.length}`);
    assert.deepEqual(packets("tcp_v4_do_rcv"), left);
    for (const row of rowsOf(engine, "tcp_v4_do_rcv")) assert.doesNotMatch(names.contexts[trace.context(row)]!.path, /ksoftirqd/);
  });

  it("a library OS has one for all sockets, of a mutex that threads sleep for", () => {
    const { engine, report } = runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    iommu: on
    devices: { nic0: { model: intel-82599, mtu: 9000 } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      web: { vcpus: 2, idle: spin, components: [ http-server: { workers: 4 }, libc, tcpip, ixgbe: { bind: nic0.pf } ] }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }
workloads:
  - http: { from: client, to: web, size: 8KiB, concurrency: 16, requests: 400 }
run: { until: 1s }
`);
    assert.equal(report.workloads[0]!.completed, 400);
    const slept = found(locksOf(engine), "softnet_lock", "slept for");
    assert.ok(slept > 100);
    assert.equal(onServer(engine, "rumpuser_mutex_enter").length, slept);
  });

  it("cover the way of a segment from TCP to the ring in one piece: every function on it knows the packet", () => {
    const { engine } = runDesign(readFileSync("samples/switching/by-hand.exo.yaml", "utf8"));
    const { trace, names } = engine;
    for (const name of ["ip_output", "virtif_start"]) {
      const rows = rowsOf(engine, name).filter((row) => names.contexts[trace.context(row)]!.path.startsWith("server/nginx/"));
      assert.ok(rows.length > 50);
      assert.deepEqual(rows.filter((row) => trace.packet(row) < 0), [], name);
    }
  });
});
