import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { out, repository } from "./paths.mjs";

/**
 * The bundles of the tests in some folders.
 * @typedef {object} Bundles
 * @property {string[]} folders below test/
 * @property {string} place of all of them.
 * @property {string[]} tests patterns, a folder's each, from the project's folder.
 * @property {string} preamble what has to be loaded before.
 */

/** @param {string[]} folders below test/ @returns {Bundles} in a place of their own: a long run of some is not disturbed when others are bundled. */
export function bundlesOf(folders) {
  const place = join(out, "bundles", folders.join("-"));
  const pattern = relative(repository, place).replaceAll("\\", "/");
  return { folders, place, tests: folders.map((folder) => `${pattern}/${folder}/**/*.test.mjs`), preamble: join(place, "support", "times.mjs") };
}

/**
 * Bundles tests, what they share in files of its own. Unbundled, by tsx, the engine takes half as long again: there every constant and function of another
 * module is behind a getter, and every function is given its name as it is made.
 * @param {Bundles} bundles
 */
export async function bundleTests({ folders, place }) {
  const tests = folders.flatMap((folder) => readdirSync(join(repository, "test", folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts")).map((file) => join("test", folder, file)));
  // What was built from a test that is gone would still be run.
  await rm(place, { recursive: true, force: true });
  await esbuild.build({
    absWorkingDir: repository, bundle: true, splitting: true, platform: "node", format: "esm", target: "node20", sourcemap: "linked", logLevel: "warning",
    packages: "external", entryPoints: [...tests, "test/support/times.ts"], outdir: place, outbase: "test", outExtension: { ".js": ".mjs" }, chunkNames: "shared/[name]-[hash]",
    plugins: [{
      // Scripts find the project by where they are themselves.
      name: "scripts", setup: ({ onResolve }) => onResolve({ filter: /\/scripts\/.*\.mjs$/ }, ({ path, resolveDir }) => ({ path: pathToFileURL(resolve(resolveDir, path)).href, external: true })),
    }],
  });
}
