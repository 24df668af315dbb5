import type { PacketIndex } from "./packetIndex";
import { NONE, type Trace } from "./trace";

/**
 * The next row after `row` (before it for direction −1), wrapping around, whose function, component or context contains
 * `text`, ignoring case; `#17` finds the rows of packet 17. −1 if there is none. One pass over three columns at worst.
 */
export function findRow(trace: Trace, packets: PacketIndex, text: string, row: number, direction: 1 | -1): number {
  const wanted = text.trim().toLowerCase();
  if (wanted === "" || trace.length === 0) return NONE;
  const packet = /^#(\d+)$/.exec(wanted)?.[1];
  if (packet !== undefined) return findPacket(trace, packets, Number(packet), row, direction);
  const { functions, components, contexts } = trace.names;
  const fns = Uint8Array.from(functions, (f) => Number(f.name.toLowerCase().includes(wanted)));
  const parts = Uint8Array.from(components, (c) => Number(c.path.toLowerCase().includes(wanted)));
  const places = Uint8Array.from(contexts, (c) => Number(c.path.toLowerCase().includes(wanted)));
  const n = trace.length;
  const from = row === NONE ? (direction > 0 ? n - 1 : 0) : row;
  for (let k = 1; k <= n; k++) {
    const r = (from + direction * k + n * 2) % n;
    if (fns[trace.fn(r)] || parts[trace.component(r)] || places[trace.context(r)]) return r;
  }
  return NONE;
}

function findPacket(trace: Trace, packets: PacketIndex, packet: number, row: number, direction: 1 | -1): number {
  const first = packets.first(packet);
  let before = NONE;
  let after = NONE;
  for (let r = first; r !== NONE; r = packets.after(r)) {
    if (r < row) before = r;
    else if (r > row && after === NONE) after = r;
  }
  if (row === NONE || row >= trace.length) return direction > 0 ? first : packets.last(packet);
  if (direction > 0) return after === NONE ? first : after;
  return before === NONE ? packets.last(packet) : before;
}
