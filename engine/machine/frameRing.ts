import type { Variable } from "../inspect";
import type { Kernel } from "../kernel/kernel";
import { COUNT, Ring } from "../kernel/ring";
import type { Scalars } from "../kernel/scalars";
import type { Words } from "../kernel/state";

/** Slots of a ring in one direction: order 9 (`RING_ORDER`, LibrettOS network_ring.h). */
export const RING_SLOTS = 512;
/** Largest frame of a slot: 9216 B less the 8-byte length. */
export const SLOT_BYTES = 9208;

/** What is wrong with an entry that a malicious sender has made: a slot that is none, or a frame longer than a slot. */
export const Malformed = { no: 0, index: 1, length: 2 } as const;
export type Malformed = (typeof Malformed)[keyof typeof Malformed];

/**
 * The reader's state, as the sender sees it (`readers` in the ring page). LibrettOS 3.2 calls the variable *threads*: how many threads process
 * requests, of which each end has one, its handler or its receiver; −1 is what the prototype adds, so that no wake-up is lost. Only the
 * reader writes it; the sender's mapping of it is read-only.
 */
export const Reader = { asleep: 0, active: 1, aboutToSleep: -1 } as const;

/**
 * Words of a ring, beside those of its filled slots, as who polls it reads both. The first two are written by whoever was the last at an end: its pCPU, or −1.
 */
const PRODUCER = 0;
const CONSUMER = 1;
const READERS = 2;
export const POLLS = 3;
const LOST = 4;
const WORDS = 5;
/** How many slots are filled: a word of the queue of these, which comes next. */
export const FILLED = WORDS + COUNT;

/** Words of a slot: the frame; what is wrong with the entry, if anything; and the index or length that it claims then. */
const PACKET = 0;
const MALFORMED = 1;
const CLAIM = 2;
const SLOT_BITS = 2;

/**
 * One direction of the channel between an application and the network server: 512 slots in shared memory and two lock-free
 * queues of slot indices, one of filled and one of free slots (LibrettOS 3.2; the queues are SCQ, Nikolaev, DISC '19).
 * A full ring drops the frame; the producer never blocks.
 */
export class FrameRing {
  private readonly free: Ring;
  private readonly filled: Ring;
  private readonly words: Words;
  /** The first word of the first slot. */
  private readonly slots: number;
  /** The first of its words, among all models'. */
  readonly base: number;
  private readonly counts: Scalars<"frames" | "dropped" | "notifications">;

  constructor(kernel: Kernel, readonly name: string) {
    this.free = new Ring(kernel.store, `${name}: free slots`, RING_SLOTS, "room");
    this.words = kernel.store.words;
    this.base = kernel.store.addWords(name, WORDS);
    this.filled = new Ring(kernel.store, `${name}: filled slots`, RING_SLOTS);
    this.slots = kernel.store.addWords(`${name}: slots`, RING_SLOTS << SLOT_BITS);
    this.counts = kernel.store.scalars(name, ["frames", "dropped", "notifications"]);
    for (let i = 0; i < RING_SLOTS; i++) this.free.push(i);
    this.words.word[this.base + READERS] = Reader.asleep;
    this.words.word[this.base + PRODUCER] = this.words.word[this.base + CONSUMER] = -1;
  }

  /** The pCPU that wrote to the ring last at the producing end, or −1: the next to read has the lines brought from there. */
  get producer(): number {
    return this.words.word[this.base + PRODUCER]!;
  }

  set producer(pcpu: number) {
    this.words.word[this.base + PRODUCER] = pcpu;
  }

  /** The same at the consuming end, which gives slots back. */
  get consumer(): number {
    return this.words.word[this.base + CONSUMER]!;
  }

  set consumer(pcpu: number) {
    this.words.word[this.base + CONSUMER] = pcpu;
  }

  /** Copies a frame into a free slot and makes it visible to the reader. @returns false if there is no free slot: dropped */
  produce(packet: number): boolean {
    const index = this.free.shift();
    if (index < 0) {
      this.counts.dropped++;
      return false;
    }
    this.words.word[this.slots + (index << SLOT_BITS) + PACKET] = packet;
    this.filled.push(index);
    this.counts.frames++;
    return true;
  }

  /**
   * What a malicious sender does: it takes a free slot, and enqueues an entry that claims another index, or another length.
   * @param claim the index or length that stands in the entry
   */
  produceMalformed(packet: number, malformed: Malformed, claim: number): boolean {
    const index = this.free.peek();
    if (!this.produce(packet)) return false;
    this.words.word[this.slots + (index << SLOT_BITS) + MALFORMED] = malformed;
    this.words.word[this.slots + (index << SLOT_BITS) + CLAIM] = claim;
    return true;
  }

  /** What is wrong with the entry that `consume` would take, as its reader sees it; nothing where the ring is empty. */
  get malformed(): Malformed {
    const index = this.filled.peek();
    return index < 0 ? Malformed.no : this.words.word[this.slots + (index << SLOT_BITS) + MALFORMED]! as Malformed;
  }

  /** The index or length that a malformed entry claims. */
  get claim(): number {
    return this.words.word[this.slots + (this.filled.peek() << SLOT_BITS) + CLAIM]!;
  }

  get isEmpty(): boolean {
    return this.words.word[this.base + FILLED] === 0;
  }

  /** The frame that `consume` would take, or −1. */
  peek(): number {
    const index = this.filled.peek();
    return index < 0 ? -1 : this.packetIn(index);
  }

  /** Takes the oldest frame and gives its slot back; −1 when empty. */
  consume(): number {
    const index = this.filled.shift();
    if (index < 0) return -1;
    // Which slot an entry with a false index was meant to name is known to nobody: the sender has one less from now on.
    if (this.words.word[this.slots + (index << SLOT_BITS) + MALFORMED] === Malformed.index) this.words.word[this.base + LOST]!++;
    else this.free.push(index);
    this.words.word[this.slots + (index << SLOT_BITS) + MALFORMED] = Malformed.no;
    return this.packetIn(index);
  }

  private packetIn(slot: number): number {
    return this.words.word[this.slots + (slot << SLOT_BITS) + PACKET]!;
  }

  /** The ring as it is when it is made: empty. Who reads it, and whether that one sleeps, is the reader's. @param lost is told of every frame in it */
  renew(lost: (packet: number) => void): void {
    for (let packet = this.consume(); packet >= 0; packet = this.consume()) lost(packet);
    this.free.clear();
    this.words.word[this.base + LOST] = 0;
    for (let i = 0; i < RING_SLOTS; i++) this.free.push(i);
  }

  get count(): number {
    return this.filled.count;
  }

  /** Slots that the sender has lost by malformed entries. */
  get lostCount(): number {
    return this.words.word[this.base + LOST]!;
  }

  get freeCount(): number {
    return this.free.count;
  }

  /** The sender loads the flag after it has enqueued; at 0 or below it must notify. */
  get readers(): number {
    return this.words.word[this.base + READERS]!;
  }

  set readers(value: number) {
    this.words.word[this.base + READERS] = value;
  }

  countNotification(): void {
    this.counts.notifications++;
  }

  get notifications(): number {
    return this.counts.notifications;
  }

  get frames(): number {
    return this.counts.frames;
  }

  describe(name: string): Variable {
    const readers = this.words.word[this.base + READERS]!;
    const dropped = this.counts.dropped;
    return {
      name, value: `${this.filled.count} of ${RING_SLOTS} slots filled`, number: this.filled.count,
      children: [
        { name: "filled", value: `${this.filled.count}`, number: this.filled.count },
        { name: "free", value: `${this.free.count}`, number: this.free.count },
        { name: "readers", value: `${readers} (${readers > 0 ? "active" : readers < 0 ? "about to sleep" : "asleep"})`, number: readers },
        { name: "frames", value: `${this.counts.frames}`, number: this.counts.frames },
        { name: "notifications", value: `${this.counts.notifications}`, number: this.counts.notifications },
        { name: "dropped, ring full", value: `${dropped}`, number: dropped },
      ],
    };
  }
}
