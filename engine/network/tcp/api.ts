import { linuxPorts, netbsdPorts, type DynamicPorts, type PortChoice } from "../dynamicPorts";

const MILLISECOND = 1e9;
const SECOND = 1e12;

/** What tells one system's TCP from another's. Times in picoseconds, sizes in bytes. */
export interface TcpOptions {
  /** Maximum segment size that is announced: MTU less 40. */
  readonly mss: number;
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
  /** Lower bound of the retransmission timeout (RFC 6298 section 2.4). */
  readonly minRto: number;
  /** The lower bound is one of the variance term, as in Linux' `tcp_rtt_estimator`: the timeout is a smoothed round trip longer. */
  readonly minRtoOverSrtt?: boolean;
  /** Upper bound (RFC 6298 section 2.5: at least 60 s). */
  readonly maxRto: number;
  /** The timeout before any round trip was measured, of a SYN and of a SYN,ACK (RFC 6298 section 2.1: 1 s). */
  readonly synRto: number;
  readonly synAckRto: number;
  /** Longest time that an ACK is delayed (RFC 1122 section 4.2.3.2: less than 0.5 s); 0: never delayed. */
  readonly delayedAck: number;
  /**
   * ACKs that are not delayed at the beginning and after a silence, so that the sender's window grows; until the receiver answers with data of its own
   * (Linux `tcp_incr_quickack`, `TCP_MAX_QUICKACKS`, and its "pingpong" mode). Without it: none.
   */
  readonly quickAcks?: number;
  /** When a read is answered by an ACK, and what window is too small to be offered: see `window.ts`. */
  readonly windowUpdates: "bsd" | "linux";
  readonly congestion: "newreno" | "cubic";
  /** CUBIC leaves slow start when ACKs tell that the path is full: see `hystart.ts`. With `rackTlp` only, which keeps the times of segments. */
  readonly hystart?: boolean;
  /** Segments that one ACK adds to the window in slow start at most (RFC 3465, L); without it as many as it acknowledges. */
  readonly abcLimit?: number;
  readonly nagle: boolean;
  readonly sack: boolean;
  /** Duplicates are reported in the first SACK block (RFC 2883). */
  readonly dsack?: boolean;
  /** A window that was reduced for no loss is restored: see `undo.ts`. */
  readonly undo?: boolean;
  /** Where too few segments are outstanding for three duplicate ACKs, fewer are enough (RFC 5827). Off in both systems: NetBSD has none, Linux had it for a time, with a delay. */
  readonly earlyRetransmit?: boolean;
  /** Losses are found by time as well, and the end of the data is probed (RFC 8985): see `rack.ts` and `lossProbe.ts`. With SACK only. */
  readonly rackTlp?: boolean;
  /** In recovery the window comes down to ssthresh by what ACKs tell of, not at once (RFC 6937): see `proportionalRate.ts`. With `rackTlp` only. */
  readonly proportionalRate?: boolean;
  readonly timestamps: boolean;
  /** Shift count that is offered (RFC 7323 section 2); −1: no window scaling. */
  readonly windowScale: number;
  /** Waits for a longer segment where the path cuts them and an ACK will soon allow one (Linux `tcp_tso_should_defer`). */
  readonly defersLongSegments?: boolean;
  /** What a connection may have in queues and on rings below TCP: see `smallQueues.ts`. Without it: what its window lets out. */
  readonly smallQueues?: SmallQueueOptions;
  /** A segment that the queue below drops reduces the window, and is not sent: see `localCongestion.ts`. Without it: lost, as on the way. */
  readonly localCongestion?: boolean;
  /** Segments. */
  readonly initialWindow: number;
  /** If given: not more bytes than this, but two segments in any case (RFC 3390, RFC 6928 section 2). */
  readonly initialWindowBytes?: number;
  /** Challenge ACKs a second, of all connections together (RFC 5961 section 10). */
  readonly challengeAcks: number;
  /** How long a connection that its user has closed waits for the other end's FIN. */
  readonly finWait2: number;
  /** Silence after which a connection is probed, time between probes, and how many stay unanswered before it is given up (RFC 9293 section 3.8.4). */
  readonly keepAlive: { readonly idle: number; readonly interval: number; readonly probes: number };
  /** Maximum segment lifetime; TIME_WAIT lasts twice as long. */
  readonly msl: number;
  /** Retransmissions of one segment before the connection is given up, of a SYN, and of a SYN,ACK. */
  readonly maxRetransmits: number;
  readonly maxSynRetransmits: number;
  readonly maxSynAckRetransmits: number;
  /** Time after which a connection is given up that its user opens, however often the SYN was sent. Without it, only the number counts. */
  readonly connectTimeout?: number;
  /** How a listener's queues are kept, and what happens where they are full: see `listeners.ts`. */
  readonly listeners: "netbsd" | "linux";
  /** Who hears that a neighbour does not answer: see `unreachable.ts`. */
  readonly unreachable: "netbsd" | "linux";
  /** Most connections that may wait for `accept`, whatever `listen` is asked for. */
  readonly somaxconn: number;
  /** Of connections whose user names none. */
  readonly dynamicPorts: DynamicPorts;
  readonly portChoice: PortChoice;
}

/** Linux' `tcp_limit_output_bytes`; and what it may send in a round trip, as multiples of the window, in slow start and else (`tcp_pacing_ss_ratio`, `tcp_pacing_ca_ratio`). */
export interface SmallQueueOptions {
  readonly limit: number;
  readonly slowStartPacing: number;
  readonly avoidancePacing: number;
}

/**
 * NetBSD 9's defaults: minimum RTO 1 s, delayed ACK 200 ms, MSL 30 s, 12 retransmissions (`sys/netinet/tcp_timer.h`), initial window by RFC
 * 3390 (`tcp_subr.c`, `tcp_init_win_max`), NewReno, with at most two segments an ACK in slow start (`tcp_congctl.c`, `tcp_abc_aggressive`), no RACK and no loss probes, no D-SACK, no earlier window that could be restored (`struct tcpcb`, tcp_var.h), FIN_WAIT_2 for as long as keep-alive would last (`tcp_maxidle`), 100 ACKs a second
 * in answer to what is not acceptable (`tcp_ackdrop_ppslim`); `kern.somaxconn` 128 (`SOMAXCONN`, sys/socket.h). Who opens a connection sends the SYN again after 6 s
 * (`TCP_REXMTVAL` of the `t_rttvar` that `tcp_tcpcb_template` begins with, tcp_subr.c), 12 and 24, and gives up after 75 s (`TCPTV_KEEP_INIT`). A SYN,ACK goes again after
 * 3 s (`TCPTV_SRTTDFLT`), 6, 12 and 24; when 48 more are over, 75 s have passed, and it is given up (`SYN_CACHE_TIMER_ARM`, `syn_cache_timer`). Socket buffers begin at 32 KiB and grow by themselves to 256 KiB (`tcp_input.c`,
 * `tcp_autorcvbuf_max`); here they have that size from the start.
 */
export const netbsdTcp: TcpOptions = {
  mss: 1460, sendBuffer: 262144, receiveBuffer: 262144, minRto: SECOND, maxRto: 64 * SECOND, synRto: 6 * SECOND, synAckRto: 3 * SECOND, delayedAck: 200 * MILLISECOND, windowUpdates: "bsd",
  congestion: "newreno", abcLimit: 2, nagle: true, sack: true, timestamps: true, windowScale: 3, initialWindow: 4, initialWindowBytes: 4380, msl: 30 * SECOND, maxRetransmits: 12,
  maxSynRetransmits: 12, maxSynAckRetransmits: 4, connectTimeout: 75 * SECOND, listeners: "netbsd", unreachable: "netbsd", somaxconn: 128, dynamicPorts: netbsdPorts, portChoice: "downwards", challengeAcks: 100, finWait2: 600 * SECOND, keepAlive: { idle: 7200 * SECOND, interval: 75 * SECOND, probes: 8 },
};

/** A rump kernel's: NetBSD's, but for its ports. */
export const rumpTcp: TcpOptions = { ...netbsdTcp, portChoice: "random" };

/**
 * Linux's (`include/net/tcp.h`, `tcp_ipv4.c`: D-SACK, windows that are restored, RACK and loss probes (`sysctl_tcp_recovery`,
 * `sysctl_tcp_early_retrans`: on), 6 retransmissions of a SYN and 5 of a SYN,ACK (`TCP_SYN_RETRIES`, `TCP_SYNACK_RETRIES`), 1 s after the first (`TCP_TIMEOUT_INIT`), FIN_WAIT_2 60 s, 1000 challenge ACKs a second; releases of 2013 to 2018): minimum RTO 200 ms, delayed
 * ACK 40 ms, CUBIC with HyStart (`net/ipv4/tcp_cubic.c`), a slow start without a limit on what one ACK adds (`tcp_slow_start`), ten segments at first,
 * TIME_WAIT 60 s, 15 retransmissions (`include/net/tcp.h`). Buffers grow by themselves to 4 MiB and 6 MiB (`net/ipv4/tcp.c`); here the send
 * buffer has that size from the start, the receive buffer 1 MiB. `net.core.somaxconn` is 128 (`SOMAXCONN`, include/linux/socket.h): LibrettOS'
 * testbed has Linux 4.13; from 5.4 on it is 4096.
 *
 * In recovery its window comes down by proportional rate reduction (`tcp_cwnd_reduction`, net/ipv4/tcp_input.c). Its small queues are those of 4.13: 256 KiB
 * (`sysctl_tcp_limit_output_bytes`, net/ipv4/tcp_output.c), a millisecond of 200 % or 120 % of the window in a round trip (net/ipv4/tcp_input.c).
 */
export const linuxTcp: TcpOptions = {
  mss: 1460, sendBuffer: 4194304, receiveBuffer: 1048576, minRto: 200 * MILLISECOND, minRtoOverSrtt: true, maxRto: 120 * SECOND, synRto: SECOND, synAckRto: SECOND, delayedAck: 40 * MILLISECOND, quickAcks: 16, windowUpdates: "linux",
  congestion: "cubic", hystart: true, nagle: true, sack: true, timestamps: true, windowScale: 7, defersLongSegments: true, initialWindow: 10, msl: 30 * SECOND, maxRetransmits: 15,
  smallQueues: { limit: 262144, slowStartPacing: 2, avoidancePacing: 1.2 }, localCongestion: true,
  dsack: true, undo: true, rackTlp: true, proportionalRate: true, maxSynRetransmits: 6, maxSynAckRetransmits: 5, listeners: "linux", unreachable: "linux", somaxconn: 128, dynamicPorts: linuxPorts, portChoice: "upwards", challengeAcks: 1000, finWait2: 60 * SECOND,
  keepAlive: { idle: 7200 * SECOND, interval: 75 * SECOND, probes: 9 },
};

/**
 * The same options as an object of one shape, whatever they were put together from: what reads them is most of TCP, and V8 compiled it anew
 * for each shape that it met.
 */
export function ofOneShape(o: TcpOptions): { readonly [K in keyof Required<TcpOptions>]: TcpOptions[K] } {
  const { idle, interval, probes } = o.keepAlive;
  return {
    mss: o.mss, sendBuffer: o.sendBuffer, receiveBuffer: o.receiveBuffer, minRto: o.minRto, minRtoOverSrtt: o.minRtoOverSrtt, maxRto: o.maxRto, synRto: o.synRto, synAckRto: o.synAckRto, delayedAck: o.delayedAck,
    quickAcks: o.quickAcks, windowUpdates: o.windowUpdates, congestion: o.congestion, hystart: o.hystart, abcLimit: o.abcLimit, nagle: o.nagle, sack: o.sack, dsack: o.dsack, undo: o.undo, earlyRetransmit: o.earlyRetransmit, rackTlp: o.rackTlp, proportionalRate: o.proportionalRate, timestamps: o.timestamps,
    windowScale: o.windowScale, defersLongSegments: o.defersLongSegments, smallQueues: o.smallQueues, localCongestion: o.localCongestion, initialWindow: o.initialWindow, initialWindowBytes: o.initialWindowBytes,
    challengeAcks: o.challengeAcks, finWait2: o.finWait2, keepAlive: { idle, interval, probes }, msl: o.msl, maxRetransmits: o.maxRetransmits, maxSynRetransmits: o.maxSynRetransmits, maxSynAckRetransmits: o.maxSynAckRetransmits, connectTimeout: o.connectTimeout,
    listeners: o.listeners, unreachable: o.unreachable, somaxconn: o.somaxconn, dynamicPorts: o.dynamicPorts, portChoice: o.portChoice,
  };
}

export const TcpTimer = {
  /** Retransmission, of SYN and FIN too. */
  retransmit: 0,
  /** Zero-window probe. */
  persist: 1,
  delayedAck: 2,
  /** 2 MSL; in FIN_WAIT_2, the wait for the other end's FIN. */
  timeWait: 3,
  /** Of a connection that is being opened, `connectTimeout`. */
  keepAlive: 4,
} as const;
export type TcpTimer = (typeof TcpTimer)[keyof typeof TcpTimer];

export const CloseReason = {
  /** Both directions were closed in order. */
  normal: 0,
  /** The peer reset the connection. */
  reset: 1,
  /** The peer answered the SYN with a reset. */
  refused: 2,
  /** Retransmissions were given up. */
  timedOut: 3,
  /** `abort` was called. */
  aborted: 4,
  /** The neighbour does not answer ARP (EHOSTUNREACH, EHOSTDOWN): see `unreachable.ts`. */
  hostUnreachable: 5,
  hostDown: 6,
} as const;
export type CloseReason = (typeof CloseReason)[keyof typeof CloseReason];

/** Why a segment is thrown away, or all of the data in it. */
export type Discard =
  | "corrupted"
  /** For no connection, and nobody listens; or a listener is there, and it is no SYN. */
  | "noConnection" | "notOpening"
  /** A SYN, or the ACK that ends a handshake, for which the accept queue has no room. */
  | "listenOverflow" | "acceptOverflow"
  /** Not what the state waits for. */
  | "notSynSent" | "notSynReceived"
  | "badAck" | "noAck" | "badReset" | "synInConnection"
  /** By timestamps (RFC 7323 section 5). */
  | "noTimestamp" | "oldTimestamp"
  /** Nothing in it is new: the user has it, or it is kept beyond a gap. */
  | "duplicate" | "heldBefore"
  | "beyondWindow" | "windowClosed"
  /** Data for a user who has closed; or after the other end's FIN. */
  | "afterClose" | "afterFin";

/** No connection: `wantOutput` says with it that `nextReset` has a packet. */
export const NO_CONNECTION = -1;

/** What a stack asks of the queues and rings below it. */
export interface QueuesBelow {
  /** Whether the stack will be told of each segment with data that is freed: `TcpStack.freed`. */
  tellsOfSent(): boolean;
  /** Whether a packet that goes out now is dropped, as the queue that it would wait in is full. */
  isFull(packet: number): boolean;
  /** A connection waits until segments of it are freed. */
  hasten(): void;
  /** One was freed: `TcpStack.resume` is to be called. */
  resume(conn: number): void;
}

/**
 * What a stack asks of its surroundings, synchronously, from inside `input`, `timeout`, `output` and the user's calls. An implementation
 * notes the request and acts later: it must not call the stack back from inside.
 */
export interface TcpEnv {
  /** Picoseconds. */
  now(): number;
  /** The row of the trace that what is done now goes back to. */
  cause(): number;
  /** A segment is thrown away, or all of the data in it. What is done about it, a reset or an ACK, is asked for besides. */
  discarded(packet: number, why: Discard): void;
  /** u32, for initial sequence numbers. */
  random(): number;
  /** One of the dynamic ports at random, counted from 0. @param ports how many there are */
  randomPort(ports: number): number;
  /** Largest TCP payload that the path cuts into segments by itself (TSO), bytes; 0: every segment must fit a frame. */
  largestSegment(): number;
  /** (Re)arms; one outstanding per connection and timer. @param at picoseconds, absolute */
  arm(conn: number, timer: TcpTimer, at: number): void;
  /** Also called when the timer is not armed. */
  disarm(conn: number, timer: TcpTimer): void;
  /**
   * `output(conn)` has a segment (data, ACK, FIN, probe); {@link NO_CONNECTION}: `nextReset` has one. May be called many times.
   * @param cause the row that asked for the segment: where it is not {@link cause}, what is done now only let it go
   */
  wantOutput(conn: number, cause: number): void;
  /** What came can only be an answer to what was sent: the other end is where it was thought to be (Linux `sk_dst_confirm`, in `tcp_ack`). */
  answered(remoteIp: number): void;
  /** Where there is none, nothing is known of what is below. */
  readonly below?: QueuesBelow;
  /** New bytes in order, or the end of the stream. */
  readable(conn: number): void;
  /** Room in the send buffer. */
  writable(conn: number): void;
  /** An active open completed. */
  established(conn: number): void;
  /** A passive open completed: `accept(port)` will return the connection. */
  accepted(conn: number, port: number): void;
  /**
   * The connection is gone. Where the user had closed it, its number is free for reuse from now; else `close` or `abort` must still
   * be called, as on a socket, to give the number back.
   */
  closed(conn: number, reason: CloseReason): void;
}
