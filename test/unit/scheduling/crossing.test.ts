import assert from "node:assert/strict";
import type { MachineEngine } from "../../../engine/create";
import { runDesign } from "../../support/runDesign";

/** One row of a thread: what ran, whose it is, what it cost in nanoseconds. */
interface Row {
  readonly row: number;
  readonly fn: string;
  readonly component: string;
  readonly begin: number;
  readonly cost: number;
  readonly vcpu: number;
  readonly a: number;
}

/** A bare-metal host with a kernel and processes, and a client with one request under way. */
function design(domains: string, requests = 3, concurrency = 1): string {
  return `exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    domains:
${domains}
  client: { model: load-generator, cpu: { cores: 1 }, link: { to: server.nic0 } }
workloads:
  - http: { from: client, to: web, size: 100B, concurrency: ${concurrency}, requests: ${requests} }
run: { until: 50ms }
`;
}

const monolithic = (system: string): string => design(`      os: { kind: kernel, system: ${system}, vcpus: 2, components: [tcpip, { ixgbe: { bind: nic0.pf } }] }
      web: { kind: process, components: [http-server, libc] }`);
const multiserver = (workers = 1, concurrency = 1, requests = 20): string => design(`      os: { kind: kernel, system: minix, vcpus: 3 }
      drv: { kind: process, components: [{ ixgbe: { bind: nic0.pf } }] }
      net: { kind: process, components: [{ tcpip: { driver: drv.ixgbe } }] }
      web: { kind: process, components: [{ http-server: { workers: ${workers} } }, { libc: { stack: net.tcpip } }] }`, requests, concurrency);

function rowsOf({ trace, names }: MachineEngine, thread?: string): Row[] {
  const rows: Row[] = [];
  for (let row = 0; row < trace.length; row++) {
    const { path, kind } = names.contexts[trace.context(row)]!;
    if (kind !== "thread" || trace.vcpu(row) === 0xffff || (thread !== undefined && path !== thread)) continue;
    rows.push({
      row, fn: names.functions[trace.fn(row)]!.name, component: names.components[trace.component(row)]!.path,
      begin: trace.begin(row), cost: trace.cost(row) / 1000, vcpu: trace.vcpu(row), a: trace.a(row),
    });
  }
  return rows;
}

const namesOf = (rows: readonly Row[]): string[] => rows.map(({ fn }) => fn);
const from = (rows: readonly Row[], fn: string, count: number): Row[] => rows.slice(rows.findIndex((r) => r.fn === fn)).slice(0, count);

describe("crossings between protection domains", () => {
  it("a system call: the library, the entry, the kernel's work down to the adapter on the caller's thread, the return when its own code goes on", () => {
    const { engine, report } = runDesign(monolithic("linux"));
    assert.equal(report.workloads[0]!.completed, 3);
    const call = from(rowsOf(engine, "server/web/worker-0").filter(({ component, fn }) => component !== "server/os" || fn.includes("SYSCALL") || fn.includes("sysret")), "sendto", 12);
    assert.deepEqual(namesOf(call), [
      "sendto", "entry_SYSCALL_64", "__sys_sendto", "tcp_sendmsg", "tcp_push", "tcp_write_xmit", "ip_queue_xmit", "dev_queue_xmit",
      "ixgbe_xmit_frame", "ixgbe_tx_map", "TDT write", "syscall_return_via_sysret",
    ]);
    assert.deepEqual(call.slice(0, 4).map(({ component }) => component), ["server/web/libc", "server/os", "server/os/tcpip", "server/os/tcpip"]);
  });

  it("costs half a null system call in, the other half and what it does to the caches out", () => {
    const { engine } = runDesign(monolithic("linux"));
    const rows = rowsOf(engine, "server/web/worker-0");
    assert.ok(rows.some(({ fn }) => fn === "entry_SYSCALL_64"));
    for (const { fn, cost } of rows) {
      if (fn === "entry_SYSCALL_64") assert.equal(cost, 35);
      if (fn === "syscall_return_via_sysret") assert.equal(cost, 105);
    }
  });

  it("NetBSD's kernel has its own names", () => {
    const { engine } = runDesign(monolithic("netbsd"));
    const call = from(rowsOf(engine, "server/web/worker-0"), "sendto", 7);
    assert.deepEqual(namesOf(call), ["sendto", "syscall", "sys_sendto", "sbspace", "sosend", "tcp_send", "tcp_output"]);
    const file = (name: string): string | undefined => engine.names.functions.find((f) => f.name === name)?.file;
    assert.equal(file("syscall"), "sys/arch/x86/x86/syscall.c");
    assert.equal(file("sys_sendto"), "sys/kern/uipc_syscalls.c");
  });

  it("in one domain nothing is crossed: a library OS, and an application inside the kernel", () => {
    const inKernel = design("      web: { kind: kernel, vcpus: 2, components: [http-server, libc, tcpip, { ixgbe: { bind: nic0.pf } }] }");
    const library = inKernel.replace("    domains:", "    hypervisor: { model: xen }\n    domains:").replace("kind: kernel", "kind: vm");
    for (const text of [inKernel, library]) {
      const { engine, report } = runDesign(text);
      assert.equal(report.workloads[0]!.completed, 3);
      const kinds = new Set(engine.names.functions.filter(({ kind }) => kind === "kernel").map(({ name }) => name));
      assert.deepEqual(rowsOf(engine).filter(({ component, fn }) => component.startsWith("server/") && kinds.has(fn)), []);
    }
  });

  it("the client of a load generator is a process: its calls are system calls", () => {
    const { engine } = runDesign(monolithic("linux"));
    const call = from(rowsOf(engine, "client/os/client-0"), "write request", 5);
    assert.deepEqual(namesOf(call), ["write request", "sendto", "entry_SYSCALL_64", "__sys_sendto", "tcp_sendmsg"]);
  });

  it("a switch to another process' thread loads its address space, one to a thread of the same does not", () => {
    const text = (domains: string): string => design(`      os: { kind: kernel, vcpus: 1, components: [tcpip, { ixgbe: { bind: nic0.pf } }] }\n${domains}`);
    const loads = (domains: string): number => rowsOf(runDesign(text(domains)).engine).filter(({ fn }) => fn === "switch_mm_irqs_off").length;
    const own = loads("      web: { kind: process, components: [http-server, { compute: { threads: 2, burst: 1ms, events: 20 } }, libc] }");
    const other = loads("      web: { kind: process, components: [http-server, libc] }\n      a: { kind: process, components: [{ compute: { burst: 1ms, events: 10 } }] }\n      b: { kind: process, components: [{ compute: { burst: 1ms, events: 10 } }] }");
    assert.ok(own <= 2, `${own} with one process`);
    assert.ok(other >= 18, `${other} with two that take turns`);
  });

  it("a stack in the application over a driver in the kernel: a filter, a copy and a system call a frame each way, none for its sockets", () => {
    const { engine, report } = runDesign(design(`      os: { kind: kernel, system: netbsd, vcpus: 2, components: [{ ixgbe: { bind: nic0.pf } }] }
      web: { kind: process, components: [http-server, libc, tcpip] }`));
    assert.equal(report.workloads[0]!.completed, 3);
    const rows = rowsOf(engine).filter(({ component }) => component.startsWith("server/"));
    const count = (fn: string): number => rows.filter((r) => r.fn === fn).length;
    assert.equal(count("bpf_read"), count("ether_input"), "each frame taken in was read");
    assert.ok(count("bpf_mtap") >= count("bpf_read"));
    assert.equal(count("bpf_write"), count("ixgbe_xmit"), "each frame sent was written");
    const at = rows.findIndex(({ fn }) => fn === "bpf_write");
    assert.equal(rows[at - 1]!.fn, "syscall");
    assert.equal(rows[at]!.a, rows.slice(at).find(({ fn }) => fn === "ixgbe_xmit")!.a, "the whole frame is copied");
    const socket = from(rowsOf(engine, "server/web/worker-0"), "rump___sysimpl_sendto", 4);
    assert.deepEqual(namesOf(socket), ["rump___sysimpl_sendto", "sbspace", "sosend", "tcp_send"]);
  });
});

describe("calls between processes", () => {
  it("the server follows the caller on its vCPU without a gap, and the reply switches back", () => {
    const { engine, report } = runDesign(multiserver());
    assert.equal(report.workloads[0]!.completed, 20);
    const rows = rowsOf(engine);
    const context = new Map(engine.names.contexts.map(({ path, id }) => [path, id]));
    let handed = 0;
    let back = 0;
    for (const call of rows.filter(({ fn, row }) => fn === "do_sync_ipc" && engine.trace.context(row) === context.get("server/web/worker-0"))) {
      assert.equal(call.a, context.get("server/net/softint-net"), "the stack's server");
      const next = rows.find((r) => r.row > call.row && r.vcpu === call.vcpu)!;
      if (next.begin === call.begin + call.cost * 1000 && engine.trace.context(next.row) === call.a) handed++;
      const reply = rows.find((r) => r.row > call.row && r.fn === "do_sync_ipc: reply" && r.a === context.get("server/web/worker-0"))!;
      assert.equal(engine.trace.context(reply.row), call.a);
      const after = rows.find((r) => r.row > reply.row && r.vcpu === reply.vcpu);
      if (after?.begin === reply.begin + reply.cost * 1000 && engine.trace.context(after.row) === context.get("server/web/worker-0")) back++;
    }
    assert.ok(handed > 20, `${handed} calls found the server free`);
    assert.ok(back > 20, `${back} replies found something left to do`);
  });

  it("crosses twice on the way to the wire, and copies each frame into the driver's memory", () => {
    const { engine } = runDesign(multiserver());
    const rows = rowsOf(engine);
    const start = rows.findIndex(({ fn }) => fn === "tcp_send");
    const way = namesOf(rows.slice(start).filter((r) => ["server/net/softint-net", "server/drv/driver"].includes(engine.names.contexts[engine.trace.context(r.row)]!.path)));
    assert.deepEqual(way.slice(0, 6), ["tcp_send", "tcp_output", "ip_output", "ether_output", "in4_cksum", "do_sync_ipc"]);
    const driver = way.slice(6, way.indexOf("TDT write") + 2).filter((fn) => fn !== "restore_user_context");
    assert.deepEqual(driver, ["sys_safecopy", "kernel_call_entry_common", "do_safecopy_from", "ixgbe_mq_start", "ixgbe_xmit", "TDT write", "do_sync_ipc: reply"]);
  });

  it("callers of a busy server are served in the order of their calls", () => {
    const { engine, report } = runDesign(multiserver(3, 6, 60));
    assert.equal(report.workloads[0]!.completed, 60);
    const server = engine.names.contexts.find(({ path }) => path === "server/net/softint-net")!.id;
    const waiting: number[] = [];
    let longest = 0;
    for (const { row, fn, a } of rowsOf(engine)) {
      if (fn === "do_sync_ipc" && a === server) longest = Math.max(longest, waiting.push(engine.trace.context(row)));
      if (fn === "do_sync_ipc: reply" && engine.trace.context(row) === server) assert.equal(a, waiting.shift());
    }
    assert.ok(longest >= 2, "somebody had to wait");
    assert.deepEqual(waiting, []);
  });

  it("an interrupt is a message to the driver's process, a frame one to the stack's, and nobody waits for either", () => {
    const { engine } = runDesign(multiserver());
    const count = (fn: string): number => rowsOf(engine).filter((r) => r.fn === fn).length;
    assert.ok(count("mini_notify") > 0);
    assert.equal(count("mini_senda"), count("mini_receive"));
    assert.equal(count("isr"), 0);
    const message = rowsOf(engine).find(({ fn }) => fn === "mini_senda")!;
    assert.equal(engine.names.contexts[engine.trace.context(message.row)]!.path, "server/drv/driver");
  });
});
