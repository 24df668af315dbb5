import type { Design, Part } from "../../../engine/design/model";
import type { Engine, Snapshot } from "../../../engine/engine";
import type { Scope } from "../../../engine/inspect";
import { NONE, NO_VCPU, Trace, type FunctionKind, type TraceNames } from "../../../engine/trace/trace";

/**
 * A small deterministic engine behind the real interface: tokens (packets) walk at random among stations; each
 * dispatch moves one token, leaves one to three rows, and changes counters and a table of connections.
 */

/** The design text that the stations stand in, one a line, as a person would write it. */
export const tokenText = `exoscope: 1
name: Tokens
hosts:
  server:
    domains:
      left:
        kind: vm
        components:
          - http-server
          - tcpip
      right:
        kind: vm
        components:
          - netserver:
              ports: 4
          - ixgbe
  client: { model: load-generator }
`;

const stations = [
  { path: "server/left/http-server", domain: "server/left", host: "server" },
  { path: "server/left/tcpip", domain: "server/left", host: "server" },
  { path: "server/right/netserver", domain: "server/right", host: "server" },
  { path: "server/right/ixgbe", domain: "server/right", host: "server" },
  { path: "client", domain: undefined, host: "client" },
] as const;

const kinds: readonly FunctionKind[] = ["application", "tcp", "server", "drop", "timeout", "violation"];

const names: TraceNames = {
  functions: ["handle_request", "tcp_output", "ns_forward", "ring_overflow", "tcp_timer_rexmt", "iommu_fault"].map((name, id) => ({
    id, name, file: id < 3 ? `sys/${name}.c` : undefined, kind: kinds[id] ?? "tcp", a: id === 1 ? "bytes" : undefined, b: undefined,
  })),
  components: stations.map(({ path, domain, host }, id) => ({ id, path, type: path.slice(path.lastIndexOf("/") + 1), host, domain })),
  contexts: [
    { id: 0, kind: "pcpu", path: "server/pcpu0", host: "server", domain: undefined },
    { id: 1, kind: "thread", path: "server/left/worker-0", host: "server", domain: "server/left" },
    { id: 2, kind: "thread", path: "server/right/worker-0", host: "server", domain: "server/right" },
    { id: 3, kind: "device", path: "server/nic0", host: "server", domain: undefined },
    { id: 4, kind: "thread", path: "client/ab-0", host: "client", domain: undefined },
  ],
  vcpus: [{ id: 0, path: "server/left/vcpu0", domain: "server/left" }, { id: 1, path: "server/right/vcpu0", domain: "server/right" }],
};
const contextOf = [1, 1, 2, 3, 4];
const vcpuOf = [0, 0, 1, NO_VCPU, NO_VCPU];

interface State {
  seed: number;
  time: number;
  rows: number;
  dispatches: number;
  readonly visits: number[];
  readonly bytes: number[];
  /** Station and last row of each token. */
  readonly tokens: { at: number; row: number }[];
}

class TokenSnapshot implements Snapshot {
  constructor(readonly state: State) {}
  get row(): number { return this.state.rows; }
  readonly bytes = 512;
}

export class TokenEngine implements Engine {
  readonly names = names;
  readonly trace: Trace;
  done = false;
  private state: State;

  constructor(seed: number, private readonly limit: number, private readonly writes = true, trace?: Trace) {
    this.trace = trace ?? new Trace(names);
    this.state = {
      seed, time: 0, rows: 0, dispatches: 0, visits: stations.map(() => 0), bytes: stations.map(() => 0),
      tokens: Array.from({ length: 6 }, (_, i) => ({ at: i % stations.length, row: NONE })),
    };
  }

  get time(): number { return this.state.time; }
  get rows(): number { return this.state.rows; }

  dispatch(): boolean {
    const { state } = this;
    if (state.dispatches >= this.limit) {
      this.done = true;
      return false;
    }
    state.dispatches++;
    state.time += 1 + this.random(5000);
    const number = this.random(state.tokens.length);
    const token = state.tokens[number]!;
    if (this.random(12) === 0) token.row = NONE;
    if (this.random(10) === 0) this.emit(true, 0, 0, 0, NONE, NONE, this.random(2));
    const rows = 1 + this.random(3);
    const station = token.at;
    for (let i = 0; i < rows; i++) {
      const fn = this.random(40) === 0 ? 3 + this.random(3) : Math.min(2, station);
      token.row = this.emit(i === 0 && !this.open, fn, station, contextOf[station]!, number, token.row, vcpuOf[station]!);
    }
    this.open = false;
    state.visits[station]!++;
    state.bytes[station]! += 100 + this.random(1400);
    token.at = this.random(stations.length);
    return true;
  }

  snapshot(): Snapshot { return new TokenSnapshot(structuredClone(this.state)); }

  restore(snapshot: Snapshot): void {
    if (!(snapshot instanceof TokenSnapshot)) throw new TypeError("not a snapshot of this engine");
    this.state = structuredClone(snapshot.state);
  }

  replayer(): Engine { return new TokenEngine(0, this.limit, false, this.trace); }

  describeComponent(component: number): Scope[] {
    const { state } = this;
    const visits = state.visits[component]!;
    const bytes = state.bytes[component]!;
    return [
      {
        name: "Counters", variables: [
          { name: "visits", value: String(visits), number: visits },
          { name: "bytes sent", value: `${bytes} B`, number: bytes },
          { name: "state", value: visits > 2 ? "ESTABLISHED" : "LISTEN", number: visits > 2 ? 4 : 1 },
        ],
      },
      {
        name: "connections", variables: state.tokens.flatMap((token, i) => (token.at === component
          ? [{ name: `token ${i}`, value: `row ${token.row}`, children: [{ name: "last", value: String(token.row), number: token.row }] }] : [])),
      },
    ];
  }

  describeDomain(path: string): Scope[] {
    const sum = this.state.visits.reduce((total, visits, i) => (stations[i]?.domain === path ? total + visits : total), 0);
    return [{ name: "vCPUs", variables: [{ name: "work", value: String(sum), number: sum }] }];
  }

  activeUplinks(): Record<string, string> { return {}; }

  describePacket(packet: number): Scope {
    return { name: "Packet", variables: [{ name: "TCP", value: "", children: [{ name: "seq", value: String(packet * 1000), number: packet * 1000 }] }] };
  }

  parentOfPacket(): number { return NONE; }
  summarizePacket(packet: number): string { return `token ${packet}`; }
  fingerprint(): string { return this.state.seed.toString(16).padStart(16, "0"); }

  private open = false;

  private emit(first: boolean, fn: number, component: number, context: number, packet: number, cause: number, vcpu: number): number {
    const { state } = this;
    const row = state.rows++;
    this.open = true;
    if (this.writes) this.trace.append(first, state.time, state.time - 10, 10, fn, component, context, vcpu, packet, cause, NONE, state.bytes[component]! % 1460, 0);
    return row;
  }

  /** Numerical Recipes' linear congruential generator; its upper bits. */
  private random(below: number): number {
    this.state.seed = (Math.imul(this.state.seed, 1664525) + 1013904223) >>> 0;
    return (this.state.seed >>> 8) % below;
  }
}

/** The design of {@link tokenText}, made by hand so that these tests hang on nothing else. */
export function tokenDesign(): Design {
  const part = (path: string, entry: string): Part => {
    const start = tokenText.indexOf(entry);
    const id = path.slice(path.lastIndexOf("/") + 1);
    const name = tokenText.indexOf(id, start);
    return { path, id, range: { start, end: start + entry.length }, nameRange: { start: name, end: name + id.length } };
  };
  const component = (path: string, entry: string) => ({
    ...part(path, entry), host: "server", domain: path.slice(0, path.lastIndexOf("/")), type: "", options: {}, optionRanges: new Map(), bind: undefined, channel: undefined, below: undefined,
  });
  const domain = (path: string, entry: string, components: ReturnType<typeof component>[]) => ({
    ...part(path, entry), host: "server", kind: "vm" as const, kernel: undefined, system: "netbsd" as const, netMpsafe: false, vcpus: 1, weight: 256, cap: 0, affinity: [], scheduler: "m-n", memoryNode: undefined, idle: "halt" as const, components, uplinks: [], activeUplink: undefined,
  });
  const machine = { cores: 1, numa: 1, iommu: true, devices: [], hypervisor: undefined };
  return {
    name: "Tokens", profile: "", links: [], workloads: [], faults: [], switches: [], policies: [], files: [], costs: new Map(), run: { until: 1e12, seed: 1 }, pins: new Map(),
    hosts: [
      {
        ...part("server", tokenText.slice(tokenText.indexOf("server:"), tokenText.indexOf("  client:"))), ...machine, kind: "machine",
        domains: [
          domain("server/left", tokenText.slice(tokenText.indexOf("left:"), tokenText.indexOf("      right:")), [
            component("server/left/http-server", "http-server"), component("server/left/tcpip", "tcpip"),
          ]),
          domain("server/right", tokenText.slice(tokenText.indexOf("right:"), tokenText.indexOf("  client:")), [
            component("server/right/netserver", "netserver:\n              ports: 4"), component("server/right/ixgbe", "ixgbe"),
          ]),
        ],
      },
      { ...part("client", "client: { model: load-generator }"), ...machine, kind: "load-generator", domains: [] },
    ],
  };
}
