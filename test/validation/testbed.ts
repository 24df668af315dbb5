/** The systems that the LibrettOS paper compares (VEE 2020, section 5, Table 3), as designs: the same hardware, application and client, other placements. */

export type SystemName = "LibrettOS-Direct" | "LibrettOS-Server" | "Linux" | "NetBSD" | "rumprun with netfront";

/** Not compared with NetPIPE: it changes its mode while it runs. */
export type AnySystem = SystemName | "LibrettOS-Hybrid";

export const systems: readonly SystemName[] = ["LibrettOS-Direct", "LibrettOS-Server", "Linux", "NetBSD", "rumprun with netfront"];

/** What is run on a system. */
export interface Experiment {
  /** Lines of the application's component, such as `netpipe-server`. */
  readonly application: string;
  /** vCPUs, or threads' CPUs, that the application may use. */
  readonly vcpus: number;
  /** Lines of `workloads`, to the domain `app`. */
  readonly workloads: readonly string[];
  /** End of simulated time. */
  readonly until: string;
  /** Of the server's adapter, where it is not left to the system. */
  readonly moderation?: "adaptive" | undefined;
  /** Lines of `costs`. */
  readonly costs?: readonly string[] | undefined;
  /** Further lines of the design: faults, switches. */
  readonly more?: readonly string[];
}

/** The domains and devices of each system: everything that tells it from the others. */
const placements: Readonly<Record<AnySystem, (e: Experiment) => { readonly device: string; readonly lines: readonly string[] }>> = {
  "LibrettOS-Direct": ({ application, vcpus }) => ({
    device: "mtu: 9000, sriov: { vfs: 1 }",
    lines: [
      "hypervisor: { model: xen, scheduler: pinned }", "domains:",
      "  app:", "    kind: vm", `    vcpus: ${vcpus}`, "    components:",
      `      - ${application}`, "      - libc", "      - tcpip", "      - ixgbe: { bind: nic0.vf0 }",
    ],
  }),
  "LibrettOS-Server": ({ application, vcpus }) => ({
    device: "mtu: 9000",
    lines: [
      "hypervisor: { model: xen, scheduler: pinned }", "domains:",
      "  netsrv:", "    kind: vm", "    vcpus: 1", "    components:", "      - netserver", "      - ixgbe: { bind: nic0.pf }",
      "  app:", "    kind: vm", `    vcpus: ${vcpus}`, "    components:",
      `      - ${application}`, "      - libc", "      - tcpip", "      - vif: { channel: netsrv.netserver }",
    ],
  }),
  // The application gets a physical function, as in the prototype's example configuration.
  "LibrettOS-Hybrid": ({ application, vcpus }) => ({
    device: "mtu: 9000, sriov: { vfs: 1 }",
    lines: [
      "hypervisor: { model: xen, scheduler: pinned }", "domains:",
      "  netsrv:", "    kind: vm", "    vcpus: 1", "    components:", "      - netserver", "      - ixgbe: { bind: nic0.vf0 }",
      "  app:", "    kind: vm", `    vcpus: ${vcpus}`, "    components:",
      `      - ${application}`, "      - libc", "      - tcpip", "      - vif: { channel: netsrv.netserver }", "      - ixgbe: { bind: nic0.pf }",
      "    uplinks: { tcpip: [vif, ixgbe], active: vif }",
    ],
  }),
  Linux: (e) => monolithic(e, "linux"),
  NetBSD: (e) => monolithic(e, "netbsd"),
  // One page a packet: frames of at most 4 KiB, so in practice an MTU of 1500 (mini-os netfront).
  "rumprun with netfront": ({ application }) => ({
    device: "mtu: 1500",
    lines: [
      "hypervisor: { model: xen, scheduler: pinned }", "domains:",
      "  dom0:", "    kind: driver-domain", "    vcpus: 1", "    components:", "      - netback", "      - bridge", "      - ixgbe: { bind: nic0.pf }",
      "  app:", "    kind: vm", "    scheduler: n-1", "    vcpus: 1", "    components:",
      `      - ${application}`, "      - libc", "      - tcpip", "      - netfront: { channel: dom0.netback }",
    ],
  }),
};

function monolithic({ application, vcpus, moderation }: Experiment, system: string): { device: string; lines: string[] } {
  return {
    device: "mtu: 9000",
    lines: [
      "domains:",
      "  kernel:", "    kind: kernel", `    system: ${system}`, `    vcpus: ${vcpus}`, "    components:", "      - tcpip", `      - ixgbe: { bind: nic0.pf${moderation === undefined ? "" : `, moderation: ${moderation}`} }`,
      "  app:", "    kind: process", "    kernel: kernel", "    components:", `      - ${application}`, "      - libc",
    ],
  };
}

/** The text of a system under an experiment. */
export function testbed(system: AnySystem, experiment: Experiment): string {
  const { device, lines } = placements[system](experiment);
  return [
    "exoscope: 1", `name: ${system}`, "profile: xeon-4114-82599", "hosts:", "  server:",
    // Two sockets of ten cores (Table 3).
    "    cpu: { cores: 20, numa: 2 }", "    iommu: on", "    devices:", `      nic0: { model: intel-82599, ${device} }`,
    ...lines.map((line) => `    ${line}`),
    "  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 1us } }",
    "workloads:", ...experiment.workloads.map((line) => `  - ${line}`),
    ...(experiment.costs === undefined ? [] : ["costs:", ...experiment.costs.map((line) => `  ${line}`)]),
    ...(experiment.more ?? []),
    `run: { until: ${experiment.until}, seed: 1 }`, "",
  ].join("\n");
}
