import assert from "node:assert/strict";
import { Store } from "../../../engine/kernel/state";
import { PacketColumns } from "../../../engine/network/packetColumns";
import { Transcript } from "../../../engine/network/transcript";

describe("transcript", () => {
  it("shows a replay the messages up to its own time, and takes none from the recording", () => {
    const columns = new PacketColumns();
    const recording = new Transcript(new Store(), columns);
    for (let i = 0; i < 5; i++) recording.write(0, 1, 10, i);
    const replay = new Transcript(new Store(), columns);
    assert.equal(replay.complete(0, Infinity), -1);
    replay.write(0, 1, 10, 0);
    replay.write(0, 1, 10, 1);
    assert.deepEqual([...replay.messages(0)].map(({ value }) => value), [0, 1]);
    assert.deepEqual([...recording.messages(0)].map(({ value }) => value), [0, 1, 2, 3, 4]);
    assert.equal(replay.at(0, 20), -1);
    assert.equal(recording.at(0, 20), 2);
    for (let i = 0; i < 2; i++) {
      const message = replay.complete(0, Infinity);
      assert.equal(replay.valueOf(message), i);
      replay.take(0);
    }
    assert.equal(replay.complete(0, Infinity), -1, "the third has not been written yet");
    replay.write(0, 1, 10, 2);
    assert.equal(replay.valueOf(replay.complete(0, Infinity)), 2);
  });
});
