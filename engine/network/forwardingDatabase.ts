import type { Variable } from "../inspect";
import type { Store, Table } from "../kernel/state";
import { formatMac } from "./addresses";

const NONE = -1;
/** Hash chains (Linux `BR_HASH_SIZE`). */
const BUCKETS = 256;
/** Picoseconds until an address that is not heard of any more is forgotten (IEEE 802.1D, table 7-5: 300 s; Linux' default). */
const AGEING = 300e12;

/** `next`: row in the chain, plus one. */
const schema = { mac: "f64", port: "i16", heard: "f64", next: "i32" } as const;

/** Which port a bridge has heard an Ethernet address from (IEEE 802.1D section 7.9). Times in picoseconds. */
export class ForwardingDatabase {
  private readonly entry: Table<typeof schema>;
  private readonly bucket: Table<{ readonly first: "i32" }>;

  constructor(store: Store, name: string) {
    this.entry = store.table(`forwarding database of ${name}`, schema);
    this.bucket = store.table(`forwarding database of ${name}: chains`, { first: "i32" }, BUCKETS);
    this.bucket.append(BUCKETS);
  }

  /** The port that the address was last heard from, or −1: never, or too long ago. */
  lookup(mac: number, now: number): number {
    const row = this.find(mac);
    return row === NONE || now - this.entry.heard[row]! > AGEING ? NONE : this.entry.port[row]!;
  }

  /** A frame from the address came in at the port. @returns whether it was heard at no port or at another before */
  learn(mac: number, port: number, now: number): boolean {
    let row = this.find(mac);
    const known = row !== NONE && this.entry.port[row] === port && now - this.entry.heard[row]! <= AGEING;
    if (row === NONE) {
      row = this.expired(mac, now);
      this.entry.mac[row] = mac;
    }
    this.entry.port[row] = port;
    this.entry.heard[row] = now;
    return !known;
  }

  /** Forgets what was heard from a port that is gone. */
  forget(port: number): void {
    for (let row = 0; row < this.entry.rows; row++) if (this.entry.port[row] === port) this.entry.heard[row] = -2 * AGEING;
  }

  /** @param nameOf a port's name */
  describe(now: number, nameOf: (port: number) => string): Variable {
    const children: Variable[] = [];
    for (let row = 0; row < this.entry.rows; row++) {
      const age = now - this.entry.heard[row]!;
      if (age <= AGEING) children.push({ name: formatMac(this.entry.mac[row]!), value: `${nameOf(this.entry.port[row]!)}, heard ${(age / 1e12).toFixed(3)} s ago`, number: this.entry.port[row]! });
    }
    return { name: "forwarding database", value: `${children.length} ${children.length === 1 ? "address" : "addresses"}`, number: children.length, children };
  }

  private find(mac: number): number {
    for (let link = this.bucket.first[bucketOf(mac)]!; link !== 0; link = this.entry.next[link - 1]!) if (this.entry.mac[link - 1] === mac) return link - 1;
    return NONE;
  }

  /** A row in the address's chain: one that has expired there, or a new one. */
  private expired(mac: number, now: number): number {
    const b = bucketOf(mac);
    for (let link = this.bucket.first[b]!; link !== 0; link = this.entry.next[link - 1]!) if (now - this.entry.heard[link - 1]! > AGEING) return link - 1;
    const row = this.entry.alloc();
    this.entry.next[row] = this.bucket.first[b]!;
    this.bucket.first[b] = row + 1;
    return row;
  }
}

function bucketOf(mac: number): number {
  return ((mac >>> 0) ^ Math.floor(mac / 0x1_0000_0000) ^ (mac >>> 8)) & (BUCKETS - 1);
}
