import assert from "node:assert/strict";
import fc from "fast-check";
import { report } from "../../engine/analysis/report";
import { createEngine, type MachineEngine } from "../../engine/create";
import { invariants } from "../support/invariants/all";
import { runChecked } from "../support/invariants/invariant";
import { designOf } from "../support/runDesign";
import { randomMachine } from "../support/randomMachine";
import { trials } from "../support/times";

/** A run is followed for at most so many dispatches: a machine that spins or computes never ends by itself. */
const DISPATCHES = 40_000;

/**
 * Many machines for a short time, few for a long one: most of what goes wrong does where machines start, crash and connect. Each part
 * is a test of its own, so that a failure says how far to look.
 */
const runs: readonly { readonly machines: number; readonly dispatches: number; readonly parts: number }[] = [
  { machines: 320, dispatches: 700, parts: 6 },
  { machines: 60, dispatches: 6_000, parts: 3 },
  { machines: 10, dispatches: DISPATCHES, parts: 2 },
];

function start(text: string): MachineEngine {
  return createEngine(designOf(text));
}

function runFor(engine: MachineEngine, dispatches: number): void {
  for (let i = 0; i < dispatches && engine.dispatch(); i++);
}

/** What the start of a crowded machine may cost: frames for an address, or to a function, that is not there yet. */
const beforeItIsUp = ["no address yet", "receive disabled", "guest not connected"];
/** What the 64 buffers of netfront cost when its thread does not keep up: TCP sends it again. */
const atNetfront = ["receive buffers full"];
/** A kernel whose interfaces are all processes' takes no broadcast for itself, such as an announcement of ARP. */
const ofBroadcasts = ["no filter accepts it"];
/** What TCP sends again in a crowded machine, where a vCPU waits for longer than a retransmission timeout, and its answer with it: one of the two is too many. */
const isOneTooMany = (cause: string): boolean => cause.startsWith("received before") || cause.startsWith("SYN in a connection");

describe("random machines", () => {
  for (const { machines, dispatches, parts } of runs) {
    for (let part = 1; part <= parts; part++) {
      it(`keep every invariant for ${dispatches} dispatches (${machines} machines, part ${part} of ${parts})`, () => {
        fc.assert(fc.property(randomMachine, ({ text }) => runChecked(start(text), invariants, dispatches)), trials(machines, 100 * dispatches + part));
      });
    }
  }

  it("answer every request where there is time enough: nothing is stuck, and without loss nothing is dropped but what was sent again for nothing", () => {
    fc.assert(fc.property(randomMachine.filter(({ text, selfHarm, crashes }) => !text.includes("compute") && !selfHarm && !crashes), ({ text, loss }) => {
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
        const causes = Object.keys(result.drops);
        assert.deepEqual(causes.filter((cause) => !isOneTooMany(cause) && ![...beforeItIsUp, ...atNetfront, ...ofBroadcasts].includes(cause)), []);
        const tooMany = causes.filter(isOneTooMany).reduce((sum, cause) => sum + result.drops[cause]!, 0);
        assert.ok(tooMany <= result.retransmissions, `${tooMany} segments came twice, and ${result.retransmissions} were sent again`);
      }
    }), trials(40, 1));
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
    }), trials(40, 2));
  });
});
