import { http, httpValue } from "../../../engine/workloads/http";

/** One comparison: a design of ours, and the same traffic for ns-3. */
export interface Case {
  readonly name: string;
  readonly mtu: number;
  /** Component that serves it, and the workload's line in the design. */
  readonly server: string;
  readonly workload: string;
  /** Arguments of transfer.cpp. */
  readonly ns3: readonly string[];
}

/** Body of an answer to one of the sixteen clients, bytes. */
const BODY = 8192;
const value = httpValue(BODY, true);
const [request, answer] = http.map((kind) => `${kind.text(value).length + kind.body(value)}`) as [string, string];

export const cases: readonly Case[] = [
  { name: "bulk, MTU 9000", mtu: 9000, server: "discard", workload: "tcp-stream: { from: client, to: app, duration: 9s, write: 64KiB }", ns3: ["stream", "9000", "300"] },
  { name: "bulk, MTU 1500", mtu: 1500, server: "discard", workload: "tcp-stream: { from: client, to: app, duration: 9s, write: 64KiB }", ns3: ["stream", "1500", "50"] },
  {
    name: "ping-pong, 64 B", mtu: 1500, server: "netpipe-server", workload: "netpipe: { from: client, to: app, smallest: 64B, largest: 64B, repeats: 1000000 }",
    ns3: ["requests", "1500", "1", "30000", "64", "64"],
  },
  {
    name: "16 clients, 8 KiB", mtu: 1500, server: "http-server", workload: `http: { from: client, to: app, size: ${BODY}B, concurrency: 16, requests: 1000000 }`,
    ns3: ["requests", "1500", "16", "8000", request, answer],
  },
];

/** How the application reaches the wire. */
export interface Path {
  readonly name: string;
  readonly uplink: string;
}

export const paths: readonly Path[] = [
  { name: "own VF", uplink: "ixgbe: { bind: nic0.vf0 }" },
  { name: "network server", uplink: "vif: { channel: netsrv.netserver }" },
];

/** The case as a design, with all that the engine has between an application and the wire. */
export function designText({ mtu, server, workload }: Case, { uplink }: Path): string {
  return `exoscope: 1
name: A link
profile: xeon-4114-82599
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices:
      nic0: { model: intel-82599, mtu: ${mtu}, sriov: { vfs: 1 } }
    hypervisor: { model: xen, scheduler: credit }
    domains:
      netsrv: { kind: vm, vcpus: 1, components: [ netserver, ixgbe: { bind: nic0.pf } ] }
      app: { kind: vm, vcpus: 1, components: [ ${server}, libc, tcpip: { congestion: cubic }, ${uplink} ] }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }
workloads:
  - ${workload}
run: { until: 10s, seed: 1 }
`;
}
