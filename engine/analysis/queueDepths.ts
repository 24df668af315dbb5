import type { MachineEngine } from "../create";
import { LengthOverTime } from "./lengthOverTime";

/** How long one queue was over a run: over its time, that is, not over its events. */
export interface QueueSummary {
  readonly queue: string;
  /** Entries that it has room for; 0: without bound. */
  readonly capacity: number;
  readonly mean: number;
  /** The length that it did not exceed for 99 % of the time. */
  readonly p99: number;
  /** The longest that it was, even for an instant. */
  readonly max: number;
}

/** What is watched: its name, its room, how to read its length, and what that was over time. */
interface Watched {
  readonly name: string;
  readonly capacity: number;
  readonly length: () => number;
  readonly over: LengthOverTime;
}

/**
 * Lengths of all queues of a machine over time: descriptor rings, shared rings, the queues in front of a wire, run queues. Each tells of its
 * changes, while one watches. Watching is no event of the simulation: it changes neither the run nor its trace.
 */
export class QueueDepths {
  /** Instants of the samples, picoseconds. */
  readonly times: number[] = [];
  private readonly watched: Watched[] = [];
  private readonly samples: number[][] = [];
  private next = 0;
  private restored: number;

  /** @param period simulated time between two samples for {@link csv}, picoseconds; undefined: none are wanted */
  constructor(private readonly engine: MachineEngine, private readonly period?: number) {
    const { store } = engine.built.machine.kernel;
    this.restored = store.restored;
    for (const ring of store.queues) ring.watcher = this.watch(ring.name, ring.capacity, () => ring.count).over;
    this.watchRunQueues();
  }

  /** A thread that waits for a vCPU waits in its domain's run queues; a kernel's vCPUs run the threads of its processes too. */
  private watchRunQueues(): void {
    const { machine: { cpus }, domains } = this.engine.built;
    const byKernel = new Map<number, Watched[]>();
    for (const { id, path, kernel } of domains) {
      const threads = cpus.vcpus.threadsOf(id);
      const watched = this.watch(`run queues of ${path}`, 0, () => cpus.threads.waiting(threads));
      byKernel.set(kernel?.id ?? id, [...byKernel.get(kernel?.id ?? id) ?? [], watched]);
    }
    cpus.threads.watcher = { changed: (domain) => byKernel.get(domain)?.forEach(({ length, over }) => over.changed(length())) };
  }

  private watch(name: string, capacity: number, length: () => number): Watched {
    const watched = { name, capacity, length, over: new LengthOverTime(this.engine.built.machine.kernel, length()) };
    this.watched.push(watched);
    this.samples.push([]);
    return watched;
  }

  /** To be called after every dispatch: takes a sample once a period has passed, and looks again at what nobody tells of. */
  observe(): void {
    const { restored } = this.engine.built.machine.kernel.store;
    if (restored !== this.restored) {
      this.restored = restored;
      for (const { length, over } of this.watched) over.changed(length());
    }
    const { time } = this.engine;
    if (this.period === undefined || time < this.next) return;
    this.next = time - (time % this.period) + this.period;
    this.times.push(time);
    this.watched.forEach(({ length }, i) => this.samples[i]!.push(length()));
  }

  /** Queues that ever held something, the longest first. @param end until when the last lengths last, picoseconds */
  summary(end: number): QueueSummary[] {
    return this.used().map(({ name, capacity, over }) => ({ queue: name, capacity, mean: over.meanUntil(end), p99: over.quantileUntil(0.99, end), max: over.max }))
      .sort((a, b) => b.max - a.max || (a.queue < b.queue ? -1 : 1));
  }

  /** A table of comma-separated values: a row for each sample, a column for each queue that ever held something. */
  csv(): string {
    const used = this.used();
    const columns = used.map((queue) => this.samples[this.watched.indexOf(queue)]!);
    const lines = [["time_ps", ...used.map(({ name }) => `"${name.replaceAll('"', '""')}"`)].join(",")];
    this.times.forEach((time, s) => lines.push([time, ...columns.map((lengths) => lengths[s]!)].join(",")));
    return `${lines.join("\n")}\n`;
  }

  private used(): Watched[] {
    return this.watched.filter(({ over }) => over.max > 0);
  }
}
