import type { MessageKind } from "./protocol";

/** A key as memtier_benchmark makes it: its prefix, and a number below ten million. */
const KEY = "memtier-1234567";
const Magic = { request: 0x80, response: 0x81 } as const;
const Opcode = { get: 0, set: 1 } as const;
/** Flags and expiration time come with a SET, flags with the answer to a GET. */
const Extras = { set: 8, value: 4 } as const;

/** A number as so many bytes in network order, Latin-1. */
function bytes(value: number, count: number): string {
  let text = "";
  let rest = value;
  for (let i = 0; i < count; i++) {
    text = String.fromCharCode(rest % 256) + text;
    rest = Math.floor(rest / 256);
  }
  return text;
}

/**
 * A header of 24 bytes and the extras: magic, opcode, length of the key, of the extras, data type, vbucket or status 0, length of all that
 * follows the header, opaque 0, and the version of the item (`protocol_binary.h` of memcached 1.4).
 */
function header(magic: number, opcode: number, key: string, extras: number, value: number, version: number): string {
  const head = bytes(magic, 1) + bytes(opcode, 1) + bytes(key.length, 2) + bytes(extras, 1) + bytes(0, 3) + bytes(extras + key.length + value, 4) + bytes(0, 4) + bytes(version, 8);
  return head + bytes(0, extras) + key;
}

/** memcached's binary protocol: GET and SET of one key, the value, and what says that it is stored; the value of a message is the size of the content. */
export const memcache: readonly MessageKind[] = [
  { text: () => header(Magic.request, Opcode.get, KEY, 0, 0, 0), body: () => 0, trailer: "" },
  { text: (size) => header(Magic.request, Opcode.set, KEY, Extras.set, size, 0), body: (size) => size, trailer: "" },
  { text: (size) => header(Magic.response, Opcode.get, "", Extras.value, size, 1), body: (size) => size, trailer: "" },
  { text: () => header(Magic.response, Opcode.set, "", 0, 0, 1), body: () => 0, trailer: "" },
];
