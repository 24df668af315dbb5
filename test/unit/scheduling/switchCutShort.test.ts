import assert from "node:assert/strict";
import { runDesign } from "../../support/runDesign";

/** One CPU, a process that computes, and interrupts that find it being switched to again and again. */
const design = `exoscope: 1
hosts:
  server:
    cpu: { cores: 1 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    domains:
      web: { kind: process, components: [http-server: { workers: 3 }, compute: { burst: 100us }, libc] }
      drv: { kind: process, components: [ixgbe: { bind: nic0.pf }] }
      os: { kind: kernel, system: linux, components: [tcpip: { driver: drv.ixgbe }] }
  client: { model: load-generator, cpu: { cores: 1 }, link: { to: server.nic0, rate: 100Mbps } }
workloads:
  - http: { from: client, to: web, size: 1B, concurrency: 3, requests: 18 }
run: { until: 100ms, seed: 1 }
`;

describe("a switch to a thread that is cut short", () => {
  const { engine: { trace, names } } = runDesign(design);
  const idOf = (name: string): number => names.functions.find((fn) => fn.name === name)!.id;
  const [switching, space, goesOn, preempted] = ["__switch_to", "switch_mm_irqs_off", "goes on after preemption", "resched_curr"].map(idOf);
  const rows = Array.from({ length: trace.length }, (_, row) => row).filter((row) => names.contexts[trace.context(row)]!.path === "server/web/compute-0");

  it("is made anew, and what was left of it is not paid as well", () => {
    const times = rows.filter((row) => trace.fn(row) === preempted && [switching, space].includes(trace.fn(row - 1))).length;
    assert.ok(times > 0, "no switch was cut short");
    assert.deepEqual(rows.filter((row) => trace.fn(row) === goesOn && [switching, space].includes(trace.a(row))), []);
  });
});
