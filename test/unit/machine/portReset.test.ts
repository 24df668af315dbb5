import assert from "node:assert/strict";
import type { Ixgbe } from "../../../engine/components/ixgbe";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { act, rowsOf } from "../../support/act";
import { designOf } from "../../support/runDesign";

const ms = 1e9;

/** A network server at one VF, an application at another, and one that switches between the server and the PF of the same adapter. */
function machine({ switches, model = "intel-82599", driver = "ixgbe", active = driver, system = "", until = "800ms" }: {
  readonly active?: string; readonly switches: string; readonly model?: string; readonly driver?: string; readonly system?: string; readonly until?: string;
}): MachineEngine {
  return createEngine(designOf(`
exoscope: 1
hosts:
  server:
    cpu: { cores: 8 }
    iommu: on
    devices: { nic0: { model: ${model}, sriov: { vfs: 2 } } }
    hypervisor: { model: xen }
    domains:
      netsrv: { ${system}components: [netserver, ${driver}: { bind: nic0.vf0 }] }
      app:
        ${system.replace(",", "")}
        components: [echo, libc, tcpip, vif: { channel: netsrv.netserver }, ${driver}: { bind: nic0.pf }]
        uplinks: { tcpip: [vif, ${driver}], active: ${active} }
      other: { ${system}components: [echo: { port: 9, protocol: udp }, libc, tcpip, ${driver}: { bind: nic0.vf1 }] }
  client: { model: load-generator, cpu: { cores: 2 }, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }
workloads: [open-loop: { from: client, to: other, arrivals: periodic, interval: 1ms, requests: 10000 }]
switches: [${switches}]
run: { until: ${until}, seed: 1 }
`));
}

function runUntil(engine: MachineEngine, time: number): void {
  const { queue } = engine.built.machine.kernel;
  for (let next = queue.peek(); next >= 0 && queue.events.time[next]! < time && engine.dispatch(); next = queue.peek());
}

/** Times of rows of a function at a component, picoseconds. */
const times = (engine: MachineEngine, name: string, component: string): number[] =>
  rowsOf(engine, name).filter((row) => engine.names.components[engine.trace.component(row)]!.path === component).map((row) => engine.trace.time(row));
const vf1 = "server/nic0/vf1";
const isUp = (engine: MachineEngine): boolean[] => [0, 1, 2].map((f) => engine.built.machine.nics.get("server/nic0")!.isUp(f));
const valueOf = (engine: MachineEngine, f: number): string =>
  engine.built.machine.nics.get("server/nic0")!.describe()[0]!.variables.find(({ name }) => name === ["pf", "vf0", "vf1"][f])!.value;

describe("a reset by the PF's driver", () => {
  it("stops every VF of the port, whoever's, and while the PF's interface is down they stay so", () => {
    const engine = machine({ switches: "{ at: 200ms, switch: app, to: server }" });
    runUntil(engine, 200 * ms);
    assert.deepEqual(isUp(engine), [true, true, true]);
    const before = times(engine, "DMA write", vf1).length;
    assert.ok(before > 100);
    runUntil(engine, 800 * ms);
    const [reset] = times(engine, "port reset", vf1);
    assert.ok(reset! > 200 * ms && reset! < 210 * ms);
    assert.deepEqual(isUp(engine), [false, false, false]);
    assert.equal(valueOf(engine, 2), "down");
    for (const name of ["DMA write", "DMA read", "MSI"]) assert.deepEqual(times(engine, name, vf1).filter((time) => time > reset! + ms), [], name);
    assert.ok(rowsOf(engine, "no receive filter").filter((row) => engine.trace.time(row) > reset!).length > 500, "each frame for it is dropped, with its cause");
    assert.deepEqual(rowsOf(engine, "mailbox timeout"), [], "its driver waits for the PF's");
  });

  it("is told to them: their drivers take the link down, and nothing is sent", () => {
    const engine = machine({ switches: "{ at: 200ms, switch: app, to: server }" });
    const other = engine.built.machine.placed("server/other/ixgbe") as Ixgbe;
    runUntil(engine, 200 * ms);
    assert.equal(other.isUp, true);
    runUntil(engine, 300 * ms);
    const [ping] = times(engine, "ixgbe_ping_all_vfs", "server/app/ixgbe");
    assert.ok(ping! > 250 * ms);
    assert.equal(times(engine, "isr", "server/other/ixgbe").filter((time) => time > ping!).length, 1);
    assert.equal(other.isUp, false);
  });

  it("is got over when the PF is up again: each driver initializes its VF, by RESET and what follows", () => {
    const engine = machine({ switches: "{ at: 200ms, switch: app, to: server }, { at: 400ms, switch: app, to: direct }" });
    runUntil(engine, 800 * ms);
    assert.deepEqual(isUp(engine), [true, true, true]);
    const pings = times(engine, "ixgbe_ping_all_vfs", "server/app/ixgbe");
    assert.equal(pings.length, 2);
    const resets = times(engine, "ixgbe_reset_hw_vf", "server/other/ixgbe");
    assert.equal(resets.length, 1);
    assert.ok(resets[0]! > pings[1]!);
    const asked = rowsOf(engine, "ixgbe_rcv_msg_from_vf").filter((row) => engine.trace.b(row) === 1).map((row) => [engine.trace.a(row), engine.trace.time(row) > pings[1]!]);
    assert.deepEqual(asked, [[1, false], [8, false], [9, false], [5, false], [1, true], [8, true], [9, true], [5, true]]);
    const back = times(engine, "DMA read", vf1).filter((time) => time > pings[1]!);
    assert.ok(back.length > 100 && back[0]! > resets[0]! + 60 * ms, "after the waits of the driver");
  });

  it("finds a driver that has given up waiting at boot: the PF has come up since", () => {
    const engine = machine({ active: "vif", switches: "{ at: 2500ms, switch: app, to: direct }", until: "3s" });
    runUntil(engine, 2500 * ms);
    assert.equal(rowsOf(engine, "mailbox timeout").length, 2);
    assert.deepEqual(isUp(engine), [false, false, false]);
    runUntil(engine, 3000 * ms);
    assert.deepEqual(isUp(engine), [true, true, true]);
    assert.equal((engine.built.machine.placed("server/other/ixgbe") as Ixgbe).isUp, true);
  });

  it("is heard by a driver that waits for an answer, which asks again", () => {
    const engine = machine({ active: "vif", switches: "{ at: 100ms, switch: app, to: direct }", until: "400ms" });
    runUntil(engine, 400 * ms);
    assert.deepEqual(isUp(engine), [true, true, true]);
    assert.deepEqual(rowsOf(engine, "mailbox timeout"), []);
    assert.deepEqual(times(engine, "ixgbe_reset_hw_vf", "server/other/ixgbe"), [], "it was about to bring its VF up anyhow");
  });

  it("that comes again while a VF is initialized: its driver begins again", () => {
    const engine = machine({ switches: "{ at: 200ms, switch: app, to: server }, { at: 400ms, switch: app, to: direct }, { at: 460ms, switch: app, to: server }, { at: 600ms, switch: app, to: direct }" });
    runUntil(engine, 799 * ms);
    assert.deepEqual(isUp(engine), [true, true, true]);
    assert.ok(times(engine, "DMA read", vf1).some((time) => time > 780 * ms));
  });

  it("leaves what is asked of a VF's driver meanwhile until that is through", () => {
    const engine = machine({ switches: "{ at: 200ms, switch: app, to: server }, { at: 400ms, switch: app, to: direct }" });
    const other = engine.built.machine.placed("server/other/ixgbe") as Ixgbe;
    let ended: number | undefined;
    other.onSetup = () => (ended = engine.time);
    act(engine, 480 * ms, () => other.down(other.threads[0]!));
    runUntil(engine, 480 * ms);
    assert.ok(times(engine, "ixgbe_stop_adapter_vf", "server/other/ixgbe").length > 0, "it initializes its VF");
    runUntil(engine, 800 * ms);
    assert.ok(ended! > 580 * ms, "what it does by itself, and then the way down");
    assert.equal(other.isUp, false);
    assert.deepEqual(isUp(engine), [true, true, false]);
  });

  it("is the same with another adapter and its drivers", () => {
    const engine = machine({ switches: "{ at: 200ms, switch: app, to: server }, { at: 400ms, switch: app, to: direct }", model: "intel-82576", driver: "igb", system: "system: linux, " });
    runUntil(engine, 300 * ms);
    assert.deepEqual(isUp(engine), [false, false, false]);
    runUntil(engine, 800 * ms);
    assert.deepEqual(isUp(engine), [true, true, true]);
  });
});

describe("a death of the PF's domain", () => {
  it("leaves the VFs as they are: the hypervisor resets the function alone", () => {
    const engine = machine({ switches: "" });
    act(engine, 100 * ms, () => engine.built.machine.lifecycle.kill(engine.built.domains.find(({ path }) => path === "server/app")!, 0, undefined));
    runUntil(engine, 300 * ms);
    assert.deepEqual(isUp(engine), [false, true, true]);
    assert.deepEqual(rowsOf(engine, "port reset"), []);
  });
});
