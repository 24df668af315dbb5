import type { Store, Table } from "../kernel/state";
import { NOTHING_RECEIVED, type Received } from "../workloads/client";

/** Datagrams of a stream that are remembered, from the highest number on down: a power of two, 8 KiB of bits. */
const WINDOW = 65536;
const WORDS = WINDOW / 32;

/** `window`: the row of its first word, plus one; `next`: one more than the highest number that has come. */
const schema = { messages: "f64", bytes: "f64", duplicates: "f64", first: "f64", last: "f64", silence: "f64", window: "i32", next: "f64" } as const;

/**
 * What a server has received, by stream, each datagram once. Which ones have come it knows by a window of bits that slides with the highest number, as
 * receivers of IPsec know replays (RFC 6479). What lies behind the window cannot be told from a copy, and is taken for one: there are never more than were sent.
 */
export class DatagramCounts {
  /** By stream over two: the one of a pair that a client sends on. */
  private readonly received: Table<typeof schema>;
  /** Bit `number % WINDOW` of each window. */
  private readonly windows: Table<{ readonly word: "i32" }>;

  constructor(store: Store, path: string) {
    this.received = store.table(`received by ${path}`, schema);
    this.windows = store.table(`datagrams had by ${path}`, { word: "i32" });
  }

  /**
   * A datagram has come.
   * @param offset where it stands in its stream, whose datagrams are of one length: that numbers them
   * @returns whether it is the first copy
   */
  book(stream: number, offset: number, length: number, now: number): boolean {
    const { received } = this;
    const row = stream >> 1;
    while (received.rows <= row) received.alloc();
    if (!this.isNew(row, Math.floor(offset / length))) {
      received.duplicates[row]!++;
      return false;
    }
    if (received.messages[row]!++ === 0) received.first[row] = now;
    else received.silence[row] = Math.max(received.silence[row]!, now - received.last[row]!);
    received.bytes[row]! += length;
    received.last[row] = now;
    return true;
  }

  on(stream: number): Received {
    const row = stream >> 1;
    if (row >= this.received.rows) return NOTHING_RECEIVED;
    const { messages, bytes, duplicates, first, last, silence } = this.received;
    return { messages: messages[row]!, bytes: bytes[row]!, duplicates: duplicates[row]!, first: first[row]!, last: last[row]!, silence: silence[row]! };
  }

  /** Whether a number has not come before; it has now. */
  private isNew(row: number, number: number): boolean {
    const { received, windows } = this;
    if (received.window[row] === 0) received.window[row] = windows.append(WORDS) + 1;
    const base = received.window[row]! - 1;
    const next = received.next[row]!;
    if (number < next - WINDOW) return false;
    if (number >= next) {
      this.slide(base, next, number);
      received.next[row] = number + 1;
    }
    const { word } = windows;
    const at = base + wordOf(number);
    const bit = 1 << number % 32;
    if ((word[at]! & bit) !== 0) return false;
    word[at] = word[at]! | bit;
    return true;
  }

  /** The numbers from `next` to `number` have the bits of such as fall out of the window, and have not come. */
  private slide(base: number, next: number, number: number): void {
    const { word } = this.windows;
    if (number - next >= WINDOW) word.fill(0, base, base + WORDS);
    else for (let n = next; n <= number; n++) word[base + wordOf(n)]! &= ~(1 << n % 32);
  }
}

/** The word of a window with a number's bit. */
function wordOf(number: number): number {
  return Math.floor((number % WINDOW) / 32);
}
