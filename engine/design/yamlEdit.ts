/** Small edits of YAML text that keep everything around them. */
import { isMap, isScalar } from "yaml";
import type { YAMLMap } from "yaml";
import type { Range, TextEdit } from "./model";
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

/** The offset just after the line of `offset`, its line break included. */
export function lineEnd(text: string, offset: number): number {
  let at = offset;
  while (at < text.length && text[at] !== "\n" && text[at] !== "\r") at++;
  return text.startsWith("\r\n", at) ? at + 2 : Math.min(at + 1, text.length);
}

/** @returns the text with edits applied. They must not overlap. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const ordered = [...edits].sort((a, b) => b.range.start - a.range.start || b.range.end - a.range.end);
  return ordered.reduce((t, { range, text: by }) => t.slice(0, range.start) + by + t.slice(range.end), text);
}

/** Replaces a scalar by a plain word, in the quotes that it has. */
export function replaceWord(text: string, range: Range, word: string): TextEdit {
  const quote = text[range.start];
  return { range, text: quote === '"' || quote === "'" ? quote + word + quote : word };
}

/** Inserts `entry` (`key: value`) before the first key of a mapping, in its style; undefined where there is no place. */
export function insertKey(text: string, map: Content | undefined, entry: string): TextEdit | undefined {
  const first = isMap(map) ? map.items[0]?.key : undefined;
  if (!isMap(map) || !isScalar(first) || map.anchor !== undefined) return undefined;
  return insertBefore(text, rangeOf(first).start, map.flow === true, entry);
}

/** Inserts `entry` before the key at `start`, in the style of its mapping. */
export function insertBefore(text: string, start: number, flow: boolean, entry: string): TextEdit | undefined {
  if (flow) return { range: { start, end: start }, text: `${entry}, ` };
  const indent = text.slice(lineStart(text, start), start);
  // A key that follows something on its line (`- key:`, `? key:`) has no line of its own to copy.
  if (!/^ *$/.test(indent)) return undefined;
  return { range: { start, end: start }, text: `${entry}${lineBreak(text)}${indent}` };
}

/** Appends `entry` after the last key of a mapping, in its style. In block style `entry` may have lines, indented by two. */
export function appendKey(text: string, map: YAMLMap, entry: readonly string[], flowEntry: string): TextEdit | undefined {
  const last = map.items.at(-1);
  const { start, end } = rangeOf(map);
  if (map.flow) {
    const value = last?.value ?? last?.key;
    const at = isNode(value) ? rangeOf(value).end : start + 1;
    return { range: { start: at, end: at }, text: last ? `, ${flowEntry}` : ` ${flowEntry} ` };
  }
  const key = last?.key;
  if (!isScalar(key)) return undefined;
  const keyStart = rangeOf(key).start;
  const indent = keyStart - lineStart(text, keyStart);
  const at = /[\r\n]/.test(text[end - 1] ?? "") ? end : lineEnd(text, end);
  const newline = lineBreak(text);
  const body = entry.map((line) => " ".repeat(indent) + line).join(newline);
  const closed = at === 0 || /[\r\n]/.test(text[at - 1] ?? "");
  return { range: { start: at, end: at }, text: closed ? body + newline : newline + body };
}

function isNode(value: unknown): value is Content {
  return isMap(value) || isScalar(value) || (typeof value === "object" && value !== null && "items" in value);
}
