import assert from "node:assert/strict";
import { report } from "../../../engine/analysis/report";
import { createEngine } from "../../../engine/create";
import { Recording } from "../../../engine/session/recording";
import { Session } from "../../../engine/session/session";
import { finish } from "../../../engine/session/work";
import { designOf } from "../../support/runDesign";
import { readSample } from "../../support/samples";

function recorded(name: string): { session: Session; engine: ReturnType<typeof createEngine> } {
  const { text } = readSample(name);
  const design = designOf(text);
  const engine = createEngine(design);
  const session = new Session(new Recording(engine), design, text);
  while (session.recording.record(1000));
  return { session, engine };
}

describe("session: uplinks at a row", () => {
  it("are those that carry frames then: the VIF, the driver after the switch, the VIF again", () => {
    const { session, engine } = recorded("switching/by-hand.exo.yaml");
    const at = (time: number): unknown => finish(session.uplinks(finish(session.recordToTime(time))));
    const vif = { "server/nginx": "server/nginx/vif" };
    const driver = { "server/nginx": "server/nginx/ixgbe" };
    const [there, back] = report(engine).switches;
    assert.ok(there?.duration !== undefined && back?.duration !== undefined);
    assert.deepEqual(at(0), vif);
    assert.deepEqual(at(there.asked + 1), vif, "a switch that has begun has not switched yet");
    assert.deepEqual(at(there.asked + there.duration + 1e9), driver);
    assert.deepEqual(at(back.asked - 1e9), driver);
    assert.deepEqual(at(back.asked + back.duration + 1e9), vif);
    // Back again: the state is that of the row, not that of the last question.
    assert.deepEqual(at(there.asked + there.duration + 1e9), driver);
  });

  it("are nothing to look at where nobody switches", () => {
    assert.deepEqual(finish(recorded("workloads/ping.exo.yaml").session.uplinks(100)), {});
  });
});
