import assert from "node:assert/strict";
import type { MachineEngine } from "../../../engine/create";
import type { RunReport } from "../../../engine/analysis/report";
import { rowsOf } from "../../support/act";
import { runDesign } from "../../support/runDesign";

/** memcached with a worker a vCPU. @param domain what the domain is, besides @param link what the link does */
function serve(domain: string, queues: number, link = "", vcpus = 4): { readonly engine: MachineEngine; readonly report: RunReport } {
  return runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: ${vcpus} }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    ${domain.includes("kind: vm") ? "hypervisor: { model: xen, scheduler: pinned }" : ""}
    domains:
      s: { ${domain}, vcpus: ${vcpus}, components: [ memcached: { threads: ${vcpus} }, libc, tcpip, ixgbe: { bind: nic0.pf, queues: ${queues} } ] }
  client: { model: load-generator, cpu: { cores: 8 }, queues: 8, link: { to: server.nic0${link} } }
workloads:
  - memcached: { from: client, to: s, concurrency: 64, requests: 1000 }
run: { until: ${link === "" ? 60 : 300}ms }
`);
}

/** vCPUs of a host on which a function ran, by number. */
function vcpusOf({ engine }: { readonly engine: MachineEngine }, fn: string, host = "server"): number[] {
  const { trace, names, built: { machine: { cpus } } } = engine;
  const found = rowsOf(engine, fn).filter((row) => names.contexts[trace.context(row)]!.host === host).map((row) => trace.vcpu(row));
  return [...new Set(found)].map((v) => cpus.vcpusOf(cpus.vcpus.domainOf[v]!).indexOf(v)).sort((x, y) => x - y);
}

/** The stack's threads in which something happened. */
function contextsOf({ engine }: { readonly engine: MachineEngine }, fn: string, host: string): Set<string> {
  const found = rowsOf(engine, fn).map((row) => engine.names.contexts[engine.trace.context(row)]!);
  return new Set(found.filter((context) => context.host === host).map(({ path }) => path));
}

const four = [0, 1, 2, 3];
const throughput = ({ report }: { readonly report: RunReport }): number => report.workloads[0]!.throughput;

describe("several receive queues", () => {
  const one = serve("kind: kernel, system: linux", 1, "", 8);
  const several = serve("kind: kernel, system: linux", 8, "", 8);

  it("Linux takes frames through its stack on the CPU whose queue they are on, at both ends", () => {
    for (const fn of ["ixgbe_poll", "ip_rcv", "tcp_v4_rcv"]) {
      assert.deepEqual(vcpusOf(one, fn), [0]);
      assert.equal(vcpusOf(several, fn).length, 8);
      assert.equal(vcpusOf(several, fn, "client").length, 8);
    }
  });

  it("so that queues are more throughput", () => {
    assert.equal(several.report.workloads[0]!.completed, 1000);
    assert.ok(throughput(several) > 1.6 * throughput(one), `${throughput(several)} ${throughput(one)}`);
  });

  it("a rump kernel has soft interrupts of each CPU's own", () => {
    assert.deepEqual(vcpusOf(serve("kind: vm", 4), "tcp_input"), four);
  });

  it("NetBSD 8 takes IP in on its first CPU, and on that which has the frame when it is built with NET_MPSAFE", () => {
    assert.deepEqual(vcpusOf(serve("kind: kernel, system: netbsd", 4), "tcp_input"), [0]);
    assert.deepEqual(vcpusOf(serve("kind: kernel, system: netbsd, net-mpsafe: true", 4), "tcp_input"), four);
  });

  it("frames of a connection stay in order: none is taken for lost", () => {
    assert.equal(rowsOf(several.engine, "tail loss probe").length, 0);
    assert.equal(several.report.retransmissions, 0);
  });

  it("a timer runs out on the vCPU that armed it", () => {
    const lossy = serve("kind: kernel, system: linux", 4, ", loss: 2%");
    assert.ok(contextsOf(lossy, "tail loss probe", "client").size > 2);
  });
});
