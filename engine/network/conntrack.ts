import type { Variable } from "../inspect";
import type { Store, Table } from "../kernel/state";
import { formatIpv4 } from "./addresses";
import { Protocol, TcpFlag } from "./headers";
import type { PacketLog } from "./packets";

const NONE = -1;
const BUCKETS = 1024;
/** Entries at most (Linux' `nf_conntrack_max` with 4 GB of memory). */
const MOST = 65536;
const S = 1e12;

/** How far a connection has come, as both directions have shown. */
const State = { unreplied: 0, replied: 1, synSent: 2, synReceived: 3, established: 4, finWait: 5, timeWait: 6, closed: 7 } as const;
const stateNames = ["unreplied", "replied", "SYN sent", "SYN received", "established", "closing", "TIME_WAIT", "closed"] as const;
/** Picoseconds without a packet until an entry is forgotten, by state: Linux 4.13 (`nf_conntrack_proto_udp.c`, `nf_conntrack_proto_tcp.c`; of ICMP as of an unanswered datagram). RFC 4787 asks for 2 minutes of UDP, RFC 5382 for 2 hours 4 minutes of an established TCP connection. */
const timeouts = [30 * S, 180 * S, 120 * S, 60 * S, 432_000 * S, 120 * S, 120 * S, 10 * S] as const;

/** Addresses and ports of one direction, as its packets have them when they come. The identifier of an echo request stands for its source port, that of a reply for its destination port. */
export interface Tuple {
  readonly protocol: number;
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
}

/** `first0`, `next0`: chain of the original direction, plus one; 1: of the reply. */
const schema = {
  live: "u8", protocol: "u8", state: "u8", port: "u16", expires: "f64", packets: "f64", next0: "i32", next1: "i32", finished: "u8",
  source0: "u32", sourcePort0: "u16", destination0: "u32", destinationPort0: "u16",
  source1: "u32", sourcePort1: "u16", destination1: "u32", destinationPort1: "u16",
} as const;

/**
 * The connections that a translating router knows (Linux `nf_conntrack`), found by the packets of either direction: the original
 * one, as its initiator sends them, and the reply, whose addresses are those after translation, turned round. Time in picoseconds.
 */
export class Conntrack {
  private readonly entry: Table<typeof schema>;
  private readonly bucket: Table<{ readonly first0: "i32"; readonly first1: "i32" }>;
  private readonly counters;

  constructor(store: Store, name: string) {
    this.entry = store.table(`connections of ${name}`, schema);
    this.bucket = store.table(`connections of ${name}: chains`, { first0: "i32", first1: "i32" }, BUCKETS);
    this.bucket.append(BUCKETS);
    this.counters = store.table(`connections of ${name}: counters`, { live: "i32", opened: "f64", expired: "f64" }, 1);
    this.counters.alloc();
  }

  /** The connection whose original direction (0) or reply (1) a packet with these addresses and ports is, or −1. */
  find(direction: 0 | 1, { protocol, source, sourcePort, destination, destinationPort }: Tuple, now: number): number {
    const { entry: e, bucket } = this;
    const b = hash(protocol, source, sourcePort, destination, destinationPort);
    if (direction === 0) {
      for (let link = bucket.first0[b]!; link !== 0; link = e.next0[link - 1]!) {
        const r = link - 1;
        if (e.protocol[r] === protocol && e.source0[r] === source && e.sourcePort0[r] === sourcePort && e.destination0[r] === destination && e.destinationPort0[r] === destinationPort && e.expires[r]! > now) return r;
      }
      return NONE;
    }
    for (let link = bucket.first1[b]!; link !== 0; link = e.next1[link - 1]!) {
      const r = link - 1;
      if (e.protocol[r] === protocol && e.source1[r] === source && e.sourcePort1[r] === sourcePort && e.destination1[r] === destination && e.destinationPort1[r] === destinationPort && e.expires[r]! > now) return r;
    }
    return NONE;
  }

  /**
   * Notes a connection. @param port of the guest
   * @returns its number, or −1 where there are too many
   */
  open(original: Tuple, reply: Tuple, port: number, now: number): number {
    if (this.counters.live[0]! >= MOST) this.purge(now);
    if (this.counters.live[0]! >= MOST) return NONE;
    const { entry: e, bucket } = this;
    const b0 = hash(original.protocol, original.source, original.sourcePort, original.destination, original.destinationPort);
    const b1 = hash(reply.protocol, reply.source, reply.sourcePort, reply.destination, reply.destinationPort);
    this.purgeChain(b0, now);
    const r = e.alloc();
    e.live[r] = 1;
    e.protocol[r] = original.protocol;
    e.port[r] = port;
    e.source0[r] = original.source;
    e.sourcePort0[r] = original.sourcePort;
    e.destination0[r] = original.destination;
    e.destinationPort0[r] = original.destinationPort;
    e.source1[r] = reply.source;
    e.sourcePort1[r] = reply.sourcePort;
    e.destination1[r] = reply.destination;
    e.destinationPort1[r] = reply.destinationPort;
    e.next0[r] = bucket.first0[b0]!;
    bucket.first0[b0] = r + 1;
    e.next1[r] = bucket.first1[b1]!;
    bucket.first1[b1] = r + 1;
    this.counters.live[0]!++;
    this.counters.opened[0]!++;
    return r;
  }

  /** A packet of the connection passes: its state and how long it is kept. */
  pass(r: number, direction: 0 | 1, packets: PacketLog, packet: number, now: number): void {
    const { entry: e } = this;
    e.packets[r]!++;
    e.state[r] = e.protocol[r] === Protocol.tcp ? this.tcpState(r, direction, packets.flags(packet)) : e.protocol[r] === Protocol.udp && direction === 1 ? State.replied : e.state[r]!;
    e.expires[r] = now + timeouts[e.state[r]!]!;
  }

  /** The guest's port. */
  portOf(r: number): number {
    return this.entry.port[r]!;
  }

  original(r: number): Tuple {
    const e = this.entry;
    return { protocol: e.protocol[r]!, source: e.source0[r]!, sourcePort: e.sourcePort0[r]!, destination: e.destination0[r]!, destinationPort: e.destinationPort0[r]! };
  }

  reply(r: number): Tuple {
    const e = this.entry;
    return { protocol: e.protocol[r]!, source: e.source1[r]!, sourcePort: e.sourcePort1[r]!, destination: e.destination1[r]!, destinationPort: e.destinationPort1[r]! };
  }

  get opened(): number {
    return this.counters.opened[0]!;
  }

  /** The connections that are kept; at most 256. */
  describe(now: number): Variable {
    const children: Variable[] = [];
    let live = 0;
    for (let r = 0; r < this.entry.rows; r++) {
      if (this.entry.live[r] === 0 || this.entry.expires[r]! <= now) continue;
      live++;
      if (children.length === 256) continue;
      const [o, back] = [this.original(r), this.reply(r)];
      children.push({
        name: `${o.protocol === Protocol.tcp ? "TCP" : o.protocol === Protocol.udp ? "UDP" : "ICMP"} ${text(o.source, o.sourcePort)} → ${text(o.destination, o.destinationPort)}`,
        value: `answered as ${text(back.source, back.sourcePort)} → ${text(back.destination, back.destinationPort)}, ${stateNames[this.entry.state[r]!]!}, ${((this.entry.expires[r]! - now) / S).toFixed(0)} s left`,
        number: this.entry.packets[r]!,
      });
    }
    return { name: "connections", value: `${live}`, number: live, children };
  }

  /** In outline `nf_conntrack_proto_tcp.c`: a connection that is found in the middle counts as established. */
  private tcpState(r: number, direction: 0 | 1, flags: number): number {
    const e = this.entry;
    const before = e.state[r]!;
    const [syn, ack, fin, rst] = [TcpFlag.syn, TcpFlag.ack, TcpFlag.fin, TcpFlag.rst].map((flag) => (flags & flag) !== 0) as [boolean, boolean, boolean, boolean];
    if (rst) return State.closed;
    if (syn && !ack) {
      e.finished[r] = 0;
      return before === State.established ? before : State.synSent;
    }
    if (syn) return before === State.established ? before : State.synReceived;
    if (fin) {
      e.finished[r] = e.finished[r]! | (1 << direction);
      return e.finished[r] === 3 ? State.timeWait : State.finWait;
    }
    return before === State.finWait || before === State.timeWait || before === State.closed ? before : State.established;
  }

  private purge(now: number): void {
    for (let b = 0; b < BUCKETS; b++) this.purgeChain(b, now);
  }

  /** Takes connections of a chain away whose time is over. */
  private purgeChain(b: number, now: number): void {
    const { entry: e, bucket } = this;
    for (let before = 0, link = bucket.first0[b]!; link !== 0;) {
      const r = link - 1;
      const next = e.next0[r]!;
      if (e.expires[r]! <= now) {
        if (before === 0) bucket.first0[b] = next;
        else e.next0[before - 1] = next;
        this.unlinkReply(r);
        e.live[r] = 0;
        e.release(r);
        this.counters.live[0]!--;
        this.counters.expired[0]!++;
      } else {
        before = link;
      }
      link = next;
    }
  }

  private unlinkReply(r: number): void {
    const { entry: e, bucket } = this;
    const b = hash(e.protocol[r]!, e.source1[r]!, e.sourcePort1[r]!, e.destination1[r]!, e.destinationPort1[r]!);
    if (bucket.first1[b] === r + 1) {
      bucket.first1[b] = e.next1[r]!;
      return;
    }
    let link = bucket.first1[b]!;
    while (e.next1[link - 1] !== r + 1) link = e.next1[link - 1]!;
    e.next1[link - 1] = e.next1[r]!;
  }
}

function hash(protocol: number, source: number, sourcePort: number, destination: number, destinationPort: number): number {
  let h = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b);
  h ^= Math.imul((sourcePort << 16) | destinationPort, 0xc2b2ae35) ^ protocol;
  h ^= h >>> 15;
  return (Math.imul(h, 0x2c1b3c6d) >>> 20) & (BUCKETS - 1);
}

function text(address: number, port: number): string {
  return `${formatIpv4(address)}:${port}`;
}
