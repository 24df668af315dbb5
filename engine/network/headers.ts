export const EtherType = { ipv4: 0x0800, arp: 0x0806 } as const;
export const Protocol = { tcp: 6, udp: 17 } as const;
export const ArpOperation = { request: 1, reply: 2 } as const;
/** RFC 9293 section 3.1, control bits. */
export const TcpFlag = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10, urg: 0x20 } as const;

/** Which TCP options a packet carries. */
export const TcpOption = { mss: 1, windowScale: 2, sackPermitted: 4, timestamps: 8 } as const;

export const ETHERNET_HEADER = 14;
/** IEEE 802.3: 64 bytes less the FCS. */
export const MINIMUM_FRAME = 60;
export const ARP_LENGTH = 28;
export const IPV4_HEADER = 20;
export const TCP_HEADER = 20;
export const UDP_HEADER = 8;
