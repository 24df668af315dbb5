import type { Store, Table } from "../../kernel/state";
import { TcpFlag, type PacketLog } from "../packets";

/** What a reset has in its header that is not the other way round in the segment which it answers. */
export interface ResetHeader {
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  readonly stream: number;
}

/** The reset in answer to a segment that fits no connection (RFC 9293 section 3.10.7.1). To a reset there is none. */
export function answerTo(packets: PacketLog, segment: number): ResetHeader {
  const flags = packets.flags(segment);
  const length = packets.payloadLength(segment) + ((flags & TcpFlag.syn) !== 0 ? 1 : 0) + ((flags & TcpFlag.fin) !== 0 ? 1 : 0);
  const withAck = (flags & TcpFlag.ack) !== 0;
  const stream = packets.stream(segment);
  return {
    sequence: withAck ? packets.acknowledgement(segment) : 0, acknowledgement: withAck ? 0 : (packets.sequence(segment) + length) >>> 0,
    flags: withAck ? TcpFlag.rst : TcpFlag.rst | TcpFlag.ack, stream: stream < 0 ? -1 : stream ^ 1,
  };
}

/** Resets that belong to no connection (any more), first in, first out. */
export class ResetQueue {
  readonly rows: Table<{
    readonly localIp: "u32"; readonly localPort: "u16"; readonly remoteIp: "u32"; readonly remotePort: "u16";
    readonly seq: "u32"; readonly ack: "u32"; readonly flags: "u8"; readonly stream: "i32"; readonly offset: "f64"; readonly cause: "i32"; readonly next: "i32";
  }>;
  private readonly ends: Table<{ readonly head: "i32"; readonly tail: "i32" }>;

  constructor(store: Store, name: string) {
    this.rows = store.table(`${name}: resets`, {
      localIp: "u32", localPort: "u16", remoteIp: "u32", remotePort: "u16", seq: "u32", ack: "u32", flags: "u8", stream: "i32", offset: "f64", cause: "i32", next: "i32",
    });
    this.ends = store.table(`${name}: reset queue`, { head: "i32", tail: "i32" }, 1);
    this.ends.alloc();
  }

  get isEmpty(): boolean {
    return this.ends.head[0] === 0;
  }

  /** @param cause the row that asks for it */
  push(
    localIp: number, localPort: number, remoteIp: number, remotePort: number,
    seq: number, ack: number, flags: number, stream: number, offset: number, cause: number,
  ): void {
    const { rows, ends } = this;
    const r = rows.alloc();
    rows.localIp[r] = localIp;
    rows.localPort[r] = localPort;
    rows.remoteIp[r] = remoteIp;
    rows.remotePort[r] = remotePort;
    rows.seq[r] = seq;
    rows.ack[r] = ack;
    rows.flags[r] = flags;
    rows.stream[r] = stream;
    rows.offset[r] = offset;
    rows.cause[r] = cause;
    rows.next[r] = 0;
    if (ends.tail[0] === 0) ends.head[0] = r + 1;
    else rows.next[ends.tail[0]! - 1] = r + 1;
    ends.tail[0] = r + 1;
  }

  /** The row of the oldest, or −1. */
  get first(): number {
    return this.ends.head[0]! - 1;
  }

  /** Takes the oldest out; its row is readable until the next `push`. −1: empty. */
  shift(): number {
    const { rows, ends, first: r } = this;
    if (r < 0) return -1;
    ends.head[0] = rows.next[r]!;
    if (ends.head[0] === 0) ends.tail[0] = 0;
    rows.release(r);
    return r;
  }
}
