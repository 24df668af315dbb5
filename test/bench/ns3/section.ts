import { table } from "../../../engine/cli/table";
import { createEngine, type MachineEngine } from "../../../engine/create";
import type { Design } from "../../../engine/design/model";
import { designOf } from "../../support/runDesign";
import { cpuTime, least, median, number, type Section } from "../section";
import { cases, designText, paths } from "./cases";
import { buildNs3, type Ns3Run } from "./peer";

const ROUNDS = 15;
/** Runs before anything is measured: compiled code is what is compared, and V8 compiles once more for the second machine of a kind. */
const WARM = 3;
/** Dispatches between two looks at how many frames there were. */
const SLICE = 256;

interface OwnRun {
  readonly seconds: number;
  readonly dispatches: number;
  readonly rows: number;
  readonly frames: number;
}

/** The engine beside ns-3: the same traffic over the same link. */
export const ns3: Section = {
  name: "ns3",
  title: "Beside ns-3",
  run() {
    const peer = buildNs3();
    if (typeof peer === "string") return [peer];
    try {
      const rows = cases.flatMap((one) => {
        const designs = paths.map((path) => designOf(designText(one, path)));
        const theirs: Ns3Run[] = [];
        const own = designs.map((): OwnRun[] => []);
        const { frames } = peer.run(one.ns3);
        // What was compiled for a machine lives as long as it does: the first of each kind are held.
        const warm = designs.map((design) => transfer(design, frames).engine);
        for (let round = 1; round < WARM; round++) for (const design of designs) transfer(design, frames);
        for (let round = 0; round < ROUNDS; round++) {
          theirs.push(peer.run(one.ns3));
          designs.forEach((design, d) => own[d]!.push(transfer(design, frames).run));
        }
        const { events, frames: packets } = theirs[0]!;
        const their = timesOf(theirs);
        return warm.map((_, d) => {
          const runs = own[d]!;
          const { dispatches, rows: marked, frames: sent } = runs[0]!;
          const [theirEvents, theirPackets] = [events / their.least, packets / their.least];
          const { least: time, median: usual } = timesOf(runs);
          const usually = (dispatches / usual) / (events / their.median);
          return [
            one.name, paths[d]!.name, number(theirEvents), number(dispatches / time), ratio(dispatches / time / theirEvents), ratio(usually),
            number(theirPackets), number(sent / time), ratio(sent / time / theirPackets), (dispatches / sent).toFixed(1), (marked / sent).toFixed(1),
          ];
        });
      });
      return [
        `ns-3 ${peer.version} as installed, its program (test/bench/ns3/transfer.cpp) built with -O3: two nodes, a 10 Gb/s link of 2 µs, TCP with CUBIC, SACK, timestamps and window scaling. Here the same traffic goes between a client and an application in a domain of a hypervisor with a credit scheduler, over descriptor rings, DMA and an IOMMU, through a virtual function of its own or through the network server's rings, and every step is traced. Packets are frames on the wire, both directions; events are ns-3's own count and our dispatches, from the first to the one by which as many frames were sent. CPU time; the least of ${ROUNDS} interleaved measurements, and beside it what their medians come to.`,
        table(
          ["case", "path", "ns-3 events/s", "events/s", "beside", "by medians", "ns-3 packets/s", "packets/s", "beside", "dispatches per packet", "rows per packet"],
          rows,
        ),
      ];
    } finally {
      peer.close();
    }
  },
};

function ratio(value: number): string {
  return `${value.toFixed(2)} ×`;
}

function timesOf(runs: readonly { readonly seconds: number }[]): { readonly least: number; readonly median: number } {
  const times = runs.map(({ seconds }) => seconds);
  return { least: least(times), median: median(times) };
}

/** Runs a design until so many frames were on the wire. @throws Error if it ends before */
function transfer(design: Design, frames: number): { readonly run: OwnRun; readonly engine: MachineEngine } {
  globalThis.gc?.();
  const engine = createEngine(design);
  const { kernel, links } = engine.built.machine;
  const { serialise } = links[0]!;
  const before = engine.dispatches;
  const start = cpuTime();
  let more = true;
  while (more && kernel.count(serialise) < frames) for (let i = 0; i < SLICE && more; i++) more = engine.dispatch();
  const seconds = cpuTime() - start;
  if (!more) throw new Error(`the design's run ended after ${kernel.count(serialise)} frames of ${frames}`);
  return { run: { seconds, dispatches: engine.dispatches - before, rows: engine.rows, frames: kernel.count(serialise) }, engine };
}
