import { TcpIp } from "../components/tcpip";
import type { MachineEngine } from "../create";
import type { UseFrom } from "../machine/nic/functionUse";
import type { Nic } from "../machine/nic/nic";
import type { SizeReport, WorkloadReport } from "../machine/machine";
import type { Death } from "../machine/lifecycle";
import type { DomainCounts } from "../scheduling/vcpus";
import type { SwitchReport } from "../machine/switching/switchLog";
import type { Tally } from "../trace/trace";
import { fairness } from "./fairness";

/** Latencies in picoseconds. */
export interface LatencySummary {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
}

export interface WorkloadSummary {
  readonly workload: string;
  /** `http`, `netpipe`, … */
  readonly kind: string;
  /** Messages that it was to send, each time that it began; where that is not known beforehand, that it has sent. */
  readonly requests: number;
  /** When it began again, with all of them, as its client had died, picoseconds. What it did before is among the results. */
  readonly beganAgain: readonly number[];
  /** Each once, by its first copy. */
  readonly completed: number;
  /** Further copies that came of what is completed: the network doubles packets, and a server answers each copy. */
  readonly duplicates: number;
  readonly errors: number;
  /** The errors by reason, e.g. `connection reset`; those that occurred. */
  readonly failures: Readonly<Record<string, number>>;
  /** Requests a second, from its beginning to the last that completed, or to the end of the run where it is not over: see {@link WorkloadReport.duration}; 0 where none completed. */
  readonly throughput: number;
  /** Bits a second of application data that arrived: answers at the client, a stream at its other end. */
  readonly goodput: number;
  /** All 0 where the workload has no answers to wait for. */
  readonly latency: LatencySummary;
  /**
   * Jain's index over its clients, each with one connection at a time: see fairness.ts. Undefined where nothing is shared: one client, or one that
   * itself picks the connection for each request, as an open loop does.
   */
  readonly fairness: number | undefined;
  /** Longest time in which something was waited for and nothing got through, picoseconds: see {@link WorkloadReport.silence}. */
  readonly silence: number;
  /** By message size, where the workload goes through several (NetPIPE). */
  readonly sizes?: readonly SizeReport[];
}

export interface DomainSummary {
  readonly domain: string;
  readonly host: string;
  readonly vcpus: number;
  /** CPU time spent on work, or on idling where that keeps the pCPU, with what was under way at the end, picoseconds. */
  readonly busy: number;
  /** As a share of one CPU over the run, 1 = one CPU all the time. */
  readonly utilisation: number;
  /** Its threads that did anything, by path, the busiest first; picoseconds. */
  readonly threads: readonly { readonly thread: string; readonly busy: number }[];
  /** What happened to its vCPUs and threads; undefined for a process, whose kernel has both. */
  readonly counts: DomainCounts | undefined;
}

/** Where the time of a host's pCPUs went, beside its domains: with theirs it is all the time that the pCPUs have. Picoseconds. */
export interface HostSummary {
  readonly host: string;
  readonly pcpus: number;
  /** Path of what puts vCPUs on pCPUs; undefined: the host has no hypervisor, and its CPUs are only started. */
  readonly hypervisor: string | undefined;
  /** What that took. */
  readonly overhead: number;
  /** No vCPU had the pCPU, or the one that had it waited for an interrupt. */
  readonly idle: number;
}

/** What one function of the simulated system cost over the run: what has ended, that is. */
export interface FunctionSummary {
  readonly function: string;
  readonly calls: number;
  /** Picoseconds. */
  readonly time: number;
}

/** What crossed one PCI function, and whose it was. */
export interface PciFunctionSummary {
  readonly function: string;
  /** Path of the domain that holds it at the end; undefined: nobody does. */
  readonly domain: string | undefined;
  /** Domains that held it, and for how long in all, picoseconds; the one that held it longest first. */
  readonly holders: readonly { readonly domain: string; readonly time: number }[];
  readonly sent: number;
  readonly received: number;
  readonly dropped: number;
}

/** How many virtual functions of an adapter were held by domains. */
export interface AdapterSummary {
  readonly device: string;
  readonly vfs: number;
  /** Over the run's time. */
  readonly mean: number;
  readonly most: number;
  /** The number over time: from each of these instants on, picoseconds. */
  readonly held: readonly UseFrom[];
}

/** What a run amounts to; the same numbers for the command line, the editor and tests. Times in picoseconds. */
export interface RunReport {
  readonly name: string;
  readonly seed: number;
  /** Simulated time: until the end that was asked for, where the run came to it or had nothing left to do before. */
  readonly time: number;
  /** When the last thing happened. */
  readonly lastEvent: number;
  /** Nothing was left to happen after that. */
  readonly drained: boolean;
  readonly rows: number;
  readonly dispatches: number;
  readonly packets: number;
  readonly workloads: readonly WorkloadSummary[];
  readonly domains: readonly DomainSummary[];
  readonly hosts: readonly HostSummary[];
  /** Frames dropped, by cause, what guards have discarded included; causes that occurred. */
  readonly drops: Readonly<Record<string, number>>;
  /** Faults, violations and timeouts, by name; those that occurred. A violation that ended a frame is among {@link drops} too. */
  readonly incidents: Readonly<Record<string, number>>;
  /**
   * How often boundaries were crossed and data copied; what occurred. A notification is a hypercall and a hypercall a VM exit: each is among
   * the latter. A vCPU switch is the hypervisor's, a thread switch that of a kernel's scheduler. By domain: {@link DomainSummary.counts}.
   */
  readonly tallies: Readonly<Partial<Record<Tally, number>>>;
  /** Bytes that the copies among them moved. */
  readonly copiedBytes: number;
  /** CPU time by function, the dearest first. */
  readonly functions: readonly FunctionSummary[];
  readonly pciFunctions: readonly PciFunctionSummary[];
  /** Adapters with virtual functions. */
  readonly adapters: readonly AdapterSummary[];
  /** Jain's index over the goodput of workloads of one kind, by kind; kinds with two workloads or more. */
  readonly fairness: Readonly<Record<string, number>>;
  /** Segments sent again by all stacks, SYNs included. */
  readonly retransmissions: number;
  /** Changes between network server and direct access, in the order in which they were asked for. */
  readonly switches: readonly SwitchReport[];
  /** Domains that died, and for how long; what the workloads felt of it, of their clients' deaths too, is their longest silence. */
  readonly deaths: readonly Death[];
}

/** What the domains count, and under which name: their functions' rows would leave out that one is a case of another. */
const COUNTED_BY_DOMAIN: readonly (readonly [Tally, keyof DomainCounts])[] = [
  ["VM exit", "exits"], ["hypercall", "hypercalls"], ["notification", "notifications"], ["vCPU switch", "vcpuSwitches"], ["thread switch", "threadSwitches"],
];

/** Sums up a run so far. */
export function report(engine: MachineEngine): RunReport {
  const { machine, toolstacks } = engine.built;
  const { kernel } = machine;
  const end = engine.simulated;
  const drops: Record<string, number> = {};
  const incidents: Record<string, number> = {};
  const tallies: Partial<Record<Tally, number>> = {};
  const functions: FunctionSummary[] = [];
  let copiedBytes = 0;
  for (const { id, name, kind, tally, discards } of kernel.names.functions) {
    const calls = kernel.count(id);
    if (calls === 0) continue;
    if (kind === "drop" || discards === true) drops[name] = calls;
    if (kind === "violation" || kind === "timeout" || kind === "fault") incidents[name] = calls;
    if (tally !== undefined && !COUNTED_BY_DOMAIN.some(([counted]) => counted === tally)) tallies[tally] = (tallies[tally] ?? 0) + calls;
    if (tally === "copy") copiedBytes += kernel.sumOf(id);
    if (kernel.timeIn(id) > 0) functions.push({ function: name, calls, time: kernel.timeIn(id) });
  }
  const domains = domainSummaries(engine);
  for (const [tally, counter] of COUNTED_BY_DOMAIN) {
    const all = domains.reduce((sum, { counts }) => sum + (counts?.[counter] ?? 0), 0);
    if (all > 0) tallies[tally] = all;
  }
  const pathOf = (domain: number): string | undefined => engine.built.domains.find(({ id }) => id === domain)?.path;
  const workloads = [...machine.components.values()].flatMap((m) => m.reports?.(end) ?? []).map(summarize);
  return {
    name: engine.design.name, seed: engine.design.run.seed, time: end, lastEvent: engine.time, drained: engine.drained, rows: engine.rows, dispatches: engine.dispatches,
    packets: machine.packets.length,
    workloads,
    domains, hosts: hostSummaries(engine, domains),
    drops, incidents, tallies, copiedBytes,
    functions: functions.sort((a, b) => b.time - a.time),
    pciFunctions: [...machine.nics.values()].flatMap((nic) => nic.functions.map((unit, f) => ({
      function: unit.path, domain: pathOf(nic.state.owner[f]!),
      holders: nic.use.holdings(f, end).map(({ domain, time }) => ({ domain: pathOf(domain) ?? `domain ${domain}`, time })),
      sent: nic.state.sent[f]!, received: nic.state.received[f]!, dropped: nic.state.dropped[f]!,
    }))),
    adapters: [...machine.nics.values()].filter((nic) => nic.functions.length > 1).map((nic) => adapterSummary(nic, end)),
    fairness: fairnessByKind(workloads),
    retransmissions: [...machine.components.values()].reduce((sum, m) => sum + (m instanceof TcpIp ? m.retransmissions : 0), 0),
    deaths: machine.lifecycle.deaths(),
    switches: toolstacks.flatMap((toolstack) => toolstack.reports()),
  };
}

function domainSummaries({ simulated: time, built: { machine: { cpus }, domains } }: MachineEngine): DomainSummary[] {
  return domains.map(({ id, path, host, vcpus, kernel }) => {
    const busy = cpus.times.ofDomain(id, time);
    const threads = cpus.times.ofThreads(id, time).filter((t) => t.busy > 0).sort((a, b) => b.busy - a.busy);
    return { domain: path, host, vcpus, busy, utilisation: busy / Math.max(time, 1), threads, counts: kernel === undefined ? cpus.vcpus.countsOf(id) : undefined };
  });
}

function hostSummaries({ simulated: time, names, built: { hypervisors } }: MachineEngine, domains: readonly DomainSummary[]): HostSummary[] {
  return hypervisors.map(({ host, hypervisor, cores }) => {
    let overhead = 0;
    for (let p = 0; p < cores; p++) overhead += hypervisor.overheadOf(p, time);
    const busy = domains.reduce((sum, d) => sum + (d.host === host ? d.busy : 0), 0);
    const { path } = names.components[hypervisor.id]!;
    return { host, pcpus: cores, hypervisor: path === host ? undefined : path, overhead, idle: cores * time - busy - overhead };
  });
}

function adapterSummary({ path, functions, use }: Nic, end: number): AdapterSummary {
  const held = use.held();
  const sum = held.reduce((total, step, i) => total + step.held * ((held[i + 1]?.from ?? end) - step.from), 0);
  return { device: path, vfs: functions.length - 1, mean: end > 0 ? sum / end : held.at(-1)!.held, most: Math.max(...held.map((step) => step.held)), held };
}

function summarize(w: WorkloadReport): WorkloadSummary {
  const { latency } = w;
  return {
    workload: w.path, kind: w.kind, requests: w.requests ?? w.sent, beganAgain: w.beganAgain, completed: w.completed, duplicates: w.duplicates, errors: w.errors, failures: w.failures, fairness: w.fairness, silence: w.silence,
    throughput: w.duration > 0 ? (w.completed * 1e12) / w.duration : 0,
    goodput: w.duration > 0 ? (w.bytes * 8e12) / w.duration : 0,
    latency: {
      mean: latency.mean, p50: latency.quantile(0.5), p90: latency.quantile(0.9), p99: latency.quantile(0.99),
      p999: latency.quantile(0.999), p9999: latency.quantile(0.9999), max: latency.most,
    },
    ...(w.sizes === undefined ? {} : { sizes: w.sizes }),
  };
}

function fairnessByKind(workloads: readonly WorkloadSummary[]): Record<string, number> {
  const result: Record<string, number> = {};
  for (const kind of new Set(workloads.map((w) => w.kind))) {
    const same = workloads.filter((w) => w.kind === kind);
    const index = fairness(same.map((w) => w.goodput));
    if (index !== undefined) result[kind] = index;
  }
  return result;
}
