import type { Message, MessageKind } from "./protocol";

/** Sizes are below this; the number of the message stands above. */
const SIZE_LIMIT = 0x4000_0000;

/** Data without a form of its own, as NetPIPE, netperf, echo and ping send it; the value holds number and size. */
export const data: readonly MessageKind[] = [{ text: () => "", body: (value) => value % SIZE_LIMIT, trailer: "" }];

/** Its index in `kinds`. */
const KIND = 6;

/** @param number tells the message from others, up to 2²²; @param size bytes, at least 1 and below 2³⁰ */
export function datum(number: number, size: number): Message {
  return { kind: KIND, length: size, value: number * SIZE_LIMIT + size };
}

/** The same bytes back. */
export function echoOf(value: number): Message {
  return { kind: KIND, length: value % SIZE_LIMIT, value };
}

export function numberOf(value: number): number {
  return Math.floor(value / SIZE_LIMIT);
}
