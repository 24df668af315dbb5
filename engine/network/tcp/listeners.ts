import type { Store, Table } from "../../kernel/state";
import type { TcpOptions } from "./api";
import { SynCache } from "./synCache";
import type { tcbSchema } from "./tcb";

/**
 * Listening sockets. Connections whose handshake is over wait for `accept` in a queue; those before are in Linux' SYN queue, one for each listener, or in
 * NetBSD's SYN cache.
 */
export class Listeners {
  /** `head` and `tail` are connections plus one. */
  readonly rows: Table<{
    readonly live: "u8"; readonly ip: "u32"; readonly port: "u16"; readonly backlog: "i32";
    readonly embryonic: "i32"; readonly queued: "i32"; readonly head: "i32"; readonly tail: "i32";
  }>;
  /** NetBSD's; Linux has none. */
  readonly synCache: SynCache | undefined;

  constructor(store: Store, name: string, private readonly tcb: Table<typeof tcbSchema>, private readonly options: Pick<TcpOptions, "listeners" | "somaxconn">) {
    this.rows = store.table(`${name}: listeners`, {
      live: "u8", ip: "u32", port: "u16", backlog: "i32", embryonic: "i32", queued: "i32", head: "i32", tail: "i32",
    });
    this.synCache = options.listeners === "netbsd" ? new SynCache(store, name, tcb) : undefined;
  }

  /** @param ip 0: any local address @param backlog at most the system's (`solisten` in NetBSD's uipc_socket.c, `__sys_listen` in Linux' socket.c) */
  add(ip: number, port: number, backlog: number): void {
    const l = this.rows.alloc();
    this.rows.live[l] = 1;
    this.rows.ip[l] = ip;
    this.rows.port[l] = port;
    this.rows.backlog[l] = Math.min(backlog, this.options.somaxconn);
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

  /** Both systems drop a SYN where more wait for `accept` than the backlog says (`so_qlen <= so_qlimit` in NetBSD's tcp_input.c, `sk_acceptq_is_full` in Linux' `tcp_conn_request`). */
  dropsSyn(listener: number): boolean {
    return this.rows.queued[listener]! > this.rows.backlog[listener]!;
  }

  /**
   * Where no more connections can be made of ACKs that end handshakes: in Linux at the same length (`tcp_v4_syn_recv_sock`), in NetBSD at one and a half times
   * the backlog (`sonewconn` in uipc_socket2.c).
   */
  isFull(listener: number): boolean {
    const backlog = this.rows.backlog[listener]!;
    return this.rows.queued[listener]! > (this.options.listeners === "netbsd" ? Math.floor((3 * backlog) / 2) : backlog);
  }

  /** Linux answers with a SYN cookie, and keeps nothing, where the SYN queue is as long as the backlog (`inet_csk_reqsk_queue_is_full`, `net.ipv4.tcp_syncookies` 1). */
  wantsCookie(listener: number): boolean {
    return this.options.listeners === "linux" && this.rows.embryonic[listener]! >= this.rows.backlog[listener]!;
  }

  /** A connection whose SYN has come. */
  begin(conn: number, listener: number): void {
    this.tcb.listener[conn] = listener + 1;
    if (this.tcb.cookie[conn] !== 0) return;
    this.rows.embryonic[listener]!++;
    this.synCache?.add(conn);
  }

  /** Appends a connection to the accept queue of its listener. */
  enqueue(conn: number): void {
    const { rows, tcb } = this;
    const l = tcb.listener[conn]! - 1;
    this.endHandshake(conn);
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
    if (tcb.queued[conn] === 0) {
      this.endHandshake(conn);
      tcb.listener[conn] = 0;
      return;
    }
    tcb.listener[conn] = 0;
    tcb.queued[conn] = 0;
    rows.queued[l]!--;
    let previous = 0;
    for (let at = rows.head[l]!; at !== conn + 1; at = tcb.nextQueued[at - 1]!) previous = at;
    const next = tcb.nextQueued[conn]!;
    if (previous === 0) rows.head[l] = next;
    else tcb.nextQueued[previous - 1] = next;
    if (next === 0) rows.tail[l] = previous;
  }

  private endHandshake(conn: number): void {
    if (this.tcb.cookie[conn] !== 0) return;
    this.rows.embryonic[this.tcb.listener[conn]! - 1]!--;
    this.synCache?.remove(conn);
  }
}
