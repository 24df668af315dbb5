import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createEngine } from "../../../engine/create";
import { Playback } from "../../../engine/session/playback";
import { defaultKeyframes, Recording } from "../../../engine/session/recording";
import { designOf } from "../../support/runDesign";

const design = designOf(readFileSync("samples/scheduling/slices.exo.yaml", "utf8"));

describe("recording", () => {
  it("keeps keyframes within their share of the trace's memory, or two megabytes, and within their number", () => {
    for (const settings of [defaultKeyframes, { interval: 512, maxCount: 1 << 20, maxBytes: 1 << 30 }, { interval: 256, maxCount: 40, maxBytes: 1 << 30 }]) {
      const recording = new Recording(createEngine(design), settings);
      let most = 0;
      while (recording.length < 80_000) {
        recording.record(2_000);
        const { trace, keyframeBytes, keyframeCount } = recording;
        assert.ok(keyframeBytes <= Math.max(2 << 20, trace.bytes * 0.2), `${keyframeBytes} bytes beside ${trace.bytes}`);
        assert.ok(keyframeCount <= settings.maxCount);
        most = Math.max(most, keyframeCount);
      }
      assert.ok(most > 8 && recording.keyframeCount >= most / 3, "they are spread over the run");
    }
  });

  it("replays from any keyframe that is left after others have gone", () => {
    const recording = new Recording(createEngine(design), { interval: 128, maxCount: 20, maxBytes: 1 << 30 });
    while (recording.length < 60_000) recording.record(500);
    const straight = createEngine(design);
    const playback = new Playback(recording);
    for (const row of [100, 7_000, 31_000, 59_999, 12_345, 0]) {
      const start = recording.trace.dispatchStart(row);
      const engine = straight.rows > start ? createEngine(design) : straight;
      while (engine.rows < start) engine.dispatch();
      const work = playback.seek(row);
      let step = work.next();
      while (!step.done) step = work.next();
      const at = step.value;
      assert.deepEqual([at.rows, at.time], [engine.rows, engine.time]);
      for (const { id } of engine.names.components) assert.deepEqual(at.describeComponent(id), engine.describeComponent(id));
    }
  });
});
