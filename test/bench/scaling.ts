import { table } from "../../engine/cli/table";
import { createEngine, type MachineEngine } from "../../engine/create";
import type { Design } from "../../engine/design/model";
import { designOf } from "../support/runDesign";
import { cpuTime, least, memoryInUse, number, type Section } from "./section";

const ROUNDS = 3;
/** Requests in all, however many share them. */
const REQUESTS = 20_000;
const REQUESTS_OF_CONNECTIONS = 20_000;
/** Dispatches of a long run. */
const LENGTHS = [100_000, 1_000_000, 10_000_000];
/** Applications behind one network server: its portmap tells 64 apart. */
const BEHIND_ONE_SERVER = 50;
/** Dispatches between two looks at whether all requests are answered. */
const SLICE = 2000;

/** Time and memory as designs and runs grow. */
export const scaling: Section = {
  name: "scaling",
  title: "Growing designs and runs",
  async run() {
    const applications = await series([1, 10, 50, 100, 200], manyApplications);
    const connections = await series([1, 10, 100, 1000, 10_000], manyConnections);
    const lengths = await lengthsOfRuns();
    return [
      `CPU time and memory as one thing grows and the number of requests stays. Time grows as the exponent says: 1 is in proportion, with as many requests for each application or connection. The least of ${ROUNDS} interleaved measurements. Memory is what the process holds for the machine, beside its trace and its packets.`,
      table(
        ["applications", "requests", "events", "ns an event", "µs a request", "building, ms", "machine, MiB"],
        applications.map(({ size, requests, events, seconds, build, bytes }) => [
          number(size), number(requests), number(events), perEvent(seconds, events), ((seconds / requests) * 1e6).toFixed(1), (build * 1e3).toFixed(0), mebibytes(bytes),
        ]),
      ),
      `Time grows with the applications of one host as n^${exponent(applications, ({ seconds, events }) => seconds / events)} by what an event takes and as n^${exponent(applications, ({ seconds, requests }) => seconds / requests)} by what a request takes; from ${BEHIND_ONE_SERVER} on, where the machine has outgrown the processor's cache, as n^${exponent(applications.slice(2), ({ seconds, events }) => seconds / events)} and n^${exponent(applications.slice(2), ({ seconds, requests }) => seconds / requests)}. At most ${BEHIND_ONE_SERVER} are behind one network server, with a connection each; each ARP request goes to all of them, and every pCPU has its ticks, so that events do not grow as requests do.`,
      table(
        ["connections", "requests", "events", "ns an event", "µs a request", "machine, MiB"],
        connections.map(({ size, requests, events, seconds, bytes }) => [
          number(size), number(requests), number(events), perEvent(seconds, events), ((seconds / requests) * 1e6).toFixed(1), mebibytes(bytes),
        ]),
      ),
      `Time grows with the connections to one server as n^${exponent(connections, ({ seconds, events }) => seconds / events)}, by what an event takes: opening and closing are work of their own.`,
      table(
        ["events", "ns an event", "trace, MiB", "bytes an event"],
        lengths.map(({ size, seconds, traceBytes }) => [number(size), perEvent(seconds, size), mebibytes(traceBytes), (traceBytes / size).toFixed(1)]),
      ),
      `Time grows with the length of a run as n^${exponent(lengths, ({ seconds, size }) => seconds / size)}.`,
    ];
  },
};

interface Measured {
  /** CPU seconds from the first event to the last answer. */
  readonly seconds: number;
  /** CPU seconds to build the machine. */
  readonly build: number;
  readonly events: number;
  readonly requests: number;
  /** Memory that the process holds for the machine when it is built. */
  readonly bytes: number;
  readonly engine: MachineEngine;
}

type Point = Measured & { readonly size: number };

/** Measures each size, {@link ROUNDS} times in turn, after once to compile. */
async function series(sizes: readonly number[], text: (size: number) => string): Promise<Point[]> {
  const designs = sizes.map((size) => designOf(text(size)));
  const runs = designs.map((): Measured[] => []);
  // Once without measuring, and held, since what was compiled for a machine lives as long as it does.
  const first = await answered(designs.at(-1)!);
  for (let round = 0; round < ROUNDS; round++) for (const [d, design] of designs.entries()) runs[d]!.push(await answered(design));
  const best = (of: readonly Measured[], key: "seconds" | "build" | "bytes"): number => least(of.map((one) => one[key]));
  return runs.map((of, d) => ({ ...(of[0] ?? first), size: sizes[d]!, seconds: best(of, "seconds"), build: best(of, "build"), bytes: best(of, "bytes") }));
}

/** Runs a design until its clients have all their answers. @throws Error if it ends before */
async function answered(design: Design): Promise<Measured> {
  const before = await memoryInUse();
  let start = cpuTime();
  const engine = createEngine(design);
  const build = cpuTime() - start;
  const bytes = (await memoryInUse()) - before;
  let seconds = 0;
  let requests = 0;
  for (let all = false; !all; ) {
    start = cpuTime();
    for (let i = 0; i < SLICE; i++) if (!engine.dispatch()) throw new Error("a design's run ended before its requests");
    seconds += cpuTime() - start;
    const workloads = reportsOf(engine);
    requests = workloads.reduce((sum, { completed }) => sum + completed, 0);
    all = workloads.every((workload) => workload.completed + workload.errors >= (workload.requests ?? 0));
  }
  return { seconds, build, bytes, events: engine.dispatches, requests, engine };
}

function reportsOf({ built: { machine } }: MachineEngine): readonly { readonly completed: number; readonly errors: number; readonly requests: number | undefined }[] {
  return [...machine.components.values()].flatMap((model) => model.reports?.() ?? []);
}

/** Once without measuring, as above. */
async function lengthsOfRuns(): Promise<readonly { readonly size: number; readonly seconds: number; readonly traceBytes: number }[]> {
  const held = [(await longRun(LENGTHS[1]!)).engine];
  const runs = LENGTHS.map((size) => ({ size, times: [] as number[], traceBytes: 0 }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) {
      const { seconds, traceBytes, engine } = await longRun(run.size);
      held[1] = engine;
      run.times.push(seconds);
      run.traceBytes = traceBytes;
    }
  }
  return runs.map(({ size, times, traceBytes }) => ({ size, seconds: least(times), traceBytes }));
}

async function longRun(events: number): Promise<{ readonly seconds: number; readonly traceBytes: number; readonly engine: MachineEngine }> {
  await memoryInUse();
  const engine = createEngine(designOf(manyConnections(8, 1e8)));
  const start = cpuTime();
  while (engine.dispatches < events && engine.dispatch());
  return { seconds: cpuTime() - start, traceBytes: engine.trace.memory, engine };
}

/** By how much what one takes grows with the number, plus one: the slope of a straight line through the logarithms. */
function exponent<P extends { readonly size: number }>(points: readonly P[], each: (point: P) => number): string {
  const x = points.map(({ size }) => Math.log(size));
  const y = points.map((point) => Math.log(each(point)));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const slope = x.reduce((sum, xi, i) => sum + (xi - mx) * (y[i]! - my), 0) / x.reduce((sum, xi) => sum + (xi - mx) * (xi - mx), 0);
  return (1 + slope).toFixed(2);
}

function perEvent(seconds: number, events: number): string {
  return number((seconds / events) * 1e9);
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function manyApplications(count: number): string {
  const servers = Math.ceil(count / BEHIND_ONE_SERVER);
  const domains = Array.from({ length: servers }, (_, s) =>
    `      netsrv${s}: { kind: vm, vcpus: 1, components: [ netserver: { applications: 64 }, ixgbe: { bind: nic0.${s === 0 ? "pf" : `vf${s - 1}`} } ] }`);
  const workloads: string[] = [];
  for (let i = 0; i < count; i++) {
    domains.push(`      app${i}: { kind: vm, vcpus: 1, components: [ http-server: { port: ${8000 + i} }, libc, tcpip, vif: { channel: netsrv${i % servers}.netserver } ] }`);
    workloads.push(`  - http: { from: client, to: app${i}, size: 1KiB, concurrency: 1, requests: ${REQUESTS / count} }`);
  }
  return text(domains, workloads, 16);
}

function manyConnections(count: number, requests = REQUESTS_OF_CONNECTIONS): string {
  return text(
    ["      app: { kind: vm, vcpus: 4, components: [ http-server: { port: 80, workers: 4 }, libc, tcpip, ixgbe: { bind: nic0.vf0 } ] }"],
    [`  - http: { from: client, to: app, size: 1KiB, concurrency: ${count}, requests: ${requests} }`], 8,
  );
}

function text(domains: readonly string[], workloads: readonly string[], cores: number): string {
  return `exoscope: 1
name: Growing
profile: xeon-4114-82599
hosts:
  server:
    cpu: { cores: ${cores} }
    iommu: on
    devices:
      nic0: { model: intel-82599, mtu: 1500, sriov: { vfs: 8 } }
    hypervisor: { model: xen, scheduler: credit }
    domains:
${domains.join("\n")}
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }
workloads:
${workloads.join("\n")}
run: { until: 1000s, seed: 1 }
`;
}
