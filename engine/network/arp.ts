import type { Variable } from "../inspect";
import type { Store, Table, Words } from "../kernel/state";
import { formatIpv4, formatMac } from "./addresses";

/** Hash chains of a cache: a client has an entry for each of hundreds of applications, and neighbours have addresses in a row. */
const CHAINS = 64;

/** No address is known; no packet waits; nobody is to be asked. */
const NONE = -1;

/** What is known of a neighbour: states of RFC 4861 section 7.3.2, which Linux has for IPv4 too (`NUD_*`); BSD has the first two. */
const Known = { nothing: 0, reachable: 1, stale: 2, delayed: 3, probed: 4 } as const;
const STATES = ["not known", "reachable", "stale", "stale, in use", "being probed"] as const;

/** How a system keeps what it has learnt of its neighbours. Times in picoseconds. */
export interface NeighbourRules {
  /** Packets that may wait for one address; at least one (RFC 1122 section 2.3.2.2). */
  readonly held: number;
  /** Requests in a row that nobody answers, after which what waits is given up. */
  readonly requests: number;
  /** For how long after the last of them whoever sends hears that the neighbour is down; without it nobody does. */
  readonly down?: number;
  /** How long an answer is believed. Then the neighbour is asked anew, unless there is {@link detection}. */
  readonly believed: number;
  /**
   * Neighbour unreachability detection (RFC 4861 section 7.3): what is no longer believed, or was heard in no answer to us, is used all the
   * same; if nothing shows within `delay` that it is right, the neighbour is probed at its address, `probes` times every `interval`.
   */
  readonly detection?: { readonly delay: number; readonly interval: number; readonly probes: number };
}

/** Who sends to a neighbour that is down has it asked again, but not more often than so (`arpresolve`). */
const ASKS_AGAIN = 1e12;

/** `order`: by which the addresses were first seen; `chained`: the next row in its hash chain, plus one; `since`: last confirmed; `down`: until then its silence is an error; `due`: when a suspicion is looked into; `first`, `last`, `next`: rows of the packets that wait, plus one; 0: none. */
const schema = { order: "u32", ip: "u32", chained: "i32", mac: "f64", state: "u8", since: "f64", down: "f64", due: "f64", probes: "u8", asked: "u8", first: "i32", last: "i32", held: "i32" } as const;
const heldSchema = { packet: "i32", cause: "i32", next: "i32" } as const;

/** An ARP cache (RFC 826), one an interface; all have their entries in one table. It sends nothing: it says what is known and what waits. Times in picoseconds. */
export class ArpCache {
  private readonly rows: Table<typeof schema>;

  private readonly held: Table<typeof heldSchema>;
  private readonly rules: { readonly [K in keyof Required<NeighbourRules>]: NeighbourRules[K] };
  private readonly words: Words;
  /** The first of the chains' heads: each a row, plus one. The number of entries follows. */
  private readonly chains: number;

  /** @param name unique: the path of the component or interface */
  constructor(store: Store, name: string, { held, requests, down, believed, detection }: NeighbourRules) {
    // Of one shape, whatever it was put together from.
    this.rules = { held, requests, down, believed, detection };
    this.rows = store.shared("ARP caches", schema);
    this.words = store.words;
    this.chains = store.addWords(`${name}: ARP cache, chains and entries`, CHAINS + 1);
    this.held = store.shared("packets that wait for ARP", heldSchema);
    store.share({
      tables: [this.rows],
      rows: () => this.entries(),
      giveBack: () => {
        for (const row of this.entries()) {
          while (this.takeFrom(row) !== NONE);
          this.rows.release(row);
        }
      },
    });
  }

  /** The Ethernet address of `ip`, or −1. */
  lookup(ip: number, now: number): number {
    const row = this.find(ip);
    if (row < 0 || this.rows.state[row] === Known.nothing) return NONE;
    return this.rules.detection !== undefined || now < this.rows.since[row]! + this.rules.believed ? this.rows.mac[row]! : NONE;
  }

  /** The Ethernet address that `ip` had last, whether or not that is believed still, or −1. */
  lastOf(ip: number): number {
    const row = this.find(ip);
    return row < 0 || this.rows.mac[row] === 0 ? NONE : this.rows.mac[row]!;
  }

  /** A packet leaves for `ip`, whose address is known. @returns whether that is suspected from now on: {@link isToProbe} wants to be asked after the rules' delay */
  suspects(ip: number, now: number): boolean {
    const { rules: { believed, detection }, rows } = this;
    if (detection === undefined) return false;
    const row = this.find(ip);
    const isStale = rows.state[row] === Known.stale || (rows.state[row] === Known.reachable && now > rows.since[row]! + believed);
    if (!isStale) return false;
    rows.state[row] = Known.delayed;
    rows.due[row] = now + detection.delay;
    return true;
  }

  /** Something came from `ip` that only an answer to our packets can be (Linux `sk_dst_confirm`). */
  confirm(ip: number, now: number): void {
    if (this.rules.detection === undefined) return;
    const row = this.find(ip);
    if (row >= 0) this.rows.since[row] = now;
  }

  /** The time has come to look into a suspicion. @returns whether the neighbour is to be probed now; the next look is after the rules' interval */
  isToProbe(ip: number, now: number): boolean {
    const { rules: { detection }, rows } = this;
    const row = this.find(ip);
    if (row < 0 || detection === undefined || rows.state[row]! < Known.delayed || now < rows.due[row]!) return false;
    if (rows.state[row] === Known.delayed) {
      const isConfirmed = now <= rows.since[row]! + detection.delay;
      rows.state[row] = isConfirmed ? Known.reachable : Known.probed;
      rows.probes[row] = 0;
      if (isConfirmed) return false;
    }
    if (rows.probes[row]! >= detection.probes) {
      rows.state[row] = Known.nothing;
      return false;
    }
    rows.probes[row]!++;
    rows.due[row] = now + detection.interval;
    return true;
  }

  /**
   * Keeps a packet until `ip` is resolved.
   * @param cause the row that asked for it to be sent
   * @returns the oldest packet, where there was no room for one more and it is given up, or −1; and whether packets were waiting, so
   * that a request is already on its way
   */
  wait(ip: number, packet: number, cause: number): { readonly displaced: number; readonly asked: boolean } {
    let row = this.find(ip);
    if (row < 0) row = this.add(ip);
    const { rows } = this;
    const asked = rows.held[row]! > 0;
    if (!asked) rows.asked[row] = 1;
    const displaced = rows.held[row]! >= this.rules.held ? this.take(ip) : NONE;
    const h = this.held.alloc();
    this.held.packet[h] = packet;
    this.held.cause[h] = cause;
    if (rows.last[row] === 0) rows.first[row] = h + 1;
    else this.held.next[rows.last[row]! - 1] = h + 1;
    rows.last[row] = h + 1;
    rows.held[row]!++;
    return { displaced, asked };
  }

  /** The packet that has waited longest for `ip`, which is no longer kept, or −1. */
  take(ip: number): number {
    const row = this.find(ip);
    return row < 0 ? NONE : this.takeFrom(row);
  }

  private takeFrom(row: number): number {
    const { rows, held } = this;
    if (rows.first[row] === 0) return NONE;
    const h = rows.first[row]! - 1;
    rows.first[row] = held.next[h]!;
    if (rows.first[row] === 0) rows.last[row] = 0;
    rows.held[row]!--;
    const packet = held.packet[h]!;
    held.release(h);
    return packet;
  }

  /** The row that asked for the packet that `take` would give. */
  causeOfFirst(ip: number): number {
    return this.held.cause[this.rows.first[this.find(ip)]! - 1]!;
  }

  /** Nobody has answered the last request for `ip`. @returns whether there is to be another one, which is counted; else what waits is given up */
  asksAgain(ip: number): boolean {
    const row = this.find(ip);
    if (row < 0 || this.rows.asked[row]! >= this.rules.requests) return false;
    this.rows.asked[row]!++;
    return true;
  }

  /** The last request for `ip`, made then, has not been answered. */
  giveUp(ip: number, asked: number): void {
    const row = this.find(ip);
    if (row >= 0 && this.rules.down !== undefined) this.rows.down[row] = asked + this.rules.down;
  }

  /** Whether `ip` has not answered, so that sending to it is an error. */
  isDown(ip: number, now: number): boolean {
    const row = this.find(ip);
    return row >= 0 && now < this.rows.down[row]!;
  }

  /** Somebody sends to `ip`, which is down. @returns whether to ask for it once more, which prolongs that */
  asksWhileDown(ip: number, now: number): boolean {
    const row = this.find(ip);
    const { down } = this.rules;
    if (row < 0 || down === undefined || now < this.rows.down[row]! - down + ASKS_AGAIN) return false;
    this.rows.down[row] = now + down;
    return true;
  }

  /** Does a packet still wait for the address of `ip`? */
  isWaiting(ip: number): boolean {
    const row = this.find(ip);
    return row >= 0 && this.rows.held[row] !== 0;
  }

  /**
   * An ARP packet came from (ip, mac): an entry is made, or updated. With unreachability detection only an answer is believed; what a request or an
   * announcement says is used, and suspected (Linux `arp_process`: `NUD_STALE`).
   * @param isAnswer to a request of this interface
   * @returns whether the neighbour had another address before, which is invalid now
   */
  learn(ip: number, mac: number, now: number, isAnswer: boolean): boolean {
    const { rows } = this;
    let row = this.find(ip);
    if (row < 0) row = this.add(ip);
    const hasMoved = rows.state[row] !== Known.nothing && rows.mac[row] !== mac;
    if (isAnswer || this.rules.detection === undefined) {
      rows.state[row] = Known.reachable;
      rows.since[row] = now;
    } else if (hasMoved || rows.state[row] === Known.nothing) {
      rows.state[row] = Known.stale;
    }
    rows.mac[row] = mac;
    rows.down[row] = 0;
    return hasMoved;
  }

  /** Is there an entry for `ip`, resolved or not? Only such are changed by ARP packets that are for others (RFC 826, "Merge_flag"). */
  has(ip: number): boolean {
    return this.find(ip) >= 0;
  }

  /** The entries, in the order in which the addresses were first seen. */
  describe(): Variable {
    const { rows } = this;
    const children: Variable[] = [];
    for (const row of this.entries()) {
      const known = rows.state[row] !== Known.nothing;
      children.push({
        name: formatIpv4(rows.ip[row]!),
        value: known ? `${formatMac(rows.mac[row]!)}, ${STATES[rows.state[row]!]!}` : rows.held[row] !== 0 ? `asked for; packets waiting: ${rows.held[row]!}` : STATES[0],
        number: known ? rows.mac[row]! : NONE,
      });
    }
    return { name: "ARP cache", value: `${children.length} ${children.length === 1 ? "address" : "addresses"}`, number: children.length, children };
  }

  /** The rows of all entries, in that order. */
  private entries(): number[] {
    const { rows: { chained, order }, words: { word }, chains } = this;
    const found: number[] = [];
    for (let chain = 0; chain < CHAINS; chain++) for (let row = word[chains + chain]! - 1; row >= 0; row = chained[row]! - 1) found.push(row);
    return found.sort((a, b) => order[a]! - order[b]!);
  }

  private find(ip: number): number {
    const { rows: { ip: ips, chained } } = this;
    let row = this.words.word[this.chainOf(ip)]! - 1;
    while (row >= 0 && ips[row] !== ip) row = chained[row]! - 1;
    return row;
  }

  private chainOf(ip: number): number {
    return this.chains + (ip & (CHAINS - 1));
  }

  private add(ip: number): number {
    const row = this.rows.alloc();
    const chain = this.chainOf(ip);
    this.rows.order[row] = this.words.word[this.chains + CHAINS]!++;
    this.rows.ip[row] = ip;
    this.rows.chained[row] = this.words.word[chain]!;
    this.words.word[chain] = row + 1;
    return row;
  }
}
