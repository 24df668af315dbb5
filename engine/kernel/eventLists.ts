import type { Store, Table, Words } from "./state";

/** Words of an event; its links, NEXT and PREVIOUS, are the lists' own. */
export const PRIORITY = 0;
export const COMPONENT = 1;
export const OP = 2;
export const A = 3;
export const B = 4;
export const CAUSE = 5;
export const NEXT = 6;
export const PREVIOUS = 7;
/** An event's words are at `event << EVENT_BITS`. */
export const EVENT_BITS = 3;

/** What is before the words of the lists. FREE is the first row that nobody uses; NEXT links the others. LENGTH is how many are used; WAITING is the queue's. */
const FREE = 0;
const LENGTH = 1;
export const WAITING = 2;
/** The first list: where its words are, nothing else is. */
export const FIRST_LIST = 2;

/** Words of a list: its first and its last event. They are at `list << LIST_BITS`. */
const FIRST = 0;
const LAST = 1;
const LIST_BITS = 1;

/**
 * The pending events, each in exactly one of many lists. Lists are linked both ways through the events' own columns, so
 * that an event leaves in constant time wherever it is. A list is two words of `ends`; where a link names a list in place of an
 * event, it is the complement of the list's number, so that an empty list links to itself and no case is special.
 *
 * An event's numbers lie side by side, since most of them are written and read together: as a column each, scheduling took half as long again.
 * For the same reason all else that changes with each event is beside the lists' ends.
 */
export class EventLists {
  /** When each event is due, picoseconds. */
  readonly events: Table<{ readonly time: "f64" }>;
  /** Of each event: the words above. */
  readonly words: Table<{ readonly word: "i32" }>;
  /** The words before those of the lists, then the words of each list. */
  readonly ends: Words;

  constructor(store: Store) {
    this.events = store.table("events", { time: "f64" }, 64);
    this.words = store.table("events, in words", { word: "i32" }, 64 << EVENT_BITS);
    this.ends = store.table("event lists", { word: "i32" }, 32);
    this.ends.append(FIRST_LIST << LIST_BITS);
    this.ends.word[FREE] = -1;
  }

  /** Events that are in lists. */
  get length(): number {
    return this.ends.word[LENGTH]!;
  }

  first(list: number): number { return this.ends.word[(list << LIST_BITS) | FIRST]!; }
  last(list: number): number { return this.ends.word[(list << LIST_BITS) | LAST]!; }

  /** How many lists there are, with what is in their place before {@link FIRST_LIST}. */
  get count(): number {
    return this.ends.rows >> LIST_BITS;
  }

  /** A row whose columns hold anything: the caller writes all but the links. −1: `extend`, and take again. */
  take(): number {
    const { word: end } = this.ends;
    const event = end[FREE]!;
    if (event < 0) return -1;
    end[FREE] = this.words.word[(event << EVENT_BITS) | NEXT]!;
    end[LENGTH]!++;
    return event;
  }

  /** Makes a row; none is free. */
  extend(): void {
    this.words.append(1 << EVENT_BITS);
    const event = this.events.append(1);
    this.words.word[(event << EVENT_BITS) | NEXT] = -1;
    this.ends.word[FREE] = event;
  }

  /** Gives back the row of an event that is in no list; all but its links stay readable until the next `take`. */
  give(event: number): void {
    const { word: end } = this.ends;
    end[LENGTH]!--;
    this.words.word[(event << EVENT_BITS) | NEXT] = end[FREE]!;
    end[FREE] = event;
  }

  /** Makes sure that all lists before number `count` exist. New ones are empty. */
  makeLists(count: number): void {
    const from = this.count;
    if (count <= from) return;
    this.ends.append((count - from) << LIST_BITS);
    const { word: end } = this.ends;
    for (let list = from; list < count; list++) end[(list << LIST_BITS) | FIRST] = end[(list << LIST_BITS) | LAST] = ~list;
  }

  append(list: number, event: number): void {
    const { ends: { word: end }, words: { word } } = this;
    const at = list << LIST_BITS;
    const last = end[at | LAST]!;
    word[(event << EVENT_BITS) | PREVIOUS] = last;
    word[(event << EVENT_BITS) | NEXT] = ~list;
    end[at | LAST] = event;
    if (last >= 0) word[(last << EVENT_BITS) | NEXT] = event;
    else end[at | FIRST] = event;
  }

  /** @param at an event, before which the new one goes */
  insertBefore(at: number, event: number): void {
    const { word } = this.words;
    const previous = word[(at << EVENT_BITS) | PREVIOUS]!;
    word[(event << EVENT_BITS) | PREVIOUS] = previous;
    word[(event << EVENT_BITS) | NEXT] = at;
    word[(at << EVENT_BITS) | PREVIOUS] = event;
    if (previous >= 0) word[(previous << EVENT_BITS) | NEXT] = event;
    else this.ends.word[(~previous << LIST_BITS) | FIRST] = event;
  }

  /** Takes an event out of the list that it is in. */
  unlink(event: number): void {
    const { ends: { word: end }, words: { word } } = this;
    const previous = word[(event << EVENT_BITS) | PREVIOUS]!;
    const next = word[(event << EVENT_BITS) | NEXT]!;
    if (previous >= 0) word[(previous << EVENT_BITS) | NEXT] = next;
    else end[(~previous << LIST_BITS) | FIRST] = next;
    if (next >= 0) word[(next << EVENT_BITS) | PREVIOUS] = previous;
    else end[(~next << LIST_BITS) | LAST] = previous;
  }

  /** Takes the first event out of its list. */
  unlinkFirst(list: number, event: number): void {
    const { ends: { word: end }, words: { word } } = this;
    const next = word[(event << EVENT_BITS) | NEXT]!;
    end[(list << LIST_BITS) | FIRST] = next;
    if (next >= 0) word[(next << EVENT_BITS) | PREVIOUS] = ~list;
    else end[(list << LIST_BITS) | LAST] = ~list;
  }

  /** Empties a list. @returns its first event, from which NEXT goes through the others up to a negative link */
  detach(list: number): number {
    const { word: end } = this.ends;
    const first = end[(list << LIST_BITS) | FIRST]!;
    end[(list << LIST_BITS) | FIRST] = end[(list << LIST_BITS) | LAST] = ~list;
    return first;
  }

  /** Moves `from`, an event of `list`, and all after it to the end of another list. */
  moveTail(list: number, from: number, target: number): void {
    const { ends: { word: end }, words: { word } } = this;
    const before = word[(from << EVENT_BITS) | PREVIOUS]!;
    const tail = this.last(list);
    end[(list << LIST_BITS) | LAST] = before;
    if (before >= 0) word[(before << EVENT_BITS) | NEXT] = ~list;
    else end[(list << LIST_BITS) | FIRST] = ~list;
    const last = this.last(target);
    word[(from << EVENT_BITS) | PREVIOUS] = last;
    if (last >= 0) word[(last << EVENT_BITS) | NEXT] = from;
    else end[(target << LIST_BITS) | FIRST] = from;
    word[(tail << EVENT_BITS) | NEXT] = ~target;
    end[(target << LIST_BITS) | LAST] = tail;
  }
}
