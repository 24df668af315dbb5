import assert from "node:assert/strict";
import { report } from "../../../engine/analysis/report";
import type { Ixgbe } from "../../../engine/components/ixgbe";
import type { TcpIp } from "../../../engine/components/tcpip";
import { createEngine } from "../../../engine/create";
import { Store } from "../../../engine/kernel/state";
import { parseIpv4 } from "../../../engine/network/addresses";
import { UdpSendBuffers, truesize } from "../../../engine/network/udpSendBuffers";
import { datum } from "../../../engine/workloads/data";
import { act, rowsOf } from "../../support/act";
import { designText } from "../../support/designText";
import { designOf, runDesign } from "../../support/runDesign";

const SINK = ["discard: { protocol: udp }", "libc", "tcpip"];
/** A frame of 1472 B of payload on a link of 1 Gb/s, with preamble, check sequence and gap: picoseconds. */
const FRAME = (1472 + 28 + 14 + 4 + 20) * 8000;

describe("UDP send buffers of Linux", () => {
  it("count what kmalloc gives: 2,304 B for a full frame, 768 for a small one, and 16,640 for one of 9,000 B", () => {
    assert.deepEqual([1500, 92, 9000, 28 + 1].map(truesize), [2304, 768, 16640, 768]);
  });

  it("are full at 212,992 B; who waits is woken when half is free, once", () => {
    const buffers = new UdpSendBuffers(new Store(), "h");
    let n = 0;
    for (; !buffers.waits(3); n++) buffers.take(3, 1500);
    assert.equal(n, Math.ceil(212992 / 2304));
    assert.equal(buffers.waits(0), false, "each socket has its own");
    const woken = Array.from({ length: n }, () => buffers.free(3, 1500));
    assert.deepEqual(woken.flatMap((yes, i) => (yes ? [i + 1] : [])), [n - 46], "46 × 2304 is the most that is not more than half");
    assert.equal(buffers.used(3), 0);
  });

  it("have a stream go at the wire's pace: none is dropped on the way to it, and what is under way is a buffer and what the adapter holds", () => {
    const text = designText({ domains: { sink: [...SINK, "ixgbe: { bind: nic0.vf0 }"] } }, "workloads:\n  - udp-stream: { from: client, to: sink, duration: 20ms, size: 1472 }\n")
      .replace("size: 1472", "size: 1472B").replace("to: server.nic0 }", "to: server.nic0, rate: 1Gbps }");
    const { engine, report: { workloads: [first], drops } } = runDesign(text);
    assert.deepEqual(drops, {});
    assert.equal(first!.errors, 0);
    const onWire = 20e9 / FRAME;
    const most = onWire + 93 + (160 * 1024) / 1514;
    assert.ok(first!.requests > onWire + 46 && first!.requests <= most + 1, `${first!.requests}, ${onWire} on the wire`);
    assert.equal(first!.completed, first!.requests);
    assert.ok(first!.goodput > 0.99 * ((1472 * 8e12) / FRAME));
    assert.ok(rowsOf(engine, "sock_wait_for_wmem").length > 10);
  });

  it("have a server wait in its call, and its datagrams at the socket: each is answered, in order, when there is room for it", () => {
    const text = designText({ domains: { echo: ["echo: { protocol: udp, port: 7 }", "libc", "tcpip: { ip: 10.0.0.10 }", "ixgbe: { bind: nic0.vf0 }"] } }, "workloads:\n  - ping: { from: client, to: echo, requests: 1 }\n")
      .replace("      echo:\n", "      echo:\n        kind: vm\n        system: linux\n").replace("to: server.nic0 }", "to: server.nic0, rate: 1Gbps }");
    const engine = createEngine(designOf(text));
    const { machine } = engine.built;
    const { packets, transcript } = machine;
    const stack = machine.placed("server/echo/tcpip") as TcpIp;
    const sent: number[] = [];
    act(engine, 50e9, () => {
      const stream = packets.openStreams();
      for (let i = 0; i < 120; i++) {
        const { kind, length, value } = datum(i, 1472);
        transcript.write(stream, kind, length, value);
        stack.input(packets.createUdp(parseIpv4("10.0.0.1")!, parseIpv4("10.0.0.10")!, 5000, 7, stream, 1472 * i, 1472, i));
      }
    });
    let most = 0;
    while (engine.dispatch()) most = Math.max(most, stack.datagrams["sendBuffers"]!.used(0));
    for (const row of rowsOf(engine, "serialise")) {
      const packet = engine.trace.packet(row);
      if (packets.isUdp(packet) && packets.sourcePort(packet) === 7) sent.push(packets.offset(packet));
    }
    assert.deepEqual(report(engine).drops, { "no socket on the port": 120 }, "at the client, which has not asked");
    assert.deepEqual(sent, Array.from({ length: 120 }, (_, i) => 1472 * i));
    assert.ok(rowsOf(engine, "sock_wait_for_wmem").length >= 1);
    assert.equal(most, 93 * 2304, "the datagram that fills it is let in");
    assert.equal(stack.datagrams["sendBuffers"]!.used(0), 0);
  });

  it("get back what is on the adapter's ring when the driver resets it, read or not", () => {
    const text = designText({ domains: { echo: ["echo: { protocol: udp, port: 7 }", "libc", "tcpip: { ip: 10.0.0.10 }", "ixgbe: { bind: nic0.vf0 }"] } }, "workloads:\n  - ping: { from: client, to: echo, requests: 1 }\n")
      .replace("      echo:\n", "      echo:\n        kind: vm\n        system: linux\n").replace("to: server.nic0 }", "to: server.nic0, rate: 1Gbps }");
    const engine = createEngine(designOf(text));
    const { machine } = engine.built;
    const stack = machine.placed("server/echo/tcpip") as TcpIp;
    const driver = machine.placed("server/echo/ixgbe") as Ixgbe;
    const used = (): number => stack.datagrams["sendBuffers"]!.used(0);
    act(engine, 50e9, () => {
      const stream = machine.packets.openStreams();
      for (let i = 0; i < 60; i++) stack.input(machine.packets.createUdp(parseIpv4("10.0.0.1")!, parseIpv4("10.0.0.10")!, 5000, 7, stream, 1472 * i, 1472, i));
    });
    act(engine, 50.2e9, () => {
      assert.ok(used() > 20 * 2304, `${used()} bytes are on their way`);
      driver.down(driver.threads[0]!);
    });
    while (engine.dispatch());
    assert.ok(rowsOf(engine, "function-level reset").length > 0);
    assert.equal(used(), 0);
  });
});

describe("UDP of NetBSD", () => {
  it("has no send buffer that fills: what the interface's queue does not take is an error of the call, and counted", () => {
    const text = `exoscope: 1
hosts:
  server:
    cpu: { cores: 1 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { model: xen, scheduler: round-robin, timeslice: 2ms }
    domains:
      driver: { kind: driver-domain, components: [netback, bridge, ixgbe: { bind: nic0.pf }] }
      gen: { kind: vm, components: [load-generator, libc, tcpip, netfront: { channel: driver.netback }] }
      sink: { kind: vm, components: [discard: { protocol: udp }, libc, tcpip, netfront: { channel: driver.netback }] }
workloads:
  - udp-stream: { from: gen, to: sink, duration: 12ms, size: 64B }
run: { until: 40ms }
`;
    const { report: { workloads: [first], drops, incidents } } = runDesign(text);
    assert.ok(first!.errors > 100, `${first!.errors}`);
    assert.equal(first!.errors, drops["send queue full"]);
    assert.equal(first!.errors, incidents["sendto failed: ENOBUFS"]);
  });

  it("hears nothing of what an adapter's ring has no room for: ixgbe_mq_start returns 0 whatever becomes of a frame", () => {
    const engine = createEngine(designOf(designText({ domains: { sink: [...SINK, "ixgbe: { bind: nic0.vf0 }"] } }, "run: { until: 40ms }\n")));
    const { machine } = engine.built;
    const { datagrams } = machine.placed("server/sink/tcpip") as TcpIp;
    const driver = machine.placed("server/sink/ixgbe") as Ixgbe;
    act(engine, 30e9, () => {
      const port = datagrams.portOf(0);
      for (let i = 0; i < 2100; i++) driver.transmit(machine.packets.createUdp(parseIpv4("10.0.0.10")!, parseIpv4("10.0.0.1")!, port, 9, 0, 0, 64, i));
    });
    while (engine.dispatch());
    const { drops, incidents } = report(engine);
    assert.equal(drops["transmit ring full"], 2100 - 2048);
    assert.equal(incidents["sendto failed: ENOBUFS"], undefined);
  });
});
