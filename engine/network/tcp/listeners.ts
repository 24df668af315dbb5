import type { Store, Table } from "../../kernel/state";
import type { tcbSchema } from "./tcb";

/** Ports that accept connections, each with its queue of established connections that the user has not yet taken. */
export class Listeners {
  /** `head` and `tail` are connections plus one. */
  readonly rows: Table<{
    readonly live: "u8"; readonly ip: "u32"; readonly port: "u16"; readonly backlog: "i32";
    readonly embryonic: "i32"; readonly queued: "i32"; readonly head: "i32"; readonly tail: "i32";
  }>;

  constructor(store: Store, name: string, private readonly tcb: Table<typeof tcbSchema>) {
    this.rows = store.table(`${name}: listeners`, {
      live: "u8", ip: "u32", port: "u16", backlog: "i32", embryonic: "i32", queued: "i32", head: "i32", tail: "i32",
    });
  }

  /** @param ip 0: any local address */
  add(ip: number, port: number, backlog: number): void {
    const l = this.rows.alloc();
    this.rows.live[l] = 1;
    this.rows.ip[l] = ip;
    this.rows.port[l] = port;
    this.rows.backlog[l] = backlog;
  }

  remove(listener: number): void {
    this.rows.live[listener] = 0;
    this.rows.release(listener);
  }

  /** The listener for a destination, the one bound to the address before one bound to any; −1: none. */
  find(ip: number, port: number): number {
    let any = -1;
    for (let l = 0; l < this.rows.rows; l++) {
      if (this.rows.live[l] !== 1 || this.rows.port[l] !== port) continue;
      if (this.rows.ip[l] === ip) return l;
      if (this.rows.ip[l] === 0) any = l;
    }
    return any;
  }

  isFull(listener: number): boolean {
    return this.rows.embryonic[listener]! + this.rows.queued[listener]! >= this.rows.backlog[listener]!;
  }

  /** Appends a connection to the accept queue of its listener. */
  enqueue(conn: number): void {
    const { rows, tcb } = this;
    const l = tcb.listener[conn]! - 1;
    rows.embryonic[l]!--;
    rows.queued[l]!++;
    tcb.queued[conn] = 1;
    tcb.nextQueued[conn] = 0;
    if (rows.tail[l] === 0) rows.head[l] = conn + 1;
    else tcb.nextQueued[rows.tail[l]! - 1] = conn + 1;
    rows.tail[l] = conn + 1;
  }

  /** Takes the oldest connection from the accept queue; −1: empty. */
  dequeue(listener: number): number {
    const conn = this.rows.head[listener]! - 1;
    if (conn >= 0) this.forget(conn);
    return conn;
  }

  /** Takes a connection out of its listener's books, wherever it is in them. */
  forget(conn: number): void {
    const { rows, tcb } = this;
    const l = tcb.listener[conn]! - 1;
    if (l < 0) return;
    tcb.listener[conn] = 0;
    if (tcb.queued[conn] === 0) {
      rows.embryonic[l]!--;
      return;
    }
    tcb.queued[conn] = 0;
    rows.queued[l]!--;
    let previous = 0;
    for (let at = rows.head[l]!; at !== conn + 1; at = tcb.nextQueued[at - 1]!) previous = at;
    const next = tcb.nextQueued[conn]!;
    if (previous === 0) rows.head[l] = next;
    else tcb.nextQueued[previous - 1] = next;
    if (next === 0) rows.tail[l] = previous;
  }
}
