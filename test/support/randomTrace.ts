import fc from "fast-check";
import { NONE, NO_VCPU, type Trace, type TraceNames } from "../../engine/trace/trace";

/** Two pCPUs, two threads on two vCPUs, a thread without one, a device and a link. */
export const SMALL_NAMES: TraceNames = {
  functions: [
    { id: 0, name: "tcp_output", file: undefined, kind: "tcp", a: undefined, b: undefined },
    { id: 1, name: "ixgbe_rxeof", file: undefined, kind: "driver", a: undefined, b: undefined },
    { id: 2, name: "rx_drop", file: undefined, kind: "drop", a: undefined, b: undefined },
  ],
  components: ["h/d/tcpip", "h/d/ixgbe", "h/nic0"].map((path, id) => ({ id, path, type: path, host: "h", domain: undefined })),
  contexts: ([["pcpu", "h/pcpu0"], ["pcpu", "h/pcpu1"], ["thread", "h/d/a"], ["thread", "h/d/b"], ["thread", "c/main"], ["device", "h/nic0"], ["link", "wire"]] as const)
    .map(([kind, path], id) => ({ id, kind, path, host: "h", domain: undefined })),
  vcpus: [0, 1].map((id) => ({ id, path: `h/d/vcpu${id}`, domain: "h/d" })),
};

export interface SmallRow {
  readonly gap: number;
  readonly lead: number;
  readonly cost: number;
  readonly fn: number;
  readonly context: number;
  readonly vcpu: number;
  readonly packet: number;
}

/** Rows of a small machine; nothing about them is plausible but what the trace promises: time never decreases. */
export const smallRows: fc.Arbitrary<SmallRow[]> = fc.array(
  fc.record({
    gap: fc.nat(6), lead: fc.nat(14), cost: fc.nat(12), fn: fc.nat(2), context: fc.nat(6), vcpu: fc.nat(2), packet: fc.integer({ min: -1, max: 40 }),
  }),
  { minLength: 1, maxLength: 90, size: "max" },
);

export function appendRows(trace: Trace, rows: readonly SmallRow[]): void {
  let time = trace.length === 0 ? 0 : trace.time(trace.length - 1);
  const switched = new Map<number, number>();
  for (let row = 0; row < trace.length; row++) switched.set(trace.context(row), trace.time(row));
  for (const r of rows) {
    time += r.gap;
    const kind = SMALL_NAMES.contexts[r.context]!.kind;
    // A hypervisor does not begin a switch before the one before it is over.
    const begin = Math.max(kind === "pcpu" ? (switched.get(r.context) ?? 0) : 0, time - r.lead);
    const cost = kind === "pcpu" ? time - begin : Math.min(r.cost, time - begin);
    switched.set(r.context, time);
    const vcpu = kind === "pcpu" ? (r.vcpu === 2 ? NO_VCPU : r.vcpu) : kind === "thread" && r.context < 4 ? r.vcpu % 2 : NO_VCPU;
    trace.append(true, time, begin, cost, r.fn, r.context % 3, r.context, vcpu, r.packet, trace.length - 1, NONE, 0, 0);
  }
}
