import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { report } from "../../../engine/analysis/report";
import type { Ixgbe } from "../../../engine/components/ixgbe";
import type { TcpIp } from "../../../engine/components/tcpip";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { parseIpv4 } from "../../../engine/network/addresses";
import { ArpOperation, BROADCAST, IcmpType, Protocol } from "../../../engine/network/packets";
import { act, rowsOf } from "../../support/act";
import { designOf } from "../../support/runDesign";

/** An application, 10.0.0.10, with a function of its own, one behind a network server, 10.0.0.11, and a client, 10.0.0.1. */
const text = (rest = "workloads: []\nrun: { until: 100ms, seed: 1 }"): string => `exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599, sriov: { vfs: 1 } } }
    hypervisor: { model: xen }
    domains:
      netsrv: { components: [netserver, ixgbe: { bind: nic0.pf }] }
      direct: { components: [http-server, libc, tcpip: { ip: 10.0.0.10 }, ixgbe: { bind: nic0.vf0 }] }
      served: { components: [key-value-store, libc, tcpip: { ip: 10.0.0.11 }, vif: { channel: netsrv.netserver }] }
  client: { model: load-generator, link: { to: server.nic0 } }
${rest}
`;

function run(design: string, prepare: (engine: MachineEngine) => void = () => {}): MachineEngine {
  const engine = createEngine(designOf(design));
  prepare(engine);
  while (engine.dispatch());
  return engine;
}

const stack = (engine: MachineEngine, path: string): TcpIp => engine.built.machine.placed(path) as TcpIp;
/** The names of a packet's rows, in order. */
const wayOf = ({ trace, names }: MachineEngine, packet: number): string[] =>
  Array.from({ length: trace.length }, (_, row) => row).filter((row) => trace.packet(row) === packet).map((row) => names.functions[trace.fn(row)]!.name);
/** Packets of the rows of a name. */
const packetsOf = (engine: MachineEngine, name: string): number[] => rowsOf(engine, name).map((row) => engine.trace.packet(row));

describe("a packet whose neighbour is not known yet", () => {
  for (const [system, path, before, after] of [
    ["Linux", "client/os/tcpip", ["raw_sendmsg", "ip_send_skb"], ["dev_queue_xmit", "ixgbe_xmit_frame"]],
    ["NetBSD", "server/direct/tcpip", ["rip_output", "ip_output", "ether_output", "in4_cksum"], ["ether_output", "ixgbe_mq_start"]],
  ] as const) {
    it(`goes through ${system}' driver once, when the answer is there`, () => {
      const to = system === "Linux" ? "10.0.0.10" : "10.0.0.1";
      const engine = run(text(), (e) => act(e, 20e9, () => void stack(e, path).datagrams.echo(1, parseIpv4(to)!, 1, 0, 0, 56)));
      const [request] = packetsOf(engine, before[0]);
      const way = wayOf(engine, request!).filter((name) => name !== "the test acts");
      assert.deepEqual(way.slice(0, before.length + 2), [...before, ...after]);
      assert.equal(way.filter((name) => name === "TDT write").length, 1);
      const answered = rowsOf(engine, system === "Linux" ? "arp_rcv" : "in_arpinput").find((row) => engine.names.components[engine.trace.component(row)]!.path === path)!;
      assert.ok(rowsOf(engine, "TDT write").find((row) => engine.trace.packet(row) === request)! > answered);
    });
  }

  for (const [system, path, requests] of [["Linux", "client/os/tcpip", 3], ["NetBSD", "server/direct/tcpip", 5]] as const) {
    it(`is given up when nobody has answered ${system}' ${requests} requests; the next packet asks again`, () => {
      const nobody = parseIpv4("10.0.0.77")!;
      const engine = run(text("workloads: []\nrun: { until: 6500ms, seed: 1 }"), (e) => act(e, 20e9, () => void stack(e, path).datagrams.echo(1, nobody, 1, 0, 0, 56)));
      const asked = rowsOf(engine, system === "Linux" ? "arp_solicit" : "arprequest");
      assert.equal(asked.length, requests);
      const [given] = rowsOf(engine, "no answer to ARP");
      assert.ok(engine.trace.time(given!) - engine.trace.time(asked.at(-1)!) >= 1e12);
      assert.equal(packetsOf(engine, "TDT write").includes(engine.trace.packet(given!)), false);
      act(engine, 0, () => void stack(engine, path).datagrams.echo(1, nobody, 2, 0, 0, 56));
      engine.built.machine.kernel.dispatch();
      for (let i = 0; i < 50; i++) engine.built.machine.kernel.dispatch();
      assert.equal(rowsOf(engine, system === "Linux" ? "arp_solicit" : "arprequest").length, requests + 1);
    });
  }
});

describe("what a stack answers", () => {
  it("an echo request ends where it is answered, and the answer has the driver's rows", () => {
    for (const [to, last] of [["10.0.0.10", "icmp_reflect"], ["10.0.0.11", "icmp_reflect"]] as const) {
      const engine = run(text(), (e) => act(e, 20e9, () => void stack(e, "client/os/tcpip").datagrams.echo(1, parseIpv4(to)!, 1, 0, 0, 56)));
      const { packets } = engine.built.machine;
      const [request, reply] = [IcmpType.echo, IcmpType.echoReply].map((type) => packetsOf(engine, "serialise").find((p) => packets.isIcmp(p) && packets.icmpType(p) === type)!);
      assert.equal(wayOf(engine, request!).at(-1), last);
      assert.equal(wayOf(engine, reply!).filter((name) => name === "TDT write").length, 1, to);
    }
  });

  it("a corrupted one is not answered, and for an address that is nobody's neither: each says why", () => {
    const engine = run(text(), (e) => act(e, 20e9, () => {
      const { packets } = e.built.machine;
      const netsrv = e.built.machine.placed("server/netsrv/netserver") as unknown as { input(packet: number): void };
      const ask = (to: string): number => packets.createEcho(IcmpType.echo, parseIpv4("10.0.0.1")!, parseIpv4(to)!, 1, 1, 0, 0, 56, 1);
      const broken = ask("10.0.0.11");
      packets.corrupt(broken, 8 * 40);
      netsrv.input(broken);
      netsrv.input(ask("10.0.0.77"));
    }));
    assert.deepEqual(report(engine).drops, { "bad UDP or ICMP checksum": 1, "address is not this host's": 1 });
  });

  it("nothing for an address that is not its own: the packet gets no further than IP", () => {
    const engine = run(text(), (e) => act(e, 20e9, () => {
      stack(e, "server/direct/tcpip").input(e.built.machine.packets.createTcp(parseIpv4("10.0.0.1")!, parseIpv4("10.0.0.77")!, 1, 80, 0, 0, 2, 0, -1, 0, 0, 1));
    }));
    const [lost] = packetsOf(engine, "address is not this host's");
    assert.deepEqual(wayOf(engine, lost!), ["ether_input", "ip_input", "address is not this host's"]);
  });

  it("each reset by work of its own, that says which", () => {
    const engine = run(text(), (e) => act(e, 20e9, () => {
      const { packets } = e.built.machine;
      for (const port of [1001, 1002, 1003]) stack(e, "server/direct/tcpip").input(packets.createTcp(parseIpv4("10.0.0.1")!, parseIpv4("10.0.0.10")!, port, 99, 0, 0, 2, 0, -1, 0, 0, 1));
    }));
    const { packets } = engine.built.machine;
    const resets = packetsOf(engine, "serialise").filter((p) => packets.isTcp(p));
    assert.deepEqual(resets.map((p) => packets.destinationPort(p)), [1003]);
    assert.equal(report(engine).drops["no address yet"], 2, "BSD keeps one packet until ARP is answered");
    for (const p of packetsOf(engine, "no address yet")) assert.deepEqual(wayOf(engine, p), ["tcp_output", "ip_output", "ether_output", "in4_cksum", "no address yet"]);
  });
});

describe("a VF's driver", () => {
  it("sends nothing before it is through the mailbox, and says so", () => {
    const engine = run(text(), (e) => act(e, 1e6, () => {
      const driver = e.built.machine.placed("server/direct/ixgbe") as Ixgbe;
      const { packets } = e.built.machine;
      const frame = packets.createArp(ArpOperation.request, driver.mac, 1, 0, 1);
      packets.setEthernet(frame, BROADCAST, driver.mac);
      driver.transmit(frame);
    }));
    assert.deepEqual(report(engine).drops, { "interface down": 1 });
  });

  it("finds what has come for it before, when it is", () => {
    // Busy neighbours keep its vCPU from the mailbox, while the client asks already.
    const engine = run(readFileSync("samples/scheduling/round-robin.exo.yaml", "utf8"));
    const up = rowsOf(engine, "ixgbe_check_for_msg").at(-1)!;
    const first = rowsOf(engine, "DMA write").find((row) => engine.names.components[engine.trace.component(row)]!.host === "server")!;
    assert.ok(first < up, "a frame was there before");
    assert.ok(report(engine).workloads[0]!.completed > 10);
    assert.equal(report(engine).drops["interface down"], undefined);
  });
});

describe("a driver domain", () => {
  const guests = (below: string): string => `exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599 } }
    hypervisor: { model: xen }
    domains:
      driver: { kind: driver-domain, components: [netback, ${below}, ixgbe: { bind: nic0.pf }] }
      g0: { components: [http-server, libc, tcpip: { ip: 10.0.0.10 }, netfront: { channel: driver.netback }] }
  client: { model: load-generator, link: { to: server.nic0 } }
workloads:
  - http: { from: client, to: g0, requests: 5 }
run: { until: 50ms, seed: 1 }
`;

  it("drops what a guest has not granted it the page of, and what it may not write, each with its cause", () => {
    for (const [into, from] of [[false, "10.0.0.10"], [true, "10.0.0.1"]] as const) {
      const engine = createEngine(designOf(guests("bridge")));
      const grants = engine.built.machine.grants.get("server")!;
      const mayUse = grants.mayUse.bind(grants);
      act(engine, 10.1e9, () => (grants.mayUse = (by, domain, r, write) => write !== into && mayUse(by, domain, r, write)));
      while (engine.dispatch());
      const refused = packetsOf(engine, "grant refused");
      assert.ok(refused.length > 0 && refused.every((p) => engine.built.machine.packets.sourceIp(p) === parseIpv4(from)), from);
    }
  });

  it("keeps a frame from going back where it came from", () => {
    const engine = run(guests("bridge"), (e) => act(e, 30e9, () => {
      const { packets } = e.built.machine;
      const bridge = e.built.machine.placed("server/driver/bridge") as unknown as { forward(from: number, packet: number): void };
      const frame = packets.createArp(ArpOperation.reply, 0x02_00_00_00_00_77, 1, 0, 2);
      packets.setEthernet(frame, 0x02_00_00_00_00_77, 0x02_00_00_00_00_77);
      bridge.forward(1, frame);
    }));
    assert.equal(report(engine).drops["destination is at the port it came from"], 1);
  });

  it("translates a packet into another, which is what its driver sends and its guest gets", () => {
    const engine = run(guests("nat"));
    const { packets } = engine.built.machine;
    const sent = packetsOf(engine, "TDT write").filter((p) => p >= 0 && packets.isTcp(p) && packets.protocol(p) === Protocol.tcp);
    assert.ok(sent.length > 5);
    for (const p of packetsOf(engine, "ip_forward")) assert.equal(wayOf(engine, p).includes("TDT write") && wayOf(engine, p).includes("xenvif_tx_submit"), false);
    for (const p of packetsOf(engine, "xenvif_start_xmit")) if (packets.isTcp(p)) assert.ok(packets.parentOf(p) >= 0, "the translated one");
  });
});
