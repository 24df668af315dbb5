import type { Machine } from "../machine/machine";
import { ETHERNET_HEADER, IPV4_HEADER, TCP_HEADER, TcpFlag } from "../network/headers";
import { RateLimit } from "../network/rateLimit";
import { answerTo } from "../network/tcp/resets";
import { NONE } from "../trace/trace";
import { datagramFunctions, ERROR_FRAME, errorLimit } from "./datagrams";
import type { NetworkInterface } from "./interface";
import type { ServerInbound } from "./serverInbound";
import { discardFunctions } from "./tcpipDiscards";
import { stackFunctions } from "./tcpipFunctions";

/** Ops of the network server's component that are its own stack's. */
export const ServerStackOp = { take: 10, refuse: 11 } as const;

/** Resets a second, of segments for ports that nobody has: NetBSD's `tcp_rst_ppslim` (sys/netinet/tcp_input.c, `dropwithreset_ratelim`). */
const RESETS = 100;
/** A frame with a reset that belongs to no connection. */
const RESET_FRAME = ETHERNET_HEADER + IPV4_HEADER + TCP_HEADER;

/**
 * The network server's own stack, which gets what is for a port that no application owns: for it `backend_receive` returns BMK_ENOENT, and the frame goes on
 * from the driver into the stack that has the interface and its addresses (`backend.c`). Nothing listens there, so that it answers a segment by a reset
 * (RFC 9293 section 3.10.7.1), and a datagram by "port unreachable" (RFC 1122 section 4.1.3.1); to a reset and to an ICMP error it says nothing.
 */
export class ServerStack {
  private readonly fn;
  private readonly errors: RateLimit;
  private readonly resets: RateLimit;

  /** @param softint thread of what the driver has received @param inbound the way that what it takes has come, and what it says goes */
  constructor(
    private readonly machine: Machine, private readonly component: number, path: string, private readonly softint: number,
    private readonly wire: NetworkInterface, private readonly inbound: Pick<ServerInbound, "drop" | "transmit">,
  ) {
    const { etherInput, ipInput, checksum, tcpInput, tcpOutput, ipOutput, etherOutput } = stackFunctions.rump;
    const { udpInput, icmpInput, icmpError } = datagramFunctions.rump;
    this.fn = machine.kernel.functions({
      etherInput, ipInput, checksum, tcpInput, udpInput, icmpInput, tcpOutput, icmpError, ipOutput, etherOutput,
      badHeader: { name: "bad IP header checksum", kind: "drop" },
      badSegment: discardFunctions("rump").corrupted,
    });
    this.errors = new RateLimit(machine.kernel.store, `ICMP errors of ${path}`, errorLimit.rump);
    this.resets = new RateLimit(machine.kernel.store, `resets of ${path}`, RESETS);
  }

  begin(op: number, packet: number): void {
    const { machine: { cpus, packets }, fn, wire } = this;
    const isTcp = packets.isTcp(packet);
    if (op === ServerStackOp.take) {
      cpus.spend(fn.etherInput, packet);
      cpus.spend(fn.ipInput, packet);
      if (!wire.offloads.checksum) cpus.spend(fn.checksum, packet, packets.frameLength(packet));
      return cpus.spend(isTcp ? fn.tcpInput : packets.isIcmp(packet) ? fn.icmpInput : fn.udpInput, packet, packets.payloadLength(packet));
    }
    const bytes = isTcp ? RESET_FRAME : ERROR_FRAME;
    if (isTcp) cpus.spend(fn.tcpOutput);
    else cpus.spend(fn.icmpError, packet);
    cpus.spend(fn.ipOutput);
    cpus.spend(fn.etherOutput);
    if (!wire.offloads.checksum) cpus.spend(fn.checksum, NONE, bytes);
    wire.spendTransmit(NONE, bytes);
  }

  end(op: number, packet: number, port: number): void {
    if (op === ServerStackOp.take) this.take(packet, port);
    else this.refuse(packet);
  }

  private take(packet: number, port: number): void {
    const { machine: { cpus, packets }, fn, inbound } = this;
    if (packets.isHeaderCorrupted(packet)) return this.drop(fn.badHeader, packet);
    if (packets.isCorrupted(packet)) return packets.isTcp(packet) ? this.drop(fn.badSegment, packet) : inbound.drop("bad UDP or ICMP checksum", packet);
    inbound.drop("no owner of the port", packet, port);
    if (this.isAnswered(packet)) cpus.call(this.softint, this.component, ServerStackOp.refuse, packet);
  }

  private isAnswered(packet: number): boolean {
    const { kernel, packets } = this.machine;
    if (packets.isTcp(packet)) return this.resets.allows(kernel.now) && (packets.flags(packet) & TcpFlag.rst) === 0;
    return packets.isUdp(packet) && this.errors.allows(kernel.now);
  }

  private refuse(packet: number): void {
    const { packets } = this.machine;
    this.inbound.transmit(packets.isTcp(packet) ? this.resetTo(packet) : packets.createPortUnreachable(packet, packets.id(packet)), packets.sourceMac(packet));
  }

  private resetTo(packet: number): number {
    const { packets } = this.machine;
    const { sequence, acknowledgement, flags, stream } = answerTo(packets, packet);
    return packets.createTcp(
      packets.destinationIp(packet), packets.sourceIp(packet), packets.destinationPort(packet), packets.sourcePort(packet),
      sequence, acknowledgement, flags, 0, stream, 0, 0, packets.id(packet),
    );
  }

  private drop(fn: number, packet: number): void {
    const { kernel, cpus } = this.machine;
    kernel.mark(fn, this.component, cpus.contextOf(this.softint), kernel.now, 0, packet);
  }
}
