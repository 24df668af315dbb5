/** Design texts for tests: small, with places to vary. */

export interface ServerParts {
  /** Lines below the domains, as `name: [components]`. */
  readonly domains: Readonly<Record<string, readonly string[]>>;
  readonly vfs?: number;
  readonly iommu?: string;
  readonly hypervisor?: string | null;
}

/** A design with one server, `domains` on it and a client, in block style. */
export function designText({ domains, vfs = 2, iommu = "on", hypervisor = "{ model: xen }" }: ServerParts, rest = ""): string {
  const lines = [
    "exoscope: 1",
    "hosts:",
    "  server:",
    "    cpu: { cores: 4 }",
    `    iommu: ${iommu}`,
    "    devices:",
    `      nic0: { model: intel-82599, sriov: { vfs: ${vfs} } }`,
    ...(hypervisor === null ? [] : [`    hypervisor: ${hypervisor}`]),
    "    domains:",
    ...Object.entries(domains).flatMap(([name, components]) => [`      ${name}:`, "        components:", ...components.map((c) => `          - ${c}`)]),
    "  client: { model: load-generator, link: { to: server.nic0 } }",
  ];
  return `${lines.join("\n")}\n${rest}`;
}

/** A text with one part marked by « and ». */
export function marked(text: string): { text: string; range: { start: number; end: number } } {
  const start = text.indexOf("«");
  const end = text.indexOf("»") - 1;
  return { text: text.replace("«", "").replace("»", ""), range: { start, end } };
}

/** A network server, an application with a function of its own, one behind the server: with comments, as a person writes it. */
export const ECOSYSTEM = `# The server ecosystem of LibrettOS (VEE '20), Figures 1 and 3: an HTTP server with a virtual function of its own
# (library OS, direct mode) beside a key-value store behind the network server (multiserver mode), on one hypervisor.
exoscope: 1
name: LibrettOS web server
profile: xeon-4114-82599

hosts:
  server:
    cpu: { cores: 6, numa: 1 }
    iommu: on
    devices:
      nic0: { model: intel-82599, mtu: 9000, sriov: { vfs: 2 } }
    hypervisor: { model: xen, scheduler: credit, timeslice: 30ms, ratelimit: 1ms }
    domains:
      netsrv:
        kind: vm
        vcpus: 1
        components:
          - netserver
          - ixgbe: { bind: nic0.pf }
      nginx:
        kind: vm
        vcpus: 2
        components:
          - http-server: { port: 80 }
          - libc
          - tcpip
          - ixgbe: { bind: nic0.vf0 }
      redis:
        kind: vm
        vcpus: 1
        components:
          - key-value-store: { port: 6379 }
          - libc
          - tcpip
          - vif: { channel: netsrv.netserver }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }

workloads:
  - http: { from: client, to: nginx, size: 8KiB, concurrency: 8, requests: 400 }
  - key-value: { from: client, to: redis, value: 128B, concurrency: 4, requests: 400 }

run: { until: 200ms, seed: 1 }
`;
