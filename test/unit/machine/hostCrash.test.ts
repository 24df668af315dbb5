import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { report } from "../../../engine/analysis/report";
import type { Netserver } from "../../../engine/components/netserver";
import type { TcpIp } from "../../../engine/components/tcpip";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { parseDesign } from "../../../engine/design/parse";
import { designOf } from "../../support/runDesign";

const ms = 1e9;
const HOST = "server";

function machine(fault: string, until = "900ms", more = ""): MachineEngine {
  return createEngine(designOf(`
exoscope: 1
hosts:
  server:
    cpu: { cores: 3 }
    iommu: on
    devices:
      nic0: { model: intel-82599, sriov: { vfs: 1 } }
    hypervisor: { model: xen, scheduler: credit }
    domains:
      netsrv: { components: [netserver, ixgbe: { bind: nic0.pf }] }
      web: { components: [http-server: { port: 80 }, echo: { protocol: udp }, libc, tcpip, vif: { channel: netsrv.netserver }] }
      fast: { components: [http-server: { port: 81 }, libc, tcpip, ixgbe: { bind: nic0.vf0 }] }
  client: { model: load-generator, cpu: { cores: 2 }, link: { to: server.nic0, rate: 10Gbps, delay: 200us } }
workloads:
  - http: { from: client, to: web, size: 1KiB, requests: 200000 }
  - http: { from: client, to: fast, size: 1KiB, requests: 200000 }
faults: [{ at: 50ms, ${fault} }${more}]
run: { until: ${until} }
`));
}

function runUntil(engine: MachineEngine, time: number): void {
  const { queue } = engine.built.machine.kernel;
  for (let next = queue.peek(); next >= 0 && queue.events.time[next]! < time && engine.dispatch(); next = queue.peek());
}

const completed = (engine: MachineEngine): number[] => report(engine).workloads.map((w) => w.completed);
const running = (engine: MachineEngine): boolean[] => engine.built.domains.filter(({ host }) => host === HOST).map((d) => engine.built.machine.lifecycle.isRunning(d));
const count = (engine: MachineEngine, name: string): number => engine.names.functions.filter((fn) => fn.name === name).reduce((sum, { id }) => sum + engine.built.machine.kernel.count(id), 0);

/** Goes back to each of these instants, and runs to the end again: the machine is the same one then, bit by bit. All in milliseconds. */
function checkGoingBack(fault: string, until: number, instants: readonly number[]): void {
  for (const instant of instants) {
    const engine = machine(fault, `${until}ms`);
    runUntil(engine, instant * ms);
    const keyframe = engine.snapshot();
    const replayer = engine.replayer() as MachineEngine;
    replayer.restore(keyframe);
    runUntil(engine, until * ms);
    runUntil(replayer, until * ms);
    assert.equal(replayer.rows, engine.rows);
    assert.deepEqual(replayer.built.machine.kernel.store.snapshot().delta, engine.built.machine.kernel.store.snapshot().delta);
  }
}

describe("a crash of a host", () => {
  for (const target of ["server", "server.hypervisor", "hypervisor"]) {
    it(`named “${target}” takes down all domains, and what the hypervisor held for them`, () => {
      const engine = machine(`crash: ${target}`, "400ms");
      const { machine: { grants, portmaps, nics }, iommus } = engine.built;
      runUntil(engine, 50 * ms);
      const owned = (): number => [6, 17].flatMap((protocol) => Array.from({ length: 65536 }, (_, port) => portmaps.get("server/netsrv/netserver")!.owner(protocol, port))).filter((owner) => owner >= 0).length;
      const ids = engine.built.domains.filter(({ host }) => host === HOST).map(({ id }) => id);
      const granted = (): number => ids.reduce((sum, id) => sum + grants.get(HOST)!.grantedBy(id) + grants.get(HOST)!.mappedBy(id), 0);
      assert.ok(owned() > 0 && granted() > 0 && running(engine).every((on) => on));
      engine.dispatch();
      assert.deepEqual(running(engine), [false, false, false]);
      assert.deepEqual([owned(), granted()], [0, 0]);
      const nic = nics.get("server/nic0")!;
      assert.ok(nic.functions.every((_, f) => !nic.isUp(f) && nic.state.owner[f] === -1));
      assert.equal(iommus.length, 2);
      const before = completed(engine);
      const from = engine.trace.length;
      runUntil(engine, 400 * ms);
      assert.deepEqual(completed(engine).map((n, i) => n - before[i]! <= 1), [true, true], "what was on its way");
      const { contexts } = engine.names;
      for (let row = from; row < engine.trace.length; row++) {
        const { kind, path } = contexts[engine.trace.row(row).context]!;
        assert.ok(!path.startsWith("server/") || (kind !== "thread" && kind !== "pcpu"), `${path} does something`);
      }
      assert.ok(report(engine).retransmissions > 0, "the client's segments are not acknowledged");
    });
  }

  it("boots everything again: connections of before are reset, new ones are served", () => {
    const engine = machine("crash: server, restart: 200ms");
    runUntil(engine, 240 * ms);
    assert.deepEqual(running(engine), [false, false, false]);
    const before = completed(engine);
    runUntil(engine, 900 * ms);
    const { deaths, workloads } = report(engine);
    assert.deepEqual(running(engine), [true, true, true]);
    assert.deepEqual(deaths.map(({ domain, cause, at, down }) => [domain, cause, at, down]), ["netsrv", "web", "fast"].map((name) => [`server/${name}`, "faults/crash-server", 50 * ms, 200 * ms]));
    workloads.forEach((workload, i) => {
      assert.ok(workload.completed > before[i]! + 100, `${workload.completed} after ${before[i]}`);
      assert.equal(workload.errors, 1, "the connection that was there");
    });
    assert.ok(count(engine, "csched_tick") > 0);
  });

  it("boots domains as well that had died before, and not earlier than the host", () => {
    const engine = machine("restart: server, takes: 200ms", "500ms", ", { at: 30ms, crash: fast }, { at: 40ms, crash: web, restart: 100ms }");
    runUntil(engine, 249 * ms);
    assert.deepEqual(running(engine), [false, false, false]);
    runUntil(engine, 500 * ms);
    assert.deepEqual(running(engine), [true, true, true]);
    assert.deepEqual(report(engine).deaths.map(({ domain, down }) => [domain, down]), [["server/fast", 220 * ms], ["server/web", 210 * ms], ["server/netsrv", 200 * ms]]);
  });

  it("starts a network server without the address of an application that is to start yet, and does so elsewhere", () => {
    const text = readFileSync("samples/switching/by-hand.exo.yaml", "utf8").replace("active: vif", "active: ixgbe").replace(/to: direct \}\n.*\n/, "to: server }\n")
      .replace("\nrun:", "\nfaults: [{ at: 600ms, crash: server.hypervisor, restart: 20ms }]\n\nrun:");
    const engine = createEngine(designOf(text));
    const { addresses } = engine.built.machine.placed("server/netsrv/netserver") as Netserver;
    runUntil(engine, 600 * ms);
    assert.ok(addresses.isActive(0));
    while (count(engine, "domain_create") === 0 && engine.dispatch());
    assert.deepEqual(running(engine), [true, false]);
    assert.ok(!addresses.isActive(0));
    while (engine.dispatch());
    assert.deepEqual(running(engine), [true, true]);
    assert.ok(!addresses.isActive(0));
  });

  it("of a client is one of its kernel: it asks anew, and its books go on", () => {
    const engine = machine("crash: client, restart: 1ms", "300ms");
    runUntil(engine, 51 * ms);
    assert.deepEqual(running(engine), [true, true, true]);
    assert.deepEqual(report(engine).deaths.map(({ domain, down }) => [domain, down]), [["client/os", undefined]]);
    const before = completed(engine);
    assert.ok(before.every((n) => n > 50), before.join());
    runUntil(engine, 300 * ms);
    for (const [i, { completed: all, requests, beganAgain, silence }] of report(engine).workloads.entries()) {
      assert.ok(all > before[i]! + 100, `${all} after ${before[i]}`);
      assert.deepEqual([requests, beganAgain], [400_000, [160 * ms]]);
      assert.ok(silence > 110 * ms && silence < 112 * ms, `${silence / ms} ms`);
    }
    // Its ports are not those of before: the server, which still has the connections from there, takes the first SYN.
    assert.equal(report(engine).retransmissions, 0);
    const ports = [0, 1].map((conn) => (engine.built.machine.placed("client/os/tcpip") as TcpIp).tcp.localPort(conn));
    assert.ok(ports.every((port) => port > 32769 && port < 61000), ports.join());
  });

  it("going back over that of a client is exact", () => {
    checkGoingBack("crash: client, restart: 100ms", 170, [45, 51, 155, 165]);
  });

  it("going back over it is exact", () => {
    checkGoingBack("crash: server, restart: 150ms", 230, [45, 51, 120, 201, 210]);
  });
});

describe("on a host that is down or hangs", () => {
  /** What the rows after those of each fault say, and of what. */
  const outcomes = (engine: MachineEngine): string[] => {
    const { trace, names } = engine;
    const nameOf = (row: number): string => names.functions[trace.fn(row)]!.name;
    const strikes = Array.from({ length: trace.length }, (_, row) => row).filter((row) => names.functions[trace.fn(row)]!.kind === "fault" && ["crash", "hang", "restart", "forge"].includes(nameOf(row)));
    return strikes.slice(1).map((row) => `${nameOf(row)}: ${names.components[trace.component(row + 1)]!.path} ${nameOf(row + 1)}`);
  };
  const later = ", { at: 60ms, restart: web, takes: 1ms }, { at: 61ms, crash: fast, restart: 1ms }, { at: 62ms, hang: netsrv }, { at: 63ms, forge: web, what: mac }";
  const kinds = ["restart", "crash", "hang", "forge"];

  it("nothing can be done to a domain, and the host's row says why", () => {
    const down = machine("crash: server", "300ms", later);
    while (down.dispatch());
    assert.deepEqual(outcomes(down), kinds.map((kind) => `${kind}: server/hypervisor not running`));
    assert.deepEqual(running(down), [false, false, false]);
    assert.equal(count(down, "domain_create"), 0);
    const hung = machine("hang: server", "300ms", later);
    while (hung.dispatch());
    assert.deepEqual(outcomes(hung), kinds.map((kind) => `${kind}: server/hypervisor no progress`));
    assert.equal(report(hung).deaths.length, 0);
  });

  it("what was to boot when it stopped or hung does not", () => {
    for (const kind of ["crash", "hang"]) {
      const engine = machine("crash: web, restart: 50ms", "300ms", `, { at: 60ms, ${kind}: server }`);
      while (engine.dispatch());
      assert.equal(count(engine, "domain_create"), 0, kind);
    }
  });

  it("only a planned restart starts the host itself, once, and the watchdog of the one that hung is forgotten", () => {
    const dead = machine("crash: server, restart: 100ms", "300ms", ", { at: 60ms, crash: server }, { at: 70ms, hang: server, watchdog: 1ms, restart: 1ms }");
    while (dead.dispatch());
    assert.deepEqual(outcomes(dead), ["crash: server/hypervisor not running", "hang: server/hypervisor not running"]);
    assert.deepEqual(report(dead).deaths.map(({ down }) => down), [100 * ms, 100 * ms, 100 * ms]);
    const engine = machine("crash: server, restart: 300ms", "500ms", ", { at: 60ms, restart: server, takes: 150ms }, { at: 310ms, hang: server, watchdog: 100ms, restart: 1ms }, { at: 320ms, restart: server, takes: 110ms }");
    while (engine.dispatch());
    assert.deepEqual([count(engine, "host starts"), count(engine, "nmi_watchdog_tick")], [2, 0]);
    assert.deepEqual(running(engine), [true, true, true]);
  });
});

describe("the name of what a fault strikes", () => {
  it("is a domain's, a component's, a host's or a hypervisor's, and no device's; only a domain forges", () => {
    const problems = (fault: string): string[] => parseDesign(`
exoscope: 1
hosts:
  server:
    cpu: { cores: 1 }
    devices: { nic0: { model: intel-82599 } }
    domains: { os: { kind: kernel, components: [tcpip, ixgbe: { bind: nic0.pf }] } }
faults: [{ at: 1ms, ${fault} }]
run: { until: 1ms }
`).problems.filter(({ severity }) => severity === "error").map(({ code, message }) => `${code}: ${message}`);
    for (const good of ["crash: server", "hang: os", "restart: server, takes: 1ms", "crash: os.ixgbe"]) assert.deepEqual(problems(good), [], good);
    assert.deepEqual(problems("crash: nic0"), ["wrong-reference: “nic0” is a device. This must be a domain, a component, a host or its hypervisor: server, os, os.tcpip or os.ixgbe."]);
    assert.deepEqual(problems("crash: hypervisor"), ["unknown-reference: There is no “hypervisor”. This must be a domain, a component, a host or its hypervisor: server, os, os.tcpip or os.ixgbe."]);
    assert.deepEqual(problems("forge: server, what: mac"), ["wrong-reference: “server” is a host. This must be a domain or a component: os, os.tcpip or os.ixgbe."]);
  });
});

describe("a host that hangs", () => {
  it("does nothing until its watchdog reboots it", () => {
    const engine = machine("hang: server, watchdog: 100ms, restart: 120ms");
    runUntil(engine, 51 * ms);
    const before = completed(engine);
    runUntil(engine, 149 * ms);
    assert.deepEqual(completed(engine), before);
    assert.deepEqual(running(engine), [true, true, true], "nobody knows that they do not");
    runUntil(engine, 900 * ms);
    assert.equal(count(engine, "nmi_watchdog_tick"), 1);
    assert.ok(report(engine).deaths.every(({ at, down }) => at === 150 * ms && down === 120 * ms));
    assert.ok(completed(engine).every((n, i) => n > before[i]! + 100));
  });

  it("has no ticks, no watchdogs of domains and no VM exits any more: each pCPU's time is the hypervisor's, and the guests' stands still", () => {
    const engine = machine("hang: server", "250ms", ", { at: 80ms, hang: web, watchdog: 20ms, restart: 1ms }");
    runUntil(engine, 50 * ms);
    engine.dispatch();
    const { trace, names, built: { domains, machine: { cpus }, hypervisors } } = engine;
    const busy = (): number[] => domains.filter(({ host }) => host === HOST).map(({ id }) => cpus.times.ofDomain(id));
    const { hypervisor } = hypervisors.find(({ host }) => host === HOST)!;
    const spent = (): number[] => [0, 1, 2].map((p) => hypervisor.overheadOf(p, engine.time));
    const [guests, before, since, from] = [busy(), spent(), engine.time, trace.length];
    while (engine.dispatch());
    assert.deepEqual(busy(), guests);
    assert.deepEqual(spent().map((time, p) => time - before[p]!), [0, 1, 2].map(() => engine.time - since));
    const seen = new Map<string, number>();
    for (let row = from; row < trace.length; row++) {
      const { path, kind } = names.contexts[trace.row(row).context]!;
      const what = `${kind} ${names.functions[trace.fn(row)]!.name}`;
      if (path.startsWith("server/") && kind !== "device") seen.set(what, (seen.get(what) ?? 0) + 1);
    }
    assert.deepEqual([...seen.keys()], ["pcpu no progress"]);
    assert.ok(seen.get("pcpu no progress")! >= 3 * 199);
    assert.equal(report(engine).deaths.length, 0);
  });

  it("switches nobody's uplink", () => {
    const text = readFileSync("samples/switching/by-hand.exo.yaml", "utf8");
    const engine = createEngine(designOf(text.replace("\nrun:", "\nfaults: [{ at: 11ms, hang: server }]\n\nrun:")));
    while (engine.dispatch());
    assert.ok(report(engine).switches.length > 0);
    assert.ok(report(engine).switches.every(({ outcome }) => outcome === "not running"));
  });

  it("going back over it and its reboot is exact", () => {
    checkGoingBack("hang: server, watchdog: 30ms, restart: 10ms", 120, [45, 51, 70, 81, 95]);
  });

  it("takes its kernels down with their processes, none of which learns of another's end: their timers are gone since it hangs", () => {
    const text = readFileSync("samples/placement/monolithic-netbsd.exo.yaml", "utf8").replace(/until: [0-9.]+m?s/, "until: 40ms");
    for (let at = 10_400; at <= 11_000; at += 100) {
      const engine = createEngine(designOf(text.replace("run:", `faults: [{ at: ${at}us, hang: server, watchdog: 20ms, restart: 5ms }]\nrun:`)));
      const { kernel } = engine.built.machine;
      runUntil(engine, 20 * ms);
      const cancel = kernel.cancel.bind(kernel);
      let cancelled = 0;
      kernel.cancel = (handle) => {
        cancelled++;
        cancel(handle);
      };
      while (count(engine, "nmi_watchdog_tick") === 0) {
        cancelled = 0;
        engine.dispatch();
      }
      assert.equal(cancelled, 0, `${at}`);
    }
  });

  it("without one, for good", () => {
    const engine = machine("hang: hypervisor");
    runUntil(engine, 51 * ms);
    const before = completed(engine);
    runUntil(engine, 900 * ms);
    assert.deepEqual(completed(engine), before);
    assert.equal(report(engine).deaths.length, 0);
  });
});
