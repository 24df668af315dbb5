import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { summary } from "../../../engine/cli/summary";
import { runDesign } from "../../support/runDesign";

const sample = readFileSync("samples/security/malicious.exo.yaml", "utf8");
const without = sample.slice(0, sample.indexOf("faults:"));
const attack = (...lines: string[]): ReturnType<typeof runDesign> => runDesign(`${without}faults:\n${lines.map((line) => `  - ${line}\n`).join("")}run: { until: 100ms, seed: 1 }\n`);

describe("a malicious application", () => {
  const honest = runDesign(`${without}run: { until: 100ms, seed: 1 }\n`).report;
  const work = (report: typeof honest, name: string): number => report.workloads.find(({ workload }) => workload.endsWith(name))!.completed;

  for (const [what, incident] of [["mac", "forged source MAC"], ["ip", "forged source IP"], ["port", "forged source port"], ["index", "ring index out of range"], ["length", "frame longer than its slot"]] as const) {
    it(`behind the network server gets no further than there: ${what}`, () => {
      const { report } = attack(`{ at: 20ms, forge: sly, what: ${what}, count: 7 }`);
      assert.deepEqual([report.incidents[incident], report.drops[incident]], [7, 7], "an incident, and a frame that is dropped");
      assert.equal(report.incidents["forged source on the wire"], undefined);
      assert.equal(work(report, "honest"), work(honest, "honest"), "the other application notices nothing");
    });
  }

  it("with a function of its own is found by the adapter where it forges MAC addresses, and not where IP addresses or ports", () => {
    const mac = attack("{ at: 20ms, forge: bold, what: mac, count: 7 }").report;
    assert.deepEqual([mac.incidents["MAC anti-spoof"], mac.incidents["forged source on the wire"]], [7, undefined]);
    assert.equal(mac.drops["MAC anti-spoof"], 7);
    assert.equal(mac.pciFunctions.reduce((sum, { dropped }) => sum + dropped, 0), 7);
    assert.doesNotMatch(summary(mac), /No frame was dropped/);
    for (const what of ["ip", "port"]) {
      const { incidents, drops } = attack(`{ at: 20ms, forge: bold, what: ${what}, count: 7 }`).report;
      assert.deepEqual([incidents["MAC anti-spoof"], incidents["forged source on the wire"]], [undefined, 7]);
      assert.equal(drops["forged source on the wire"], undefined, "it goes on");
    }
  });

  it("behind a bridge, or a PF of its own kernel, sends under any MAC address: nobody looks at it, and the bridge learns it", () => {
    const bridge = readFileSync("samples/netfront/bridge.exo.yaml", "utf8").replace(/^faults:.*$/m, "");
    const { engine, report } = runDesign(bridge.replace(/^run:.*$/m, "faults: [{ at: 20ms, forge: split, what: mac, count: 3 }]\nrun: { until: 30ms, seed: 1 }"));
    assert.equal(report.incidents["forged source on the wire"], 3);
    const learned = engine.describeComponent(engine.names.components.find(({ type }) => type === "bridge")!.id)[0]!.variables[0]!.children!;
    assert.equal(learned.filter(({ name, value }) => name.startsWith("06:00:00:") && value.startsWith("server/split")).length, 3);
    const kernel = readFileSync("samples/placement/kernel-driver.exo.yaml", "utf8");
    const process = runDesign(kernel.replace(/^run:.*$/m, "faults: [{ at: 11ms, forge: nginx, what: mac, count: 3 }]\nrun: { until: 15ms, seed: 1 }")).report;
    assert.equal(process.incidents["forged source on the wire"], 3);
  });

  it("loses the slots whose indices it falsifies, until it has none; others keep theirs", () => {
    const { report } = attack("{ at: 20ms, forge: sly, what: index, count: 600, interval: 50us }");
    assert.equal(report.incidents["ring index out of range"], 512);
    assert.ok(report.drops["ring to server full"]! >= 88);
    assert.equal(work(report, "honest"), work(honest, "honest"));
    assert.ok(work(report, "sly") < work(honest, "sly"));
  });

  it("loses its function's right to master the bus at the tenth DMA out of bounds, and nobody else's", () => {
    const { report } = attack("{ at: 50ms, forge: bold, what: dma, count: 30 }");
    assert.equal(report.incidents["IOMMU fault"], 10);
    assert.ok(report.drops["bus master off"]! > 0);
    assert.ok(work(report, "bold") < work(honest, "bold"));
    assert.equal(work(report, "honest"), work(honest, "honest"));
    assert.equal(work(report, "sly"), work(honest, "sly"));
    const nine = attack("{ at: 50ms, forge: bold, what: dma, count: 9 }").report;
    assert.deepEqual([nine.incidents["IOMMU fault"], nine.drops["bus master off"], work(nine, "bold")], [9, undefined, work(honest, "bold")]);
  });

  it("cannot change the portmap from the network server's domain", () => {
    const { report } = attack("{ at: 20ms, forge: netsrv, what: portmap, count: 50 }");
    assert.equal(report.incidents["write to a read-only page"], 50);
    for (const name of ["honest", "sly", "bold"]) assert.equal(work(report, name), work(honest, name));
  });

  it("is malicious at its time also where it has crashed and started again before; where it does not run then, a row says so", () => {
    const again = attack("{ at: 20ms, crash: sly, restart: 10ms }", "{ at: 50ms, forge: sly, what: mac, count: 7 }").report;
    assert.deepEqual([again.incidents["forge"], again.incidents["forged source MAC"]], [1, 7]);
    const { engine, report } = attack("{ at: 20ms, crash: sly, restart: 50ms }", "{ at: 50ms, forge: sly, what: mac, count: 7 }");
    assert.deepEqual([report.incidents["forge"], report.incidents["forged source MAC"]], [1, undefined]);
    const { trace, names } = engine;
    const strike = Array.from({ length: trace.length }, (_, row) => row).find((row) => names.functions[trace.fn(row)]!.name === "forge")!;
    const { fn, component, time } = trace.row(strike + 1);
    assert.deepEqual([names.functions[fn]!.name, names.components[component]!.path, time], ["not running", "server/sly", 50e9]);
  });

  it("stops with its domain, which is honest when it starts again", () => {
    const { report } = attack("{ at: 20ms, forge: sly, what: mac, count: 1000, interval: 100us }", "{ at: 30ms, crash: sly, restart: 10ms }");
    const forged = report.incidents["forged source MAC"]!;
    assert.ok(forged > 50 && forged <= 101, `${forged}`);
  });
});
