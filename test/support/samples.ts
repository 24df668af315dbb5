import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { filesOf } from "../../engine/design/files";
import { parseDesign } from "../../engine/design/parse";

/** The samples that ship, by their paths from samples/, in order. */
export const samples: readonly string[] = readdirSync("samples", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".exo.yaml")).sort();

/** A sample's text, and those of the files that it names. */
export function readSample(name: string): { readonly text: string; readonly files: Record<string, string> } {
  const text = readFileSync(join("samples", name), "utf8");
  const { design } = parseDesign(text);
  return { text, files: Object.fromEntries((design ? filesOf(design) : []).map((file) => [file, readFileSync(join("samples", dirname(name), file), "utf8")])) };
}
