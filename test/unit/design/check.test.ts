import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "../../../engine/cli/check";

describe("exoscope check", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "exoscope-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  async function run(files: Record<string, string>, more: string[] = []): Promise<{ code: number; out: string[]; error: string[] }> {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const out: string[] = [];
    const error: string[] = [];
    const code = await check([...Object.keys(files), ...more].map((name) => join(folder, name)), { out: (l) => out.push(l), error: (l) => error.push(l) });
    const strip = (line: string) => line.replaceAll(`${folder}/`, "");
    return { code, out: out.map(strip), error: error.map(strip) };
  }

  it("is silent and 0 where all is well", async () => {
    const { code, out, error } = await run({ "a.exo.yaml": "exoscope: 1\nhosts: {}\n" });
    assert.deepEqual([code, out, error], [0, [], []]);
  });

  it("prints each problem with line and column, and is 1 on an error", async () => {
    const { code, out } = await run({ "a.exo.yaml": "exoscope: 1\r\nhosts: {}\r\nrun: { until: 20 }\r\n", "b.exo.yaml": "exoscope: 2\nhosts: {}" });
    assert.equal(code, 1);
    assert.deepEqual(out, ["a.exo.yaml:3:15: error bad-unit A time needs a unit, such as 2us.", "b.exo.yaml:1:11: error unsupported-version This version of Exoscope reads format 1 only."]);
  });

  it("is 0 where there are only warnings", async () => {
    const { code, out } = await run({ "a.exo.yaml": "exoscope: 1\nhosts: {}\nzzzzz: 1\n" });
    assert.equal(code, 0);
    assert.match(out[0] ?? "", /^a\.exo\.yaml:3:1: warning unknown-key /);
  });

  it("goes on after a file that cannot be read, and is 1", async () => {
    const { code, out, error } = await run({ "z.exo.yaml": "" }, ["missing.exo.yaml"]);
    assert.equal(code, 1);
    assert.equal(out.length, 1);
    assert.match(error[0] ?? "", /^missing\.exo\.yaml: there is no such file\. Name a design, \*\.exo\.yaml\.$/);
  });
});
