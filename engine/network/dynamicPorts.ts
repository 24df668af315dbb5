/** The ports that a system takes for sockets that are not bound to one, of TCP and of UDP: the first and the last. */
export type DynamicPorts = readonly [first: number, last: number];

/** RFC 6335 section 6 (`IPPORT_ANONMIN`, `IPPORT_ANONMAX`; sys/netinet/in.h). */
export const netbsdPorts: DynamicPorts = [49152, 65535];
/** `net.ipv4.ip_local_port_range` (`inet_init_net`, net/ipv4/af_inet.c). */
export const linuxPorts: DynamicPorts = [32768, 60999];

/**
 * Which of them a connection takes. Linux: the next one in turn, from where a secret of the boot puts it (`secure_ipv4_port_ephemeral`, `inet_hash_connect` in
 * net/ipv4/inet_hashtables.c; RFC 6056 section 3.3.3). NetBSD: the next one downwards, from the last, after each boot (`algo_bsd`, sys/netinet/portalgo.c). A rump kernel
 * is built to begin at a random one for each connection (`PORTALGO_RANDOM_START`, sys/rump/net/lib/libnetinet/Makefile.inc; `algo_random_start`).
 */
export type PortChoice = "upwards" | "downwards" | "random";
