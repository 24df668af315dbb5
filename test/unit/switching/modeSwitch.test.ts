import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Netserver } from "../../../engine/components/netserver";
import { TcpIp } from "../../../engine/components/tcpip";
import type { Vif } from "../../../engine/components/vif";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { parseDesign } from "../../../engine/design/parse";
import { formatIpv4 } from "../../../engine/network/addresses";
import { ArpOperation, BROADCAST } from "../../../engine/network/packets";
import { report } from "../../../engine/analysis/report";
import { act, rowsOf } from "../../support/act";
import { designOf, runDesign } from "../../support/runDesign";

const MS = 1e9;

interface Parts {
  readonly stack?: string;
  readonly server?: string;
  readonly serverBinds?: string;
  readonly device?: string;
  readonly active?: string;
  readonly nginx?: readonly string[];
  readonly workloads?: readonly string[];
  readonly rest?: readonly string[];
  readonly faults?: readonly string[];
  readonly until?: string;
  readonly vcpus?: number;
}

/** A server with a network server and an application that can switch. */
function design({ device = "nic0.vf0", active = "vif", nginx = ["echo"], workloads = [], rest = [], faults = [], until = "1s", vcpus = 2, stack = "tcpip", server = "netserver", serverBinds = "nic0.pf" }: Parts): string {
  const list = (key: string, items: readonly string[]): string[] => (items.length === 0 ? [] : [`${key}:`, ...items.map((item) => `  - ${item}`)]);
  return [
    "exoscope: 1", "hosts:", "  server:", "    cpu: { cores: 4 }", "    iommu: on", "    devices:",
    "      nic0: { model: intel-82599, mtu: 1500, sriov: { vfs: 1 } }", "      nic1: { model: intel-82599, mtu: 1500 }",
    "    hypervisor: { model: xen }", "    domains:",
    "      netsrv:", `        components: [${server}, ixgbe: { bind: ${serverBinds} }]`,
    "      nginx:", `        vcpus: ${vcpus}`, `        components: [${[...nginx, "libc", stack, "vif: { channel: netsrv.netserver }", `ixgbe: { bind: ${device} }`].join(", ")}]`,
    `        uplinks: { tcpip: [vif, ixgbe], active: ${active} }`,
    "  client: { model: load-generator, cpu: { cores: 1 }, link: { to: server.nic0, delay: 2us } }",
    ...list("workloads", workloads), ...list("switches", rest), ...list("faults", faults), `run: { until: ${until}, seed: 1 }`, "",
  ].join("\n");
}

const toDirect = "{ at: 100ms, switch: nginx, to: direct }";
const toServer = "{ at: 400ms, switch: nginx, to: server }";
const steady = "open-loop: { from: client, to: nginx, arrivals: periodic, interval: 2ms, requests: 400, size: 3000B, concurrency: 8 }";

const datagrams = (duration: string): string => `udp-stream: { from: client, to: nginx, interval: 10ms, duration: ${duration} }`;

const packetsOf = (engine: MachineEngine): MachineEngine["built"]["machine"]["packets"] => engine.built.machine.packets;
const ipOf = (engine: MachineEngine): number => (engine.built.machine.placed("server/nginx/tcpip") as TcpIp).ip;
/** Rows of ARP packets that leave for a link, and the packets. */
const arpRows = (engine: MachineEngine): number[] => rowsOf(engine, "serialise").filter((row) => packetsOf(engine).isArp(engine.trace.packet(row)));
const arpOnWire = (engine: MachineEngine): number[] => arpRows(engine).map((row) => engine.trace.packet(row));
const vifOf = (engine: MachineEngine): Vif => engine.built.machine.placed("server/nginx/vif") as Vif;
const calls = (engine: MachineEngine, name: string): number => engine.built.machine.kernel.count(engine.names.functions.find((f) => f.name === name)!.id);
const dispatchUntil = (engine: MachineEngine, time: number): void => { while (engine.time < time && engine.dispatch()); };

describe("a dynamic mode switch", () => {
  it("takes what the paper measured, with a PF as its prototype had; 54 ms of it are the driver's waits, and what remains is fitted", () => {
    const { report, engine } = runDesign(design({ device: "nic1.pf", rest: [toDirect, toServer] }));
    const [there, back] = report.switches.map(({ duration }) => duration! / MS);
    assert.ok(Math.abs(there! - 56) < 0.01, `${there} ms`);
    assert.ok(Math.abs(back! - 69) < 0.01, `${back} ms`);
    const { costs } = engine.built.machine;
    const waits = 2 * costs.latency("driver flushes queues") + costs.latency("driver waits after a reset");
    assert.equal(waits, 54 * MS);
    const [fittedThere, fittedBack] = [costs.latency("rest of a switch to direct"), costs.latency("rest of a switch to the server")];
    assert.ok(fittedThere < 2 * MS && fittedBack < 15 * MS);
  });

  it("leaves a row for what remains of it where that costs nothing", () => {
    const { report, engine } = runDesign(`${design({ device: "nic1.pf", rest: [toDirect, toServer] })}costs: { "rest of a switch to direct": 0s, "rest of a switch to the server": 0s }\n`);
    assert.deepEqual(report.switches.map(({ outcome }) => outcome), ["done", "done"]);
    assert.deepEqual([calls(engine, "rest of a switch to direct"), calls(engine, "rest of a switch to the server")], [1, 1]);
  });

  it("takes 10 ms longer with a VF, whose driver waits for the PF's answer, and some mailbox messages", () => {
    const { report } = runDesign(design({ rest: [toDirect, toServer] }));
    const [there, back] = report.switches.map(({ duration }) => duration! / MS);
    assert.ok(there! > 66 && there! < 69, `${there} ms`);
    assert.ok(back! > 78 && back! < 80, `${back} ms`);
  });

  it("keeps address, sockets and connections; frames go where the address is, without copies in direct mode", () => {
    const engine = createEngine(designOf(design({ workloads: [steady], rest: [toDirect, toServer] })));
    const { machine } = engine.built;
    const stack = machine.placed("server/nginx/tcpip") as TcpIp;
    const vif = vifOf(engine);
    const nic = machine.nics.get("server/nic0")!;
    const [pfMac, vfMac] = [nic.macOf(0), nic.functions[1]!.mac];
    assert.deepEqual([vif.mac, vif.uplink.via], [pfMac, 0]);
    const { ip } = stack;
    dispatchUntil(engine, 390 * MS);
    assert.deepEqual([vif.mac, vif.uplink.via, stack.ip], [vfMac, 1, ip]);
    const copies = calls(engine, "frontend_send") + calls(engine, "backend_forward_send");
    const notifications = calls(engine, "minios_notify_remote_via_evtchn");
    dispatchUntil(engine, 399 * MS);
    assert.equal(calls(engine, "frontend_send") + calls(engine, "backend_forward_send"), copies);
    assert.equal(calls(engine, "minios_notify_remote_via_evtchn"), notifications);
    assert.ok(calls(engine, "rump_virtif_pktforward_direct") > 0 && calls(engine, "rump_virtif_pktdeliver_direct") > 0);
    while (engine.dispatch());
    assert.deepEqual([vif.mac, vif.uplink.via, stack.ip], [pfMac, 0, ip]);
    const [work] = [...machine.components.values()].flatMap((model) => model.reports?.() ?? []);
    assert.deepEqual([work!.completed, work!.errors], [400, 0]);
  });

  it("tells the neighbours, who send to the new place at once; what was lost comes again by TCP, and the wait for it is not the switch's", () => {
    const { engine, report } = runDesign(design({ workloads: [steady], rest: [toDirect, toServer] }));
    assert.ok(report.drops["address not on this interface"]! > 0);
    const [there, back] = report.switches;
    for (const { silence, duration } of [there!, back!]) assert.ok(duration! < 80 * MS && silence! < 201 * MS);
    // Linux waits 200 ms before it sends again what was lost; by a probe, as something was under way.
    assert.ok(report.retransmissions > 0 && report.incidents["tail loss probe"]! > 0 && report.workloads[0]!.latency.max >= 200 * MS);
    // Nothing goes to the server's address while the application is elsewhere, beyond what was on its way.
    assert.ok(there!.lost < 40 && calls(engine, "arpannounce") >= 2);
    const quiet = runDesign(design({ rest: [toDirect, toServer] })).report.switches;
    assert.ok(Math.abs(quiet[0]!.duration! - there!.duration!) < MS, "traffic makes no switch longer");
  });

  it("invalidates by announcements what neighbours know of the address: from the driver's interface, and when the VIF takes on its Ethernet address", () => {
    const { engine } = runDesign(design({ nginx: ["discard: { protocol: udp }"], workloads: [datagrams("200ms")], rest: [toDirect] }));
    const { packets } = engine.built.machine;
    const vf = engine.built.machine.nics.get("server/nic0")!.functions[1]!.mac;
    const sent = arpOnWire(engine).filter((p) => packets.sourceMac(p) === vf);
    assert.deepEqual(sent.map((p) => [packets.sourceIp(p), packets.destinationIp(p)]), sent.map(() => [ipOf(engine), ipOf(engine)]));
    assert.equal(sent.length, 2, "no more than NetBSD sends without probes");
    const [moved] = rowsOf(engine, "neighbour is at another address now");
    assert.equal(engine.trace.packet(moved!), sent[0]);
    const stream = rowsOf(engine, "serialise").map((row) => engine.trace.packet(row)).filter((p) => packets.isUdp(p));
    const after = stream.findIndex((p) => packets.destinationMac(p) === vf);
    assert.ok(after > 0 && stream.slice(after).every((p) => packets.destinationMac(p) === vf));
  });

  it("is probed by a neighbour some seconds later, if nothing else shows that the new address is right; data that are acknowledged do", () => {
    const silent = runDesign(design({ nginx: ["discard: { protocol: udp }"], workloads: [datagrams("6s")], rest: [toDirect], until: "7s" })).engine;
    const { packets, nics } = silent.built.machine;
    const vf = nics.get("server/nic0")!.functions[1]!.mac;
    const probe = rowsOf(silent, "serialise").find((row) => packets.isArp(silent.trace.packet(row)) && packets.destinationMac(silent.trace.packet(row)) === vf)!;
    const announced = rowsOf(silent, "neighbour is at another address now")[0]!;
    const waited = silent.trace.time(probe) - silent.trace.time(announced);
    assert.ok(waited >= 5000 * MS && waited < 5003 * MS, `${waited / MS} ms: Linux' delay_first_probe_time, from the first datagram on`);
    assert.equal(packets.arpOperation(silent.trace.packet(arpRows(silent).at(-1)!)), ArpOperation.reply);
    const cacheOf = (engine: MachineEngine): string => (engine.built.machine.placed("client/os/tcpip") as TcpIp).addressing.describe().children!.find(({ name }) => name === formatIpv4(ipOf(engine)))!.value;
    assert.match(cacheOf(silent), /reachable/);
    const talking = runDesign(design({ workloads: [steady.replace("interval: 2ms, requests: 400", "interval: 20ms, requests: 340")], rest: [toDirect], until: "7s" })).engine;
    assert.equal(rowsOf(talking, "neigh_timer_handler").length > 0, true);
    assert.ok(!rowsOf(talking, "serialise").some((row) => packetsOf(talking).isArp(talking.trace.packet(row)) && packetsOf(talking).destinationMac(talking.trace.packet(row)) === vf));
    assert.match(cacheOf(talking), /reachable/);
  });

  describe("with probes (RFC 5227)", () => {
    const parts = { nginx: ["discard: { protocol: udp }"], stack: "tcpip: { probes: 3 }", server: "netserver: { probes: 2 }", until: "20s", workloads: [datagrams("15s")] } as const;

    it("asks for the address before it is used, for some seconds, in which nothing gets through; then announces it", () => {
      const { engine, report } = runDesign(design({ ...parts, rest: [toDirect, "{ at: 10s, switch: nginx, to: server }"] }));
      const [there, back] = report.switches;
      // At most a second before the first, one to two between them, two after the last.
      assert.ok(there!.duration! > 4056 * MS && there!.duration! < 7080 * MS && back!.duration! > 3069 * MS && back!.duration! < 5090 * MS, `${there!.duration! / MS} and ${back!.duration! / MS} ms`);
      assert.deepEqual([there!.outcome, back!.outcome], ["done", "done"]);
      const { packets, nics } = engine.built.machine;
      const ip = ipOf(engine);
      const of = (mac: number): (readonly [number, number])[] => arpOnWire(engine).filter((p) => packets.sourceMac(p) === mac && packets.destinationIp(p) === ip).map((p) => [packets.sourceIp(p), packets.destinationIp(p)] as const);
      const [vf, pf] = [nics.get("server/nic0")!.functions[1]!.mac, nics.get("server/nic0")!.macOf(0)];
      const [probe, announcement] = [[0, ip], [ip, ip]];
      assert.deepEqual(of(vf), [probe, probe, probe, announcement, announcement, announcement], "two from the interface, one for the VIF's new Ethernet address");
      assert.deepEqual(of(pf), [probe, probe, announcement, announcement]);
    });

    it("fails where somebody else has the address, and the server keeps the application", () => {
      const engine = createEngine(designOf(design({ ...parts, rest: [toDirect] })));
      act(engine, 2e12, () => {
        const { packets, links } = engine.built.machine;
        const other = 0x02_00_00_00_00_99;
        const answer = packets.createArp(ArpOperation.reply, other, ipOf(engine), 0, 0);
        packets.setEthernet(answer, BROADCAST, other);
        links[0]!.send(0, answer);
      });
      while (engine.dispatch());
      const [there] = report(engine).switches;
      assert.equal(there!.outcome, "failed");
      assert.equal(vifOf(engine).uplink.via, 0);
      assert.ok(rowsOf(engine, "address is in use elsewhere").length === 1);
      const server = engine.built.machine.placed("server/netsrv/netserver") as Netserver;
      assert.ok(server.addresses.isActive(0));
    });
  });

  it("from the server and back leaves everything as it was: portmap, rings, addresses", () => {
    const never = runDesign(design({ workloads: [steady] })).engine;
    const twice = runDesign(design({ workloads: [steady], rest: [toDirect, toServer] })).engine;
    const state = ({ built: { machine } }: MachineEngine): unknown => {
      const portmap = machine.portmaps.get("server/netsrv/netserver")!;
      const owners = Array.from({ length: 65_536 }, (_, port) => portmap.owner(6, port));
      const server = (machine.placed("server/nginx/vif") as Vif);
      return [owners, server.mac, server.uplink.via, [...machine.components.values()].flatMap((model) => (model instanceof TcpIp ? [model.ip] : []))];
    };
    assert.deepEqual(state(twice), state(never));
  });

  it("goes to the PF of the adapter that the server has a VF of, at the same cable; the way back takes the server's VF with it", () => {
    const { report, engine } = runDesign(design({ device: "nic0.pf", serverBinds: "nic0.vf0", workloads: [steady], rest: [toDirect, toServer] }));
    assert.deepEqual(report.switches.map(({ outcome }) => outcome), ["done", "done"]);
    const [direct, back] = report.switches;
    assert.ok(direct!.silence! < 201 * MS, "frames get through after it");
    // The PF's interface goes down, and its driver's reset is one of the port: until the PF is up again, nobody has a way out.
    assert.equal(back!.silence, undefined, "nothing came after it");
    assert.ok(report.workloads[0]!.completed > 150 && report.workloads[0]!.completed < 400);
    assert.deepEqual([0, 1].map((f) => engine.built.machine.nics.get("server/nic0")!.isUp(f)), [false, false]);
    assert.ok(calls(engine, "rump_virtif_pktdeliver_direct") > 50);
  });

  it("to a port with a cable of its own leads nowhere, and the design's problems say so", () => {
    const text = design({ device: "nic1.pf", workloads: [steady], rest: [toDirect, toServer] });
    const { problems } = parseDesign(text);
    assert.deepEqual(problems.map(({ severity, code }) => [severity, code]), [["warning", "unreachable"]]);
    assert.equal(text.slice(problems[0]!.range.start, problems[0]!.range.end), "nic1.pf");
    assert.match(problems[0]!.message, /server\/nic1.*server\/nic0.*Bind a function of server\/nic0/);
    const { report } = runDesign(text);
    assert.equal(report.switches[0]!.silence, undefined, "nothing came after the first switch");
  });

  it("begins in direct mode where the design says so, with the sockets at the VIF, and ports in the portmap", () => {
    const { engine, report } = runDesign(design({ active: "ixgbe", workloads: [steady], rest: ["{ at: 300ms, switch: nginx, to: server }"] }));
    assert.equal(report.workloads[0]!.completed, 400);
    assert.equal(engine.built.machine.portmaps.get("server/netsrv/netserver")!.owner(6, 7), 0);
    assert.deepEqual(report.switches.map(({ to, outcome }) => [to, outcome]), [["server/nginx/vif", "done"]]);
  });

  it("does one thing after the other: what was wanted last is done when the switch under way has ended", () => {
    const { report, engine } = runDesign(design({ rest: [toDirect, "{ at: 110ms, switch: nginx, to: server }", "{ at: 120ms, switch: nginx, to: direct }", "{ at: 130ms, switch: nginx, to: server }"] }));
    assert.deepEqual(report.switches.map(({ to, asked, outcome }) => [to, asked, outcome]), [
      ["server/nginx/ixgbe", 100 * MS, "done"], ["server/nginx/vif", 110 * MS, "superseded"], ["server/nginx/ixgbe", 120 * MS, "superseded"], ["server/nginx/vif", 130 * MS, "done"],
    ]);
    const [first, , , last] = report.switches;
    assert.equal(last!.begun, first!.begun! + first!.duration!, "it waits, and what it took is counted from when it began");
    assert.equal(vifOf(engine).uplink.via, 0);
  });

  it("is refused where no function is free, and the server keeps the application", () => {
    const { report } = runDesign(readFileSync("samples/switching/vf-scarcity.exo.yaml", "utf8"));
    const refused = report.switches.filter(({ outcome }) => outcome === "no function free");
    assert.deepEqual(refused.map(({ application, duration, lost }) => [application, duration, lost]), [["server/redis", undefined, 0]]);
    assert.equal(report.workloads.find(({ workload }) => workload.endsWith("redis"))!.completed, 190);
  });

  it("gives a function up for good before another has it: reset, and nothing mapped", () => {
    const engine = createEngine(designOf(readFileSync("samples/switching/vf-scarcity.exo.yaml", "utf8")));
    const { machine, iommus } = engine.built;
    const nic = machine.nics.get("server/nic0")!;
    const holders = new Set<number>();
    while (engine.dispatch()) {
      const owner = nic.state.owner[1]!;
      assert.equal(owner, iommus[0]!.ownerOf(nic.functions[1]!.iommu));
      holders.add(owner);
    }
    assert.ok(holders.size >= 3, "nobody, and two applications after each other");
    assert.ok(calls(engine, "assign_device") >= 2 && calls(engine, "deassign_device") >= 1);
  });

  it("goes back exactly", () => {
    const text = design({ workloads: [steady], rest: [toDirect, toServer], until: "600ms" });
    const engine = createEngine(designOf(text));
    const keyframes = [50, 101, 130, 166, 180, 401, 470].map((ms) => {
      dispatchUntil(engine, ms * MS);
      return engine.snapshot();
    });
    while (engine.dispatch());
    for (const keyframe of keyframes) {
      const replayer = engine.replayer();
      replayer.restore(keyframe);
      while (replayer.dispatch());
      assert.equal(replayer.rows, engine.rows);
      assert.equal(replayer.time, engine.time);
    }
    assert.equal(runDesign(text).engine.fingerprint(), engine.fingerprint());
  });

  it("keeps an application in direct mode from a crash of the network server, and brings it back to the new one", () => {
    const { engine, report } = runDesign(design({
      workloads: [steady], rest: ["{ at: 20ms, switch: nginx, to: direct }", "{ at: 600ms, switch: nginx, to: server }"], faults: ["{ at: 400ms, crash: netsrv, restart: 20ms }"], until: "3s",
    }));
    assert.deepEqual(report.switches.map(({ outcome }) => outcome), ["done", "done"]);
    assert.deepEqual([report.workloads[0]!.completed, report.workloads[0]!.errors], [400, 0]);
    const server = engine.built.machine.placed("server/netsrv/netserver") as Netserver;
    assert.ok(server.addresses.isActive(0) && vifOf(engine).uplink.via === 0);
    const quiet = runDesign(design({ rest: ["{ at: 20ms, switch: nginx, to: direct }"], faults: ["{ at: 400ms, crash: netsrv, restart: 20ms }"] })).engine;
    assert.ok(!(quiet.built.machine.placed("server/netsrv/netserver") as Netserver).addresses.isActive(0), "the new server leaves the address where it is");
  });

  it("cannot begin while the network server does not run; an application that dies in direct mode comes back as it began", () => {
    const down = runDesign(design({ rest: ["{ at: 100ms, switch: nginx, to: direct }"], faults: ["{ at: 90ms, crash: netsrv, restart: 50ms }"] }));
    assert.deepEqual(down.report.switches.map(({ outcome }) => outcome), ["not running"]);
    const { engine } = runDesign(design({ rest: [toDirect], faults: ["{ at: 300ms, crash: nginx, restart: 150ms }"] }));
    const server = engine.built.machine.placed("server/netsrv/netserver") as Netserver;
    assert.ok(server.addresses.isActive(0) && vifOf(engine).uplink.via === 0);
    assert.ok(calls(engine, "arpannounce") >= 2, "the neighbours are told where it is now");
  });

  it("cannot begin while the application does not run, and is no matter of it when it is back", () => {
    const { report, engine } = runDesign(design({
      workloads: [steady], rest: ["{ at: 100ms, switch: nginx, to: direct }", "{ at: 500ms, switch: nginx, to: direct }"], faults: ["{ at: 90ms, crash: nginx, restart: 50ms }"], until: "3s",
    }));
    assert.deepEqual(report.switches.map(({ outcome, duration }) => [outcome, duration === undefined]), [["not running", true], ["done", false]]);
    assert.equal(vifOf(engine).uplink.via, 1);
  });

  it("is nothing where the application is already, and the last of two at once counts", () => {
    const there = runDesign(design({ rest: ["{ at: 100ms, switch: nginx, to: server }"] })).report;
    assert.deepEqual(there.switches.map(({ to, outcome, begun }) => [to, outcome, begun]), [["server/nginx/vif", "nothing to do", undefined]]);
    const direct = "{ at: 100ms, switch: nginx, to: direct }";
    const server = "{ at: 100ms, switch: nginx, to: server }";
    const both = runDesign(design({ workloads: [steady], rest: [direct, server], until: "2s" }));
    assert.deepEqual(both.report.switches.map(({ to, outcome }) => [to, outcome]), [["server/nginx/ixgbe", "done"], ["server/nginx/vif", "done"]]);
    assert.equal(vifOf(both.engine).uplink.via, 0);
    assert.deepEqual([both.report.workloads[0]!.completed, both.report.workloads[0]!.errors], [400, 0]);
    const other = runDesign(design({ rest: [server, direct], until: "2s" }));
    assert.deepEqual(other.report.switches.map(({ to, outcome }) => [to, outcome]), [["server/nginx/vif", "nothing to do"], ["server/nginx/ixgbe", "done"]]);
    assert.equal(vifOf(other.engine).uplink.via, 1);
  });

  it("ends where the server dies in its middle, and can be asked for again", () => {
    const { report, engine } = runDesign(design({
      rest: ["{ at: 100ms, switch: nginx, to: direct }", "{ at: 3s, switch: nginx, to: server }", "{ at: 4s, switch: nginx, to: direct }"], faults: ["{ at: 100.001ms, crash: netsrv, restart: 150ms }"], until: "5s",
    }));
    assert.deepEqual(report.switches.map(({ outcome }) => outcome), ["server died", "nothing to do", "done"]);
    assert.equal(vifOf(engine).uplink.via, 1);
  });

  it("by a policy begins when the server is back: decisions during its outage lead to nothing", () => {
    // Its first window, to 50 ms, has load enough, and the server dies before it ends.
    const { report, engine } = runDesign(design({
      workloads: [steady.replace("requests: 400", "requests: 900")], rest: ["{ policy: load, switch: nginx, above: 10Mbps, below: 0bps, window: 50ms }"],
      faults: ["{ at: 45ms, crash: netsrv, restart: 400ms }"], until: "3s",
    }));
    const [last] = report.switches.slice(-1);
    assert.equal(last!.outcome, "done");
    assert.deepEqual(report.switches.slice(0, -1).map(({ outcome, asked }) => [outcome, asked]), [["not running", 50 * MS]]);
    assert.ok(last!.asked > 445 * MS);
    assert.equal(vifOf(engine).uplink.via, 1);
  });

  it("by a policy does not follow from a window that a switch lies in, nor from the silence after it", () => {
    const { report } = runDesign(design({ workloads: [steady], rest: ["{ policy: load, switch: nginx, above: 10Mbps, below: 2Mbps, window: 50ms, dwell: 0us }"], until: "500ms" }));
    const [there, back] = report.switches;
    const settled = there!.asked + there!.duration! + there!.silence!;
    assert.ok(there!.silence! > 100 * MS && (back === undefined || back.asked > settled + 50 * MS), `${settled} ${back?.asked}`);
  });

  for (const window of ["", ", window: 10ms", ", window: 50ms"]) {
    it(`by a policy happens once for a steady load${window}: peers recover from a switch before the next is decided`, () => {
      const { report } = runDesign(design({ workloads: [steady.replace("requests: 400", "requests: 900")], rest: [`{ policy: load, switch: nginx, above: 10Mbps, below: 2Mbps${window} }`], until: "1790ms" }));
      assert.deepEqual(report.switches.map(({ to, outcome }) => [to, outcome]), [["server/nginx/ixgbe", "done"]]);
    });
  }

  it("by a policy is not undone before its time, and is where peers say no more", () => {
    const short = steady.replace("requests: 400", "requests: 100");
    const switches = (dwell: string): readonly number[] =>
      runDesign(design({ workloads: [short], rest: [`{ policy: load, switch: nginx, above: 10Mbps, below: 2Mbps, window: 50ms${dwell} }`], until: "2s" })).report.switches.map(({ asked }) => asked);
    const [there, back] = switches(", dwell: 0us");
    const [same, late] = switches("");
    assert.ok(same === there && back! < 700 * MS && late! > there! + 1060 * MS && late! < there! + 1200 * MS, `${there} ${back} ${late}`);
  });

  it("loses datagrams for good: UDP shows the gap to the application", () => {
    const { report } = runDesign(design({ nginx: ["discard: { protocol: udp }"], workloads: ["udp-stream: { from: client, to: nginx, interval: 1ms, duration: 300ms }"], rest: [toDirect] }));
    const [stream] = report.workloads;
    assert.ok(stream!.completed < stream!.requests - 50, `${stream!.completed} of ${stream!.requests}`);
    assert.equal(report.retransmissions, 0);
  });
});
