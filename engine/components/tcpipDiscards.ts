import type { FunctionSource } from "../kernel/kernel";
import type { System } from "../machine/machine";
import type { Discard } from "../network/tcp/tcp";

/**
 * Why TCP throws a segment away, or all of the data in it, by what each system calls it: in brackets the counter that it adds to, where it has one (NetBSD's
 * `struct tcpstat`, tcp_var.h, as `netstat -s` shows it; Linux' `TcpExt`, include/uapi/linux/snmp.h, as `nstat` does).
 */
const names = {
  rump: {
    corrupted: "bad TCP checksum",
    noConnection: "no connection (tcps_noport)",
    notOpening: "no SYN for it (tcps_badsyn)",
    listenOverflow: "accept queue full, SYN",
    acceptOverflow: "accept queue full, ACK (tcps_sc_aborted)",
    notSynSent: "unacceptable in SYN_SENT",
    notSynReceived: "unacceptable in SYN_RECEIVED",
    badAck: "unacceptable ACK",
    noAck: "no ACK",
    badReset: "reset with another sequence number",
    synInConnection: "SYN in a connection",
    noTimestamp: "timestamp missing",
    oldTimestamp: "old timestamp (tcps_pawsdrop)",
    duplicate: "received before (tcps_rcvduppack)",
    heldBefore: "received before (tcps_rcvduppack)",
    beyondWindow: "beyond the window (tcps_rcvpackafterwin)",
    windowClosed: "window closed (tcps_rcvwinprobe)",
    afterClose: "after the user has closed (tcps_rcvafterclose)",
    afterFin: "after the FIN",
  },
  linux: {
    corrupted: "bad TCP checksum",
    noConnection: "no connection",
    notOpening: "no SYN for it",
    listenOverflow: "accept queue full, SYN (ListenOverflows)",
    acceptOverflow: "accept queue full, ACK (ListenOverflows)",
    notSynSent: "unacceptable in SYN_SENT",
    notSynReceived: "unacceptable in SYN_RECEIVED",
    badAck: "unacceptable ACK",
    noAck: "no ACK",
    badReset: "reset with another sequence number",
    synInConnection: "SYN in a connection (TCPSYNChallenge)",
    noTimestamp: "timestamp missing",
    oldTimestamp: "old timestamp (PAWSEstab)",
    duplicate: "received before (DelayedACKLost)",
    heldBefore: "received before (TCPOFOMerge)",
    beyondWindow: "beyond the window",
    windowClosed: "window closed",
    afterClose: "after the user has closed (TCPAbortOnData)",
    afterFin: "after the FIN",
  },
} as const satisfies Record<System, Record<Discard, string>>;

/** The rows by which a stack says that it has thrown a segment away. */
export function discardFunctions(system: System): Readonly<Record<Discard, FunctionSource>> {
  const row = (why: Discard): FunctionSource => ({ name: names[system][why], kind: "drop" });
  return {
    corrupted: row("corrupted"), noConnection: row("noConnection"), notOpening: row("notOpening"), listenOverflow: row("listenOverflow"),
    acceptOverflow: row("acceptOverflow"), notSynSent: row("notSynSent"), notSynReceived: row("notSynReceived"), badAck: row("badAck"), noAck: row("noAck"),
    badReset: row("badReset"), synInConnection: row("synInConnection"), noTimestamp: row("noTimestamp"), oldTimestamp: row("oldTimestamp"),
    duplicate: row("duplicate"), heldBefore: row("heldBefore"), beyondWindow: row("beyondWindow"), windowClosed: row("windowClosed"),
    afterClose: row("afterClose"), afterFin: row("afterFin"),
  };
}
