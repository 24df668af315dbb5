import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { readSample } from "../support/samples";
import { launchChromium } from "../../scripts/vscode/chromium.mjs";

describe("the engine in Chromium", () => {
  let browser: Browser;

  before(async () => {
    browser = await launchChromium();
  });

  after(() => browser?.close());

  it("gives the fingerprints that it gives in Node", async () => {
    const bundle = await build({ entryPoints: ["test/support/fingerprintPage.ts"], bundle: true, write: false, format: "iife", platform: "browser" });
    const page = await browser.newPage();
    await page.addScriptTag({ content: bundle.outputFiles[0]!.text });
    const golden = JSON.parse(readFileSync("test/golden/fingerprints.json", "utf8")) as Record<string, string>;
    for (const [name, expected] of Object.entries(golden)) {
      const actual = await page.evaluate(
        ({ text, files }) => (window as unknown as { fingerprintOf(text: string, files: Record<string, string>): string }).fingerprintOf(text, files), readSample(name),
      );
      assert.equal(actual, expected, name);
    }
  });
});
