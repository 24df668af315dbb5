import assert from "node:assert/strict";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { NO_VCPU } from "../../../engine/trace/trace";
import { readSample } from "../../support/samples";
import { designOf, runDesign } from "../../support/runDesign";

/** Samples in which components of most types do something, with kernels of each system. */
const struck = ["netfront/bridge", "netfront/nat", "placement/kernel-driver", "placement/monolithic-netbsd", "placement/multiserver", "security/malicious"];
/** Dispatches by when requests are under way, and of a run that shows who does anything after that. */
const BEFORE = 1300;
const AFTER = 700;
/** For as long, picoseconds, the run with the fault goes on: what makes no progress leaves a row each millisecond. */
const WHILE = 2.5e9;
/** Until then, picoseconds, work that had begun before is done. */
const RUNS_OUT = 20e6;

function withHang(text: string, path: string, at: number, more = ""): string {
  const bare = text.replace(/^faults:(?: \[.*|\n(?: .*\n|\n)*)/m, "");
  return `${bare}\nfaults: [{ at: ${Math.ceil(at / 1e3)}ns, hang: ${path.replaceAll("/", ".")}${more} }]\n`;
}

/** What components went through on vCPUs from a row on, by path. */
function onVcpus(engine: MachineEngine, from: number): { readonly path: string; readonly name: string; readonly begin: number }[] {
  const { trace, names } = engine;
  return Array.from({ length: trace.length - from }, (_, i) => trace.row(from + i)).filter(({ vcpu }) => vcpu !== NO_VCPU)
    .map(({ component, fn, begin }) => ({ path: names.components[component]!.path, name: names.functions[fn]!.name, begin }));
}

describe("a component that hangs", () => {
  for (const sample of struck) {
    it(`holds whoever comes to a function of it: each of ${sample}`, () => {
      const { text, files } = readSample(`${sample}.exo.yaml`);
      const undisturbed = createEngine(designOf(text, files));
      for (let i = 0; i < BEFORE && undisturbed.dispatch(); i++);
      const from = undisturbed.trace.length;
      const at = undisturbed.time;
      for (let i = 0; i < AFTER && undisturbed.dispatch(); i++);
      const busy = new Set(onVcpus(undisturbed, from).map(({ path }) => path));
      const components = undisturbed.design.hosts.filter(({ kind }) => kind === "machine").flatMap(({ domains }) => domains).flatMap((domain) => domain.components).filter(({ path }) => busy.has(path));
      const ofEachType = new Map(components.map(({ type, path }) => [type, path]));
      assert.ok(ofEachType.size > 2);
      for (const path of ofEachType.values()) {
        const engine = createEngine(designOf(withHang(text, path, at), files));
        while (engine.time < at + WHILE && engine.dispatch());
        const own = onVcpus(engine, 0).filter((row) => row.path === path && row.begin > at);
        assert.ok(own.some(({ name }) => name === "no progress"), `nobody comes to ${path}`);
        assert.deepEqual(own.filter(({ name, begin }) => name !== "no progress" && begin > at + RUNS_OUT), [], `${path} goes on`);
      }
    });
  }

  it("is found by its domain's watchdog, whosever work it holds", () => {
    const { text, files } = readSample("netfront/nat.exo.yaml");
    for (const [path, domain] of [["server/driver/nat", "server/driver"], ["server/second/libc", "server/second"]] as const) {
      const { report } = runDesign(withHang(text, path, 12e9, ", watchdog: 10ms, restart: 1ms").replace(/until: \w+/, "until: 25ms"), files);
      assert.deepEqual(report.deaths.map(({ domain: died, cause }) => [died, cause]), [[domain, `${domain}/watchdog`]]);
      assert.ok(report.deaths[0]!.at > 17e9 && report.deaths[0]!.at <= 23e9, `${report.deaths[0]!.at}`);
    }
  });

  it("keeps the locks that it has", () => {
    const { text, files } = readSample("placement/monolithic-netbsd.exo.yaml");
    const { engine } = runDesign(withHang(text, "server/os/tcpip", 10.5e9).replace(/until: \w+/, "until: 15ms"), files);
    const { locks, work: { slot } } = engine.built.machine.cpus;
    const held = Array.from({ length: locks.count }, (_, l) => l).filter((l) => locks.work(l) >= 0 && slot.hung[locks.work(l)] === 1);
    assert.ok(held.length > 0);
    for (const l of held) assert.ok(slot.held[locks.work(l)] === l || slot.second[locks.work(l)] === l, `${l}`);
  });
});
