import { CLOCK_NUMBERS, INSTANT, NEAR_BOUND, NOW } from "./clock";
import { A, B, CAUSE, COMPONENT, EVENT_BITS, EventLists, FIRST_LIST, NEXT, OP, PREVIOUS, PRIORITY, WAITING } from "./eventLists";
import { Ladder } from "./ladder";
import type { Numbers, Store } from "./state";

/**
 * Order of events at the same instant; the sequence number breaks what remains. What *ends* comes before what *begins*:
 * a resource freed now can be taken now.
 */
export const Priority = {
  /** Faults and run control strike before anything else at their instant. */
  control: 0,
  /** Frames arrive and DMA completes before software looks. */
  hardware: 1,
  /** Work on a CPU ends. */
  cpu: 2,
  /** Interrupts are raised after the work that ends at the same instant. */
  interrupt: 3,
  /** The hypervisor's ticks and slices see the work that ended. */
  scheduler: 4,
  /** Timeouts last: an acknowledgement that arrives at the same instant is in time. */
  timeout: 5,
} as const;
export type Priority = (typeof Priority)[keyof typeof Priority];

/** Lists: what is near, sorted; what is far; then one for each priority, for what is to happen now. */
const NEAR = FIRST_LIST;
const FAR = NEAR + 1;
const AT_ONCE = FAR + 1;
const LISTS = AT_ONCE + 1 + Math.max(...Object.values(Priority));

/** Events that are sorted at once, and steps after which looking for a place among them is too long. */
const SORTED = 24;

/**
 * Pending events in the order of (time, priority, scheduling). An event is data, so a keyframe is a copy of the tables.
 *
 * Three structures serve three cases. An event for the instant that is now goes to the end of a list, one for each
 * priority. One that is *near* goes to its place in a short sorted list, which is all there is while few events are
 * pending. What comes later waits in a {@link Ladder}. Cancelling takes constant time: the event leaves its list at once.
 *
 * No sequence number is kept: events of equal time and priority are at all times in one list, in the order of scheduling.
 */
export class EventQueue {
  /** When each event is due, picoseconds. */
  readonly events: EventLists["events"];
  /** Of each event: the words of {@link EventLists}. */
  readonly words: EventLists["words"];
  private readonly lists: EventLists;
  private readonly ladder: Ladder;
  /** The numbers of clock.ts: the queue's own, and the kernel's beside them. */
  readonly clock: Numbers;

  constructor(store: Store) {
    this.lists = new EventLists(store);
    this.events = this.lists.events;
    this.words = this.lists.words;
    this.lists.makeLists(LISTS);
    this.clock = store.table("clock", { number: "f64" }, CLOCK_NUMBERS);
    this.clock.append(CLOCK_NUMBERS);
    this.ladder = new Ladder(store, this.lists, this.clock, FAR, LISTS);
  }

  get length(): number {
    return this.lists.length;
  }

  /**
   * Adds an event; the handle is valid until the event fires or is cancelled.
   * @param time finite
   */
  schedule(time: number, priority: Priority, component: number, op: number, a: number, b: number, cause: number): number {
    const event = this.lists.take();
    if (event < 0) {
      // Anew, not on: a call on the way, however seldom, and V8 reads everything again after it.
      this.lists.extend();
      return this.schedule(time, priority, component, op, a, b, cause);
    }
    const { words: { word } } = this;
    this.events.time[event] = time;
    const at = event << EVENT_BITS;
    // `| 0`: V8 takes an argument that is stored as it is for a double first, in a dozen instructions; here and wherever rows are written whole.
    word[at | PRIORITY] = priority | 0;
    word[at | COMPONENT] = component | 0;
    word[at | OP] = op | 0;
    word[at | A] = a | 0;
    word[at | B] = b | 0;
    word[at | CAUSE] = cause | 0;
    const { number } = this.clock;
    if (time === number[INSTANT]) this.addNow(event, priority);
    else if (time >= number[NEAR_BOUND]!) this.ladder.add(event, time);
    else this.addNear(event, time, priority);
    return event;
  }

  cancel(event: number): void {
    this.lists.unlink(event);
    this.lists.give(event);
  }

  /** Cancels every pending event that the test holds of. @returns how many: the cost is that of looking at all */
  cancelWhere(test: (component: number, op: number, a: number, b: number) => boolean): number {
    const { word } = this.words;
    const found: number[] = [];
    for (let list = FIRST_LIST; list < this.lists.count; list++) {
      for (let event = this.lists.first(list); event >= 0; event = word[(event << EVENT_BITS) | NEXT]!) {
        const at = event << EVENT_BITS;
        if (test(word[at | COMPONENT]!, word[at | OP]!, word[at | A]!, word[at | B]!)) found.push(event);
      }
    }
    for (const event of found) this.cancel(event);
    return found.length;
  }

  /** The earliest event, or −1. It stays until `pop`. */
  peek(): number {
    const { lists } = this;
    if (lists.ends.word[WAITING] !== 0) return this.peekNow();
    const event = lists.first(NEAR);
    return event >= 0 ? event : this.refill();
  }

  /** Takes the earliest event out, and moves the clock to it; −1 where none is due by `until`. Its columns stay readable until the next `schedule`. */
  pop(until = Infinity): number {
    const { lists } = this;
    const event = lists.first(NEAR);
    if (event < 0 || lists.ends.word[WAITING] !== 0) return this.popOther(until);
    const time = this.events.time[event]!;
    if (time > until) return -1;
    const { number } = this.clock;
    number[NOW] = number[INSTANT] = time;
    lists.unlinkFirst(NEAR, event);
    lists.give(event);
    return event;
  }

  /** The same where nothing is near, or something may wait for now. */
  private popOther(until: number): number {
    const { lists } = this;
    const event = this.peek();
    if (event < 0) return -1;
    const time = this.events.time[event]!;
    if (time > until) return -1;
    const { number } = this.clock;
    number[NOW] = time;
    // The lists for now keep their instant as long as one of them may hold an event.
    if (lists.ends.word[WAITING] === 0) number[INSTANT] = time;
    lists.unlink(event);
    lists.give(event);
    return event;
  }

  private addNow(event: number, priority: number): void {
    this.lists.append(AT_ONCE + priority, event);
    this.lists.ends.word[WAITING]! |= 1 << priority;
  }

  /** What is near and for this instant was scheduled before the instant came, hence before all that is in the lists for now. */
  private peekNow(): number {
    const { events, lists } = this;
    const now = this.clock.number[INSTANT]!;
    const near = lists.first(NEAR);
    for (let waiting = lists.ends.word[WAITING]!; waiting !== 0; waiting &= waiting - 1, lists.ends.word[WAITING] = waiting) {
      // The lowest bit that is set.
      const priority = 31 - Math.clz32(waiting & -waiting);
      const event = lists.first(AT_ONCE + priority);
      if (event < 0) continue;
      if (near < 0 || now < events.time[near]! || (now === events.time[near]! && priority < this.priorityOf(near))) return event;
      return near;
    }
    return this.peek();
  }

  /** Puts an event behind all near ones that are not after it. */
  private addNear(event: number, time: number, priority: number): void {
    const { lists } = this;
    const last = lists.last(NEAR);
    if (last < 0 || !this.isAfter(last, time, priority)) lists.append(NEAR, event);
    else this.addAmong(event, time, priority);
  }

  /** The same where one is after it: counts from the first, since most of what is scheduled is due soon. */
  private addAmong(event: number, time: number, priority: number): void {
    const { lists } = this;
    const { time: times } = lists.events;
    const { word } = lists.words;
    let at = lists.first(NEAR);
    for (let steps = 0; ; steps++) {
      const other = times[at]!;
      if (other > time || (other === time && word[(at << EVENT_BITS) | PRIORITY]! > priority)) break;
      at = word[(at << EVENT_BITS) | NEXT]!;
      if (steps === SORTED && this.shorten()) {
        if (time >= this.clock.number[NEAR_BOUND]!) this.ladder.add(event, time);
        else this.addNear(event, time, priority);
        return;
      }
    }
    lists.insertBefore(at, event);
  }

  private isAfter(event: number, time: number, priority: number): boolean {
    const { events, words } = this;
    const other = events.time[event]!;
    return other > time || (other === time && words.word[(event << EVENT_BITS) | PRIORITY]! > priority);
  }

  /** Leaves to the ladder all near events but the first few, where two instants meet. @returns whether it could */
  private shorten(): boolean {
    const { time } = this.events;
    const { word } = this.words;
    let at = this.lists.first(NEAR);
    for (let i = 0; i < SORTED / 2; i++) at = word[(at << EVENT_BITS) | NEXT]!;
    for (let before = word[(at << EVENT_BITS) | PREVIOUS]!; before >= 0 && time[before] === time[at]; before = word[(at << EVENT_BITS) | PREVIOUS]!) at = before;
    // Of what happens now nothing goes: what is scheduled for now would come before it.
    while (at >= 0 && time[at]! <= this.clock.number[INSTANT]!) at = word[(at << EVENT_BITS) | NEXT]!;
    return at >= 0 && this.ladder.addTail(NEAR, at);
  }

  /** Sorts the next events of the ladder: nothing is near, nothing happens now. @returns the earliest, or −1 */
  private refill(): number {
    if (this.length === 0) return -1;
    const { lists } = this;
    const { time } = lists.events;
    const { word } = lists.words;
    let event = lists.detach(this.ladder.next(SORTED));
    const instant = time[event]!;
    for (let n = 0; event >= 0; n++) {
      const following = word[(event << EVENT_BITS) | NEXT]!;
      if (n >= SORTED && time[event] === instant) {
        // A crowd at one instant: the rest of it waits as what is scheduled for now does, after those that are sorted.
        this.clock.number[INSTANT] = instant;
        this.addNow(event, this.priorityOf(event));
      } else {
        this.insertSorted(event);
      }
      event = following;
    }
    return this.peek();
  }

  private insertSorted(event: number): void {
    const { events, lists } = this;
    const { word } = lists.words;
    let at = lists.last(NEAR);
    if (at < 0 || !this.isAfter(at, events.time[event]!, this.priorityOf(event))) return lists.append(NEAR, event);
    for (let before = word[(at << EVENT_BITS) | PREVIOUS]!; before >= 0 && this.isAfter(before, events.time[event]!, this.priorityOf(event)); before = word[(at << EVENT_BITS) | PREVIOUS]!) at = before;
    lists.insertBefore(at, event);
  }

  private priorityOf(event: number): number { return this.words.word[(event << EVENT_BITS) | PRIORITY]!; }
}
