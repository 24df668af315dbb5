import assert from "node:assert/strict";
import fc from "fast-check";
import { Store, type StoreSnapshot } from "../../engine/kernel/state";
import { PacketLog } from "../../engine/network/packets";
import { CloseReason, TcpStack, linuxTcp, type TcpOptions } from "../../engine/network/tcp/tcp";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork } from "../support/tcpNetwork";
import { times } from "../support/times";

const options: fc.Arbitrary<Partial<TcpOptions>> = fc.record({
  mss: fc.constantFrom(536, 1460, 8960),
  sendBuffer: fc.integer({ min: 2000, max: 300_000 }),
  receiveBuffer: fc.integer({ min: 2000, max: 300_000 }),
  congestion: fc.constantFrom("newreno", "cubic"),
  sack: fc.boolean(),
  rackTlp: fc.boolean(),
  timestamps: fc.boolean(),
  nagle: fc.boolean(),
  windowScale: fc.integer({ min: -1, max: 10 }),
  initialWindow: fc.integer({ min: 1, max: 12 }),
  delayedAck: fc.constantFrom(0, 40 * MILLISECOND, 200 * MILLISECOND),
  minRto: fc.constantFrom(10 * MILLISECOND, 200 * MILLISECOND, SECOND),
  // Loss may be heavy: nobody gives up, and TIME_WAIT outlasts the retransmissions of the last FIN.
  maxRetransmits: fc.constant(200),
  maxSynRetransmits: fc.constant(200), maxSynAckRetransmits: fc.constant(200),
  maxRto: fc.constant(4 * SECOND),
  msl: fc.constant(200 * SECOND),
});

const wire = fc.record({
  seed: fc.integer({ min: 1, max: 0x7fff_ffff }),
  loss: fc.constantFrom(0, 0, 0.01, 0.1, 0.3),
  duplication: fc.constantFrom(0, 0, 0.05),
  corruption: fc.constantFrom(0, 0, 0.02),
  /** Spread of the delay: packets overtake each other. */
  jitter: fc.constantFrom(0, 0, 5 * MICROSECOND, MILLISECOND),
  serialisation: fc.constantFrom(0, 1000, 100_000),
  /** Of the data, what the queue below the sender drops. */
  full: fc.constantFrom(0, 0, 0.05, 0.3),
  /** Whether the sender hears when a frame has left the host. */
  tells: fc.boolean(),
});
type Wire = typeof wire extends fc.Arbitrary<infer T> ? T : never;

const session = fc.record({
  options: fc.tuple(options, options), wire, bytes: fc.tuple(fc.nat({ max: 200_000 }), fc.nat({ max: 200_000 })),
  seeds: fc.tuple(fc.nat({ max: 0xffff_ffff }), fc.nat({ max: 0xffff_ffff })),
  /** How much a reader takes at a time. */
  bite: fc.constantFrom(100, 5000, Infinity),
});
type Session = typeof session extends fc.Arbitrary<infer T> ? T : never;

function lossyChannel(net: TcpNetwork, { seed, loss, duplication, corruption, jitter, serialisation, full, tells }: Wire): void {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  const free = [0, 0];
  for (const { queues } of net.hosts) {
    queues.tells = tells;
    queues.isFull = (packet) => {
      if (net.packets.payloadLength(packet) === 0 || uniform() >= full) return false;
      net.refused.add(packet);
      return true;
    };
  }
  net.channel = (packet, from) => {
    if (uniform() < corruption) net.packets.corrupt(packet, 8 * 60);
    if (!net.refused.has(packet)) free[from] = Math.max(free[from]!, net.time) + net.packets.frameLength(packet) * serialisation;
    const host = net.hosts[from]!;
    net.at(net.refused.has(packet) ? net.time : free[from]!, () => {
      host.stack.freed(packet);
      host.flush();
    });
    if (net.refused.has(packet)) return [];
    const delay = (): number => free[from]! - net.time + 10 * MICROSECOND + Math.floor(uniform() * jitter);
    if (uniform() < loss) return [];
    return uniform() < duplication ? [delay(), delay()] : [delay()];
  };
}

/** Both ends send their bytes, read all and close; checks each delivery. */
function play({ options: [a, b], wire: w, bytes, seeds, bite }: Session, observe: (net: TcpNetwork) => void = () => {}): TcpNetwork {
  const net = new TcpNetwork(a, b, seeds);
  observe(net);
  lossyChannel(net, w);
  const left = [...bytes];
  const got = [0, 0];
  const conns = [-1, -1];
  const shut = [false, false];
  const write = (i: number): void => {
    const { stack } = net.hosts[i]!;
    left[i]! -= stack.send(conns[i]!, left[i]!);
    if (left[i] === 0 && !shut[i]) {
      shut[i] = true;
      stack.shutdown(conns[i]!);
    }
  };
  net.hosts.forEach((host, i) => {
    const read = (conn: number): void => {
      const taken = host.stack.receive(conn, bite);
      got[i]! += taken;
      assert.equal(host.stack.receiveOffset(conn), got[i]);
      if (taken > 0) net.at(net.time + 20 * MICROSECOND, () => read(conn));
    };
    host.onReadable = read;
    host.onWritable = () => write(i);
    host.onEstablished = (conn) => {
      conns[i] = conn;
      write(i);
    };
    host.onAccepted = (_conn, port) => {
      conns[i] = host.stack.accept(TcpNetwork.ip(i), port);
      write(i);
    };
  });
  net.hosts[1].stack.listen(TcpNetwork.ip(1), 80, 4);
  net.hosts[0].stack.connect(TcpNetwork.ip(0), 0, TcpNetwork.ip(1), 80);
  assert.ok(net.run(100_000 * SECOND), "still busy");
  assert.deepEqual(got, [bytes[1], bytes[0]]);
  net.hosts.forEach((host, i) => {
    assert.deepEqual(host.closedConns.map(({ reason }) => reason), [CloseReason.normal], `host ${i}`);
    assert.equal(host.timers.size, 0);
  });
  return net;
}

describe("TCP over a bad channel", () => {
  it("delivers exactly the bytes, in order, and ends closed", () => {
    fc.assert(fc.property(session, (s) => void play(s)), { numRuns: times(300) });
  });

  it("sends each payload byte from the offset that its sequence number says", () => {
    fc.assert(fc.property(session, (s) => {
      const net = play(s);
      const { packets } = net;
      for (const { packet } of net.sent) {
        if (packets.payloadLength(packet) > 0) assert.equal((packets.offset(packet) + 1) % 2 ** 32, packets.relativeSequence(packet));
      }
    }), { numRuns: times(50) });
  });

  it("never retransmits without loss, corruption or reordering", () => {
    const clean = session.map((s): Session => ({
      ...s,
      // What a full queue drops has an ACK with it, which is lost.
      wire: { ...s.wire, loss: 0, duplication: 0, corruption: 0, jitter: 0, full: 0 },
      // The timeout is above any delayed ACK and queueing.
      options: [{ ...s.options[0], minRto: SECOND }, { ...s.options[1], minRto: SECOND }],
    }));
    fc.assert(fc.property(clean, (s) => {
      for (const { stack: { counters } } of play(s).hosts) {
        assert.equal(counters.retransmittedByTimeout + counters.retransmittedFast + counters.retransmittedBySack, 0);
      }
    }), { numRuns: times(100) });
  });

  it("keeps all its state in tables: a restored copy goes on as the original did", () => {
    fc.assert(fc.property(session, fc.nat({ max: 400 }), replay), { numRuns: times(40) });
  });
});

/** Takes a snapshot before the given call and repeats the calls from there on fresh stacks: same results, same state at the end. */
function replay(s: Session, at: number): void {
  let snapshot: StoreSnapshot | undefined;
  let draws: readonly number[] = [];
  const net = play(s, (n) => {
    n.onCall = () => {
      if (n.calls.length !== at || snapshot !== undefined) return;
      snapshot = n.store.snapshot();
      draws = n.hosts.map((host) => host.draws.length);
    };
  });
  if (snapshot === undefined) return;
  let time = 0;
  const store = new Store();
  const packets = new PacketLog(store, net.packets.columns);
  let number = at;
  const asked: { readonly by: number; readonly conn: number; readonly cause: number }[][] = [[], []];
  const stacks = s.options.map((o, i) => {
    let drawn = draws[i]!;
    const quiet = (): void => {};
    return new TcpStack(store, packets, { ...linuxTcp, ...o }, {
      now: () => time, cause: () => number, random: () => net.hosts[i]!.draws[drawn++]!,
      arm: quiet, disarm: quiet, wantOutput: (conn, cause) => asked[i]!.push({ by: number, conn, cause }), answered: quiet, discarded: quiet, randomPort: () => 0, largestSegment: () => 0,
      below: { tellsOfSent: () => s.wire.tells, isFull: (packet) => net.refused.has(packet), hasten: quiet, resume: quiet }, readable: quiet, writable: quiet, established: quiet, accepted: quiet, closed: quiet,
    }, `host${i}`);
  });
  store.restore(snapshot);
  for (const call of net.calls.slice(at)) {
    time = call.time;
    const stack = stacks[call.host]!;
    const method = stack[call.name] as (...args: readonly number[]) => unknown;
    assert.equal(method.apply(stack, [...call.args]), call.result, call.name);
    number++;
  }
  assert.equal(packets.length, net.packets.length);
  asked.forEach((copied, i) => assert.deepEqual(copied, net.hosts[i]!.asked.filter(({ by }) => by >= at)));
  stacks.forEach((stack, i) => assert.deepEqual(stack.describeAll(), net.hosts[i]!.stack.describeAll()));
}
