import type { RunReport } from "../../engine/analysis/report";
import { runDesign } from "../support/runDesign";
import { testbed, type Experiment, type SystemName } from "./testbed";

const known = new Map<string, RunReport>();

/** Runs an experiment, once however often it is asked for. */
export function run(system: SystemName, experiment: Experiment): RunReport {
  const text = testbed(system, experiment);
  let result = known.get(text);
  if (result === undefined) known.set(text, (result = runDesign(text).report));
  return result;
}

/** NetPIPE with messages of one size. @returns the time one way in microseconds and the throughput in Gb/s */
export function netpipe(system: SystemName, size: number, costs?: readonly string[]): { readonly microseconds: number; readonly gigabits: number; readonly report: RunReport } {
  const repeats = size >= 65536 ? 60 : 200;
  const report = run(system, {
    application: "netpipe-server", vcpus: 2, until: "5s", ...(costs === undefined ? {} : { costs }),
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
 * ApacheBench against the HTTP server: a connection for each request, as `ab` makes without -k. The paper does not say how many workers
 * Nginx had; its default is one.
 * @returns requests a second
 */
export function nginx(system: SystemName, size: string, concurrency: number): number {
  return run(system, {
    application: "http-server: { workers: 1 }", vcpus: 2, until: "20s",
    workloads: [`http: { from: client, to: app, size: ${size}, concurrency: ${concurrency}, requests: 1000, keepalive: off }`],
  }).workloads[0]!.throughput;
}

/** Sysbench/CPU: events a second of two threads on two vCPUs. */
export function sysbench(system: SystemName): number {
  return run(system, { application: "compute: { threads: 2, burst: 1ms, events: 400 }", vcpus: 2, until: "5s", workloads: [] }).workloads[0]!.throughput;
}
