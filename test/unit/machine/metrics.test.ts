import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fairness } from "../../../engine/analysis/fairness";
import { QueueDepths } from "../../../engine/analysis/queueDepths";
import { report } from "../../../engine/analysis/report";
import { createEngine } from "../../../engine/create";
import { NO_VCPU } from "../../../engine/trace/trace";
import { designOf, runDesign } from "../../support/runDesign";

const sample = readFileSync("samples/librettos/librettos.exo.yaml", "utf8");

describe("reports", () => {
  it("Jain's index: 1 for equal shares, 1/n where one takes all, the published example between", () => {
    assert.equal(fairness([3, 3, 3, 3]), 1);
    assert.equal(fairness([5, 0, 0, 0]), 0.25);
    assert.equal(fairness([7]), undefined, "nothing is shared");
    assert.equal(fairness([0, 0]), undefined);
    assert.ok(Math.abs(fairness([1, 2, 3])! - 36 / 42) < 1e-12);
  });

  it("threads of a domain spend what its vCPUs spend, less interrupts; functions what all CPUs spend", () => {
    const { report: r, engine } = runDesign(sample);
    for (const { domain, busy, threads } of r.domains) {
      const sum = threads.reduce((total, t) => total + t.busy, 0);
      assert.ok(sum <= busy && sum > 0.5 * busy, domain);
      assert.ok(threads.every(({ thread }) => thread.startsWith(`${domain}/`)));
    }
    const { trace, names } = engine;
    const cpu = new Map<string, number>();
    for (let row = 0; row < trace.length; row++) {
      // The hypervisor takes time on pCPUs that no vCPU has, too.
      if (trace.vcpu(row) === NO_VCPU && names.contexts[trace.context(row)]!.kind !== "pcpu") continue;
      const { name } = names.functions[trace.fn(row)]!;
      cpu.set(name, (cpu.get(name) ?? 0) + trace.cost(row));
    }
    assert.ok(r.functions.length > 20);
    for (const { function: name, time } of r.functions) assert.equal(time, cpu.get(name), name);
    assert.ok(r.functions.every(({ time }, i) => i === 0 || time <= r.functions[i - 1]!.time));
  });

  it("counts copies with their bytes, notifications, and frames by PCI function", () => {
    const { report: r, engine } = runDesign(sample);
    const rows = (name: string): number => engine.built.machine.kernel.count(engine.names.functions.find((f) => f.name === name)!.id);
    const copies = engine.names.functions.filter(({ tally }) => tally === "copy").map(({ name }) => name);
    assert.ok(copies.includes("frontend_send") && copies.includes("soreceive"));
    assert.equal(r.tallies.copy, [...new Set(copies)].reduce((sum, name) => sum + rows(name), 0));
    assert.equal(r.tallies.notification, rows("minios_notify_remote_via_evtchn"));
    // Every answer of 8 KiB is copied at least by the sender's and by the receiver's socket.
    assert.ok(r.copiedBytes > 2 * 400 * 8192);
    const [pf, vf0] = r.pciFunctions;
    assert.deepEqual([pf!.domain, vf0!.domain], ["server/netsrv", "server/nginx"]);
    assert.ok(vf0!.sent > 400 && pf!.received > 400);
  });

  it("looking at queues changes nothing, and finds the queue in front of a slow server", () => {
    const text = sample.replace("concurrency: 8", "concurrency: 40");
    const plain = createEngine(designOf(text));
    while (plain.dispatch());
    const watched = createEngine(designOf(text));
    const depths = new QueueDepths(watched, 1e6);
    while (watched.dispatch()) depths.observe();
    assert.equal(watched.fingerprint(), plain.fingerprint());
    const summary = depths.summary(watched.time);
    const run = summary.find(({ queue }) => queue === "run queues of server/nginx");
    assert.ok(run !== undefined && run.max >= 1);
    assert.ok(summary.every(({ mean, p99, max, capacity }) => mean <= max && p99 <= max && (capacity === 0 || max <= capacity)));
    const [head, ...lines] = depths.csv().trimEnd().split("\n");
    assert.equal(head!.split(",").length, summary.length + 1);
    assert.equal(lines.length, depths.times.length);
    assert.deepEqual(report(watched), report(plain));
  });
});
