import type { RunReport } from "../analysis/report";
import { table } from "./table";

/** The table that `exoscope run` prints. */
export function summary(report: RunReport, fingerprint: string, wallSeconds: number): string {
  const parts = [
    `${report.name}: ${duration(report.time)} simulated in ${wallSeconds.toFixed(1)} s; ${count(report.rows)} rows, ${count(report.dispatches)} events, ${count(report.packets)} packets; seed ${report.seed}`,
  ];
  if (report.workloads.length > 0) {
    parts.push(table(
      ["workload", "completed", "requests/s", "goodput", "p50", "p99", "max", "errors"],
      report.workloads.map((w) => [
        w.workload, `${w.completed} of ${w.requests}`, count(Math.round(w.throughput)), rate(w.goodput),
        ...[w.latency.p50, w.latency.p99, w.latency.max].map((t) => (w.latency.max > 0 ? duration(t) : "–")), `${w.errors}`,
      ]),
    ));
    for (const { workload, sizes } of report.workloads) {
      if (sizes === undefined) continue;
      parts.push(`${workload}: half a round trip by message size\n${table(
        ["bytes", "messages", "one way", "throughput"],
        sizes.map((s) => [count(s.size), count(s.messages), s.messages > 0 ? duration(s.oneWay) : "–", s.messages > 0 ? rate(s.throughput) : "–"]),
      )}`);
    }
  }
  parts.push(table(
    ["domain", "vCPUs", "CPU time", "of one CPU"],
    report.domains.map((d) => [d.domain, `${d.vcpus}`, duration(d.busy), `${(100 * d.utilisation).toFixed(1)}%`]),
  ));
  const drops = Object.entries(report.drops);
  parts.push(drops.length === 0 ? "No frame was dropped." : table(["dropped", "frames"], drops.map(([cause, n]) => [cause, count(n)])));
  const incidents = Object.entries(report.incidents);
  if (incidents.length > 0) parts.push(table(["incident", "times"], incidents.map(([name, n]) => [name, count(n)])));
  if (report.retransmissions > 0) parts.push(`TCP sent ${count(report.retransmissions)} segments again.`);
  parts.push(`fingerprint ${fingerprint}`);
  return parts.join("\n\n");
}

/** Picoseconds for people: three significant digits or more. */
export function duration(picoseconds: number): string {
  const units = [[1e12, "s"], [1e9, "ms"], [1e6, "µs"], [1e3, "ns"]] as const;
  for (const [size, unit] of units) if (picoseconds >= size) return `${(picoseconds / size).toFixed(picoseconds / size >= 100 ? 1 : 2)} ${unit}`;
  return `${picoseconds} ps`;
}

function rate(bitsPerSecond: number): string {
  const units = [[1e9, "Gb/s"], [1e6, "Mb/s"], [1e3, "kb/s"]] as const;
  for (const [size, unit] of units) if (bitsPerSecond >= size) return `${(bitsPerSecond / size).toFixed(2)} ${unit}`;
  return `${bitsPerSecond.toFixed(0)} b/s`;
}

function count(n: number): string {
  return n.toLocaleString("en-GB");
}
