/**
 * What a design file may say, as data: sections, their keys, the values these take, and what they mean.
 * The reader, the JSON Schema, completion and hovers all work from it. Component, device, workload and fault types are in
 * catalogue/.
 */
import { DEVICES } from "./catalogue/devices";
import { LINK_CONDITIONS } from "./catalogue/faults";
import type { Quantity } from "./units";

/** What a dotted name may lead to. */
export type ReferenceKind = "function" | "kernel" | "stack" | "driver" | "server" | "backend" | "device" | "domain" | "answering" | "switchable-domain" | "load-generator" | "component" | "domain-or-component" | "domain-or-host" | "link" | "uplink";

export interface Choice {
  readonly value: string;
  readonly doc: string;
  /** `false`: read and drawn, but the engine has no model of it; a design that uses it is told so. */
  readonly simulated?: false;
}

/** A single value. Defaults are in base units (bytes, picoseconds, bits per second). */
export type ScalarSpec =
  | { readonly kind: "integer"; readonly min: number; readonly max: number; readonly default?: number }
  | { readonly kind: Quantity; readonly min: number; readonly max: number; readonly default?: number }
  | { readonly kind: "fraction"; readonly default?: number }
  | { readonly kind: "flag"; readonly default?: boolean }
  | { readonly kind: "choice"; readonly choices: readonly Choice[]; readonly default?: string }
  | { readonly kind: "text"; readonly default?: string }
  | { readonly kind: "name" }
  /** A file, by its path from the design. */
  | { readonly kind: "file" }
  | { readonly kind: "address" }
  | { readonly kind: "reference"; readonly to: ReferenceKind }
  /** A list of references, each once. */
  | { readonly kind: "references"; readonly to: ReferenceKind }
  | { readonly kind: "integers"; readonly min: number; readonly max: number }
  /** A list of times, in order, with sizes: each item `[10us, 512B]`. Read as picoseconds and bytes. */
  | { readonly kind: "arrivals"; readonly maxTime: number; readonly maxSize: number };

export type SectionName =
  | "design" | "machine" | "load-generator" | "cpu" | "device" | "sriov" | "vf" | "hypervisor" | "domain" | "uplinks" | "link"
  | "fault" | "switch" | "run" | "costs" | "cost" | "layout" | "pins";

/** A value with structure of its own. `named`: names chosen by the user, each with a section. */
export type ValueSpec =
  | ScalarSpec
  | { readonly kind: "section"; readonly section: SectionName }
  | { readonly kind: "named"; readonly sections: readonly SectionName[] }
  | { readonly kind: "components" }
  | { readonly kind: "workloads" }
  | { readonly kind: "faults" }
  | { readonly kind: "switches" };

export interface KeySpec {
  readonly name: string;
  readonly doc: string;
  readonly value: ValueSpec;
  readonly required?: boolean;
}

/** `open`: names of the user's own stand beside the listed keys. */
export interface SectionSpec {
  readonly noun: string;
  readonly keys: readonly KeySpec[];
  readonly open?: boolean;
}

/** Cost profiles that a design may name. */
export const PROFILES: readonly Choice[] = [
  { value: "xeon-4114-82599", doc: "The LibrettOS paper's testbed: two Xeon Silver 4114 at 2.2 GHz with an Intel X520-2 (82599ES), Xen 4.10." },
];

export const DOMAIN_KINDS = [
  { value: "vm", doc: "A virtual machine: its own address space and vCPUs, scheduled by the hypervisor." },
  { value: "kernel", doc: "A privileged kernel that runs on the pCPUs themselves." },
  { value: "process", doc: "A user process of a kernel: its own address space and threads, which run on the kernel's vCPUs. It reaches the kernel by system calls and other processes by messages." },
  { value: "driver-domain", doc: "A virtual machine with a Linux kernel that holds a device driver for others." },
  { value: "picoprocess", doc: "An address space with a narrow ABI to its monitor.", simulated: false },
  { value: "enclave", doc: "A hardware enclave inside a process.", simulated: false },
  { value: "accelerator", doc: "A processor of its own on a device.", simulated: false },
] as const satisfies readonly Choice[];

/** How vCPUs are put on pCPUs. `reads`: the keys of the hypervisor and of its domains that it looks at. */
export const VCPU_SCHEDULERS = [
  { value: "credit", doc: "Xen's credit scheduler: shares of CPU in proportion to weight, in time slices.", reads: ["timeslice", "ratelimit", "weight", "cap"] },
  { value: "pinned", doc: "Every vCPU has a pCPU of its own, as with Xen's null scheduler.", reads: [] },
  { value: "round-robin", doc: "One queue for all, each vCPU in turn for at most a time slice: no weights, no priorities.", reads: ["timeslice"] },
] as const;

/** Schedulers of a domain's threads; the models are in `scheduling/threadPolicies.ts`. */
export const THREAD_SCHEDULERS: readonly Choice[] = [
  { value: "m-n", doc: "Threads on all vCPUs, non-preemptive, a queue per vCPU and a global one (LibrettOS)." },
  { value: "n-1", doc: "All threads on the first vCPU, non-preemptive, whatever the number of vCPUs (rumprun)." },
  { value: "preemptive", doc: "As in a monolithic kernel: time slices, preemption by what wakes, a run queue per CPU, balanced (Linux CFS)." },
  { value: "4bsd", doc: "As in NetBSD's kernel: a queue per CPU in order of priority, which falls with the CPU time that a thread has used; what wakes comes first, and what computes takes turns of 100 ms." },
  { value: "run-to-completion", doc: "Each vCPU polls its queues without interrupts, takes a batch, and does all that follows from it before it polls again (DPDK, IX)." },
];
/** Whose source the functions of a domain come from. */
export const SYSTEMS = [
  { value: "linux", doc: "Linux 4.13: its names, its TCP's parameters, `entry_SYSCALL_64`. The default of kernels and driver domains." },
  { value: "netbsd", doc: "NetBSD 8: its names, its TCP's parameters, `syscall`; in a virtual machine, NetBSD's rump kernel as a library. The default of virtual machines." },
  { value: "minix", doc: "MINIX 3's microkernel, which passes messages between processes; what runs in these is NetBSD's." },
] as const satisfies readonly Choice[];

const US = 1e6;
const MS = 1e9;
const S = 1e12;

const integer = (min: number, max: number, fallback?: number): ScalarSpec =>
  fallback === undefined ? { kind: "integer", min, max } : { kind: "integer", min, max, default: fallback };
const time = (min: number, max: number, fallback?: number): ScalarSpec =>
  fallback === undefined ? { kind: "time", min, max } : { kind: "time", min, max, default: fallback };

/** The longest run: picoseconds stay exact integers for 2.5 hours; one hour leaves room for what outlasts the end. */
/** No simulated time of a design is longer, picoseconds. */
export const LONGEST = 3600 * S;

export const SECTIONS: Readonly<Record<SectionName, SectionSpec>> = {
  design: {
    noun: "a design",
    keys: [
      { name: "exoscope", doc: "Version of the file format: 1.", value: integer(1, 1, 1), required: true },
      { name: "name", doc: "What the design is called.", value: { kind: "text", default: "" } },
      { name: "profile", doc: "The cost profile: what every operation costs, each number with its source.", value: { kind: "choice", choices: PROFILES, default: "xeon-4114-82599" } },
      { name: "hosts", doc: "The machines, by name.", value: { kind: "named", sections: ["machine", "load-generator"] }, required: true },
      { name: "workloads", doc: "What the clients ask for.", value: { kind: "workloads" } },
      { name: "faults", doc: "What goes wrong, and when.", value: { kind: "faults" } },
      { name: "switches", doc: "When applications change between a network server and a function of their own: at a time, or by a policy.", value: { kind: "switches" } },
      { name: "run", doc: "How long to simulate, and with which seed.", value: { kind: "section", section: "run" } },
      { name: "costs", doc: "Costs that take the place of the profile's, by function, such as tcp_input: 2us.", value: { kind: "section", section: "costs" } },
      { name: "layout", doc: "Pinned positions in the diagram. A reviewer can ignore it.", value: { kind: "section", section: "layout" } },
    ],
  },
  machine: {
    noun: "a machine",
    keys: [
      { name: "model", doc: "`machine` (the default) has domains; `load-generator` is a client.", value: { kind: "choice", choices: [{ value: "machine", doc: "A host whose domains the design places." }, { value: "load-generator", doc: "A client: an ordinary kernel that runs the workloads." }], default: "machine" } },
      { name: "cpu", doc: "Processors.", value: { kind: "section", section: "cpu" } },
      { name: "iommu", doc: "Whether an IOMMU restricts what devices may reach by DMA. Giving a function to an untrusted domain needs it.", value: { kind: "flag", default: false } },
      { name: "devices", doc: "Devices, by name.", value: { kind: "named", sections: ["device"] } },
      { name: "hypervisor", doc: "What schedules the virtual machines. Without it the host is bare metal.", value: { kind: "section", section: "hypervisor" } },
      { name: "domains", doc: "Protection domains, by name, each with the components placed in it.", value: { kind: "named", sections: ["domain"] } },
    ],
  },
  "load-generator": {
    noun: "a load generator",
    keys: [
      { name: "model", doc: "`load-generator`: a client, an ordinary kernel that runs the workloads.", value: { kind: "choice", choices: [{ value: "machine", doc: "A host whose domains the design places." }, { value: "load-generator", doc: "A client: an ordinary kernel that runs the workloads." }], default: "load-generator" }, required: true },
      { name: "cpu", doc: "Processors.", value: { kind: "section", section: "cpu" } },
      { name: "queues", doc: "Queue pairs of its adapter, each with an interrupt on a CPU of its own. Linux’ driver takes as many as there are CPUs, up to 16.", value: integer(1, 16, 1) },
      { name: "vlan", doc: "VLAN that its interface is in: its frames carry the tag, and others do not reach its stack. Without it, none.", value: integer(1, 4094) },
      { name: "link", doc: "The cable to a device of another host.", value: { kind: "section", section: "link" }, required: true },
    ],
  },
  cpu: {
    noun: "the processors",
    keys: [
      { name: "cores", doc: "Number of pCPUs.", value: integer(1, 256, 8) },
      { name: "numa", doc: "Number of NUMA nodes, each a socket with its own memory; the cores are divided evenly among them.", value: integer(1, 16, 1) },
    ],
  },
  device: {
    noun: "a device",
    keys: [
      { name: "model", doc: "The device model.", value: { kind: "choice", choices: DEVICES.map(({ model, doc }) => ({ value: model, doc })), default: "intel-82599" }, required: true },
      { name: "mtu", doc: "Largest IP datagram, bytes.", value: integer(576, 9198, 1500) },
      { name: "node", doc: "NUMA node that it is plugged into.", value: integer(0, 15, 0) },
      { name: "sriov", doc: "SR-IOV: virtual functions of the device.", value: { kind: "section", section: "sriov" } },
    ],
  },
  sriov: {
    noun: "an SR-IOV section",
    keys: [
      { name: "vfs", doc: "Number of virtual functions enabled.", value: integer(0, 65535, 0) },
      { name: "ari", doc: "Whether the PCI Express hierarchy above the device forwards alternative routing ids (ARI), under which a bus number has 256 functions of one device. Without them the VFs are on the next bus.", value: { kind: "flag", default: true } },
      { name: "policies", doc: "What the driver of the PF lets VFs do, by their names, such as vf0: { vlan: 10 }.", value: { kind: "named", sections: ["vf"] } },
    ],
  },
  vf: {
    noun: "the policy of a VF",
    keys: [
      { name: "vlan", doc: "Its port VLAN, as `ip link set … vf N vlan V` sets it: the adapter tags what the VF sends and takes the tag off what it receives, and nothing else reaches it. Without it, none.", value: integer(1, 4094) },
      { name: "anti-spoof", doc: "Whether the adapter drops what the VF sends under a MAC address or a VLAN tag that is not its own (`ip link set … vf N spoofchk`).", value: { kind: "flag", default: true } },
      { name: "allow-set-mac", doc: "Whether the VF’s driver may choose its own MAC address (FreeBSD’s and NetBSD’s `allow-set-mac`; Linux’ `trust`). Otherwise the request is refused.", value: { kind: "flag", default: false } },
    ],
  },
  hypervisor: {
    noun: "a hypervisor",
    keys: [
      { name: "model", doc: "The hypervisor.", value: { kind: "choice", choices: [{ value: "xen", doc: "Xen: type 1, event channels and grants." }], default: "xen" } },
      { name: "scheduler", doc: "How vCPUs are given to pCPUs.", value: { kind: "choice", choices: VCPU_SCHEDULERS, default: "credit" } },
      { name: "timeslice", doc: "Longest uninterrupted run of a vCPU (Xen: 30ms). With `credit`, whole milliseconds from 1ms to 1s, as Xen takes it; with `round-robin`, from 100us to 1s.", value: time(US, S, 30 * MS) },
      { name: "ratelimit", doc: "Shortest run of a vCPU before it may be preempted (Xen: 1ms): whole microseconds from 100us to 500ms, at most the time slice; 0 is none.", value: time(0, S, MS) },
    ],
  },
  domain: {
    noun: "a domain",
    keys: [
      { name: "kind", doc: "What kind of protection domain it is.", value: { kind: "choice", choices: DOMAIN_KINDS, default: "vm" } },
      { name: "kernel", doc: "Of a process: the kernel that it runs on, a domain of the kind “kernel”. Not needed where the host has one.", value: { kind: "reference", to: "kernel" } },
      { name: "system", doc: "Whose functions run in the domain. Of a process: its kernel's, if not said.", value: { kind: "choice", choices: SYSTEMS } },
      { name: "net-mpsafe", doc: "Of NetBSD's kernel: built with the option NET_MPSAFE, by which IP and the driver run without its giant lock. Without it, as the kernel GENERIC is.", value: { kind: "flag", default: false } },
      { name: "vcpus", doc: "Number of vCPUs. A process has none: its threads run on its kernel's.", value: integer(1, 64, 1) },
      { name: "weight", doc: "Weight of its vCPUs in the hypervisor's scheduler (Xen: 256).", value: integer(1, 65535, 256) },
      { name: "cap", doc: "Ceiling of all its vCPUs together, in percent of one pCPU; 0 is none.", value: integer(0, 25600, 0) },
      { name: "affinity", doc: "pCPUs that its vCPUs may run on, such as [0, 1]; without it, any.", value: { kind: "integers", min: 0, max: 255 } },
      { name: "scheduler", doc: "How threads are put on its vCPUs. Without it, by kind: `m-n` for a virtual machine, `4bsd` for a kernel that is NetBSD's, `preemptive` for any other.", value: { kind: "choice", choices: THREAD_SCHEDULERS } },
      { name: "memory-node", doc: "NUMA node of its memory. Without it, the node on which it runs first.", value: integer(0, 15) },
      { name: "idle", doc: "What an idle vCPU does.", value: { kind: "choice", choices: [{ value: "halt", doc: "Blocks in the hypervisor until an event; the pCPU is free for others." }, { value: "spin", doc: "Polls and keeps its pCPU busy (the LibrettOS prototype)." }], default: "halt" } },
      { name: "components", doc: "What is placed in the domain, from the application down to the wire.", value: { kind: "components" } },
      { name: "uplinks", doc: "Interfaces that the TCP/IP component can switch between, and the active one.", value: { kind: "section", section: "uplinks" } },
    ],
  },
  uplinks: {
    noun: "the uplinks",
    open: true,
    keys: [{ name: "active", doc: "The interface in use at the start.", value: { kind: "reference", to: "component" } }],
  },
  link: {
    noun: "a link",
    keys: [
      { name: "to", doc: "The device at the other end, such as server.nic0.", value: { kind: "reference", to: "device" }, required: true },
      { name: "rate", doc: "Line rate; at most that of the device at its end. Without it, the device's.", value: { kind: "rate", min: 1e6, max: 400e9 } },
      { name: "delay", doc: "One-way propagation.", value: time(0, 10 * S, US) },
      ...LINK_CONDITIONS,
    ],
  },
  fault: {
    noun: "a fault",
    keys: [{ name: "at", doc: "When it strikes, in simulated time.", value: time(0, LONGEST, 0), required: true }],
  },
  switch: {
    noun: "a switch",
    keys: [
      { name: "at", doc: "When it is asked for, in simulated time.", value: time(0, LONGEST, 0), required: true },
      { name: "switch", doc: "The domain whose uplink is switched: one with a VIF and a driver among its uplinks.", value: { kind: "reference", to: "switchable-domain" }, required: true },
      { name: "to", doc: "`server`: through the network server; `direct`: by its driver and a PCI function of its own; or the name of one of its interfaces.", value: { kind: "reference", to: "uplink" }, required: true },
    ],
  },
  run: {
    noun: "the run",
    keys: [
      { name: "until", doc: "End of simulated time. Workloads begin at 10 ms, when the machine is up; later where more than eight channels have to be connected before, each of which takes 1.25 ms.", value: time(1, LONGEST, 100 * MS) },
      { name: "seed", doc: "Seed of every random stream: the same design and seed give the same run.", value: integer(0, 0xffffffff, 1) },
    ],
  },
  layout: {
    noun: "the layout",
    keys: [{ name: "pins", doc: "Positions in the diagram by path, such as server/nginx: [120, 40]: a host stands there, and the first number says the order of domains, and of devices, from left to right.", value: { kind: "section", section: "pins" } }],
  },
  costs: { noun: "the costs", open: true, keys: [] },
  cost: {
    noun: "a cost",
    keys: [
      { name: "call", doc: "CPU time of a call.", value: time(0, S) },
      { name: "byte", doc: "CPU time of each byte, for functions that touch the payload.", value: time(0, MS) },
    ],
  },
  pins: { noun: "the pins", open: true, keys: [] },
};

/** Keys that start so are the user's own (places for anchors, notes to tools); nothing reads them. */
export const EXTENSION_PREFIX = "x-";
