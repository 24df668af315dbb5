import type { Store, Table } from "./state";

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

const schema = {
  time: "f64", priority: "u8", sequence: "f64", component: "u16", op: "u16", a: "i32", b: "i32", cause: "i32", position: "i32",
} as const;

/**
 * Pending events: a 4-ary heap of indices into a table, ordered by (time, priority, sequence). An event is data, so a
 * keyframe is a copy of the table. `position` makes cancelling exact: a cancelled event leaves the heap at once.
 */
export class EventQueue {
  readonly events: Table<typeof schema>;
  private readonly heap: Table<{ readonly event: "i32" }>;
  private readonly scalars: Table<{ readonly length: "i32"; readonly sequence: "f64" }>;

  constructor(store: Store) {
    this.events = store.table("events", schema, 64);
    this.heap = store.table("event heap", { event: "i32" }, 64);
    this.scalars = store.table("event queue", { length: "i32", sequence: "f64" }, 1);
    this.scalars.alloc();
  }

  get length(): number {
    return this.scalars.length[0]!;
  }

  /** Adds an event; the handle is valid until the event fires or is cancelled. */
  schedule(time: number, priority: Priority, component: number, op: number, a: number, b: number, cause: number): number {
    const event = this.events.alloc();
    const e = this.events;
    e.time[event] = time;
    e.priority[event] = priority;
    e.sequence[event] = this.scalars.sequence[0]!++;
    e.component[event] = component;
    e.op[event] = op;
    e.a[event] = a;
    e.b[event] = b;
    e.cause[event] = cause;
    const n = this.scalars.length[0]!++;
    if (n === this.heap.rows) this.heap.alloc();
    this.up(n, event);
    return event;
  }

  cancel(event: number): void {
    this.removeAt(this.events.position[event]!);
    this.events.release(event);
  }

  /** The earliest event, or −1. It stays until `pop`. */
  peek(): number {
    return this.scalars.length[0]! > 0 ? this.heap.event[0]! : -1;
  }

  /** Takes the earliest event out. Its columns stay readable until the next `schedule`. */
  pop(): number {
    const event = this.heap.event[0]!;
    this.removeAt(0);
    this.events.release(event);
    return event;
  }

  private removeAt(hole: number): void {
    const n = --this.scalars.length[0]!;
    if (hole === n) return;
    const moved = this.heap.event[n]!;
    if (hole > 0 && this.before(moved, this.heap.event[(hole - 1) >> 2]!)) this.up(hole, moved);
    else this.down(hole, moved, n);
  }

  private before(x: number, y: number): boolean {
    const e = this.events;
    const tx = e.time[x]!;
    const ty = e.time[y]!;
    if (tx !== ty) return tx < ty;
    const px = e.priority[x]!;
    const py = e.priority[y]!;
    if (px !== py) return px < py;
    return e.sequence[x]! < e.sequence[y]!;
  }

  private up(hole: number, event: number): void {
    const heap = this.heap.event;
    const position = this.events.position;
    while (hole > 0) {
      const parent = (hole - 1) >> 2;
      const other = heap[parent]!;
      if (!this.before(event, other)) break;
      heap[hole] = other;
      position[other] = hole;
      hole = parent;
    }
    heap[hole] = event;
    position[event] = hole;
  }

  private down(hole: number, event: number, n: number): void {
    const heap = this.heap.event;
    const position = this.events.position;
    for (;;) {
      const first = hole * 4 + 1;
      if (first >= n) break;
      let least = first;
      const end = first + 4 < n ? first + 4 : n;
      for (let child = first + 1; child < end; child++) if (this.before(heap[child]!, heap[least]!)) least = child;
      const other = heap[least]!;
      if (!this.before(other, event)) break;
      heap[hole] = other;
      position[other] = hole;
      hole = least;
    }
    heap[hole] = event;
    position[event] = hole;
  }
}
