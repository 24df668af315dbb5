import type { Variable } from "../inspect";
import type { Store, Table } from "../kernel/state";
import { formatIpv4, formatMac } from "./addresses";

/** No address is known; no packet waits. */
const NONE = -1;

/** Picoseconds: BSD's `arpt_keep`, 20 minutes. */
const LIFETIME = 1200e12;

/** `waiting`: packet plus one. */
const schema = { ip: "u32", mac: "f64", resolved: "u8", expires: "f64", waiting: "i32" } as const;

/** An ARP cache (RFC 826), one an interface. It sends nothing: it says what is known and what waits. Times in picoseconds. */
export class ArpCache {
  private readonly rows: Table<typeof schema>;

  /** @param name unique: the path of the component or interface */
  constructor(store: Store, name: string) {
    this.rows = store.table(`${name}: ARP cache`, schema);
  }

  /** The Ethernet address of `ip`, or −1. */
  lookup(ip: number, now: number): number {
    const row = this.find(ip);
    return row >= 0 && this.rows.resolved[row] === 1 && this.rows.expires[row]! > now ? this.rows.mac[row]! : NONE;
  }

  /**
   * Keeps a packet until `ip` is resolved; of several, the latest (RFC 1122 section 2.3.2.2).
   * @returns the packet that it displaced, or −1; and whether a packet was waiting, so that a request is already on its way
   */
  wait(ip: number, packet: number): { readonly displaced: number; readonly asked: boolean } {
    let row = this.find(ip);
    if (row < 0) row = this.add(ip);
    const displaced = this.rows.waiting[row]! - 1;
    this.rows.waiting[row] = packet + 1;
    return { displaced, asked: displaced !== NONE };
  }

  /** Does a packet still wait for the address of `ip`? */
  isWaiting(ip: number): boolean {
    const row = this.find(ip);
    return row >= 0 && this.rows.waiting[row] !== 0;
  }

  /**
   * An ARP packet for this interface came from (ip, mac): an entry is made, or updated.
   * @returns the packet that waited for it, which is no longer kept, or −1
   */
  learn(ip: number, mac: number, now: number): number {
    let row = this.find(ip);
    if (row < 0) row = this.add(ip);
    this.rows.mac[row] = mac;
    this.rows.resolved[row] = 1;
    this.rows.expires[row] = now + LIFETIME;
    const waiting = this.rows.waiting[row]! - 1;
    this.rows.waiting[row] = 0;
    return waiting;
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
        value: known ? formatMac(rows.mac[row]!) : rows.waiting[row] !== 0 ? `asked for; packet ${rows.waiting[row]! - 1} waits` : "not known",
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
