import assert from "node:assert/strict";
import { TcpIp } from "../../../engine/components/tcpip";
import type { MachineEngine } from "../../../engine/create";
import { CloseReason, type TcpTimer } from "../../../engine/network/tcp/api";
import type { TcpCore } from "../../../engine/network/tcp/core";
import { State } from "../../../engine/network/tcp/tcb";
import type { TcpStack } from "../../../engine/network/tcp/tcp";
import type { Invariant } from "./invariant";

function stacksOf({ built: { machine } }: MachineEngine): TcpStack[] {
  return [...machine.components.values()].flatMap((model) => (model instanceof TcpIp ? [model.tcp] : []));
}

/** Bytes of one stream that have arrived at a stack: all up to `whole`, and what lies beyond gaps. */
class Arrived {
  whole = 0;
  private beyond: { readonly left: number; readonly right: number }[] = [];

  add(left: number, right: number): void {
    this.beyond.push({ left, right });
    for (let next; (next = this.beyond.find((range) => range.left <= this.whole)) !== undefined;) {
      this.whole = Math.max(this.whole, next.right);
      this.beyond = this.beyond.filter((range) => range.right > this.whole);
    }
  }
}

/** How often a connection may send again without an answer. */
function attemptsOf({ options, tcb }: TcpCore, conn: number): number {
  if (tcb.state[conn]! >= State.established) return options.maxRetransmits;
  return tcb.state[conn] === State.synSent ? options.maxSynRetransmits : options.maxSynAckRetransmits;
}

/** The least time that sending so often again takes, picoseconds: the timeout is no less than its lower bound, and doubles (RFC 6298 section 5.5). */
function leastTimeFor({ options: { minRto, maxRto } }: TcpCore, attempts: number): number {
  let sum = 0;
  for (let i = 0; i <= attempts; i++) sum += Math.min(minRto * 2 ** i, maxRto);
  return sum;
}

/** Rules of what TCP promises to applications. */
export const streamInvariants: readonly Invariant[] = [
  {
    number: 34, says: "a connection survives an outage that is shorter than the time for which TCP sends again, and ends with ETIMEDOUT after it, or with what ARP has said of the neighbour: no sooner than when it has sent again as often as it may without an answer, or, as it is being opened, when the system's time for that is over, and not later",
    watch: (engine) => {
      const cores = stacksOf(engine).map((tcp) => tcp["tcp"]);
      let wrong: string | undefined;
      for (const tcp of cores) {
        const { tcb } = tcp;
        /** By connection: the first octet that is not acknowledged, and since when. */
        const unanswered: { una: number; since: number }[] = [];
        const look = (conn: number): void => {
          if (unanswered[conn]?.una !== tcb.sndUna[conn]) unanswered[conn] = { una: tcb.sndUna[conn]!, since: engine.built.machine.kernel.now };
        };
        const [arm, disarm, destroy] = [tcp.arm.bind(tcp), tcp.disarm.bind(tcp), tcp.destroy.bind(tcp)];
        tcp.arm = (conn: number, timer: TcpTimer, at: number) => {
          look(conn);
          arm(conn, timer, at);
        };
        tcp.disarm = (conn: number, timer: TcpTimer) => {
          look(conn);
          disarm(conn, timer);
        };
        tcp.destroy = (conn: number, reason: CloseReason) => {
          look(conn);
          const { idle, probes } = tcp.options.keepAlive;
          const now = engine.built.machine.kernel.now;
          const isSilent = tcb.keepAliveProbes[conn]! >= probes && now - tcb.lastReceive[conn]! >= idle;
          const time = Math.min(leastTimeFor(tcp, attemptsOf(tcp, conn)), tcb.state[conn] === State.synSent ? (tcp.options.connectTimeout ?? Infinity) : Infinity);
          const isGivenUp = reason === CloseReason.timedOut || (tcb.state[conn]! >= State.established && (reason === CloseReason.hostUnreachable || reason === CloseReason.hostDown));
          if (isGivenUp && !isSilent && now - unanswered[conn]!.since < time) wrong ??= `a connection is given up after ${now - unanswered[conn]!.since} ps, and not after ${time}`;
          destroy(conn, reason);
        };
      }
      return {
        step: () => { if (wrong !== undefined) assert.fail(wrong); },
        sample: () => {
          for (const tcp of cores) {
            const { tcb } = tcp;
            for (const conn of tcp.numbers.all()) if (tcb.live[conn] === 1) assert.ok(tcb.retransmits[conn]! <= attemptsOf(tcp, conn), `a connection has sent again ${tcb.retransmits[conn]!} times`);
          }
        },
      };
    },
  },
  {
    number: 82, says: "an application reads the bytes that the other end has written, in order and once: each has arrived intact before, and an end of the stream comes after the last",
    watch: (engine) => {
      const { packets } = engine.built.machine;
      // By stream, each of which has one writer and one reader.
      const written = new Map<number, number>();
      const read = new Map<number, number>();
      let wrong: string | undefined;
      for (const tcp of stacksOf(engine)) {
        const arrived = new Map<number, Arrived>();
        const [input, send, receive, close] = [tcp.input.bind(tcp), tcp.send.bind(tcp), tcp.receive.bind(tcp), tcp.close.bind(tcp)];
        tcp.input = (packet) => {
          const { stream, offset, length, corruption } = packets.columns;
          const [s, from, bytes] = [stream[packet]!, offset[packet]!, length[packet]!];
          if (s >= 0 && bytes > 0 && corruption[packet] === 0) {
            if (from + bytes > (written.get(s) ?? 0)) wrong ??= `bytes ${from} to ${from + bytes} of stream ${s} arrive, which nobody has written`;
            let ranges = arrived.get(s);
            if (ranges === undefined) arrived.set(s, (ranges = new Arrived()));
            ranges.add(from, from + bytes);
          }
          input(packet);
        };
        tcp.send = (conn, bytes) => {
          const s = tcp.sendStream(conn);
          const taken = send(conn, bytes);
          written.set(s, (written.get(s) ?? 0) + taken);
          return taken;
        };
        tcp.receive = (conn, max) => {
          const s = tcp.receiveStream(conn);
          const bytes = receive(conn, max);
          const end = (read.get(s) ?? 0) + bytes;
          if (end > (arrived.get(s)?.whole ?? 0)) wrong ??= `byte ${end} of stream ${s} is read, and ${arrived.get(s)?.whole ?? 0} have arrived`;
          read.set(s, end);
          return bytes;
        };
        tcp.close = (conn) => {
          const s = tcp.receiveStream(conn);
          const { tcb, numbers } = tcp["tcp"];
          if (tcb.finReceived[numbers.row(conn)] !== 0 && tcp.available(conn) === 0 && (read.get(s) ?? 0) !== (written.get(s) ?? 0)) wrong ??= `stream ${s} ends after ${read.get(s)} of ${written.get(s)} bytes`;
          close(conn);
        };
      }
      return { step: () => { if (wrong !== undefined) assert.fail(wrong); } };
    },
  },
];
