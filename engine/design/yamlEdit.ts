/** Small edits of YAML text that keep everything around them. */
import { isMap } from "yaml";
import type { TextEdit } from "./model";
import { rangeOf } from "./yamlText";
import type { Content } from "./yamlText";

/** The line break that a text uses. */
export function lineBreak(text: string): string {
  return /\r\n|\r|\n/.exec(text)?.[0] ?? "\n";
}

/** The offset at which the line of `offset` starts. */
export function lineStart(text: string, offset: number): number {
  let at = offset;
  while (at > 0 && text[at - 1] !== "\n" && text[at - 1] !== "\r") at--;
  return at;
}

/** Inserts `key: value` before the first key of a mapping, in its style; undefined where there is no mapping to insert into. */
export function insertKey(text: string, map: Content | undefined, entry: string): TextEdit | undefined {
  const first = isMap(map) ? map.items[0]?.key : undefined;
  if (!isMap(map) || first === undefined || map.anchor !== undefined) return undefined;
  const start = rangeOf(map).start;
  if (map.flow) return { range: { start: start + 1, end: start + 1 }, text: ` ${entry},` };
  const indent = text.slice(lineStart(text, start), start);
  // A key that follows something on its line (`- key:`, `? key:`) has no line of its own to copy.
  if (!/^ *$/.test(indent)) return undefined;
  return { range: { start, end: start }, text: `${entry}${lineBreak(text)}${indent}` };
}
