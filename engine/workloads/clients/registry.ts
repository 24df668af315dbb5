import type { ClientKind } from "../client";
import { http } from "./http";
import { keyValue } from "./keyValue";
import { memcached } from "./memcached";
import { netpipe } from "./netpipe";
import { openLoop } from "./openLoop";
import { ping } from "./ping";
import { tcpStream } from "./tcpStream";
import { udpStream } from "./udpStream";

/** Workloads by the kind that a design names. To add one: a file beside these, a line here, an entry in `design/catalogue/workloads.ts`. */
export const clientKinds: Readonly<Record<string, ClientKind>> = {
  http, "key-value": keyValue, memcached, netpipe, "tcp-stream": tcpStream, "udp-stream": udpStream, "open-loop": openLoop, ping,
};
