import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { out, repository } from "./paths.mjs";

/** Where the bundles are, each at its test's place below test/. */
const bundles = join(out, "bundles");

/** What Mocha has to load before the bundles: the one module of its kind that they share. */
export const preamble = join(bundles, "support", "times.mjs");

/** @param {string} folder below test/ @returns {string} a pattern for the bundles of its tests, from the project's folder. */
export function bundlesOf(folder) {
  return `${relative(repository, bundles).replaceAll("\\", "/")}/${folder}/**/*.test.mjs`;
}

/**
 * Bundles the tests of some folders, what they share in files of its own. Unbundled, by tsx, the engine takes half as long again: there every constant and
 * function of another module is behind a getter, and every function is given its name as it is made.
 * @param {string[]} folders below test/
 */
export async function bundleTests(folders) {
  const tests = folders.flatMap((folder) => readdirSync(join(repository, "test", folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts")).map((file) => join("test", folder, file)));
  // What was built from a test that is gone would still be run.
  await rm(bundles, { recursive: true, force: true });
  await esbuild.build({
    absWorkingDir: repository, bundle: true, splitting: true, platform: "node", format: "esm", target: "node20", sourcemap: "linked", logLevel: "warning",
    packages: "external", entryPoints: [...tests, "test/support/times.ts"], outdir: bundles, outbase: "test", outExtension: { ".js": ".mjs" }, chunkNames: "shared/[name]-[hash]",
    plugins: [{
      // Scripts find the project by where they are themselves.
      name: "scripts", setup: ({ onResolve }) => onResolve({ filter: /\/scripts\/.*\.mjs$/ }, ({ path, resolveDir }) => ({ path: pathToFileURL(resolve(resolveDir, path)).href, external: true })),
    }],
  });
}
