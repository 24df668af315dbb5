import { readFile } from "node:fs/promises";
import type { Problem } from "../design/model";
import { parseDesign } from "../design/parse";

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
    let text: string;
    try {
      text = await readFile(file, "utf8");
    } catch (error) {
      io.error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      failed = true;
      continue;
    }
    const { problems } = parseDesign(text);
    for (const problem of problems) io.out(formatProblem(file, text, problem));
    failed ||= problems.some(({ severity }) => severity === "error");
  }
  return failed ? 1 : 0;
}

/** One line about a problem, in the form that editors and terminals make links of. */
export function formatProblem(file: string, text: string, { range, severity, code, message }: Problem): string {
  const before = text.slice(0, range.start).split(/\r\n|\r|\n/);
  return `${file}:${before.length}:${(before.at(-1) ?? "").length + 1}: ${severity} ${code} ${message}`;
}
