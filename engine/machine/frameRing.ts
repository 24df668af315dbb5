import type { Variable } from "../inspect";
import type { Kernel } from "../kernel/kernel";
import { Ring } from "../kernel/ring";
import type { Table } from "../kernel/state";

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
 * Rows of a ring's column. The first two are written by whoever was the last at an end: its pCPU, or −1. They are rows and not columns for the reason given in
 * `ring.ts`: with 200 channels, looking at a few of eight columns was the most expensive thing in a run.
 */
const PRODUCER = 0;
const CONSUMER = 1;
const READERS = 2;
const POLLS = 3;
const LOST = 4;
const FRAMES = 5;
const DROPPED = 6;
const NOTIFICATIONS = 7;
const STATE_ROWS = 8;

/**
 * One direction of the channel between an application and the network server: 512 slots in shared memory and two lock-free
 * queues of slot indices, one of filled and one of free slots (LibrettOS 3.2; the queues are SCQ, Nikolaev, DISC '19).
 * A full ring drops the frame; the producer never blocks.
 */
export class FrameRing {
  private readonly free: Ring;
  private readonly filled: Ring;
  private readonly slot: Table<{ readonly packet: "i32"; readonly malformed: "u8"; readonly claim: "i32" }>;
  private readonly state: Table<{ readonly value: "f64" }>;

  constructor(kernel: Kernel, readonly name: string) {
    this.free = new Ring(kernel.store, `${name}: free slots`, RING_SLOTS, "room");
    this.filled = new Ring(kernel.store, `${name}: filled slots`, RING_SLOTS);
    this.slot = kernel.store.table(`${name}: slots`, { packet: "i32", malformed: "u8", claim: "i32" }, RING_SLOTS);
    for (let i = 0; i < RING_SLOTS; i++) {
      this.slot.alloc();
      this.free.push(i);
    }
    this.state = kernel.store.table(name, { value: "f64" }, STATE_ROWS);
    for (let row = 0; row < STATE_ROWS; row++) this.state.alloc();
    this.state.value[READERS] = Reader.asleep;
    this.state.value[PRODUCER] = this.state.value[CONSUMER] = -1;
  }

  /** The pCPU that wrote to the ring last at the producing end, or −1: the next to read has the lines brought from there. */
  get producer(): number {
    return this.state.value[PRODUCER]!;
  }

  set producer(pcpu: number) {
    this.state.value[PRODUCER] = pcpu;
  }

  /** The same at the consuming end, which gives slots back. */
  get consumer(): number {
    return this.state.value[CONSUMER]!;
  }

  set consumer(pcpu: number) {
    this.state.value[CONSUMER] = pcpu;
  }

  /** Copies a frame into a free slot and makes it visible to the reader. @returns false if there is no free slot: dropped */
  produce(packet: number): boolean {
    const index = this.free.shift();
    if (index < 0) {
      this.state.value[DROPPED]!++;
      return false;
    }
    this.slot.packet[index] = packet;
    this.filled.push(index);
    this.state.value[FRAMES]!++;
    return true;
  }

  /**
   * What a malicious sender does: it takes a free slot, and enqueues an entry that claims another index, or another length.
   * @param claim the index or length that stands in the entry
   */
  produceMalformed(packet: number, malformed: Malformed, claim: number): boolean {
    const index = this.free.peek();
    if (!this.produce(packet)) return false;
    this.slot.malformed[index] = malformed;
    this.slot.claim[index] = claim;
    return true;
  }

  /** What is wrong with the entry that `consume` would take, as its reader sees it; nothing where the ring is empty. */
  get malformed(): Malformed {
    const index = this.filled.peek();
    return index < 0 ? Malformed.no : this.slot.malformed[index]! as Malformed;
  }

  /** The index or length that a malformed entry claims. */
  get claim(): number {
    return this.slot.claim[this.filled.peek()]!;
  }

  /** The frame that `consume` would take, or −1. */
  peek(): number {
    const index = this.filled.peek();
    return index < 0 ? -1 : this.slot.packet[index]!;
  }

  /** Takes the oldest frame and gives its slot back; −1 when empty. */
  consume(): number {
    const index = this.filled.shift();
    if (index < 0) return -1;
    // Which slot an entry with a false index was meant to name is known to nobody: the sender has one less from now on.
    if (this.slot.malformed[index] === Malformed.index) this.state.value[LOST]!++;
    else this.free.push(index);
    this.slot.malformed[index] = Malformed.no;
    return this.slot.packet[index]!;
  }

  /** The ring as it is when it is made: empty. Who reads it, and whether that one sleeps, is the reader's. @param lost is told of every frame in it */
  renew(lost: (packet: number) => void): void {
    for (let packet = this.consume(); packet >= 0; packet = this.consume()) lost(packet);
    this.free.clear();
    this.state.value[LOST] = 0;
    for (let i = 0; i < RING_SLOTS; i++) this.free.push(i);
  }

  get count(): number {
    return this.filled.count;
  }

  /** Slots that the sender has lost by malformed entries. */
  get lostCount(): number {
    return this.state.value[LOST]!;
  }

  get freeCount(): number {
    return this.free.count;
  }

  /** The sender loads the flag after it has enqueued; at 0 or below it must notify. */
  get readers(): number {
    return this.state.value[READERS]!;
  }

  set readers(value: number) {
    this.state.value[READERS] = value;
  }

  /** Empty polls in a row that the reader has made so far. */
  get emptyPolls(): number {
    return this.state.value[POLLS]!;
  }

  set emptyPolls(count: number) {
    this.state.value[POLLS] = count;
  }

  countNotification(): void {
    this.state.value[NOTIFICATIONS]!++;
  }

  get notifications(): number {
    return this.state.value[NOTIFICATIONS]!;
  }

  get frames(): number {
    return this.state.value[FRAMES]!;
  }

  describe(name: string): Variable {
    const readers = this.state.value[READERS]!;
    const dropped = this.state.value[DROPPED]!;
    return {
      name, value: `${this.filled.count} of ${RING_SLOTS} slots filled`, number: this.filled.count,
      children: [
        { name: "filled", value: `${this.filled.count}`, number: this.filled.count },
        { name: "free", value: `${this.free.count}`, number: this.free.count },
        { name: "readers", value: `${readers} (${readers > 0 ? "active" : readers < 0 ? "about to sleep" : "asleep"})`, number: readers },
        { name: "frames", value: `${this.state.value[FRAMES]!}`, number: this.state.value[FRAMES]! },
        { name: "notifications", value: `${this.state.value[NOTIFICATIONS]!}`, number: this.state.value[NOTIFICATIONS]! },
        { name: "dropped, ring full", value: `${dropped}`, number: dropped },
      ],
    };
  }
}
