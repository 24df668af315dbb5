import type { System } from "../machine/machine";

/** What the stack's functions are called in each system, and where they are. */
export const stackFunctions = {
  rump: {
    receive: { name: "soreceive", file: "sys/kern/uipc_socket.c", kind: "socket", a: "bytes", tally: "copy" },
    send: { name: "sosend", file: "sys/kern/uipc_socket.c", kind: "socket", a: "bytes", tally: "copy" },
    tcpSend: { name: "tcp_send", file: "sys/netinet/tcp_usrreq.c", kind: "tcp", a: "bytes" },
    received: { name: "tcp_rcvd", file: "sys/netinet/tcp_usrreq.c", kind: "tcp" },
    tcpOutput: { name: "tcp_output", file: "sys/netinet/tcp_output.c", kind: "tcp", a: "bytes" },
    ipOutput: { name: "ip_output", file: "sys/netinet/ip_output.c", kind: "ip" },
    etherOutput: { name: "ether_output", file: "sys/net/if_ethersubr.c", kind: "ethernet" },
    etherInput: { name: "ether_input", file: "sys/net/if_ethersubr.c", kind: "ethernet" },
    ipInput: { name: "ip_input", file: "sys/netinet/ip_input.c", kind: "ip" },
    tcpInput: { name: "tcp_input", file: "sys/netinet/tcp_input.c", kind: "tcp", a: "bytes" },
    tcpTimer: { name: "tcp_timer", file: "sys/netinet/tcp_timer.c", kind: "tcp" },
    arpInput: { name: "in_arpinput", file: "sys/netinet/if_arp.c", kind: "ethernet" },
    arpRequest: { name: "arprequest", file: "sys/netinet/if_arp.c", kind: "ethernet" },
    arpAnnounce: { name: "arpannounce", file: "sys/netinet/if_arp.c", kind: "ethernet" },
    checksum: { name: "in4_cksum", file: "sys/netinet/in4_cksum.c", kind: "ip", a: "bytes" },
    callout: { name: "callout_softclock", file: "sys/kern/kern_timeout.c", kind: "thread" },
  },
  linux: {
    receive: { name: "tcp_recvmsg", file: "net/ipv4/tcp.c", kind: "socket", a: "bytes", tally: "copy" },
    send: { name: "tcp_sendmsg", file: "net/ipv4/tcp.c", kind: "socket", a: "bytes", tally: "copy" },
    tcpSend: { name: "tcp_push", file: "net/ipv4/tcp.c", kind: "tcp", a: "bytes" },
    received: { name: "tcp_cleanup_rbuf", file: "net/ipv4/tcp.c", kind: "tcp" },
    tcpOutput: { name: "tcp_write_xmit", file: "net/ipv4/tcp_output.c", kind: "tcp", a: "bytes" },
    ipOutput: { name: "ip_queue_xmit", file: "net/ipv4/ip_output.c", kind: "ip" },
    etherOutput: { name: "dev_queue_xmit", file: "net/core/dev.c", kind: "ethernet" },
    etherInput: { name: "netif_receive_skb", file: "net/core/dev.c", kind: "ethernet" },
    ipInput: { name: "ip_rcv", file: "net/ipv4/ip_input.c", kind: "ip" },
    tcpInput: { name: "tcp_v4_rcv", file: "net/ipv4/tcp_ipv4.c", kind: "tcp", a: "bytes" },
    tcpTimer: { name: "tcp_write_timer_handler", file: "net/ipv4/tcp_timer.c", kind: "tcp" },
    arpInput: { name: "arp_rcv", file: "net/ipv4/arp.c", kind: "ethernet" },
    arpRequest: { name: "arp_solicit", file: "net/ipv4/arp.c", kind: "ethernet" },
    arpAnnounce: { name: "arp_send_dst", file: "net/ipv4/arp.c", kind: "ethernet" },
    checksum: { name: "csum_partial", file: "lib/checksum.c", kind: "ip", a: "bytes" },
    callout: { name: "call_timer_fn", file: "kernel/time/timer.c", kind: "thread" },
  },
} as const satisfies Record<System, unknown>;

/** What socket calls of a BSD do under the socket's lock beside the protocol's own; the rest of each call is without it. */
export const bsdSocketFunctions = {
  /** What `sosend` and `soreceive` do before they copy. */
  room: { name: "sbspace", file: "sys/sys/socketvar.h", kind: "socket" },
  data: { name: "sblock", file: "sys/kern/uipc_socket2.c", kind: "socket" },
  wait: { name: "filt_soread", file: "sys/kern/uipc_socket.c", kind: "socket" },
  accept: { name: "soaccept", file: "sys/kern/uipc_socket.c", kind: "socket" },
  close: { name: "soclose", file: "sys/kern/uipc_socket.c", kind: "socket" },
} as const;

/** How a connection goes on that has waited for what it has below TCP: see `network/tcp/smallQueues.ts`. */
export const taskletFunctions = {
  tasklet: { name: "tcp_tasklet_func", file: "net/ipv4/tcp_output.c", kind: "tcp", b: "connection" },
  handler: { name: "tcp_tsq_handler", file: "net/ipv4/tcp_output.c", kind: "tcp", b: "connection" },
  /** All that the tasklet does where a process owns the socket. */
  leave: { name: "sk_free", file: "net/core/sock.c", kind: "tcp", b: "connection" },
} as const;

/** What a soft interrupt does where a process owns the socket, and what the owner does then before it lets go. */
export const backlogFunctions = {
  leave: { name: "tcp_add_backlog", file: "net/ipv4/tcp_ipv4.c", kind: "tcp", a: "bytes" },
  leaveTimer: { name: "tcp_write_timer", file: "net/ipv4/tcp_timer.c", kind: "tcp" },
  take: { name: "tcp_v4_do_rcv", file: "net/ipv4/tcp_ipv4.c", kind: "tcp", a: "bytes" },
} as const;
