import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { openDesign } from "../../../extension/debug/worker/openDesign";
import type { OpenedDesign } from "../../../extension/debug/worker/sessionServer";
import type { OpenParams } from "../../../protocol/session";

const text = readFileSync("samples/librettos/librettos.exo.yaml", "utf8");

function open(params: Partial<OpenParams> = {}): OpenedDesign {
  const opened = openDesign({ text, ...params });
  assert.ok(!("errors" in opened));
  return opened;
}

describe("openDesign", () => {
  it("lets the launch configuration's seed and end take the place of the design's", () => {
    const record = (opened: OpenedDesign): string => {
      while (opened.session.recording.record(256));
      return opened.session.recording.engine.fingerprint();
    };
    const short = open({ until: 12e9 });
    assert.equal(short.until, 12e9);
    const fingerprint = record(short);
    assert.ok(short.session.recording.time <= 12e9);
    assert.equal(record(open({ until: 12e9, seed: 1 })), fingerprint, "seed 1 is the design's own");
    assert.notEqual(record(open({ until: 12e9, seed: 2 })), fingerprint);
  });

  it("writes what has been recorded as a capture", () => {
    const opened = open();
    opened.session.recording.record(5000);
    const capture = opened.capture();
    assert.deepEqual([...capture.subarray(0, 4)], [0x0a, 0x0d, 0x0d, 0x0a], "a pcapng section header");
    assert.ok(capture.length > 10_000);
  });

  it("answers a design with errors by their lines", () => {
    const opened = openDesign({ text: "exoscope: 1\nname: Broken\nhosts: 3\n" });
    assert.ok("errors" in opened);
    assert.ok(opened.errors.some(({ line, message }) => line === 2 && message.length > 0));
  });

  it("answers any text whatever", () => {
    for (const odd of ["", "\u0000\u0001", "[", "exoscope: 1", "&a [*a, *a]"]) assert.ok("errors" in openDesign({ text: odd }), JSON.stringify(odd));
  });
});
