import type { Variable } from "../inspect";
import type { Store, Table } from "../kernel/state";
import { formatIpv4, formatMac } from "./addresses";

/** No address is known; no packet waits. */
const NONE = -1;

/** Picoseconds: BSD's `arpt_keep`, 20 minutes. */
const LIFETIME = 1200e12;

/** `first`, `last`, `next`: rows of the packets that wait, plus one; 0: none. */
const schema = { ip: "u32", mac: "f64", resolved: "u8", expires: "f64", first: "i32", last: "i32", held: "i32" } as const;
const heldSchema = { packet: "i32", next: "i32" } as const;

/** An ARP cache (RFC 826), one an interface. It sends nothing: it says what is known and what waits. Times in picoseconds. */
export class ArpCache {
  private readonly rows: Table<typeof schema>;

  private readonly held: Table<typeof heldSchema>;

  /**
   * @param name unique: the path of the component or interface
   * @param capacity packets that may wait for one address; at least one (RFC 1122 section 2.3.2.2)
   */
  constructor(store: Store, name: string, private readonly capacity = 1) {
    this.rows = store.table(`${name}: ARP cache`, schema);
    this.held = store.table(`${name}: packets that wait for ARP`, heldSchema);
  }

  /** The Ethernet address of `ip`, or −1. */
  lookup(ip: number, now: number): number {
    const row = this.find(ip);
    return row >= 0 && this.rows.resolved[row] === 1 && this.rows.expires[row]! > now ? this.rows.mac[row]! : NONE;
  }

  /**
   * Keeps a packet until `ip` is resolved.
   * @returns the oldest packet, where there was no room for one more and it is given up, or −1; and whether packets were waiting, so
   * that a request is already on its way
   */
  wait(ip: number, packet: number): { readonly displaced: number; readonly asked: boolean } {
    let row = this.find(ip);
    if (row < 0) row = this.add(ip);
    const { rows } = this;
    const asked = rows.held[row]! > 0;
    const displaced = rows.held[row]! >= this.capacity ? this.take(ip) : NONE;
    const h = this.held.alloc();
    this.held.packet[h] = packet;
    if (rows.last[row] === 0) rows.first[row] = h + 1;
    else this.held.next[rows.last[row]! - 1] = h + 1;
    rows.last[row] = h + 1;
    rows.held[row]!++;
    return { displaced, asked };
  }

  /** The packet that has waited longest for `ip`, which is no longer kept, or −1. */
  take(ip: number): number {
    const row = this.find(ip);
    const { rows, held } = this;
    if (row < 0 || rows.first[row] === 0) return NONE;
    const h = rows.first[row]! - 1;
    rows.first[row] = held.next[h]!;
    if (rows.first[row] === 0) rows.last[row] = 0;
    rows.held[row]!--;
    const packet = held.packet[h]!;
    held.release(h);
    return packet;
  }

  /** Does a packet still wait for the address of `ip`? */
  isWaiting(ip: number): boolean {
    const row = this.find(ip);
    return row >= 0 && this.rows.held[row] !== 0;
  }

  /**
   * An ARP packet for this interface came from (ip, mac): an entry is made, or updated.
   * @returns the packet that has waited longest for it, which is no longer kept, or −1; `take` has the others
   */
  learn(ip: number, mac: number, now: number): number {
    let row = this.find(ip);
    if (row < 0) row = this.add(ip);
    this.rows.mac[row] = mac;
    this.rows.resolved[row] = 1;
    this.rows.expires[row] = now + LIFETIME;
    return this.take(ip);
  }

  /** Is there an entry for `ip`, resolved or not? Only such are changed by ARP packets that are for others (RFC 826, "Merge_flag"). */
  has(ip: number): boolean {
    return this.find(ip) >= 0;
  }

  /** Forgets the address of `ip`, as when it has moved. */
  invalidate(ip: number): void {
    const row = this.find(ip);
    if (row >= 0) this.rows.resolved[row] = 0;
  }

  /** The entries, in the order in which the addresses were first seen. */
  describe(): Variable {
    const { rows } = this;
    const children: Variable[] = [];
    for (let row = 0; row < rows.rows; row++) {
      const known = rows.resolved[row] === 1;
      children.push({
        name: formatIpv4(rows.ip[row]!),
        value: known ? formatMac(rows.mac[row]!) : rows.held[row] !== 0 ? `asked for; packets waiting: ${rows.held[row]!}` : "not known",
        number: known ? rows.mac[row]! : NONE,
      });
    }
    return { name: "ARP cache", value: `${rows.rows} ${rows.rows === 1 ? "address" : "addresses"}`, number: rows.rows, children };
  }

  /** A host talks to few neighbours: a linear search. */
  private find(ip: number): number {
    for (let row = 0; row < this.rows.rows; row++) if (this.rows.ip[row] === ip) return row;
    return -1;
  }

  private add(ip: number): number {
    const row = this.rows.alloc();
    this.rows.ip[row] = ip;
    return row;
  }
}
