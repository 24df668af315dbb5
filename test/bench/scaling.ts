import { table } from "../../engine/cli/table";
import { createEngine, type MachineEngine } from "../../engine/create";
import { designOf } from "../support/runDesign";
import { exponent, mebibytes, perEvent, REQUESTS, ROUNDS, series, text } from "./growth";
import { cpuTime, least, memoryInUse, number, type Section } from "./section";

/** Dispatches of a long run. */
const LENGTHS = [100_000, 1_000_000, 10_000_000];

/** Time and memory as designs and runs grow. */
export const scaling: Section = {
  name: "scaling",
  title: "Growing designs and runs",
  async run() {
    const connections = await series([1, 10, 100, 1000, 10_000], (count) => manyConnections(count));
    const lengths = await lengthsOfRuns();
    return [
      `CPU time and memory as one thing grows and the number of requests stays. Time grows as the exponent says: 1 is in proportion, with as many requests for each connection. The least of ${ROUNDS} interleaved measurements. Memory is what the process holds for the machine, beside its trace and its packets.`,
      table(
        ["connections", "answered", "reset", "events", "ns an event", "µs an answer", "machine, MiB"],
        connections.map(({ size, requests, errors, events, seconds, bytes }) => [
          number(size), number(requests), number(errors), number(events), perEvent(seconds, events), ((seconds / requests) * 1e6).toFixed(1), mebibytes(bytes),
        ]),
      ),
      `Time grows with the connections to one server as n^${exponent(connections, ({ seconds, events }) => seconds / events)}, by what an event takes: opening and closing are work of their own. All are opened at once, and a BSD resets one that finds its accept queue full (SOMAXCONN, 128).`,
      table(
        ["events", "ns an event", "trace, MiB", "bytes an event"],
        lengths.map(({ size, seconds, traceBytes }) => [number(size), perEvent(seconds, size), mebibytes(traceBytes), (traceBytes / size).toFixed(1)]),
      ),
      `Time grows with the length of a run as n^${exponent(lengths, ({ seconds, size }) => seconds / size)}.`,
    ];
  },
};

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

function manyConnections(count: number, requests = REQUESTS): string {
  return text(
    ["      app: { kind: vm, vcpus: 4, components: [ http-server: { port: 80, workers: 4 }, libc, tcpip, ixgbe: { bind: nic0.vf0 } ] }"],
    [`  - http: { from: client, to: app, size: 1KiB, concurrency: ${count}, requests: ${requests} }`], 8,
  );
}
