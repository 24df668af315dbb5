import assert from "node:assert/strict";
import { report } from "../../../engine/analysis/report";
import type { Ixgbe } from "../../../engine/components/ixgbe";
import type { TcpIp } from "../../../engine/components/tcpip";
import { createEngine } from "../../../engine/create";
import { TcpFlag } from "../../../engine/network/packets";
import { act, rowsOf } from "../../support/act";
import { designText } from "../../support/designText";
import { designOf } from "../../support/runDesign";

/**
 * A Linux guest sends 1 MiB by each of some connections over a link of 1 Gb/s. When the first has 4 ms behind it, so many frames of its transmit queue leave at once:
 * the ring takes 1,004, and the queueing discipline 1,000.
 */
function crowded(connections: number, queues: number, frames: number, without = false) {
  const engine = createEngine(designOf(designText(
    { domains: { web: ["http-server", "libc", "tcpip: { congestion: newreno }", `ixgbe: { bind: nic0.vf0, queues: ${queues} }`] } },
    `workloads:\n  - http: { from: client, to: web, size: 1MiB, requests: ${connections}, concurrency: ${connections} }\nrun: { until: 1s }\n`,
  ).replace("to: server.nic0 }", "to: server.nic0, rate: 1Gbps }").replace("      web:\n", `      web:\n        kind: vm\n        system: linux\n        vcpus: ${queues}\n`)));
  const { machine } = engine.built;
  const { packets } = machine;
  const { tcp, ip } = machine.placed("server/web/tcpip") as TcpIp;
  const driver = machine.placed("server/web/ixgbe") as Ixgbe;
  if (without) Object.assign(tcp["tcp"].options, { localCongestion: false });
  const { tcb: t, numbers } = tcp["tcp"];
  let since = 0;
  act(engine, 14e9, () => {
    const like = tcp.lastPacket(0);
    since = engine.trace.length;
    const conn = numbers.row(0);
    for (let i = 0; i < frames; i++) {
      const packet = packets.createTcp(ip, t.remoteIp[conn]!, t.localPort[conn]!, t.remotePort[conn]!, t.sndMax[conn]!, t.rcvNxt[conn]!, TcpFlag.ack, 1000, t.stream[conn]!, 0, 0, i);
      packets.setEthernet(packet, packets.destinationMac(like), driver.mac);
      driver.transmit(packet);
    }
  });
  let reduced = 0;
  while (engine.dispatch()) {
    const conn = numbers.row(0);
    if (t.reducing[conn] === 1) reduced = t.ssthresh[conn]! / t.sndMss[conn]!;
  }
  const data = (name: string): number => rowsOf(engine, name).filter((row) => row > since && packets.payloadLength(engine.trace.packet(row)) > 0).length;
  return { engine, tcp, reduced, data, report: report(engine) };
}

describe("TCP of Linux above a queueing discipline that is full", () => {
  it("reduces its window and sends what was dropped when it may: nothing goes twice", () => {
    const { tcp, reduced, data, report: { drops, workloads: [first] } } = crowded(1, 1, 2004);
    assert.ok(data("queueing discipline full") > 0, JSON.stringify(drops));
    assert.ok(reduced > 100, `${reduced} segments`);
    assert.equal(tcp.counters.localCongestions, 1);
    assert.equal(tcp.counters.retransmittedBySack + tcp.counters.retransmittedFast + tcp.counters.retransmittedByTimeout, 0);
    assert.equal(first!.completed, 1);
    assert.equal(crowded(8, 2, 2004).report.workloads[0]!.completed, 8, "nor does anything wait for good");
    const { tcp: other, report: { workloads: [same] } } = crowded(1, 1, 2004, true);
    assert.equal(same!.completed, 1);
    assert.ok(other.counters.retransmittedBySack > 50, `${other.counters.retransmittedBySack}: without it each long segment that was dropped is a loss of 45 frames`);
  });

  it("is charged for frames that wait when they wait, and for sending them when they go, with several transmit queues too", () => {
    const { engine, tcp, data, report: { workloads: [first] } } = crowded(8, 2, 1376);
    const waited = data("pfifo_fast_enqueue");
    assert.ok(waited > 5, `${waited}`);
    assert.equal(data("queueing discipline full"), 0);
    assert.equal(rowsOf(engine, "__dev_xmit_skb").length, waited);
    assert.equal(tcp.counters.localCongestions, 0);
    assert.equal(first!.completed, 8);
  });
});
