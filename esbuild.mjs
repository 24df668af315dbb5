// Builds everything that runs into dist/, and the tests that run inside VS Code into out/test/.
// Options: --production (minified, without source maps, with third-party notices), --watch.
import { readdirSync } from "node:fs";
import { chmod, copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import * as esbuild from "esbuild";
import { notices } from "./scripts/notices.mjs";
import { dist, out, repository } from "./scripts/paths.mjs";

const production = process.argv.includes("--production");
const watch = process.argv.includes("--watch");

/** @type {esbuild.BuildOptions} */
const shared = {
  absWorkingDir: repository,
  bundle: true,
  minify: production,
  sourcemap: production ? false : "linked",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
};

/** @type {esbuild.BuildOptions} Node's side: VS Code 1.100 runs Node 20, and so does the command line. */
const node = { ...shared, platform: "node", format: "cjs", target: "node20" };

const tests = Object.fromEntries(
  filesBelow("test/vscode").flatMap((file) => {
    const name = /^test\/(vscode\/(?:.*\.test|index))\.ts$/.exec(file)?.[1];
    return name ? [[name, file]] : [];
  }),
);

/** @type {Record<string, esbuild.BuildOptions>} */
const bundles = {
  extension: { ...node, entryPoints: { extension: "extension/extension.ts" }, external: ["vscode"], outdir: dist },
  engineWorker: { ...node, entryPoints: { engineWorker: "extension/platform/node/engineWorker.ts" }, outdir: dist },
  commandLine: { ...node, entryPoints: { cli: "engine/cli/main.ts" }, banner: { js: "#!/usr/bin/env node" }, outdir: dist },
  webview: {
    ...shared,
    platform: "browser",
    format: "iife",
    target: "es2022",
    entryPoints: {
      diagram: "webview/diagram/main.ts",
      timeline: "webview/timeline/main.ts",
      trace: "webview/trace/main.ts",
      // ELK runs in a worker of its own, fetched when the first diagram is laid out.
      elkWorker: "elkjs/lib/elk-worker.min.js",
    },
    outdir: join(dist, "webview"),
  },
  tests: {
    ...node,
    minify: false,
    entryPoints: tests,
    external: ["vscode", "mocha"],
    outdir: join(out, "test"),
  },
};

/** Paths from the repository of all files in a folder, sorted. @param {string} folder */
function filesBelow(folder) {
  return readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(repository, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

await mkdir(join(dist, "webview"), { recursive: true });
/** @type {Record<string, string>} Files that go along as they are. */
const copies = {
  "node_modules/@vscode/codicons/dist/codicon.css": "webview/codicon.css",
  "node_modules/@vscode/codicons/dist/codicon.ttf": "webview/codicon.ttf",
  "engine/design/schema.json": "exoscope.schema.json",
};
for (const [source, target] of Object.entries(copies)) await copyFile(join(repository, source), join(dist, target));
// For the YAML extension, which validates and completes by it where it is installed.
await copyFile(join(repository, "engine/design/schema.json"), join(dist, "exoscope.schema.json"));

// What was built from a test that is gone would still be run.
await mkdir(join(out, "test", "vscode"), { recursive: true });
for (const file of filesBelow("out/test/vscode")) {
  const name = /^out\/test\/(.*)\.js(\.map)?$/.exec(file)?.[1];
  if (name && !(name in tests)) await rm(join(repository, file));
}

if (watch) {
  await Promise.all(Object.values(bundles).map(async (bundle) => (await esbuild.context({ ...bundle, logLevel: "info" })).watch()));
} else {
  try {
    const results = await Promise.all(Object.values(bundles).map((bundle) => esbuild.build(bundle)));
    await chmod(join(dist, "cli.js"), 0o755);
    if (production) {
      const outputs = results.slice(0, -1).flatMap((result) => Object.values(result.metafile?.outputs ?? {}));
      const shipped = outputs.flatMap(({ inputs }) => Object.keys(inputs).filter((file) => (inputs[file]?.bytesInOutput ?? 0) > 0));
      await writeFile(join(dist, "THIRD-PARTY-NOTICES.txt"), await notices([...shipped, ...Object.keys(copies)]));
    }
  } catch (error) {
    // esbuild has already printed what is wrong and where.
    if (!(error instanceof Error && "errors" in error)) throw error;
    process.exitCode = 1;
  }
}
