/** Connection states, RFC 9293 section 3.3.2. LISTEN has no transmission control block: see listeners. */
export const State = {
  closed: 0, synSent: 1, synReceived: 2, established: 3, finWait1: 4, finWait2: 5, closeWait: 6, closing: 7, lastAck: 8, timeWait: 9,
} as const;

export const STATE_NAMES: readonly string[] = [
  "CLOSED", "SYN_SENT", "SYN_RECEIVED", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK", "TIME_WAIT",
];

/** What the retransmission timer runs for. */
export const TimerFor = { timeout: 0, probe: 1, reordering: 2 } as const;
/** A tail loss probe that is not answered yet: new data, or the last segment again. */
export const ProbeOut = { none: 0, fresh: 1, again: 2 } as const;

/** Why the segment at SND.UNA is to be sent again. */
export const Resend = { none: 0, fast: 1, timeout: 2 } as const;

/**
 * The transmission control block: names as in RFC 9293 section 3.3.1 where it has one. Times in picoseconds, sizes in bytes. Stream
 * offsets count payload from 0; the SYN is at −1 and the FIN after the last byte, so that offset and sequence number move together.
 */
export const tcbSchema = {
  /** By which its stack and the user know it. */
  number: "i32",
  state: "u8",
  /** The row is in use. */
  live: "u8",
  /** The user still has the number and will give it back by `close` or `abort`. */
  held: "u8",
  /** The user closed before the handshake was over. */
  closeWanted: "u8",
  /** The user does not want Nagle's algorithm (TCP_NODELAY). */
  noDelay: "u8",
  localIp: "u32", remoteIp: "u32", localPort: "u16", remotePort: "u16",
  /** The even or odd stream that this end sends; the other end's is `stream ^ 1`. */
  stream: "i32",
  /** Row of the listener plus one while embryonic or in the accept queue; 0 otherwise. */
  listener: "i32",
  /** Next in the accept queue, or in its bucket of the SYN cache, plus one. */
  nextQueued: "i32",
  queued: "u8",
  /** Its SYN was answered with a cookie: it is in no queue, and its SYN,ACK is not sent again. */
  cookie: "u8",
  /** Bit by `TcpTimer`. */
  armed: "u8",
  dueRetransmit: "f64", duePersist: "f64", dueDelayedAck: "f64", dueTimeWait: "f64", dueKeepAlive: "f64",
  /** The user wants to know of a silent peer (SO_KEEPALIVE); probes that stay unanswered; one is to be sent. */
  keepAlive: "u8", keepAliveProbes: "u8", keepAliveNow: "u8",
  lastReceive: "f64",

  /** What the retransmission timer runs for, and when it would be a timeout. */
  timerFor: "u8", dueTimeout: "f64",

  iss: "u32", sndUna: "u32", sndNxt: "u32",
  /** Highest sequence number sent plus one; SND.NXT is below it after a timeout. */
  sndMax: "u32",
  sndWnd: "u32", sndWl1: "u32", sndWl2: "u32",
  /** Largest window ever offered (RFC 1122 section 4.2.3.4, Max(SND.WND)). */
  maxSndWnd: "u32",
  /** Window scaling was agreed on (RFC 7323 section 2.2): shifts of the peer's windows and of ours. */
  scaling: "u8", sndScale: "u8", rcvScale: "u8",
  /** Largest payload of a segment without SACK blocks: the smaller MSS less the timestamps option (RFC 6691). */
  sndMss: "u16",
  unaOffset: "f64",
  /** Bytes that the user has ever sent. */
  written: "f64",
  resend: "u8",
  /** The row that found segments lost (duplicate ACKs, a timeout): what is sent again is sent because of it. −1: none yet. */
  lossCause: "i32",
  /** A zero-window probe is to be sent. */
  probe: "u8",
  /** One byte beyond SND.MAX is on the way as a probe. */
  probed: "u8",
  persistShift: "u8",
  lastSend: "f64",

  irs: "u32", rcvNxt: "u32",
  /** Right edge of the window that was offered. */
  rcvAdv: "u32",
  lastAckSent: "u32",
  rcvOffset: "f64",
  /** Bytes that the user has read. */
  consumed: "f64",
  /** A FIN has arrived, perhaps beyond a gap, at `finSeq`. */
  finSeen: "u8", finSeq: "u32",
  /** It has been reached. */
  finReceived: "u8",
  /** Largest payload received: what "full-sized" means for the peer. */
  rcvSegment: "u16",
  /** A duplicate that the next ACK reports (RFC 2883). */
  dsack: "u8", dsackLeft: "u32", dsackRight: "u32",
  ackNow: "u8",
  ackDelayed: "u8",
  /** ACKs that are not to be delayed; when data came last. */
  quickAcks: "u8", lastData: "f64",

  timestamps: "u8", sack: "u8", tsRecent: "u32",

  srtt: "f64", rttvar: "f64", rto: "f64",
  /** A segment is being timed: it ends at `rttSeq`. */
  rttTiming: "u8", rttSeq: "u32", rttStart: "f64",
  /** Something unacknowledged before `ambiguousEnd` has been sent twice (Karn): only timestamps can measure. */
  ambiguous: "u8", ambiguousEnd: "u32",
  /** Times that the oldest segment was retransmitted by timeout. */
  retransmits: "u8",
  synRetransmitted: "u8",
  /** The close reason that a neighbour's silence will be, if it lasts; 0: none. */
  softError: "u8",

  cwnd: "f64", ssthresh: "f64",
  /** Bytes acknowledged since cwnd last grew, in congestion avoidance. */
  bytesAcked: "f64",
  /** CUBIC (RFC 9438 section 4.1): W_max, cwnd_prior, W_est, bytes; K, seconds; begin of the stage and last growth in it. */
  cubicMax: "f64", cubicPrior: "f64", cubicEstimate: "f64", cubicK: "f64", cubicEpoch: "f64", cubicLast: "f64",
  /** HyStart: smallest round trip of all and of the round, eighths of a millisecond; samples in it; its end, when it began and when its train was last seen, ms. */
  hystartDelay: "u32", hystartLeast: "u32", hystartSamples: "u8", hystartEnd: "u32", hystartRound: "f64", hystartTrain: "f64", hystartEnded: "u8",
  /** What this ACK tells of the round trip of something that was sent once; 0: nothing. */
  ackRtt: "f64",
  dupAcks: "u16", inRecovery: "u8", recover: "u32", partialAcks: "u16",
  /** RFC 6675: HighRxt plus one. */
  highRxt: "u32",
  /** The window comes down, as the queue below was full; until something beyond a number is acknowledged: see `localCongestion.ts`. */
  reducing: "u8", reducingEnd: "u32",
  /** RFC 6937: prr_delivered, prr_out and RecoverFS; what this ACK has told of segments that were sent again (`News`). */
  prrDelivered: "f64", prrOut: "f64", recoverFlight: "f64", resentNews: "u8",
  /** RACK (RFC 8985): the segment sent last of those that arrived, its round trip, the smallest one; whether an ACK moved it. */
  rackTime: "f64", rackEnd: "u32", rackRtt: "f64", minRtt: "f64", rackNews: "u8",
  /** The highest number that has arrived, and what it was before this ACK; something has arrived out of order that was sent once. */
  rackHighest: "u32", rackFurthest: "u32", reordered: "u8",
  /** A tail loss probe is to be sent; one is on the way, sent when that much was outstanding, up to a number. */
  lossProbe: "u8", probeOut: "u8", probeEnd: "u32", probeFlight: "f64",
  /** What reduced the window, if that may still be undone: see `undo.ts`. Segments sent again that the receiver has not reported as duplicates, or −1: none was. */
  reduced: "u8", undoMarker: "u32", undoRetrans: "i32", undoStamp: "u32", priorCwnd: "f64", priorSsthresh: "f64",
} as const;

export const COUNTERS = [
  "segmentsSent", "segmentsReceived", "bytesSent", "bytesReceived",
  "retransmittedByTimeout", "retransmittedFast", "retransmittedBySack", "retransmittedByProbe", "retransmittedSyn",
  "timeouts", "probes", "lossProbes", "duplicateAcks", "delayedAcks",
  "outOfOrder", "duplicates", "corrupted", "pawsDropped", "challengeAcks", "challengeAcksWithheld",
  "dsacksSent", "dsacksReceived", "undoneByDsack", "undoneByTimestamp", "slowStartsEndedByTrain", "slowStartsEndedByDelay", "keepAliveProbes",
  "localCongestions", "resetsSent", "resetsReceived", "opened", "accepted", "listenOverflows", "synCookies", "synCacheOverflows",
] as const;
export type TcpCounter = (typeof COUNTERS)[number];
