import type { MachineEngine } from "../create";

/** How long one queue was over a run. */
export interface QueueSummary {
  readonly queue: string;
  /** Entries that it has room for; 0: without bound. */
  readonly capacity: number;
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

/** What is watched: its name, its room, and how to read its length. */
interface Watched {
  readonly name: string;
  readonly capacity: number;
  readonly count: number;
}

/**
 * Lengths of all queues of a machine over time: descriptor rings, shared rings, the queues in front of a wire, run queues. Looking is no
 * event of the simulation: it changes neither the run nor its trace.
 */
export class QueueDepths {
  /** Instants of the samples, picoseconds. */
  readonly times: number[] = [];
  private readonly watched: readonly Watched[];
  private readonly samples: number[][];
  private next = 0;

  /** @param period simulated time between two samples, picoseconds */
  constructor(private readonly engine: MachineEngine, private readonly period: number) {
    const { machine, domains } = engine.built;
    this.watched = [
      ...machine.kernel.store.queues,
      ...domains.map(({ id, path }) => ({ name: `run queues of ${path}`, capacity: 0, get count(): number { return machine.cpus.waiting(id); } })),
    ];
    this.samples = this.watched.map(() => []);
  }

  /** To be called after every dispatch: takes a sample once a period has passed. */
  observe(): void {
    const { time } = this.engine;
    if (time < this.next) return;
    this.next = time - (time % this.period) + this.period;
    this.times.push(time);
    this.watched.forEach(({ count }, i) => this.samples[i]!.push(count));
  }

  /** Queues that were ever seen to hold something, the longest first. */
  summary(): QueueSummary[] {
    return this.watched.flatMap(({ name, capacity }, i) => {
      const sorted = [...this.samples[i]!].sort((a, b) => a - b);
      const max = sorted.at(-1) ?? 0;
      if (max === 0) return [];
      return [{ queue: name, capacity, mean: sorted.reduce((sum, n) => sum + n, 0) / sorted.length, p99: sorted[Math.ceil(0.99 * sorted.length) - 1]!, max }];
    }).sort((a, b) => b.max - a.max || (a.queue < b.queue ? -1 : 1));
  }

  /** A table of comma-separated values: a row for each sample, a column for each queue that was ever seen to hold something. */
  csv(): string {
    const used = this.watched.map((_, i) => i).filter((i) => this.samples[i]!.some((n) => n > 0));
    const lines = [["time_ps", ...used.map((i) => `"${this.watched[i]!.name.replaceAll('"', '""')}"`)].join(",")];
    this.times.forEach((time, s) => lines.push([time, ...used.map((i) => this.samples[i]![s]!)].join(",")));
    return `${lines.join("\n")}\n`;
  }
}
