import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { RunReport } from "../../../engine/analysis/report";
import { StackPart } from "../../../engine/components/stackLocks";
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

/** The same by a library OS. */
function serveByLibrary(vcpus = 2): { readonly engine: MachineEngine; readonly report: RunReport } {
  return runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: ${vcpus} }
    iommu: on
    devices: { nic0: { model: intel-82599, mtu: 9000 } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      web: { vcpus: ${vcpus}, idle: spin, components: [ http-server: { workers: 4 }, libc, tcpip, ixgbe: { bind: nic0.pf } ] }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }
workloads:
  - http: { from: client, to: web, size: 8KiB, concurrency: 16, requests: 400 }
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
  it("are listed by the numbers of its parts, which are in order", () => {
    assert.deepEqual(Object.values(StackPart), Object.values(StackPart).map((_, i) => i));
  });

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

  it("NetBSD with NET_MPSAFE takes KERNEL_LOCK under softnet_lock only, so that nobody waits for it, and waits less in all", () => {
    const spun = ({ engine }: { readonly engine: MachineEngine }): number => ["_kernel_lock", "mutex_vector_enter"].flatMap((name) => onServer(engine, name)).reduce((sum, row) => sum + engine.trace.cost(row), 0);
    const giant = serve(["system: netbsd", "vcpus: 4"]);
    const safe = serve(["system: netbsd", "vcpus: 4", "net-mpsafe: on"]);
    const taken = (lock: string): number => found(locksOf(safe.engine), lock, "taken");
    assert.ok(taken("KERNEL_LOCK") > 400 && taken("KERNEL_LOCK") < taken("softnet_lock"));
    assert.equal(found(locksOf(safe.engine), "KERNEL_LOCK", "found held"), 0);
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
    const { engine, report } = serveByLibrary();
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

/** Where and when a row was, picoseconds. */
interface Span {
  readonly vcpu: number;
  readonly begin: number;
  readonly end: number;
}

describe("socket calls of NetBSD (uipc_socket.c, uipc_syscalls.c, kern_event.c) have softnet_lock", () => {
  const systems = {
    kernel: { run: () => serve(["system: netbsd", "vcpus: 4", "net-mpsafe: on"]), outside: ["sys___kevent50", "sys_accept", "sys_sendto", "sys_recvfrom", "sys_close"] },
    "library OS": { run: () => serveByLibrary(4), outside: ["rump___sysimpl_kevent", "rump___sysimpl_accept", "rump___sysimpl_sendto", "rump___sysimpl_recvfrom", "rump___sysimpl_close"] },
  } as const;
  const inside = ["filt_soread", "soaccept", "sbspace", "sblock", "tcp_send", "tcp_rcvd", "tcp_output", "soclose", "tcp_input"] as const;
  const copies = ["sosend", "soreceive"] as const;

  for (const [name, { run, outside }] of Object.entries(systems)) {
    describe(`in a ${name}`, () => {
      let engine: MachineEngine;
      let locked: readonly Span[] = [];
      before(() => {
        ({ engine } = run());
        locked = times(inside);
      });
      /** When each row of these functions was, in order. */
      const times = (functions: readonly string[]): Span[] => {
        const { trace } = engine;
        return functions.flatMap((fn) => onServer(engine, fn)).map((row) => ({ vcpu: trace.vcpu(row), begin: trace.begin(row), end: trace.begin(row) + trace.cost(row) })).sort((a, b) => a.begin - b.begin);
      };
      /** How many rows of a function have one of the others on another vCPU meanwhile. */
      const meanwhile = (fn: string, others: readonly Span[]): number => times([fn]).filter(({ vcpu, begin, end }) => others.some((o) => o.vcpu !== vcpu && o.begin < end && o.end > begin)).length;

      it("for what they do at the socket: never two at once", () => {
        for (const fn of inside) assert.ok(onServer(engine, fn).length >= 16, fn);
        for (let i = 1; i < locked.length; i++) assert.ok(locked[i]!.begin >= locked[i - 1]!.end, `at ${locked[i]!.begin}`);
      });

      it("not for descriptors, files and queues of events: others are at sockets meanwhile", () => {
        for (const fn of outside) assert.ok(meanwhile(fn, locked) > 0, fn);
      });

      it("not while they copy (uiomove): others are at sockets meanwhile, and copies of two threads overlap", () => {
        for (const fn of copies) assert.ok(meanwhile(fn, locked) > 0, fn);
        assert.ok(meanwhile("sosend", times(copies)) > 0);
      });

      it("before they copy, to look at the buffer, and after, for the protocol", () => {
        const { trace, names } = engine;
        const thread = trace.context(onServer(engine, "sosend")[0]!);
        const calls = ["sbspace", "sosend", "tcp_send", "sblock", "soreceive", "tcp_rcvd"].flatMap((fn) => onServer(engine, fn)).filter((row) => trace.context(row) === thread)
          .sort((a, b) => a - b).map((row) => names.functions[trace.fn(row)]!.name).join(" ");
        assert.match(calls, /^((sbspace sosend tcp_send|sblock soreceive tcp_rcvd) ?)+$/);
        assert.match(calls, /sosend/);
        assert.match(calls, /soreceive/);
      });
    });
  }
});
