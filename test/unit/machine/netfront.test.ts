import assert from "node:assert/strict";
import { report } from "../../../engine/analysis/report";
import type { Nat } from "../../../engine/components/nat";
import type { Netback } from "../../../engine/components/netback";
import type { Netfront } from "../../../engine/components/netfront";
import type { TcpIp } from "../../../engine/components/tcpip";
import { createEngine, type MachineEngine } from "../../../engine/create";
import type { Variable } from "../../../engine/inspect";
import { parseIpv4 } from "../../../engine/network/addresses";
import { IcmpType } from "../../../engine/network/packets";
import { act, rowsOf } from "../../support/act";
import { designOf } from "../../support/runDesign";

interface Options {
  readonly below?: string;
  readonly system?: string;
  readonly guests?: readonly (readonly string[])[];
  readonly workloads?: readonly string[];
  readonly faults?: readonly string[];
  readonly mtu?: number;
  /** Of the guests' threads. */
  readonly scheduler?: string;
  readonly until?: string;
}

const HTTP = ["http-server: { port: 80 }"];

/** A driver domain with guests g0, g1, …, which have 10.0.0.10, 10.0.0.11, …, and a client, 10.0.0.99. */
function design({ below = "bridge", system = "linux", guests = [HTTP], workloads = [], faults = [], mtu = 1500, scheduler, until = "100ms" }: Options): string {
  return [
    "exoscope: 1", "hosts:", "  server:", "    cpu: { cores: 6 }", "    iommu: on", "    devices:", `      nic0: { model: intel-82599, mtu: ${mtu} }`,
    "    hypervisor: { model: xen, scheduler: credit }", "    domains:", "      driver:", "        kind: driver-domain", `        system: ${system}`, "        components:",
    "          - netback", `          - ${below}`, "          - ixgbe: { bind: nic0.pf }",
    ...guests.flatMap((servers, i) => [
      `      g${i}:`, ...(scheduler === undefined ? [] : [`        scheduler: ${scheduler}`]), "        components:", ...servers.map((s) => `          - ${s}`), "          - libc", `          - tcpip: { ip: 10.0.0.1${i} }`, "          - netfront: { channel: driver.netback }",
    ]),
    "  client: { model: load-generator, link: { to: server.nic0 } }", "workloads:", ...workloads.map((w) => `  - ${w}`),
    ...(faults.length > 0 ? ["faults:", ...faults.map((f) => `  - ${f}`)] : []), `run: { until: ${until}, seed: 1 }`, "",
  ].join("\n");
}

function run(options: Options, prepare?: (engine: MachineEngine) => void): MachineEngine {
  const engine = createEngine(designOf(design(options)));
  prepare?.(engine);
  while (engine.dispatch());
  return engine;
}

/** Bytes by which frames from the client were made as long as Ethernet needs. */
const padding = (engine: MachineEngine): number => {
  const { packets } = engine.built.machine;
  const [direction] = engine.built.machine.links[0]!.directions;
  return rowsOf(engine, "serialise").filter((row) => engine.trace.context(row) === direction).reduce((sum, row) => sum + Math.max(0, 60 - packets.frameLength(engine.trace.packet(row))), 0);
};

const placed = <T>(engine: MachineEngine, path: string): T => engine.built.machine.placed(path) as unknown as T;
const child = (variable: Variable | undefined, name: string): Variable | undefined => variable?.children?.find((c) => c.name === name);

describe("Xen's split network path", () => {
  it("brings a request to a guest of a bridge, which has an Ethernet address of its own, and the answer back", () => {
    const engine = run({ workloads: ["http: { from: client, to: g0, size: 8KiB, concurrency: 2, requests: 50 }"] });
    const { workloads, drops } = report(engine);
    assert.equal(workloads[0]!.completed, 50);
    assert.deepEqual(drops, {});
    const { packets } = engine.built.machine;
    const sent = rowsOf(engine, "netfront_xmit").map((row) => engine.trace.packet(row)).filter((p) => p >= 0);
    assert.ok(sent.length > 50 && sent.every((p) => packets.sourceMac(p) === 0x00_16_3e_00_00_01));
  });

  it("copies what a guest receives, and the headers of what it sends, by the hypervisor, maps the rest of that, and ends each grant", () => {
    const engine = run({ workloads: ["http: { from: client, to: g0, size: 8KiB, requests: 50 }"] });
    const { packets } = engine.built.machine;
    const netback = placed<Netback>(engine, "server/driver/netback");
    const vif = netback.describe()[0]!.variables[0];
    const frames = Number(child(vif, "frames from it")!.number) + Number(child(vif, "frames to it")!.number);
    assert.ok(frames > 200);
    assert.equal(rowsOf(engine, "GNTTABOP_copy").reduce((sum, row) => sum + engine.trace.b(row), 0), frames, "operations of all batches");
    const sent = rowsOf(engine, "xenvif_tx_submit").map((row) => packets.frameLength(engine.trace.packet(row)));
    const long = sent.filter((length) => length > 128).length;
    assert.ok(long > 100 && long < sent.length);
    const amount = (name: string): number => rowsOf(engine, name).reduce((sum, row) => sum + engine.trace.a(row), 0);
    assert.equal(amount("GNTTABOP_map_grant_ref"), 2 + long, "the rings, and every page with more than headers");
    assert.equal(amount("GNTTABOP_unmap_grant_ref"), long, "the run has ended when all were sent");
    assert.equal(amount("ixgbe_clean_tx_irq"), long);
    const received = amount("GNTTABOP_copy") - sent.reduce((sum, length) => sum + Math.min(128, length), 0);
    assert.equal(received, engine.built.machine.links[0]!.bytes(0) - 24 * Number(child(vif, "frames to it")!.number) - padding(engine), "what came over the wire");
    assert.equal(rowsOf(engine, "grant still in use").length, 0);
    const grants = engine.built.machine.grants.get("server")!;
    const guest = engine.built.domains.find(({ path }) => path === "server/g0")!;
    const driver = engine.built.domains.find(({ path }) => path === "server/driver")!;
    assert.equal(grants.mappedBy(driver.id), 2, "the rings");
    const inFlight = netback.guests[0]!.transmitRing.outstanding;
    assert.equal(grants.grantedBy(guest.id), 2 + 256 + inFlight, "rings, empty pages, frames whose response was not taken yet");
    assert.ok(inFlight < 256);
  });

  it("unmaps many pages by one hypercall, with a flush of the TLB for each 32, and answers for a page only then", () => {
    const engine = run({ guests: [["http-server"]], workloads: ["http: { from: client, to: g0, size: 1MiB, requests: 4 }"] });
    const amounts = rowsOf(engine, "GNTTABOP_unmap_grant_ref").map((row) => engine.trace.a(row));
    assert.ok(Math.max(...amounts) > 32, `${Math.max(...amounts)} at once`);
    assert.deepEqual(new Set(rowsOf(engine, "gnttab_flush_tlb").map((row) => engine.trace.a(row))), new Set(amounts.map((n) => Math.ceil(n / 32))));
    const fate = new Map<number, string[]>();
    for (const name of ["netfront_xmit", "ixgbe_tx_map", "DMA read"]) for (const row of rowsOf(engine, name)) fate.set(engine.trace.packet(row), [...(fate.get(engine.trace.packet(row)) ?? []), name]);
    assert.ok([...fate.values()].some((steps) => steps.length === 3));
  });

  it("lends a guest's pages to a frame until the device has read it, however long that takes", () => {
    let most = 0;
    const engine = run({ workloads: ["http: { from: client, to: g0, size: 256KiB, requests: 4 }"] }, (e) => {
      const grants = e.built.machine.grants.get("server")!;
      const driver = e.built.domains.find(({ path }) => path === "server/driver")!;
      const netback = placed<Netback>(e, "server/driver/netback");
      for (let t = 1; t <= 200; t++) {
        act(e, 10e9 + t * 20e6, () => {
          most = Math.max(most, netback.lent(0));
          assert.ok(grants.mappedBy(driver.id) >= netback.lent(0), "what is lent is mapped");
        });
      }
    });
    assert.ok(most > 3, `${most} frames at most`);
    assert.equal(placed<Netback>(engine, "server/driver/netback").lent(0), 0);
  });

  it("copies frames before a router takes them, and those that go to several ports of a bridge: their pages are unmapped at once", () => {
    const workloads = ["http: { from: client, to: g0, size: 8KiB, requests: 20 }"];
    const routed = run({ below: "nat", workloads, until: "3s" });
    assert.equal(report(routed).workloads[0]!.completed, 20);
    const copies = rowsOf(routed, "skb_copy_ubufs");
    assert.ok(copies.length >= 20 * 6 && rowsOf(routed, "ixgbe_clean_tx_irq").length === 0);
    assert.equal(copies.length, rowsOf(routed, "GNTTABOP_unmap_grant_ref").reduce((sum, row) => sum + routed.trace.a(row), 0));
    const bridged = run({ workloads });
    assert.equal(rowsOf(bridged, "skb_copy_ubufs").length, 0);
    const flooded = run({ guests: [HTTP, HTTP] }, (e) => act(e, 20e9, () => {
      const { packets } = e.built.machine;
      const frame = packets.createUdp(parseIpv4("10.0.0.10")!, parseIpv4("10.0.0.77")!, 7, 7, -1, 0, 1000, 0);
      packets.setEthernet(frame, 0x02_00_00_00_00_77, placed<Netfront>(e, "server/g0/netfront").mac);
      placed<Netfront>(e, "server/g0/netfront").transmit(frame);
    }));
    assert.deepEqual([rowsOf(flooded, "br_flood").length, rowsOf(flooded, "skb_copy_ubufs").length], [1, 1]);
    assert.equal(placed<Netback>(flooded, "server/driver/netback").lent(0), 0);
  });

  it("copies between two guests out of the one's page into the other's, and unmaps then", () => {
    const engine = run({ guests: [["discard: { protocol: udp }"], ["discard: { protocol: udp }"]], until: "3s" }, (e) => {
      for (let i = 0; i < 20; i++) act(e, 1e12 + i * 1e9, () => void placed<TcpIp>(e, "server/g0/tcpip").datagrams.echo(7, parseIpv4("10.0.0.11")!, i, 0, 0, 1000));
    });
    const replies = rowsOf(engine, "icmp_reflect").length;
    assert.ok(replies >= 19, `${replies} echo requests answered in the other guest`);
    assert.equal(placed<Netback>(engine, "server/driver/netback").lent(0) + placed<Netback>(engine, "server/driver/netback").lent(1), 0);
    const driver = engine.built.domains.find(({ path }) => path === "server/driver")!;
    assert.equal(engine.built.machine.grants.get("server")!.mappedBy(driver.id), 4, "both guests' rings");
    assert.equal(rowsOf(engine, "ixgbe_clean_tx_irq").length, 0, "none has gone to the device");
  });

  it("in NetBSD maps, copies and unmaps one page after the other, two hypercalls a frame", () => {
    const engine = run({ system: "netbsd", workloads: ["http: { from: client, to: g0, size: 8KiB, requests: 50 }"] });
    assert.equal(report(engine).workloads[0]!.completed, 50);
    const sent = Number(child(placed<Netback>(engine, "server/driver/netback").describe()[0]!.variables[0], "frames from it")!.number);
    const [maps, unmaps, copies] = ["GNTTABOP_map_grant_ref", "GNTTABOP_unmap_grant_ref", "m_copyback"].map((name) => rowsOf(engine, name).map((row) => engine.trace.a(row)));
    assert.deepEqual([maps!.length, unmaps!.length, copies!.length], [1 + sent, sent, sent]);
    assert.ok(unmaps!.every((n) => n === 1));
    assert.equal(rowsOf(engine, "xenvif_poll").length + rowsOf(engine, "br_handle_frame").length, 0);
    assert.equal(placed<Netback>(engine, "server/driver/netback").lent(0), 0);
    const linux = run({ workloads: ["http: { from: client, to: g0, size: 8KiB, requests: 50 }"] });
    const hypercalls = (e: MachineEngine): number => report(e).domains.find(({ domain }) => domain === "server/driver")!.counts!.hypercalls;
    assert.ok(hypercalls(engine) > hypercalls(linux), "and calls more often for it");
  });

  it("notifies less than once a frame when frames come close together", () => {
    const engine = run({ workloads: ["udp-stream: { from: client, to: g0, size: 64B, duration: 1ms }"], guests: [["discard: { protocol: udp }"]] });
    const [guest] = placed<Netback>(engine, "server/driver/netback").guests;
    const received = rowsOf(engine, "myrecv").length;
    assert.ok(guest!.receiveRing.notifications > 0 && guest!.receiveRing.notifications <= received + 1);
    const frames = Number(child(placed<Netback>(engine, "server/driver/netback").describe()[0]!.variables[0], "frames to it")!.number);
    assert.ok(guest!.receiveRing.notifications < frames / 4, `${guest!.receiveRing.notifications} notifications for ${frames} frames`);
  });

  it("takes datagrams of 1500 bytes, whatever the device takes, and drops longer ones at the port", () => {
    const text = design({
      mtu: 9000, guests: [["discard: { protocol: udp }", "http-server"]],
      workloads: ["udp-stream: { from: client, to: g0, size: 1472B, interval: 100us, duration: 1ms }", "http: { from: client, to: g0, size: 100KiB, requests: 3 }"],
    });
    // A design that says so has an error.
    const parsed = designOf(text);
    const engine = createEngine({ ...parsed, workloads: parsed.workloads.map((w) => (w.kind === "udp-stream" ? { ...w, options: { ...w.options, size: 4000 } } : w)) });
    while (engine.dispatch());
    const { workloads, drops } = report(engine);
    const datagrams = workloads.find(({ kind }) => kind === "udp-stream")!.requests;
    assert.ok(Number(datagrams) > 5);
    assert.equal(drops["longer than the port's MTU"], datagrams);
    assert.equal(workloads.find(({ kind }) => kind === "http")!.completed, 3, "TCP has agreed on segments that fit");
  });

  it("answers ARP and ping in the guest itself, behind a bridge", () => {
    const engine = run({ workloads: ["ping: { from: client, to: g0, requests: 5 }"] });
    assert.equal(report(engine).workloads[0]!.completed, 5);
    assert.equal(rowsOf(engine, "icmp_reflect").length, 5);
  });

  it("floods what it has not heard of, and learns", () => {
    const engine = run({ guests: [HTTP, HTTP, HTTP], workloads: ["http: { from: client, to: g1, size: 1KiB, requests: 20 }"] });
    assert.equal(report(engine).workloads[0]!.completed, 20);
    const [bridge] = engine.describeComponent(engine.names.components.find(({ path }) => path === "server/driver/bridge")!.id);
    const entries = bridge!.variables[0]!.children!.map(({ name, number }) => [name, number]);
    assert.deepEqual(entries.find(([name]) => name === "00:16:3e:00:00:02")![1], 2, "the second guest");
    assert.equal(entries.length, 2, "and the client at the device");
    const flooded = Number(bridge!.variables.find(({ name }) => name === "flooded")!.number);
    assert.equal(flooded, 1, "the client's ARP request, and no more");
    const others = placed<Netback>(engine, "server/driver/netback").describe()[0]!.variables.map((vif) => Number(child(vif, "frames to it")!.number));
    assert.deepEqual([others[0], others[2]], [1, 1]);
  });

  it("keeps for a guest that takes nothing what its system's queue holds: in Linux half a ring of pages, then 32 frames, in NetBSD twice the ring's entries", () => {
    const stuck = (system: string, size: number): Variable[] => {
      const engine = run({ system, workloads: [`udp-stream: { from: client, to: g0, size: ${size}B, duration: 20ms }`], guests: [["discard: { protocol: udp }"]], faults: ["{ at: 12ms, hang: g0 }"], until: "20ms" });
      assert.ok(report(engine).drops["queue to guest full"]! > 0);
      return [...placed<Netback>(engine, "server/driver/netback").describe()[0]!.variables[0]!.children!];
    };
    const number = (of: Variable[], name: string): number => of.find((c) => c.name === name)!.number!;
    for (const size of [1400, 200]) {
      const linux = stuck("linux", size);
      const frame = size + 42;
      assert.equal(number(linux, "frames waiting"), Math.floor((128 * 4096) / frame) + 1 + 32);
      assert.equal(number(linux, "of them before its queue"), 32);
      assert.equal(number(linux, "bytes in its queue"), frame * (Math.floor((128 * 4096) / frame) + 1));
      assert.equal(number(stuck("netbsd", size), "frames waiting"), 512);
    }
  });

  it("keeps frames within the buffers of netfront, and counts the others", () => {
    const engine = run({ workloads: ["udp-stream: { from: client, to: g0, size: 64B, duration: 2ms }"], guests: [["discard: { protocol: udp }"]] });
    assert.ok(report(engine).drops["receive buffers full"]! > 0);
  });

  it("overruns those buffers by a burst, and Linux' client finds that without a timeout", () => {
    const engine = run({ scheduler: "n-1", guests: [["netpipe-server"]], workloads: ["netpipe: { from: client, to: g0, smallest: 256KiB, largest: 256KiB, repeats: 4 }"], until: "1s" });
    const { drops, workloads } = report(engine);
    assert.deepEqual(Object.keys(drops), ["receive buffers full"]);
    assert.equal(rowsOf(engine, "retransmission timeout").length, 0);
    assert.equal(workloads[0]!.completed, 4);
    assert.ok(workloads[0]!.latency.max < 50e9, `${workloads[0]!.latency.max / 1e9} ms`);
  });

  it("unmaps the pages of a guest that dies with frames under way, and answers nobody for them when it is back", () => {
    let lent = 0;
    const engine = run({ workloads: ["http: { from: client, to: g0, size: 1MiB, requests: 100 }"], faults: ["{ at: 12ms, crash: g0, restart: 1ms }"], until: "300ms" }, (e) => {
      act(e, 11.9999e9, () => (lent = placed<Netback>(e, "server/driver/netback").lent(0)));
    });
    assert.ok(lent > 0, "frames under way");
    const driver = engine.built.domains.find(({ path }) => path === "server/driver")!;
    assert.equal(engine.built.machine.grants.get("server")!.mappedBy(driver.id) - placed<Netback>(engine, "server/driver/netback").lent(0), 2, "the new rings");
    assert.equal(rowsOf(engine, "grant still in use").length + rowsOf(engine, "grant has ended").length, 0);
  });

  it("survives the death of a guest: its pages are given back, and the others go on", () => {
    const engine = run({
      guests: [HTTP, HTTP], workloads: ["http: { from: client, to: g1, size: 8KiB, requests: 500, concurrency: 4 }", "http: { from: client, to: g0, size: 8KiB, requests: 5000 }"],
      faults: ["{ at: 15ms, crash: g0 }"], until: "3s",
    });
    const driver = engine.built.domains.find(({ path }) => path === "server/driver")!;
    const dead = engine.built.domains.find(({ path }) => path === "server/g0")!;
    const grants = engine.built.machine.grants.get("server")!;
    assert.equal(report(engine).workloads[0]!.completed, 500);
    assert.equal(grants.mappedBy(driver.id), 2, "the rings of the other");
    assert.equal(grants.grantedBy(dead.id), 0);
    assert.equal(placed<Netback>(engine, "server/driver/netback").isConnected(0), false);
  });

  it("is connected again when a guest restarts", () => {
    const engine = run({ workloads: ["ping: { from: client, to: g0, requests: 100 }"], faults: ["{ at: 15ms, crash: g0, restart: 20ms }"], until: "200ms" });
    const { completed } = report(engine).workloads[0]!;
    assert.ok(completed > 70 && completed < 95, `${completed} answers`);
  });

  it("is not connected again when the driver domain restarts, and the loss is told by its cause; a restart of the guest connects it", () => {
    const pings = "ping: { from: client, to: g0, requests: 300 }";
    const answers = (faults: string[], until: string): { readonly engine: MachineEngine; readonly completed: number } => {
      const engine = run({ workloads: [pings], faults, until });
      return { engine, completed: report(engine).workloads[0]!.completed };
    };
    const restarted = "{ at: 15ms, crash: driver, restart: 1ms }";
    const { engine, completed } = answers([restarted], "300ms");
    const driver = engine.built.domains.find(({ path }) => path === "server/driver")!;
    assert.ok(engine.built.machine.lifecycle.isRunning(driver));
    assert.ok(completed < 10, `${completed} answers`);
    assert.equal(placed<Netback>(engine, "server/driver/netback").isConnected(0), false);
    assert.equal(engine.built.machine.grants.get("server")!.mappedBy(driver.id), 0);
    assert.ok(report(engine).drops["guest not connected"]! > 0, "what the bridge has for it");
    const again = answers([restarted, "{ at: 150ms, restart: g0, takes: 10ms }"], "400ms");
    assert.ok(again.completed > completed + 100, `${again.completed} answers`);
    assert.equal(placed<Netback>(again.engine, "server/driver/netback").isConnected(0), true);
  });

  it("maps nothing for a driver domain that has died, and leaves its guests their memory", () => {
    const engine = run({ workloads: ["ping: { from: client, to: g0, requests: 10 }"], faults: ["{ at: 15ms, crash: driver }"] });
    const driver = engine.built.domains.find(({ path }) => path === "server/driver")!;
    assert.equal(engine.built.machine.grants.get("server")!.mappedBy(driver.id), 0);
    assert.ok(report(engine).workloads[0]!.completed < 10);
  });
});

describe("NAT in a driver domain", () => {
  const two = { below: "nat: { ip: 10.0.0.5 }", guests: [[...HTTP, "echo: { protocol: udp }"], HTTP], until: "4s" };
  const CLIENT = parseIpv4("10.0.0.1")!;

  it("brings requests to the guest that the port is forwarded to; both share one address", () => {
    const engine = run({ ...two, workloads: ["http: { from: client, to: g0, size: 8KiB, requests: 20 }", "http: { from: client, to: g1, size: 8KiB, requests: 20 }", "open-loop: { from: client, to: g0, requests: 20, interval: 100us }"] });
    assert.deepEqual(report(engine).workloads.map(({ completed }) => completed), [20, 20, 20]);
    const { packets } = engine.built.machine;
    const wire = rowsOf(engine, "serialise").map((row) => engine.trace.packet(row)).filter((p) => !packets.isArp(p));
    assert.ok(wire.length > 60);
    for (const p of wire) assert.ok([packets.sourceIp(p), packets.destinationIp(p)].includes(parseIpv4("10.0.0.5")!), "no guest's address is on the wire");
    const ports = new Set(wire.filter((p) => packets.isTcp(p)).flatMap((p) => [packets.sourcePort(p), packets.destinationPort(p)]).filter((port) => port < 1024));
    assert.deepEqual([...ports].sort(), [80, 81]);
    assert.ok(wire.filter((p) => packets.sourceIp(p) === parseIpv4("10.0.0.5")).every((p) => packets.ttl(p) === 63), "one hop");
  });

  it("answers ping by itself, and asks no guest", () => {
    const engine = run({ ...two, workloads: ["ping: { from: client, to: g1, requests: 5 }"], until: "100ms" });
    assert.equal(report(engine).workloads[0]!.completed, 5);
    assert.equal(rowsOf(engine, "icmp_reflect").length, 0);
  });

  it("lets nobody in by a port that is not forwarded", () => {
    const engine = run({ ...two, below: "nat: { ip: 10.0.0.5, forward: [80] }", workloads: [] }, (e) => {
      act(e, 20e9, () => {
        const stack = placed<TcpIp>(e, "client/os/tcpip");
        stack.datagrams.send(stack.datagrams.open(0, 5000) as number, parseIpv4("10.0.0.5")!, 7, 0, 0, 10);
      });
    });
    assert.equal(report(engine).drops["no mapping"], 1);
    assert.equal(placed<Nat>(engine, "server/driver/nat").connections.opened, 0);
  });

  it("forwards between its guests as they send it: what one asks of another leaves neither the driver domain nor its addresses", () => {
    const guests = [["load-generator"], ["http-server: { port: 80 }", "echo: { protocol: udp }"]];
    const workloads = ["http: { from: g0, to: g1, size: 8KiB, concurrency: 1, requests: 20 }", "open-loop: { from: g0, to: g1, requests: 20, interval: 1ms }", "ping: { from: g0, to: g1, requests: 20 }"];
    for (const [i, workload] of workloads.entries()) {
      const system = i === 1 ? "netbsd" : "linux";
      const engine = run({ below: "nat: { ip: 10.0.0.5, forward: [81] }", system, guests, workloads: [workload] });
      const { workloads: [w], drops } = report(engine);
      assert.deepEqual([w!.completed, w!.errors, drops], [20, 0, {}], workload);
      assert.deepEqual(rowsOf(engine, "serialise"), [], "nothing is on the wire");
      const { packets } = engine.built.machine;
      const delivered = rowsOf(engine, "rump_virtif_pktdeliver").map((row) => engine.trace.packet(row)).filter((p) => !packets.isArp(p));
      const ends = new Set(delivered.map((p) => [packets.sourceIp(p), packets.destinationIp(p)].sort((a, b) => a - b).join()));
      assert.deepEqual([...ends], [[parseIpv4("10.0.0.10"), parseIpv4("10.0.0.11")].join()]);
      assert.ok(delivered.length >= 40 && delivered.every((p) => packets.ttl(p) === 63), "one hop");
      const { opened } = placed<Nat>(engine, "server/driver/nat").connections;
      assert.deepEqual([opened, rowsOf(engine, system === "linux" ? "nf_nat_setup_info" : "npf_conn_establish").length], [1, 1], "one look at the rules for each connection");
    }
  });

  it("hands a guest's error to the neighbour that it is about, as it was sent", () => {
    const engine = run({ ...two, until: "100ms" }, (e) => act(e, 20e9, () => {
      const { datagrams } = placed<TcpIp>(e, "server/g0/tcpip");
      datagrams.send(datagrams.open(0, 4000) as number, parseIpv4("10.0.0.11")!, 9, 0, 0, 10);
    }));
    const { packets } = engine.built.machine;
    const errors = rowsOf(engine, "rump_virtif_pktdeliver").map((row) => engine.trace.packet(row)).filter((p) => packets.isIcmp(p) && packets.icmpType(p) === IcmpType.unreachable);
    assert.deepEqual(errors.map((p) => [packets.sourceIp(p), packets.destinationIp(p), packets.sourcePort(packets.quoted(p)), packets.destinationPort(packets.quoted(p))]), [[parseIpv4("10.0.0.11"), parseIpv4("10.0.0.10"), 4000, 9]]);
    assert.deepEqual(report(engine).drops, { "no socket on the port": 1 });
  });

  it("masks a guest's own datagrams, keeps its port, gives another where two have the same, and returns errors about them", () => {
    const engine = run({ ...two, until: "3s" }, (e) => {
      for (const guest of ["g0", "g1"]) {
        act(e, guest === "g0" ? 20e9 : 21e9, () => {
          const { datagrams } = placed<TcpIp>(e, `server/${guest}/tcpip`);
          datagrams.send(datagrams.open(0, 4000) as number, CLIENT, 9, 0, 0, 10);
        });
      }
    });
    const { packets } = engine.built.machine;
    const wire = rowsOf(engine, "serialise").map((row) => engine.trace.packet(row)).filter((p) => packets.isUdp(p));
    assert.deepEqual(wire.map((p) => [packets.sourceIp(p), packets.sourcePort(p), packets.destinationPort(p)]), [[parseIpv4("10.0.0.5"), 4000, 9], [parseIpv4("10.0.0.5"), 1024, 9]]);
    // The client has no socket on port 9 and says so; each error reaches the guest, about the datagram that it sent.
    const errors = rowsOf(engine, "rump_virtif_pktdeliver").map((row) => engine.trace.packet(row)).filter((p) => packets.isIcmp(p) && packets.icmpType(p) === IcmpType.unreachable);
    assert.deepEqual(errors.map((p) => [packets.destinationIp(p), packets.sourceIp(packets.quoted(p)), packets.sourcePort(packets.quoted(p))]), [
      [parseIpv4("10.0.0.10"), parseIpv4("10.0.0.10"), 4000], [parseIpv4("10.0.0.11"), parseIpv4("10.0.0.11"), 4000],
    ]);
  });

  it("translates the identifiers of a guest's echo requests, and the answers reach who asked", () => {
    const engine = run({ ...two, until: "3s" }, (e) => {
      for (const [i, guest] of ["g0", "g1"].entries()) {
        act(e, 20e9 + i, () => {
          const { datagrams } = placed<TcpIp>(e, `server/${guest}/tcpip`);
          datagrams.echo(7, CLIENT, 1, 0, 0, 56);
        });
      }
    });
    const { packets } = engine.built.machine;
    const requests = rowsOf(engine, "serialise").map((row) => engine.trace.packet(row)).filter((p) => packets.isIcmp(p) && packets.icmpType(p) === IcmpType.echo);
    assert.equal(new Set(requests.map((p) => packets.echoIdentifier(p))).size, 2);
    const answers = rowsOf(engine, "rump_virtif_pktdeliver").map((row) => engine.trace.packet(row)).filter((p) => packets.isIcmp(p));
    assert.deepEqual(answers.map((p) => [packets.destinationIp(p), packets.echoIdentifier(p)]), [[parseIpv4("10.0.0.10"), 7], [parseIpv4("10.0.0.11"), 7]]);
  });
});
