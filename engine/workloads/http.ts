import type { MessageKind } from "./protocol";

/** The value of an HTTP message: size of the body asked for, doubled, plus 1 where the connection is kept alive. */
export function httpValue(size: number, keepAlive: boolean): number {
  return size * 2 + (keepAlive ? 1 : 0);
}

export function sizeOf(value: number): number {
  return Math.floor(value / 2);
}

export function keepsAlive(value: number): boolean {
  return value % 2 === 1;
}

/** HTTP as ApacheBench and nginx speak it (LibrettOS 5.5): a request for a file of a size, and the file. */
export const http: readonly MessageKind[] = [
  {
    text: (value) => `GET /${sizeOf(value)} HTTP/1.${keepsAlive(value) ? 1 : 0}\r\nHost: server\r\nUser-Agent: ApacheBench/2.3\r\nAccept: */*\r\n\r\n`,
    body: () => 0,
    trailer: "",
  },
  {
    text: (value) =>
      `HTTP/1.1 200 OK\r\nServer: nginx/1.8.0\r\nContent-Type: application/octet-stream\r\nContent-Length: ${sizeOf(value)}\r\n` +
      `Connection: ${keepsAlive(value) ? "keep-alive" : "close"}\r\n\r\n`,
    body: sizeOf,
    trailer: "",
  },
];
