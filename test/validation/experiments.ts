import type { RunReport } from "../../engine/analysis/report";
import { runDesign } from "../support/runDesign";
import { testbed, type AnySystem, type Experiment, type SystemName } from "./testbed";

const known = new Map<string, RunReport>();

/** Runs an experiment, once however often it is asked for. */
export function run(system: AnySystem, experiment: Experiment): RunReport {
  const text = testbed(system, experiment);
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

/** CPU time of all domains of the server's host, as a share of one CPU over the time that the workload took. */
export function cpuShare(report: RunReport): number {
  const { completed, throughput } = report.workloads[0]!;
  const busy = report.domains.filter(({ domain }) => domain.startsWith("server/")).reduce((sum, d) => sum + d.busy, 0);
  return busy / ((completed / throughput) * 1e12);
}

/**
 * ApacheBench against the HTTP server. The paper says neither how many workers Nginx had (its default is one) nor whether `ab` kept its
 * connections (its default is not to).
 * @returns requests a second
 */
export function nginx(system: SystemName, size: string, concurrency: number, keepalive = false): number {
  return run(system, {
    application: "http-server: { workers: 1 }", vcpus: 2, until: "20s",
    workloads: [`http: { from: client, to: app, size: ${size}, concurrency: ${concurrency}, requests: 1000, keepalive: ${keepalive ? "on" : "off"} }`],
  }).workloads[0]!.throughput;
}

/**
 * An HTTP server that goes from the network server to direct access after a quarter of the time and back after three quarters, over
 * connections that stay.
 * @returns requests a second over all of it, and what each switch took, milliseconds
 */
export function hybrid(): { readonly throughput: number; readonly switches: readonly number[] } {
  const { workloads, switches } = run("LibrettOS-Hybrid", {
    application: "http-server: { workers: 1 }", vcpus: 2, until: "2410ms",
    workloads: ["http: { from: client, to: app, size: 8KiB, concurrency: 20, requests: 10000000, keepalive: on }"],
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

/** Sysbench/CPU: events a second of two threads on two vCPUs. */
export function sysbench(system: SystemName): number {
  return run(system, { application: "compute: { threads: 2, burst: 1ms, events: 400 }", vcpus: 2, until: "5s", workloads: [] }).workloads[0]!.throughput;
}
