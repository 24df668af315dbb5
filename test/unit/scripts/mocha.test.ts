import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { mocha } from "../../../scripts/mocha.mjs";
import { countsVariable } from "../../../scripts/testCounts.mjs";

describe("tests in files side by side", () => {
  it("are counted, a file whose process dies as a failure with its name, and failures say what caused them", async () => {
    const folder = mkdtempSync(join(tmpdir(), "exoscope-mocha-"));
    try {
      const write = (name: string, body: string): void => writeFileSync(join(folder, `${name}.test.cjs`), `describe("${name}", () => {\n  it("passes", () => {});\n  ${body}\n});\n`);
      write("well", "it.skip('is left out', () => {});");
      write("wrong", "it('fails', () => { throw new Error('outside', { cause: new Error('inside') }); });");
      write("dead", "it('dies', () => process.kill(process.pid, 'SIGKILL'));");
      const counts = join(folder, "counts.json");
      const { code, text } = await new Promise<{ code: unknown; text: string }>((resolve) => {
        execFile(process.execPath, mocha([join(folder, "*.test.cjs")], { timeout: 10_000, jobs: 2 }), { env: { ...process.env, [countsVariable]: counts } }, (error, out) => resolve({ code: error?.code, text: out }));
      });
      assert.equal(code, 2, text);
      assert.deepEqual(JSON.parse(readFileSync(counts, "utf8")), { passed: 2, failed: 2 });
      assert.match(text, /outside[^]*Caused by: Error: inside/);
      assert.match(text, /dead\.test\.cjs: .*terminated/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
