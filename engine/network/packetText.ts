import type { Scope, Variable } from "../inspect";
import { formatIpv4, formatMac } from "./addresses";
import { ArpOperation, IcmpType, TcpFlag, TcpOption } from "./headers";
import type { PacketLog } from "./packets";

/** In the order that captures are commonly read in. */
const FLAG_NAMES: readonly (readonly [flag: number, name: string])[] = [
  [TcpFlag.fin, "FIN"], [TcpFlag.syn, "SYN"], [TcpFlag.rst, "RST"], [TcpFlag.psh, "PSH"], [TcpFlag.ack, "ACK"], [TcpFlag.urg, "URG"],
];

/** `PSH, ACK` */
export function formatTcpFlags(flags: number): string {
  return FLAG_NAMES.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name).join(", ");
}

/** One line about a packet: `TCP 10.0.0.9:49152 → 10.0.0.2:80 [PSH, ACK] seq 1 ack 1 win 65535 len 180`; sequence numbers relative. */
export function summarizePacket(log: PacketLog, p: number): string {
  const corrupted = log.isCorrupted(p) ? " (corrupted)" : "";
  if (log.isArp(p)) {
    const target = formatIpv4(log.destinationIp(p));
    const sender = formatIpv4(log.sourceIp(p));
    if (log.sourceIp(p) === 0) return `ARP probe: has anybody ${target}?${corrupted}`;
    if (log.sourceIp(p) === log.destinationIp(p)) return `ARP announcement: ${sender} is at ${formatMac(log.arpSenderMac(p))}${corrupted}`;
    return log.arpOperation(p) === ArpOperation.request
      ? `ARP who has ${target}? tell ${sender}${corrupted}`
      : `ARP ${sender} is at ${formatMac(log.arpSenderMac(p))}${corrupted}`;
  }
  if (log.isIcmp(p)) return `ICMP ${formatIpv4(log.sourceIp(p))} → ${formatIpv4(log.destinationIp(p))} ${icmpMessage(log, p)}${corrupted}`;
  const ends = `${formatIpv4(log.sourceIp(p))}:${log.sourcePort(p)} → ${formatIpv4(log.destinationIp(p))}:${log.destinationPort(p)}`;
  if (log.isUdp(p)) return `UDP ${ends} len ${log.payloadLength(p)}${corrupted}`;
  const flags = log.flags(p);
  const acknowledgement = (flags & TcpFlag.ack) !== 0 ? ` ack ${log.relativeAcknowledgement(p)}` : "";
  let sack = "";
  for (let i = 0; i < log.sackCount(p); i++) {
    const base = log.acknowledgement(p);
    const relative = log.relativeAcknowledgement(p);
    sack += ` sack ${relative + ((log.sackLeft(p, i) - base) | 0)}–${relative + ((log.sackRight(p, i) - base) | 0)}`;
  }
  return `TCP ${ends} [${formatTcpFlags(flags)}] seq ${log.relativeSequence(p)}${acknowledgement} win ${log.window(p)} len ${log.payloadLength(p)}${sack}${corrupted}`;
}

/** The headers, layer by layer. */
export function describePacket(log: PacketLog, p: number): Scope {
  const layers: Variable[] = [ethernet(log, p)];
  if (log.isArp(p)) layers.push(arp(log, p));
  else layers.push(ipv4(log, p), log.isTcp(p) ? tcp(log, p) : log.isIcmp(p) ? icmp(log, p) : udp(log, p), payload(log, p));
  if (log.isLong(p)) layers.push(field("frames of at most", log.segmentSize(p), "B of payload"));
  if (log.parentOf(p) >= 0) layers.push({ name: "made of", value: `packet ${log.parentOf(p)}`, number: log.parentOf(p) });
  if (log.isCorrupted(p)) layers.push({ name: "corrupted", value: `bit ${log.corruptedBit(p)} of the frame`, number: log.corruptedBit(p) });
  return { name: `Packet ${p}`, variables: layers };
}

function field(name: string, number: number, unit = ""): Variable {
  return { name, value: unit === "" ? String(number) : `${number} ${unit}`, number };
}

function ethernet(log: PacketLog, p: number): Variable {
  const type = log.etherType(p);
  return {
    name: "Ethernet", value: `${formatMac(log.sourceMac(p))} → ${formatMac(log.destinationMac(p))}`,
    children: [
      { name: "dst", value: formatMac(log.destinationMac(p)), number: log.destinationMac(p) },
      { name: "src", value: formatMac(log.sourceMac(p)), number: log.sourceMac(p) },
      ...(log.vlan(p) === 0 ? [] : [field("VLAN", log.vlan(p))]),
      { name: "type", value: `0x${type.toString(16).padStart(4, "0")}`, number: type },
      field("length", log.frameLength(p), "B"),
    ],
  };
}

function arp(log: PacketLog, p: number): Variable {
  const operation = log.arpOperation(p);
  return {
    name: "ARP", value: operation === ArpOperation.request ? "request" : "reply",
    children: [
      field("op", operation),
      { name: "sha", value: formatMac(log.arpSenderMac(p)), number: log.arpSenderMac(p) },
      { name: "spa", value: formatIpv4(log.sourceIp(p)), number: log.sourceIp(p) },
      { name: "tha", value: formatMac(log.arpTargetMac(p)), number: log.arpTargetMac(p) },
      { name: "tpa", value: formatIpv4(log.destinationIp(p)), number: log.destinationIp(p) },
    ],
  };
}

function ipv4(log: PacketLog, p: number): Variable {
  return {
    name: "IPv4", value: `${formatIpv4(log.sourceIp(p))} → ${formatIpv4(log.destinationIp(p))}`,
    children: [
      { name: "src", value: formatIpv4(log.sourceIp(p)), number: log.sourceIp(p) },
      { name: "dst", value: formatIpv4(log.destinationIp(p)), number: log.destinationIp(p) },
      field("total length", log.ipLength(p), "B"),
      field("id", log.id(p)), field("ttl", log.ttl(p)), field("protocol", log.protocol(p)),
    ],
  };
}

function tcp(log: PacketLog, p: number): Variable {
  const flags = log.flags(p);
  const children: Variable[] = [
    field("source port", log.sourcePort(p)), field("destination port", log.destinationPort(p)),
    { name: "seq", value: `${log.relativeSequence(p)} (${log.sequence(p)})`, number: log.sequence(p) },
    { name: "ack", value: `${log.relativeAcknowledgement(p)} (${log.acknowledgement(p)})`, number: log.acknowledgement(p) },
    { name: "flags", value: formatTcpFlags(flags), number: flags },
    field("window", log.window(p)),
  ];
  if (log.hasOption(p, TcpOption.mss)) children.push(field("MSS", log.mss(p), "B"));
  if (log.hasOption(p, TcpOption.windowScale)) children.push(field("window scale", log.windowScale(p), "bits"));
  if (log.hasOption(p, TcpOption.sackPermitted)) children.push({ name: "SACK permitted", value: "yes", number: 1 });
  if (log.hasOption(p, TcpOption.timestamps)) children.push(field("TSval", log.timestampValue(p)), field("TSecr", log.timestampEcho(p)));
  for (let i = 0; i < log.sackCount(p); i++) children.push({ name: `SACK ${i + 1}`, value: `${log.sackLeft(p, i)}–${log.sackRight(p, i)}` });
  return { name: "TCP", value: `${log.sourcePort(p)} → ${log.destinationPort(p)} [${formatTcpFlags(flags)}]`, children };
}

function icmpMessage(log: PacketLog, p: number): string {
  const type = log.icmpType(p);
  if (type === IcmpType.unreachable) return `port ${log.destinationPort(log.quoted(p))} unreachable`;
  return `${type === IcmpType.echo ? "echo request" : "echo reply"} id ${log.echoIdentifier(p)} seq ${log.echoSequence(p)} len ${log.payloadLength(p)}`;
}

function icmp(log: PacketLog, p: number): Variable {
  const children: Variable[] = [field("type", log.icmpType(p)), field("code", log.icmpCode(p))];
  if (log.icmpType(p) !== IcmpType.unreachable) children.push(field("identifier", log.echoIdentifier(p)), field("sequence", log.echoSequence(p)));
  return { name: "ICMP", value: icmpMessage(log, p), children };
}

function udp(log: PacketLog, p: number): Variable {
  return {
    name: "UDP", value: `${log.sourcePort(p)} → ${log.destinationPort(p)}`,
    children: [field("source port", log.sourcePort(p)), field("destination port", log.destinationPort(p)), field("length", 8 + log.payloadLength(p), "B")],
  };
}

function payload(log: PacketLog, p: number): Variable {
  const length = log.payloadLength(p);
  if (length === 0) return { name: "payload", value: "none", number: 0 };
  if (log.stream(p) < 0) return { name: "payload", value: `${length} B: the first bytes of packet ${log.quoted(p)}`, number: length };
  const offset = log.offset(p);
  return {
    name: "payload", value: `${length} B: stream ${log.stream(p)}, ${offset}–${offset + length}`, number: length,
    children: [field("stream", log.stream(p)), field("offset", offset, "B"), field("length", length, "B")],
  };
}
