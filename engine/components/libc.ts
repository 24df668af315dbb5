import type { PlacedModel, Placement, System } from "../machine/machine";
import type { TcpIp } from "./tcpip";

const functionsOf = {
  rump: {
    send: { name: "rump___sysimpl_sendto", file: "sys/rump/librump/rumpkern/rump_syscalls.c", kind: "libc", a: "bytes" },
    receive: { name: "rump___sysimpl_recvfrom", file: "sys/rump/librump/rumpkern/rump_syscalls.c", kind: "libc", a: "bytes" },
    sendTo: { name: "rump___sysimpl_sendto", file: "sys/rump/librump/rumpkern/rump_syscalls.c", kind: "libc", a: "bytes" },
    receiveFrom: { name: "rump___sysimpl_recvfrom", file: "sys/rump/librump/rumpkern/rump_syscalls.c", kind: "libc", a: "bytes" },
    bind: { name: "rump___sysimpl_bind", file: "sys/rump/librump/rumpkern/rump_syscalls.c", kind: "libc" },
    wait: { name: "rump___sysimpl_kevent", file: "sys/rump/librump/rumpkern/rump_syscalls.c", kind: "libc" },
    accept: { name: "rump___sysimpl_accept", file: "sys/rump/librump/rumpkern/rump_syscalls.c", kind: "libc" },
    connect: { name: "rump___sysimpl_connect", file: "sys/rump/librump/rumpkern/rump_syscalls.c", kind: "libc" },
    listen: { name: "rump___sysimpl_listen", file: "sys/rump/librump/rumpkern/rump_syscalls.c", kind: "libc" },
    close: { name: "rump___sysimpl_close", file: "sys/rump/librump/rumpkern/rump_syscalls.c", kind: "libc" },
  },
  linux: {
    send: { name: "__sys_sendto", file: "net/socket.c", kind: "libc", a: "bytes" },
    receive: { name: "__sys_recvfrom", file: "net/socket.c", kind: "libc", a: "bytes" },
    sendTo: { name: "__sys_sendto", file: "net/socket.c", kind: "libc", a: "bytes" },
    receiveFrom: { name: "__sys_recvfrom", file: "net/socket.c", kind: "libc", a: "bytes" },
    bind: { name: "__sys_bind", file: "net/socket.c", kind: "libc" },
    wait: { name: "do_epoll_wait", file: "fs/eventpoll.c", kind: "libc" },
    accept: { name: "__sys_accept4", file: "net/socket.c", kind: "libc" },
    connect: { name: "__sys_connect", file: "net/socket.c", kind: "libc" },
    listen: { name: "__sys_listen", file: "net/socket.c", kind: "libc" },
    close: { name: "tcp_close", file: "net/ipv4/tcp.c", kind: "libc" },
  },
} as const satisfies Record<System, unknown>;

export type SocketCall = keyof (typeof functionsOf)["rump"];

/**
 * The C library's socket calls. In a library OS they are plain function calls into the stack beside the application
 * (LibrettOS 2.2: "substitute system calls with ordinary function calls from libc"); in a kernel they are its system calls.
 */
export class Libc implements PlacedModel {
  readonly id: number;
  sockets!: TcpIp;
  private readonly fn;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    this.id = machine.kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.fn = machine.kernel.functions(functionsOf[domain.system]);
  }

  connect(): void {
    const stack = this.place.domain.components.find((c) => c.type === "tcpip");
    if (stack === undefined) throw new Error(`${this.place.spec.path} has no TCP/IP stack to call.`);
    this.sockets = this.place.machine.placed(stack.path) as TcpIp;
  }

  /** Said in `begin`: one call, with what the stack does for it. */
  spend(call: SocketCall, bytes = 0): void {
    const { cpus } = this.place.machine;
    const before = cpus.enter(this.id);
    cpus.spend(this.fn[call], -1, bytes);
    cpus.enter(before);
    if (call === "send") this.sockets.spendSend(bytes);
    else if (call === "receive") this.sockets.spendReceive(bytes);
    else if (call === "sendTo") this.sockets.datagrams.spendSend(bytes);
    else if (call === "receiveFrom") this.sockets.datagrams.spendReceive(bytes);
    else if (call === "listen" || call === "bind") this.sockets.spendBind();
  }

  fire(): void {}

  describe(): [] {
    return [];
  }
}
