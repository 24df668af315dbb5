import { isInterface } from "../catalogue/components";
import { WORKLOADS } from "../catalogue/workloads";
import type { WorkloadType } from "../catalogue/workloads";
import type { Design, Range } from "../model";
import { parseDesign } from "../parse";
import { Problems } from "../problems";
import { defaultOf } from "../section";
import { COMMON_UNITS, formatQuantity } from "../units";
import type { KeySpec, ScalarSpec } from "../vocabulary";
import { readYaml } from "../yamlText";
import { entryTypes, placeAt } from "./place";
import type { Expected, Place } from "./place";
import { suggestReferences } from "./suggest";

export interface Completion {
  readonly label: string;
  readonly kind: "key" | "component" | "workload" | "value" | "reference" | "unit";
  readonly detail: string;
  readonly doc: string;
  /** What to insert for `range`; `|` marks where the caret goes, if not to the end. */
  readonly insert: string;
  /** Whether there is more to choose at the caret. */
  readonly more: boolean;
  readonly range: Range;
}

/** Not a character of any word, and one that YAML takes as part of one. */
const MARK = "\ue000";

/**
 * What may be typed at an offset.
 *
 * The text need not be well-formed there: a mark is put at the offset so that the parser finds a word in it, as a key
 * or as a value, whichever the text before it makes it.
 */
export function complete(text: string, offset: number): Completion[] {
  const start = wordStart(text, offset);
  const range = { start, end: offset };
  const place = placeAt(readYaml(marked(text, start, offset), new Problems()), start);
  if (!place) return [];
  const { design } = parseDesign(text);
  return completions(place, design, text.slice(start, offset)).map((c) => ({ ...c, range }));
}

function wordStart(text: string, offset: number): number {
  let start = offset;
  while (start > 0 && /[A-Za-z0-9_./-]/.test(text[start - 1] ?? "") && !(text[start - 1] === "-" && /[\s]/.test(text[start - 2] ?? " "))) start--;
  return start;
}

function marked(text: string, start: number, offset: number): string {
  let end = offset;
  while (end < text.length && /[A-Za-z0-9_./-]/.test(text[end] ?? "")) end++;
  const rest = text.slice(end);
  const lineStart = Math.max(text.lastIndexOf("\n", start - 1), text.lastIndexOf("\r", start - 1)) + 1;
  const before = text.slice(lineStart, start);
  const word = text.slice(start, end) + MARK;
  const asKey = !/^[ \t]*:/.test(rest) && (/^\s*(- +)*$/.test(before) || opensKey(text, start));
  // Where the line ends in a bracket that was opened on it, closing comes later or not at all; the parser bears either.
  return text.slice(0, start) + word + (asKey ? ": " : "") + rest;
}

/** Whether a word at `start` is a key of a mapping in brackets. */
function opensKey(text: string, start: number): boolean {
  let depth = 0;
  for (let i = start - 1, seen = 0; i >= 0 && seen < 2000; i--, seen++) {
    const c = text[i];
    if (c === "}" || c === "]") depth++;
    else if ((c === "{" || c === "[") && depth-- === 0) return c === "{" && /[{,]\s*$/.test(text.slice(0, start));
  }
  return false;
}

type Draft = Omit<Completion, "range">;

function completions({ expected, steps }: Place, design: Design | undefined, word: string): Draft[] {
  switch (expected.kind) {
    case "keys":
      return expected.keys.filter(({ name }) => !expected.present.includes(name)).map(keyCompletion);
    case "type":
      return typeCompletions(expected);
    case "value":
      return valueCompletions(expected.spec, design, steps, word);
    case "interface":
      return interfaceCompletions(design, steps);
    case "name":
      return [];
  }
}

function keyCompletion({ name, doc, value, required }: KeySpec): Draft {
  const structured = value.kind === "section" || value.kind === "named" || value.kind === "components" || value.kind === "workloads" || value.kind === "faults" || value.kind === "switches";
  const fallback = structured ? undefined : describeDefault(value);
  const detail = required ? "required" : fallback === undefined ? "" : `default ${fallback}`;
  // Names of costs are a system's own words, some with a colon in them.
  const written = /: |#/.test(name) ? JSON.stringify(name) : name;
  return { label: name, kind: "key", detail, doc, insert: structured ? `${written}:` : `${written}: `, more: !structured };
}

function describeDefault(spec: ScalarSpec): string | undefined {
  const value = defaultOf(spec);
  if (value === undefined || value === "") return undefined;
  if (spec.kind === "flag") return value === true ? "on" : "off";
  return typeof value === "number" && (spec.kind === "size" || spec.kind === "time" || spec.kind === "rate") ? formatQuantity(spec.kind, value) : String(value);
}

function typeCompletions({ list }: Extract<Expected, { kind: "type" }>): Draft[] {
  return entryTypes(list).map(({ name, title, doc, options }) => {
    const needed = options.filter(({ required }) => required).map((option) => option.name);
    const [first, ...others] = needed;
    const insert = first === undefined ? name : `${name}: { ${first}: |${others.map((other) => `, ${other}: `).join("")} }`;
    return { label: name, kind: list === "components" ? "component" : "workload", detail: title, doc, insert, more: first !== undefined };
  });
}

function valueCompletions(spec: ScalarSpec, design: Design | undefined, steps: Place["steps"], word: string): Draft[] {
  const plain = (label: string, detail = "", doc = ""): Draft => ({ label, kind: "value", detail, doc, insert: label, more: false });
  switch (spec.kind) {
    case "choice":
      return spec.choices.map(({ value, doc }) => plain(value, "", doc));
    case "flag":
      return [plain("on"), plain("off")];
    case "size":
    case "time":
    case "rate": {
      const digits = /^[0-9.]+/.exec(word)?.[0];
      const fallback = describeDefault(spec);
      if (digits === undefined) return fallback === undefined ? [] : [plain(fallback, "default")];
      return COMMON_UNITS[spec.kind].map((unit): Draft => ({ label: digits + unit, kind: "unit", detail: "", doc: "", insert: digits + unit, more: false }));
    }
    case "reference":
    case "references":
      if (!design) return [];
      return suggestReferences(design, spec.to, spec.to === "function" || spec.to === "server" || spec.to === "backend" || spec.to === "kernel" || spec.to === "stack" || spec.to === "driver" ? hostOf(steps) : undefined, workloadOf(steps))
        .map(({ text, detail }) => ({ label: text, kind: "reference", detail, doc: "", insert: text, more: false }));
    default: {
      const fallback = describeDefault(spec);
      return fallback === undefined ? [] : [plain(fallback, "default")];
    }
  }
}

function interfaceCompletions(design: Design | undefined, steps: Place["steps"]): Draft[] {
  const domain = design?.hosts.flatMap(({ domains }) => domains).find(({ path }) => path === `${steps[1]}/${steps[3]}`);
  const interfaces = domain?.components.filter(({ type }) => isInterface(type)) ?? [];
  return interfaces.map(({ id, bind, channel }) => ({ label: id, kind: "reference", detail: bind ?? channel ?? "", doc: "", insert: id, more: false }));
}

function hostOf(steps: Place["steps"]): string | undefined {
  return steps[0] === "hosts" && typeof steps[1] === "string" ? steps[1] : undefined;
}

function workloadOf(steps: Place["steps"]): WorkloadType | undefined {
  return steps[0] === "workloads" ? WORKLOADS.find(({ kind }) => kind === steps[2]) : undefined;
}
