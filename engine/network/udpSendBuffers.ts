import type { Store } from "../kernel/state";
import { SHARED_INFO, SK_BUFF, truesizeOfPiece } from "./socketBuffer";

/** `net.core.wmem_default`, which a socket's sk_sndbuf begins with: 256 × SKB_TRUESIZE(256) (include/net/sock.h, net/core/sock.c). */
const SEND_BUFFER = 256 * (256 + SK_BUFF + SHARED_INFO);
/** Room before and behind a datagram: `LL_RESERVED_SPACE` of Ethernet, and 15 B (`__ip_append_data`, net/ipv4/ip_output.c). */
const RESERVED = 16 + 15;

/**
 * What a datagram takes of the send buffer, bytes: the truesize of its socket buffer, in which header and data lie in one piece. 2,304 for a frame of 1,514.
 * @param length of the IP datagram
 */
export function truesize(length: number): number {
  return truesizeOfPiece(length + RESERVED);
}

/**
 * Send buffers of a Linux host's UDP sockets (`sk_wmem_alloc`): a datagram counts from when it is made until its socket buffer is freed, which its driver
 * does when the adapter has read it. A sender waits while there is no room (`sock_alloc_send_pskb`), and is woken when half of it is free (`sock_def_write_space`).
 */
export class UdpSendBuffers {
  private readonly socket;

  /** Rows are sockets. */
  constructor(store: Store, name: string) {
    this.socket = store.table(`${name}: UDP send buffers`, { used: "f64", waiting: "u8" });
  }

  /** A datagram of so many bytes was made. */
  take(socket: number, length: number): void {
    while (this.socket.rows <= socket) this.socket.alloc();
    this.socket.used[socket]! += truesize(length);
  }

  /** Its socket buffer is freed. @returns whether who waits is to be woken */
  free(socket: number, length: number): boolean {
    const s = this.socket;
    if (socket >= s.rows) return false;
    // A socket that was closed meanwhile took what it had used with it.
    s.used[socket] = Math.max(0, s.used[socket]! - truesize(length));
    if (s.waiting[socket] === 0 || 2 * s.used[socket]! > SEND_BUFFER) return false;
    s.waiting[socket] = 0;
    return true;
  }

  isFull(socket: number): boolean {
    return this.used(socket) >= SEND_BUFFER;
  }

  /** @returns whether a sender has to wait: who asks will be woken */
  waits(socket: number): boolean {
    if (!this.isFull(socket)) return false;
    this.socket.waiting[socket] = 1;
    return true;
  }

  used(socket: number): number {
    return socket < this.socket.rows ? this.socket.used[socket]! : 0;
  }
}
