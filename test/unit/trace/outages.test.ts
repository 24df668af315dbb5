import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createEngine } from "../../../engine/create";
import { parseDesign } from "../../../engine/design/parse";
import { Recording } from "../../../engine/session/recording";
import { Session } from "../../../engine/session/session";
import { TimelineIndex } from "../../../engine/trace/timelineIndex";

describe("trace: outages of domains", () => {
  it("last from a domain's end to its next start", () => {
    const text = readFileSync("samples/faults/server-crash.exo.yaml", "utf8").replace("until: 2s", "until: 220ms");
    const { design } = parseDesign(text);
    assert.ok(design);
    const session = new Session(new Recording(createEngine(design)), design, text);
    const index = new TimelineIndex(session.trace);
    while (session.recording.record(1000));
    // What others' mappings of its pages take to be undone comes on top of the 150 ms.
    const { trace } = session;
    const release = trace.names.functions.find(({ name }) => name === "gnttab_release_mappings")!.id;
    let unmapping = 0;
    for (let row = 0; row < trace.length; row++) if (trace.fn(row) === release) unmapping += trace.cost(row);
    assert.ok(unmapping > 0);
    assert.deepEqual(index.query<"tracks">({ kind: "tracks" }).outages, [{ domain: "server/netsrv", from: 60e9, to: 210e9 + unmapping }]);
  });

  it("go on where the domain does not start again", () => {
    const text = readFileSync("samples/faults/server-crash.exo.yaml", "utf8").replace("until: 2s", "until: 100ms");
    const { design } = parseDesign(text);
    assert.ok(design);
    const session = new Session(new Recording(createEngine(design)), design, text);
    while (session.recording.record(1000));
    assert.deepEqual(new TimelineIndex(session.trace).query<"tracks">({ kind: "tracks" }).outages, [{ domain: "server/netsrv", from: 60e9, to: undefined }]);
  });
});
