import assert from "node:assert/strict";
import { TcpIp } from "../../../engine/components/tcpip";
import type { MachineEngine } from "../../../engine/create";
import { TcpFlag, TcpOption } from "../../../engine/network/packets";
import { State, type TcpStack } from "../../../engine/network/tcp/tcp";

/** What a stack has of a segment's connection. */
interface Known {
  readonly conn: number;
  readonly state: number;
  /** Bytes that have come, in order or beyond a gap. */
  readonly bytes: number;
  readonly oldest: number;
  readonly timestamps: boolean;
}

/**
 * What becomes of segments at each stack, by what it has of their connections before and after: one of which it keeps nothing has been thrown away, and
 * must be said to be; one of which it keeps something must not.
 */
export function watchSegments(engine: MachineEngine): { readonly row: (row: number) => void; readonly step: () => void } {
  const { trace, names, built: { machine: { packets, components } } } = engine;
  /** Of this dispatch: segments that were thrown away, and that were said to be. */
  const lost = new Map<number, string>();
  const taken = new Set<number>();
  const said = new Set<number>();

  function knownTo(tcp: TcpStack, packet: number): Known {
    const { tcb, connections, reassembly } = tcp["tcp"];
    const conn = connections.find(packets.destinationIp(packet), packets.destinationPort(packet), packets.sourceIp(packet), packets.sourcePort(packet));
    if (conn < 0) return { conn, state: State.closed, bytes: 0, oldest: 0, timestamps: false };
    return {
      conn, state: tcb.state[conn]!, bytes: tcb.rcvOffset[conn]! + reassembly.intervals.lists.bytes[conn]!,
      oldest: tcb.tsRecent[conn]!, timestamps: tcb.timestamps[conn] !== 0,
    };
  }

  /** Why a stack cannot have kept anything of a segment; undefined: it may have. */
  function lostAt(packet: number, before: Known, after: Known): string | undefined {
    const flags = packets.flags(packet);
    if (packets.isCorrupted(packet)) return "it is corrupted";
    if (before.conn < 0 && after.conn < 0) return "it is for no connection";
    if (packets.payloadLength(packet) > 0 && after.bytes <= before.bytes) return "nothing in it is new";
    if ((flags & TcpFlag.rst) !== 0) return after.conn === before.conn ? "its reset is not believed" : undefined;
    if (before.state === State.synSent && (flags & TcpFlag.ack) !== 0 && after.state === before.state) return "it does not answer the SYN";
    if (before.state >= State.established && before.state < State.timeWait && (flags & TcpFlag.syn) !== 0) return "it is a SYN in a connection";
    if (before.state === State.synReceived && (flags & (TcpFlag.syn | TcpFlag.ack)) === TcpFlag.ack && (after.conn < 0 || after.state === before.state)) return "it does not end the handshake";
    const old = before.timestamps && packets.hasOption(packet, TcpOption.timestamps) && ((packets.timestampValue(packet) - before.oldest) | 0) < 0;
    return old && after.conn === before.conn && before.state > State.synSent ? "its timestamp is old" : undefined;
  }

  for (const model of components.values()) {
    if (!(model instanceof TcpIp)) continue;
    const { tcp } = model;
    const input = tcp.input.bind(tcp);
    tcp.input = (packet) => {
      const before = knownTo(tcp, packet);
      input(packet);
      const after = knownTo(tcp, packet);
      const why = lostAt(packet, before, after);
      if (why !== undefined) lost.set(packet, why);
      else if (after.bytes > before.bytes) taken.add(packet);
    };
  }
  return {
    row: (row) => {
      if (names.functions[trace.fn(row)]!.kind === "drop") said.add(trace.packet(row));
    },
    step: () => {
      for (const [packet, why] of lost) if (!said.has(packet)) assert.fail(`packet ${packet} (${packets.summarize(packet)}) was thrown away by TCP, as ${why}, and no row says so`);
      for (const packet of taken) if (said.has(packet)) assert.fail(`packet ${packet} (${packets.summarize(packet)}) is said to be thrown away, and bytes of it were kept`);
      lost.clear();
      taken.clear();
      said.clear();
    },
  };
}
