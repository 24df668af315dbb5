import { data } from "./data";
import { http } from "./http";
import { memcache } from "./memcache";
import { resp } from "./resp";

/** What one end says to the other: a number of bytes with a meaning. */
export interface Message {
  /** Index into {@link kinds}. */
  readonly kind: number;
  /** Bytes on the stream. */
  readonly length: number;
  /** A number that both ends understand, such as the size asked for. */
  readonly value: number;
}

/** One kind of message of an application protocol. */
export interface MessageKind {
  /** The message as text; bytes that carry no meaning are left to `filler`. */
  text(value: number): string;
  /** Bytes of content after the text. */
  body(value: number): number;
  /** Text after the content. */
  readonly trailer: string;
}

/** All kinds of messages: a transcript's `kind` is an index here. */
export const kinds: readonly MessageKind[] = [...http, ...resp, ...data, ...memcache];

/** Index of HTTP's kinds, of RESP's, of plain data, and of memcached's. */
export const Kind = {
  httpRequest: 0, httpResponse: 1, get: 2, set: 3, bulk: 4, ok: 5, data: 6, memcacheGet: 7, memcacheSet: 8, memcacheValue: 9, memcacheStored: 10,
} as const;

/** Messages that were asked for: a workload asks for the same few again and again, and making the text to measure it is slow. */
const known = new Map<number, Message>();
const KNOWN = 4096;

/** A message with its length worked out. */
export function message(kind: number, value: number): Message {
  const key = value * kinds.length + kind;
  let found = known.get(key);
  if (found === undefined) {
    const { text, body, trailer } = kinds[kind]!;
    found = { kind, value, length: text(value).length + body(value) + trailer.length };
    if (known.size < KNOWN) known.set(key, found);
  }
  return found;
}

/** The bytes of a message, Latin-1: its text, its content and what follows. */
export function bytesOf(kind: number, value: number): Uint8Array {
  const { text, body, trailer } = kinds[kind]!;
  const head = text(value);
  const content = body(value);
  const bytes = new Uint8Array(head.length + content + trailer.length);
  for (let i = 0; i < head.length; i++) bytes[i] = head.charCodeAt(i);
  for (let i = 0; i < content; i++) bytes[head.length + i] = 97 + (i % 26);
  for (let i = 0; i < trailer.length; i++) bytes[head.length + content + i] = trailer.charCodeAt(i);
  return bytes;
}
