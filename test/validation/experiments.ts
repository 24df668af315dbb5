import type { RunReport } from "../../engine/analysis/report";
import { runDesign } from "../support/runDesign";
import { testbed, twoApplications, type AnySystem, type Experiment, type SystemName } from "./testbed";

const known = new Map<string, RunReport>();

/** Runs an experiment, once however often it is asked for. */
export function run(system: AnySystem, experiment: Experiment): RunReport {
  return runText(testbed(system, experiment));
}

function runText(text: string): RunReport {
  let result = known.get(text);
  if (result === undefined) known.set(text, (result = runDesign(text).report));
  return result;
}

/**
 * NetPIPE with messages of one size.
 * @param moderation of the server's adapter; without it, as the system does
 * @returns the time one way in microseconds and the throughput in Gb/s
 */
export function netpipe(system: SystemName, size: number, moderation?: "adaptive", costs?: readonly string[]): { readonly microseconds: number; readonly gigabits: number; readonly report: RunReport } {
  const repeats = size >= 65536 ? 60 : 200;
  const report = run(system, {
    application: "netpipe-server", vcpus: 2, until: "5s", moderation, costs,
    workloads: [`netpipe: { from: client, to: app, smallest: ${size}, largest: ${size}, repeats: ${repeats} }`],
  });
  const { oneWay, throughput } = report.workloads[0]!.sizes![0]!;
  return { microseconds: oneWay / 1e6, gigabits: throughput / 1e9, report };
}

/**
 * CPU time of all threads of the server's host, as a share of one CPU over the time that the workload took. What idle vCPUs poll is nobody's, and
 * left out: those of LibrettOS never halt, yet the paper measured less CPU time with LibrettOS than with Linux.
 */
export function cpuShare(report: RunReport): number {
  const { completed, throughput } = report.workloads[0]!;
  const threads = report.domains.filter(({ domain }) => domain.startsWith("server/")).flatMap((domain) => domain.threads);
  return threads.reduce((sum, { busy }) => sum + busy, 0) / ((completed / throughput) * 1e12);
}

/**
 * ApacheBench, which has one thread, against the HTTP server. The paper says neither how many workers Nginx had (its default is one) nor
 * whether `ab` kept its connections (its default is not to).
 * @returns requests a second
 */
export function nginx(system: SystemName, size: string, concurrency: number, keepalive = false): number {
  return run(system, {
    application: "http-server: { workers: 1 }", vcpus: 2, until: "20s", manyQueues: true,
    workloads: [`http: { from: client, to: app, size: ${size}, threads: 1, concurrency: ${concurrency}, requests: 1000, keepalive: ${keepalive ? "on" : "off"} }`],
  }).workloads[0]!.throughput;
}

/**
 * memtier_benchmark, of whose threads each has ten connections, against memcached with its default of four threads: a SET to ten GETs over the
 * binary protocol (paper, section 5.6). Each client performs 40 operations or more, where the paper's perform 100,000.
 * @returns operations a second
 */
export function memcached(system: SystemName, value: string, threads: number): number {
  return run(system, {
    application: "memcached: { threads: 4 }", vcpus: 8, until: "5s", manyQueues: true,
    workloads: [`memcached: { from: client, to: app, value: ${value}, sets: 1, gets: 10, threads: ${threads}, concurrency: ${10 * threads}, requests: ${Math.max(2000, 400 * threads)} }`],
  }).workloads[0]!.throughput;
}

/**
 * redis-benchmark, which has one thread, against Redis, which has one as well: SETs or GETs of 128 bytes in pipelines of 1000 (paper, section
 * 5.7). Each connection writes three pipelines or more; the paper's runs have 1,000,000 operations.
 * @returns operations a second
 */
export function redis(system: SystemName, command: "SET" | "GET", connections: number): number {
  const mix = command === "SET" ? "sets: 1, gets: 0" : "sets: 0, gets: 1";
  return run(system, {
    application: "key-value-store", vcpus: 2, until: "5s", manyQueues: true,
    workloads: [`key-value: { from: client, to: app, value: 128B, ${mix}, pipeline: 1000, threads: 1, concurrency: ${connections}, requests: ${Math.max(20_000, 3000 * connections)} }`],
  }).workloads[0]!.throughput;
}

/**
 * An HTTP server that goes from the network server to direct access after a quarter of the time and back after three quarters, over
 * connections that stay.
 * @returns requests a second over all of it, and what each switch took, milliseconds
 */
export function hybrid(): { readonly throughput: number; readonly switches: readonly number[] } {
  const { workloads, switches } = run("LibrettOS-Hybrid", {
    application: "http-server: { workers: 1 }", vcpus: 2, until: "2410ms", manyQueues: true,
    workloads: ["http: { from: client, to: app, size: 8KiB, threads: 1, concurrency: 20, requests: 10000000, keepalive: on }"],
    more: ["switches:", "  - { at: 610ms, switch: app, to: direct }", "  - { at: 1810ms, switch: app, to: server }"],
  });
  return { throughput: workloads[0]!.throughput, switches: switches.map(({ duration }) => (duration ?? NaN) / 1e9) };
}

/**
 * Two jobs behind one application, and the network server crashes under it: one answers requests, the other computes (paper, section 5.8).
 * @returns events of the second job in a run without and with the crash, requests answered, and the longest silence, milliseconds
 */
export function serverCrash(): { readonly jobBefore: number; readonly jobAfter: number; readonly completed: number; readonly outage: number } {
  const experiment: Experiment = {
    application: "echo\n          - compute: { threads: 1, burst: 1ms, events: 1500 }", vcpus: 3, until: "3s",
    workloads: ["open-loop: { from: client, to: app, arrivals: periodic, interval: 1ms, requests: 1500, size: 1KiB, concurrency: 8 }"],
  };
  const events = (report: RunReport): number => report.workloads.find(({ kind }) => kind === "sysbench-cpu")!.throughput;
  const undisturbed = run("LibrettOS-Server", experiment);
  const struck = run("LibrettOS-Server", { ...experiment, more: ["faults:", "  - { at: 400ms, crash: netsrv, restart: 500ms }"] });
  const web = struck.workloads.find(({ kind }) => kind === "open-loop")!;
  return { jobBefore: events(undisturbed), jobAfter: events(struck), completed: web.completed, outage: web.silence / 1e9 };
}

/**
 * Nginx with direct access beside Redis behind the network server, and a fault (paper, section 5.8 and Figure 13b).
 * @param struck the domain that crashes at 100 ms; without it, nothing happens
 * @returns what each has answered after 300 ms, and its longest silence, milliseconds
 */
export function neighbours(struck?: "nginx" | "netsrv"): Readonly<Record<"nginx" | "redis", { readonly completed: number; readonly silence: number }>> {
  const { workloads } = runText(twoApplications({
    until: "300ms",
    workloads: [
      "http: { from: client, to: nginx, size: 8KiB, concurrency: 4, requests: 10000000 }",
      "key-value: { from: client, to: redis, value: 128B, concurrency: 4, requests: 10000000 }",
    ],
    ...(struck === undefined ? {} : { more: ["faults:", `  - { at: 100ms, crash: ${struck} }`] }),
  }));
  const of = (kind: string): { completed: number; silence: number } => {
    const { completed, silence } = workloads.find((w) => w.kind === kind)!;
    return { completed, silence: silence / 1e9 };
  };
  return { nginx: of("http"), redis: of("key-value") };
}

/** Sysbench/CPU: events a second of so many threads on all of the 20 CPUs, a hundred events of 1 ms for each thread. */
export function sysbench(system: SystemName, threads: number): number {
  return run(system, { application: `compute: { threads: ${threads}, burst: 1ms, events: ${100 * threads} }`, vcpus: 20, until: "10s", workloads: [] }).workloads[0]!.throughput;
}
