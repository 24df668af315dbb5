import { table } from "../../../engine/cli/table";
import { least, number, type Section } from "../section";
import { firedBy, prepare } from "./competitors";

const ROUNDS = 9;
/** One round where a queue is slow enough to be measured well by one. */
const SLOW_ROUNDS = 3;

/** The event queue under the hold model beside others. */
export const eventQueue: Section = {
  name: "queue",
  title: "Event queue",
  run() {
    const competition = prepare();
    try {
      const { competitors, missing } = competition;
      const header = ["pending", ...competitors.map(({ name }) => name), ...competitors.slice(1).map(({ name }) => `beside ${name}`)];
      const rows = [1000, 10_000, 100_000, 1_000_000].map((pending) => {
        const times = competitors.map((): number[] => []);
        const instants = new Set<string>();
        // Once without measuring: compiled code is what is compared.
        for (const competitor of competitors) if (pending <= competitor.mostPending) competitor.run(pending, firedBy(competitor, pending) / 5);
        for (let round = 0; round < (pending > 100_000 ? SLOW_ROUNDS : ROUNDS); round++) {
          competitors.forEach((competitor, c) => {
            if (pending > competitor.mostPending || (round >= SLOW_ROUNDS && competitor.fired < 1_000_000)) return;
            const fired = firedBy(competitor, pending);
            const { nanoseconds, last } = competitor.run(pending, fired);
            times[c]!.push(nanoseconds);
            instants.add(`${fired} ${last}`);
          });
        }
        // Whoever fires as many events must arrive at the same instant, else the queues did not do the same work.
        const counts = new Set([...instants].map((instant) => instant.split(" ")[0]));
        if (counts.size !== instants.size) throw new Error(`the queues disagree with ${pending} pending: ${[...instants].join(", ")}`);
        const own = least(times[0]!);
        return [
          number(pending),
          ...times.map((t) => (t.length > 0 ? `${(1000 / least(t)).toFixed(2)} M/s` : "–")),
          ...times.slice(1).map((t) => (t.length > 0 ? `${(least(t) / own).toFixed(2)} ×` : "–")),
        ];
      });
      return [
        `Events fired per second of CPU time in the hold model, 30 % of all scheduled events cancelled before they fire; the least of ${ROUNDS} interleaved measurements, of ${SLOW_ROUNDS} where they are slow. Every queue fires the same events (checked by the instant reached).`,
        table(header, rows),
        ...missing.map((what) => `Not measured: ${what}`),
      ];
    } finally {
      competition.close();
    }
  },
};
