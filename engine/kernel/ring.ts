import type { Store, Table } from "./state";

/** Told of each change of a queue's length; it is no part of the simulation. */
export interface LengthWatcher {
  changed(length: number): void;
}

/** Rows of a queue's column: where the oldest value is, and how many there are. */
const HEAD = 0;
const COUNT = 1;

/**
 * A bounded first-in first-out queue of integers, in the state: descriptor rings, index queues, packet buffers.
 *
 * Its two numbers are rows of one column: a machine has thousands of queues, and each column is an object and memory of its own, which is in no cache
 * when a queue's turn comes.
 */
export class Ring {
  private readonly slots: Table<{ readonly value: "i32" }>;
  private readonly state: Table<{ readonly word: "i32" }>;
  watcher: LengthWatcher | undefined = undefined;

  /** @param holds what waits to be served, so that its length says how much is behind; or what is free to be used */
  constructor(store: Store, readonly name: string, readonly capacity: number, holds: "work" | "room" = "work") {
    this.slots = store.table(`${name}: slots`, { value: "i32" }, capacity);
    for (let i = 0; i < capacity; i++) this.slots.alloc();
    this.state = store.table(name, { word: "i32" }, 2);
    for (let word = 0; word < 2; word++) this.state.alloc();
    if (holds === "work") store.queues.push(this);
  }

  get count(): number {
    return this.state.word[COUNT]!;
  }

  /** @returns false, and nothing changes, when full */
  push(value: number): boolean {
    const { word } = this.state;
    const count = word[COUNT]!;
    if (count === this.capacity) return false;
    let at = word[HEAD]! + count;
    if (at >= this.capacity) at -= this.capacity;
    this.slots.value[at] = value;
    word[COUNT] = count + 1;
    if (this.watcher !== undefined) this.watcher.changed(count + 1);
    return true;
  }

  /** The oldest value, or −1 when empty. */
  peek(): number {
    const { word } = this.state;
    return word[COUNT]! > 0 ? this.slots.value[word[HEAD]!]! : -1;
  }

  /** The value at `index` from the oldest. */
  at(index: number): number {
    return this.slots.value[(this.state.word[HEAD]! + index) % this.capacity]!;
  }

  /** Takes the oldest value, or −1 when empty. */
  shift(): number {
    const { word } = this.state;
    const count = word[COUNT]!;
    if (count === 0) return -1;
    const head = word[HEAD]!;
    word[COUNT] = count - 1;
    word[HEAD] = head + 1 === this.capacity ? 0 : head + 1;
    if (this.watcher !== undefined) this.watcher.changed(count - 1);
    return this.slots.value[head]!;
  }

  clear(): void {
    this.state.word[HEAD] = this.state.word[COUNT] = 0;
    if (this.watcher !== undefined) this.watcher.changed(0);
  }
}
