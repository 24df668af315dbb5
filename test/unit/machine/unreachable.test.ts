import assert from "node:assert/strict";
import { report } from "../../../engine/analysis/report";
import type { TcpIp } from "../../../engine/components/tcpip";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { parseIpv4 } from "../../../engine/network/addresses";
import { act, rowsOf } from "../../support/act";
import { designText } from "../../support/designText";
import { designOf, runDesign } from "../../support/runDesign";

const SECOND = 1e12;
const NOBODY = parseIpv4("10.0.0.77")!;
const WEB = { domains: { web: ["http-server", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"] } };

/** NetBSD's stack sends at these times, seconds, to an address that nobody has. */
function netbsd(send: (stack: TcpIp) => void, times: readonly number[], until: number): MachineEngine {
  const engine = createEngine(designOf(designText(WEB, `run: { until: ${until}s }\nworkloads: []\n`)));
  const ip = engine.built.machine.placed("server/web/tcpip") as TcpIp;
  for (const time of times) act(engine, time * SECOND, () => send(ip));
  while (engine.dispatch());
  return engine;
}

const timesOf = (engine: MachineEngine, name: string): number[] => rowsOf(engine, name).map((row) => Math.round(engine.trace.time(row) / SECOND));

describe("a host that does not answer ARP", () => {
  it("fails Linux' attempts to connect, three seconds after the first request, and says why in a row and in the report", () => {
    const { engine, report: { workloads: [first], incidents } } = runDesign(designText(WEB, "workloads:\n  - http: { from: client, to: web, size: 1KiB, requests: 5 }\nfaults:\n  - { at: 0ms, crash: web }\nrun: { until: 10s }\n"));
    assert.deepEqual(timesOf(engine, "connection failed: EHOSTUNREACH"), [3, 6, 9]);
    assert.deepEqual(first!.failures, { "no route to host": 3 });
    assert.equal(incidents["connection failed: EHOSTUNREACH"], 3);
    assert.equal(rowsOf(engine, "arp_solicit").length, 10, "three for each, and one of the fourth");
  });

  it("is no error of Linux' datagrams: who has not asked for such errors hears of none", () => {
    const { report: { workloads: [first], drops } } = runDesign(designText({ domains: { q: ["discard: { protocol: udp }", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"] } },
      "workloads:\n  - udp-stream: { from: client, to: q, duration: 1ms, interval: 100us, size: 64B }\nfaults:\n  - { at: 0ms, crash: q }\nrun: { until: 5s }\n"));
    assert.equal(first!.errors, 0);
    assert.equal(drops["no answer to ARP"], first!.requests);
  });

  it("is an error of NetBSD's datagrams once five requests are unanswered, for 20 s since the last; each asks again, but not within a second", () => {
    let socket = -1;
    const engine = netbsd((ip) => {
      if (socket < 0) socket = Number(ip.datagrams.open(0, 4000));
      ip.datagrams.send(socket, NOBODY, 9, 0, 0, 64);
    }, [1, 3, 10, 10.5, 20, 41], 50);
    // At 1, 2, 3, 4 and 5 s; then one with each but the second; at 41 s it is not down any more.
    assert.deepEqual(timesOf(engine, "sendto failed: EHOSTDOWN"), [10, 11, 20]);
    assert.deepEqual(timesOf(engine, "arprequest"), [1, 2, 3, 4, 5, 10, 20, 41, 42, 43, 44, 45]);
  });

  it("fails NetBSD's connect at once while it is down; a client tries no more than ten times again", () => {
    const engine = createEngine(designOf(`exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599, sriov: { vfs: 2 } } }
    hypervisor: { model: xen }
    domains:
      gen: { components: [load-generator, libc, tcpip, ixgbe: { bind: nic0.vf0 }] }
      web: { components: [http-server, libc, tcpip, ixgbe: { bind: nic0.vf1 }] }
workloads:
  - http: { from: gen, to: web, size: 1KiB, requests: 50, concurrency: 1, keepalive: off }
faults:
  - { at: 0ms, crash: web }
run: { until: 100s }
`));
    const { tcp, datagrams } = engine.built.machine.placed("server/gen/tcpip") as TcpIp;
    // The first attempt lasts 75 s. Datagrams see to it that the neighbour is still down then.
    for (const time of [45, 60]) act(engine, time * SECOND, () => void datagrams.send(Number(datagrams.open(0, 4000 + time)), tcp.remoteIp(0), 9, 0, 0, 64));
    while (engine.dispatch());
    assert.deepEqual(report(engine).workloads[0]!.failures, { "connection timed out": 1, "host is down": 11 });
    assert.deepEqual(timesOf(engine, "connection failed: EHOSTDOWN"), Array.from({ length: 11 }, () => 75));
  });
});
