/**
 * A trace as the engine would make it of a web server and a key-value store under load, without the engine: for tests of
 * the timeline's scale. Packets come over a link, through a device and an interrupt, up a stack, and a reply goes back.
 */
import { NONE, NO_VCPU, Trace, type FunctionKind, type TraceNames } from "../../engine/trace/trace";

const FUNCTIONS: readonly [string, FunctionKind][] = [
  ["wire_transmit", "wire"], ["nic_rx_dma", "dma"], ["nic_interrupt", "interrupt"], ["evtchn_send", "hypervisor"],
  ["ixgbe_rxeof", "driver"], ["ether_input", "ethernet"], ["ip_input", "ip"], ["tcp_input", "tcp"], ["soreceive", "socket"],
  ["read", "libc"], ["http_handle", "application"], ["write", "libc"], ["sosend", "socket"], ["tcp_output", "tcp"], ["ip_output", "ip"],
  ["ether_output", "ethernet"], ["ixgbe_xmit", "driver"], ["nic_tx_dma", "dma"], ["netserver_rx", "server"], ["vif_rx", "vif"],
  ["vif_tx", "vif"], ["netserver_tx", "server"], ["kv_handle", "application"], ["csched_schedule", "hypervisor"], ["nic_rx_drop", "drop"],
  ["http_request", "workload"],
];
const FN = Object.fromEntries(FUNCTIONS.map(([name], id) => [name, id]));
const COMPONENTS = [
  "client-link", "server/nic0", "server/nginx/ixgbe", "server/nginx/tcpip", "server/nginx/libc", "server/nginx/http-server",
  "server/netsrv/ixgbe", "server/netsrv/netserver", "server/redis/vif", "server/redis/tcpip", "server/redis/libc", "server/redis/key-value-store",
  "server/hypervisor", "client",
];
const PCPUS = 6;
const CONTEXTS: readonly [string, "pcpu" | "thread" | "device" | "link", string, string | undefined][] = [
  ...Array.from({ length: PCPUS }, (_, k): [string, "pcpu", string, undefined] => [`server/pcpu${k}`, "pcpu", "server", undefined]),
  ["server/nginx/worker-0", "thread", "server", "server/nginx"], ["server/nginx/worker-1", "thread", "server", "server/nginx"],
  ["server/netsrv/netserver-0", "thread", "server", "server/netsrv"], ["server/redis/worker-0", "thread", "server", "server/redis"],
  ["server/nic0", "device", "server", undefined], ["client-link", "link", "client", undefined],
  ["client/client", "thread", "client", "client"],
];
const NIC = 10;
const LINK = 11;
const CLIENT = 12;
const VCPUS = ["server/nginx/vcpu0", "server/nginx/vcpu1", "server/netsrv/vcpu0", "server/redis/vcpu0"];

export const SYNTHETIC_NAMES: TraceNames = {
  functions: FUNCTIONS.map(([name, kind], id) => ({ id, name, file: kind === "tcp" ? `sys/netinet/${name}.c` : undefined, kind, a: undefined, b: undefined })),
  components: COMPONENTS.map((path, id) => ({ id, path, type: path.split("/").at(-1) ?? path, host: path.split("/")[0] ?? path, domain: path.split("/").length === 3 ? path.split("/").slice(0, 2).join("/") : undefined })),
  contexts: CONTEXTS.map(([path, kind, host, domain], id) => ({ id, path, kind, host, domain })),
  vcpus: VCPUS.map((path, id) => ({ id, path, domain: path.split("/").slice(0, 2).join("/") })),
};

/** One function of a path: name, component, cost in nanoseconds. */
type Hop = readonly [string, string, number];

const HTTP: readonly Hop[] = [
  ["nic_interrupt", "server/nginx/ixgbe", 350], ["ixgbe_rxeof", "server/nginx/ixgbe", 420], ["ether_input", "server/nginx/tcpip", 110],
  ["ip_input", "server/nginx/tcpip", 190], ["tcp_input", "server/nginx/tcpip", 680], ["soreceive", "server/nginx/libc", 240],
  ["read", "server/nginx/libc", 90], ["http_handle", "server/nginx/http-server", 4200], ["write", "server/nginx/libc", 110],
  ["sosend", "server/nginx/tcpip", 820], ["tcp_output", "server/nginx/tcpip", 560], ["ip_output", "server/nginx/tcpip", 210],
  ["ether_output", "server/nginx/tcpip", 120], ["ixgbe_xmit", "server/nginx/ixgbe", 390],
];
const SERVER_IN: readonly Hop[] = [
  ["nic_interrupt", "server/netsrv/ixgbe", 350], ["ixgbe_rxeof", "server/netsrv/ixgbe", 420], ["netserver_rx", "server/netsrv/netserver", 510],
  ["evtchn_send", "server/hypervisor", 290],
];
const KV: readonly Hop[] = [
  ["vif_rx", "server/redis/vif", 310], ["ether_input", "server/redis/tcpip", 110], ["ip_input", "server/redis/tcpip", 190],
  ["tcp_input", "server/redis/tcpip", 680], ["read", "server/redis/libc", 90], ["kv_handle", "server/redis/key-value-store", 900],
  ["write", "server/redis/libc", 110], ["tcp_output", "server/redis/tcpip", 560], ["ip_output", "server/redis/tcpip", 210], ["vif_tx", "server/redis/vif", 330],
];
const SERVER_OUT: readonly Hop[] = [["netserver_tx", "server/netsrv/netserver", 480], ["ixgbe_xmit", "server/netsrv/ixgbe", 390]];

interface Pending {
  readonly time: number;
  readonly order: number;
  readonly run: (time: number) => void;
}

/** At least `rows` rows; the same for the same arguments. */
export function syntheticTrace(rows: number, seed = 1): Trace {
  const trace = new Trace(SYNTHETIC_NAMES);
  let state = seed >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const queue: Pending[] = [];
  let order = 0;
  const at = (time: number, run: (time: number) => void): void => {
    const item = { time: Math.round(time), order: order++, run };
    let k = queue.length;
    queue.push(item);
    for (let p = (k - 1) >> 1; k > 0 && before(item, queue[p]!); k = p, p = (k - 1) >> 1) {
      queue[k] = queue[p]!;
      queue[p] = item;
    }
  };
  const componentOf = new Map(COMPONENTS.map((path, id) => [path, id]));
  const free = VCPUS.map(() => 0);
  const pcpu = VCPUS.map(() => NONE);
  const taken = new Array<number>(PCPUS).fill(NONE);
  const last = VCPUS.map(() => NONE);
  let wire = 0;
  let packets = 0;

  const device = (fn: string, component: string, context: number, cost: number, packet: number, cause: number, time: number): number =>
    trace.append(true, time, time - cost, cost, FN[fn]!, componentOf.get(component)!, context, NO_VCPU, packet, cause, NONE, 64 + (packet % 1400), 0);

  const sleep = (v: number, time: number): void => {
    if (free[v]! > time || pcpu[v] === NONE) return;
    trace.append(true, time, time, 0, FN["csched_schedule"]!, componentOf.get("server/hypervisor")!, pcpu[v]!, NO_VCPU, NONE, last[v]!, NONE, 0, 0);
    taken[pcpu[v]!] = NONE;
    pcpu[v] = NONE;
  };

  const work = (v: number, thread: number, hops: readonly Hop[], packet: number, cause: number, now: number, then: (row: number, time: number) => void): void => {
    let start = Math.max(now, free[v]!);
    const costs = hops.map(([, , ns]) => Math.round(ns * (0.7 + random() * 0.6)) * 1000);
    const wake = pcpu[v] === NONE;
    if (wake) start += 1_500_000;
    const end = start + costs.reduce((a, b) => a + b, 0);
    free[v] = end;
    if (wake) {
      const home = taken.indexOf(NONE, Math.floor(random() * PCPUS) % PCPUS);
      const cpu = home < 0 ? taken.indexOf(NONE) : home;
      taken[cpu] = v;
      pcpu[v] = cpu;
      at(start, (time) => {
        last[v] = trace.append(true, time, time, 0, FN["csched_schedule"]!, componentOf.get("server/hypervisor")!, cpu, v, NONE, cause, NONE, 0, 0);
      });
    }
    at(end, (time) => {
      let begin = start;
      let row = cause;
      hops.forEach(([fn, component], k) => {
        const enabler = k === 0 ? last[v]! : NONE;
        row = trace.append(k === 0, time, begin, costs[k]!, FN[fn]!, componentOf.get(component)!, thread, v, packet, row, enabler, 0, 0);
        begin += costs[k]!;
      });
      last[v] = row;
      then(row, time);
      at(time + 12_000_000, (later) => sleep(v, later));
    });
  };

  const send = (row: number, packet: number, now: number): void => {
    at(now + 900_000, (time) => {
      const dma = device("nic_tx_dma", "server/nic0", NIC, 700_000, packet, row, time);
      at(time + 1_200_000, (later) => void device("wire_transmit", "client-link", LINK, 1_150_000, packet, dma, later));
    });
  };

  const request = (client: number, time: number): void => {
    const packet = packets++;
    const ask = trace.append(true, time, time - 300_000, 300_000, FN["http_request"]!, componentOf.get("client")!, CLIENT, NO_VCPU, packet, NONE, NONE, client, 0);
    wire = Math.max(wire, time) + 180_000 + Math.floor(random() * 400) * 1000;
    at(wire, (now) => {
      const sent = device("wire_transmit", "client-link", LINK, 150_000, packet, ask, now);
      at(now + 2_400_000, (later) => {
        if (random() < 0.002) {
          device("nic_rx_drop", "server/nic0", NIC, 0, packet, sent, later);
          return;
        }
        const dma = device("nic_rx_dma", "server/nic0", NIC, 350_000 + Math.floor(random() * 200) * 1000, packet, sent, later);
        if (client % 3 < 2) {
          const v = client % 2;
          work(v, 6 + v, HTTP, packet, dma, later, (row, done) => send(row, packet, done));
        } else {
          work(2, 8, SERVER_IN, packet, dma, later, (row, done) =>
            work(3, 9, KV, packet, row, done, (reply, answered) => work(2, 8, SERVER_OUT, packet, reply, answered, (out, gone) => send(out, packet, gone))));
        }
      });
    });
    // Load comes in waves, so that utilisation has a shape to look at.
    const wave = 0.5 + 0.5 * Math.sin((time / 1e9) * 0.9) + (Math.floor(time / 7e9) % 3 === 1 ? 1.5 : 0);
    at(time + 20_000_000 + wave * 90_000_000 * random(), (next) => request(client, next));
  };
  for (let client = 0; client < 12; client++) at(500_000 + client * 1_700_000, (time) => request(client, time));

  while (trace.length < rows) {
    const item = pop(queue);
    if (!item) break;
    item.run(item.time);
  }
  return trace;
}

function before(a: Pending, b: Pending): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

function pop(queue: Pending[]): Pending | undefined {
  const top = queue[0];
  const item = queue.pop();
  if (!top || !item || queue.length === 0) return top;
  let k = 0;
  for (;;) {
    let child = 2 * k + 1;
    if (child >= queue.length) break;
    if (child + 1 < queue.length && before(queue[child + 1]!, queue[child]!)) child++;
    if (!before(queue[child]!, item)) break;
    queue[k] = queue[child]!;
    k = child;
  }
  queue[k] = item;
  return top;
}
