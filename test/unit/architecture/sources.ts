import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync, type ParseResult } from "oxc-parser";
import { repository } from "../../../scripts/paths.mjs";

export interface Source {
  /** From the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly parsed: ParseResult;
}

/** All TypeScript files of the product, parsed once, in the order of their paths. */
export const sources: readonly Source[] = ["engine", "protocol", "extension", "webview"].flatMap((folder) =>
  readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .sort()
    .map(readSource),
);

/** Parses one file of the repository. */
export function readSource(path: string): Source {
  return parseSource(path, readFileSync(join(repository, path), "utf8"));
}

/** Parses `text` as if it were the file `path`. */
export function parseSource(path: string, text: string): Source {
  return { path, text, parsed: parseSync(path, text) };
}

/** `path:line`, for messages. */
export function place(source: Source, offset: number): string {
  return `${source.path}:${source.text.slice(0, offset).split("\n").length}`;
}
