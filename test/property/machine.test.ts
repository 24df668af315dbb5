import assert from "node:assert/strict";
import fc from "fast-check";
import { report } from "../../engine/analysis/report";
import { createEngine, type MachineEngine } from "../../engine/create";
import { RING_SLOTS } from "../../engine/machine/frameRing";
import { Netserver } from "../../engine/components/netserver";
import { NO_VCPU } from "../../engine/trace/trace";
import { designOf } from "../support/runDesign";
import { randomMachine } from "../support/randomMachine";

/** A run is followed for at most so many dispatches: a machine that spins or computes never ends by itself. */
const DISPATCHES = 60_000;

function start(text: string): MachineEngine {
  return createEngine(designOf(text));
}

function runFor(engine: MachineEngine, dispatches: number): void {
  for (let i = 0; i < dispatches && engine.dispatch(); i++);
}

/** The rings of all channels with a network server. */
function rings(engine: MachineEngine): { count: number; free: number }[] {
  const servers = [...engine.built.machine.components.values()].filter((m) => m instanceof Netserver);
  return servers.flatMap((s) => s.rings()).map((ring) => ({ count: ring.count, free: ring.freeCount }));
}

/** What the start of a crowded machine may cost: frames for an address, or to a function, that is not there yet. */
const beforeItIsUp = ["no address yet", "receive disabled"];

/** What holds in every trace. */
function checkTrace(engine: MachineEngine): void {
  const { trace, names } = engine;
  const pcpuOfVcpu = new Map<number, number>();
  const vcpuOfPcpu = new Map<number, number>();
  const busyUntil = new Map<number, number>();
  const onWire = new Map<number, number>();
  const [serialise, arrive, lost] = ["serialise", "arrive", "lost on the link"].map((name) => names.functions.find((f) => f.name === name)!.id);
  let [sent, arrived, dropped] = [0, 0, 0];
  for (let row = 0; row < trace.length; row++) {
    const context = trace.context(row);
    const { kind, path } = names.contexts[context]!;
    const vcpu = trace.vcpu(row);
    const begin = trace.begin(row);
    if (row > 0) assert.ok(trace.time(row) >= trace.time(row - 1), "time goes back");
    assert.ok(trace.cause(row) < row && trace.enabler(row) < row, "an effect before its cause");
    if (kind === "pcpu") {
      pcpuOfVcpu.delete(vcpuOfPcpu.get(context)!);
      vcpuOfPcpu.delete(context);
      if (vcpu !== NO_VCPU) {
        assert.ok(!pcpuOfVcpu.has(vcpu), "a vCPU on two pCPUs");
        pcpuOfVcpu.set(vcpu, context);
        vcpuOfPcpu.set(context, vcpu);
      }
    } else if (vcpu !== NO_VCPU) {
      assert.ok(pcpuOfVcpu.has(vcpu), "work on a vCPU without a pCPU");
      assert.ok(path.startsWith(`${names.vcpus[vcpu]!.domain}/`), "a thread on another domain's vCPU");
      if (!path.includes("/interrupt-")) {
        assert.ok(begin >= (busyUntil.get(vcpu) ?? 0), "two pieces of work on a vCPU at once");
        busyUntil.set(vcpu, begin + trace.cost(row));
      }
    }
    const fn = trace.fn(row);
    if (fn === serialise) {
      assert.ok(begin >= (onWire.get(context) ?? 0), "two frames on the wire at once");
      onWire.set(context, trace.time(row));
      sent++;
    } else if (fn === arrive) {
      arrived++;
    } else if (fn === lost) {
      dropped++;
    }
  }
  assert.ok(sent >= arrived + dropped && sent - arrived - dropped < 4096, "frames are accounted for");
}

describe("random machines", () => {
  it("keep the rules of time, CPUs and wires", () => {
    fc.assert(fc.property(randomMachine, ({ text }) => {
      const engine = start(text);
      runFor(engine, DISPATCHES);
      checkTrace(engine);
    }), { numRuns: 60 });
  });

  it("keep every ring slot either free or filled, at any instant", () => {
    fc.assert(fc.property(randomMachine, ({ text }) => {
      const engine = start(text);
      for (let i = 0; i < 4000; i++) {
        runFor(engine, 1 + (i % 7));
        for (const { count, free } of rings(engine)) assert.equal(count + free, RING_SLOTS);
      }
    }), { numRuns: 25 });
  });

  it("answer every request where there is time enough: nothing is stuck, and without loss nothing is dropped or sent again", () => {
    fc.assert(fc.property(randomMachine.filter(({ text }) => !text.includes("compute")), ({ text, loss }) => {
      const engine = start(text);
      runFor(engine, 400_000);
      const result = report(engine);
      const ended = engine.time > 100e12 || engine.done;
      for (const w of result.workloads) {
        assert.ok(w.completed + w.errors <= w.requests + w.errors);
        if (ended && loss < 0.1) assert.equal(w.completed, w.requests, w.workload);
        if (loss === 0) assert.equal(w.errors, 0);
      }
      if (loss === 0) {
        assert.deepEqual(Object.keys(result.drops).filter((cause) => !beforeItIsUp.includes(cause)), []);
      }
    }), { numRuns: 40 });
  });

  it("give the same trace again, and going back to a keyframe changes nothing", () => {
    fc.assert(fc.property(randomMachine, ({ text }) => {
      const first = start(text);
      runFor(first, 5000);
      const second = start(text);
      runFor(second, 2000);
      const keyframe = second.snapshot();
      const { rows } = second;
      runFor(second, 1000);
      const replayer = second.replayer();
      replayer.restore(keyframe);
      assert.equal(replayer.rows, rows);
      for (let i = 0; i < 1000 && replayer.dispatch(); i++);
      assert.equal(replayer.rows, second.rows);
      assert.equal(replayer.time, second.time);
      runFor(second, 2000);
      assert.equal(second.fingerprint(), first.fingerprint());
    }), { numRuns: 40 });
  });
});
