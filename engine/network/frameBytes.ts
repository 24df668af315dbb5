import { addToSum, foldChecksum } from "./checksum";
import { ARP_LENGTH, ETHERNET_HEADER, ICMP_HEADER, ICMP_QUOTE, IcmpType, IPV4_HEADER, TCP_HEADER, TcpFlag, TcpOption, UDP_HEADER, VLAN_TAG } from "./headers";
import type { PacketLog } from "./packets";

/** Bytes `offset` … `offset + length` of a payload stream. Shorter or longer results are an error. */
export type PayloadSource = (stream: number, offset: number, length: number) => Uint8Array;

/** Payload where no application says what it is: lower-case letters that depend on stream and offset. */
export function patternPayload(stream: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = 97 + ((offset + i + stream * 7) % 26);
  return bytes;
}

/**
 * A frame as on the wire, padding included, FCS not, with valid checksums; then, where the packet is marked so, one bit flipped.
 * @throws RangeError if the payload source returns another number of bytes than it was asked for
 */
export function frameBytes(log: PacketLog, p: number, payload: PayloadSource = patternPayload): Uint8Array {
  const bytes = new Uint8Array(log.frameLength(p));
  const view = new DataView(bytes.buffer);
  writeMac(view, 0, log.destinationMac(p));
  writeMac(view, 6, log.sourceMac(p));
  view.setUint16(12, log.etherType(p));
  if (log.isArp(p)) writeArp(view, log, p);
  else writeIpv4(bytes, view, log, p, payload);
  if (log.vlan(p) !== 0) insertTag(bytes, view, log.vlan(p));
  const bit = log.corruptedBit(p);
  if (bit >= 0) {
    const at = (bit >> 3) % bytes.length;
    bytes[at] = bytes[at]! ^ (0x80 >> (bit & 7));
  }
  return bytes;
}

/** IEEE 802.1Q: the tag's type and the VLAN, priority 0, after the addresses. */
function insertTag(bytes: Uint8Array, view: DataView, vlan: number): void {
  const at = ETHERNET_HEADER - 2;
  bytes.copyWithin(at + VLAN_TAG, at, bytes.length - VLAN_TAG);
  view.setUint16(at, 0x8100);
  view.setUint16(at + 2, vlan);
}

function writeMac(view: DataView, at: number, mac: number): void {
  view.setUint16(at, Math.floor(mac / 0x1_0000_0000));
  view.setUint32(at + 2, mac >>> 0);
}

/** RFC 826: Ethernet (1), IPv4, address lengths 6 and 4. */
function writeArp(view: DataView, log: PacketLog, p: number): void {
  const at = ETHERNET_HEADER;
  view.setUint16(at, 1);
  view.setUint16(at + 2, 0x0800);
  view.setUint16(at + 4, 0x0604);
  view.setUint16(at + 6, log.arpOperation(p));
  writeMac(view, at + 8, log.arpSenderMac(p));
  view.setUint32(at + 14, log.sourceIp(p));
  writeMac(view, at + 18, log.arpTargetMac(p));
  view.setUint32(at + ARP_LENGTH - 4, log.destinationIp(p));
}

/** RFC 791, no options, "don't fragment" set. */
function writeIpv4(bytes: Uint8Array, view: DataView, log: PacketLog, p: number, payload: PayloadSource): void {
  const ip = ETHERNET_HEADER;
  const transport = ip + IPV4_HEADER;
  const total = log.ipLength(p);
  view.setUint16(ip, 0x4500);
  view.setUint16(ip + 2, total);
  view.setUint16(ip + 4, log.id(p));
  view.setUint16(ip + 6, 0x4000);
  view.setUint8(ip + 8, log.ttl(p));
  view.setUint8(ip + 9, log.protocol(p));
  view.setUint32(ip + 12, log.sourceIp(p));
  view.setUint32(ip + 16, log.destinationIp(p));
  view.setUint16(ip + 10, foldChecksum(addToSum(bytes, ip, transport)));

  if (log.isIcmp(p)) {
    writeIcmp(bytes, view, transport, log, p, payload);
    return;
  }
  const headerLength = log.isTcp(p) ? TCP_HEADER + log.tcpOptionsLength(p) : UDP_HEADER;
  view.setUint16(transport, log.sourcePort(p));
  view.setUint16(transport + 2, log.destinationPort(p));
  if (log.isTcp(p)) writeTcp(view, transport, headerLength, log, p);
  else view.setUint16(transport + 4, UDP_HEADER + log.payloadLength(p));
  writePayload(bytes, transport + headerLength, log, p, payload);
  // RFC 9293 section 3.1: the pseudo-header is addresses, protocol and length.
  const pseudo = addToSum(bytes, ip + 12, transport, log.protocol(p) + total - IPV4_HEADER);
  const checksum = foldChecksum(addToSum(bytes, transport, ip + total, pseudo));
  // RFC 768: in UDP, zero means "none" and is sent as all ones.
  view.setUint16(transport + (log.isTcp(p) ? 16 : 6), checksum === 0 && log.isUdp(p) ? 0xffff : checksum);
}

function writePayload(bytes: Uint8Array, at: number, log: PacketLog, p: number, payload: PayloadSource): void {
  const length = log.payloadLength(p);
  if (length === 0) return;
  const content = payload(log.stream(p), log.offset(p), length);
  if (content.length !== length) throw new RangeError(`payload of stream ${log.stream(p)} at ${log.offset(p)}: ${content.length} bytes instead of ${length}`);
  bytes.set(content, at);
}

/** RFC 792: the checksum covers the message alone, without a pseudo-header. */
function writeIcmp(bytes: Uint8Array, view: DataView, at: number, log: PacketLog, p: number, payload: PayloadSource): void {
  const type = log.icmpType(p);
  view.setUint8(at, type);
  view.setUint8(at + 1, log.icmpCode(p));
  if (type === IcmpType.unreachable) {
    bytes.set(frameBytes(log, log.quoted(p), payload).subarray(ETHERNET_HEADER, ETHERNET_HEADER + ICMP_QUOTE), at + ICMP_HEADER);
  } else {
    view.setUint16(at + 4, log.echoIdentifier(p));
    view.setUint16(at + 6, log.echoSequence(p));
    writePayload(bytes, at + ICMP_HEADER, log, p, payload);
  }
  view.setUint16(at + 2, foldChecksum(addToSum(bytes, at, at + ICMP_HEADER + log.payloadLength(p))));
}

/** RFC 9293 section 3.1. */
function writeTcp(view: DataView, at: number, headerLength: number, log: PacketLog, p: number): void {
  const flags = log.flags(p);
  view.setUint32(at + 4, log.sequence(p));
  view.setUint32(at + 8, (flags & TcpFlag.ack) !== 0 ? log.acknowledgement(p) : 0);
  view.setUint16(at + 12, ((headerLength >> 2) << 12) | flags);
  view.setUint16(at + 14, log.window(p));
  writeTcpOptions(view, at + TCP_HEADER, log, p);
}

/** In the order and alignment of common stacks (RFC 9293 section 3.2, RFC 7323, RFC 2018). */
function writeTcpOptions(view: DataView, at: number, log: PacketLog, p: number): void {
  const sackPermitted = log.hasOption(p, TcpOption.sackPermitted);
  if (log.hasOption(p, TcpOption.mss)) {
    view.setUint16(at, 0x0204);
    view.setUint16(at + 2, log.mss(p));
    at += 4;
  }
  if (log.hasOption(p, TcpOption.timestamps)) {
    view.setUint16(at, sackPermitted ? 0x0402 : 0x0101);
    view.setUint16(at + 2, 0x080a);
    view.setUint32(at + 4, log.timestampValue(p));
    view.setUint32(at + 8, log.timestampEcho(p));
    at += 12;
  } else if (sackPermitted) {
    view.setUint32(at, 0x01010402);
    at += 4;
  }
  if (log.hasOption(p, TcpOption.windowScale)) {
    view.setUint32(at, 0x01030300 | log.windowScale(p));
    at += 4;
  }
  const blocks = log.sackCount(p);
  if (blocks === 0) return;
  view.setUint32(at, 0x01010500 | (2 + 8 * blocks));
  for (let i = 0; i < blocks; i++) {
    view.setUint32(at + 4 + 8 * i, log.sackLeft(p, i));
    view.setUint32(at + 8 + 8 * i, log.sackRight(p, i));
  }
}
