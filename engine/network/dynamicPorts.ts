/** The ports that a system takes for sockets that are not bound to one, of TCP and of UDP: the first and the last. */
export type DynamicPorts = readonly [first: number, last: number];

/** RFC 6335 section 6 (`IPPORT_ANONMIN`, `IPPORT_ANONMAX`; sys/netinet/in.h). */
export const netbsdPorts: DynamicPorts = [49152, 65535];
/** `net.ipv4.ip_local_port_range` (`inet_init_net`, net/ipv4/af_inet.c). */
export const linuxPorts: DynamicPorts = [32768, 60999];
