import type { Store, Table } from "./state";

/** Told of each change of a queue's length; it is no part of the simulation. */
export interface LengthWatcher {
  changed(length: number): void;
}

/** A bounded first-in first-out queue of integers, in the state: descriptor rings, index queues, packet buffers. */
export class Ring {
  private readonly slots: Table<{ readonly value: "i32" }>;
  private readonly state: Table<{ readonly head: "i32"; readonly count: "i32" }>;
  watcher: LengthWatcher | undefined = undefined;

  /** @param holds what waits to be served, so that its length says how much is behind; or what is free to be used */
  constructor(store: Store, readonly name: string, readonly capacity: number, holds: "work" | "room" = "work") {
    this.slots = store.table(`${name}: slots`, { value: "i32" }, capacity);
    for (let i = 0; i < capacity; i++) this.slots.alloc();
    this.state = store.table(name, { head: "i32", count: "i32" }, 1);
    this.state.alloc();
    if (holds === "work") store.queues.push(this);
  }

  get count(): number {
    return this.state.count[0]!;
  }

  /** @returns false, and nothing changes, when full */
  push(value: number): boolean {
    const count = this.state.count[0]!;
    if (count === this.capacity) return false;
    let at = this.state.head[0]! + count;
    if (at >= this.capacity) at -= this.capacity;
    this.slots.value[at] = value;
    this.state.count[0] = count + 1;
    if (this.watcher !== undefined) this.watcher.changed(count + 1);
    return true;
  }

  /** The oldest value, or −1 when empty. */
  peek(): number {
    return this.state.count[0]! > 0 ? this.slots.value[this.state.head[0]!]! : -1;
  }

  /** The value at `index` from the oldest. */
  at(index: number): number {
    return this.slots.value[(this.state.head[0]! + index) % this.capacity]!;
  }

  /** Takes the oldest value, or −1 when empty. */
  shift(): number {
    const count = this.state.count[0]!;
    if (count === 0) return -1;
    const head = this.state.head[0]!;
    this.state.count[0] = count - 1;
    this.state.head[0] = head + 1 === this.capacity ? 0 : head + 1;
    if (this.watcher !== undefined) this.watcher.changed(count - 1);
    return this.slots.value[head]!;
  }

  clear(): void {
    this.state.head[0] = this.state.count[0] = 0;
    if (this.watcher !== undefined) this.watcher.changed(0);
  }
}
