import { FAR_BOUND, NEAR_BOUND } from "./clock";
import { EVENT_BITS, NEXT, type EventLists } from "./eventLists";
import type { Numbers, Store, Table } from "./state";

/** Buckets of one rung at most: two megabytes of lists, still in a processor's cache. */
const MOST_BUCKETS = 1 << 16;
/** Rungs at most: each narrows time by the number of its buckets, so that far fewer are ever needed. */
const MOST_RUNGS = 24;

/**
 * Events that are not due soon, sorted only as far as needed: a ladder queue (Tang, Goh and Thng, "Ladder queue: an O(1)
 * priority queue structure for large-scale discrete event simulation", ACM TOMACS 15(3), 2005).
 *
 * What is scheduled far ahead waits unsorted in one list. When everything before has fired, the list is dealt out to the
 * buckets of a *rung*, each as wide as the next; a bucket that holds too many when its turn comes is dealt out to a rung
 * of its own, below. The last rung is the earliest.
 *
 * Widths are powers of two, so that the bounds of buckets are exact. Events of equal time meet in one list always, and
 * dealing keeps their order: that of scheduling.
 */
export class Ladder {
  /** Per rung: where its first bucket starts; where its buckets not taken yet start; a bucket's width and its inverse; how many; the next to take; its first list. */
  private readonly rung: Table<{
    readonly start: "f64"; readonly from: "f64"; readonly width: "f64"; readonly inverse: "f64"; readonly buckets: "i32"; readonly next: "i32"; readonly list: "i32";
  }>;
  private readonly count: Table<{ readonly rungs: "i32" }>;

  /**
   * @param far the list that waits unsorted
   * @param firstList lists from here on are the ladder's
   */
  constructor(store: Store, private readonly lists: EventLists, private readonly clock: Numbers, private readonly far: number, private readonly firstList: number) {
    this.rung = store.table("ladder rungs", { start: "f64", from: "f64", width: "f64", inverse: "f64", buckets: "i32", next: "i32", list: "i32" }, 4);
    this.count = store.table("ladder", { rungs: "i32" }, 1);
    this.count.alloc();
    clock.number[NEAR_BOUND] = clock.number[FAR_BOUND] = Infinity;
  }

  /** @param time of the event, not before {@link NEAR_BOUND} */
  add(event: number, time: number): void {
    if (time >= this.clock.number[FAR_BOUND]!) return this.lists.append(this.far, event);
    const { rung } = this;
    let r = 0;
    while (time < rung.from[r]!) r++;
    this.lists.append(this.bucketOf(r, time), event);
  }

  private bucketOf(r: number, time: number): number {
    const { rung } = this;
    const at = (time - rung.start[r]!) * rung.inverse[r]!;
    const buckets = rung.buckets[r]!;
    return rung.list[r]! + (at < buckets ? at | 0 : buckets - 1);
  }

  /** Takes over an event of `list` and all after it. They are later than all before them, and earlier than the bound. @returns false where there is no room */
  addTail(list: number, event: number): boolean {
    const time = this.lists.events.time[event]!;
    const rungs = this.count.rungs[0]!;
    if (rungs === 0) {
      this.lists.moveTail(list, event, this.far);
      this.clock.number[FAR_BOUND] = time;
    } else {
      if (rungs === MOST_RUNGS) return false;
      this.push(time, Infinity, 1);
      this.lists.moveTail(list, event, this.rung.list[rungs]!);
    }
    this.clock.number[NEAR_BOUND] = time;
    return true;
  }

  /**
   * The list of events to be sorted next; moves the bound behind them. The ladder must hold an event.
   * @param most how many events one takes readily; the list has more only if all are of one instant
   */
  next(most: number): number {
    for (;;) {
      const r = this.count.rungs[0]! - 1;
      const list = r < 0 ? this.far : this.nextBucket(r);
      if (list < 0) continue;
      if (r < 0) this.clock.number[FAR_BOUND] = this.clock.number[NEAR_BOUND] = Infinity;
      if (!this.deal(list, most)) return list;
    }
  }

  /** Takes the next bucket with events off a rung, or the rung off the ladder. @returns its list, or −1 */
  private nextBucket(r: number): number {
    const { rung } = this;
    const base = rung.list[r]!;
    const buckets = rung.buckets[r]!;
    let i = rung.next[r]!;
    while (i < buckets && this.lists.first(base + i) < 0) i++;
    if (i === buckets) {
      this.count.rungs[0] = r;
      this.clock.number[NEAR_BOUND] = r > 0 ? rung.from[r - 1]! : this.clock.number[FAR_BOUND]!;
      return -1;
    }
    rung.next[r] = ++i;
    const above = r > 0 ? rung.from[r - 1]! : this.clock.number[FAR_BOUND]!;
    this.clock.number[NEAR_BOUND] = rung.from[r] = i < buckets ? rung.start[r]! + i * rung.width[r]! : above;
    return base + i - 1;
  }

  /** Deals out a list of more than `most` events to a rung of its own. @returns false where that is not needed or not possible */
  private deal(list: number, most: number): boolean {
    const { lists } = this;
    const { time } = lists.events;
    const { word } = lists.words;
    const head = lists.first(list);
    let n = 0;
    let event = head;
    for (; event >= 0 && n <= most; n++) event = word[(event << EVENT_BITS) | NEXT]!;
    if (n <= most) return false;
    let least = time[head]!;
    let greatest = least;
    n = 0;
    for (event = head; event >= 0; event = word[(event << EVENT_BITS) | NEXT]!) {
      const t = time[event]!;
      if (t < least) least = t;
      else if (t > greatest) greatest = t;
      n++;
    }
    const rungs = this.count.rungs[0]!;
    if (least === greatest || rungs === MOST_RUNGS) return false;
    let buckets = 2;
    while (buckets < n && buckets < MOST_BUCKETS) buckets *= 2;
    const width = widthFor(least, greatest, buckets);
    const start = Math.floor(least / width) * width;
    buckets = Math.floor((greatest - start) / width) + 1;
    if (rungs === 0) this.clock.number[FAR_BOUND] = start + buckets * width;
    this.push(start, width, buckets);
    this.clock.number[NEAR_BOUND] = start;
    for (event = lists.detach(list); event >= 0; ) {
      const following = word[(event << EVENT_BITS) | NEXT]!;
      lists.append(this.bucketOf(rungs, time[event]!), event);
      event = following;
    }
    return true;
  }

  private push(start: number, width: number, buckets: number): void {
    const { rung } = this;
    const r = this.count.rungs[0]!++;
    if (r === rung.rows) rung.alloc();
    rung.start[r] = rung.from[r] = start;
    rung.width[r] = width;
    rung.inverse[r] = 1 / width;
    rung.buckets[r] = buckets;
    rung.next[r] = 0;
    rung.list[r] = r > 0 ? rung.list[r - 1]! + rung.buckets[r - 1]! : this.firstList;
    this.lists.makeLists(rung.list[r]! + buckets);
  }
}

/** The least power of two by which the times from `least` to `greatest` fall into at most `buckets` buckets and all bounds are exact. */
function widthFor(least: number, greatest: number, buckets: number): number {
  let width = 1;
  const fits = (w: number): boolean => greatest + w > greatest && Math.floor(greatest / w) - Math.floor(least / w) < buckets;
  while (!fits(width)) width *= 2;
  while (fits(width / 2)) width /= 2;
  return width;
}
