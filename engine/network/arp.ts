import type { Variable } from "../inspect";
import type { Store, Table } from "../kernel/state";
import { formatIpv4, formatMac } from "./addresses";

const NONE = -1;
/** Lifetime of an entry: 20 minutes (`arpt_keep`, NetBSD sys/netinet/if_arp.c). */
const LIFETIME = 1200e12;

/** The ARP cache of one stack: addresses, and for each unresolved one the packet that waits (RFC 1122 section 2.3.2.2: at least one). */
export class ArpCache {
  private readonly entry: Table<{ readonly ip: "u32"; readonly mac: "f64"; readonly expires: "f64"; readonly waiting: "i32" }>;

  constructor(store: Store, name: string) {
    this.entry = store.table(`arp of ${name}`, { ip: "u32", mac: "f64", expires: "f64", waiting: "i32" });
  }

  /** The Ethernet address, or −1 when it is not known (any more). */
  lookup(ip: number, now: number): number {
    const e = this.find(ip);
    return e !== NONE && this.entry.mac[e] !== 0 && this.entry.expires[e]! > now ? this.entry.mac[e]! : NONE;
  }

  /** Makes `packet` wait for the address of `ip`. @returns the packet that waited before and is now given up, or −1; `asked` tells whether a request is under way */
  wait(ip: number, packet: number): { readonly displaced: number; readonly asked: boolean } {
    let e = this.find(ip);
    const asked = e !== NONE && this.entry.waiting[e] !== NONE;
    if (e === NONE) e = this.add(ip);
    const displaced = this.entry.waiting[e]!;
    this.entry.waiting[e] = packet;
    return { displaced, asked };
  }

  isWaiting(ip: number): boolean {
    const e = this.find(ip);
    return e !== NONE && this.entry.waiting[e] !== NONE;
  }

  /** Learns an address. @returns the packet that waited for it, or −1 */
  learn(ip: number, mac: number, now: number): number {
    let e = this.find(ip);
    if (e === NONE) e = this.add(ip);
    this.entry.mac[e] = mac;
    this.entry.expires[e] = now + LIFETIME;
    const waiting = this.entry.waiting[e]!;
    this.entry.waiting[e] = NONE;
    return waiting;
  }

  private find(ip: number): number {
    for (let e = 0; e < this.entry.rows; e++) if (this.entry.ip[e] === ip) return e;
    return NONE;
  }

  private add(ip: number): number {
    const e = this.entry.alloc();
    this.entry.ip[e] = ip;
    this.entry.waiting[e] = NONE;
    return e;
  }

  describe(): Variable {
    const children: Variable[] = [];
    for (let e = 0; e < this.entry.rows; e++) {
      const resolved = this.entry.mac[e] !== 0;
      children.push({ name: formatIpv4(this.entry.ip[e]!), value: resolved ? formatMac(this.entry.mac[e]!) : "unresolved" });
    }
    return { name: "arp", value: `${children.length} entries`, number: children.length, children };
  }
}
