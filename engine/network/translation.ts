import type { Tuple } from "./conntrack";
import { IcmpType, type PacketLog } from "./packets";

/** What a packet is told by when addresses are translated: ports, or where there are none an echo's identifier as the asker's (RFC 5508 section 3.1). */
export function tupleOf(packets: PacketLog, p: number): Tuple {
  const isQuery = packets.isIcmp(p);
  const asks = isQuery && packets.icmpType(p) === IcmpType.echo;
  const identifier = isQuery ? packets.echoIdentifier(p) : 0;
  return {
    protocol: packets.protocol(p), source: packets.sourceIp(p), sourcePort: asks ? identifier : isQuery ? 0 : packets.sourcePort(p),
    destination: packets.destinationIp(p), destinationPort: asks ? 0 : isQuery ? identifier : packets.destinationPort(p),
  };
}

/** The other way. */
export function turned({ protocol, source, sourcePort, destination, destinationPort }: Tuple): Tuple {
  return { protocol, source: destination, sourcePort: destinationPort, destination: source, destinationPort: sourcePort };
}

/** A packet with other addresses and ports, or another identifier. */
export function translated(packets: PacketLog, packet: number, { source, sourcePort, destination, destinationPort }: Tuple): number {
  if (!packets.isIcmp(packet)) return packets.translate(packet, source, sourcePort, destination, destinationPort);
  const query = packets.translate(packet, source, 0, destination, 0);
  packets.setEchoIdentifier(query, packets.icmpType(packet) === IcmpType.echo ? sourcePort : destinationPort);
  return query;
}
