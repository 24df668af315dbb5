import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Netserver } from "../../../engine/components/netserver";
import type { SocketUser } from "../../../engine/components/socketUser";
import type { TcpIp } from "../../../engine/components/tcpip";
import type { Vif } from "../../../engine/components/vif";
import type { MachineEngine } from "../../../engine/create";
import { formatIpv4 } from "../../../engine/network/addresses";
import { ArpOperation, Protocol, TcpFlag } from "../../../engine/network/packets";
import { CloseReason } from "../../../engine/network/tcp/api";
import { createEngine } from "../../../engine/create";
import { inDispatch } from "../../support/inDispatch";
import { designOf, runDesign } from "../../support/runDesign";

const text = readFileSync("samples/librettos/shared-address.exo.yaml", "utf8");
const SHARED = "10.0.0.100";

const stackOf = (engine: MachineEngine, domain: string): TcpIp => engine.built.machine.placed(`server/${domain}/tcpip`) as TcpIp;
const serverOf = (engine: MachineEngine): Netserver => engine.built.machine.placed("server/netsrv/netserver") as Netserver;
const vifOf = (engine: MachineEngine, domain: string): Vif => engine.built.machine.placed(`server/${domain}/vif`) as Vif;

/** Rows of a function, by the domain that it ran in. */
function rowsOf({ trace, names }: MachineEngine, name: string): { domain: string | undefined; packet: number; b: number }[] {
  const ids = names.functions.filter((f) => f.name === name).map(({ id }) => id);
  return Array.from({ length: trace.length }, (_, row) => row).filter((row) => ids.includes(trace.fn(row)))
    .map((row) => ({ domain: names.components[trace.component(row)]!.domain, packet: trace.packet(row), b: trace.b(row) }));
}

function runUntil(engine: MachineEngine, time: number): void {
  while (engine.time < time && engine.dispatch());
}

describe("a network server's address", () => {
  const { engine, report } = runDesign(text);
  const { packets } = engine.built.machine;

  it("is that of all applications that cannot leave it; one that can has an address of the pool", () => {
    assert.deepEqual(["nginx", "redis", "resolver", "echo"].map((domain) => formatIpv4(stackOf(engine, domain).ip)), [SHARED, SHARED, SHARED, "10.0.0.101"]);
    assert.notEqual(formatIpv4((engine.built.machine.placed("client/os/tcpip") as TcpIp).ip), SHARED);
  });

  it("serves them all: frames go to the owner of the port, TCP and UDP apart", () => {
    for (const { workload, completed, requests, errors } of report.workloads) assert.deepEqual([completed, errors], [requests, 0], workload);
    const portmap = engine.built.machine.portmaps.get("server/netsrv/netserver")!;
    const numbers = ["nginx", "redis", "resolver"].map((domain) => vifOf(engine, domain).channelNumber);
    assert.deepEqual([portmap.owner(Protocol.tcp, 80), portmap.owner(Protocol.tcp, 6379), portmap.owner(Protocol.udp, 53)], numbers);
    assert.equal(portmap.owner(Protocol.tcp, 53), -1);
  });

  it("is the server's to answer for: no application sees an ARP request for it, and the client gets one reply a request", () => {
    const toShared = (packet: number): boolean => packets.isArp(packet) && packets.arpOperation(packet) === ArpOperation.request && formatIpv4(packets.destinationIp(packet)) === SHARED;
    assert.ok(rowsOf(engine, "backend_forward_send").every(({ packet }) => !toShared(packet)));
    const answered = rowsOf(engine, "in_arpinput").filter(({ domain, packet }) => domain === "server/netsrv" && toShared(packet));
    assert.ok(answered.length > 0);
    assert.equal(new Set(answered.map(({ packet }) => packet)).size, answered.length);
  });

  it("does not make one application another: a port that is not its own is found out, though the address is its own", () => {
    assert.equal(report.incidents["forged source port"], 5);
    assert.equal(report.incidents["forged source IP"] ?? 0, 0);
    assert.equal(report.incidents["forged source on the wire"] ?? 0, 0);
  });

  it("relays frames as they are: what a stack has sent is what leaves for the wire", () => {
    const taken = new Set(rowsOf(engine, "backend_forward_receiver").map(({ packet }) => packet));
    const wired = new Set(rowsOf(engine, "serialise").map(({ packet }) => packet));
    const frames = [...wired].filter((packet) => formatIpv4(packets.sourceIp(packet)) === SHARED && !packets.isArp(packet) && packets.isTcp(packet));
    assert.ok(frames.length > 400);
    for (const packet of frames) assert.ok(taken.has(packet) && packets.parentOf(packet) < 0, "another frame than the handler took out of the ring");
  });

  it("stays when an application with an address of its own takes that elsewhere", () => {
    const { addresses } = serverOf(engine);
    assert.deepEqual(["nginx", "echo"].map((domain) => addresses.isActive(vifOf(engine, domain).channelNumber)), [true, false]);
    assert.equal(formatIpv4(stackOf(engine, "echo").ip), "10.0.0.101");
  });

  it("sends an ICMP error to the application whose datagram it quotes", () => {
    const started = createEngine(designOf(text.replace(/workloads:[^]*switches:/, "switches:")));
    runUntil(started, 20e9);
    const { machine } = started.built;
    const client = machine.placed("client/os/tcpip") as TcpIp;
    const { datagrams, addUser } = { datagrams: stackOf(started, "resolver").datagrams, addUser: (user: SocketUser) => stackOf(started, "resolver").addUser(user) };
    const unreachable: number[] = [];
    const nothing = (): void => {};
    inDispatch(machine.kernel, () => {
      const user = addUser({ onAcceptable: nothing, onEstablished: nothing, onReadable: nothing, onWritable: nothing, onClosed: nothing, onUnreachable: (socket) => unreachable.push(socket) });
      const socket = datagrams.open(user, 0) as number;
      datagrams.send(socket, client.ip, 9, machine.packets.openStreams(), 0, 10);
    });
    runUntil(started, 60e9);
    assert.equal(unreachable.length, 1);
  });

  it("pool: an address is taken while its application lives, and goes back when that is gone", () => {
    const crashing = createEngine(designOf(text.replace(/switches:\n.*\n/, "").replace("faults:", "faults:\n  - { at: 50ms, crash: echo, restart: 50ms }")));
    const taken = (): boolean => serverOf(crashing).registry.isTaken(0x0a000065);
    runUntil(crashing, 40e9);
    assert.equal(taken(), true);
    runUntil(crashing, 60e9);
    assert.equal(taken(), false);
    runUntil(crashing, 300e9);
    assert.equal(taken(), true);
  });
});

describe("ports of an application behind a network server", () => {
  const quiet = text.replace(/workloads:[^]*switches:\n.*\n/, "").replace("      resolver:", `      direct:
        kind: vm
        components:
          - echo: { port: 99 }
          - libc
          - tcpip
          - ixgbe: { bind: nic0.vf0 }
      resolver:`).replace("          - ixgbe: { bind: nic0.vf0 }\n        uplinks: { tcpip: [vif, ixgbe], active: vif }\n", "");

  it("of its own connections are bound by the portbind hypercall, and given back when the connection is over", () => {
    const engine = createEngine(designOf(quiet));
    runUntil(engine, 50e9);
    const { machine } = engine.built;
    const stack = stackOf(engine, "redis");
    const portmap = machine.portmaps.get("server/netsrv/netserver")!;
    const index = vifOf(engine, "redis").channelNumber;
    const seen: string[] = [];
    const user: SocketUser = {
      onAcceptable: () => {}, onReadable: () => {}, onWritable: () => {},
      onEstablished: () => seen.push("established"), onClosed: () => seen.push("closed"),
    };
    const conn = inDispatch(machine.kernel, () => stack.open(stack.addUser(user), stackOf(engine, "direct").ip, 99)) as number;
    assert.equal(stack.tcp.localPort(conn), 49152);
    assert.equal(portmap.owner(Protocol.tcp, 49152), index);
    runUntil(engine, 300e9);
    assert.deepEqual(seen, ["established"], "its segments pass the server's verification, and the answers find it");
    const second = inDispatch(machine.kernel, () => stack.open(stack.addUser(user), stackOf(engine, "direct").ip, 99)) as number;
    assert.equal(stack.tcp.localPort(second), 49153);
    inDispatch(machine.kernel, () => {
      stack.tcp.abort(conn);
      assert.equal(portmap.owner(Protocol.tcp, 49152), index, "what it sent last is on its way");
    });
    runUntil(engine, 400e9);
    assert.equal(portmap.owner(Protocol.tcp, 49152), -1);
    assert.equal(portmap.owner(Protocol.tcp, 49153), index);
    assert.equal(portmap.owner(Protocol.tcp, 6379), index, "a listener keeps its port");
    assert.equal(rowsOf(engine, "forged source port").length, 0);
  });
});

describe("a port at a network server's interface that no application owns", () => {
  /** Nobody sends but who is told to below. */
  const quiet = text.replace(/workloads:[^]*run:/, "run:");
  const SHARED_IP = 0x0a000064;
  const ALIAS = 0x0a000065;
  const clientOf = (engine: MachineEngine): TcpIp => engine.built.machine.placed("client/os/tcpip") as TcpIp;

  function started(design = quiet): MachineEngine {
    const engine = createEngine(designOf(design));
    runUntil(engine, 50e9);
    return engine;
  }

  /** The client opens connections, and waits. @returns them, and why they were closed in that time */
  function open(engine: MachineEngine, address: number, port: number, connections = 1): { conns: readonly number[]; reasons: CloseReason[] } {
    const reasons: CloseReason[] = [];
    const nothing = (): void => {};
    const client = clientOf(engine);
    const user = client.addUser({ onAcceptable: nothing, onEstablished: nothing, onReadable: nothing, onWritable: nothing, onClosed: (_conn, reason) => reasons.push(reason) });
    const conns = inDispatch(engine.built.machine.kernel, () => Array.from({ length: connections }, () => client.open(user, address, port) as number));
    runUntil(engine, engine.time + 20e9);
    return { conns, reasons };
  }

  /** Resets of all stacks, in words, without the client's port. */
  function resetsOf(engine: MachineEngine): string[] {
    const { packets } = engine.built.machine;
    const found: string[] = [];
    for (let p = 0; p < packets.length; p++) if (packets.isTcp(p) && (packets.flags(p) & TcpFlag.rst) !== 0) found.push(packets.summarize(p).replace(/10\.0\.0\.1:\d+/, "client"));
    return found;
  }

  it("of the address that they share: the server's own stack resets the segment, of which no application hears", () => {
    const engine = started();
    assert.deepEqual(open(engine, SHARED_IP, 81).reasons, [CloseReason.refused]);
    assert.deepEqual(resetsOf(engine), ["TCP 10.0.0.100:81 → client [RST, ACK] seq 0 ack 1 win 0 len 0"]);
    const [unowned, ...others] = rowsOf(engine, "no owner of the port");
    assert.deepEqual([unowned?.domain, others.length], ["server/netsrv", 0]);
    assert.ok(rowsOf(engine, "backend_forward_send").every(({ packet }) => packet !== unowned!.packet));
    assert.deepEqual(rowsOf(engine, "tcp_input").map(({ domain, packet }) => [domain, packet]), [["server/netsrv", unowned!.packet]]);
  });

  it("of an application's own address, for as long as that is at the interface", () => {
    const engine = started();
    assert.deepEqual(open(engine, ALIAS, 81).reasons, [CloseReason.refused]);
    assert.deepEqual(resetsOf(engine), ["TCP 10.0.0.101:81 → client [RST, ACK] seq 0 ack 1 win 0 len 0"]);
    const gone = started(quiet.replace("run:", "faults: [{ at: 10ms, crash: echo }]\nrun:"));
    // Nobody answers ARP for it any more: who has heard of it before sends on.
    inDispatch(gone.built.machine.kernel, () => {
      const { packets } = gone.built.machine;
      const syn = packets.createTcp(clientOf(gone).ip, ALIAS, 50_000, 81, 1, 0, TcpFlag.syn, 1000, -1, -1, 0, 0);
      packets.setEthernet(syn, serverOf(gone).mac, clientOf(gone).wire.mac);
      clientOf(gone).wire.transmit(syn);
    });
    runUntil(gone, gone.time + 20e9);
    assert.equal(rowsOf(gone, "address not on this interface").length, 1);
    assert.deepEqual(resetsOf(gone), []);
  });

  it("is nobody's whose application is gone: what it had is reset, and a reset is not", () => {
    for (const aborts of [false, true]) {
      const engine = started(quiet.replace("run:", "faults: [{ at: 200ms, crash: nginx }]\nrun:"));
      const { conns: [conn], reasons } = open(engine, SHARED_IP, 80);
      runUntil(engine, 250e9);
      const { tcp } = clientOf(engine);
      assert.equal(tcp.stateName(conn!), "ESTABLISHED");
      inDispatch(engine.built.machine.kernel, () => void (aborts ? tcp.abort(conn!) : tcp.send(conn!, 100)));
      runUntil(engine, engine.time + 20e9);
      assert.deepEqual(resetsOf(engine), aborts
        ? ["TCP client → 10.0.0.100:80 [RST, ACK] seq 1 ack 1 win 0 len 0"]
        : ["TCP 10.0.0.100:80 → client [RST] seq 1 win 0 len 0"]);
      if (!aborts) assert.deepEqual(reasons, [CloseReason.reset]);
      assert.equal(rowsOf(engine, "no owner of the port").length, 1);
    }
  });

  it("is said to be so 100 times a second", () => {
    const engine = started();
    assert.equal(open(engine, SHARED_IP, 81).reasons.length, 1, "the address is known from here on");
    assert.equal(open(engine, SHARED_IP, 81, 149).reasons.length, 99);
    assert.equal(rowsOf(engine, "no owner of the port").length, 150);
    assert.equal(open(engine, SHARED_IP, 82).reasons.length, 0);
  });
});
