/**
 * The design as data: what a `*.exo.yaml` says, resolved, every part with the range it came from.
 * `parseDesign` (parse.ts) makes it; the engine builds a machine from it, the diagram draws it, and the debugger maps
 * a trace row back to a line through {@link Part.range}.
 *
 * Paths name parts for good: `server/nginx/tcpip` is the component `tcpip` of the domain `nginx` of the host `server`,
 * `server/nic0/vf0` a PCI function. A path does not change when a neighbour is added or when the file is reordered.
 */

/** Offsets into the text, in UTF-16 code units, end exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Anything in the design that a person can point at. */
export interface Part {
  /** Unique in the design. */
  readonly path: string;
  /** The last step of the path, as the file spells it. */
  readonly id: string;
  /** The whole entry: key and value. A range with `start === end` means that the file does not spell it (a default). */
  readonly range: Range;
  /** The name alone: what a step highlights when the entry spans many lines. */
  readonly nameRange: Range;
}

export interface Design {
  readonly name: string;
  /** The cost profile's name, e.g. `xeon-4114-82599`. */
  readonly profile: string;
  readonly hosts: readonly Host[];
  readonly links: readonly Link[];
  readonly workloads: readonly Workload[];
  readonly faults: readonly Fault[];
  readonly switches: readonly Switch[];
  readonly policies: readonly SwitchPolicy[];
  readonly run: RunSettings;
  /** Files that workloads take their arrivals from: see files.ts. */
  readonly files: readonly FileUse[];
  /** Costs that take the place of the profile's, by name of the function or latency. */
  readonly costs: ReadonlyMap<string, CostOverride>;
  /** Pinned diagram positions by path, in diagram units. */
  readonly pins: ReadonlyMap<string, { readonly x: number; readonly y: number }>;
}

/** Picoseconds; what is undefined stays as the profile has it. */
export interface CostOverride {
  readonly call: number | undefined;
  readonly byte: number | undefined;
}

export interface FileUse {
  /** Path of the workload. */
  readonly workload: string;
  /** Path of the file, from the design's folder. */
  readonly name: string;
  readonly range: Range;
}

export interface RunSettings {
  /** End of simulated time, picoseconds. */
  readonly until: number;
  /** Seed of every random stream; an unsigned 32-bit integer. */
  readonly seed: number;
}

export interface Host extends Part {
  /** A `load-generator` host is a plain machine: one kernel domain that runs the workloads' clients. */
  readonly kind: "machine" | "load-generator";
  readonly cores: number;
  readonly numa: number;
  readonly iommu: boolean;
  readonly devices: readonly Device[];
  readonly hypervisor: Hypervisor | undefined;
  readonly domains: readonly Domain[];
}

export interface Device extends Part {
  readonly host: string;
  /** A device model of the catalogue, e.g. `intel-82599`. */
  readonly model: string;
  /** Largest IP datagram, bytes. */
  readonly mtu: number;
  /** NUMA node that it is plugged into. */
  readonly node: number;
  /** Number of VFs enabled. */
  readonly vfs: number;
  /** Whether the hierarchy above it forwards alternative routing ids. */
  readonly ari: boolean;
  /** What the PF's driver grants to each VF, in order. */
  readonly policies: readonly VfPolicy[];
  /** The PF, then the VFs in order. */
  readonly functions: readonly PciFunction[];
}

/** What the driver of a PF lets one of its VFs do. */
export interface VfPolicy {
  /** Its port VLAN; 0: none. */
  readonly vlan: number;
  /** Whether frames under a MAC address or a VLAN tag that is not its own are dropped. */
  readonly antiSpoof: boolean;
  readonly allowSetMac: boolean;
}

export interface PciFunction extends Part {
  readonly device: string;
  /** Path of the driver component bound to it, if any. */
  readonly boundTo: string | undefined;
}

export interface Hypervisor extends Part {
  readonly model: string;
  readonly scheduler: string;
  /** Longest uninterrupted run of a vCPU, picoseconds (Xen credit: 30 ms). */
  readonly timeslice: number;
  /** Shortest run of a vCPU before preemption, picoseconds (Xen credit: 1 ms). */
  readonly ratelimit: number;
}

export type DomainKind = "vm" | "kernel" | "process" | "driver-domain" | "picoprocess" | "enclave" | "accelerator";

export interface Domain extends Part {
  readonly host: string;
  readonly kind: DomainKind;
  /** Path of a process' kernel, on whose vCPUs its threads run. */
  readonly kernel: string | undefined;
  /** Whose functions run in it. */
  readonly system: "linux" | "netbsd" | "minix" | undefined;
  /** NetBSD's kernel is built with NET_MPSAFE: see `components/stackLocks.ts`. */
  readonly netMpsafe: boolean;
  /** 0 for a process. */
  readonly vcpus: number;
  /** Weight of each vCPU in the hypervisor's scheduler (Xen's default: 256). */
  readonly weight: number;
  /** Ceiling of all its vCPUs together, in percent of one pCPU; 0 is none. */
  readonly cap: number;
  /** pCPUs that the vCPUs may run on; empty: any. */
  readonly affinity: readonly number[];
  /** How threads are put on its vCPUs: a name of {@link THREAD_SCHEDULERS}. */
  readonly scheduler: string;
  /** NUMA node of its memory; undefined: where it runs first. */
  readonly memoryNode: number | undefined;
  /** What an idle vCPU does: `halt` blocks it in the hypervisor, `spin` keeps its pCPU busy. */
  readonly idle: "halt" | "spin";
  /** From the application down to the wire. */
  readonly components: readonly Component[];
  /** Paths of the interfaces that join the domain to the network, and the one in use (`uplinks:`; without it, the first). */
  readonly uplinks: readonly string[];
  readonly activeUplink: string | undefined;
}

export interface Component extends Part {
  readonly host: string;
  readonly domain: string;
  /** A component model of the catalogue, e.g. `tcpip`, `ixgbe`, `vif`, `netserver`, `http-server`. */
  readonly type: string;
  /** Options as written, plain YAML values; those with units are resolved (bytes, picoseconds, bits per second). */
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly optionRanges: ReadonlyMap<string, Range>;
  /** Resolved `bind:` of a driver: path of the PCI function, or of a device: a VF of it, assigned when it is needed. */
  readonly bind: string | undefined;
  /** Resolved `channel:` of a VIF: path of the server component at the other end. */
  readonly channel: string | undefined;
  /** Path of the component of another domain that it calls: a libc's stack, a stack's driver (`stack:`, `driver:`, or the kernel's). */
  readonly below: string | undefined;
}

export type OptionValue = string | number | boolean | readonly OptionValue[];

export interface Link extends Part, LinkConditions {
  /** Path of the load-generator host at one end. */
  readonly from: string;
  /** Path of the device at the other end. */
  readonly to: string;
  /** Bits per second. */
  readonly rate: number;
  /** One-way propagation, picoseconds. */
  readonly delay: number;
}

/** What a link does to frames besides carrying them: probabilities a frame, in each direction. */
export interface LinkConditions {
  readonly loss: number;
  readonly corrupt: number;
  readonly duplicate: number;
  readonly reorder: number;
  /** How long a frame is held back that is to be overtaken, picoseconds. */
  readonly reorderBy: number;
}

export interface Workload extends Part {
  /** `http`, `key-value`, … */
  readonly kind: string;
  /** Path of the load-generator host, or of a domain with a load generator in it. */
  readonly from: string;
  /** Path of the domain that serves it. */
  readonly to: string;
  /** Path of what the file names: that domain, or the server in it. */
  readonly named: string;
  readonly toRange: Range;
  /** Path of the component that answers: the one that is named, or the first that fits; undefined where the domain has none. */
  readonly server: string | undefined;
  readonly options: Readonly<Record<string, OptionValue>>;
}

export interface Fault extends Part {
  /** Picoseconds. */
  readonly at: number;
  /** `crash`, … */
  readonly kind: string;
  /** Path of what it strikes. */
  readonly target: string;
  readonly options: Readonly<Record<string, OptionValue>>;
}

/** A domain changes its uplink at a time. */
export interface Switch extends Part {
  /** Picoseconds. */
  readonly at: number;
  /** Path of the domain. */
  readonly domain: string;
  /** Path of the interface that it is to use: its VIF, or a driver. */
  readonly to: string;
  readonly domainRange: Range;
  readonly toRange: Range;
}

/** Something that decides when domains change their uplinks. */
export interface SwitchPolicy extends Part {
  /** `load`, … */
  readonly kind: string;
  /** Paths of the domains that it decides about. */
  readonly domains: readonly string[];
  /** Where each of them is named. */
  readonly domainRanges: readonly Range[];
  readonly options: Readonly<Record<string, OptionValue>>;
}

/** One finding about a design. `code` is stable; `message` is a plain sentence with reason and remedy. */
export interface Problem {
  readonly severity: "error" | "warning" | "info";
  readonly code: string;
  readonly message: string;
  readonly range: Range;
  readonly fix?: { readonly title: string; readonly edits: readonly TextEdit[] };
}

/** Replace `range` of the text by `text`. */
export interface TextEdit {
  readonly range: Range;
  readonly text: string;
}

/** Parsing never throws. `design` is undefined only where nothing at all can be drawn or run. */
export interface ParseResult {
  readonly design: Design | undefined;
  readonly problems: readonly Problem[];
}
