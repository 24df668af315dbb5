import type { Mutation } from "./mutation";

/** Guests of a driver domain and of a network server, with traffic; one of each dies and starts again. */
const crash = `exoscope: 1
hosts:
  server:
    cpu: { cores: 6 }
    iommu: on
    devices:
      nic0: { model: intel-82599 }
      nic1: { model: intel-82599 }
    hypervisor: { model: xen, scheduler: credit }
    domains:
      netsrv:
        components:
          - netserver
          - ixgbe: { bind: nic0.pf }
      driver:
        kind: driver-domain
        components:
          - netback
          - bridge
          - ixgbe: { bind: nic1.pf }
      served:
        components:
          - http-server
          - libc
          - tcpip
          - vif: { channel: netsrv.netserver }
      split:
        components:
          - http-server
          - libc
          - tcpip
          - netfront: { channel: driver.netback }
  client: { model: load-generator, link: { to: server.nic0 } }
  other: { model: load-generator, link: { to: server.nic1 } }
workloads:
  - http: { from: client, to: served, requests: 2000 }
  - http: { from: other, to: split, requests: 2000 }
faults:
  - { at: 15ms, crash: driver, restart: 10ms }
  - { at: 16ms, crash: netsrv, restart: 10ms }
run: { until: 1s, seed: 1 }
`;

/** An application that computes for long while more datagrams come than its ring holds. */
const flood = `exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { model: xen, scheduler: credit }
    domains:
      netsrv:
        components:
          - netserver
          - ixgbe: { bind: nic0.pf }
      busy:
        components:
          - discard: { protocol: udp }
          - compute: { burst: 3ms }
          - libc
          - tcpip
          - vif: { channel: netsrv.netserver }
  client: { model: load-generator, link: { to: server.nic0 } }
workloads:
  - udp-stream: { from: client, to: busy, size: 64B, interval: 3us, duration: 30ms }
run: { until: 60ms, seed: 1 }
`;

/** The same guests, each asked for one answer at a time, with long pauses. */
const quiet = crash.slice(0, crash.indexOf("workloads:")).replaceAll("http-server", "echo: { protocol: udp }") + `workloads:
  - open-loop: { from: client, to: served, arrivals: periodic, interval: 300ms, requests: 5 }
  - ping: { from: other, to: split, interval: 300ms, requests: 5 }
run: { until: 4s, seed: 1 }
`;

/** Faults in the rings between domains, and in who may reach the memory that they are in. */
export const ringMutations: readonly Mutation[] = [
  { breaks: 16, file: "engine/machine/frameRing.ts", replace: "    else this.free.push(index);", by: "" },
  { breaks: 16, file: "engine/machine/sharedRing.ts", replace: "return entryOf(this.index.requestConsumed[0]!++);", by: "return entryOf((this.index.requestConsumed[0]! += 2) - 2);" },
  { breaks: 17, file: "engine/machine/frameRing.ts", replace: "    const index = this.filled.shift();\n    if (index < 0) return -1;", by: "    if (this.filled.count > 1) this.filled.push(this.filled.shift());\n    const index = this.filled.shift();\n    if (index < 0) return -1;" },
  { breaks: 17, file: "engine/machine/sharedRing.ts", replace: "return entryOf(this.index.requestConsumed[0]!++);", by: "return entryOf(1 ^ this.index.requestConsumed[0]!++);" },
  { breaks: 18, file: "engine/components/ringReaders.ts", replace: "return ring.readers <= 0;", by: "return ring.readers < 0;", design: quiet },
  { breaks: 18, file: "engine/machine/sharedRing.ts", replace: "    this.index.requestEvent[0] = this.index.requestConsumed[0]! + 1;", by: "    this.index.requestEvent[0] = this.index.requestConsumed[0]! + 2;", design: quiet },
  { breaks: 19, file: "engine/components/ringReaders.ts", replace: "return ring.readers <= 0;", by: "return true;" },
  { breaks: 19, file: "engine/machine/sharedRing.ts", replace: "return (after - event) >>> 0 < (after - before) >>> 0;", by: "return after !== before && event > 0;" },
  { breaks: 20, file: "engine/components/ringReaders.ts", replace: "        const before = ring.readers;", by: "        ring.produce(0);\n        const before = ring.readers;" },
  { breaks: 21, file: "engine/machine/frameRing.ts", replace: "      this.counts.dropped++;\n      return false;", by: "      this.counts.dropped++;\n      return true;", design: flood, dispatches: 200_000 },
  { breaks: 22, file: "engine/scheduling/delivery.ts", replace: "if (l.pending[line] === 1 || c.state", by: "if (c.state" },
  { breaks: 23, file: "engine/components/ringReaders.ts", replace: "polls >= EMPTY_POLLS", by: "polls >= 10" },
  { breaks: 35, file: "engine/machine/lifecycle.ts", replace: "const release = this.releaseGrants(domain, d);", by: "const release = 0;", design: crash, dispatches: 200_000 },
];
