import type { Mutation } from "./mutation";

/** An application behind a network server that crashes and comes back, with frames under way. */
const SERVER_CRASH = `
exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      netsrv: { components: [netserver, ixgbe: { bind: nic0.pf }] }
      web: { components: [http-server, libc, tcpip, vif: { channel: netsrv.netserver }] }
  client: { model: load-generator, cpu: { cores: 2 }, link: { to: server.nic0, delay: 100us } }
workloads:
  - http: { from: client, to: web, size: 1MiB, requests: 4 }
faults: [{ at: 12ms, crash: netsrv, restart: 2500ms }]
run: { until: 8s }
`;

/** A guest behind a driver domain that sends more than headers. */
const GUEST = `
exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      driver: { kind: driver-domain, components: [netback, bridge, ixgbe: { bind: nic0.pf }] }
      web: { components: [http-server, libc, tcpip, netfront: { channel: driver.netback }] }
  client: { model: load-generator, link: { to: server.nic0 } }
workloads:
  - http: { from: client, to: web, size: 8KiB, requests: 20 }
run: { until: 1s }
`;

/** A guest of a driver domain and one of a network server die, and what they shared is others' to give back; a third goes on. */
const GUEST_CRASH = `
exoscope: 1
hosts:
  server:
    cpu: { cores: 6 }
    iommu: on
    devices: { nic0: { model: intel-82599 }, nic1: { model: intel-82599 } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      netsrv: { components: [netserver, ixgbe: { bind: nic0.pf }] }
      driver: { kind: driver-domain, components: [netback, bridge, ixgbe: { bind: nic1.pf }] }
      served: { components: [http-server, libc, tcpip, vif: { channel: netsrv.netserver }] }
      split: { components: [http-server, libc, tcpip, netfront: { channel: driver.netback }] }
      alive: { components: [echo, libc, tcpip, netfront: { channel: driver.netback }] }
  client: { model: load-generator, link: { to: server.nic0 } }
  other: { model: load-generator, link: { to: server.nic1 } }
workloads:
  - http: { from: client, to: served, requests: 200 }
  - http: { from: other, to: split, requests: 200 }
  - open-loop: { from: other, to: alive, arrivals: periodic, interval: 20ms, requests: 250 }
faults: [{ at: 12ms, crash: served }, { at: 13ms, crash: split }]
run: { until: 6s }
`;

/** Faults in how domains die and come back. */
export const failureMutations: readonly Mutation[] = [
  { breaks: 9, file: "engine/components/netserver.ts", replace: "    this.backend.abandon();", by: "    this.backend.abandon();\n    this.portmap.release(0);", design: SERVER_CRASH },
  {
    breaks: 32, file: "engine/components/tcpip.ts", replace: "if (id === undefined || components[id]!.domain !== domain.path) return;", by: "if (id === undefined || components[id]!.domain === domain.path) return;",
    design: SERVER_CRASH,
  },
  { breaks: 35, file: "engine/components/netbackTransmit.ts", replace: "      grants.unmap(pending.mapping[row]!);\n      this.finish(v, row);", by: "      this.finish(v, row);", design: GUEST },
  {
    breaks: 36, file: "engine/machine/frameRing.ts", replace: "    for (let packet = this.consume(); packet >= 0; packet = this.consume()) lost(packet);",
    by: "    if (this.peek() >= 0) lost(this.peek());", design: SERVER_CRASH, dispatches: 200_000,
  },
  {
    breaks: 18, file: "engine/components/vif.ts", replace: "if (this.memory.connected) cpus.raise(", by: "if (this.memory.connected && this.server.registry.generation < 2) cpus.raise(",
    design: SERVER_CRASH, dispatches: 200_000,
  },
  { breaks: 35, file: "engine/components/netback.ts", replace: "      this.place.machine.cpus.post(this.xenwatch, this.id, Op.disconnect, v);\n", by: "", design: GUEST_CRASH, dispatches: 200_000 },
  { breaks: 35, file: "engine/machine/channelGrants.ts", replace: "return this.state.mapping !== NONE && !this.isStale;", by: "return this.state.mapping !== NONE;", design: GUEST_CRASH, dispatches: 200_000 },
  { breaks: 35, file: "engine/scheduling/lifeCycle.ts", replace: "    lines.clear(domain);\n", by: "" },
  { breaks: 33, file: "engine/machine/lifecycle.ts", replace: "kernel.store.restoreScope(domain.path, this.memory.get(domain)!);", by: "for (const [each, copy] of this.memory) kernel.store.restoreScope(each.path, copy);" },
  { breaks: 33, file: "engine/machine/lifecycle.ts", replace: "for (const model of models) model.peerDied?.(domain);", by: "if (other.host === domain.host) cpus.stop(other.id);" },
  { breaks: 86, file: "engine/scheduling/lifeCycle.ts", replace: "if (threads.thread.work[t] !== NONE) this.giveUp(threads.thread.work[t]!);", by: ";" },
];
