import type { Variable } from "../inspect";
import type { Store, Table } from "../kernel/state";

/** No socket, no datagram. */
const NONE = -1;

/** `first`, `last`, `next`: rows of the datagrams that wait, plus one; 0: none. */
const socketSchema = { port: "u16", user: "u16", first: "i32", last: "i32", waiting: "i32", bytes: "f64", received: "f64", dropped: "f64" } as const;
const queueSchema = { packet: "i32", next: "i32" } as const;

/** The UDP sockets of one host (RFC 768): who has which port, and the datagrams that nobody has read yet. It sends nothing. */
export class UdpSockets {
  private readonly socket: Table<typeof socketSchema>;
  private readonly queue: Table<typeof queueSchema>;

  /** @param capacity bytes of payload that may wait at a socket */
  constructor(store: Store, name: string, private readonly capacity: number) {
    this.socket = store.table(`${name}: UDP sockets`, socketSchema);
    this.queue = store.table(`${name}: datagrams that wait`, queueSchema);
  }

  /** A socket on a port that is free. @param user whom to tell of datagrams */
  open(port: number, user: number): number {
    const s = this.socket.alloc();
    this.socket.port[s] = port;
    this.socket.user[s] = user;
    return s;
  }

  /** Closes all sockets of a user; what waited in them is gone. @param closed told of each port */
  closeAll(user: number, closed: (port: number) => void): void {
    const s = this.socket;
    for (let i = 0; i < s.rows; i++) {
      if (s.port[i] === 0 || s.user[i] !== user) continue;
      while (this.take(i, () => 0) !== NONE);
      s.bytes[i] = 0;
      const port = s.port[i]!;
      s.port[i] = 0;
      closed(port);
    }
  }

  /** The socket on a port, or −1. A host has few: a linear search. */
  find(port: number): number {
    for (let s = 0; s < this.socket.rows; s++) if (this.socket.port[s] === port) return s;
    return NONE;
  }

  userOf(socket: number): number {
    return this.socket.user[socket]!;
  }

  portOf(socket: number): number {
    return this.socket.port[socket]!;
  }

  /** Appends a datagram to what waits. @returns false where there is no room: dropped */
  deliver(socket: number, packet: number, bytes: number): boolean {
    const s = this.socket;
    if (s.waiting[socket]! > 0 && s.bytes[socket]! + bytes > this.capacity) {
      s.dropped[socket]!++;
      return false;
    }
    const row = this.queue.alloc();
    this.queue.packet[row] = packet;
    if (s.last[socket] === 0) s.first[socket] = row + 1;
    else this.queue.next[s.last[socket]! - 1] = row + 1;
    s.last[socket] = row + 1;
    s.waiting[socket]!++;
    s.bytes[socket]! += bytes;
    s.received[socket]!++;
    return true;
  }

  /** The datagram that has waited longest, or −1; it stays. */
  peek(socket: number): number {
    const first = this.socket.first[socket]!;
    return first === 0 ? NONE : this.queue.packet[first - 1]!;
  }

  /** Takes the datagram that has waited longest, or −1. @param bytes of its payload, by the packet */
  take(socket: number, bytes: (packet: number) => number): number {
    const s = this.socket;
    const first = s.first[socket]!;
    if (first === 0) return NONE;
    const packet = this.queue.packet[first - 1]!;
    s.first[socket] = this.queue.next[first - 1]!;
    if (s.first[socket] === 0) s.last[socket] = 0;
    s.waiting[socket]!--;
    s.bytes[socket]! -= bytes(packet);
    this.queue.release(first - 1);
    return packet;
  }

  describe(): Variable {
    const s = this.socket;
    const children: Variable[] = [];
    for (let i = 0; i < s.rows; i++) {
      const plain = (name: string, number: number): Variable => ({ name, value: `${number}`, number });
      children.push({
        name: `*:${s.port[i]!}`, value: `datagrams waiting: ${s.waiting[i]!}`, number: s.waiting[i]!,
        children: [plain("waiting", s.waiting[i]!), plain("bytes waiting", s.bytes[i]!), plain("received", s.received[i]!), plain("dropped, buffer full", s.dropped[i]!)],
      });
    }
    return { name: "UDP sockets", value: `${s.rows}`, number: s.rows, children };
  }
}
