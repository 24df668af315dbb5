import type { Written } from "../trace/fingerprint";

type Column = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

/** The memory behind a packet log: about 76 bytes a packet; what few packets carry is in side tables. Columns are replaced as they grow. */
export class PacketColumns {
  destinationMac = new Float64Array(256);
  sourceMac = new Float64Array(256);
  etherType = new Uint16Array(256);
  /** 802.1Q VLAN; 0: untagged. */
  vlan = new Uint16Array(256);
  protocol = new Uint8Array(256);
  ttl = new Uint8Array(256);
  id = new Uint16Array(256);
  source = new Uint32Array(256);
  destination = new Uint32Array(256);
  sourcePort = new Uint16Array(256);
  destinationPort = new Uint16Array(256);
  sequence = new Uint32Array(256);
  acknowledgement = new Uint32Array(256);
  flags = new Uint8Array(256);
  window = new Uint16Array(256);
  stream = new Int32Array(256);
  offset = new Float64Array(256);
  length = new Uint32Array(256);
  /** Bytes of the IPv4 header and the next one with its options, or of the ARP packet: follows from the others, and everyone who moves a frame asks for it. */
  headers = new Uint8Array(256);
  /** Row in the side table of TCP options or ARP, plus one; 0: none. */
  extra = new Int32Array(256);
  /** Number of the flipped bit, plus one; 0: intact. */
  corruption = new Uint32Array(256);
  /** The packet that this one was made of, plus one; 0: none. */
  parent = new Int32Array(256);

  optionKinds = new Uint8Array(64);
  mss = new Uint16Array(64);
  windowScale = new Uint8Array(64);
  timestampValue = new Uint32Array(64);
  timestampEcho = new Uint32Array(64);
  sackFirst = new Int32Array(64);
  sackCount = new Uint8Array(64);

  sackLeft = new Uint32Array(64);
  sackRight = new Uint32Array(64);

  arpOperation = new Uint8Array(16);
  arpSenderMac = new Float64Array(16);
  arpTargetMac = new Float64Array(16);

  /** Initial sequence number plus one by stream; 0: not known. */
  initialSequence = new Float64Array(64);

  /** Messages of the transcript, about 30 bytes each: the next of its stream plus one (0: none so far), place, length, content. */
  messageNext = new Int32Array(64);
  messageOffset = new Float64Array(64);
  messageLength = new Float64Array(64);
  messageKind = new Uint16Array(64);
  messageValue = new Float64Array(64);

  reserve(rows: number): void {
    if (rows <= this.etherType.length) return;
    this.destinationMac = grown(this.destinationMac);
    this.sourceMac = grown(this.sourceMac);
    this.etherType = grown(this.etherType);
    this.vlan = grown(this.vlan);
    this.protocol = grown(this.protocol);
    this.ttl = grown(this.ttl);
    this.id = grown(this.id);
    this.source = grown(this.source);
    this.destination = grown(this.destination);
    this.sourcePort = grown(this.sourcePort);
    this.destinationPort = grown(this.destinationPort);
    this.sequence = grown(this.sequence);
    this.acknowledgement = grown(this.acknowledgement);
    this.flags = grown(this.flags);
    this.window = grown(this.window);
    this.stream = grown(this.stream);
    this.offset = grown(this.offset);
    this.length = grown(this.length);
    this.headers = grown(this.headers);
    this.extra = grown(this.extra);
    this.corruption = grown(this.corruption);
    this.parent = grown(this.parent);
  }

  copy(from: number, to: number): void {
    this.destinationMac[to] = this.destinationMac[from]!;
    this.sourceMac[to] = this.sourceMac[from]!;
    this.etherType[to] = this.etherType[from]!;
    this.vlan[to] = this.vlan[from]!;
    this.protocol[to] = this.protocol[from]!;
    this.ttl[to] = this.ttl[from]!;
    this.id[to] = this.id[from]!;
    this.source[to] = this.source[from]!;
    this.destination[to] = this.destination[from]!;
    this.sourcePort[to] = this.sourcePort[from]!;
    this.destinationPort[to] = this.destinationPort[from]!;
    this.sequence[to] = this.sequence[from]!;
    this.acknowledgement[to] = this.acknowledgement[from]!;
    this.flags[to] = this.flags[from]!;
    this.window[to] = this.window[from]!;
    this.stream[to] = this.stream[from]!;
    this.offset[to] = this.offset[from]!;
    this.length[to] = this.length[from]!;
    this.headers[to] = this.headers[from]!;
    this.extra[to] = this.extra[from]!;
    this.corruption[to] = this.corruption[from]!;
  }

  reserveOptions(rows: number): void {
    if (rows <= this.optionKinds.length) return;
    this.optionKinds = grown(this.optionKinds);
    this.mss = grown(this.mss);
    this.windowScale = grown(this.windowScale);
    this.timestampValue = grown(this.timestampValue);
    this.timestampEcho = grown(this.timestampEcho);
    this.sackFirst = grown(this.sackFirst);
    this.sackCount = grown(this.sackCount);
  }

  reserveSackBlocks(rows: number): void {
    if (rows <= this.sackLeft.length) return;
    this.sackLeft = grown(this.sackLeft);
    this.sackRight = grown(this.sackRight);
  }

  reserveArps(rows: number): void {
    if (rows <= this.arpOperation.length) return;
    this.arpOperation = grown(this.arpOperation);
    this.arpSenderMac = grown(this.arpSenderMac);
    this.arpTargetMac = grown(this.arpTargetMac);
  }

  reserveMessages(rows: number): void {
    if (rows <= this.messageNext.length) return;
    this.messageNext = grown(this.messageNext);
    this.messageOffset = grown(this.messageOffset);
    this.messageLength = grown(this.messageLength);
    this.messageKind = grown(this.messageKind);
    this.messageValue = grown(this.messageValue);
  }

  /** What a fingerprint is of, given how many of each there are. */
  written({ packets, options, sackBlocks, arps, streams }: Readonly<Record<"packets" | "options" | "sackBlocks" | "arps" | "streams", number>>): Written[] {
    const first = (rows: number, columns: readonly Column[]): Written[] => columns.map((column) => ({ column, rows }));
    return [
      ...first(packets, [
        this.destinationMac, this.sourceMac, this.etherType, this.vlan, this.protocol, this.ttl, this.id, this.source, this.destination, this.sourcePort, this.destinationPort,
        this.sequence, this.acknowledgement, this.flags, this.window, this.stream, this.offset, this.length, this.extra, this.corruption, this.parent,
      ]),
      ...first(options, [this.optionKinds, this.mss, this.windowScale, this.timestampValue, this.timestampEcho, this.sackFirst, this.sackCount]),
      ...first(sackBlocks, [this.sackLeft, this.sackRight]),
      ...first(arps, [this.arpOperation, this.arpSenderMac, this.arpTargetMac]),
      ...first(streams, [this.initialSequence]),
    ];
  }

  reserveStreams(rows: number): void {
    if (rows > this.initialSequence.length) this.initialSequence = grown(this.initialSequence);
  }
}

/** Twice as long, contents kept. */
function grown<T extends Column>(column: T): T {
  const longer = new (column.constructor as new (length: number) => T)(column.length * 2);
  longer.set(column);
  return longer;
}
