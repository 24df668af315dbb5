import { NONE, type Trace } from "./trace";

const BLOCK_BITS = 4;

/**
 * Where packets are: the rows of each packet as a linked list, and which packets live in a window.
 * 4 bytes a row, 26 bytes a packet.
 */
export class PacketIndex {
  /** Highest packet number seen, plus one. */
  count = 0;
  private next = new Int32Array(64);
  private firstRow = new Int32Array(16).fill(NONE);
  private lastRow = new Int32Array(16);
  /** Life of packet p at level 0; of blocks of 16^l packets above: earliest begin, latest end. */
  private readonly from: Float64Array[] = [new Float64Array(16).fill(Infinity)];
  private readonly to: Float64Array[] = [new Float64Array(16).fill(-Infinity)];

  constructor(private readonly trace: Trace) {}

  get bytes(): number {
    let n = this.next.byteLength + this.firstRow.byteLength + this.lastRow.byteLength;
    for (let l = 0; l < this.from.length; l++) n += this.from[l]!.byteLength + this.to[l]!.byteLength;
    return n;
  }

  /** Absorbs a row of a packet; rows come in order. */
  add(row: number, packet: number): void {
    if (row >= this.next.length) this.next = grownInt(this.next, row, 0);
    this.next[row] = NONE;
    if (packet >= this.firstRow.length) {
      this.firstRow = grownInt(this.firstRow, packet, NONE);
      this.lastRow = grownInt(this.lastRow, packet, NONE);
    }
    if (packet >= this.count) this.count = packet + 1;
    if (this.firstRow[packet] === NONE) this.firstRow[packet] = row;
    else this.next[this.lastRow[packet]!] = row;
    this.lastRow[packet] = row;
    this.widen(packet, this.trace.begin(row), this.trace.time(row));
  }

  private widen(packet: number, begin: number, end: number): void {
    for (let l = 0, k = packet; ; l++, k >>= BLOCK_BITS) {
      let from = this.from[l] ?? this.newLevel(l);
      if (k >= from.length) {
        from = this.from[l] = grownFloat(from, k, Infinity);
        this.to[l] = grownFloat(this.to[l]!, k, -Infinity);
      }
      const to = this.to[l]!;
      if (begin < from[k]!) from[k] = begin;
      if (end > to[k]!) to[k] = end;
      if (this.count <= 1 << (BLOCK_BITS * (l + 1))) return;
    }
  }

  /** A level that the packets have just outgrown: summed up from the one below. */
  private newLevel(level: number): Float64Array {
    const belowFrom = this.from[level - 1]!;
    const belowTo = this.to[level - 1]!;
    const blocks = Math.ceil(belowFrom.length / (1 << BLOCK_BITS));
    const from = new Float64Array(blocks).fill(Infinity);
    const to = new Float64Array(blocks).fill(-Infinity);
    for (let k = 0; k < belowFrom.length; k++) {
      const block = k >> BLOCK_BITS;
      from[block] = Math.min(from[block]!, belowFrom[k]!);
      to[block] = Math.max(to[block]!, belowTo[k]!);
    }
    this.from[level] = from;
    this.to[level] = to;
    return from;
  }

  /** First row of a packet, or −1 for a packet that has none. */
  first(packet: number): number { return packet >= 0 && packet < this.count ? this.firstRow[packet]! : NONE; }
  /** Last row so far, or −1. */
  last(packet: number): number { return this.first(packet) === NONE ? NONE : this.lastRow[packet]!; }
  /** The packet's row after `row`, or −1. */
  after(row: number): number { return this.next[row]!; }
  /** Begin of its first work, picoseconds. */
  lifeFrom(packet: number): number { return this.from[0]![packet]!; }
  /** Instant of its last dispatch, picoseconds. */
  lifeTo(packet: number): number { return this.to[0]![packet]!; }

  /** True where the packet lives at some instant of [from, to). */
  livesIn(packet: number, from: number, to: number): boolean {
    return this.first(packet) !== NONE && this.lifeFrom(packet) < to && this.lifeTo(packet) >= from;
  }

  /** The next packet after (or before) `packet` in order of number that lives in [from, to); −1 if none. O(log packets). */
  neighbour(packet: number, direction: 1 | -1, from: number, to: number): number {
    let level = 0;
    let k = packet + direction;
    for (;;) {
      const size = Math.ceil(this.count / (1 << (BLOCK_BITS * level)));
      if (k < 0 || k >= size) return NONE;
      const lives = this.from[level]![k]! < to && this.to[level]![k]! >= from;
      if (lives && level === 0) return k;
      if (lives) {
        // Down into the block, from the side that we come from.
        level--;
        const below = Math.ceil(this.count / (1 << (BLOCK_BITS * level)));
        k = direction > 0 ? k << BLOCK_BITS : Math.min((k << BLOCK_BITS) + 15, below - 1);
        continue;
      }
      // Past the block; up a level where it was the last of its parent.
      const edge = direction > 0 ? 15 : 0;
      while ((k & 15) === edge && this.from[level + 1] !== undefined) {
        k >>= BLOCK_BITS;
        level++;
      }
      k += direction;
    }
  }
}

function grownInt(array: Int32Array, index: number, fill: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(Math.max(index + 1, Math.ceil(array.length * 1.5))).fill(fill, array.length);
  wider.set(array);
  return wider;
}

function grownFloat(array: Float64Array, index: number, fill: number): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(Math.max(index + 1, Math.ceil(array.length * 1.5))).fill(fill, array.length);
  wider.set(array);
  return wider;
}
