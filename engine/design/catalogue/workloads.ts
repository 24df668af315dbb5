/** Kinds of workloads, as data: what each asks of whom. What it sends when is in engine/workloads/clients. */
import type { Component } from "../model";
import type { KeySpec } from "../vocabulary";

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
  /** Options of which the first may not be more than the second. */
  readonly range?: readonly [least: string, most: string];
  readonly options: readonly KeySpec[];
}

const S = 1e12;

const ENDS: readonly KeySpec[] = [
  { name: "from", doc: "Who asks: a host that is a load generator, or a domain with a load-generator among its components.", value: { kind: "reference", to: "load-generator" }, required: true },
  { name: "to", doc: "The domain that serves, or the server in it, such as web.http-server. Of a domain, the first server of the workload’s type whose “protocol” fits.", value: { kind: "reference", to: "answering" }, required: true },
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
    kind: "netpipe", title: "NetPIPE", server: "netpipe-server", range: ["smallest", "largest"],
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
    doc: "Sends datagrams one after the other, as netperf's UDP_STREAM does; reports what arrived. On Linux it waits for room in the socket's send buffer, so that the wire sets the pace; on NetBSD a datagram that netfront's queue has no room for is an error, and one that an adapter's ring has none for is lost.",
    options: [
      ...ENDS,
      { name: "size", doc: "Payload of a datagram; at most the MTU less 28, as nothing cuts a datagram into IP fragments.", value: { kind: "size", min: 1, max: 9170, default: 1024 } },
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

/** Whether a component of a type answers workloads of some kind: what “to” may name besides domains. */
export function isServer(type: string): boolean {
  return WORKLOADS.some(({ server }) => server === type);
}

/** Whether a component can answer a workload. */
export function answers({ server, protocol }: WorkloadType, { type, options }: Pick<Component, "type" | "options">): boolean {
  return type === server && (protocol === undefined || options["protocol"] === protocol);
}
