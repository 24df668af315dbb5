import { NO_VCPU, NONE, type Trace } from "../../engine/trace/trace";

/** Who owns each picosecond of a lane: row numbers, −1 where nobody does. The slow and obvious way to make a timeline. */
export class Owners {
  readonly at: Int32Array;
  constructor(span: number) { this.at = new Int32Array(span).fill(NONE); }

  isFree(begin: number, end: number): boolean {
    for (let t = begin; t < end; t++) if (this.at[t] !== NONE) return false;
    return true;
  }

  lay(row: number, begin: number, cost: number, until: number, off: Uint8Array | undefined): void {
    for (let t = begin, left = cost; t < until && left > 0; t++) {
      if (this.at[t] !== NONE || off?.[t]) continue;
      this.at[t] = row;
      left--;
    }
  }
}

export interface Oracle {
  /** By track id, by lane. */
  readonly tracks: ReadonlyMap<number, readonly Owners[]>;
  /** Rows on each track in no order. */
  readonly rows: ReadonlyMap<number, ReadonlySet<number>>;
}

export function timelineOracle(trace: Trace, trackOf: (row: number) => number): Oracle {
  const span = trace.time(trace.length - 1) + 32;
  const { contexts, vcpus } = trace.names;
  const tracks = new Map<number, Owners[]>();
  const rows = new Map<number, Set<number>>();
  const off = vcpus.map(() => new Uint8Array(span));
  const runs = new Map<number, { vcpu: number; row: number; since: number }>();
  const home = new Map<number, number>();
  for (let row = 0; row < trace.length; row++) {
    const track = trackOf(row);
    const lanes = tracks.get(track) ?? [new Owners(span)];
    tracks.set(track, lanes);
    const onTrack = rows.get(track) ?? new Set();
    rows.set(track, onTrack);
    const context = trace.context(row);
    const time = trace.time(row);
    const begin = trace.begin(row);
    const cost = trace.cost(row);
    const vcpu = trace.vcpu(row);
    const kind = contexts[context]!.kind;
    if (kind === "pcpu") {
      const before = runs.get(context);
      if (before && before.vcpu !== NO_VCPU) {
        const left = cost > 0 ? begin : time;
        lanes[0]!.at.fill(before.row, before.since, left);
        if (before.vcpu !== vcpu && home.get(before.vcpu) === context) {
          off[before.vcpu]!.fill(1, left);
          home.delete(before.vcpu);
        }
      }
      lanes[0]!.at.fill(row, begin, begin + cost);
      if (cost > 0) onTrack.add(row);
      runs.set(context, { vcpu, row, since: time });
      if (vcpu !== NO_VCPU) {
        onTrack.add(row);
        if (!home.has(vcpu)) off[vcpu]!.fill(0, time);
        home.set(vcpu, context);
      }
    } else if (kind === "thread") {
      onTrack.add(row);
      lanes[0]!.lay(row, begin, cost, time, off[vcpu]);
    } else {
      onTrack.add(row);
      // Instants take no room here but do in the index: they can push a slice to another lane, so devices are compared by cover only.
      lanes[0]!.at.fill(row, begin, begin + cost);
    }
  }
  for (const [context, run] of runs) {
    if (run.vcpu !== NO_VCPU) tracks.get(context)![0]!.at.fill(run.row, run.since, trace.time(trace.length - 1));
  }
  return { tracks, rows };
}
