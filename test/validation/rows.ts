import { cpuShare, hybrid, netpipe, nginx, serverCrash, sysbench } from "./experiments";
import { systems, type SystemName } from "./testbed";

/** What a row is: a point that a cost was fitted on, a prediction, or what has no model. */
export type Kind = "fitted" | "predicted" | "not simulated";

export interface Row {
  /** Section of the LibrettOS paper (VEE 2020). */
  readonly section: string;
  readonly system: string;
  readonly workload: string;
  readonly metric: string;
  readonly paper: string;
  readonly kind: Kind;
  /** What the simulation says; with the error in percent where both are numbers, or whether a statement holds. */
  measure(): Result;
}

export interface Result {
  readonly ours: string;
  readonly error?: number;
  readonly holds?: boolean;
  readonly remark?: string;
}

const LARGE = 262144;
/** Sizes and concurrencies of the Nginx comparison; the paper's figure has no numbers on its axes' points. */
const sizes = ["1KiB", "4KiB", "8KiB", "16KiB", "32KiB", "64KiB", "128KiB"] as const;
const concurrencies = [1, 10, 20, 50] as const;

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

/** The gain of one system over another, in percent. */
function gain(a: SystemName, b: SystemName, size: string, concurrency: number): number {
  return percent(nginx(a, size, concurrency), nginx(b, size, concurrency));
}

function percent(ours: number, published: number): number {
  return 100 * (ours / published - 1);
}

/** Counts the points of the Nginx comparison at which one system is faster than another. */
function faster(a: SystemName, b: SystemName, among: readonly string[] = sizes): { readonly count: number; readonly of: number } {
  let count = 0;
  for (const size of among) for (const c of concurrencies) if (nginx(a, size, c) > nginx(b, size, c)) count++;
  return { count, of: among.length * concurrencies.length };
}

function ordering(section: string, system: string, workload: string, paper: string, measure: () => Result): Row {
  return { section, system, workload, metric: "ordering", paper, kind: "predicted", measure };
}

function missing(section: string, system: string, workload: string, metric: string, paper: string, ours: string): Row {
  return { section, system, workload, metric, paper, kind: "not simulated", measure: () => ({ ours }) };
}

function switchCost(direction: string, published: number, at: 0 | 1): Row {
  return {
    section: "5.5", system: "LibrettOS-Hybrid", workload: "Nginx, concurrency 20", metric: `switch ${direction}`, paper: `${published} ms`, kind: "fitted",
    measure: () => {
      const taken = hybrid().switches[at]!;
      return { ours: `${taken.toFixed(1)} ms`, error: percent(taken, published), remark: "To a physical function, as in the prototype; its parts are in the table of costs below" };
    },
  };
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
  ordering("5.2", "all", "Sysbench/CPU", "LibrettOS, Linux and NetBSD about the same", () => {
    const rates = (["LibrettOS-Direct", "Linux", "NetBSD"] as const).map(sysbench);
    const spread = percent(Math.max(...rates), Math.min(...rates));
    return { ours: `${rates.map((r) => r.toFixed(0)).join(", ")} events/s; ${spread.toFixed(1)} % apart`, holds: spread < 5 };
  }),
  ...latency("LibrettOS-Direct", 282, "fitted"),
  ...latency("LibrettOS-Server", 326, "predicted"),
  ...latency("Linux", 318.9, "fitted"),
  ...latency("NetBSD", 326, "predicted"),
  ...latency("rumprun with netfront", 1983, "predicted"),
  ordering("5.3", "LibrettOS-Direct", "NetPIPE, less than 256 KB", "a bit faster than Linux or NetBSD", () => {
    const small = [64, 1024, 8192, 65536];
    const wins = small.filter((size) => {
      const direct = netpipe("LibrettOS-Direct", size).microseconds;
      return direct < netpipe("Linux", size).microseconds || direct < netpipe("NetBSD", size).microseconds;
    });
    return { ours: `faster than one of them at ${wins.length} of ${small.length} sizes`, holds: wins.length > small.length / 2 };
  }),
  {
    section: "5.3", system: "LibrettOS-Server", workload: "NetPIPE, 256 KB", metric: "CPU of application and server, against Direct", paper: "1.8 ×", kind: "predicted",
    measure: () => {
      const ratio = cpuShare(netpipe("LibrettOS-Server", LARGE).report) / cpuShare(netpipe("LibrettOS-Direct", LARGE).report);
      return { ours: `${ratio.toFixed(2)} ×`, error: percent(ratio, 1.8), remark: "Polling of empty rings counts as CPU time" };
    },
  },
  missing("5.4", "LibrettOS", "NFS, Sysbench/FileIO", "against NetBSD and Linux", "+9 %", "There is no model of storage yet."),
  {
    section: "5.5", system: "LibrettOS-Direct", workload: "Nginx, 8 KB, concurrency 50", metric: "against NetBSD", paper: "+66 %", kind: "predicted",
    measure: () => difference(gain("LibrettOS-Direct", "NetBSD", "8KiB", 50), 66),
  },
  {
    section: "5.5", system: "LibrettOS-Direct", workload: "Nginx, 8 KB, concurrency 50", metric: "against Linux", paper: "+27 %", kind: "predicted",
    measure: () => difference(gain("LibrettOS-Direct", "Linux", "8KiB", 50), 27),
  },
  ordering("5.5", "LibrettOS, both modes", "Nginx, all points", "always faster than NetBSD", () => {
    const [direct, server] = [faster("LibrettOS-Direct", "NetBSD"), faster("LibrettOS-Server", "NetBSD")];
    return { ours: `Direct at ${direct.count} of ${direct.of}, Server at ${server.count} of ${server.of} points`, holds: direct.count === direct.of && server.count === server.of };
  }),
  ordering("5.5", "LibrettOS-Direct", "Nginx, 128 KB", "not faster than Linux", () => {
    const { count, of } = faster("LibrettOS-Direct", "Linux", ["128KiB"]);
    return { ours: `faster at ${count} of ${of} points`, holds: count === 0 };
  }),
  ordering("5.5", "LibrettOS-Direct", "Nginx, less than 128 KB", "faster than Linux", () => {
    const { count, of } = faster("LibrettOS-Direct", "Linux", sizes.filter((size) => size !== "128KiB"));
    return { ours: `faster at ${count} of ${of} points`, holds: count === of };
  }),
  ordering("5.5", "LibrettOS-Server", "Nginx", "faster than Linux in many, not all cases", () => {
    const { count, of } = faster("LibrettOS-Server", "Linux");
    return { ours: `faster at ${count} of ${of} points`, holds: count >= of / 3 && count < of };
  }),
  switchCost("server → direct", 56, 0),
  switchCost("direct → server", 69, 1),
  ordering("5.5", "LibrettOS-Hybrid", "Nginx, concurrency 20, half of the time in each mode", "above Server, Linux and NetBSD", () => {
    const rates = { hybrid: hybrid().throughput, server: nginx("LibrettOS-Server", "8KiB", 20, true), linux: nginx("Linux", "8KiB", 20, true), netbsd: nginx("NetBSD", "8KiB", 20, true) };
    const text = Object.entries(rates).map(([name, rate]) => `${name} ${Math.round(rate).toLocaleString("en-GB")}`).join(", ");
    return {
      ours: `${text} requests/s`, holds: rates.hybrid > Math.max(rates.server, rates.linux, rates.netbsd),
      remark: "1.2 s in each mode; after a switch, connections that lost a frame wait for a retransmission timeout, of 1 s at least in NetBSD",
    };
  }),
  missing("5.6", "all", "memcached, memtier 1:10", "ordering", "Direct ≈ Linux > Server > NetBSD", "There is no model of memcached yet."),
  missing("5.7", "all", "Redis, pipeline of 1000", "ordering", "GET close to Linux, SET below; NetBSD much slower", "The key-value store serves no pipelined requests yet."),
  ordering("5.8", "LibrettOS-Server", "Nginx and a second job; the network server crashes", "the job is unaffected, Nginx resumes after the reboot", () => {
    const { jobBefore, jobAfter, completed, outage } = serverCrash();
    return {
      ours: `the job ${percent(jobAfter, jobBefore).toFixed(2)} % slower or faster; all ${completed} requests answered, the longest silence ${outage.toFixed(0)} ms`,
      holds: Math.abs(percent(jobAfter, jobBefore)) < 1 && completed > 0, remark: "The second job computes; the paper's accesses a file system.",
    };
  }),
];

/** Two differences in percent, told apart by their distance in points. */
function difference(ours: number, published: number): Result {
  const sign = ours >= 0 ? "+" : "−";
  return { ours: `${sign}${Math.abs(ours).toFixed(0)} %`, remark: `${(ours - published).toFixed(0)} points from the paper` };
}

/** All systems, for the table of NetPIPE by size. */
export function bySize(): readonly { readonly size: number; readonly microseconds: readonly number[] }[] {
  return [64, 1024, 8192, 65536, LARGE, 524288].map((size) => ({ size, microseconds: systems.map((system) => netpipe(system, size).microseconds) }));
}
