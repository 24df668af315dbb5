import assert from "node:assert/strict";
import { Recording } from "../../../engine/session/recording";
import { Session } from "../../../engine/session/session";
import { createEngine } from "../../../engine/create";
import { TimelineIndex } from "../../../engine/trace/timelineIndex";
import { Trace } from "../../../engine/trace/trace";
import { appendRows, SMALL_NAMES } from "../../support/randomTrace";
import { designOf } from "../../support/runDesign";
import { readSample, samples } from "../../support/samples";

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

  it("have a name each, in every sample", () => {
    for (const sample of samples) {
      const { text: each, files } = readSample(sample);
      const paths = createEngine(designOf(each, files)).names.contexts.map(({ path }) => path);
      assert.deepEqual(paths.filter((path, i) => paths.indexOf(path) !== i), [], sample);
    }
  });

  it("have marks for their problems, however many come together", () => {
    const trace = new Trace(SMALL_NAMES);
    // A driver that drops frames one after another, as a ring that is full makes it do.
    appendRows(trace, Array.from({ length: 500 }, () => ({ gap: 1, lead: 0, cost: 0, fn: 2, context: 5, vcpu: 0, packet: -1 })));
    const index = new TimelineIndex(trace);
    for (const buckets of [1, 7, 500]) {
      const { marks } = index.query<"window">({ kind: "window", from: 0, to: 501, buckets, tracks: [5] });
      assert.ok(marks.row.length > 0 && marks.row.length <= buckets, `${marks.row.length} in ${buckets} buckets`);
      for (const [i, row] of marks.row.entries()) assert.equal(trace.time(row), marks.time[i]);
    }
  });

  it("are the same for the debugger's threads: no device to which nothing has happened", () => {
    const at = (row: number): string[] => session.threads.at(row, []).map(({ name }) => name).filter((name) => /^device|^link/.test(name));
    assert.ok(!at(session.trace.length - 1).some((name) => /toolstack|iommu/.test(name)));
    assert.ok(at(session.trace.length - 1).includes("device vf0"));
    assert.ok(!at(0).includes("device vf0"));
  });
});
