import type { Store } from "../../kernel/state";
import type { PacketLog } from "../../network/packets";

/** The key of Microsoft's verification suite, the default of many drivers: 40 bytes. */
export const defaultRssKey: readonly number[] = [
  0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
  0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
];

/** Source and destination address, then ports: the longest input for IPv4. */
const LONGEST = 12;

/**
 * The Toeplitz hash (Microsoft, "RSS hashing functions"): for every bit of the input that is set, the 32 bits of the key
 * that stand at the bit's place, combined by exclusive or. Kept as a table of byte × place, so that a hash takes 12 look-ups.
 */
export class Toeplitz {
  private readonly table = new Uint32Array(LONGEST * 256);

  /** @throws Error for a key that is shorter than 16 bytes: the input of TCP over IPv4 needs 12 + 4 */
  constructor(key: readonly number[]) {
    if (key.length < LONGEST + 4) throw new Error(`An RSS key of ${key.length} bytes is too short.`);
    for (let place = 0; place < LONGEST; place++) {
      for (let bit = 0; bit < 8; bit++) {
        const window = keyWindow(key, place * 8 + bit);
        for (let byte = 0; byte < 256; byte++) {
          if ((byte & (0x80 >> bit)) !== 0) this.table[place * 256 + byte]! ^= window;
        }
      }
    }
  }

  /** The hash of an IPv4 address pair, unsigned. */
  ipv4(source: number, destination: number): number {
    return (this.word(0, source) ^ this.word(4, destination)) >>> 0;
  }

  /** The hash of an IPv4 address pair and ports, unsigned. */
  tcpIpv4(source: number, destination: number, sourcePort: number, destinationPort: number): number {
    return (this.word(0, source) ^ this.word(4, destination) ^ this.word(8, sourcePort * 0x10000 + destinationPort)) >>> 0;
  }

  private word(place: number, value: number): number {
    const { table } = this;
    return table[place * 256 + (value >>> 24)]! ^ table[(place + 1) * 256 + ((value >>> 16) & 255)]!
      ^ table[(place + 2) * 256 + ((value >>> 8) & 255)]! ^ table[(place + 3) * 256 + (value & 255)]!;
  }
}

/** 32 bits of the key from a bit on. */
function keyWindow(key: readonly number[], from: number): number {
  let window = 0;
  for (let i = from; i < from + 32; i++) window = (window << 1) | ((key[i >> 3]! >> (7 - (i & 7))) & 1);
  return window;
}

/**
 * Receive-side scaling: hash and redirection table. The 82599 has one table for all pools; a function uses as many low bits
 * of an entry as it has queues. TCP over IPv4 is hashed with ports, other IPv4 without (NetBSD leaves UDP's ports out); the
 * rest, such as ARP, goes to queue 0.
 */
export class Rss {
  private readonly toeplitz: Toeplitz;
  private readonly redirection;

  constructor(store: Store, path: string, private readonly packets: PacketLog, private readonly entries: number, queues: number, key = defaultRssKey) {
    this.toeplitz = new Toeplitz(key);
    const redirection = store.table(`redirection table of ${path}`, { queue: "u8" }, entries);
    this.redirection = redirection;
    redirection.append(entries);
    this.spread(queues);
  }

  /** A driver fills the table with its queues, one after the other. */
  spread(queues: number): void {
    for (let i = 0; i < this.entries; i++) this.redirection.queue[i] = i % queues;
  }

  hash(packet: number): number {
    const { packets } = this;
    if (packets.isTcp(packet)) {
      return this.toeplitz.tcpIpv4(packets.sourceIp(packet), packets.destinationIp(packet), packets.sourcePort(packet), packets.destinationPort(packet));
    }
    return packets.isArp(packet) ? 0 : this.toeplitz.ipv4(packets.sourceIp(packet), packets.destinationIp(packet));
  }

  /** @param queues of the function: a power of two, whose bits count, or all that the table has @returns the queue among them that takes the packet */
  queueOf(packet: number, queues: number): number {
    return queues === 1 ? 0 : this.redirection.queue[this.hash(packet) % this.entries]! % queues;
  }

  /** Points an entry of the table elsewhere. */
  redirect(entry: number, queue: number): void {
    this.redirection.queue[entry] = queue;
  }
}
