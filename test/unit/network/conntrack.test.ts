import assert from "node:assert/strict";
import { Store } from "../../../engine/kernel/state";
import { Conntrack, type Tuple } from "../../../engine/network/conntrack";
import { PacketLog, Protocol, TcpFlag } from "../../../engine/network/packets";

const S = 1e12;
const [GUEST, NAT, WORLD] = [0x0a000002, 0x0a000001, 0x0a000009];
const tuple = (protocol: number, source: number, sourcePort: number, destination: number, destinationPort: number): Tuple => ({ protocol, source, sourcePort, destination, destinationPort });

/** A masqueraded connection: guest:4000 → world:80, answered world:80 → NAT:4000. */
class Rig {
  readonly store = new Store();
  readonly packets = new PacketLog(this.store);
  readonly connections = new Conntrack(this.store, "nat");
  readonly original: Tuple;
  readonly reply: Tuple;
  readonly r: number;

  constructor(protocol: number) {
    this.original = tuple(protocol, GUEST, 4000, WORLD, 80);
    this.reply = tuple(protocol, WORLD, 80, NAT, 4000);
    this.r = this.connections.open(this.original, this.reply, 3, 0);
    this.pass(0, TcpFlag.syn, 0);
  }

  pass(direction: 0 | 1, flags: number, now: number): void {
    const packet = this.packets.createTcp(0, 0, 0, 0, 0, 0, flags, 0, -1, 0, 0, 0);
    this.connections.pass(this.r, direction, this.packets, packet, now);
  }

  /** Seconds from `now` until it is forgotten. */
  life(now: number): number {
    for (const t of [10, 30, 60, 120, 180, 432_000]) if (this.connections.find(0, this.original, now + t * S) < 0 && this.connections.find(0, this.original, now + t * S - S / 2) >= 0) return t;
    return -1;
  }
}

describe("connections of a translating router", () => {
  it("are found by either direction, and by nothing else", () => {
    const { connections, original, reply, r } = new Rig(Protocol.tcp);
    assert.equal(connections.find(0, original, S), r);
    assert.equal(connections.find(1, reply, S), r);
    assert.equal(connections.find(1, original, S), -1);
    assert.equal(connections.find(0, { ...original, protocol: Protocol.udp }, S), -1);
    for (const key of ["source", "sourcePort", "destination", "destinationPort"] as const) assert.equal(connections.find(0, { ...original, [key]: 77 }, S), -1);
    assert.equal(connections.portOf(r), 3);
    assert.deepEqual([connections.original(r), connections.reply(r)], [original, reply]);
  });

  it("of TCP live as long as their state says (Linux 4.13)", () => {
    const rig = new Rig(Protocol.tcp);
    assert.equal(rig.life(0), 120, "SYN sent");
    rig.pass(1, TcpFlag.syn | TcpFlag.ack, S);
    assert.equal(rig.life(S), 60, "SYN received");
    rig.pass(0, TcpFlag.ack, 2 * S);
    assert.equal(rig.life(2 * S), 432_000, "established: five days");
    rig.pass(1, TcpFlag.fin | TcpFlag.ack, 3 * S);
    assert.equal(rig.life(3 * S), 120, "closing");
    rig.pass(0, TcpFlag.ack, 4 * S);
    assert.equal(rig.life(4 * S), 120, "an ACK does not open it again");
    rig.pass(0, TcpFlag.fin | TcpFlag.ack, 5 * S);
    rig.pass(1, TcpFlag.ack, 6 * S);
    assert.equal(rig.life(6 * S), 120, "TIME_WAIT");
    rig.pass(0, TcpFlag.syn, 7 * S);
    rig.pass(1, TcpFlag.syn | TcpFlag.ack, 8 * S);
    assert.equal(rig.life(8 * S), 60, "the same ports, used again");
    rig.pass(1, TcpFlag.rst, 9 * S);
    assert.equal(rig.life(9 * S), 10, "reset");
  });

  it("of UDP live 30 seconds, 180 when answered", () => {
    const rig = new Rig(Protocol.udp);
    assert.equal(rig.life(0), 30);
    rig.pass(0, 0, S);
    assert.equal(rig.life(S), 30);
    rig.pass(1, 0, 2 * S);
    assert.equal(rig.life(2 * S), 180);
    rig.pass(0, 0, 3 * S);
    assert.equal(rig.life(3 * S), 180);
  });

  it("that are over make room: of the same tuple a new one is opened, and the old one is not found", () => {
    const { connections, original, reply, r } = new Rig(Protocol.udp);
    const now = 31 * S;
    assert.equal(connections.find(1, reply, now), -1);
    const again = connections.open(original, { ...reply, destinationPort: 5000 }, 4, now);
    assert.equal(again, r, "its row is used again");
    assert.equal(connections.portOf(again), 4);
    assert.equal(connections.opened, 2);
  });

  it("can be many, each found", () => {
    const { connections } = new Rig(Protocol.udp);
    const rig = new Rig(Protocol.tcp);
    for (let i = 0; i < 5000; i++) {
      const r = connections.open(tuple(6, GUEST, i, WORLD, 80), tuple(6, WORLD, 80, NAT, i), 0, 0);
      connections.pass(r, 0, rig.packets, 0, 0);
    }
    for (let i = 0; i < 5000; i++) {
      const r = connections.find(1, tuple(6, WORLD, 80, NAT, i), S);
      assert.equal(connections.original(r).sourcePort, i);
    }
    assert.equal(connections.describe(S).children!.length, 256);
  });
});
