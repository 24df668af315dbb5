import type { Store, Table } from "../../kernel/state";
import { NONE } from "../../trace/trace";
import { truesizeOfPiece } from "../socketBuffer";
import type { QueuesBelow, SmallQueueOptions } from "./api";
import type { TcpCore } from "./core";
import type { Numbers } from "./numbers";
import { isTimely } from "./sent";
import { before } from "./sequence";

/**
 * TCP small queues, as Linux 4.13 has them (net/ipv4/tcp_output.c). What a connection has sent counts until its socket buffers are freed, which the driver does when
 * the adapter has read them (`sk_wmem_alloc`, `tcp_wfree`). Where that is more than two segments, or a millisecond of what it sends at most, nothing more goes out
 * (`tcp_small_queue_check`) until one of them is freed, and a tasklet goes on (`tcp_tasklet_func`). So what waits in a host waits in the socket's send buffer,
 * not before the adapter, where all others would be behind it.
 *
 * While something is below, what follows goes to the same transmit queue, whichever CPU sends it, so that it stays in order (`sk_tx_queue_mapping`); when nothing is,
 * any will do (`ooo_okay`, `tcp_transmit_skb`).
 *
 * Data count here; pure ACKs, 2 B each (`skb_set_tcp_pure_ack`), and the one segment of a SYN or FIN do not. `tcp_wfree` leaves the tasklet out in ksoftirqd until all is
 * freed, as "we are likely under stress": here it never is.
 */

/** Room for headers: MAX_TCP_HEADER, `L1_CACHE_ALIGN(128 + MAX_HEADER)`, with MAX_HEADER 128 + 48 where wireless adapters and tunnels are built in (include/linux/netdevice.h). */
const MAX_TCP_HEADER = 320;
/** A socket buffer whose data lies in pages (`sk_stream_alloc_skb`; of the first on an empty queue a part may lie in its own piece, `select_size`: left out). */
const HEAD = truesizeOfPiece(MAX_TCP_HEADER);
/** The share of a second that may be below: `sk_pacing_rate >> 10`. */
const SHARE = 1024;
/** `sk_pacing_rate` is an u32, and all ones at first. */
const FASTEST = 0xffffffff;
const SECOND = 1e12;

/** What a segment counts for. @param length of its payload */
export function truesize(length: number): number {
  return HEAD + length;
}

export class SmallQueues {
  /**
   * Bytes below TCP; it waits (`TSQ_THROTTLED`), or a tasklet is to go on (`TSQ_QUEUED`); what it may send, B/s; a packet of the connection; the transmit queue of what
   * is below, plus one, or 0. Rows are connections.
   */
  readonly rows: Table<{ readonly below: "f64"; readonly throttled: "u8"; readonly queued: "u8"; readonly pacingRate: "f64"; readonly last: "i32"; readonly queue: "u8" }>;

  constructor(store: Store, private readonly options: SmallQueueOptions, private readonly below: QueuesBelow, private readonly numbers: Numbers) {
    this.rows = store.shared("TCP: bytes below", { below: "f64", throttled: "u8", queued: "u8", pacingRate: "f64", last: "i32", queue: "u8" });
  }

  /** A connection begins. */
  reset(conn: number): void {
    const { rows } = this;
    while (rows.rows <= conn) rows.alloc();
    rows.below[conn] = rows.throttled[conn] = rows.queued[conn] = rows.queue[conn] = 0;
    rows.pacingRate[conn] = FASTEST;
    rows.last[conn] = NONE;
  }

  /** A packet leaves TCP. @param length of its payload */
  sent(conn: number, packet: number, length: number): void {
    this.rows.last[conn] = packet;
    if (length > 0 && this.below.tellsOfSent()) this.rows.below[conn]! += truesize(length);
  }

  /** An ACK has come (`tcp_update_pacing_rate`, net/ipv4/tcp_input.c). */
  updatePacing({ tcb: t }: TcpCore, conn: number): void {
    const { slowStartPacing, avoidancePacing } = this.options;
    const cwnd = t.cwnd[conn]!;
    const outstanding = (t.sndMax[conn]! - t.sndUna[conn]!) >>> 0;
    const ratio = cwnd < t.ssthresh[conn]! / 2 ? slowStartPacing : avoidancePacing;
    const rate = t.srtt[conn] === 0 ? FASTEST : (ratio * (cwnd > outstanding ? cwnd : outstanding) * SECOND) / t.srtt[conn]!;
    this.rows.pacingRate[conn] = rate < FASTEST ? rate : FASTEST;
  }

  /** Bytes that may be below when a segment of `length` is added. */
  limit(conn: number, length: number): number {
    const twoSegments = 2 * truesize(length);
    const millisecond = Math.floor(this.rows.pacingRate[conn]! / SHARE);
    const limit = twoSegments > millisecond ? twoSegments : millisecond;
    return limit < this.options.limit ? limit : this.options.limit;
  }

  /** Whether a segment has to wait. The first two of the write queue never do. @param again it was sent before: twice as much may be below (`tcp_xmit_retransmit_queue`) */
  holds(tcp: TcpCore, conn: number, sequence: number, length: number, again: boolean): boolean {
    const below = this.rows.below[conn]!;
    // `sk_wmem_alloc` is one where there is nothing.
    return below > 0 && below + 1 > (again ? 2 : 1) * this.limit(conn, length) && !isAmongFirst(tcp, conn, sequence);
  }

  /** A segment waits. */
  throttle(conn: number): void {
    if (this.rows.throttled[conn] === 1) return;
    this.rows.throttled[conn] = 1;
    this.below.hasten();
  }

  /** A segment's socket buffer is freed. */
  freed(conn: number, length: number): void {
    const { rows } = this;
    const left = rows.below[conn]! - truesize(length);
    rows.below[conn] = left > 0 ? left : 0;
    if (left <= 0) rows.queue[conn] = 0;
    if (rows.throttled[conn] === 0 || rows.queued[conn] === 1) return;
    rows.throttled[conn] = 0;
    rows.queued[conn] = 1;
    this.below.resume(this.numbers.of(conn));
  }

  /** The transmit queue of what the connection has below (`sk_tx_queue_get`), or −1. */
  queueOf(conn: number): number {
    return this.rows.queue[conn]! - 1;
  }

  /** A segment goes to a transmit queue (`sk_tx_queue_set`). */
  queued(conn: number, q: number): void {
    if (this.rows.below[conn]! > 0) this.rows.queue[conn] = q + 1;
  }

  /** The tasklet has come to the connection. */
  resumed(conn: number): void {
    if (conn < this.rows.rows) this.rows.queued[conn] = 0;
  }
}

/** Whether a segment is the first or the second of the write queue, which holds what is not acknowledged and what was not sent yet. */
function isAmongFirst(tcp: TcpCore, conn: number, sequence: number): boolean {
  if (!isTimely(tcp, conn)) return ((sequence - tcp.tcb.sndUna[conn]!) >>> 0) <= tcp.tcb.sndMss[conn]!;
  const { rows } = tcp.sent;
  const first = tcp.sent.head(conn);
  const second = first === 0 ? 0 : rows.next[first - 1]!;
  return second === 0 || before(sequence, rows.right[second - 1]!);
}
