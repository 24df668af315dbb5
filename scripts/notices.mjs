import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Complaint } from "./runScript.mjs";
import { repository } from "./paths.mjs";

/** Licences under which a package may be part of an MIT product, given that its notice comes along. */
const allowed = new Set(["MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "CC-BY-4.0", "EPL-2.0"]);

/**
 * The notices of all packages that bundled files come from.
 * @param {string[]} files paths from the repository, as in esbuild's metafile.
 * @returns {Promise<string>} one section for each package, sorted by name.
 * @throws {Complaint} for a package without a licence text, or with a licence that does not allow shipping it.
 */
export async function notices(files) {
  const folders = new Set(files.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  /** @type {Map<string, string>} */
  const sections = new Map();
  for (const folder of folders) {
    const manifest = JSON.parse(await readFile(join(repository, folder, "package.json"), "utf8"));
    const title = `${manifest.name} ${manifest.version}`;
    if (!isAllowed(manifest.license)) {
      throw new Complaint(`${title} is licensed under ${JSON.stringify(manifest.license)}, which does not allow shipping it here.`);
    }
    const source = manifest.repository?.url ?? manifest.repository ?? manifest.homepage ?? "";
    sections.set(title, `${title} (${manifest.license})\n${source}\n\n${await licenceText(join(repository, folder), title)}`);
  }
  const titles = [...sections.keys()].sort((left, right) => (left < right ? -1 : 1));
  const rule = `\n\n${"-".repeat(79)}\n\n`;
  return ["Exoscope contains the following packages.", ...titles.map((title) => sections.get(title))].join(rule) + "\n";
}

/** @param {unknown} licence an SPDX expression of one name, or of alternatives. */
function isAllowed(licence) {
  if (typeof licence !== "string") return false;
  return licence
    .replace(/^\((.*)\)$/, "$1")
    .split(" OR ")
    .some((name) => allowed.has(name));
}

/** @param {string} folder @param {string} title */
async function licenceText(folder, title) {
  const file = (await readdir(folder)).find((name) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(name));
  if (file) return (await readFile(join(folder, file), "utf8")).trim();
  throw new Complaint(`${title} comes without a licence text.`);
}
