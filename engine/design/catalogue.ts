/**
 * What can be placed in a design: component, device, workload and fault types, as data. To add a component is to add its
 * entry here beside its model in engine/components.
 */
import type { KeySpec, ReferenceKind, ValueSpec } from "./vocabulary";

/** From the application down to the wire; also the order of tiles in a domain. */
export const LAYERS = ["application", "library", "protocol", "server", "interface"] as const;
export type Layer = (typeof LAYERS)[number];

export interface ComponentType {
  /** As the design file spells it. */
  readonly type: string;
  readonly title: string;
  readonly doc: string;
  /** Its place in the stack, and the kind of its tile. */
  readonly layer: Layer;
  readonly options: readonly KeySpec[];
  /** Types that must be in the same domain for it to work; one driver is as good as another. */
  readonly needs: readonly string[];
  /** It sends frames on as they came: a driver below must not join them (Linux `dev_disable_lro`). */
  readonly forwards?: true;
}

const protocol: KeySpec = {
  name: "protocol", doc: "Whether it serves TCP connections or UDP datagrams.",
  value: { kind: "choice", choices: [{ value: "tcp", doc: "Connections." }, { value: "udp", doc: "Datagrams." }], default: "tcp" },
};

const port = (fallback: number): KeySpec => ({
  name: "port", doc: "Port that it listens on.", value: { kind: "integer", min: 1, max: 65535, default: fallback },
});

/** What a server gives to listen(2). A system has a limit of its own: `TcpOptions.somaxconn`. */
const backlog = (fallback: number, program: string): KeySpec => ({
  name: "backlog", doc: `Connections that may wait until it accepts them, at most what the system allows: 128 in NetBSD and in Linux before 5.4. ${program}.`,
  value: { kind: "integer", min: 0, max: 65535, default: fallback },
});

const probes = (doc: string): KeySpec => ({ name: "probes", doc, value: { kind: "integer", min: 0, max: 15 } });

/** A request's own share of CPU time: what makes a server a queue of theory. */
const SERVICE: readonly KeySpec[] = [
  { name: "service", doc: "CPU time that a request takes besides reading and answering; at most 32 ms, whatever is drawn.", value: { kind: "time", min: 0, max: 32e9, default: 0 } },
  {
    name: "distribution", doc: "How the service time varies; its mean is the service time.",
    value: {
      kind: "choice", default: "fixed",
      choices: [
        { value: "fixed", doc: "Always the same." },
        { value: "uniform", doc: "Anything up to twice the mean." },
        { value: "exponential", doc: "Exponential: squared coefficient of variation 1." },
        { value: "hyperexponential", doc: "Two exponential phases with balanced means: squared coefficient of variation 4." },
        { value: "bimodal", doc: "Nine of ten requests take half of the mean, one takes 5.5 times the mean." },
      ],
    },
  },
];

/** What the driver of an adapter can be told. */
const DRIVER_OPTIONS: readonly KeySpec[] = [
  { name: "bind", doc: "The PCI function that it drives, such as nic0.vf0 or nic0.pf; or a device, such as nic0: a VF of it that no one else binds, assigned when the domain switches to direct access.", value: { kind: "reference", to: "function" }, required: true },
  { name: "queues", doc: "Queue pairs, each with an interrupt and a vCPU of its own; at most what the function's pool and vectors allow. LibrettOS uses one.", value: { kind: "integer", min: 1, max: 16, default: 1 } },
  {
    name: "moderation", doc: "How the least time between two interrupts is set. Without it, as the system does: Linux adapts, NetBSD and LibrettOS do not.",
    value: {
      kind: "choice",
      choices: [
        { value: "static", doc: "Fixed: 32 µs in NetBSD, 10 µs in Linux." },
        { value: "adaptive", doc: "By the traffic: Linux’ ixgbe by the rate, its igb and NetBSD by the size of frames (AIM)." },
      ],
    },
  },
  { name: "mac", doc: "Ethernet address that it is to have, such as 02:00:00:00:01:00. A VF’s driver asks the PF’s for it, which grants it where the VF’s policy says allow-set-mac. Without it, the function’s own.", value: { kind: "text" } },
  { name: "vlan", doc: "VLAN of the interface on top of it: its frames carry the tag, and others do not reach the stack. A VF’s driver asks the PF’s for it. Without it, none.", value: { kind: "integer", min: 1, max: 4094 } },
  { name: "checksum", doc: "Whether the adapter computes the checksums of what is sent and received. Without it, as the domain's system has it: on in Linux, off in NetBSD until ifconfig says otherwise.", value: { kind: "flag" } },
  { name: "tso", doc: "Segmentation offload: TCP hands down up to 64 KiB at once, and the adapter cuts frames of them. Without it, as the domain's system has it: on in Linux, off in NetBSD.", value: { kind: "flag" } },
  { name: "lro", doc: "Whether segments that arrive one after the other are joined before TCP sees them (GRO, LRO). Without it, as the domain's system has it: on in Linux, off in NetBSD.", value: { kind: "flag" } },
];

export const COMPONENTS: readonly ComponentType[] = [
  {
    type: "http-server", title: "HTTP server", layer: "application", needs: ["libc", "tcpip"],
    doc: "Answers HTTP requests with a body of the size that the workload asks for.",
    options: [
      // NGX_LISTEN_BACKLOG, src/os/unix/ngx_linux_config.h and ngx_posix_config.h.
      port(80), backlog(511, "nginx asks for 511"),
      { name: "workers", doc: "Worker threads, each serving many connections.", value: { kind: "integer", min: 1, max: 256, default: 1 } },
      ...SERVICE,
    ],
  },
  {
    type: "key-value-store", title: "Key-value store", layer: "application", needs: ["libc", "tcpip"],
    doc: "Sets and gets values by key, on one thread, as Redis does.",
    // CONFIG_DEFAULT_TCP_BACKLOG, src/server.h of Redis 4.0.
    options: [port(6379), backlog(511, "Redis asks for 511")],
  },
  {
    type: "memcached", title: "memcached", layer: "application", needs: ["libc", "tcpip"],
    doc: "Caches objects by key, on several threads, over memcached’s binary protocol.",
    options: [
      // settings_init, memcached.c.
      port(11211), backlog(1024, "memcached asks for 1024"),
      { name: "threads", doc: "Worker threads, each serving many connections.", value: { kind: "integer", min: 1, max: 256, default: 4 } },
    ],
  },
  {
    type: "echo", title: "Echo", layer: "application", needs: ["libc", "tcpip"],
    doc: "Sends back what it reads (RFC 862); with a service time, a queueing system with one server.",
    options: [
      // listen(sep->se_fd, 10), usr.sbin/inetd/inetd.c.
      port(7), protocol, backlog(10, "NetBSD’s inetd asks for 10"),
      ...SERVICE,
    ],
  },
  {
    type: "discard", title: "Discard", layer: "application", needs: ["libc", "tcpip"],
    doc: "Reads and throws away (RFC 863): the other end of a stream.",
    options: [port(9), protocol, backlog(10, "NetBSD’s inetd asks for 10")],
  },
  {
    type: "netpipe-server", title: "NetPIPE server", layer: "application", needs: ["libc", "tcpip"],
    doc: "Reads each message whole and sends it back, as NetPIPE's receiving end does.",
    // establish, src/tcp.c of NetPIPE 3.7.
    options: [port(5002), backlog(5, "NetPIPE asks for 5")],
  },
  {
    type: "compute", title: "Compute", layer: "application", needs: [],
    doc: "Keeps its threads busy in bursts: CPU load beside the network.",
    options: [
      { name: "threads", doc: "Threads that compute.", value: { kind: "integer", min: 1, max: 256, default: 1 } },
      { name: "burst", doc: "CPU time of one piece of work, after which the thread yields.", value: { kind: "time", min: 1e6, max: 1e12, default: 1e9 } },
      { name: "lock", doc: "How much of each piece of work is under one spin lock that the threads share; at most the whole. 0: none.", value: { kind: "time", min: 0, max: 1e12, default: 0 } },
      { name: "events", doc: "Pieces of work in all; then it stops and reports events a second, as sysbench does. 0: without end.", value: { kind: "integer", min: 0, max: 1e9, default: 0 } },
    ],
  },
  {
    type: "load-generator", title: "Load generator", layer: "application", needs: ["libc", "tcpip"],
    doc: "Runs the clients of the workloads that name its domain, on a thread of each vCPU; on a host that is a load generator, of those that name the host.",
    options: [],
  },
  {
    type: "libc", title: "libc", layer: "library", needs: [],
    doc: "The C library: socket calls of the application. Where the stack sits decides what they are: a plain call in the same domain (a library OS), a system call into a process' kernel, a message to another process.",
    options: [
      { name: "stack", doc: "The TCP/IP component that it calls, where that is in another process or in the kernel, such as net.tcpip. Without it, the one of its own domain, else the kernel's.", value: { kind: "reference", to: "stack" } },
    ],
  },
  {
    type: "tcpip", title: "TCP/IP", layer: "protocol", needs: [],
    doc: "The TCP/IP stack: sockets, TCP, IP, ARP.",
    options: [
      { name: "ip", doc: "IPv4 address. Without it, the next free one from 10.0.0.1.", value: { kind: "address" } },
      { name: "driver", doc: "The driver that it sends with, where that is in another process or in the kernel, such as drv.ixgbe. Without it, the interface of its own domain, else the kernel's driver. Each frame is then copied between the two.", value: { kind: "reference", to: "driver" } },
      {
        name: "congestion", doc: "TCP's congestion control. Without it, that of the domain's system: NewReno in a library OS made of NetBSD, CUBIC in a Linux kernel.",
        value: { kind: "choice", choices: [{ value: "newreno", doc: "NewReno (RFC 5681, RFC 6582): halves the window at a loss." }, { value: "cubic", doc: "CUBIC (RFC 9438): grows by the time since the last loss." }] },
      },
      probes("How often it asks, when its address comes to another interface, whether somebody else has it (RFC 5227, NetBSD’s net.inet.ip.dad_count): seconds pass in which it can send nothing. NetBSD does so 3 times. Without it, never, as rumprun has it."),
      { name: "keepalive", doc: "Silence after which TCP asks the other end whether it is still there. Without it, never, as applications must ask for it.", value: { kind: "time", min: 1e9, max: 3600e12 } },
    ],
  },
  {
    type: "netserver", title: "Network server", layer: "server", needs: [],
    doc: "Owns a network interface and relays frames between it and applications in other domains, over shared rings, by the portmap.",
    options: [
      { name: "applications", doc: "How many applications it serves at most (LibrettOS: 16).", value: { kind: "integer", min: 1, max: 64, default: 16 } },
      { name: "ip", doc: "IPv4 address of its interface, which the applications share that always go through it: their ports tell them apart. Those that can switch to direct access get one of the pool each. Without it, every application has an address of its own.", value: { kind: "address" } },
      probes("How often its interface asks, when an application’s address comes back to it, whether somebody else has it (RFC 5227): seconds pass in which nothing gets through. Without it, never, as rumprun has it."),
      { name: "pool", doc: "How many addresses after its own it can give to applications that can switch to direct access (LibrettOS: 20).", value: { kind: "integer", min: 0, max: 254, default: 20 } },
    ],
  },
  {
    type: "vif", title: "VIF", layer: "interface", needs: [],
    doc: "Virtual interface: rings of frames shared with a network server.",
    options: [
      { name: "channel", doc: "The network server at the other end, such as netsrv.netserver.", value: { kind: "reference", to: "server" }, required: true },
    ],
  },
  {
    type: "netback", title: "netback", layer: "server", needs: [],
    doc: "Xen's network backend in a driver domain: the other end of the guests' netfront rings. What it takes from them goes to a bridge or a NAT below it.",
    options: [],
  },
  {
    type: "bridge", title: "Bridge", layer: "server", needs: ["ixgbe"], forwards: true,
    doc: "A learning Ethernet bridge (IEEE 802.1D) between a driver domain's device and its guests, which are on the network under addresses of their own.",
    options: [],
  },
  {
    type: "nat", title: "NAT", layer: "server", needs: ["ixgbe"], forwards: true,
    doc: "A router between a driver domain's device and its guests, which share its address (RFC 3022; Linux' masquerading): connections are tracked, addresses and ports translated.",
    options: [
      { name: "ip", doc: "Its IPv4 address on the device's side. Without it, the next free one from 10.0.0.1.", value: { kind: "address" } },
      { name: "forward", doc: "Ports of the guests' servers that the world can reach, such as [80, 6379], each by the same port of its address, or the next free one above where that is taken. Without it, all.", value: { kind: "integers", min: 1, max: 65535 } },
    ],
  },
  {
    type: "netfront", title: "netfront", layer: "interface", needs: [],
    doc: "Xen's virtual network interface of a guest, as mini-os and rumprun have it: one granted page a frame, so that a datagram has at most 1500 bytes.",
    options: [
      { name: "channel", doc: "The netback at the other end, such as driver.netback.", value: { kind: "reference", to: "backend" }, required: true },
    ],
  },
  {
    type: "ixgbe", title: "ixgbe driver", layer: "interface", needs: [],
    doc: "Driver of an Intel 82599: descriptor rings, doorbells, interrupts.",
    options: DRIVER_OPTIONS,
  },
  {
    type: "igb", title: "igb driver", layer: "interface", needs: [],
    doc: "Linux’ driver of an Intel 82576: igb for the PF, igbvf for VFs.",
    options: DRIVER_OPTIONS,
  },
];

/** The option that every component has: a name of its own, where its type appears twice in a domain. */
export const ID_OPTION: KeySpec = { name: "id", doc: "Name of this component in its domain; needed where its type appears twice.", value: { kind: "name" } };

export interface DeviceModel {
  readonly model: string;
  readonly title: string;
  readonly doc: string;
  /** Line rate, bits per second. */
  readonly rate: number;
  /** VFs that can be enabled while the PF has a driver. */
  readonly maxVfs: number;
  /** Component type that drives its functions. */
  readonly driver: string;
  /** Whose kernels have that driver; without it, all. */
  readonly systems?: readonly string[];
}

export const DEVICES: readonly DeviceModel[] = [
  {
    model: "intel-82599", title: "Intel 82599 (X520)", rate: 10e9, driver: "ixgbe",
    // 64 pools a port, of which the PF needs one (Linux ixgbe_sriov.h IXGBE_MAX_VFS_DRV_LIMIT; DPDK guide "Intel VF driver").
    maxVfs: 63,
    doc: "10 Gb/s Ethernet; 64 pools of queues a port, one for the PF: at most 63 VFs beside it; 128 receive and 128 transmit queues.",
  },
  {
    model: "intel-x540", title: "Intel X540", rate: 10e9, driver: "ixgbe", maxVfs: 63,
    doc: "10 Gb/s Ethernet over twisted pair; pools and queues of the 82599, a smaller receive buffer.",
  },
  {
    // Eight pools a port, of which the PF needs one (Linux igb_main.c: `max_vfs` is at most 7). NetBSD's wm drives its PF alone, and has no model here.
    model: "intel-82576", title: "Intel 82576", rate: 1e9, driver: "igb", maxVfs: 7, systems: ["linux"],
    doc: "1 Gb/s Ethernet; 8 pools of 2 queues a port, one for the PF: at most 7 VFs beside it; rings of 256 descriptors, a quarter of the 82599’s PCI Express.",
  },
];

export interface WorkloadType {
  readonly kind: string;
  readonly title: string;
  readonly doc: string;
  /** Component type that must be in the target domain. */
  readonly server: string;
  /** What its option “protocol” must say. */
  readonly protocol?: "tcp" | "udp";
  /** Options that are shares of a mix: not all may be 0. */
  readonly mix?: readonly string[];
  readonly options: readonly KeySpec[];
}

const S = 1e12;

const ENDS: readonly KeySpec[] = [
  { name: "from", doc: "Who asks: a host that is a load generator, or a domain with a load-generator among its components.", value: { kind: "reference", to: "load-generator" }, required: true },
  { name: "to", doc: "The domain that serves.", value: { kind: "reference", to: "domain" }, required: true },
];

const WORKLOAD_ENDS: readonly KeySpec[] = [
  ...ENDS,
  { name: "concurrency", doc: "Connections at once, each of which awaits its answer before it asks again.", value: { kind: "integer", min: 1, max: 65535, default: 1 } },
  { name: "requests", doc: "Requests in all.", value: { kind: "integer", min: 1, max: 1e9, default: 1000 } },
  { name: "think", doc: "Mean time between an answer and the next request of its connection, exponential. Without it, none.", value: { kind: "time", min: 0, max: 3600 * S } },
  { name: "threads", doc: "Threads of the client, which share its connections, each on a CPU of its own: the last ones of its host, whose first takes the adapter’s interrupts. Without it, one on each CPU.", value: { kind: "integer", min: 1, max: 256 } },
];

const MIX: readonly KeySpec[] = [
  { name: "sets", doc: "Share of sets in the mix of sets to gets.", value: { kind: "integer", min: 0, max: 1000, default: 1 } },
  { name: "gets", doc: "Share of gets in the mix of sets to gets.", value: { kind: "integer", min: 0, max: 1000, default: 10 } },
];

export const WORKLOADS: readonly WorkloadType[] = [
  {
    kind: "http", title: "HTTP", server: "http-server",
    doc: "A closed loop of HTTP requests, as the ApacheBench tool makes.",
    options: [
      ...WORKLOAD_ENDS,
      { name: "size", doc: "Body of a response.", value: { kind: "size", min: 0, max: 1073741824, default: 8192 } },
      { name: "keepalive", doc: "Whether a connection serves many requests.", value: { kind: "flag", default: true } },
    ],
  },
  {
    kind: "key-value", title: "Key-value", server: "key-value-store", mix: ["sets", "gets"],
    doc: "A closed loop of sets and gets, as redis-benchmark makes.",
    options: [
      ...WORKLOAD_ENDS,
      { name: "value", doc: "Size of a value.", value: { kind: "size", min: 1, max: 536870912, default: 128 } },
      ...MIX,
      { name: "pipeline", doc: "Requests that a connection writes at once; then it waits until all are answered.", value: { kind: "integer", min: 1, max: 65536, default: 1 } },
    ],
  },
  {
    kind: "memcached", title: "memcached", server: "memcached", mix: ["sets", "gets"],
    doc: "A closed loop of SETs and GETs over memcached’s binary protocol, as memtier_benchmark makes; each GET finds its value.",
    options: [
      ...WORKLOAD_ENDS,
      { name: "value", doc: "Size of a value; memcached’s items have at most 1 MiB, with key and header.", value: { kind: "size", min: 1, max: 1e6, default: 32 } },
      ...MIX,
    ],
  },
  {
    kind: "netpipe", title: "NetPIPE", server: "netpipe-server",
    doc: "Messages of growing size go back and forth; reports half a round trip and the throughput for each size.",
    options: [
      ...ENDS,
      { name: "smallest", doc: "Size of the first messages; each size is twice the one before.", value: { kind: "size", min: 1, max: 536870912, default: 64 } },
      { name: "largest", doc: "Size of the last messages.", value: { kind: "size", min: 1, max: 536870912, default: 262144 } },
      { name: "repeats", doc: "Round trips for each size.", value: { kind: "integer", min: 1, max: 1e6, default: 10 } },
    ],
  },
  {
    kind: "tcp-stream", title: "TCP stream", server: "discard", protocol: "tcp",
    doc: "Writes as fast as TCP takes it, as netperf's TCP_STREAM does.",
    options: [
      ...ENDS,
      { name: "concurrency", doc: "Connections at once.", value: { kind: "integer", min: 1, max: 65535, default: 1 } },
      { name: "write", doc: "Bytes that one call of send hands over.", value: { kind: "size", min: 1, max: 16777216, default: 65536 } },
      { name: "duration", doc: "How long it writes.", value: { kind: "time", min: 1, max: 3600 * S, default: 1e10 } },
    ],
  },
  {
    kind: "udp-stream", title: "UDP stream", server: "discard", protocol: "udp",
    doc: "Sends datagrams one after the other, as netperf's UDP_STREAM does; reports what arrived.",
    options: [
      ...ENDS,
      { name: "size", doc: "Payload of a datagram; at most the MTU less 28.", value: { kind: "size", min: 1, max: 9170, default: 1024 } },
      { name: "interval", doc: "Time between two datagrams; 0: as fast as the sender can.", value: { kind: "time", min: 0, max: 3600 * S, default: 0 } },
      { name: "duration", doc: "How long it sends.", value: { kind: "time", min: 1, max: 3600 * S, default: 1e10 } },
    ],
  },
  {
    kind: "open-loop", title: "Open loop", server: "echo",
    doc: "Requests that arrive whether or not those before are answered; over connections or datagrams, as the echo server's “protocol” says. Latency counts from the arrival.",
    options: [
      ...ENDS,
      {
        name: "arrivals", doc: "When requests arrive.",
        value: {
          kind: "choice", default: "poisson",
          choices: [
            { value: "poisson", doc: "Independently of each other: exponential gaps." },
            { value: "bursty", doc: "In bursts: Poisson arrivals in periods “on”, none in periods “off”, both of exponential length." },
            { value: "periodic", doc: "At a fixed distance." },
            { value: "listed", doc: "At the times, and with the sizes, of “list”." },
            { value: "file", doc: "At the times, and with the sizes, of “file”." },
          ],
        },
      },
      { name: "requests", doc: "Requests in all; of a list or file, all of it.", value: { kind: "integer", min: 1, max: 4e6, default: 1000 } },
      { name: "interval", doc: "Mean time between two requests; in bursts, within one.", value: { kind: "time", min: 1, max: 3600 * S, default: 1e8 } },
      { name: "on", doc: "Mean length of a burst.", value: { kind: "time", min: 1, max: 3600 * S, default: 1e9 } },
      { name: "off", doc: "Mean pause between bursts.", value: { kind: "time", min: 1, max: 3600 * S, default: 4e9 } },
      { name: "list", doc: "Times from the beginning of the workload, with sizes, such as [[0, 512B], [10us, 1KiB]].", value: { kind: "arrivals", maxTime: 3600 * S, maxSize: 536870912 } },
      { name: "file", doc: "A file with a line for each request, a time and a size such as “0.000125, 512” (seconds, bytes), by its path from the design.", value: { kind: "file" } },
      { name: "size", doc: "Bytes of a request, and of its answer.", value: { kind: "size", min: 1, max: 536870912, default: 64 } },
      { name: "concurrency", doc: "TCP connections; a request waits for one that is free.", value: { kind: "integer", min: 1, max: 65535, default: 16 } },
    ],
  },
  {
    kind: "ping", title: "Ping", server: "tcpip",
    doc: "ICMP echo requests, answered by the domain's stack or by the network server before it.",
    options: [
      ...ENDS,
      { name: "requests", doc: "Echo requests in all.", value: { kind: "integer", min: 1, max: 65535, default: 10 } },
      { name: "interval", doc: "Time between two requests.", value: { kind: "time", min: 1, max: 3600 * S, default: 1e9 } },
      { name: "size", doc: "Bytes of data.", value: { kind: "size", min: 1, max: 9170, default: 56 } },
    ],
  },
];

/** What a link does to frames; also what a fault can change for a while. */
export const LINK_CONDITIONS: readonly KeySpec[] = [
  { name: "loss", doc: "Probability that a frame is lost, each direction: 1% or 0.01. Bit errors on the wire count here: the frame check sequence tells of them.", value: { kind: "fraction", default: 0 } },
  { name: "corrupt", doc: "Probability that one bit of a frame's IPv4 packet is flipped in a device on the way, which sends it on with a good frame check sequence: only IP's and TCP's checksums can tell.", value: { kind: "fraction", default: 0 } },
  { name: "duplicate", doc: "Probability that a frame arrives twice.", value: { kind: "fraction", default: 0 } },
  { name: "reorder", doc: "Probability that a frame is held back, so that later ones overtake it.", value: { kind: "fraction", default: 0 } },
  { name: "reorder-by", doc: "How long a frame is held back that is to be overtaken.", value: { kind: "time", min: 0, max: 10e12, default: 50e6 } },
];

function withoutDefault(value: ValueSpec): ValueSpec {
  if (!("default" in value)) return value;
  const { default: _default, ...rest } = value;
  return rest;
}

export interface FaultType {
  /** The key whose value is the target. */
  readonly kind: string;
  readonly doc: string;
  /** What its target may be; a domain or a component where that is not said. */
  readonly target?: ReferenceKind;
  readonly options: readonly KeySpec[];
}

/** The key that names what a fault strikes. */
export function faultTarget({ kind, doc, target = "domain-or-component" }: FaultType): KeySpec {
  return { name: kind, doc, value: { kind: "reference", to: target }, required: true };
}

const RESTART: KeySpec = {
  name: "restart", doc: "How long it takes until the domain runs again, with fresh state; at least what its devices take to reset. Without it, never.",
  value: { kind: "time", min: 0, max: 3600e12 },
};

export const FAULTS: readonly FaultType[] = [
  {
    kind: "crash", target: "domain-or-host",
    doc: "The domain stops at once and loses its state; of a component: the domain that it is in, as nothing isolates it there; of a host or its hypervisor: all domains, with what the hypervisor held for them.",
    options: [RESTART],
  },
  {
    kind: "hang", target: "domain-or-host",
    doc: "The domain makes no progress and burns what CPU time it gets; of a component: the next job that begins for it does not end, and holds its vCPU.",
    options: [
      { name: "watchdog", doc: "The domain must show that each of its vCPUs still does something within this time, or it is killed. Without it, nobody notices.", value: { kind: "time", min: 1e6, max: 3600e12 } },
      RESTART,
    ],
  },
  {
    kind: "forge", doc: "The domain turns malicious: it sends what is not its own, enqueues ring entries that are none, or reaches for memory that is not its own.",
    options: [
      {
        name: "what", doc: "What it forges.", required: true,
        value: {
          kind: "choice",
          choices: [
            { value: "mac", doc: "Source MAC address of frames." },
            { value: "vlan", doc: "VLAN tag of frames, by a domain with a driver." },
            { value: "ip", doc: "Source IP address of frames." },
            { value: "port", doc: "Source port of frames." },
            { value: "index", doc: "Ring entries that name a slot that is none." },
            { value: "length", doc: "Ring entries with a frame longer than a slot." },
            { value: "dma", doc: "Descriptors whose data is in memory that is not its own." },
            { value: "portmap", doc: "Entries of the portmap, in the network server’s domain." },
          ],
        },
      },
      { name: "count", doc: "How often.", value: { kind: "integer", min: 1, max: 1e6, default: 10 } },
      { name: "interval", doc: "Time between two attempts.", value: { kind: "time", min: 0, max: 3600e12, default: 10e6 } },
    ],
  },
  {
    kind: "degrade", doc: "The link does to frames what is said here, and otherwise what its own section says.", target: "link",
    options: [
      ...LINK_CONDITIONS.map(({ name, doc, value }): KeySpec => ({ name, doc, value: withoutDefault(value) })),
      { name: "for", doc: "How long. Without it, to the end.", value: { kind: "time", min: 1, max: 3600e12 } },
    ],
  },
  // Last: “restart” is an option of those above.
  {
    kind: "restart", target: "domain-or-host", doc: "A planned restart of the domain, or of that of the component, or of the host: an upgrade.",
    options: [{ name: "takes", doc: "How long it takes until the domain runs again, with fresh state.", value: { kind: "time", min: 0, max: 3600e12 }, required: true }],
  },
];

/** A policy that decides when applications switch between server and direct access; its decisions are engine/policy's. */
export interface PolicyType {
  readonly kind: string;
  readonly title: string;
  readonly doc: string;
  readonly options: readonly KeySpec[];
}

const SWITCHED: KeySpec = { name: "switch", doc: "The domain whose uplink it switches.", value: { kind: "reference", to: "switchable-domain" }, required: true };

/** Longer than a switch (67 to 130 ms in this model, 56 to 69 ms in LibrettOS 5.5) and a retransmission timeout (200 ms at least in Linux and NetBSD). */
const WINDOW: KeySpec = { name: "window", doc: "Time over which the load is measured. A window that a switch lies in, or the silence after it, does not count.", value: { kind: "time", min: 1e6, max: 3600e12, default: 500e9 } };
/** A second: the retransmission timeout of a peer that has measured no round trip yet, or whose first retransmission was lost too (RFC 6298, 2). */
const DWELL: KeySpec = { name: "dwell", doc: "Shortest time from the end of a switch to the decision for the next.", value: { kind: "time", min: 0, max: 3600e12, default: 1e12 } };

export const POLICIES: readonly PolicyType[] = [
  {
    kind: "load", title: "Load threshold",
    doc: "Direct access while an application carries much, the network server while it carries little; between the two thresholds it stays where it is.",
    options: [
      SWITCHED,
      { name: "above", doc: "Bits a second, both directions together, from which it goes direct.", value: { kind: "rate", min: 1, max: 400e9 }, required: true },
      { name: "below", doc: "Bits a second under which it goes back to the server; at most “above”.", value: { kind: "rate", min: 0, max: 400e9 }, required: true },
      WINDOW,
      DWELL,
    ],
  },
  {
    kind: "packet-rate", title: "Packet-rate threshold",
    doc: "As “load”, by frames a second: what small frames cost does not show in bits.",
    options: [
      SWITCHED,
      { name: "above", doc: "Frames a second, both directions together, from which it goes direct.", value: { kind: "integer", min: 1, max: 1e9 }, required: true },
      { name: "below", doc: "Frames a second under which it goes back to the server; at most “above”.", value: { kind: "integer", min: 0, max: 1e9 }, required: true },
      WINDOW,
      DWELL,
    ],
  },
  {
    kind: "vf-scarcity", title: "VF scarcity",
    doc: "Fewer VFs than applications: the busiest hold them. An application that has none takes over the VF of one that carries clearly less.",
    options: [
      { name: "among", doc: "The domains that compete, such as [a, b, c]; the driver of each names a device, not a function.", value: { kind: "references", to: "switchable-domain" }, required: true },
      { name: "period", doc: "Time between two decisions, over which the load is measured.", value: { kind: "time", min: 1e6, max: 3600e12, default: 50e9 } },
      { name: "advantage", doc: "How much more an application must carry than the one whose VF it takes: 25% or 0.25.", value: { kind: "fraction", default: 0.25 } },
    ],
  },
];

const byType: ReadonlyMap<string, ComponentType> = new Map(COMPONENTS.map((c) => [c.type, c]));

/** @returns the catalogue's entry of a component type, if it has one. */
export function componentType(type: string): ComponentType | undefined {
  return byType.get(type);
}

/** Whether a component of this type joins its domain to the network: what can be an uplink. */
export function isInterface(type: string): boolean {
  return byType.get(type)?.layer === "interface";
}

/** Whether a component of this type drives an adapter. */
export function isDriver(type: string): boolean {
  return DEVICES.some(({ driver }) => driver === type);
}

/** @returns the catalogue's entry of a device model, if it has one. */
export function deviceModel(model: string): DeviceModel | undefined {
  return DEVICES.find((d) => d.model === model);
}
