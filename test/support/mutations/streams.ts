import type { Mutation } from "./mutation";

/** A web server that is gone for two seconds, and for good. */
const outage = (restart: string): string => `exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      netsrv: { components: [netserver, ixgbe: { bind: nic0.pf }] }
      web: { components: [http-server, libc, tcpip, vif: { channel: netsrv.netserver }] }
  client: { model: load-generator, cpu: { cores: 1 }, link: { to: server.nic0 } }
workloads:
  - http: { from: client, to: web, size: 1MiB, requests: 4 }
faults: [{ at: 12ms, crash: netsrv${restart} }]
run: { until: 1800s }
`;

/** Faults in what TCP promises to applications. */
export const streamMutations: readonly Mutation[] = [
  { breaks: 34, file: "engine/network/tcp/timers.ts", replace: ">= mostRetransmits(tcp, conn)", by: ">= 1", design: outage(", restart: 2500ms"), dispatches: 100_000 },
  { breaks: 34, file: "engine/network/tcp/timers.ts", replace: ">= mostRetransmits(tcp, conn)", by: ">= 99", design: outage(""), dispatches: 100_000 },
  { breaks: 82, file: "engine/network/tcp/input.ts", replace: "  if (seq === t.rcvNxt[conn]) {", by: "  if (seq >= 0) {" },
  { breaks: 82, file: "engine/network/tcp/reassembly.ts", replace: "const end = after(right, next) ? right : next;", by: "const end = (after(right, next) ? right : next) + 1;" },
];
