import type { Mutation } from "./mutation";

/** Two applications behind one server; one has a port of both protocols, dies, and binds them again. */
const design = `exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { scheduler: pinned }
    domains:
      netsrv: { kind: vm, components: [netserver, ixgbe: { bind: nic0.pf }] }
      a: { kind: vm, components: [http-server, echo: { protocol: udp, port: 80 }, libc, tcpip, vif: { channel: netsrv.netserver }] }
      b: { kind: vm, components: [http-server: { port: 81 }, libc, tcpip, vif: { channel: netsrv.netserver }] }
  client: { model: load-generator, link: { to: server.nic0 } }
workloads:
  - http: { from: client, to: a, requests: 5 }
faults:
  - { at: 15ms, restart: a, takes: 1ms }
run: { until: 400ms }
`;

/** Faults in the portmap. */
export const portmapMutations: readonly Mutation[] = [
  { breaks: 5, file: "engine/machine/portmap.ts", replace: "this.entry.owner[base + port] = application;", by: "this.entry.owner[base + port] = 0;", design },
  { breaks: 6, file: "engine/machine/portmap.ts", replace: "this.entry.owner[base + port] = application;", by: "this.entry.owner[port] = this.entry.owner[base + port] = application;", design },
  { breaks: 7, file: "engine/machine/portmap.ts", replace: "if (owner === application) return { port };", by: "", design },
  { breaks: 7, file: "engine/machine/portmap.ts", replace: 'if (owner !== -1) return { error: "EADDRINUSE" };', by: "", design },
  { breaks: 15, file: "engine/components/netserver.ts", replace: "return this.portmap.bind(channel, protocol, port);", by: "return this.portmap.bind((channel + 1) % this.channels.length, protocol, port);", design },
  { breaks: 8, file: "engine/machine/portmap.ts", replace: "const DYNAMIC = 49152;", by: "const DYNAMIC = 49153;", design },
];
