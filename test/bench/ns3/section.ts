import { table } from "../../../engine/cli/table";
import { least, median, number, type Section } from "../section";
import { cases, paths } from "./cases";
import { OwnProcess, type OwnRun } from "./own";
import { buildNs3, type Ns3Run } from "./peer";

const ROUNDS = 15;

/** The engine beside ns-3: the same traffic over the same link. */
export const ns3: Section = {
  name: "ns3",
  title: "Beside ns-3",
  async run() {
    const peer = buildNs3();
    if (typeof peer === "string") return [peer];
    try {
      const rows: string[][] = [];
      for (const [c, one] of cases.entries()) {
        const { frames } = peer.run(one.ns3);
        const processes = paths.map((_, p) => new OwnProcess(c, p, frames));
        const theirs: Ns3Run[] = [];
        const own = paths.map((): OwnRun[] => []);
        try {
          for (let round = 0; round < ROUNDS; round++) {
            theirs.push(peer.run(one.ns3));
            for (const [p, process] of processes.entries()) own[p]!.push(await process.run());
          }
        } finally {
          for (const process of processes) process.close();
        }
        own.forEach((runs, p) => rows.push([one.name, paths[p]!.name, ...compared(theirs, runs)]));
      }
      return [
        `ns-3 ${peer.version} as installed, its program (test/bench/ns3/transfer.cpp) built with -O3: two nodes, a 10 Gb/s link of 2 µs, TCP with CUBIC, SACK, timestamps and window scaling. Here the same traffic goes between a client and an application in a domain of a hypervisor with a credit scheduler, over descriptor rings, DMA and an IOMMU, through a virtual function of its own or through the network server's rings, and every step is traced. Packets are frames on the wire, both directions; events are ns-3's own count and our dispatches, from the first to the one by which as many frames were sent. Each design has a process of its own, as ns-3's cases have. CPU time; the least of ${ROUNDS} interleaved measurements, and beside it what their medians come to.`,
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

/** @returns the cells of a row */
function compared(theirs: readonly Ns3Run[], own: readonly OwnRun[]): string[] {
  const { events, frames: packets } = theirs[0]!;
  const their = timesOf(theirs);
  const { dispatches, rows, frames } = own[0]!;
  const { least: time, median: usual } = timesOf(own);
  return [
    number(events / their.least), number(dispatches / time), ratio((dispatches / time) / (events / their.least)), ratio((dispatches / usual) / (events / their.median)),
    number(packets / their.least), number(frames / time), ratio((frames / time) / (packets / their.least)), (dispatches / frames).toFixed(1), (rows / frames).toFixed(1),
  ];
}

function ratio(value: number): string {
  return `${value.toFixed(2)} ×`;
}

function timesOf(runs: readonly { readonly seconds: number }[]): { readonly least: number; readonly median: number } {
  const times = runs.map(({ seconds }) => seconds);
  return { least: least(times), median: median(times) };
}
