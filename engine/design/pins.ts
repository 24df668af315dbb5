import { isMap } from "yaml";
import type { Problem, TextEdit } from "./model";
import { parseDesign } from "./parse";
import { Problems } from "./problems";
import { refusal } from "./uplinks";
import { appendKey, applyEdits, lineBreak, lineEnd, lineStart } from "./yamlEdit";
import { readYaml } from "./yamlText";
import type { YamlText } from "./yamlText";

/**
 * Pins a part at a position of the diagram, or frees it.
 * @param path the part's path.
 * @param position in diagram units, rounded to integers; undefined removes the pin.
 * @returns the edits (none where nothing changes), or why not.
 */
export function setPin(text: string, path: string, position: { readonly x: number; readonly y: number } | undefined): TextEdit[] | Problem {
  const yaml = readYaml(text, new Problems());
  const edits = position ? pin(yaml, path, `[${Math.round(position.x)}, ${Math.round(position.y)}]`) : unpin(yaml, path);
  const found = edits && parseDesign(applyEdits(text, edits)).design?.pins.get(path);
  if (edits && found?.x === (position && Math.round(position.x)) && found?.y === (position && Math.round(position.y))) return edits;
  return refusal(undefined, "not-editable", "The layout section is written in a way that cannot be changed from here. Change it in the file.");
}

/** Several at once. @param pins by path; undefined removes one. @returns one edit (none where nothing changes), or why not */
export function setPins(text: string, pins: ReadonlyMap<string, { readonly x: number; readonly y: number } | undefined>): TextEdit[] | Problem {
  let after = text;
  for (const [path, position] of pins) {
    const edits = setPin(after, path, position);
    if (!Array.isArray(edits)) return edits;
    after = applyEdits(after, edits);
  }
  let start = 0;
  while (start < text.length && text[start] === after[start]) start++;
  let tail = 0;
  while (tail < Math.min(text.length, after.length) - start && text.at(-1 - tail) === after.at(-1 - tail)) tail++;
  return after === text ? [] : [{ range: { start, end: text.length - tail }, text: after.slice(start, after.length - tail) }];
}

function pin(yaml: YamlText, path: string, position: string): TextEdit[] | undefined {
  const { text, root } = yaml;
  if (!isMap(root)) return undefined;
  const layout = yaml.entries(root).find(({ key }) => key === "layout");
  const entry = `${path}: ${position}`;
  if (!layout) return list(appendKey(text, root, ["layout:", "  pins:", `    ${entry}`], `layout: { pins: { ${entry} } }`));
  if (!layout.value) return list(afterColon(text, layout.keyRange.end, `{ pins: { ${entry} } }`));
  if (!isMap(layout.value)) return undefined;
  const pins = yaml.entries(layout.value).find(({ key }) => key === "pins");
  if (!pins) return list(appendKey(text, layout.value, ["pins:", `  ${entry}`], `pins: { ${entry} }`));
  if (!pins.value) return list(afterColon(text, pins.keyRange.end, `{ ${entry} }`));
  if (!isMap(pins.value)) return undefined;
  const old = yaml.entries(pins.value).find(({ key }) => key === path);
  if (!old) return list(appendKey(text, pins.value, [entry], entry));
  if (old.value) return [{ range: old.valueRange, text: position }];
  return list(afterColon(text, old.keyRange.end, position));
}

function list(edit: TextEdit | undefined): TextEdit[] | undefined {
  return edit && [edit];
}

function afterColon(text: string, keyEnd: number, value: string): TextEdit | undefined {
  const colon = text.indexOf(":", keyEnd);
  return colon < 0 ? undefined : { range: { start: colon + 1, end: colon + 1 }, text: ` ${value}` };
}

/** Removes the pin; a section that it leaves empty is removed with it, so that freeing what was pinned restores the file. */
function unpin(yaml: YamlText, path: string): TextEdit[] | undefined {
  const { text, root } = yaml;
  const layout = isMap(root) ? yaml.entries(root).find(({ key }) => key === "layout") : undefined;
  const pins = isMap(layout?.value) ? yaml.entries(layout.value).find(({ key }) => key === "pins") : undefined;
  const entries = isMap(pins?.value) ? yaml.entries(pins.value) : [];
  const index = entries.findIndex(({ key }) => key === path);
  const old = entries[index];
  if (!old || !layout || !pins || !isMap(pins.value)) return [];
  const alone = entries.length === 1;
  const only = alone && isMap(layout.value) && yaml.entries(layout.value).length === 1 ? layout : alone ? pins : old;
  const flow = only === old && pins.value.flow === true;
  if (flow) {
    const next = entries[index + 1];
    const before = entries[index - 1];
    if (next) return [{ range: { start: old.range.start, end: next.range.start }, text: "" }];
    return before && [{ range: { start: before.range.end, end: old.range.end }, text: "" }];
  }
  const start = lineStart(text, only.range.start);
  if (!/^ *$/.test(text.slice(start, only.range.start))) return undefined;
  const end = lineEnd(text, only.range.end);
  const atEnd = end === text.length && !/[\r\n]$/.test(text);
  return [{ range: { start: atEnd ? Math.max(0, start - lineBreak(text).length) : start, end }, text: "" }];
}
