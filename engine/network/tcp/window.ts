import type { TcpCore } from "./core";
import { after, distance } from "./sequence";
import { State } from "./tcb";

/**
 * The window field of a segment sent now; moves the offered right edge. Any segment says what room there is, but for a small window, which counts
 * as none: see {@link worthOffering}. A segment for the window alone is not sent for each step: see {@link answersRead}. The edge is not drawn back (RFC
 * 9293 section 3.8.6), but for rounding by the scale (RFC 7323 section 2.4): what lies before the old edge is still accepted.
 */
export function offerWindow(tcp: TcpCore, conn: number, syn: boolean): number {
  const t = tcp.tcb;
  const next = t.rcvNxt[conn]!;
  const space = worthOffering(tcp, conn);
  const offered = Math.max(0, distance(t.rcvAdv[conn]!, next));
  let window = space < offered ? offered : space;
  const scale = syn ? 0 : t.rcvScale[conn]!;
  let field = window >>> scale;
  if (field > 65535) field = 65535;
  window = field << scale;
  const edge = (next + window) >>> 0;
  if (after(edge, t.rcvAdv[conn]!)) t.rcvAdv[conn] = edge;
  return field;
}

/** Room in the receive buffer. */
function room(tcp: TcpCore, conn: number): number {
  return tcp.options.receiveBuffer - (tcp.tcb.rcvOffset[conn]! - tcp.tcb.consumed[conn]!);
}

/** As far as a window can express it. */
function receiveSpace(tcp: TcpCore, conn: number): number {
  return Math.min(room(tcp, conn), 65535 << tcp.tcb.rcvScale[conn]!);
}

/**
 * The same, or 0 where it would be a silly window (RFC 1122 section 4.2.3.3): less than a segment and than a quarter of the buffer (BSD's `tcp_output`); of a
 * buffer that is more than half full, less than a segment or than a sixteenth (Linux' `__tcp_select_window`).
 */
function worthOffering(tcp: TcpCore, conn: number): number {
  const { mss, receiveBuffer, windowUpdates } = tcp.options;
  const space = room(tcp, conn);
  const silly = windowUpdates === "bsd" ? space < mss && space < receiveBuffer / 4 : space < receiveBuffer / 2 && (space < mss || space < receiveBuffer / 16);
  return silly ? 0 : receiveSpace(tcp, conn);
}

/** The user has read: is there to be an ACK at once, for the window or for what waits to be acknowledged? */
export function answersRead(tcp: TcpCore, conn: number): boolean {
  const t = tcp.tcb;
  if (t.finReceived[conn] !== 0 || t.state[conn] === State.synReceived) return false;
  const offered = Math.max(0, distance(t.rcvAdv[conn]!, t.rcvNxt[conn]!));
  const { mss, receiveBuffer, windowUpdates } = tcp.options;
  // BSD's `tcp_output`: the window has opened by two segments, or by half of the buffer.
  if (windowUpdates === "bsd") return receiveSpace(tcp, conn) - offered >= Math.min(2 * mss, Math.floor(receiveBuffer / 2));
  // Linux' `tcp_cleanup_rbuf`: more than a segment waits for a delayed ACK; or of the window less than half is left, and it can be doubled.
  if (t.ackDelayed[conn] !== 0 && distance(t.rcvNxt[conn]!, t.lastAckSent[conn]!) > t.rcvSegment[conn]!) return true;
  if (2 * offered > receiveBuffer) return false;
  const window = worthOffering(tcp, conn);
  return window > 0 && window >= 2 * offered;
}
