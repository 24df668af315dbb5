import assert from "node:assert/strict";
import fc from "fast-check";
import { report } from "../../engine/analysis/report";
import type { MachineEngine } from "../../engine/create";
import { keepInvariants, start } from "../support/checkedMachines";
import { randomMachine } from "../support/randomMachine";
import { trials } from "../support/times";

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
  keepInvariants({ machines: 60, dispatches: 4_000, parts: 3, seed: 600_000 });
  keepInvariants({ machines: 10, dispatches: 25_000, parts: 2, seed: 4_000_000 });

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
        // What a guard has discarded is an incident besides.
        const causes = Object.keys(result.drops).filter((cause) => result.incidents[cause] === undefined);
        assert.deepEqual(causes.filter((cause) => !isOneTooMany(cause) && ![...beforeItIsUp, ...atNetfront, ...ofBroadcasts].includes(cause)), []);
        const tooMany = causes.filter(isOneTooMany).reduce((sum, cause) => sum + result.drops[cause]!, 0);
        assert.ok(tooMany <= result.retransmissions, `${tooMany} segments came twice, and ${result.retransmissions} were sent again`);
      }
    }), trials(28, 1));
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
