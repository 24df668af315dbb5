import type { Scope } from "../inspect";
import type { Store, Table } from "../kernel/state";
import type { Written } from "../trace/fingerprint";
import {
  ARP_LENGTH, EtherType, ETHERNET_HEADER, ICMP_QUOTE, IcmpType, IPV4_HEADER, MINIMUM_FRAME, PORT_UNREACHABLE, Protocol, TCP_HEADER, TcpOption, UDP_HEADER,
  VLAN_TAG, optionsLength,
} from "./headers";
import { PacketColumns } from "./packetColumns";
import { describePacket, summarizePacket } from "./packetText";

export { BROADCAST } from "./addresses";
export { ArpOperation, EtherType, IcmpType, Protocol, TcpFlag, TcpOption } from "./headers";

/** Beside the kinds of options: the column of the MSS holds a segment size instead. Never in a SYN. */
const SEGMENTED = 0x80;

const countSchema = { packets: "i32", options: "i32", sackBlocks: "i32", arps: "i32", streams: "i32" } as const;

/**
 * Every packet that was ever made, by number. The columns are append-only and shared by the engine that records and those
 * that replay, which rewrite identical values; only the counts belong to an engine's state. Payload is
 * (stream, offset, length): bytes are made when a capture is written.
 *
 * A connection has two streams, `s` and `s ^ 1`, one a direction.
 */
export class PacketLog {
  private readonly counts: Table<typeof countSchema>;

  /** @param columns those of the recording engine's log, to replay; new ones by default */
  constructor(store: Store, readonly columns: PacketColumns = new PacketColumns()) {
    this.counts = store.table("packet log", countSchema, 1);
    this.counts.alloc();
  }

  /** Packets so far. */
  get length(): number {
    return this.counts.packets[0]!;
  }

  /** What a fingerprint is of: the headers of all packets so far. */
  written(): Written[] {
    const { packets, options, sackBlocks, arps, streams } = this.counts;
    return this.columns.written({ packets: packets[0]!, options: options[0]!, sackBlocks: sackBlocks[0]!, arps: arps[0]!, streams: streams[0]! });
  }

  /** Opens the two streams of a connection; returns the even one, which belongs to whoever opened it. */
  openStreams(): number {
    const stream = this.counts.streams[0]!;
    this.counts.streams[0] = stream + 2;
    this.columns.reserveStreams(stream + 2);
    return stream;
  }

  /** Notes a TCP stream's initial sequence number, for relative numbers in text. */
  setInitialSequence(stream: number, sequence: number): void {
    this.columns.initialSequence[stream] = sequence + 1;
  }

  /**
   * A TCP segment over IPv4, without options. Addresses of the Ethernet header are set later, by {@link setEthernet}.
   *
   * @param flags {@link TcpFlag}, combined
   * @param window as in the header, that is, scaled
   * @param stream stream of the payload; −1 where there is none
   * @param offset of the first payload byte in its stream, which is the relative sequence number less one: −1 in a SYN
   */
  createTcp(
    source: number, destination: number, sourcePort: number, destinationPort: number, sequence: number, acknowledgement: number,
    flags: number, window: number, stream: number, offset: number, length: number, id: number, ttl = 64,
  ): number {
    const p = this.createIpv4(Protocol.tcp, source, destination, sourcePort, destinationPort, stream, offset, length, id, ttl);
    const c = this.columns;
    c.headers[p] = IPV4_HEADER + TCP_HEADER;
    c.sequence[p] = sequence;
    c.acknowledgement[p] = acknowledgement;
    c.flags[p] = flags;
    c.window[p] = window;
    return p;
  }

  /** A UDP datagram over IPv4. */
  createUdp(
    source: number, destination: number, sourcePort: number, destinationPort: number, stream: number, offset: number, length: number,
    id: number, ttl = 64,
  ): number {
    return this.createIpv4(Protocol.udp, source, destination, sourcePort, destinationPort, stream, offset, length, id, ttl);
  }

  /**
   * An ICMP echo request or its reply (RFC 792). The reply returns the data of the request: same stream, offset and length.
   * @param type {@link IcmpType}
   */
  createEcho(
    type: number, source: number, destination: number, identifier: number, sequence: number, stream: number, offset: number, length: number,
    id: number, ttl = 64,
  ): number {
    const p = this.createIpv4(Protocol.icmp, source, destination, 0, 0, stream, offset, length, id, ttl);
    this.setIcmp(p, type, 0);
    this.columns.sequence[p] = (identifier << 16) | sequence;
    return p;
  }

  /** "Port unreachable", in answer to a datagram, whose first bytes it quotes (RFC 1122 section 4.1.3.1). */
  createPortUnreachable(datagram: number, id: number, ttl = 64): number {
    const p = this.createIpv4(Protocol.icmp, this.destinationIp(datagram), this.sourceIp(datagram), 0, 0, -1, 0, ICMP_QUOTE, id, ttl);
    this.setIcmp(p, IcmpType.unreachable, PORT_UNREACHABLE);
    this.columns.sequence[p] = 0;
    this.columns.acknowledgement[p] = datagram;
    return p;
  }

  private setIcmp(p: number, type: number, code: number): void {
    this.columns.flags[p] = type;
    this.columns.window[p] = code;
  }

  /** An ARP packet for IPv4 over Ethernet (RFC 826). */
  createArp(operation: number, senderMac: number, senderIp: number, targetMac: number, targetIp: number): number {
    const p = this.create(EtherType.arp);
    const c = this.columns;
    c.source[p] = senderIp;
    c.destination[p] = targetIp;
    c.stream[p] = -1;
    c.length[p] = 0;
    c.headers[p] = ARP_LENGTH;
    const row = this.counts.arps[0]!++;
    c.reserveArps(row + 1);
    c.arpOperation[row] = operation;
    c.arpSenderMac[row] = senderMac;
    c.arpTargetMac[row] = targetMac;
    c.extra[p] = row + 1;
    return p;
  }

  /** A packet equal to `p`, which is its parent, Ethernet addresses included: for duplicates, corruption and rewritten headers. */
  copy(p: number): number {
    const q = this.counts.packets[0]!++;
    this.columns.reserve(q + 1);
    this.columns.copy(p, q);
    this.columns.parent[q] = p + 1;
    return q;
  }

  /** What a router sends on of `p` that translates addresses and ports (RFC 3022): a hop further, all else the same. */
  translate(p: number, source: number, sourcePort: number, destination: number, destinationPort: number): number {
    const q = this.copy(p);
    const c = this.columns;
    c.source[q] = source;
    c.destination[q] = destination;
    c.sourcePort[q] = sourcePort;
    c.destinationPort[q] = destinationPort;
    c.ttl[q] = c.ttl[q]! - 1;
    return q;
  }

  /** Gives an echo message another identifier (RFC 5508 section 3). */
  setEchoIdentifier(p: number, identifier: number): void {
    this.columns.sequence[p] = ((identifier << 16) | (this.columns.sequence[p]! & 0xffff)) >>> 0;
  }

  /** Makes an ICMP error quote another datagram, as translating routers must (RFC 5508 section 4). */
  requote(p: number, datagram: number): void {
    this.columns.acknowledgement[p] = datagram;
  }

  /** Marks one bit of the frame as flipped on the way. @param bit counted from the first bit of the Ethernet header */
  corrupt(p: number, bit: number): void {
    this.columns.corruption[p] = bit + 1;
  }

  setEthernet(p: number, destination: number, source: number): void {
    this.columns.destinationMac[p] = destination;
    this.columns.sourceMac[p] = source;
  }

  /** Tags a frame for a VLAN (IEEE 802.1Q), 1 to 4094. */
  setVlan(p: number, vlan: number): void {
    this.columns.vlan[p] = vlan;
  }

  /** Options of a SYN. @param windowScale shift count, −1 to leave the option out */
  setSynOptions(p: number, mss: number, windowScale: number, sackPermitted: boolean): void {
    const row = this.options(p);
    const c = this.columns;
    c.optionKinds[row] = c.optionKinds[row]! | TcpOption.mss | (windowScale >= 0 ? TcpOption.windowScale : 0) | (sackPermitted ? TcpOption.sackPermitted : 0);
    c.mss[row] = mss;
    c.windowScale[row] = windowScale >= 0 ? windowScale : 0;
    this.measureOptions(p);
  }

  setTimestamps(p: number, value: number, echo: number): void {
    const row = this.options(p);
    const c = this.columns;
    c.optionKinds[row] = c.optionKinds[row]! | TcpOption.timestamps;
    c.timestampValue[row] = value;
    c.timestampEcho[row] = echo;
    this.measureOptions(p);
  }

  /** The payload of each frame that a long segment is cut into (TSO), or was joined of. */
  setSegmentSize(p: number, size: number): void {
    const row = this.options(p);
    const c = this.columns;
    c.optionKinds[row] = c.optionKinds[row]! | SEGMENTED;
    c.mss[row] = size;
  }

  /** Adds a SACK block [left, right). All blocks of a packet are added before those of another. */
  addSackBlock(p: number, left: number, right: number): void {
    const row = this.options(p);
    const c = this.columns;
    const block = this.counts.sackBlocks[0]!++;
    c.reserveSackBlocks(block + 1);
    c.sackLeft[block] = left;
    c.sackRight[block] = right;
    if (c.sackCount[row] === 0) c.sackFirst[row] = block;
    c.sackCount[row] = c.sackCount[row]! + 1;
    this.measureOptions(p);
  }

  destinationMac(p: number): number { return this.columns.destinationMac[p]!; }
  sourceMac(p: number): number { return this.columns.sourceMac[p]!; }
  etherType(p: number): number { return this.columns.etherType[p]!; }
  /** IEEE 802.1Q VLAN; 0: the frame has no tag. */
  vlan(p: number): number { return this.columns.vlan[p]!; }
  isArp(p: number): boolean { return this.columns.etherType[p] === EtherType.arp; }
  isTcp(p: number): boolean { return this.columns.protocol[p] === Protocol.tcp; }
  isUdp(p: number): boolean { return this.columns.protocol[p] === Protocol.udp; }
  isIcmp(p: number): boolean { return this.columns.protocol[p] === Protocol.icmp; }
  /** {@link IcmpType} */
  icmpType(p: number): number { return this.columns.flags[p]!; }
  icmpCode(p: number): number { return this.columns.window[p]!; }
  /** Identifier of an echo message: tells the senders of one host apart. */
  echoIdentifier(p: number): number { return this.columns.sequence[p]! >>> 16; }
  echoSequence(p: number): number { return this.columns.sequence[p]! & 0xffff; }
  /** The datagram that an ICMP error is about. */
  quoted(p: number): number { return this.columns.acknowledgement[p]!; }
  /** IPv4 source; sender's protocol address in ARP. */
  sourceIp(p: number): number { return this.columns.source[p]!; }
  /** IPv4 destination; target's protocol address in ARP. */
  destinationIp(p: number): number { return this.columns.destination[p]!; }
  id(p: number): number { return this.columns.id[p]!; }
  ttl(p: number): number { return this.columns.ttl[p]!; }
  /** IP protocol number; 0 where the packet is not IPv4. */
  protocol(p: number): number { return this.columns.protocol[p]!; }
  sourcePort(p: number): number { return this.columns.sourcePort[p]!; }
  destinationPort(p: number): number { return this.columns.destinationPort[p]!; }
  sequence(p: number): number { return this.columns.sequence[p]!; }
  acknowledgement(p: number): number { return this.columns.acknowledgement[p]!; }
  flags(p: number): number { return this.columns.flags[p]!; }
  /** As in the header, that is, scaled. */
  window(p: number): number { return this.columns.window[p]!; }
  stream(p: number): number { return this.columns.stream[p]!; }
  offset(p: number): number { return this.columns.offset[p]!; }
  payloadLength(p: number): number { return this.columns.length[p]!; }
  /** The packet that this one is a copy or a segment of; −1: none. */
  parentOf(p: number): number { return this.columns.parent[p]! - 1; }
  isCorrupted(p: number): boolean { return this.columns.corruption[p] !== 0; }
  /** The flipped bit, counted from the first bit of the frame; −1 in an intact packet. */
  corruptedBit(p: number): number { return this.columns.corruption[p]! - 1; }
  /** Whether the flipped bit is one of the IPv4 header, whose checksum is its own. */
  isHeaderCorrupted(p: number): boolean {
    const bit = this.corruptedBit(p) - 8 * this.ipStart(p);
    return this.isCorrupted(p) && bit >= 0 && bit < 8 * IPV4_HEADER;
  }

  arpOperation(p: number): number { return this.columns.arpOperation[this.columns.extra[p]! - 1]!; }
  arpSenderMac(p: number): number { return this.columns.arpSenderMac[this.columns.extra[p]! - 1]!; }
  arpTargetMac(p: number): number { return this.columns.arpTargetMac[this.columns.extra[p]! - 1]!; }

  hasOption(p: number, option: number): boolean {
    const row = this.columns.extra[p]! - 1;
    return row >= 0 && (this.columns.optionKinds[row]! & option) !== 0;
  }
  mss(p: number): number { return this.columns.mss[this.columns.extra[p]! - 1]!; }
  /** See {@link setSegmentSize}; 0 where the packet was never long. */
  segmentSize(p: number): number {
    return this.isTcp(p) && this.hasOption(p, SEGMENTED) ? this.mss(p) : 0;
  }
  /** Whether it is longer than a frame: see segmentation.ts. */
  isLong(p: number): boolean {
    const size = this.segmentSize(p);
    return size > 0 && this.columns.length[p]! > size;
  }
  windowScale(p: number): number { return this.columns.windowScale[this.columns.extra[p]! - 1]!; }
  timestampValue(p: number): number { return this.columns.timestampValue[this.columns.extra[p]! - 1]!; }
  timestampEcho(p: number): number { return this.columns.timestampEcho[this.columns.extra[p]! - 1]!; }
  sackCount(p: number): number {
    const row = this.columns.extra[p]! - 1;
    return row >= 0 && this.isTcp(p) ? this.columns.sackCount[row]! : 0;
  }
  sackLeft(p: number, block: number): number { return this.columns.sackLeft[this.columns.sackFirst[this.columns.extra[p]! - 1]! + block]!; }
  sackRight(p: number, block: number): number { return this.columns.sackRight[this.columns.sackFirst[this.columns.extra[p]! - 1]! + block]!; }

  /** Bytes of TCP options. */
  tcpOptionsLength(p: number): number {
    return this.columns.headers[p]! - IPV4_HEADER - TCP_HEADER;
  }

  /** Bytes of the IPv4 packet, or of the ARP packet. UDP's header and ICMP's have the same length. */
  ipLength(p: number): number {
    return this.columns.headers[p]! + this.columns.length[p]!;
  }

  /** Bytes of the frame before the IPv4 or ARP packet. */
  ipStart(p: number): number {
    return ETHERNET_HEADER + (this.columns.vlan[p] === 0 ? 0 : VLAN_TAG);
  }

  /** Bytes of the Ethernet frame, padding included, FCS not. */
  frameLength(p: number): number {
    const length = this.ipStart(p) + this.ipLength(p);
    return length < MINIMUM_FRAME ? MINIMUM_FRAME : length;
  }

  /** Sequence number relative to the stream's first; the absolute one where that is not known. */
  relativeSequence(p: number): number {
    return this.relative(this.columns.sequence[p]!, this.columns.stream[p]!);
  }

  /** Acknowledgement number relative to the other stream's first sequence number. */
  relativeAcknowledgement(p: number): number {
    return this.relative(this.columns.acknowledgement[p]!, this.columns.stream[p]! ^ 1);
  }

  /** One line: `TCP 10.0.0.9:49152 → 10.0.0.2:80 [PSH, ACK] seq 1 ack 1 win 65535 len 180`; sequence numbers are relative. */
  summarize(p: number): string {
    return summarizePacket(this, p);
  }

  /** The headers, layer by layer. */
  describe(p: number): Scope {
    return describePacket(this, p);
  }

  private relative(sequence: number, stream: number): number {
    const initial = stream >= 0 ? this.columns.initialSequence[stream]! : 0;
    return initial === 0 ? sequence : (sequence - (initial - 1)) >>> 0;
  }

  private createIpv4(
    protocol: number, source: number, destination: number, sourcePort: number, destinationPort: number,
    stream: number, offset: number, length: number, id: number, ttl: number,
  ): number {
    const p = this.create(EtherType.ipv4);
    const c = this.columns;
    c.protocol[p] = protocol;
    c.source[p] = source;
    c.destination[p] = destination;
    c.sourcePort[p] = sourcePort;
    c.destinationPort[p] = destinationPort;
    c.stream[p] = stream;
    c.offset[p] = offset;
    c.length[p] = length;
    c.headers[p] = IPV4_HEADER + UDP_HEADER;
    c.id[p] = id;
    c.ttl[p] = ttl;
    return p;
  }

  /**
   * Ethernet addresses and corruption are left alone: they are zero in a new packet, and a replay that stops before it
   * sets them must not take them from a packet that the recording has sent.
   */
  private create(etherType: number): number {
    const p = this.counts.packets[0]!++;
    this.columns.reserve(p + 1);
    this.columns.etherType[p] = etherType;
    this.columns.vlan[p] = 0;
    this.columns.protocol[p] = 0;
    this.columns.extra[p] = 0;
    this.columns.parent[p] = 0;
    return p;
  }

  /** The options of a segment are others. */
  private measureOptions(p: number): void {
    const c = this.columns;
    const row = c.extra[p]! - 1;
    c.headers[p] = IPV4_HEADER + TCP_HEADER + optionsLength(c.optionKinds[row]!, c.sackCount[row]!);
  }

  /** The packet's row of options, made when first asked for. */
  private options(p: number): number {
    const c = this.columns;
    if (c.extra[p] !== 0) return c.extra[p]! - 1;
    const row = this.counts.options[0]!++;
    c.reserveOptions(row + 1);
    c.optionKinds[row] = 0;
    c.sackCount[row] = 0;
    c.extra[p] = row + 1;
    return row;
  }
}
