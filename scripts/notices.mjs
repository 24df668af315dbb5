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
    sections.set(title, `${title} (${manifest.license})\n${source}\n\n${await licenceText(join(repository, folder), manifest)}`);
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

/**
 * The package's own text. A few MIT packages state the licence in their manifest only; they get its standard text.
 * @param {string} folder
 * @param {{ name: string, license: string, author?: string | { name: string } }} manifest
 */
async function licenceText(folder, { name, license, author }) {
  const file = (await readdir(folder)).find((each) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(each));
  if (file) return (await readFile(join(folder, file), "utf8")).trim();
  const holder = typeof author === "string" ? author : author?.name;
  if (license !== "MIT" || !holder) throw new Complaint(`${name} comes without a licence text.`);
  const own = await readFile(join(repository, "LICENSE"), "utf8");
  return own.replace(/^Copyright .*$/m, `Copyright (c) ${holder}`).trim();
}
