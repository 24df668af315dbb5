import type { Store, Table } from "./state";

const schema = {
  time: "f64", priority: "u8", component: "u16", op: "u16", a: "i32", b: "i32", cause: "i32", next: "i32", previous: "i32",
} as const;

/** The list of free rows: linked one way only, used at its start only. */
const FREE = 0;
/** The first list that is not taken. */
export const FIRST_LIST = FREE + 1;

export type Events = Table<typeof schema>;

/**
 * The pending events, each in exactly one of many lists. Lists are linked both ways through the events' own columns, so
 * that an event leaves in constant time wherever it is. A list is a row of `ends`; where a link names a list in place of an
 * event, it is the complement of the list's number, so that an empty list links to itself and no case is special.
 */
export class EventLists {
  readonly events: Events;
  /** First and last event of each list. */
  readonly ends: Table<{ readonly first: "i32"; readonly last: "i32" }>;

  constructor(store: Store) {
    this.events = store.table("events", schema, 64);
    this.ends = store.table("event lists", { first: "i32", last: "i32" }, 16);
    this.makeLists(1);
  }

  /** A row whose columns hold anything: the caller writes all but the links. */
  take(): number {
    const { first } = this.ends;
    const event = first[FREE]!;
    if (event < 0) return this.events.alloc();
    first[FREE] = this.events.next[event]!;
    return event;
  }

  /** Gives back the row of an event that is in no list; all but its links stay readable until the next `take`. */
  give(event: number): void {
    const { first } = this.ends;
    this.events.next[event] = first[FREE]!;
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
    const { events, ends } = this;
    const last = ends.last[list]!;
    events.previous[event] = last;
    events.next[event] = ~list;
    ends.last[list] = event;
    if (last >= 0) events.next[last] = event;
    else ends.first[list] = event;
  }

  /** @param at an event, before which the new one goes */
  insertBefore(at: number, event: number): void {
    const { events } = this;
    const previous = events.previous[at]!;
    events.previous[event] = previous;
    events.next[event] = at;
    events.previous[at] = event;
    if (previous >= 0) events.next[previous] = event;
    else this.ends.first[~previous] = event;
  }

  /** Takes an event out of the list that it is in. */
  unlink(event: number): void {
    const { events, ends } = this;
    const previous = events.previous[event]!;
    const next = events.next[event]!;
    if (previous >= 0) events.next[previous] = next;
    else ends.first[~previous] = next;
    if (next >= 0) events.previous[next] = previous;
    else ends.last[~next] = previous;
  }

  /** Takes the first event out of its list. */
  unlinkFirst(list: number, event: number): void {
    const { events, ends } = this;
    const next = events.next[event]!;
    ends.first[list] = next;
    if (next >= 0) events.previous[next] = ~list;
    else ends.last[list] = ~list;
  }

  /** Empties a list. @returns its first event, from which `next` goes through the others up to a negative link */
  detach(list: number): number {
    const { ends } = this;
    const first = ends.first[list]!;
    ends.first[list] = ends.last[list] = ~list;
    return first;
  }

  /** Moves `from`, an event of `list`, and all after it to the end of another list. */
  moveTail(list: number, from: number, target: number): void {
    const { events, ends } = this;
    const before = events.previous[from]!;
    const tail = ends.last[list]!;
    ends.last[list] = before;
    if (before >= 0) events.next[before] = ~list;
    else ends.first[list] = ~list;
    const last = ends.last[target]!;
    events.previous[from] = last;
    if (last >= 0) events.next[last] = from;
    else ends.first[target] = from;
    events.next[tail] = ~target;
    ends.last[target] = tail;
  }
}
