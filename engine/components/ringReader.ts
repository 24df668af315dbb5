import type { Cpus } from "../scheduling/cpus";
import { Malformed, Reader, type FrameRing } from "../machine/frameRing";
import { NONE } from "../trace/trace";

/** Consecutive empty polls before a reader goes to sleep (LibrettOS `frontend.c`, `backend.c`). */
const EMPTY_POLLS = 256;

/** Cache lines that an index goes through from one end to the other: the queue's cell and its head or tail. */
export const INDEX_LINES = 2;

/** The steps of a reader's loop, as ops of its component; the component must reserve them. */
export const ReaderOp = { take: 100, poll: 101, announce: 102, sleep: 103, wake: 104 } as const;

/** Functions of the loop, and what becomes of a frame: the same for all readers of a component, which say their ring. */
export interface ReaderParts {
  readonly poll: number;
  readonly announce: number;
  readonly sleep: number;
  readonly wake: number;
  /** Cost of taking one frame out and passing it on. */
  spend(packet: number, ring: number): void;
  accept(packet: number, ring: number): void;
  /** Where the other end is not trusted: cost of looking at an entry that is not what it must be, and what becomes of it. */
  spendRejected?(packet: number): void;
  reject?(packet: number, malformed: Malformed, claim: number, ring: number): void;
}

/**
 * The thread at the receiving end of a ring, with the handshake that loses no wake-up (LibrettOS 3.2: "the receiving side,
 * if inactive, must be notified"): it polls while frames come; after {@link EMPTY_POLLS} empty polls it announces that it
 * is about to sleep (−1), looks once more, and only then sleeps (−1 → 0 by compare-and-swap). An event sets the flag to 1,
 * and wakes the thread only if it found 0; a reader whose compare-and-swap fails has been woken in between and goes on.
 */
export class RingReader {
  /** @param argument `a` of its jobs: which ring of the component it reads */
  constructor(
    private readonly cpus: Cpus, private readonly component: number, readonly thread: number,
    private readonly ring: FrameRing, private readonly argument: number, private readonly parts: ReaderParts,
  ) {}

  /** The thread is spawned. */
  start(): void {
    this.ring.readers = Reader.active;
    this.cpus.post(this.thread, this.component, this.ring.isEmpty ? ReaderOp.poll : ReaderOp.take, this.argument);
  }

  begin(op: number): void {
    const { cpus, ring, parts } = this;
    // What it was to take may be gone with the other end.
    if (op === ReaderOp.take && ring.isEmpty) cpus.spend(parts.poll);
    else if (op === ReaderOp.take && ring.malformed !== Malformed.no) parts.spendRejected?.(ring.peek());
    else if (op === ReaderOp.take) {
      cpus.spendLines(ring.producer, INDEX_LINES);
      parts.spend(ring.peek(), this.argument);
    } else if (op === ReaderOp.poll) cpus.spinOn(parts.poll, EMPTY_POLLS - ring.emptyPolls);
    else if (op === ReaderOp.announce) cpus.spend(parts.announce);
    else if (op === ReaderOp.sleep) cpus.spend(parts.sleep);
    else cpus.spend(parts.wake);
  }

  end(op: number): void {
    const { ring, cpus } = this;
    switch (op) {
      case ReaderOp.take: {
        const { malformed } = ring;
        const claim = malformed === Malformed.no ? 0 : ring.claim;
        const packet = ring.consume();
        ring.emptyPolls = 0;
        ring.consumer = cpus.here;
        if (malformed !== Malformed.no) this.parts.reject?.(packet, malformed, claim, this.argument);
        else if (packet !== NONE) this.parts.accept(packet, this.argument);
        return this.continue(ReaderOp.poll);
      }
      case ReaderOp.poll:
        // Cut short without a frame: another thread of the vCPU is ready, and an empty poll yields. The polls of all turns count.
        ring.emptyPolls += cpus.rounds;
        if (ring.isEmpty && ring.emptyPolls < EMPTY_POLLS) {
          cpus.yield();
          return this.go(ReaderOp.poll);
        }
        return this.continue(ReaderOp.announce);
      case ReaderOp.announce:
        ring.emptyPolls = 0;
        ring.readers = Reader.aboutToSleep;
        return this.go(ReaderOp.sleep);
      case ReaderOp.sleep:
        if (ring.isEmpty && ring.readers === Reader.aboutToSleep) {
          ring.readers = Reader.asleep;
          return;
        }
        ring.readers = Reader.active;
        return this.continue(ReaderOp.poll);
      default: {
        const before = ring.readers;
        ring.readers = Reader.active;
        if (before === Reader.asleep) cpus.post(this.thread, this.component, ring.isEmpty ? ReaderOp.poll : ReaderOp.take, this.argument);
      }
    }
  }

  /** The sender has enqueued: a polling reader sees it at its next poll. @returns whether the reader must be notified */
  enqueued(): boolean {
    this.ring.producer = this.cpus.here;
    this.cpus.cutShort(this.thread);
    return this.ring.readers <= 0;
  }

  private continue(otherwise: number): void {
    this.go(this.ring.isEmpty ? otherwise : ReaderOp.take);
  }

  private go(op: number): void {
    this.cpus.call(this.thread, this.component, op, this.argument);
  }
}
