import { TcpFlag } from "./headers";
import type { PacketLog } from "./packets";

/**
 * Segments that are longer than a frame: what a stack hands to an interface that cuts them itself (TCP segmentation offload, TSO),
 * and what an interface hands to a stack after joining what arrived (LRO, GRO). Such a packet never is on a wire.
 */

/** Frames that a packet becomes on the wire. */
export function framesOf(log: PacketLog, p: number): number {
  return log.isLong(p) ? Math.ceil(log.payloadLength(p) / log.segmentSize(p)) : 1;
}

/** Frame length of the segment that begins at payload byte `from` of a long one. */
export function cutLength(log: PacketLog, p: number, from: number): number {
  return log.frameLength(p) - log.payloadLength(p) + Math.min(log.segmentSize(p), log.payloadLength(p) - from);
}

/**
 * Cuts one segment off a long one: the headers again, with the sequence number and IP identification of its place; PSH and FIN are the last one's
 * alone (82599 datasheet, transmit segmentation; Linux `tcp_gso_segment`). @param from payload bytes before it @returns the segment, whose parent is `p`
 */
export function cutSegment(log: PacketLog, p: number, from: number): number {
  const { columns: c } = log;
  const size = log.segmentSize(p);
  const left = log.payloadLength(p) - from;
  const q = log.copy(p);
  c.sequence[q] = log.sequence(p) + from;
  c.offset[q] = log.offset(p) + from;
  c.length[q] = left < size ? left : size;
  c.id[q] = log.id(p) + from / size;
  if (left > size) c.flags[q] = log.flags(p) & ~(TcpFlag.psh | TcpFlag.fin);
  return q;
}

/**
 * Joins segments of a connection that follow each other: the headers of the first, PSH and FIN of the last.
 * @param bytes of them all @returns the long segment, whose parent is the first
 */
export function joinSegments(log: PacketLog, first: number, last: number, bytes: number): number {
  const { columns: c } = log;
  const q = log.copy(first);
  c.length[q] = bytes;
  c.flags[q] = log.flags(first) | (log.flags(last) & (TcpFlag.psh | TcpFlag.fin));
  log.setSegmentSize(q, log.payloadLength(first));
  return q;
}
