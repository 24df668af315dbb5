import { createEngine, type MachineEngine } from "../../engine/create";
import type { Design } from "../../engine/design/model";
import { designOf } from "../support/runDesign";
import { cpuTime, least, memoryInUse, number } from "./section";

export const ROUNDS = 3;
/** Requests in all, however many share them. */
export const REQUESTS = 20_000;
/** Dispatches between two looks at whether all requests are answered. */
const SLICE = 2000;

export interface Measured {
  /** CPU seconds from the first event to the last answer. */
  readonly seconds: number;
  /** Of these, from the first answer on: before it, machines start and find each other. */
  readonly answering: number;
  /** Simulated seconds until the last answer. */
  readonly simulated: number;
  /** CPU seconds to build the machine. */
  readonly build: number;
  readonly events: number;
  /** Until the first answer. */
  readonly openingEvents: number;
  /** Answered ones, and connections that were refused. */
  readonly requests: number;
  readonly errors: number;
  /** Memory that the process holds for the machine when it is built. */
  readonly bytes: number;
  /** Rows of the function that is counted. */
  readonly counted: number;
}

export type Point = Measured & { readonly size: number };

/** Measures each size, {@link ROUNDS} times in turn, after once to compile. @param counted see {@link Measured.counted} */
export async function series(sizes: readonly number[], text: (size: number, index: number) => string, counted?: string): Promise<Point[]> {
  const designs = sizes.map((size, i) => designOf(text(size, i)));
  const runs = designs.map((): Measured[] => []);
  // Once without measuring, and held, since what was compiled for a machine lives as long as it does; no other is, or V8 would look through all of them
  // again and again.
  const first = await run(designs.at(-1)!, counted);
  for (let round = 0; round < ROUNDS; round++) for (const [d, design] of designs.entries()) runs[d]!.push((await run(design, counted)).measured);
  const best = (of: readonly Measured[], key: "seconds" | "answering" | "build" | "bytes"): number => least(of.map((one) => one[key]));
  return runs.map((of, d) => ({ ...(of[0] ?? first.measured), size: sizes[d]!, seconds: best(of, "seconds"), answering: best(of, "answering"), build: best(of, "build"), bytes: best(of, "bytes") }));
}

/** Runs a design until its clients have all their answers. @param built is told when its machine is built @throws Error if it ends before */
export async function answered(design: Design, built: () => void): Promise<Measured> {
  return (await run(design, undefined, built)).measured;
}

async function run(design: Design, counted: string | undefined, built: () => void = () => {}): Promise<{ readonly measured: Measured; readonly engine: MachineEngine }> {
  const before = await memoryInUse();
  let start = cpuTime();
  const engine = createEngine(design);
  const build = cpuTime() - start;
  const bytes = (await memoryInUse()) - before;
  built();
  let seconds = 0;
  let opening = 0;
  let openingEvents = 0;
  let requests = 0;
  let errors = 0;
  let simulated = 0;
  for (let all = false; !all; ) {
    start = cpuTime();
    for (let i = 0; i < SLICE; i++) if (!engine.dispatch()) throw new Error("a design's run ended before its requests");
    seconds += cpuTime() - start;
    const workloads = reportsOf(engine);
    requests = workloads.reduce((sum, { completed }) => sum + completed, 0);
    errors = workloads.reduce((sum, workload) => sum + workload.errors, 0);
    simulated = Math.max(...workloads.map(({ duration }) => duration)) / 1e12;
    if (requests === 0) [opening, openingEvents] = [seconds, engine.dispatches];
    all = workloads.every((workload) => workload.completed + workload.errors >= (workload.requests ?? 0));
  }
  const fn = engine.names.functions.find(({ name }) => name === counted);
  const rows = fn === undefined ? 0 : engine.built.machine.kernel.count(fn.id);
  return { measured: { seconds, answering: seconds - opening, simulated, build, bytes, events: engine.dispatches, openingEvents, requests, errors, counted: rows }, engine };
}

function reportsOf({ built: { machine } }: MachineEngine): readonly { readonly completed: number; readonly errors: number; readonly duration: number; readonly requests: number | undefined }[] {
  return [...machine.components.values()].flatMap((model) => model.reports?.() ?? []);
}

/** By how much what one takes grows with the number, plus one: the slope of a straight line through the logarithms. */
export function exponent<P extends { readonly size: number }>(points: readonly P[], each: (point: P) => number): string {
  const x = points.map(({ size }) => Math.log(size));
  const y = points.map((point) => Math.log(each(point)));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const slope = x.reduce((sum, xi, i) => sum + (xi - mx) * (y[i]! - my), 0) / x.reduce((sum, xi) => sum + (xi - mx) * (xi - mx), 0);
  return (1 + slope).toFixed(2);
}

export function perEvent(seconds: number, events: number): string {
  return number((seconds / events) * 1e9);
}

export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

/** A design of so many domains on a host, and workloads from one client. */
export function text(domains: readonly string[], workloads: readonly string[], cores: number): string {
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
