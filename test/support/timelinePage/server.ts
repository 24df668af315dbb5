import { createServer } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as esbuild from "esbuild";
import { THEMES, type ThemeName } from "./themes";

export interface TimelinePage {
  /** Address of the page with a synthetic trace of `rows` rows; `theme` sets VS Code's tokens. */
  url(options?: { rows?: number; theme?: ThemeName; empty?: boolean }): string;
  close(): Promise<void>;
}

/** Bundles the timeline's webview script as the build does and serves it in a plain page, without VS Code. */
export async function serveTimeline(): Promise<TimelinePage> {
  const folder = await mkdtemp(join(tmpdir(), "exoscope-timeline-"));
  await esbuild.build({
    entryPoints: {
      timeline: "webview/timeline/main.ts",
      worker: "test/support/timelinePage/worker.ts",
      stub: "test/support/timelinePage/stub.ts",
    },
    bundle: true, platform: "browser", format: "iife", target: "es2022", outdir: folder, logLevel: "error",
  });
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const file = /^\/(timeline\.js|timeline\.css|worker\.js|stub\.js)$/.exec(pathname)?.[1];
    if (file === undefined) {
      response.writeHead(pathname === "/" ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
      response.end(pathname === "/" ? html(themeOf(searchParams.get("theme"))) : "");
      return;
    }
    void readFile(join(folder, file)).then((content) => {
      response.writeHead(200, { "content-type": file.endsWith(".css") ? "text/css" : "text/javascript" });
      response.end(content);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: ({ rows = 1_000_000, theme = "dark", empty = false } = {}) => `http://127.0.0.1:${port}/?rows=${rows}&theme=${theme}${empty ? "&empty" : ""}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function themeOf(name: string | null): ThemeName {
  return name === "light" || name === "highContrast" ? name : "dark";
}

function html(theme: ThemeName): string {
  const { body, tokens } = THEMES[theme];
  const style = Object.entries(tokens).map(([name, value]) => `--vscode-${name}: ${value}`).join("; ");
  return `<!doctype html><html lang="en" style="${style}"><head><meta charset="utf-8"><title>Timeline</title>
<link rel="stylesheet" href="timeline.css"></head><body class="${body}"><script src="stub.js"></script><script src="timeline.js"></script></body></html>`;
}
