import assert from "node:assert/strict";
import type { Netserver } from "../../../engine/components/netserver";
import { report } from "../../../engine/analysis/report";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { CHANNEL_GRANTS } from "../../../engine/machine/channelGrants";
import type { DomainPlace } from "../../../engine/machine/machine";
import type { ScopeCopy } from "../../../engine/kernel/state";
import { designOf } from "../../support/runDesign";

const ms = 1e9;
const s = 1e12;

interface Machine {
  readonly faults?: string;
  /** Components of the application at the network server, beside its HTTP server. */
  readonly beside?: string;
  readonly requests?: number;
  /** Requests to the application that has a VF. */
  readonly direct?: number;
  readonly size?: string;
  readonly until?: string;
}

/** An application at a network server, one with a VF of its own, and a client that asks both. */
function machine({ faults = "", beside = "", requests = 200_000, direct = 50, size = "8KiB", until = "400ms" }: Machine): MachineEngine {
  return createEngine(designOf(`
exoscope: 1
hosts:
  server:
    cpu: { cores: 6 }
    iommu: on
    devices:
      nic0: { model: intel-82599, sriov: { vfs: 1 } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      netsrv: { components: [netserver, ixgbe: { bind: nic0.pf }] }
      web: { vcpus: 2, components: [${beside} http-server: { port: 80 }, libc, tcpip, vif: { channel: netsrv.netserver }] }
      fast: { components: [http-server: { port: 81 }, libc, tcpip, ixgbe: { bind: nic0.vf0 }] }
  client: { model: load-generator, cpu: { cores: 4 }, link: { to: server.nic0, rate: 10Gbps, delay: 200us } }
workloads:
  - http: { from: client, to: web, size: ${size}, concurrency: 1, requests: ${requests} }
  - http: { from: client, to: fast, size: 8KiB, concurrency: 1, requests: ${direct} }
faults: [${faults}]
run: { until: ${until} }
`));
}

function runUntil(engine: MachineEngine, time: number): void {
  const { queue } = engine.built.machine.kernel;
  for (let next = queue.peek(); next >= 0 && queue.events.time[next]! < time && engine.dispatch(); next = queue.peek());
}

const domain = (engine: MachineEngine, path: string): DomainPlace => engine.built.domains.find((d) => d.path === path)!;
const copy = (engine: MachineEngine, path: string): ScopeCopy => engine.built.machine.kernel.store.copyScope(path);
const serverOf = (engine: MachineEngine): Netserver => engine.built.machine.placed("server/netsrv/netserver") as Netserver;
const count = (engine: MachineEngine, name: string): number =>
  engine.names.functions.filter((fn) => fn.name === name).reduce((sum, { id }) => sum + engine.built.machine.kernel.count(id), 0);

/** The ports that applications own, TCP's and UDP's. */
function portmap(engine: MachineEngine): number[] {
  const map = engine.built.machine.portmaps.get("server/netsrv/netserver")!;
  return [6, 17].flatMap((protocol) => Array.from({ length: 65536 }, (_, port) => map.owner(protocol, port)));
}

function completed(engine: MachineEngine): number[] {
  return report(engine).workloads.map((w) => w.completed);
}

describe("a crash of the network server", () => {
  const faults = "{ at: 50ms, crash: netsrv, restart: 120ms }";

  it("changes no byte of an application's memory, nor an entry of the portmap", () => {
    const engine = machine({ faults });
    runUntil(engine, 50 * ms);
    const before = { web: copy(engine, "server/web"), fast: copy(engine, "server/fast"), ports: portmap(engine) };
    assert.ok(before.ports.includes(0));
    engine.dispatch();
    assert.equal(engine.built.machine.lifecycle.isRunning(domain(engine, "server/netsrv")), false);
    assert.deepEqual(copy(engine, "server/web"), before.web);
    assert.deepEqual(copy(engine, "server/fast"), before.fast);
    runUntil(engine, 400 * ms);
    assert.deepEqual(portmap(engine), before.ports);
  });

  it("is nothing to an application that has a VF", () => {
    const undisturbed = machine({ direct: 1000 });
    const engine = machine({ faults, direct: 1000 });
    runUntil(undisturbed, 400 * ms);
    runUntil(engine, 400 * ms);
    const [, without] = report(undisturbed).workloads;
    const [, withCrash] = report(engine).workloads;
    // The other's requests are missing at the client and on the link, which both share: single ones come a little earlier or later.
    assert.ok(withCrash!.completed >= without!.completed * 0.99);
    assert.ok(withCrash!.latency.max <= without!.latency.max * 1.1);
  });

  it("the application's connections go on when it is back, without a reset", () => {
    const engine = machine({ faults, until: "3s" });
    runUntil(engine, 60 * ms);
    const early = completed(engine)[0]!;
    runUntil(engine, 165 * ms);
    assert.equal(completed(engine)[0], early);
    const during = completed(engine)[0]!;
    // What is lost of an answer comes again after NetBSD's shortest timeout, a second.
    runUntil(engine, 3 * s);
    const [web] = report(engine).workloads;
    assert.ok(web!.completed > during + 500, `${web!.completed} after ${during}`);
    assert.equal(web!.errors, 0);
    assert.ok(report(engine).retransmissions > 0);
  });

  it("no grant of the dead server stays mapped; the new one maps each channel once", () => {
    const engine = machine({ faults });
    const grants = engine.built.machine.grants.get("server")!;
    const [server, web] = [domain(engine, "server/netsrv").id, domain(engine, "server/web").id];
    runUntil(engine, 49 * ms);
    assert.equal(grants.mappedBy(server), CHANNEL_GRANTS);
    runUntil(engine, 51 * ms);
    assert.equal(grants.mappedBy(server), 0);
    assert.equal(grants.grantedBy(web), CHANNEL_GRANTS);
    runUntil(engine, 300 * ms);
    assert.equal(grants.mappedBy(server), CHANNEL_GRANTS);
    assert.equal(grants.grantedBy(web), CHANNEL_GRANTS);
    assert.equal(serverOf(engine).registry.generation, 2);
  });

  it("what is in the rings is lost, and the ring fills while no server is there", () => {
    const engine = machine({ faults: "{ at: 15ms, crash: netsrv, restart: 2500ms }", requests: 20, size: "1MiB", until: "6s" });
    runUntil(engine, 2.5 * s);
    const ring = serverOf(engine).toServer(0);
    const waiting = ring.count;
    assert.ok(waiting > 0);
    const first = ring.peek();
    runUntil(engine, 6 * s);
    assert.equal(count(engine, "lost with the server"), waiting);
    const lost = engine.names.functions.find(({ name }) => name === "lost with the server")!.id;
    let at = -1;
    for (let row = 0; row < engine.trace.length; row++) {
      const { packet, fn } = engine.trace.row(row);
      if (packet !== first) continue;
      if (fn === lost) at = row;
      else assert.equal(at, -1, "a frame that was lost goes on");
    }
    assert.ok(at >= 0);
    assert.equal(completed(engine)[0], 20);
  });

  it("connections survive as long as TCP does not give up", () => {
    const lives = machine({ faults: "{ at: 50ms, crash: netsrv, restart: 300s }", requests: 100, direct: 100, until: "600s" });
    runUntil(lives, 600 * s);
    assert.deepEqual(report(lives).workloads.map(({ completed: done, errors }) => [done, errors]), [[100, 0], [100, 0]]);
    const dies = machine({ faults: "{ at: 11ms, crash: netsrv }", requests: 100, direct: 100, until: "2000s" });
    runUntil(dies, 2000 * s);
    const [web, fast] = report(dies).workloads;
    assert.ok(web!.completed < 100);
    assert.ok(web!.errors >= 1);
    assert.equal(fast!.completed, 100);
  });

  it("a job of the same application goes on at its rate", () => {
    const engine = machine({ faults, beside: "compute: { burst: 50us },", requests: 1 });
    const bursts = (): number => engine.describeComponent(engine.built.machine.placed("server/web/compute").id)[0]!.variables[0]!.number!;
    runUntil(engine, 30 * ms);
    const start = bursts();
    runUntil(engine, 50 * ms);
    const before = bursts() - start;
    const crash = bursts();
    runUntil(engine, 70 * ms);
    assert.ok(Math.abs(bursts() - crash - before) <= 1);
  });

  it("happens again, and during a recovery", () => {
    const engine = machine({ faults: "{ at: 50ms, crash: netsrv, restart: 100ms }, { at: 151ms, crash: netsrv, restart: 100ms }, { at: 400ms, crash: netsrv, restart: 0ms }", until: "1500ms" });
    runUntil(engine, 1.5 * s);
    assert.equal(engine.built.machine.lifecycle.historyOf(domain(engine, "server/netsrv")).boots, 3);
    assert.ok(completed(engine)[0]! > 500);
    assert.equal(serverOf(engine).memoryOf(0).connected, true);
    assert.equal(report(engine).workloads[0]!.errors, 0);
  });
});

describe("a hang of the network server", () => {
  it("stops the application's traffic until the watchdog has it restarted", () => {
    const engine = machine({ faults: "{ at: 50ms, hang: netsrv.netserver, watchdog: 40ms, restart: 20ms }", until: "3s" });
    runUntil(engine, 85 * ms);
    const stuck = completed(engine)[0]!;
    runUntil(engine, 89 * ms);
    assert.equal(completed(engine)[0], stuck);
    runUntil(engine, 3 * s);
    assert.equal(count(engine, "domain_watchdog_timeout"), 1);
    assert.equal(engine.built.machine.lifecycle.historyOf(domain(engine, "server/netsrv")).boots, 1);
    assert.ok(completed(engine)[0]! > stuck + 500);
  });
});

describe("a crash of an application", () => {
  const faults = "{ at: 50ms, crash: web, restart: 100ms }";

  it("frees its ports; the server unmaps its rings; others see nothing of it", () => {
    const undisturbed = machine({ direct: 1000 });
    const engine = machine({ faults, direct: 1000 });
    runUntil(engine, 50 * ms);
    assert.ok(portmap(engine).includes(0));
    runUntil(engine, 60 * ms);
    assert.ok(!portmap(engine).includes(0));
    assert.equal(engine.built.machine.grants.get("server")!.mappedBy(domain(engine, "server/netsrv").id), 0);
    assert.equal(engine.built.machine.grants.get("server")!.grantedBy(domain(engine, "server/web").id), 0);
    runUntil(engine, 400 * ms);
    runUntil(undisturbed, 400 * ms);
    const [without, withCrash] = [report(undisturbed).workloads[1]!, report(engine).workloads[1]!];
    assert.ok(withCrash.completed >= without.completed);
    assert.ok(withCrash.latency.max <= without.latency.max * 1.1);
  });

  it("it serves again after a restart; peers of its old connections get a reset", () => {
    const engine = machine({ faults, until: "2s" });
    runUntil(engine, 50 * ms);
    const before = completed(engine)[0]!;
    // One that asks for a new connection meanwhile is heard by nobody, and asks again after a second.
    runUntil(engine, 2 * s);
    const [web] = report(engine).workloads;
    assert.equal(web!.errors, 1);
    assert.ok(web!.completed > before + 500);
    assert.ok(portmap(engine).includes(0));
    assert.equal(serverOf(engine).memoryOf(0).connected, true);
  });

  it("of one with a VF: the function is reset, given back, and comes up by its mailbox again", () => {
    const engine = machine({ faults: "{ at: 50ms, crash: fast, restart: 10ms }", requests: 1, direct: 200_000, until: "1s" });
    const nic = engine.built.machine.nics.get("server/nic0")!;
    const f = nic.functionNamed("server/nic0/vf0");
    runUntil(engine, 51 * ms);
    assert.equal(nic.isUp(f), false);
    // The device takes 100 ms to reset, longer than the domain to boot.
    runUntil(engine, 149 * ms);
    assert.equal(engine.built.machine.lifecycle.isRunning(domain(engine, "server/fast")), false);
    const before = completed(engine)[1]!;
    runUntil(engine, s);
    assert.equal(nic.isUp(f), true);
    assert.ok(completed(engine)[1]! > before + 500);
  });
});

describe("a VF whose application boots", () => {
  const isUp = (engine: MachineEngine): boolean => {
    const nic = engine.built.machine.nics.get("server/nic0")!;
    return nic.isUp(nic.functionNamed("server/nic0/vf0"));
  };

  it("is brought up by work of the PF's driver, on the vCPU of its domain", () => {
    const engine = machine({ requests: 1, direct: 1 });
    runUntil(engine, 20 * ms);
    const rows = [...Array(engine.trace.length).keys()].map((row) => engine.trace.row(row)).filter(({ fn }) => engine.names.functions[fn]!.name === "ixgbe_rcv_msg_from_vf");
    assert.deepEqual(rows.map(({ a, b }) => [a, b]), [[1, 0], [8, 0], [9, 0], [5, 0]], "RESET, the version, the queues, the largest frame, of VF 0");
    const { components } = engine.names;
    assert.ok(rows.every(({ component, vcpu }) => components[component]!.path === "server/netsrv/ixgbe" && engine.built.machine.cpus.vcpusOf(domain(engine, "server/netsrv").id).includes(vcpu)));
    assert.equal(isUp(engine), true);
  });

  it("does not come up while the PF's driver is dead, and does when that is back", () => {
    const engine = machine({ faults: "{ at: 50ms, crash: netsrv, restart: 500ms }, { at: 60ms, crash: fast, restart: 100ms }", requests: 1, direct: 200_000, until: "1s" });
    runUntil(engine, 170 * ms);
    assert.equal(engine.built.machine.lifecycle.isRunning(domain(engine, "server/fast")), true);
    runUntil(engine, 550 * ms);
    assert.equal(isUp(engine), false);
    assert.ok(count(engine, "usec_delay") > 700, "it looks again and again");
    const before = completed(engine)[1]!;
    runUntil(engine, 600 * ms);
    assert.equal(isUp(engine), true);
    runUntil(engine, s);
    assert.ok(completed(engine)[1]! > before + 100);
  });

  it("nor while that hangs; where nobody comes to answer within 2000 looks, its driver gives up", () => {
    const engine = machine({ faults: "{ at: 50ms, hang: netsrv }, { at: 60ms, crash: fast, restart: 100ms }", requests: 1, direct: 1, until: "2s" });
    runUntil(engine, 2 * s);
    assert.equal(isUp(engine), false);
    assert.equal(count(engine, "mailbox timeout"), 1);
    assert.equal(count(engine, "usec_delay"), 1999 + before(engine), "between 2000 looks");
  });

  it("is nothing to a PF that no component drives: the toolstack answers", () => {
    const engine = createEngine(designOf(`
exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    iommu: on
    devices: { nic0: { model: intel-82599, sriov: { vfs: 1 } } }
    hypervisor: { model: xen, scheduler: pinned }
    domains: { fast: { components: [http-server, libc, tcpip, ixgbe: { bind: nic0.vf0 }] } }
  client: { model: load-generator, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }
workloads: [http: { from: client, to: fast, requests: 3 }]
run: { until: 100ms }
`));
    runUntil(engine, 100 * ms);
    assert.equal(isUp(engine), true);
    assert.equal(completed(engine)[0], 3);
    assert.equal(count(engine, "ixgbe_rcv_msg_from_vf"), 4);
  });
});

/** Looks into the mailbox that waited for an answer when the machine was switched on. */
function before(engine: MachineEngine): number {
  const first = machine({ requests: 1, direct: 1 });
  runUntil(first, 40 * ms);
  assert.equal(engine.built.domains.length, first.built.domains.length);
  return count(first, "usec_delay");
}

describe("a planned restart under load", () => {
  it("loses no request", () => {
    const engine = machine({ faults: "{ at: 100ms, restart: netsrv, takes: 150ms }", requests: 500, direct: 500, until: "3s" });
    runUntil(engine, 3 * s);
    assert.deepEqual(report(engine).workloads.map(({ completed: done, errors }) => [done, errors]), [[500, 0], [500, 0]]);
  });
});

describe("a report", () => {
  it("says which domains died, by what and for how long, and how long the workloads were silent", () => {
    const engine = machine({ faults: "{ at: 50ms, crash: netsrv.ixgbe, restart: 120ms }, { at: 60ms, crash: fast }", direct: 1000, until: "1s" });
    runUntil(engine, s);
    const { deaths, workloads, incidents } = report(engine);
    // The hypervisor unmaps the rings of both applications first, 300 ns a page.
    const unmapping = deaths[0]!.down! - 120 * ms;
    assert.ok(unmapping > 0 && unmapping < 10 * ms && unmapping % 300e3 === 0, `${unmapping}`);
    assert.deepEqual(deaths, [
      { domain: "server/netsrv", cause: "faults/crash-netsrv-ixgbe", at: 50 * ms, down: 120 * ms + unmapping },
      { domain: "server/fast", cause: "faults/crash-fast", at: 60 * ms, down: undefined },
    ]);
    assert.equal(incidents["crash"], 2);
    const [web, fast] = workloads;
    assert.ok(web!.silence > 120 * ms && web!.silence < 500 * ms);
    assert.ok(fast!.completed < 1000 && fast!.silence > 900 * ms);
  });
});
