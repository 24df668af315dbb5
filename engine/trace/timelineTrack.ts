import { layWork } from "./layWork";
import { SliceList } from "./sliceList";
import type { TrackKind } from "./timelineQuery";

/** Things that a device or link does at once get lanes of their own, up to this many. */
const MAX_LANES = 4;

/** One track's events: its lanes of slices, and the rows on it that are problems. */
export class TimelineTrack {
  readonly lanes: SliceList[] = [new SliceList()];
  /** Drops, violations and timeouts: instants, as slices of length zero. */
  readonly marks = new SliceList();

  constructor(
    readonly id: number,
    readonly kind: TrackKind,
    readonly path: string,
    readonly host: string,
    readonly domain: string | undefined,
  ) {}

  /** Work on a CPU: one thing at a time, see {@link layWork}. */
  lay(row: number, begin: number, cost: number, until: number, off: SliceList | undefined): void {
    const lane = this.lanes[0]!;
    layWork(lane, off, row, begin, cost, until);
  }

  /** Work of a device: on the first lane that is free. */
  place(row: number, begin: number, cost: number, until: number): void {
    for (let k = 0; k < MAX_LANES; k++) {
      const lane = (this.lanes[k] ??= new SliceList());
      if (!lane.isFree(begin, begin + cost)) continue;
      lane.insert(begin, begin + cost, row);
      return;
    }
    layWork(this.lanes[MAX_LANES - 1]!, undefined, row, begin, cost, Math.max(until, begin + cost));
  }

  mark(row: number, time: number): void {
    this.marks.insert(time, time, row);
  }

  settle(): void {
    for (const lane of this.lanes) lane.settle();
    this.marks.settle();
  }

  get slices(): number {
    let n = 0;
    for (const lane of this.lanes) n += lane.length;
    return n;
  }

  get bytes(): number {
    let n = this.marks.bytes;
    for (const lane of this.lanes) n += lane.bytes;
    return n;
  }
}
