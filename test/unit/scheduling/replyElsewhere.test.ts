import { createEngine } from "../../../engine/create";
import { invariants } from "../../support/invariants/all";
import { runChecked } from "../../support/invariants/invariant";
import { designOf } from "../../support/runDesign";

/** A crowded machine that a random run found: a driver process answers its kernel's soft-interrupt thread from another vCPU than that thread's own. */
const design = `exoscope: 1
name: random
profile: xeon-4114-82599
hosts:
  server:
    cpu: { cores: 1, numa: 1 }
    iommu: on
    devices:
      nic0: { model: intel-82599, mtu: 1500, sriov: { vfs: 2 } }
    hypervisor: { model: xen, scheduler: round-robin, timeslice: 1ms, ratelimit: 1ms }
    domains:
      netsrv:
        kind: vm
        vcpus: 1
        components:
          - netserver: { ip: 10.0.0.100 }
          - ixgbe: { bind: nic0.pf }
      d0:
        kind: vm
        vcpus: 3
        weight: 256
        idle: spin
        scheduler: run-to-completion
        components:
          - http-server: { port: 80, workers: 2 }
          - libc
          - tcpip
          - vif: { channel: netsrv.netserver }
          - ixgbe: { bind: nic0.vf0, lro: on }
        uplinks: { tcpip: [vif, ixgbe], active: vif }
      p0:
        kind: process
        components:
          - http-server: { port: 8000, workers: 1 }
          - compute: { burst: 100us }
          - libc
      p1:
        kind: process
        components:
          - http-server: { port: 8001, workers: 1 }
          - compute: { burst: 100us }
          - libc
      drv:
        kind: process
        components:
          - ixgbe: { bind: nic0.vf1 }
      os:
        kind: kernel
        system: linux
        vcpus: 2
        components:
          - tcpip: { driver: drv.ixgbe }
  client: { model: load-generator, link: { to: server.nic0, rate: 100Mbps, delay: 2us, loss: 0, corrupt: 1%, duplicate: 2%, reorder: 2% } }
workloads:
  - http: { from: client, to: d0, size: 8KiB, concurrency: 9, requests: 60, keepalive: false }
  - http: { from: client, to: p0, size: 1448B, concurrency: 2, requests: 3, keepalive: true }
  - http: { from: client, to: p1, size: 1448B, concurrency: 2, requests: 3, keepalive: true }
faults:
  - { at: 36ms, forge: netsrv, what: portmap, count: 8 }
switches:
  - { at: 6ms, switch: d0, to: server }
run: { until: 120s, seed: 1 }
`;

describe("a reply to a caller whose own vCPU is another", () => {
  it("makes it ready only if there is something left for it to do", () => {
    runChecked(createEngine(designOf(design)), invariants, 3000);
  });
});
