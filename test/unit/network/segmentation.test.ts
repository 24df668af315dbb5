import assert from "node:assert/strict";
import fc from "fast-check";
import { ReceiveOffload } from "../../../engine/components/receiveOffload";
import { Store } from "../../../engine/kernel/state";
import { frameBytes } from "../../../engine/network/frameBytes";
import { PacketLog, TcpFlag } from "../../../engine/network/packets";
import { cutSegment, framesOf, joinSegments } from "../../../engine/network/segmentation";
import { runDesign } from "../../support/runDesign";
import { MICROSECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

const MSS = 1448;

interface Segment { readonly sequence?: number; readonly length?: number; readonly flags?: number; readonly acknowledgement?: number; readonly window?: number; readonly stamp?: number; readonly port?: number }

function log(): PacketLog {
  return new PacketLog(new Store());
}

function segment(packets: PacketLog, { sequence = 1, length = MSS, flags = TcpFlag.ack, acknowledgement = 7, window = 500, stamp = 3, port = 1000 }: Segment): number {
  const p = packets.createTcp(0x0a000001, 0x0a000002, port, 80, sequence >>> 0, acknowledgement, flags, window, 0, sequence - 1, length, sequence & 0xffff);
  if (stamp >= 0) packets.setTimestamps(p, stamp, 9);
  packets.setEthernet(p, 2, 1);
  return p;
}

/** All frames of a long segment. */
function cut(packets: PacketLog, p: number): number[] {
  return Array.from({ length: framesOf(packets, p) }, (_, i) => cutSegment(packets, p, i * packets.segmentSize(p)));
}

describe("a long segment", () => {
  it("is cut into frames that follow each other, with its options, PSH and FIN on the last alone, each with an identification of its own", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 32 - 1 }), fc.integer({ min: 2, max: 64_000 }), fc.integer({ min: 1, max: 9000 }), fc.boolean(), (sequence, length, size, push) => {
      const packets = log();
      const p = segment(packets, { sequence, length, flags: TcpFlag.ack | (push ? TcpFlag.psh | TcpFlag.fin : 0) });
      packets.setSegmentSize(p, size);
      assert.equal(packets.isLong(p), length > size);
      const frames = cut(packets, p);
      let at = 0;
      frames.forEach((q, i) => {
        assert.equal(packets.sequence(q), (sequence + at) >>> 0);
        assert.equal(packets.offset(q), sequence - 1 + at);
        assert.equal(packets.id(q), (packets.id(p) + i) & 0xffff);
        assert.equal(packets.isLong(q), false);
        const last = i === frames.length - 1;
        assert.equal(packets.payloadLength(q), last ? length - at : size);
        assert.equal(packets.flags(q), last ? packets.flags(p) : TcpFlag.ack);
        assert.equal(packets.timestampValue(q), 3);
        if (packets.isLong(p)) assert.equal(packets.parentOf(q), p);
        at += packets.payloadLength(q);
      });
      assert.equal(at, length);
    }), { numRuns: 60 });
  });

  it("carries the same bytes as its frames, each with valid checksums", () => {
    const packets = log();
    const p = segment(packets, { length: 10_000 });
    packets.setSegmentSize(p, MSS);
    const header = packets.frameLength(p) - 10_000;
    const whole = frameBytes(packets, p).subarray(header);
    const parts = cut(packets, p).flatMap((q) => [...frameBytes(packets, q).subarray(header)]);
    assert.deepEqual(parts, [...whole]);
  });

  it("is what its frames are joined to", () => {
    const packets = log();
    const p = segment(packets, { length: 10_000, flags: TcpFlag.ack | TcpFlag.psh });
    packets.setSegmentSize(p, MSS);
    const frames = cut(packets, p);
    const q = joinSegments(packets, frames[0]!, frames.at(-1)!, 10_000);
    assert.deepEqual(frameBytes(packets, q), frameBytes(packets, p));
    assert.equal(packets.isLong(q) && packets.segmentSize(q) === MSS, true);
  });
});

describe("segments that are joined on arrival", () => {
  const offload = (): { packets: PacketLog; take: (p: number) => number[]; flush: () => number[] } => {
    const packets = log();
    const gro = new ReceiveOffload(new Store(), packets, "q", 2);
    return {
      packets,
      take: (p) => {
        const passes = gro.passes(1, p);
        gro.take(1, p);
        if (passes) assert.deepEqual(gro.passed, [p]);
        return gro.passed.splice(0);
      },
      flush: () => {
        gro.flush(1);
        assert.equal(gro.holds(1), false);
        return gro.passed.splice(0);
      },
    };
  };
  const follow = (n: number, more: Segment = {}): Segment => ({ sequence: 1 + n * MSS, ...more });

  it("follow each other without a gap, and go on when the ring is empty", () => {
    const { packets, take, flush } = offload();
    for (let n = 0; n < 10; n++) assert.deepEqual(take(segment(packets, follow(n))), []);
    const [p, none] = flush();
    assert.equal(none, undefined);
    assert.equal(packets.payloadLength(p!), 10 * MSS);
    assert.equal(packets.sequence(p!), 1);
  });

  it("end with PSH, with FIN and with a shorter one", () => {
    for (const last of [{ flags: TcpFlag.ack | TcpFlag.psh }, { flags: TcpFlag.ack | TcpFlag.fin }, { length: 100 }]) {
      const { packets, take, flush } = offload();
      take(segment(packets, follow(0)));
      const [p] = take(segment(packets, follow(1, last)));
      assert.equal(packets.payloadLength(p!), MSS + (last.length ?? MSS));
      assert.equal(packets.flags(p!), last.flags ?? TcpFlag.ack);
      assert.deepEqual(flush(), []);
    }
  });

  it("are of one flow with one acknowledgement, window and time stamp, without a gap, and none is longer than the first", () => {
    for (const other of [{ acknowledgement: 8 }, { window: 501 }, { stamp: 4 }, { sequence: 1 + 2 * MSS }, { sequence: 1 }, { length: MSS + 1 }]) {
      const { packets, take, flush } = offload();
      const first = segment(packets, follow(0));
      take(first);
      const second = segment(packets, { ...follow(1), ...other });
      assert.deepEqual(take(second), [first]);
      assert.deepEqual(flush(), [second]);
    }
    const { packets, take, flush } = offload();
    const [a, b] = [segment(packets, follow(0)), segment(packets, follow(1, { port: 1001 }))];
    assert.deepEqual([...take(a), ...take(b), ...flush()], [a, b]);
  });

  it("pass on before what is not data, or is broken, of their flow", () => {
    for (const other of [{ length: 0 }, { flags: TcpFlag.rst | TcpFlag.ack }]) {
      const { packets, take } = offload();
      const [a, b] = [segment(packets, follow(0)), segment(packets, follow(1, other))];
      assert.deepEqual([...take(a), ...take(b)], [a, b]);
    }
    const { packets, take } = offload();
    const [a, b] = [segment(packets, follow(0)), segment(packets, follow(1))];
    packets.corrupt(b, 500);
    assert.deepEqual([...take(a), ...take(b)], [a, b]);
  });

  it("are at most an IPv4 datagram, of at most eight flows; the oldest flow makes room", () => {
    const { packets, take, flush } = offload();
    const joined: number[] = [];
    for (let n = 0; n < 100; n++) joined.push(...take(segment(packets, follow(n))));
    joined.push(...flush());
    assert.equal(joined.reduce((sum, p) => sum + packets.payloadLength(p), 0), 100 * MSS);
    assert.ok(joined.length === 3 && joined.every((p) => packets.ipLength(p) <= 65535));
    const flows = Array.from({ length: 9 }, (_, port) => segment(packets, { port }));
    assert.deepEqual(flows.flatMap((p) => take(p)), [flows[0]]);
    assert.deepEqual(flush(), flows.slice(1));
  });

  it("lose nothing and change no order within a flow, whatever comes", () => {
    fc.assert(fc.property(fc.array(fc.record({ flow: fc.nat(10), gap: fc.boolean(), length: fc.constantFrom(0, 1, 500, MSS), push: fc.boolean(), flush: fc.boolean() }), { maxLength: 120 }), (steps) => {
      const { packets, take, flush } = offload();
      const next = new Array<number>(11).fill(1);
      const sent = new Map<number, number[]>();
      const got = new Map<number, number[]>();
      const note = (map: Map<number, number[]>, p: number): void => {
        const flow = packets.sourcePort(p);
        map.set(flow, [...(map.get(flow) ?? []), ...Array.from({ length: Math.max(1, packets.payloadLength(p)) }, (_, i) => packets.sequence(p) + i)]);
      };
      for (const { flow, gap, length, push, flush: now } of steps) {
        if (gap) next[flow] = next[flow]! + 77;
        const p = segment(packets, { port: flow, sequence: next[flow]!, length, flags: TcpFlag.ack | (push ? TcpFlag.psh : 0) });
        next[flow] = next[flow]! + length;
        note(sent, p);
        for (const q of [...take(p), ...(now ? flush() : [])]) note(got, q);
      }
      for (const q of flush()) note(got, q);
      assert.deepEqual([...got].sort(([a], [b]) => a - b), [...sent].sort(([a], [b]) => a - b));
    }), { numRuns: 60 });
  });
});

describe("TCP above an interface that cuts segments", () => {
  /** A transfer through a channel that may lose; every long segment is looked at. */
  function transfer(bytes: number, loss: number, largest: number): { net: TcpNetwork; longest: number } {
    const net = new TcpNetwork();
    const [c] = net.open();
    const [a, b] = net.hosts;
    a.largest = largest;
    let state = 12_345;
    let longest = 0;
    const free = [0, 0];
    const send = net.send.bind(net);
    net.send = (packet, from, cause) => {
      const length = net.packets.payloadLength(packet);
      longest = Math.max(longest, length);
      assert.ok(length <= Math.max(largest, MSS));
      if (net.packets.isLong(packet)) {
        assert.equal(net.packets.segmentSize(packet), MSS);
        const end = net.packets.offset(packet) + length;
        assert.ok(length % MSS === 0 || end === a.stack.sendOffset(c), "whole segments, but for the end of the data");
        assert.ok(net.packets.sackCount(packet) === 0);
      }
      send(packet, from, cause);
    };
    net.channel = (packet, from) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      free[from] = Math.max(free[from]!, net.time) + net.packets.frameLength(packet) * 800;
      return (state >>> 8) / 2 ** 24 < loss ? [] : [free[from]! - net.time + 100 * MICROSECOND];
    };
    let left = bytes;
    const write = (): void => {
      left -= a.stack.send(c, left);
    };
    a.onWritable = write;
    let got = 0;
    b.onReadable = (conn) => (got += b.stack.receive(conn, Infinity));
    write();
    assert.ok(net.run(1000 * SECOND));
    assert.equal(got, bytes);
    return { net, longest };
  }

  it("hands down as much as its window allows, and delivers the same stream", () => {
    const { net, longest } = transfer(3_000_000, 0, 65_000);
    assert.equal(longest, 44 * MSS);
    const { counters } = net.hosts[0].stack;
    assert.equal(counters.segmentsSent, net.sent.filter(({ from }) => from === 0).length, "counts frames");
    const ids = net.sent.filter(({ from }) => from === 0).map(({ packet }) => net.packets.id(packet));
    ids.forEach((id, i) => assert.equal(id, i & 0xffff));
  });

  it("recovers single frames of a long segment, and sends again nothing else", () => {
    for (const loss of [0.002, 0.02]) {
      const { net } = transfer(3_000_000, loss, 65_000);
      const k = net.hosts[0].stack.counters;
      const again = k.retransmittedFast + k.retransmittedBySack + k.retransmittedByTimeout;
      assert.ok(again > 2 && again <= net.sent.length * loss * 2 + 10);
    }
  });

  it("sends no long segment where two frames would not fit", () => {
    assert.equal(transfer(300_000, 0, 2 * MSS - 1).longest, MSS);
  });
});

describe("offloads of a machine", () => {
  const design = (server: string, link = ""): string => `
exoscope: 1
hosts:
  server:
    iommu: on
    devices: { nic0: { model: intel-82599, mtu: 1500 } }
    domains:
      d: { kind: kernel, vcpus: 1, components: [ http-server, libc, tcpip, ixgbe: { bind: nic0.pf, ${server} } ] }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 20us${link} } }
workloads:
  - http: { from: client, to: d, size: 512KiB, concurrency: 2, requests: 8 }
run: { until: 20s, seed: 4 }
`;
  const busy = (text: string): number => runDesign(text).report.domains.find((d) => d.domain === "server/d")!.busy;

  it("never put a long segment on a wire, and cost a domain less CPU time than frame by frame", () => {
    const { engine, report } = runDesign(design("tso: on, lro: on"));
    const { packets } = engine.built.machine;
    const { trace, names } = engine;
    let long = 0;
    for (let row = 0; row < trace.length; row++) {
      const p = trace.packet(row);
      if (p >= 0 && packets.isLong(p)) long++;
      const { kind, name } = names.functions[trace.fn(row)]!;
      if (kind === "wire" || name === "DMA read" || name === "DMA write") assert.ok(p < 0 || !packets.isLong(p));
    }
    assert.ok(long > 100);
    assert.deepEqual(report.drops, {});
    assert.ok(busy(design("tso: on, lro: off")) < 0.6 * busy(design("tso: off, lro: off")));
  });

  it("make the receiver acknowledge less often", () => {
    const acks = (text: string): number => {
      const { engine } = runDesign(text);
      const { packets } = engine.built.machine;
      return Array.from({ length: packets.length }, (_, p) => p).filter((p) => packets.isTcp(p) && packets.payloadLength(p) === 0).length;
    };
    // The same transfer the other way round: the client's kernel cuts and joins by itself.
    const upload = (lro: string): string => design(`lro: ${lro}`).replace("http-server", "discard").replace(/- http: .*/, "- tcp-stream: { from: client, to: d, duration: 2ms }");
    assert.ok(acks(upload("on")) < 0.7 * acks(upload("off")));
  });

  it("deliver every byte through loss, reordering, duplication and corruption", () => {
    const { report } = runDesign(design("tso: on, lro: on", ", loss: 0.5%, reorder: 1%, duplicate: 1%, corrupt: 0.5%"));
    assert.equal(report.workloads[0]!.completed, 8);
    assert.equal(report.workloads[0]!.errors, 0);
    assert.ok(report.retransmissions > 0);
  });
});
