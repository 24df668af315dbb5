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
  /**
   * Many connections on many CPUs: the adapters of Linux and NetBSD have as many queues as their drivers take, Linux' (the client's as well) one for
   * each CPU, up to 16, NetBSD's up to 8 (`ixgbe.c`). LibrettOS has one: its patch forces MSI, which has one vector.
   */
  readonly manyQueues?: true;
  /** Of the server's adapter, where it is not left to the system. */
  readonly moderation?: "adaptive" | undefined;
  /** Lines of `costs`. */
  readonly costs?: readonly string[] | undefined;
  /** Further lines of the design: faults, switches. */
  readonly more?: readonly string[];
}

/** What a system has placed where: options of the adapter, and lines of the server. */
interface Placed {
  readonly device: string;
  readonly lines: readonly string[];
}

/** The domains and devices of each system: everything that tells it from the others. */
const placements: Readonly<Record<AnySystem, (e: Experiment) => Placed>> = {
  "LibrettOS-Direct": ({ application, vcpus }) => ({
    device: "mtu: 9000, sriov: { vfs: 1 }",
    lines: [
      "hypervisor: { model: xen, scheduler: pinned }", "domains:",
      "  app:", "    kind: vm", "    idle: spin", `    vcpus: ${vcpus}`, "    components:",
      `      - ${application}`, "      - libc", "      - tcpip", "      - ixgbe: { bind: nic0.vf0 }",
    ],
  }),
  "LibrettOS-Server": ({ application, vcpus }) => ({
    device: "mtu: 9000",
    lines: [
      "hypervisor: { model: xen, scheduler: pinned }", "domains:",
      "  netsrv:", "    kind: vm", "    idle: spin", "    vcpus: 1", "    components:", "      - netserver", "      - ixgbe: { bind: nic0.pf }",
      "  app:", "    kind: vm", "    idle: spin", `    vcpus: ${vcpus}`, "    components:",
      `      - ${application}`, "      - libc", "      - tcpip", "      - vif: { channel: netsrv.netserver }",
    ],
  }),
  // The application gets a physical function, as in the prototype's example configuration.
  "LibrettOS-Hybrid": ({ application, vcpus }) => ({
    device: "mtu: 9000, sriov: { vfs: 1 }",
    lines: [
      "hypervisor: { model: xen, scheduler: pinned }", "domains:",
      "  netsrv:", "    kind: vm", "    idle: spin", "    vcpus: 1", "    components:", "      - netserver", "      - ixgbe: { bind: nic0.vf0 }",
      "  app:", "    kind: vm", "    idle: spin", `    vcpus: ${vcpus}`, "    components:",
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

function monolithic({ application, vcpus, moderation, manyQueues }: Experiment, system: "linux" | "netbsd"): Placed {
  const queues = manyQueues ? `, queues: ${Math.min(vcpus, system === "linux" ? 16 : 8)}` : "";
  return {
    device: "mtu: 9000",
    lines: [
      "domains:",
      "  kernel:", "    kind: kernel", `    system: ${system}`, ...(system === "netbsd" ? ["    net-mpsafe: on"] : []), `    vcpus: ${vcpus}`, "    components:", "      - tcpip", `      - ixgbe: { bind: nic0.pf${queues}${moderation === undefined ? "" : `, moderation: ${moderation}`} }`,
      "  app:", "    kind: process", "    kernel: kernel", "    components:", `      - ${application}`, "      - libc",
    ],
  };
}

/** The text of a system under an experiment. */
export function testbed(system: AnySystem, experiment: Experiment): string {
  return machine(system, placements[system](experiment), experiment);
}

/** Two applications (paper, section 5.8 and Figure 13b): Nginx has a VF of its own, Redis goes through the network server. */
export function twoApplications(experiment: Pick<Experiment, "workloads" | "until" | "more">): string {
  const application = (name: string, component: string, wire: string): string[] => [
    `  ${name}:`, "    kind: vm", "    vcpus: 2", "    components:", `      - ${component}`, "      - libc", "      - tcpip", `      - ${wire}`,
  ];
  return machine("LibrettOS, two applications", {
    device: "mtu: 9000, sriov: { vfs: 1 }",
    lines: [
      "hypervisor: { model: xen, scheduler: pinned }", "domains:",
      "  netsrv:", "    kind: vm", "    vcpus: 1", "    components:", "      - netserver", "      - ixgbe: { bind: nic0.pf }",
      ...application("nginx", "http-server: { workers: 1 }", "ixgbe: { bind: nic0.vf0 }"),
      ...application("redis", "key-value-store", "vif: { channel: netsrv.netserver }"),
    ],
  }, experiment);
}

function machine(name: string, { device, lines }: Placed, experiment: Pick<Experiment, "workloads" | "until" | "manyQueues" | "costs" | "more">): string {
  return [
    "exoscope: 1", `name: ${name}`, "profile: xeon-4114-82599", "hosts:", "  server:",
    // Two sockets of ten cores (Table 3).
    "    cpu: { cores: 20, numa: 2 }", "    iommu: on", "    devices:", `      nic0: { model: intel-82599, ${device} }`,
    ...lines.map((line) => `    ${line}`),
    `  client: { model: load-generator, ${experiment.manyQueues ? "cpu: { cores: 20, numa: 2 }, queues: 16, " : ""}link: { to: server.nic0, rate: 10Gbps, delay: 1us } }`,
    "workloads:", ...experiment.workloads.map((line) => `  - ${line}`),
    ...(experiment.costs === undefined ? [] : ["costs:", ...experiment.costs.map((line) => `  ${line}`)]),
    ...(experiment.more ?? []),
    `run: { until: ${experiment.until}, seed: 1 }`, "",
  ].join("\n");
}
