import assert from "node:assert/strict";
import fc from "fast-check";
import type { LinkConditions } from "../../../engine/design/model";
import { Kernel } from "../../../engine/kernel/kernel";
import { frameBytes } from "../../../engine/network/frameBytes";
import { Link, perfect, type LinkEnd } from "../../../engine/network/link";
import { ArpOperation, PacketLog, TcpFlag } from "../../../engine/network/packets";
import { inDispatch } from "../../support/inDispatch";
import { runDesign } from "../../support/runDesign";

const US = 1e6;

/** A sender that always has a frame, a link of 10 Gb/s and 5 µs, and who notes what arrives. */
class Rig {
  readonly kernel: Kernel;
  readonly packets: PacketLog;
  readonly link: Link;
  readonly sent: number[] = [];
  readonly arrived: { packet: number; time: number }[] = [];
  private left = 0;

  constructor(conditions: Partial<LinkConditions>, seed = 1) {
    this.kernel = new Kernel(seed, true);
    this.packets = new PacketLog(this.kernel.store);
    this.link = new Link(this.kernel, this.packets, "wire", "h", 10e9, 5 * US, { ...perfect, reorderBy: 20 * US, ...conditions });
    const sender: LinkEnd = { transmitted: () => this.next(), received: () => {} };
    this.link.attach(sender);
    this.link.attach({ transmitted: () => {}, received: (packet) => this.arrived.push({ packet, time: this.kernel.now }) });
  }

  send(frames: number): this {
    this.left = frames;
    inDispatch(this.kernel, () => this.next());
    while (this.kernel.dispatch());
    return this;
  }

  private next(): void {
    if (this.left-- <= 0) return;
    const n = this.sent.length;
    const p = n % 50 === 49
      ? this.packets.createArp(ArpOperation.request, 1, 2, 0, 3)
      : this.packets.createTcp(0x0a000001, 0x0a000002, 1000, 80, n, 1, TcpFlag.ack, 1000, -1, 0, n % 3 === 0 ? 1000 : 100, n & 0xffff);
    this.sent.push(p);
    this.link.send(0, p);
  }
}

/** Whether a count of `n` trials fits a probability, five standard deviations wide. */
function fits(count: number, n: number, probability: number): boolean {
  return Math.abs(count - n * probability) <= 5 * Math.sqrt(n * probability * (1 - probability)) + 1;
}

describe("a link", () => {
  it("does what its conditions say, as often as they say, and accounts for every frame", () => {
    fc.assert(fc.property(
      fc.record({ loss: fc.constantFrom(0, 0.02, 0.3), corrupt: fc.constantFrom(0, 0.05), duplicate: fc.constantFrom(0, 0.1), reorder: fc.constantFrom(0, 0.02, 0.5) }), fc.nat(1e6),
      (conditions, seed) => {
        const rig = new Rig(conditions, seed).send(1500);
        const { lost, corrupted, duplicated, reordered } = rig.link.happened(0);
        const carried = 1500 - lost;
        assert.ok(fits(lost, 1500, conditions.loss) && fits(corrupted, carried * 0.98, conditions.corrupt));
        assert.ok(fits(duplicated, carried, conditions.duplicate) && fits(reordered, carried, conditions.reorder));
        assert.equal(rig.arrived.length, carried + duplicated);
        assert.deepEqual(rig.link.happened(1), { lost: 0, corrupted: 0, duplicated: 0, reordered: 0 });
      },
    ), { numRuns: 25 });
  });

  it("delivers in order, one wire time apart, where nothing happens to frames", () => {
    const rig = new Rig({}).send(100);
    assert.deepEqual(rig.arrived.map(({ packet }) => packet), rig.sent);
    rig.arrived.forEach(({ packet, time }, i) => {
      assert.equal(time, (rig.arrived[i - 1]?.time ?? 5 * US) + rig.link.wireTime(packet));
    });
  });

  it("never delivers faster than the far port takes frames, whatever is held back or doubled (invariant 79)", () => {
    fc.assert(fc.property(fc.nat(1e6), (seed) => {
      const rig = new Rig({ reorder: 0.3, duplicate: 0.3 }, seed).send(300);
      rig.arrived.forEach(({ packet, time }, i) => assert.ok(time - (rig.arrived[i - 1]?.time ?? 0) >= rig.link.wireTime(packet)));
    }), { numRuns: 20 });
  });

  it("delivers a corrupted frame as a packet of its own, one bit of its IPv4 packet flipped; the one that was sent stays whole", () => {
    const rig = new Rig({ corrupt: 0.5 }).send(400);
    let corrupted = 0;
    for (const { packet } of rig.arrived) {
      const parent = rig.packets.parentOf(packet);
      if (parent < 0) {
        assert.equal(rig.packets.isCorrupted(packet), false);
        continue;
      }
      corrupted++;
      assert.ok(rig.sent.includes(parent) && !rig.packets.isCorrupted(parent) && !rig.packets.isArp(packet));
      const [was, is] = [frameBytes(rig.packets, parent), frameBytes(rig.packets, packet)];
      const different = [...is.keys()].filter((i) => is[i] !== was[i]);
      assert.equal(different.length, 1);
      assert.ok(different[0]! >= rig.packets.ipStart(packet) && different[0]! < rig.packets.ipStart(packet) + rig.packets.ipLength(packet));
      assert.equal(rig.packets.isHeaderCorrupted(packet), different[0]! < rig.packets.ipStart(packet) + 20);
    }
    assert.equal(corrupted, rig.link.happened(0).corrupted);
  });

  it("delivers a duplicate right behind its original", () => {
    const rig = new Rig({ duplicate: 0.2 }).send(200);
    rig.arrived.forEach(({ packet }, i) => {
      if (rig.packets.parentOf(packet) >= 0) assert.equal(rig.arrived[i - 1]!.packet, rig.packets.parentOf(packet));
    });
  });

  it("says for how long it holds a frame back, however long that is", () => {
    const rig = new Rig({ reorder: 0.5, reorderBy: 2e12 }).send(10);
    const { packet } = rig.arrived.at(-1)!;
    const { trace } = rig.kernel;
    assert.equal(trace!.a(rowOf(rig, "held back on the link", packet)), 2e9, "nanoseconds");
  });

  it("lets the frames of the time that it holds one back overtake it, and no others", () => {
    const rig = new Rig({ reorder: 0.02 }).send(500);
    const { reordered } = rig.link.happened(0);
    const place = new Map(rig.arrived.map(({ packet }, i) => [packet, i]));
    const overtaken = rig.sent.filter((packet, i) => place.get(packet)! > i);
    assert.ok(reordered > 3 && overtaken.length <= reordered);
    for (const packet of overtaken) {
      const delay = rig.arrived[place.get(packet)!]!.time - rig.kernel.trace!.time(rowOf(rig, "serialise", packet));
      assert.ok(delay >= 25 * US && delay < 30 * US);
    }
  });

  it("changes its conditions while it runs, and goes back to its own", () => {
    const rig = new Rig({ loss: 0.5 }).send(200);
    rig.link.change({ loss: 0, duplicate: 1 });
    const before = rig.link.happened(0);
    rig.send(100);
    assert.equal(rig.link.happened(0).lost, before.lost);
    assert.equal(rig.link.happened(0).duplicated, 100);
    rig.link.change({});
    rig.send(200);
    assert.ok(rig.link.happened(0).lost > before.lost + 50 && rig.link.happened(0).duplicated === 100);
  });

  it("loses the same frames whether or not it also does other things", () => {
    const lost = (conditions: Partial<LinkConditions>): number[] => {
      const rig = new Rig(conditions).send(300);
      return Array.from({ length: rig.kernel.trace!.length }, (_, row) => row)
        .filter((row) => rig.kernel.names.functions[rig.kernel.trace!.fn(row)]!.name === "lost on the link")
        .map((row) => rig.packets.sequence(rig.kernel.trace!.packet(row)));
    };
    assert.deepEqual(lost({ loss: 0.1, corrupt: 0.2, reorder: 0.1, duplicate: 0.3 }), lost({ loss: 0.1 }));
  });
});

function rowOf(rig: Rig, name: string, packet: number): number {
  const trace = rig.kernel.trace!;
  for (let row = 0; row < trace.length; row++) {
    if (trace.packet(row) === packet && rig.kernel.names.functions[trace.fn(row)]!.name === name) return row;
  }
  throw new Error(`${name} of ${packet} left no row`);
}

describe("a link that a fault degrades", () => {
  it("does what the fault says for as long as it says, and what its own section says before and after", () => {
    const { engine } = runDesign(`
exoscope: 1
hosts:
  server:
    devices: { nic0: { model: intel-82599, mtu: 1500 } }
    domains:
      d: { kind: kernel, components: [ discard: { protocol: udp }, libc, tcpip, ixgbe: { bind: nic0.pf } ] }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us, duplicate: 50% } }
workloads:
  - udp-stream: { from: client, to: d, size: 512, interval: 20us, duration: 12ms }
faults:
  - { at: 12ms, degrade: client.link, loss: 40%, for: 3ms }
  - { at: 18ms, degrade: client.link, corrupt: 30%, duplicate: 0 }
run: { until: 1s, seed: 5 }
`);
    const { trace, names } = engine;
    const times = (name: string): number[] => Array.from({ length: trace.length }, (_, row) => row)
      .filter((row) => names.functions[trace.fn(row)]!.name === name).map((row) => trace.time(row) / 1e9);
    const lost = times("lost on the link");
    assert.ok(lost.length > 30 && lost.every((t) => t >= 12 && t <= 15));
    const corrupted = times("corrupted on the link");
    assert.ok(corrupted.length > 30 && corrupted.every((t) => t >= 18));
    const doubled = times("duplicated on the link");
    assert.ok(doubled.some((t) => t < 12) && doubled.some((t) => t > 12 && t < 15) && doubled.some((t) => t > 15) && doubled.every((t) => t <= 18));
    assert.deepEqual([times("degrade"), times("degrade: over")], [[12, 18], [15]]);
  });
});

describe("a corrupted packet", () => {
  const design = (conditions: string, workload: string, server: string): string => `
exoscope: 1
hosts:
  server:
    devices: { nic0: { model: intel-82599, mtu: 1500 } }
    domains:
      d: { kind: kernel, components: [ ${server}, libc, tcpip, ixgbe: { bind: nic0.pf } ] }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us, ${conditions} } }
workloads:
  - ${workload}
run: { until: 20s, seed: 5 }
`;

  it("passes the adapter and is dropped by the first checksum that covers the bit; TCP delivers what was sent", () => {
    const { engine, report } = runDesign(design("corrupt: 5%", "http: { from: client, to: d, size: 100KiB, concurrency: 2, requests: 10 }", "http-server"));
    assert.equal(report.workloads[0]!.completed, 10);
    assert.equal(report.workloads[0]!.errors, 0);
    const [link] = engine.built.machine.links;
    const corrupted = link!.happened(0).corrupted + link!.happened(1).corrupted;
    assert.ok(corrupted > 20);
    const { "bad IP header checksum": ip = 0, "bad TCP checksum": tcp = 0, ...others } = report.drops;
    assert.equal(ip + tcp, corrupted);
    assert.ok(ip > 0 && tcp > 0);
    // What a loss probe sends again in vain comes twice.
    assert.deepEqual(Object.keys(others).filter((cause) => cause !== "no address yet" && !cause.startsWith("received before")), []);
  });

  it("of a datagram is never handed to the application", () => {
    const { engine, report } = runDesign(design("corrupt: 10%", "udp-stream: { from: client, to: d, size: 512, interval: 20us, duration: 4ms }", "discard: { protocol: udp }"));
    const corrupted = engine.built.machine.links[0]!.happened(0).corrupted;
    const [w] = report.workloads;
    assert.ok(corrupted > 5);
    assert.equal(w!.completed, w!.requests - corrupted);
    assert.equal((report.drops["bad UDP or ICMP checksum"] ?? 0) + (report.drops["bad IP header checksum"] ?? 0), corrupted);
  });
});
