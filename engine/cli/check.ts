import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { attachFiles, filesOf } from "../design/files";
import type { ParseResult, Problem } from "../design/model";
import { parseDesign } from "../design/parse";
import { unreadable } from "./fileErrors";

/** Where a command writes, so that tests and other hosts can stand in for the terminal. */
export interface Output {
  out(line: string): void;
  error(line: string): void;
}

/**
 * Prints the problems of design files, `file:line:column: severity code message`, as compilers do; lines and columns
 * count from 1.
 * @returns the exit code: 1 where a file has an error or cannot be read, else 0.
 */
export async function check(files: readonly string[], io: Output): Promise<number> {
  let failed = false;
  for (const file of files) {
    const read = await readDesign(file, io);
    for (const problem of read?.problems ?? []) io.out(formatProblem(file, read?.text ?? "", problem));
    failed ||= read === undefined || read.problems.some(({ severity }) => severity === "error");
  }
  return failed ? 1 : 0;
}

/** A design with the files that it names, their contents by name, its text and its problems; undefined, with a word to the error output, where it cannot be read. */
export async function readDesign(file: string, io: Output): Promise<(ParseResult & { readonly text: string; readonly files: ReadonlyMap<string, string> }) | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    io.error(`${file}: ${unreadable(error, "a design, *.exo.yaml")}`);
    return undefined;
  }
  const { design, problems } = parseDesign(text);
  const contents = new Map<string, string>();
  if (design === undefined) return { design, problems, text, files: contents };
  for (const name of filesOf(design)) {
    try {
      contents.set(name, await readFile(join(dirname(file), name), "utf8"));
    } catch {
      // What is not there is a problem of the design, at the line that names it.
    }
  }
  const attached = attachFiles(design, (name) => contents.get(name));
  return { design: attached.design, problems: [...problems, ...attached.problems], text, files: contents };
}

/** One line about a problem, in the form that editors and terminals make links of. */
export function formatProblem(file: string, text: string, { range, severity, code, message }: Problem): string {
  const before = text.slice(0, range.start).split(/\r\n|\r|\n/);
  return `${file}:${before.length}:${(before.at(-1) ?? "").length + 1}: ${severity} ${code} ${message}`;
}
