import type { MessageKind } from "./protocol";

const KEY = "key:000000000000";

/** The Redis serialisation protocol (RESP): GET and SET of one key, and their replies; the value is the size of the content. */
export const resp: readonly MessageKind[] = [
  { text: () => `*2\r\n$3\r\nGET\r\n$${KEY.length}\r\n${KEY}\r\n`, body: () => 0, trailer: "" },
  { text: (size) => `*3\r\n$3\r\nSET\r\n$${KEY.length}\r\n${KEY}\r\n$${size}\r\n`, body: (size) => size, trailer: "\r\n" },
  { text: (size) => `$${size}\r\n`, body: (size) => size, trailer: "\r\n" },
  { text: () => "+OK\r\n", body: () => 0, trailer: "" },
];
