import { TcpIp } from "../components/tcpip";
import type { MachineEngine } from "../create";
import type { SizeReport } from "../machine/machine";

/** Latencies in picoseconds. */
export interface LatencySummary {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface WorkloadSummary {
  readonly workload: string;
  /** `http`, `netpipe`, … */
  readonly kind: string;
  /** Messages that it was to send; where that is not known beforehand, that it has sent. */
  readonly requests: number;
  readonly completed: number;
  readonly errors: number;
  /** Requests a second; 0 where none completed. */
  readonly throughput: number;
  /** Bits a second of application data that arrived: answers at the client, a stream at its other end. */
  readonly goodput: number;
  /** All 0 where the workload has no answers to wait for. */
  readonly latency: LatencySummary;
  /** By message size, where the workload goes through several (NetPIPE). */
  readonly sizes?: readonly SizeReport[];
}

export interface DomainSummary {
  readonly domain: string;
  readonly vcpus: number;
  /** CPU time spent on work, picoseconds. */
  readonly busy: number;
  /** As a share of one CPU over the run, 1 = one CPU all the time. */
  readonly utilisation: number;
}

/** What a run amounts to; the same numbers for the command line, the editor and tests. Times in picoseconds. */
export interface RunReport {
  readonly name: string;
  readonly seed: number;
  readonly time: number;
  readonly rows: number;
  readonly dispatches: number;
  readonly packets: number;
  readonly workloads: readonly WorkloadSummary[];
  readonly domains: readonly DomainSummary[];
  /** Frames dropped, by cause; causes that occurred. */
  readonly drops: Readonly<Record<string, number>>;
  /** Violations and timeouts, by name; those that occurred. */
  readonly incidents: Readonly<Record<string, number>>;
  readonly contextSwitches: number;
  /** Segments sent again by all stacks, SYNs included. */
  readonly retransmissions: number;
}

/** Sums up a run so far. */
export function report(engine: MachineEngine): RunReport {
  const { machine, hypervisors, domains } = engine.built;
  const { kernel, cpus } = machine;
  const drops: Record<string, number> = {};
  const incidents: Record<string, number> = {};
  for (const fn of kernel.names.functions) {
    const count = kernel.count(fn.id);
    if (count === 0) continue;
    if (fn.kind === "drop") drops[fn.name] = count;
    else if (fn.kind === "violation" || fn.kind === "timeout") incidents[fn.name] = count;
  }
  const time = Math.max(engine.time, 1);
  return {
    name: engine.design.name, seed: engine.design.run.seed, time: engine.time, rows: engine.rows, dispatches: engine.dispatches,
    packets: machine.packets.length,
    workloads: [...machine.components.values()].flatMap((m) => m.reports?.() ?? []).map((w) => ({
      workload: w.path, kind: w.kind, requests: w.requests ?? w.sent, completed: w.completed, errors: w.errors,
      throughput: w.duration > 0 ? (w.completed * 1e12) / w.duration : 0,
      goodput: w.duration > 0 ? (w.bytes * 8e12) / w.duration : 0,
      latency: {
        mean: w.latency.mean, p50: w.latency.quantile(0.5), p90: w.latency.quantile(0.9), p99: w.latency.quantile(0.99),
        p999: w.latency.quantile(0.999), max: w.latency.most,
      },
      ...(w.sizes === undefined ? {} : { sizes: w.sizes }),
    })),
    domains: domains.map((d) => {
      const busy = cpus.busyOf(d.id);
      return { domain: d.path, vcpus: d.vcpus, busy, utilisation: busy / time };
    }),
    drops, incidents,
    retransmissions: [...machine.components.values()].reduce((sum, m) => sum + (m instanceof TcpIp ? m.retransmissions : 0), 0),
    contextSwitches: hypervisors.reduce((sum, { hypervisor }) => sum + hypervisor.switches(), 0),
  };
}
