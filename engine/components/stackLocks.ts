import type { DomainPlace, Locking, Machine } from "../machine/machine";
import { kernelLock, rumpSoftnetLock, socketLock, softnetLock, type LockClass } from "../scheduling/lockClasses";
import { NONE } from "../trace/trace";

/**
 * Parts of a network stack, as far as locks are concerned. They are numbers: a property of a name that changes from call to call took a hundredth of all time
 * to look up.
 */
export const StackPart = {
  /** What a socket call does at the socket, its copy of the data, and how waiting for events finds out whether there is one. */
  call: 0, copy: 1, filter: 2,
  /** A segment or datagram on its way out, up to IP, and from there to the adapter. */
  output: 3, link: 4,
  /** All of that for a segment which a soft interrupt sends: an answer to one that came, or what a timer sends. */
  answer: 5,
  /** A frame on its way in, at Ethernet, IP, and TCP, UDP or ICMP. */
  ether: 6, ip: 7, transport: 8,
  timer: 9, arp: 10,
  /** The driver's interrupt, and the soft interrupt that it leads to. */
  driver: 11,
} as const;
export type StackPart = (typeof StackPart)[keyof typeof StackPart];

const free: readonly LockClass[] = [];
const softnet = [softnetLock];
const both = [softnetLock, kernelLock];
const giant = [kernelLock];
const library = [rumpSoftnetLock];
const socket = [socketLock];

/**
 * Which locks each part runs under, the one that is taken first first.
 *
 * NetBSD 8: `solock` is softnet_lock for TCP and UDP. `sosend` and `soreceive` (`sys/kern/uipc_socket.c`) take it to look at the buffer, let it go around
 * `uiomove`, and take it again for the protocol; mbufs are allocated without it. They do so for each cluster of 2 KB, here for each call: with Nginx' answers of 8 KB
 * the four turns cost NetBSD 2 % of its requests, and LibrettOS 1 %, and one of 128 KB would take 64 dispatches more. `do_sys_accept`
 * (`uipc_syscalls.c`) has its descriptor (`fd_allocfile`) before it takes the lock, and `fd_close` (`kern_descrip.c`) gives its own back before `soclose` does.
 * `kqueue_scan` (`kern_event.c`) has KERNEL_LOCK for each event that it finds, and the filter, `filt_soread`, takes the other one under it. Here it takes them
 * as all others do, that one second: who sleeps for softnet_lock has let KERNEL_LOCK go. The lock of the queue of
 * events itself (`kq_lock`) is held for no longer than a list takes, and is left out.
 * Without NET_MPSAFE, `ipintr` and `arpintr` take both (SOFTNET_KERNEL_LOCK_UNLESS_NET_MPSAFE, `sys/net/if.h`), `if_output_lock` takes KERNEL_LOCK,
 * and so do interrupts and soft interrupts that are not marked as safe (`intr_biglock_wrapper`, `softint_execute`), such as ixgbe's. With it, IP
 * and the driver need none, `tcp_input` and `udp_input` are wrapped in softnet_lock (PR_WRAP_INPUT, `sys/netinet/in_proto.c`), and
 * TCP's timers still take both (`sys/netinet/tcp_timer.c`), as does `tcp_input` for what it sends (`tcp_input.c`).
 * LibrettOS' library is built with NET_MPSAFE (LibrettOS, section 5). What takes KERNEL_LOCK there, a mutex too (`rumpkern/klock.c`), has softnet_lock, so
 * that nobody finds it held.
 *
 * Linux 4.13: `tcp_sendmsg`, `tcp_recvmsg` and `tcp_close` own the socket all the while (`lock_sock`, `net/ipv4/tcp.c`). Here each segment of a
 * call takes it anew, as if `sk_stream_wait_memory` came in between. The locks of transmit queues are left out, which nobody waits for as long as it takes
 * to send: of two CPUs at the same queue (there are fewer than CPUs, or frames keep to it) the second puts its frame into the queueing discipline, and the first
 * sends that too (`qdisc_run_begin` in `__dev_xmit_skb`, `net/core/dev.c`). Here each goes through the driver with its own, at the same time. NetBSD's second leaves
 * its frame in the ring's queue to a soft interrupt (`IXGBE_TX_TRYLOCK` in `ixgbe_mq_start`), if none of the locks above has kept it from coming.
 */
const locksOf: Readonly<Record<StackPart, Readonly<Record<Locking, readonly LockClass[]>>>> = {
  [StackPart.call]: { netbsd: softnet, "netbsd with NET_MPSAFE": softnet, rump: library, linux: socket },
  [StackPart.copy]: { netbsd: free, "netbsd with NET_MPSAFE": free, rump: free, linux: socket },
  [StackPart.filter]: { netbsd: both, "netbsd with NET_MPSAFE": both, rump: library, linux: free },
  [StackPart.output]: { netbsd: softnet, "netbsd with NET_MPSAFE": softnet, rump: library, linux: socket },
  [StackPart.link]: { netbsd: both, "netbsd with NET_MPSAFE": softnet, rump: library, linux: socket },
  [StackPart.answer]: { netbsd: both, "netbsd with NET_MPSAFE": both, rump: library, linux: free },
  [StackPart.ether]: { netbsd: giant, "netbsd with NET_MPSAFE": free, rump: free, linux: free },
  [StackPart.ip]: { netbsd: both, "netbsd with NET_MPSAFE": free, rump: free, linux: free },
  [StackPart.transport]: { netbsd: both, "netbsd with NET_MPSAFE": softnet, rump: library, linux: socket },
  [StackPart.timer]: { netbsd: both, "netbsd with NET_MPSAFE": both, rump: library, linux: socket },
  [StackPart.arp]: { netbsd: both, "netbsd with NET_MPSAFE": free, rump: free, linux: free },
  [StackPart.driver]: { netbsd: giant, "netbsd with NET_MPSAFE": free, rump: free, linux: free },
};

interface Taken {
  readonly ofSocket: boolean;
  readonly first: number;
  readonly second: number;
}

/** The locks of one domain's network stack: which of them what is spent is under. Where nobody could hold one, there are none. */
export class StackLocks {
  /** By {@link StackPart}, whose numbers are in order. */
  private readonly parts: readonly Taken[] | undefined;
  /** Whether each connection has a lock of its own. */
  readonly bySocket: boolean;
  /** Whether what TCP sends goes out under the lock under which it found that it has something to send. */
  readonly outputGoesOn: boolean;
  private readonly cpus;

  constructor({ cpus }: Machine, private readonly domain: DomainPlace) {
    this.cpus = cpus;
    const { locking } = domain;
    const used = locking === undefined ? [] : Object.values(locksOf).flatMap((ofPart) => ofPart[locking]).filter((cls: LockClass) => cpus.canContend(domain.id, cls));
    this.bySocket = used.includes(socketLock);
    this.outputGoesOn = used.length > 0 && !this.bySocket;
    if (locking === undefined || used.length === 0) return;
    const taken = (classes: readonly LockClass[]): Taken => {
      const [first = NONE, second = NONE] = classes.filter((cls) => cls !== socketLock && used.includes(cls)).map((cls) => this.shared(cls));
      return { ofSocket: classes.includes(socketLock), first, second };
    };
    this.parts = Object.values(StackPart).map((part) => taken(locksOf[part][locking]));
  }

  /** A lock that the domain has one of. */
  private shared(cls: LockClass): number {
    const { locks, id } = this.domain;
    let lock = locks.get(cls.name);
    if (lock === undefined) locks.set(cls.name, (lock = this.cpus.addLock(id, cls, cls.name)));
    return lock;
  }

  /** A lock of a connection's own. */
  make(): number {
    return this.cpus.locks.make(this.domain.id, socketLock);
  }

  /**
   * In `begin`: what is spent from now on is of this part.
   * @param socket lock of the socket that it is at, if that has its own
   * @param instead what a soft interrupt does if a process owns the socket
   */
  under(part: StackPart, socket: number = NONE, instead: number = NONE): void {
    if (this.parts === undefined) return;
    const { ofSocket, first, second } = this.parts[part]!;
    if (ofSocket && socket !== NONE) this.cpus.under(socket, first, instead);
    else this.cpus.under(first, second);
  }

  /** In `begin`: what is spent from now on is of none. */
  free(): void {
    if (this.parts !== undefined) this.cpus.under(NONE);
  }
}
