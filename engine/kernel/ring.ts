import type { Store, Words } from "./state";

/** Told of each change of a queue's length; it is no part of the simulation. */
export interface LengthWatcher {
  changed(length: number): void;
}

/** Cells of a queue: where the oldest value is, and how many there are; then the slots. */
const HEAD = 0;
export const COUNT = 1;
const SLOTS = 2;

/** A bounded first-in first-out queue of integers, in the state: descriptor rings, index queues, packet buffers. */
export class Ring {
  private readonly words: Words;
  /** The first of its cells. */
  private readonly base: number;
  watcher: LengthWatcher | undefined = undefined;

  /** @param holds what waits to be served, so that its length says how much is behind; or what is free to be used */
  constructor(store: Store, readonly name: string, readonly capacity: number, holds: "work" | "room" = "work") {
    this.words = store.words;
    this.base = store.addWords(name, SLOTS + capacity);
    if (holds === "work") store.queues.push(this);
  }

  get count(): number {
    return this.words.word[this.base + COUNT]!;
  }

  /** @returns false, and nothing changes, when full */
  push(value: number): boolean {
    const { words: { word }, base } = this;
    const count = word[base + COUNT]!;
    if (count === this.capacity) return false;
    let slot = word[base + HEAD]! + count;
    if (slot >= this.capacity) slot -= this.capacity;
    word[base + SLOTS + slot] = value;
    word[base + COUNT] = count + 1;
    if (this.watcher !== undefined) this.watcher.changed(count + 1);
    return true;
  }

  /** The oldest value, or −1 when empty. */
  peek(): number {
    const { words: { word }, base } = this;
    return word[base + COUNT]! > 0 ? word[base + SLOTS + word[base + HEAD]!]! : -1;
  }

  /** The value at `index` from the oldest. */
  at(index: number): number {
    const { words: { word }, base } = this;
    return word[base + SLOTS + ((word[base + HEAD]! + index) % this.capacity)]!;
  }

  /** Takes the oldest value, or −1 when empty. */
  shift(): number {
    const { words: { word }, base } = this;
    const count = word[base + COUNT]!;
    if (count === 0) return -1;
    const head = word[base + HEAD]!;
    word[base + COUNT] = count - 1;
    word[base + HEAD] = head + 1 === this.capacity ? 0 : head + 1;
    if (this.watcher !== undefined) this.watcher.changed(count - 1);
    return word[base + SLOTS + head]!;
  }

  clear(): void {
    const { words: { word }, base } = this;
    word[base + HEAD] = word[base + COUNT] = 0;
    if (this.watcher !== undefined) this.watcher.changed(0);
  }
}
