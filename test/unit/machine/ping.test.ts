import assert from "node:assert/strict";
import { report } from "../../../engine/analysis/report";
import type { TcpIp } from "../../../engine/components/tcpip";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { parseIpv4 } from "../../../engine/network/addresses";
import { IcmpType } from "../../../engine/network/packets";
import { act, rowsOf } from "../../support/act";
import { designOf } from "../../support/runDesign";

/** Two applications behind a network server, and a client, 10.0.0.1. */
const text = (workload = ""): string => `exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { model: xen }
    domains:
      netsrv:
        components:
          - netserver
          - ixgbe: { bind: nic0.pf }
      a:
        components:
          - http-server
          - libc
          - tcpip: { ip: 10.0.0.10 }
          - vif: { channel: netsrv.netserver }
      b:
        components:
          - key-value-store
          - libc
          - tcpip: { ip: 10.0.0.11 }
          - vif: { channel: netsrv.netserver }
  client: { model: load-generator, link: { to: server.nic0 } }
workloads:${workload === "" ? " []" : `\n  - ${workload}`}
run: { until: 100ms, seed: 1 }
`;
const CLIENT = parseIpv4("10.0.0.1")!;

function run(design: string, prepare: (engine: MachineEngine) => void = () => {}): MachineEngine {
  const engine = createEngine(designOf(design));
  prepare(engine);
  while (engine.dispatch());
  return engine;
}

describe("ICMP echo behind a network server", () => {
  it("goes from an application to the world, and the answer to the application that asked", () => {
    const engine = run(text(), (e) => act(e, 20e9, () => {
      (e.built.machine.placed("server/b/tcpip") as TcpIp).datagrams.echo(7, CLIENT, 1, 0, 0, 56);
    }));
    const { packets } = engine.built.machine;
    const of = (name: string, type: number): number[] => rowsOf(engine, name).map((row) => engine.trace.packet(row)).filter((p) => packets.isIcmp(p) && packets.icmpType(p) === type);
    assert.equal(of("serialise", IcmpType.echo).length, 1, "the request is on the wire");
    assert.deepEqual(of("rump_virtif_pktdeliver", IcmpType.echoReply).map((p) => [packets.destinationIp(p), packets.echoIdentifier(p)]), [[parseIpv4("10.0.0.11"), 7]]);
    assert.equal(rowsOf(engine, "forged source IP").length, 0);
  });

  it("under the address of another is a forgery", () => {
    const engine = run(text(), (e) => act(e, 20e9, () => {
      const { packets, components } = e.built.machine;
      const vif = components.get("server/a/vif") as unknown as { mac: number; transmit(packet: number): void };
      const packet = packets.createEcho(IcmpType.echo, parseIpv4("10.0.0.11")!, CLIENT, 7, 1, 0, 0, 56, 1);
      packets.setEthernet(packet, 1, vif.mac);
      vif.transmit(packet);
    }));
    assert.equal(rowsOf(engine, "forged source IP").length, 1);
    assert.equal(rowsOf(engine, "serialise").filter((row) => engine.built.machine.packets.isIcmp(engine.trace.packet(row))).length, 0);
  });

  it("to an application is answered by the server, which has its address for an alias", () => {
    const engine = run(text("ping: { from: client, to: b, requests: 5 }"));
    assert.equal(report(engine).workloads[0]!.completed, 5);
    const { packets } = engine.built.machine;
    assert.equal(rowsOf(engine, "rump_virtif_pktdeliver").filter((row) => packets.isIcmp(engine.trace.packet(row))).length, 0);
  });
});
