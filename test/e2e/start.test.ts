import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { repository, rig } from "../../scripts/paths.mjs";
import { openPage, screenshot, webviewFrame } from "./harness";
import { eventually } from "./eventually";

describe("npm start", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "exoscope-start-"));
  });
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  function start(environment: NodeJS.ProcessEnv, ...parameters: string[]): { readonly child: ChildProcess; readonly output: () => string } {
    const script = join(repository, "scripts", "start.mjs");
    const child = spawn(process.execPath, [script, ...parameters], { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
    return { child, output: () => output };
  }

  it("serves a window in which the extension shows the first sample's diagram and runs it", async () => {
    // The VS Code that is installed already, with nobody's settings.
    for (const name of await readdir(rig)) if (name.startsWith("vscode-")) await symlink(join(rig, name), join(folder, name), "junction");
    const { child, output } = start({ EXOSCOPE_RIG: folder }, "--served");
    try {
      const address = await eventually(() => /http:\S+/.exec(output())?.[0] ?? (child.exitCode !== null && output()), "an address is printed");
      const page = await openPage();
      await page.goto(address);
      await page.locator(".tab.active", { hasText: "librettos.exo.yaml" }).first().waitFor();
      await (await webviewFrame(page, "diagram")).locator('[data-path="server/nginx"]').first().waitFor();
      await page.locator(".monaco-editor .view-line", { hasText: "name: LibrettOS web server" }).click({ position: { x: 5, y: 5 } });
      await page.keyboard.press("F5");
      await page.locator(".monaco-editor .debug-top-stack-frame-line").first().waitFor();
      await screenshot(page, "start");
      await page.context().close();
      child.kill("SIGINT");
      const [code] = await once(child, "close");
      assert.equal(code, 0, output());
    } finally {
      child.kill("SIGTERM");
    }
  });

  it("opens the samples in the desktop's VS Code where there is one", async () => {
    const programs = join(folder, "programs");
    await mkdir(programs);
    await writeFile(join(programs, "code"), '#!/bin/sh\nprintf "%s\\n" "$@"\n');
    await chmod(join(programs, "code"), 0o755);
    const { child, output } = start({ PATH: `${programs}${delimiter}${process.env.PATH}` });
    const [code] = await once(child, "close");
    assert.equal(code, 0, output());
    const samples = join(repository, "samples");
    assert.deepEqual(output().trimEnd().split("\n").slice(-4), [
      "--new-window",
      `--extensionDevelopmentPath=${repository}`,
      samples,
      join(samples, "librettos", "librettos.exo.yaml"),
    ]);
  });
});
