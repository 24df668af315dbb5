import type { RunReport } from "../analysis/report";
import type { QueueSummary } from "../analysis/queueDepths";
import { table } from "./table";

/** Rows of a table of what cost most. */
const MOST = 12;

/**
 * What `exoscope run` prints.
 * @param fingerprint left out where the rows have not been read
 * @param queues lengths over the run; with them, where the time went is told in detail
 */
export function summary(report: RunReport, fingerprint?: string, wallSeconds?: number, queues?: readonly QueueSummary[]): string {
  const parts = [
    `${report.name}: ${duration(report.time)} simulated${wallSeconds === undefined ? "" : ` in ${wallSeconds.toFixed(1)} s`}, ${report.drained ? `nothing left to do after ${duration(report.lastEvent)}` : `last event at ${duration(report.lastEvent)}, more after the end`}; ${count(report.rows)} rows, ${count(report.dispatches)} events, ${count(report.packets)} packets; seed ${report.seed}`,
  ];
  if (report.workloads.length > 0) {
    parts.push(table(
      ["workload", "completed", "requests/s", "goodput", "p50", "p99", "p99.9", "p99.99", "max", "errors", "fairness", "longest silence"],
      report.workloads.map((w) => [
        w.workload, `${w.completed} of ${w.requests}`, perSecond(w.throughput), rate(w.goodput),
        ...[w.latency.p50, w.latency.p99, w.latency.p999, w.latency.p9999, w.latency.max].map((t) => (w.latency.max > 0 ? duration(t) : "–")), `${w.errors}`,
        w.fairness?.toFixed(3) ?? "–", duration(w.silence),
      ]),
    ));
    const failed = report.workloads.filter((w) => w.errors > 0).map((w) => `${w.workload}: ${Object.entries(w.failures).map(([why, n]) => `${count(n)} × ${why}`).join(", ")}`);
    if (failed.length > 0) parts.push(`Errors: ${failed.join("; ")}.`);
    const again = report.workloads.filter((w) => w.beganAgain.length > 0).map((w) => `${w.workload} at ${w.beganAgain.map(duration).join(", ")}`);
    if (again.length > 0) parts.push(`Began again, with all that they ask for, as their clients had died: ${again.join("; ")}. What they did before counts as well.`);
    const doubled = report.workloads.filter((w) => w.duplicates > 0).map((w) => `${w.workload}: ${count(w.duplicates)}`);
    if (doubled.length > 0) parts.push(`Duplicates, which are not among what is completed: ${doubled.join("; ")}.`);
    for (const { workload, sizes } of report.workloads) {
      if (sizes === undefined) continue;
      parts.push(`${workload}: half a round trip by message size\n${table(
        ["bytes", "messages", "one way", "throughput"],
        sizes.map((s) => [count(s.size), count(s.messages), s.messages > 0 ? duration(s.oneWay) : "–", s.messages > 0 ? rate(s.throughput) : "–"]),
      )}`);
    }
  }
  parts.push(cpuTimes(report));
  const crossings = crossingsOf(report);
  if (crossings.length > 0) parts.push(`${crossings.join(", ")}.`);
  if (queues !== undefined) parts.push(...details(report, queues));
  const drops = Object.entries(report.drops);
  parts.push(drops.length === 0 ? "No frame was dropped." : table(["dropped", "frames"], drops.map(([cause, n]) => [cause, count(n)])));
  const incidents = Object.entries(report.incidents);
  if (incidents.length > 0) parts.push(table(["incident", "times"], incidents.map(([name, n]) => [name, count(n)])));
  if (report.switches.length > 0) {
    parts.push(table(
      ["switch", "at", "to", "outcome", "took", "silence after it", "lost at the server"],
      report.switches.map((s) => [
        s.application, duration(s.asked), s.to, s.outcome, ...[s.duration, s.silence].map((t) => (t === undefined ? "–" : duration(t))), count(s.lost),
      ]),
    ));
  }
  if (report.deaths.length > 0) {
    parts.push(table(["died", "at", "by", "was away for"], report.deaths.map((d) => [d.domain, duration(d.at), d.cause, d.down === undefined ? "the rest" : duration(d.down)])));
  }
  if (report.retransmissions > 0) parts.push(`TCP sent ${count(report.retransmissions)} segments again.`);
  if (fingerprint !== undefined) parts.push(`fingerprint ${fingerprint}`);
  return parts.join("\n\n");
}

/** A rate for people: whole where it is large, else three digits of it. */
function perSecond(throughput: number): string {
  return count(throughput < 100 ? Number(throughput.toPrecision(3)) : Math.round(throughput));
}

/** Where the time of all pCPUs went, by domain, and what its vCPUs went through: a notification counts as hypercall too, a hypercall as VM exit. */
function cpuTimes(report: RunReport): string {
  const share = (busy: number): string[] => [duration(busy), `${((100 * busy) / Math.max(report.time, 1)).toFixed(1)}%`];
  const none = Array.from({ length: 5 }, () => "–");
  return table(
    ["domain", "vCPUs", "CPU time", "of one CPU", "VM exits", "hypercalls", "notifications", "vCPU switches", "thread switches"],
    report.hosts.flatMap(({ host, pcpus, hypervisor, overhead, idle }) => [
      ...report.domains.filter((d) => d.host === host).map(({ domain, vcpus, busy, counts: c }) => [
        domain, `${vcpus}`, ...share(busy), ...(c === undefined ? none : [c.exits, c.hypercalls, c.notifications, c.vcpuSwitches, c.threadSwitches].map(count)),
      ]),
      ...(overhead > 0 ? [[hypervisor ?? `${host}, starting pCPUs`, "–", ...share(overhead), ...none]] : []),
      [`${host}, idle pCPUs of ${pcpus}`, "–", ...share(idle), ...none],
    ]),
  );
}

function crossingsOf({ tallies, copiedBytes }: RunReport): string[] {
  const { copy, hypercall, notification, "VM exit": exits, ...others } = tallies;
  const among = hypercall === undefined ? "" : ` (${count(hypercall)} of them ${plural("hypercall", hypercall)}${notification === undefined ? "" : `, of which ${count(notification)} ${plural("notification", notification)}`})`;
  return [
    ...(copy === undefined ? [] : [`${count(copy)} ${copy === 1 ? "copy" : "copies"} (${count(copiedBytes)} bytes)`]),
    ...(exits === undefined ? [] : [`${count(exits)} ${plural("VM exit", exits)}${among}`]),
    ...Object.entries(others).map(([what, n]) => `${count(n)} ${plural(what, n)}`),
  ];
}

function details(report: RunReport, queues: readonly QueueSummary[]): string[] {
  const threads = report.domains.flatMap((d) => d.threads).sort((a, b) => b.busy - a.busy).slice(0, MOST);
  const parts = [
    table(["thread", "CPU time"], threads.map((t) => [t.thread, duration(t.busy)])),
    table(["function", "calls", "CPU time"], report.functions.slice(0, MOST).map((f) => [f.function, count(f.calls), duration(f.time)])),
    table(
      ["PCI function", "held by, for", "at the end by", "sent", "received", "dropped"],
      report.pciFunctions.map((f) => [
        f.function, f.holders.map(({ domain, time }) => `${domain} ${duration(time)}`).join(", ") || "nobody", f.domain ?? "nobody", count(f.sent), count(f.received), count(f.dropped),
      ]),
    ),
  ];
  if (report.adapters.length > 0) {
    parts.push(table(
      ["adapter", "VFs", "held on average", "most at once", "changes"],
      report.adapters.map((a) => [a.device, `${a.vfs}`, a.mean.toFixed(2), `${a.most}`, count(a.held.length - 1)]),
    ));
  }
  if (queues.length > 0) {
    parts.push(table(
      ["queue", "room", "mean", "p99", "longest"],
      queues.slice(0, MOST).map((q) => [q.queue, q.capacity === 0 ? "–" : count(q.capacity), q.mean.toFixed(4), `${q.p99}`, `${q.max}`]),
    ));
  }
  const shares = Object.entries(report.fairness);
  if (shares.length > 0) parts.push(`Jain's index among workloads of one kind: ${shares.map(([kind, index]) => `${kind} ${index.toFixed(3)}`).join(", ")}.`);
  return parts;
}

function plural(noun: string, n: number): string {
  return n === 1 ? noun : noun.endsWith("ch") ? `${noun}es` : `${noun}s`;
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
