import type { PacketIndex } from "./packetIndex";
import { SliceWriter } from "./sliceWriter";
import type { PacketLane, PacketsQuery, Slices } from "./timelineQuery";
import { NONE, type Trace } from "./trace";
import type { TrackIds } from "./trackIds";

/**
 * The lives of a few packets: in which component each is from when to when. A slice lasts from the begin of a row's work to
 * that of the packet's next row; its `fill` says how much of it is work, the rest is waiting.
 */
export function packetLanes(
  trace: Trace, packets: PacketIndex, ids: TrackIds, query: PacketsQuery, summarize: (packet: number) => string,
): { lanes: PacketLane[]; slices: Slices } {
  const writer = new SliceWriter();
  const lanes = choosePackets(packets, query).map((packet) => {
    const track = ids.ofPacket(packet);
    const offset = writer.count;
    writePacket(trace, packets, packet, query, writer);
    writer.range(track, 0, offset);
    return { packet, track, summary: summarize(packet), from: packets.lifeFrom(packet), to: packets.lifeTo(packet) };
  });
  return { lanes, slices: writer.finish() };
}

/** The packet asked for (wherever it lives), then its neighbours in the window, nearest numbers first, sorted by number. */
function choosePackets(packets: PacketIndex, query: PacketsQuery): number[] {
  const { from, to, budget } = query;
  if (!(budget > 0 && to > from)) return [];
  const wanted = packets.first(query.packet) === NONE ? NONE : query.packet;
  const room = wanted === NONE ? budget : budget - 1;
  const middle = from + (to - from) / 2;
  let anchor = wanted !== NONE && packets.livesIn(wanted, from, to) ? wanted : NONE;
  if (anchor === NONE) anchor = packets.neighbour(NONE, 1, middle, middle);
  if (anchor === NONE) anchor = packets.neighbour(NONE, 1, from, to);
  if (anchor === NONE) return wanted === NONE ? [] : [wanted];
  const others: number[] = [];
  if (anchor !== wanted && room > 0) others.push(anchor);
  let low = anchor;
  let high = anchor;
  while (others.length < room && (low !== NONE || high !== NONE)) {
    if (high !== NONE) high = packets.neighbour(high, 1, from, to);
    if (high !== NONE && others.length < room) others.push(high);
    if (low !== NONE) low = packets.neighbour(low, -1, from, to);
    if (low !== NONE && others.length < room) others.push(low);
  }
  others.sort((a, b) => a - b);
  return wanted === NONE ? others : [wanted, ...others];
}

function writePacket(trace: Trace, packets: PacketIndex, packet: number, query: PacketsQuery, writer: SliceWriter): void {
  const { from, to, buckets } = query;
  const width = (to - from) / buckets;
  // The group being collected: slices of one bucket, and the longest of them.
  let bucket = -1;
  let groupStart = 0;
  let groupEnd = 0;
  let busy = 0;
  let longest = -1;
  let longestRow = NONE;
  const flush = (): void => {
    if (bucket >= 0) writer.push(groupStart, groupEnd, busy, longestRow, trace.fn(longestRow), trace.component(longestRow), packet);
  };
  let start = -Infinity;
  for (let row = packets.first(packet); row !== NONE; row = packets.after(row)) {
    start = Math.max(start, trace.begin(row));
    const next = packets.after(row);
    const worked = start + trace.cost(row);
    const end = Math.max(start, next === NONE ? Math.max(worked, trace.time(row)) : trace.begin(next));
    if (start >= to || (end <= from && start < from)) continue;
    const k = Math.min(buckets - 1, Math.floor((Math.max(start, from) - from) / width));
    if (k !== bucket) {
      flush();
      bucket = k;
      groupStart = start;
      busy = 0;
      longest = -1;
    }
    groupEnd = end;
    busy += Math.min(worked, end) - start;
    if (end - start > longest) {
      longest = end - start;
      longestRow = row;
    }
  }
  flush();
}
