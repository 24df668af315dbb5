import type { Store, Table } from "../../kernel/state";
import type { tcbSchema } from "./tcb";

/** Connections by 4-tuple: open addressing with linear probing, at most half full; deletion shifts back, so that there are no tombstones. */
export class ConnectionIndex {
  /** `conn` is the connection plus one; 0: free. */
  private readonly slots: Table<{ readonly conn: "i32" }>;
  private readonly size: Table<{ readonly used: "i32" }>;

  constructor(store: Store, name: string, private readonly tcb: Table<typeof tcbSchema>) {
    this.slots = store.table(`${name}: connection index`, { conn: "i32" }, 32);
    this.size = store.table(`${name}: connection index size`, { used: "i32" }, 1);
    this.size.alloc();
    this.slots.append(32);
  }

  /** The connection, or −1. */
  find(localIp: number, localPort: number, remoteIp: number, remotePort: number): number {
    const { tcb } = this;
    const mask = this.slots.rows - 1;
    for (let slot = hash(localIp, localPort, remoteIp, remotePort) & mask; ; slot = (slot + 1) & mask) {
      const conn = this.slots.conn[slot]! - 1;
      if (conn < 0) return -1;
      if (
        tcb.remotePort[conn] === remotePort && tcb.remoteIp[conn] === remoteIp &&
        tcb.localPort[conn] === localPort && tcb.localIp[conn] === localIp
      ) return conn;
    }
  }

  /** Adds a connection by the addresses in its block. The 4-tuple must be free. */
  add(conn: number): void {
    const used = ++this.size.used[0]!;
    if (used * 2 > this.slots.rows) this.grow();
    this.place(conn);
  }

  remove(conn: number): void {
    const mask = this.slots.rows - 1;
    const slots = this.slots.conn;
    let hole = this.home(conn) & mask;
    while (slots[hole] !== conn + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.home(slots[slot]! - 1) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        slots[hole] = slots[slot]!;
        hole = slot;
      }
    }
    slots[hole] = 0;
    this.size.used[0]!--;
  }

  private home(conn: number): number {
    const { tcb } = this;
    return hash(tcb.localIp[conn]!, tcb.localPort[conn]!, tcb.remoteIp[conn]!, tcb.remotePort[conn]!);
  }

  private place(conn: number): void {
    const mask = this.slots.rows - 1;
    let slot = this.home(conn) & mask;
    while (this.slots.conn[slot] !== 0) slot = (slot + 1) & mask;
    this.slots.conn[slot] = conn + 1;
  }

  private grow(): void {
    const old = this.slots.conn.slice(0, this.slots.rows);
    this.slots.append(this.slots.rows);
    this.slots.conn.fill(0);
    for (const conn of old) if (conn !== 0) this.place(conn - 1);
  }
}

/** FNV-1a over the words of the 4-tuple, finished by a shift so that the low bits depend on all. */
function hash(localIp: number, localPort: number, remoteIp: number, remotePort: number): number {
  let h = Math.imul(0x811c9dc5 ^ localIp, 0x01000193);
  h = Math.imul(h ^ remoteIp, 0x01000193);
  h = Math.imul(h ^ ((localPort << 16) | remotePort), 0x01000193);
  return h ^ (h >>> 15);
}
