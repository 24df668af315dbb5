import assert from "node:assert/strict";
import { Recording } from "../../../engine/session/recording";
import { Session } from "../../../engine/session/session";
import { createEngine } from "../../../engine/create";
import { TimelineIndex } from "../../../engine/trace/timelineIndex";
import { designOf } from "../../support/runDesign";
import { readSample } from "../../support/samples";

describe("trace: the timeline's tracks", () => {
  const { text } = readSample("librettos/librettos.exo.yaml");
  const design = designOf(text);
  const session = new Session(new Recording(createEngine(design)), design, text);
  while (session.recording.record(1000));
  const { names } = session;

  it("are of what something happens to, and of every pCPU", () => {
    const { tracks } = new TimelineIndex(session.trace).query<"tracks">({ kind: "tracks" });
    // Nobody switches, no DMA is refused and no domain dies: neither the toolstack nor the IOMMUs have anything to show.
    assert.ok(names.contexts.some(({ path }) => path === "server/toolstack") && names.contexts.some(({ path }) => path === "server/iommu"));
    assert.deepEqual(tracks.filter(({ slices }) => slices === 0).map(({ path }) => path), ["server/pcpu4", "server/pcpu5"]);
    for (const path of ["server/nic0/pf", "client/link in", "server/nginx/vcpu0"]) assert.ok(tracks.some((track) => track.path === path), path);
  });

  it("are the same for the debugger's threads: no device to which nothing has happened", () => {
    const at = (row: number): string[] => session.threads.at(row, []).map(({ name }) => name).filter((name) => /^device|^link/.test(name));
    assert.ok(!at(session.trace.length - 1).some((name) => /toolstack|iommu/.test(name)));
    assert.ok(at(session.trace.length - 1).includes("device vf0"));
    assert.ok(!at(0).includes("device vf0"));
  });
});
