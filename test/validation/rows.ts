import { Comparison } from "./comparison";
import { cpuShare, neighbours, netpipe, serverCrash, sysbench } from "./experiments";
import { nginxRows } from "./nginxRows";
import { missing, ordering, percent, signed, type Kind, type Row } from "./row";
import { storeRows } from "./storeRows";
import { systems, type SystemName } from "./testbed";

const LARGE = 262144;
/** An event computes, and does nothing else: no system has a way to be faster at it. */
const SAME_PROGRAM = "An event takes the same CPU time everywhere, so this shows that the schedulers keep all CPUs busy, and what ticks, switches and VM exits take; not more";
const threadCounts = [1, 10, 20, 40] as const;
const small = [64, 1024, 8192, 65536] as const;

function latency(system: SystemName, paper: number, kind: Kind): Row[] {
  const row = (metric: string, published: number, unit: string, digits: number, ours: () => number): Row => ({
    section: "5.3", system, workload: "NetPIPE, 256 KB", metric, paper: `${published.toLocaleString("en-GB")} ${unit}`, kind,
    measure: () => ({ ours: `${ours().toFixed(digits)} ${unit}`, error: percent(ours(), published) }),
  });
  return [
    row("time one way", paper, "µs", 1, () => netpipe(system, LARGE).microseconds),
    row("throughput", (8 * LARGE) / paper / 1000, "Gb/s", 2, () => netpipe(system, LARGE).gigabits),
  ];
}

/** Throughput of two systems at sizes of NetPIPE. */
function pipes(a: SystemName, b: SystemName, sizes: readonly number[]): Comparison {
  return new Comparison(sizes.map((size) => [netpipe(a, size).gigabits, netpipe(b, size).gigabits]));
}

/** What a neighbour's fault does to the other application of Figure 13(b). */
function neighbour(survivor: "nginx" | "redis", struck: "nginx" | "netsrv", paper: string): Row {
  return ordering("5.8", survivor === "nginx" ? "Nginx, direct" : "Redis, through the server", `${struck === "nginx" ? "Nginx" : "the network server"} crashes`, paper, () => {
    const [before, after] = [neighbours()[survivor], neighbours(struck)[survivor]];
    return {
      ours: `${signed(percent(after.completed, before.completed))} requests answered; the longest silence ${before.silence.toFixed(1)} ms without, ${after.silence.toFixed(1)} ms with the crash`,
      holds: after.silence < before.silence + 1, remark: "The other's requests are missing then, on the link and at the client that both share",
    };
  });
}

/** Every result of the paper's evaluation that its text gives as a number or a sentence. */
export const rows: readonly Row[] = [
  {
    section: "5.1", system: "NetBSD", workload: "NetPIPE", metric: "throughput with adaptive interrupt moderation", paper: "about half", kind: "predicted",
    measure: () => {
      const ratio = netpipe("NetBSD", LARGE, "adaptive").gigabits / netpipe("NetBSD", LARGE).gigabits;
      return { ours: `× ${ratio.toFixed(2)} at 256 KB`, error: percent(ratio, 0.5) };
    },
  },
  missing("5.1", "NetBSD", "macrobenchmarks", "gain by mbufs of 4 KB", "about 10 %", "The length of an mbuf has no cost of its own in the model."),
  ...(["Linux", "NetBSD"] as const).map((other) => ordering("5.2", "LibrettOS-Direct", "Sysbench/CPU, 1 to 40 threads on 20 CPUs", `about the same as ${other}`, () => {
    const rate = (threads: number): number => sysbench("LibrettOS-Direct", threads);
    const { ours, holds } = new Comparison(threadCounts.map((threads) => [rate(threads), sysbench(other, threads)])).alike(5);
    return { ours: `${ours}; ${(rate(20) / rate(1)).toFixed(1)} × by 20 threads`, holds, remark: SAME_PROGRAM };
  })),
  ...latency("LibrettOS-Direct", 282, "fitted"),
  ...latency("LibrettOS-Server", 326, "predicted"),
  ...latency("Linux", 318.9, "fitted"),
  ...latency("NetBSD", 326, "predicted"),
  ...latency("rumprun with netfront", 1983, "predicted"),
  ...(["LibrettOS-Server", "NetBSD"] as const).map((system) =>
    ordering("5.3", system, "NetPIPE, 64 B to 256 KB", "comparable with Linux", () => pipes(system, "Linux", [...small, LARGE]).alike(15))),
  ordering("5.3", "LibrettOS-Direct", "NetPIPE, less than 256 KB", "can be a bit faster than Linux", () => pipes("LibrettOS-Direct", "Linux", small).counted((faster) => faster > 0)),
  ordering("5.3", "LibrettOS-Direct", "NetPIPE, less than 256 KB", "can be a bit faster than NetBSD", () => pipes("LibrettOS-Direct", "NetBSD", small).counted((faster) => faster > 0)),
  ...(["Linux", "NetBSD"] as const).map((other) => ordering("5.3", "LibrettOS-Direct", "NetPIPE, 256 KB", `takes less CPU time than ${other}`, () => {
    const share = (system: SystemName): number => cpuShare(netpipe(system, LARGE).report);
    return { ours: `${(100 * share("LibrettOS-Direct")).toFixed(0)} % of a CPU to ${(100 * share(other)).toFixed(0)} %`, holds: share("LibrettOS-Direct") < share(other) };
  })),
  {
    section: "5.3", system: "LibrettOS-Server", workload: "NetPIPE, 256 KB", metric: "CPU of application and server, against Direct", paper: "1.8 ×", kind: "predicted",
    measure: () => {
      const ratio = cpuShare(netpipe("LibrettOS-Server", LARGE).report) / cpuShare(netpipe("LibrettOS-Direct", LARGE).report);
      return { ours: `${ratio.toFixed(2)} ×`, error: percent(ratio, 1.8), remark: "Polling of empty rings counts as CPU time" };
    },
  },
  missing("5.4", "LibrettOS", "NFS, Sysbench/FileIO", "against NetBSD and Linux", "+9 %", "There is no model of storage yet."),
  ...nginxRows,
  ...storeRows,
  ordering("5.8", "LibrettOS-Server", "Nginx and a second job; the network server crashes", "the job is unaffected, Nginx resumes after the reboot", () => {
    const { jobBefore, jobAfter, completed, outage } = serverCrash();
    return {
      ours: `the job ${Math.abs(percent(jobAfter, jobBefore)).toFixed(2)} % slower or faster; all ${completed} requests answered, the longest silence ${outage.toFixed(0)} ms`,
      holds: Math.abs(percent(jobAfter, jobBefore)) < 1 && completed > 0, remark: "The second job computes; the paper's accesses a file system",
    };
  }),
  neighbour("redis", "nginx", "unaffected by the failure of its neighbour"),
  neighbour("nginx", "netsrv", "unaffected by the failure of the network server"),
];

/** All systems, for the table of NetPIPE by size. */
export function bySize(): readonly { readonly size: number; readonly microseconds: readonly number[] }[] {
  return [...small, LARGE, 524288].map((size) => ({ size, microseconds: systems.map((system) => netpipe(system, size).microseconds) }));
}
