import { frameBytes, patternPayload, type PayloadSource } from "../network/frameBytes";
import type { PacketLog } from "../network/packets";
import { utf8 } from "./utf8";

/** One frame of a capture. */
export interface CaptureEntry {
  readonly packet: number;
  /** Picoseconds; the file has nanoseconds, rounded down. */
  readonly time: number;
  /** Index into the interfaces. */
  readonly interface: number;
  /** As the interface sees it; left out where it has no sides, such as a link. */
  readonly direction?: "inbound" | "outbound";
}

// Section numbers: draft-ietf-opsawg-pcapng.
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LINKTYPE_ETHERNET = 1;
const Option = { end: 0, shbUserApplication: 4, ifName: 2, ifTimestampResolution: 9, epbFlags: 2 } as const;

/** Bytes of a piece, at least. */
const PIECE = 1 << 20;
/** Picoseconds in a unit of time of the file. */
const RESOLUTION = 1000;
/** Decimal exponent of that unit (section 4.2, if_tsresol). */
const NANOSECONDS = 9;

/**
 * A capture in pcapng: one section, Ethernet interfaces with nanosecond time stamps, one Enhanced Packet Block a frame.
 * @param interfaces names, by interface number
 * @param entries in order of time, as a capture is
 * @param payload what payload streams hold; a pattern by default
 * @throws RangeError for an interface without a name, or a payload source that returns a wrong number of bytes
 */
export function writeCapture(
  packets: PacketLog, interfaces: readonly string[], entries: Iterable<CaptureEntry>, payload: PayloadSource = patternPayload,
): Uint8Array {
  const pieces = [...capturePieces(packets, interfaces, entries, payload)];
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** {@link writeCapture} in pieces of a megabyte or so, for captures that are larger than memory. */
export function* capturePieces(
  packets: PacketLog, interfaces: readonly string[], entries: Iterable<CaptureEntry>, payload: PayloadSource = patternPayload,
): Generator<Uint8Array> {
  const writer = new BlockWriter();
  writer.begin(SECTION_HEADER);
  writer.u32(BYTE_ORDER_MAGIC);
  writer.u16(1);
  writer.u16(0);
  // Section length −1: not specified.
  writer.u32(0xffffffff);
  writer.u32(0xffffffff);
  writer.option(Option.shbUserApplication, utf8("Exoscope"));
  writer.endOptions();
  writer.end();
  for (const name of interfaces) {
    writer.begin(INTERFACE_DESCRIPTION);
    writer.u16(LINKTYPE_ETHERNET);
    writer.u16(0);
    // Snapshot length 0: no limit.
    writer.u32(0);
    writer.option(Option.ifName, utf8(name));
    writer.option(Option.ifTimestampResolution, Uint8Array.of(NANOSECONDS));
    writer.endOptions();
    writer.end();
  }
  for (const { packet, time, interface: on, direction } of entries) {
    if (!(on >= 0 && on < interfaces.length)) throw new RangeError(`interface ${on} has no name`);
    const bytes = frameBytes(packets, packet, payload);
    const units = Math.floor(time / RESOLUTION);
    writer.begin(ENHANCED_PACKET);
    writer.u32(on);
    writer.u32(Math.floor(units / 0x1_0000_0000));
    writer.u32(units >>> 0);
    writer.u32(bytes.length);
    writer.u32(bytes.length);
    writer.padded(bytes);
    if (direction !== undefined) {
      writer.option(Option.epbFlags, Uint8Array.of(direction === "inbound" ? 1 : 2, 0, 0, 0));
      writer.endOptions();
    }
    writer.end();
    if (writer.length >= PIECE) yield writer.finish();
  }
  yield writer.finish();
}

/** Blocks, little-endian, into one growing buffer. */
class BlockWriter {
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);
  length = 0;
  private start = 0;

  begin(type: number): void {
    this.start = this.length;
    this.u32(type);
    this.u32(0);
  }

  /** The total length stands at both ends of a block (section 3.1). */
  end(): void {
    const total = this.length + 4 - this.start;
    this.view.setUint32(this.start + 4, total, true);
    this.u32(total);
  }

  u16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.length, value, true);
    this.length += 2;
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** Bytes, padded with zeros to a multiple of four. */
  padded(content: Uint8Array): void {
    const length = (content.length + 3) & ~3;
    this.reserve(length);
    this.bytes.set(content, this.length);
    this.length += length;
  }

  option(code: number, value: Uint8Array): void {
    this.u16(code);
    this.u16(value.length);
    this.padded(value);
  }

  endOptions(): void {
    this.u32(Option.end);
  }

  /** The blocks so far, which the writer then forgets. */
  finish(): Uint8Array {
    const blocks = this.bytes.slice(0, this.length);
    this.length = 0;
    return blocks;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const longer = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    longer.set(this.bytes.subarray(0, this.length));
    this.bytes = longer;
    this.view = new DataView(longer.buffer);
  }
}
