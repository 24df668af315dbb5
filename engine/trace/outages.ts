import type { TraceNames } from "./trace";

/** A time in which a domain did not run. */
export interface Outage {
  /** Path of the domain. */
  readonly domain: string;
  /** Picoseconds. */
  readonly from: number;
  /** Undefined: it has not started again. */
  readonly to: number | undefined;
}

/** What the rows are called with which a domain ends and starts again; their component is the domain's own. */
const ENDS: readonly string[] = ["domain_kill", "kernel stops", "process ends"];
const STARTS: readonly string[] = ["domain_create", "kernel starts", "process starts"];

/** The outages of all domains, read from the rows of a trace in their order. */
export class Outages {
  private readonly ends: ReadonlySet<number>;
  private readonly starts: ReadonlySet<number>;
  private readonly found: Outage[] = [];

  constructor(private readonly names: TraceNames) {
    const idsOf = (wanted: readonly string[]): Set<number> => new Set(names.functions.filter(({ name }) => wanted.includes(name)).map(({ id }) => id));
    this.ends = idsOf(ENDS);
    this.starts = idsOf(STARTS);
  }

  /** @param time of the row, picoseconds */
  add(fn: number, component: number, time: number): void {
    const ends = this.ends.has(fn);
    if (!ends && !this.starts.has(fn)) return;
    const domain = this.names.components[component]?.domain;
    if (domain === undefined) return;
    if (ends) return void this.found.push({ domain, from: time, to: undefined });
    const open = this.found.findIndex((outage) => outage.domain === domain && outage.to === undefined);
    if (open >= 0) this.found[open] = { domain, from: this.found[open]!.from, to: time };
  }

  list(): Outage[] {
    return [...this.found];
  }
}
