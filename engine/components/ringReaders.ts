import { FILLED, Malformed, POLLS, Reader, type FrameRing } from "../machine/frameRing";
import type { Machine } from "../machine/machine";
import type { Cpus } from "../scheduling/cpus";
import { NONE } from "../trace/trace";

/** Consecutive empty polls before a reader goes to sleep (LibrettOS `frontend.c`, `backend.c`). */
const EMPTY_POLLS = 256;

/** Cache lines that an index goes through from one end to the other: the queue's cell and its head or tail. */
export const INDEX_LINES = 2;

/** The steps of a reader's loop, as ops of its component; the component must reserve them. */
export const ReaderOp = { take: 100, poll: 101, announce: 102, sleep: 103, wake: 104 } as const;

/** Functions of the loop, and what becomes of a frame: the same for all readers of a component, which say their number. */
export interface ReaderParts {
  readonly poll: number;
  readonly announce: number;
  readonly sleep: number;
  readonly wake: number;
  /** Cost of taking one frame out and passing it on. */
  spend(packet: number, reader: number): void;
  accept(packet: number, reader: number): void;
  /** Where the other end is not trusted: cost of looking at an entry that is not what it must be, and what becomes of it. */
  spendRejected?(packet: number): void;
  reject?(packet: number, malformed: Malformed, claim: number, reader: number): void;
}

/**
 * The threads of a component that are each at the receiving end of a ring, with the handshake that loses no wake-up (LibrettOS 3.2: "the
 * receiving side, if inactive, must be notified"): a reader polls while frames come; after {@link EMPTY_POLLS} empty polls it announces that it
 * is about to sleep (−1), looks once more, and only then sleeps (−1 → 0 by compare-and-swap). An event sets the flag to 1,
 * and wakes the thread only if it found 0; a reader whose compare-and-swap fails has been woken in between and goes on.
 */
export class RingReaders {
  private readonly cpus: Cpus;
  private readonly words;
  private readonly threads: number[] = [];
  private readonly rings: FrameRing[] = [];
  /** Where each ring's words are. Of a busy server most events are polls: they look at these, and at no object of a reader's own, which is in no cache. */
  private readonly bases: number[] = [];

  constructor(machine: Machine, private readonly component: number, private readonly parts: ReaderParts) {
    this.cpus = machine.cpus;
    this.words = machine.kernel.store.words;
  }

  /** A thread at the end of a ring. @returns its number: `a` of its jobs */
  add(thread: number, ring: FrameRing): number {
    this.threads.push(thread);
    this.bases.push(ring.base);
    return this.rings.push(ring) - 1;
  }

  threadOf(reader: number): number {
    return this.threads[reader]!;
  }

  /** The thread is spawned. */
  start(reader: number): void {
    const ring = this.rings[reader]!;
    ring.readers = Reader.active;
    this.cpus.post(this.threads[reader]!, this.component, ring.isEmpty ? ReaderOp.poll : ReaderOp.take, reader);
  }

  begin(op: number, reader: number): void {
    const { cpus, parts } = this;
    if (op === ReaderOp.poll) return cpus.spinOn(parts.poll, EMPTY_POLLS - this.words.word[this.bases[reader]! + POLLS]!);
    if (op === ReaderOp.take) return this.spendTake(reader);
    cpus.spend(op === ReaderOp.announce ? parts.announce : op === ReaderOp.sleep ? parts.sleep : parts.wake);
  }

  private spendTake(reader: number): void {
    const { cpus, parts } = this;
    const ring = this.rings[reader]!;
    // What it was to take may be gone with the other end.
    if (ring.isEmpty) cpus.spend(parts.poll);
    else if (ring.malformed !== Malformed.no) parts.spendRejected?.(ring.peek());
    else {
      cpus.spendLines(ring.producer, INDEX_LINES);
      parts.spend(ring.peek(), reader);
    }
  }

  end(op: number, reader: number): void {
    if (op === ReaderOp.poll) return this.polled(reader);
    const ring = this.rings[reader]!;
    switch (op) {
      case ReaderOp.take:
        this.take(ring, reader);
        return this.goOn(reader, ReaderOp.poll);
      case ReaderOp.announce:
        this.words.word[ring.base + POLLS] = 0;
        ring.readers = Reader.aboutToSleep;
        return this.call(reader, ReaderOp.sleep);
      case ReaderOp.sleep:
        if (ring.isEmpty && ring.readers === Reader.aboutToSleep) {
          ring.readers = Reader.asleep;
          return;
        }
        ring.readers = Reader.active;
        return this.goOn(reader, ReaderOp.poll);
      default: {
        const before = ring.readers;
        ring.readers = Reader.active;
        if (before === Reader.asleep) this.start(reader);
      }
    }
  }

  private take(ring: FrameRing, reader: number): void {
    const { malformed } = ring;
    const claim = malformed === Malformed.no ? 0 : ring.claim;
    const packet = ring.consume();
    this.words.word[ring.base + POLLS] = 0;
    ring.consumer = this.cpus.here;
    if (malformed !== Malformed.no) this.parts.reject?.(packet, malformed, claim, reader);
    else if (packet !== NONE) this.parts.accept(packet, reader);
  }

  private polled(reader: number): void {
    const { cpus, words: { word } } = this;
    const base = this.bases[reader]!;
    // Cut short without a frame: another thread of the vCPU is ready, and an empty poll yields. The polls of all turns count.
    const polls = word[base + POLLS]! + cpus.rounds;
    word[base + POLLS] = polls;
    if (word[base + FILLED] !== 0 || polls >= EMPTY_POLLS) return this.goOn(reader, ReaderOp.announce);
    cpus.yield();
    this.call(reader, ReaderOp.poll);
  }

  /** The sender has enqueued: a polling reader sees it at its next poll. @returns whether the reader must be notified */
  enqueued(reader: number): boolean {
    const ring = this.rings[reader]!;
    ring.producer = this.cpus.here;
    this.cpus.cutShort(this.threads[reader]!);
    return ring.readers <= 0;
  }

  /** Takes what is there; @param otherwise what it does if nothing is */
  private goOn(reader: number, otherwise: number): void {
    this.call(reader, this.words.word[this.bases[reader]! + FILLED] === 0 ? otherwise : ReaderOp.take);
  }

  private call(reader: number, op: number): void {
    this.cpus.call(this.threads[reader]!, this.component, op, reader);
  }
}
