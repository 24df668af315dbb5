import type { Store, Table } from "./state";

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

/** The list of free rows: linked one way only, used at its start only. */
const FREE = 0;
/** The first list that is not taken. */
export const FIRST_LIST = FREE + 1;

/**
 * The pending events, each in exactly one of many lists. Lists are linked both ways through the events' own columns, so
 * that an event leaves in constant time wherever it is. A list is a row of `ends`; where a link names a list in place of an
 * event, it is the complement of the list's number, so that an empty list links to itself and no case is special.
 *
 * An event's numbers lie side by side, since most of them are written and read together: as a column each, scheduling took half as long again.
 */
export class EventLists {
  /** When each event is due, picoseconds. */
  readonly events: Table<{ readonly time: "f64" }>;
  /** Of each event: the words above. */
  readonly words: Table<{ readonly word: "i32" }>;
  /** First and last event of each list. */
  readonly ends: Table<{ readonly first: "i32"; readonly last: "i32" }>;

  constructor(store: Store) {
    this.events = store.table("events", { time: "f64" }, 64);
    this.words = store.table("events, in words", { word: "i32" }, 64 << EVENT_BITS);
    this.ends = store.table("event lists", { first: "i32", last: "i32" }, 16);
    this.makeLists(1);
  }

  /** A row whose columns hold anything: the caller writes all but the links. */
  take(): number {
    const { first } = this.ends;
    const event = first[FREE]!;
    if (event < 0) return this.extend();
    first[FREE] = this.words.word[(event << EVENT_BITS) | NEXT]!;
    return event;
  }

  private extend(): number {
    for (let word = 0; word < 1 << EVENT_BITS; word++) this.words.alloc();
    return this.events.alloc();
  }

  /** Gives back the row of an event that is in no list; all but its links stay readable until the next `take`. */
  give(event: number): void {
    const { first } = this.ends;
    this.words.word[(event << EVENT_BITS) | NEXT] = first[FREE]!;
    first[FREE] = event;
  }

  /** Makes sure that lists 0 … count − 1 exist. New ones are empty. */
  makeLists(count: number): void {
    while (this.ends.rows < count) {
      const list = this.ends.alloc();
      this.ends.first[list] = this.ends.last[list] = ~list;
    }
  }

  append(list: number, event: number): void {
    const { ends, words: { word } } = this;
    const last = ends.last[list]!;
    word[(event << EVENT_BITS) | PREVIOUS] = last;
    word[(event << EVENT_BITS) | NEXT] = ~list;
    ends.last[list] = event;
    if (last >= 0) word[(last << EVENT_BITS) | NEXT] = event;
    else ends.first[list] = event;
  }

  /** @param at an event, before which the new one goes */
  insertBefore(at: number, event: number): void {
    const { word } = this.words;
    const previous = word[(at << EVENT_BITS) | PREVIOUS]!;
    word[(event << EVENT_BITS) | PREVIOUS] = previous;
    word[(event << EVENT_BITS) | NEXT] = at;
    word[(at << EVENT_BITS) | PREVIOUS] = event;
    if (previous >= 0) word[(previous << EVENT_BITS) | NEXT] = event;
    else this.ends.first[~previous] = event;
  }

  /** Takes an event out of the list that it is in. */
  unlink(event: number): void {
    const { ends, words: { word } } = this;
    const previous = word[(event << EVENT_BITS) | PREVIOUS]!;
    const next = word[(event << EVENT_BITS) | NEXT]!;
    if (previous >= 0) word[(previous << EVENT_BITS) | NEXT] = next;
    else ends.first[~previous] = next;
    if (next >= 0) word[(next << EVENT_BITS) | PREVIOUS] = previous;
    else ends.last[~next] = previous;
  }

  /** Takes the first event out of its list. */
  unlinkFirst(list: number, event: number): void {
    const { ends, words: { word } } = this;
    const next = word[(event << EVENT_BITS) | NEXT]!;
    ends.first[list] = next;
    if (next >= 0) word[(next << EVENT_BITS) | PREVIOUS] = ~list;
    else ends.last[list] = ~list;
  }

  /** Empties a list. @returns its first event, from which NEXT goes through the others up to a negative link */
  detach(list: number): number {
    const { ends } = this;
    const first = ends.first[list]!;
    ends.first[list] = ends.last[list] = ~list;
    return first;
  }

  /** Moves `from`, an event of `list`, and all after it to the end of another list. */
  moveTail(list: number, from: number, target: number): void {
    const { ends, words: { word } } = this;
    const before = word[(from << EVENT_BITS) | PREVIOUS]!;
    const tail = ends.last[list]!;
    ends.last[list] = before;
    if (before >= 0) word[(before << EVENT_BITS) | NEXT] = ~list;
    else ends.first[list] = ~list;
    const last = ends.last[target]!;
    word[(from << EVENT_BITS) | PREVIOUS] = last;
    if (last >= 0) word[(last << EVENT_BITS) | NEXT] = from;
    else ends.first[target] = from;
    word[(tail << EVENT_BITS) | NEXT] = ~target;
    ends.last[target] = tail;
  }
}
