export const EtherType = { ipv4: 0x0800, arp: 0x0806 } as const;
export const Protocol = { icmp: 1, tcp: 6, udp: 17 } as const;
/** RFC 792: types of ICMP messages, and the code of "port unreachable". */
export const IcmpType = { echoReply: 0, unreachable: 3, echo: 8 } as const;
export const PORT_UNREACHABLE = 3;
export const ArpOperation = { request: 1, reply: 2 } as const;
/** RFC 9293 section 3.1, control bits. */
export const TcpFlag = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10, urg: 0x20 } as const;

/** Which TCP options a packet carries. */
export const TcpOption = { mss: 1, windowScale: 2, sackPermitted: 4, timestamps: 8 } as const;

export const ETHERNET_HEADER = 14;
/** IEEE 802.1Q tag, between the addresses and the type. */
export const VLAN_TAG = 4;
/** IEEE 802.3: 64 bytes less the FCS. */
export const MINIMUM_FRAME = 60;
export const ARP_LENGTH = 28;
export const IPV4_HEADER = 20;
export const TCP_HEADER = 20;
export const UDP_HEADER = 8;
/** Of an echo message: type, code, checksum, identifier, sequence number. Of an error: the last two are unused (RFC 792). */
export const ICMP_HEADER = 8;
/** Octets of the datagram that an ICMP error quotes: the IP header and 64 bits of what follows (RFC 792). */
export const ICMP_QUOTE = IPV4_HEADER + 8;

/** Bytes of TCP options, each aligned to four bytes by NOPs as common stacks do (RFC 7323 appendix A). @param kinds {@link TcpOption}, combined @param blocks SACK blocks */
export function optionsLength(kinds: number, blocks: number): number {
  let length = 0;
  if ((kinds & TcpOption.mss) !== 0) length += 4;
  if ((kinds & TcpOption.timestamps) !== 0) length += 12;
  else if ((kinds & TcpOption.sackPermitted) !== 0) length += 4;
  if ((kinds & TcpOption.windowScale) !== 0) length += 4;
  return blocks > 0 ? length + 4 + 8 * blocks : length;
}
