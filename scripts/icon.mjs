// Draws media/icon.png, which the marketplace and VS Code's list of extensions show, from media/icon.svg.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repository } from "./paths.mjs";
import { runScript } from "./runScript.mjs";
import { launchChromium } from "./vscode/chromium.mjs";

runScript(async () => {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 128, height: 128 } });
    const drawing = await readFile(join(repository, "media", "icon.svg"), "utf8");
    await page.setContent(`<style>body { margin: 0 } svg { display: block }</style>${drawing}`);
    await page.screenshot({ path: join(repository, "media", "icon.png"), omitBackground: true });
  } finally {
    await browser.close();
  }
});
