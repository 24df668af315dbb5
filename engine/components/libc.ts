import type { PlacedModel, Placement, System } from "../machine/machine";
import type { KernelSystem } from "../scheduling/crossing";
import { NONE } from "../trace/trace";
import { distance, spendInKernel, type Distance } from "./across";
import { StackPart } from "./stackLocks";
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

/** The calls by number, in the order of their names above: a look-up by name for each call took as long as a row. */
export const SocketCall = { send: 0, receive: 1, sendTo: 2, receiveFrom: 3, bind: 4, wait: 5, accept: 6, connect: 7, listen: 8, close: 9 } as const satisfies Record<keyof (typeof functionsOf)["rump"], number>;
export type SocketCall = (typeof SocketCall)[keyof typeof SocketCall];

/**
 * By call: whether its handler is at the socket all the while, under the lock of that (`solock`, `lock_sock`), unless a function of the stack is so in its
 * place; `send` and the like are in the stack's functions only.
 */
const atSocket: readonly boolean[] = [false, false, false, false, true, false, true, true, true, true];

/** Functions by call. */
function byCall(functions: Readonly<Record<keyof typeof SocketCall, number>>): readonly number[] {
  return (Object.keys(SocketCall) as (keyof typeof SocketCall)[]).map((call) => functions[call]);
}

/** The library's side of calls that leave the process. */
const stubsOf = {
  rump: {
    send: { name: "sendto", file: "lib/libc/sys/Makefile.inc", kind: "libc", a: "bytes" },
    receive: { name: "recvfrom", file: "lib/libc/sys/Makefile.inc", kind: "libc", a: "bytes" },
    sendTo: { name: "sendto", file: "lib/libc/sys/Makefile.inc", kind: "libc", a: "bytes" },
    receiveFrom: { name: "recvfrom", file: "lib/libc/sys/Makefile.inc", kind: "libc", a: "bytes" },
    bind: { name: "bind", file: "lib/libc/sys/Makefile.inc", kind: "libc" },
    wait: { name: "kevent", file: "lib/libc/sys/Makefile.inc", kind: "libc" },
    accept: { name: "accept", file: "lib/libc/sys/Makefile.inc", kind: "libc" },
    connect: { name: "connect", file: "lib/libc/sys/Makefile.inc", kind: "libc" },
    listen: { name: "listen", file: "lib/libc/sys/Makefile.inc", kind: "libc" },
    close: { name: "close", file: "lib/libc/sys/Makefile.inc", kind: "libc" },
  },
  linux: {
    send: { name: "sendto", file: "sysdeps/unix/sysv/linux/sendto.c", kind: "libc", a: "bytes" },
    receive: { name: "recvfrom", file: "sysdeps/unix/sysv/linux/recvfrom.c", kind: "libc", a: "bytes" },
    sendTo: { name: "sendto", file: "sysdeps/unix/sysv/linux/sendto.c", kind: "libc", a: "bytes" },
    receiveFrom: { name: "recvfrom", file: "sysdeps/unix/sysv/linux/recvfrom.c", kind: "libc", a: "bytes" },
    bind: { name: "bind", file: "sysdeps/unix/sysv/linux/bind.c", kind: "libc" },
    wait: { name: "epoll_wait", file: "sysdeps/unix/sysv/linux/epoll_wait.c", kind: "libc" },
    accept: { name: "accept", file: "sysdeps/unix/sysv/linux/accept.c", kind: "libc" },
    connect: { name: "connect", file: "sysdeps/unix/sysv/linux/connect.c", kind: "libc" },
    listen: { name: "listen", file: "sysdeps/unix/sysv/linux/listen.c", kind: "libc" },
    close: { name: "close", file: "sysdeps/unix/sysv/linux/close.c", kind: "libc" },
  },
} as const satisfies Record<System, unknown>;

/** What the kernel, or the server, does for such a call before its stack does the rest. */
const handlersOf = {
  linux: functionsOf.linux,
  netbsd: {
    send: { name: "sys_sendto", file: "sys/kern/uipc_syscalls.c", kind: "socket", a: "bytes" },
    receive: { name: "sys_recvfrom", file: "sys/kern/uipc_syscalls.c", kind: "socket", a: "bytes" },
    sendTo: { name: "sys_sendto", file: "sys/kern/uipc_syscalls.c", kind: "socket", a: "bytes" },
    receiveFrom: { name: "sys_recvfrom", file: "sys/kern/uipc_syscalls.c", kind: "socket", a: "bytes" },
    bind: { name: "sys_bind", file: "sys/kern/uipc_syscalls.c", kind: "socket" },
    wait: { name: "sys___kevent50", file: "sys/kern/kern_event.c", kind: "socket" },
    accept: { name: "sys_accept", file: "sys/kern/uipc_syscalls.c", kind: "socket" },
    connect: { name: "sys_connect", file: "sys/kern/uipc_syscalls.c", kind: "socket" },
    listen: { name: "sys_listen", file: "sys/kern/uipc_syscalls.c", kind: "socket" },
    close: { name: "sys_close", file: "sys/kern/sys_descrip.c", kind: "socket" },
  },
  minix: {
    send: { name: "do_sendto", file: "minix/lib/libsockdriver/sockdriver.c", kind: "socket", a: "bytes" },
    receive: { name: "do_recvfrom", file: "minix/lib/libsockdriver/sockdriver.c", kind: "socket", a: "bytes" },
    sendTo: { name: "do_sendto", file: "minix/lib/libsockdriver/sockdriver.c", kind: "socket", a: "bytes" },
    receiveFrom: { name: "do_recvfrom", file: "minix/lib/libsockdriver/sockdriver.c", kind: "socket", a: "bytes" },
    bind: { name: "do_bind", file: "minix/lib/libsockdriver/sockdriver.c", kind: "socket" },
    wait: { name: "do_select", file: "minix/lib/libsockdriver/sockdriver.c", kind: "socket" },
    accept: { name: "do_accept", file: "minix/lib/libsockdriver/sockdriver.c", kind: "socket" },
    connect: { name: "do_connect", file: "minix/lib/libsockdriver/sockdriver.c", kind: "socket" },
    listen: { name: "do_listen", file: "minix/lib/libsockdriver/sockdriver.c", kind: "socket" },
    close: { name: "do_close", file: "minix/lib/libsockdriver/sockdriver.c", kind: "socket" },
  },
} as const satisfies Record<KernelSystem, unknown>;

/**
 * The C library's socket calls. Where the stack is in the same domain, as in a library OS, they are plain function calls
 * (LibrettOS 2.2: "substitute system calls with ordinary function calls from libc"); where it is in the kernel below,
 * system calls; where it is in another process, messages, whose data the server fetches.
 */
export class Libc implements PlacedModel {
  readonly id: number;
  private readonly cpus;
  sockets!: TcpIp;
  private fn!: readonly number[];
  /** By call: the stack's function that is at the socket, where the rest of the call is not; −1: there is none. */
  private inside: readonly number[] = [];
  /** What the other side does first; undefined: there is none. */
  private handler: readonly number[] | undefined = undefined;
  private towards: Distance = "same";
  /** The kernel's copy of data between processes. */
  private copy = -1;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    this.cpus = machine.cpus;
    this.id = machine.kernel.component(spec.path, spec.type, domain.host, domain.path, this);
  }

  connect(): void {
    const { machine, domain, spec } = this.place;
    const path = spec.below ?? domain.components.find((c) => c.type === "tcpip")?.path;
    if (path === undefined) throw new Error(`${spec.path} has no TCP/IP stack to call.`);
    this.sockets = machine.placed(path) as TcpIp;
    const { underLock } = this.sockets.calls;
    const inside: Partial<Record<SocketCall, number>> = underLock === undefined ? {} : { [SocketCall.wait]: underLock.wait, [SocketCall.accept]: underLock.accept, [SocketCall.close]: underLock.close };
    this.inside = Object.values(SocketCall).map((call) => inside[call] ?? NONE);
    this.towards = distance(machine, this.id, this.sockets.id);
    if (this.towards === "same" || domain.kernel === undefined) {
      this.fn = byCall(machine.kernel.functions(functionsOf[domain.system]));
      return;
    }
    this.fn = byCall(machine.kernel.functions(stubsOf[domain.system]));
    this.handler = byCall(machine.kernel.functions(handlersOf[domain.kernel.system]));
    this.copy = machine.cpus.crossings.functionsOf(domain.id).copy;
  }

  /** Whether who calls can wait in the call: the thread of a stack in another process has others to serve. */
  get mayWait(): boolean {
    return this.towards !== "process";
  }

  /** Said in `begin`: one call, with what the stack does for it. @param conn the connection that it is about; −1: none */
  spend(call: SocketCall, bytes = 0, conn = -1): void {
    const { cpus } = this;
    const before = cpus.enter(this.id);
    const { calls } = this.sockets;
    const inside = this.inside[call]!;
    const locks = inside === NONE && atSocket[call]!;
    if (locks && this.handler === undefined) calls.at(StackPart.call, conn);
    cpus.spend(this.fn[call]!, -1, bytes);
    if (this.handler !== undefined) {
      cpus.enter(this.sockets.id);
      if (locks) calls.at(StackPart.call, conn);
      cpus.spend(this.handler[call]!, -1, bytes);
      // The time a byte takes is in the stack's own copy, which this one is instead of.
      if (this.towards === "process" && bytes > 0 && (call !== SocketCall.sendTo || this.sockets.datagrams.takes(bytes))) spendInKernel(this.place.machine, this.sockets.id, this.copy, -1);
    }
    cpus.enter(before);
    if (locks) calls.leave();
    if (inside !== NONE) calls.spendPart(call === SocketCall.wait ? StackPart.filter : StackPart.call, inside, conn);
    else if (call === SocketCall.send) calls.spendSend(bytes, conn);
    else if (call === SocketCall.receive) calls.spendReceive(bytes, conn);
    else if (call === SocketCall.sendTo) this.sockets.datagrams.spendSend(bytes);
    else if (call === SocketCall.receiveFrom) this.sockets.datagrams.spendReceive(bytes);
    else if (call === SocketCall.listen || call === SocketCall.bind || call === SocketCall.connect) this.sockets.spendBind();
  }

  fire(): void {}

  describe(): [] {
    return [];
  }
}
