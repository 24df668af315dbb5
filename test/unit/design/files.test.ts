import assert from "node:assert/strict";
import { attachFiles, filesOf, readArrivals } from "../../../engine/design/files";
import { parseDesign } from "../../../engine/design/parse";
import { runDesign } from "../../support/runDesign";
import { readSample } from "../../support/samples";

describe("files that a design names", () => {
  const { text, files } = readSample("workloads/recorded.exo.yaml");

  it("arrivals are a time and a size a line, in seconds and bytes or with units, counted from the first", () => {
    assert.deepEqual(readArrivals("0.000001,64\n0.0000015 512\n"), [[0, 64], [500_000, 512]]);
    assert.deepEqual(readArrivals("time,size\r\n# comment\r\n1600000000.5;1KiB\r\n\r\n1600000000.500010\t2KiB"), [[0, 1024], [10_000_000, 2048]]);
    assert.deepEqual(readArrivals("10us, 1B\n12us, 3B"), [[0, 1], [2_000_000, 3]]);
  });

  it("says what is wrong with them, and in which line", () => {
    assert.match(String(readArrivals("")), /no line/);
    assert.match(String(readArrivals("0,64\n1,64\n0.5,64")), /goes back in time in line 3/);
    assert.match(String(readArrivals("0,64\nsoon,64")), /no time and size in line 2/);
    assert.match(String(readArrivals("0,64,tcp")), /line 1/);
    assert.match(String(readArrivals("0,0")), /asks for nothing in line 1/);
    assert.match(String(readArrivals("0,1\n3601,1")), /beyond an hour in line 2/);
  });

  it("a file that is missing or wrong is a problem at the design's own range", () => {
    const { design } = parseDesign(text);
    assert.deepEqual(filesOf(design!), ["recorded.csv"]);
    for (const contents of [undefined, "later"]) {
      const { problems } = attachFiles(design!, () => contents);
      assert.equal(problems.length, 1);
      assert.equal(text.slice(problems[0]!.range.start, problems[0]!.range.end), "recorded.csv");
      assert.match(problems[0]!.message, /^recorded\.csv (cannot be read|has no line)/);
    }
  });

  it("every line is a request, at its time and of its size", () => {
    const { engine, report } = runDesign(text, files);
    const arrivals = readArrivals(files["recorded.csv"]!);
    assert.ok(typeof arrivals !== "string");
    assert.equal(report.workloads[0]!.completed, arrivals.length);
    const { trace, names } = engine;
    const tick = names.functions.findIndex(({ name }) => name === "next arrival");
    const times: number[] = [];
    for (let row = 0; row < trace.length; row++) if (trace.fn(row) === tick) times.push(trace.time(row));
    assert.deepEqual(times.map((time) => time - times[0]!), arrivals.map(([time]) => time));
  });
});
