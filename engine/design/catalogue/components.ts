/** What can be placed in a domain, as data. To add a component is to add its entry here beside its model in engine/components. */
import type { KeySpec } from "../vocabulary";

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
  { name: "queues", doc: "Queue pairs, each with an interrupt and a vCPU of its own; at most what the function's pool and vectors allow, and in a pool a power of two. LibrettOS uses one.", value: { kind: "integer", min: 1, max: 16, default: 1 } },
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

const byType: ReadonlyMap<string, ComponentType> = new Map(COMPONENTS.map((c) => [c.type, c]));

/** @returns the catalogue's entry of a component type, if it has one. */
export function componentType(type: string): ComponentType | undefined {
  return byType.get(type);
}

/** Types that take the frames of an interface below them. */
export const FRAME_TAKERS: readonly string[] = ["tcpip", "netserver", "vif", "bridge", "nat"];

/** Whether a component of this type joins its domain to the network: what can be an uplink. */
export function isInterface(type: string): boolean {
  return byType.get(type)?.layer === "interface";
}
