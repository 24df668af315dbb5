/** From text to YAML nodes with ranges: everything that touches the `yaml` library's parser. */
import { isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { Alias, Node, Scalar, YAMLMap, YAMLSeq } from "yaml";
import type { Range } from "./model";
import type { Problems } from "./problems";

/** A node that is not an alias. */
export type Content = Scalar | YAMLMap | YAMLSeq;

/** One key of a mapping with its value, both where they stand in the text. */
export interface Entry {
  readonly key: string;
  readonly keyRange: Range;
  /** The value, aliases followed; undefined where there is none. */
  readonly value: Content | undefined;
  /** The value's own text; the key's where there is none. */
  readonly valueRange: Range;
  /** Key and value. */
  readonly range: Range;
}

/** Longer texts (UTF-16 units) are not parsed: no design is, and an editor must stay responsive. */
export const LARGEST = 1 << 18;
const DEEPEST = 64;
/** Aliases followed in one parse: bounds the work that a small file can ask for ("billion laughs"). */
const MOST_ALIASES = 256;

/** The YAML of one design: its root and the way through aliases. */
export class YamlText {
  private aliasesLeft = MOST_ALIASES;

  constructor(
    readonly text: string,
    readonly root: Content | undefined,
    private readonly anchors: ReadonlyMap<Alias, Node>,
    private readonly problems: Problems,
  ) {}

  /** Follows aliases; a problem and undefined where one leads nowhere or too many were followed. */
  resolve(node: unknown): Content | undefined {
    for (let at = node; ; ) {
      if (isScalar(at)) return isMissing(at) ? undefined : at;
      if (isMap(at) || isSeq(at)) return at;
      if (!isAlias(at)) return undefined;
      const target = this.anchors.get(at);
      if (!target) {
        this.problems.error("unknown-alias", rangeOf(at), `There is no anchor &${at.source} before this alias.`);
        return undefined;
      }
      if (this.aliasesLeft-- <= 0) {
        if (this.aliasesLeft === -1) this.problems.error("alias-limit", rangeOf(at), `More than ${MOST_ALIASES} aliases are followed in this file. Write the part out instead.`);
        return undefined;
      }
      at = target;
    }
  }

  /**
   * The entries of a mapping in order, those merged by `<<` last. A key that appears twice counts once (the first), with
   * a problem; a merged one gives way silently, as merging means.
   */
  entries(map: YAMLMap): Entry[] {
    const found = new Map<string, Entry>();
    const merged: unknown[] = [];
    for (const pair of map.items) {
      if (!isScalar(pair.key)) continue;
      const entry = this.entry(pair.key, pair.value);
      if (entry.key === "<<") merged.push(pair.value);
      else if (found.has(entry.key)) {
        this.problems.error("duplicate-key", entry.keyRange, `“${entry.key}” is here already; only the first one counts. Remove or rename this one.`);
      } else found.set(entry.key, entry);
    }
    for (const from of merged) this.merge(from, found, 0);
    return [...found.values()];
  }

  private merge(from: unknown, into: Map<string, Entry>, depth: number): void {
    const source = this.resolve(from);
    if (isSeq(source) && depth === 0) for (const item of source.items) this.merge(item, into, 1);
    if (!isMap(source)) return;
    for (const pair of source.items) {
      if (!isScalar(pair.key)) continue;
      const entry = this.entry(pair.key, pair.value);
      if (entry.key !== "<<" && !into.has(entry.key)) into.set(entry.key, entry);
    }
  }

  private entry(key: Scalar, node: unknown): Entry {
    const keyRange = rangeOf(key);
    const written = hasRange(node) && !(isScalar(node) && isMissing(node));
    const valueRange = written ? rangeOf(node) : keyRange;
    return {
      key: String(key.value), keyRange, value: this.resolve(node), valueRange,
      range: { start: keyRange.start, end: Math.max(keyRange.end, valueRange.end) },
    };
  }
}

function isMissing(scalar: Scalar): boolean {
  return scalar.value === null && (scalar.source === undefined || scalar.source === "");
}

function hasRange(node: unknown): node is Node {
  return (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)) && node.range != null;
}

/** Where a node stands; a block collection ends with its last value, not with the blank lines and comments after it. */
export function rangeOf(node: Node): Range {
  const [start, end] = node.range ?? [0, 0, 0];
  const last = isSeq(node) && !node.flow ? node.items.at(-1) : isMap(node) && !node.flow ? (node.items.at(-1)?.value ?? node.items.at(-1)?.key) : undefined;
  if (hasRange(last)) {
    const own = rangeOf(last);
    // An absent value has a range of no length, after its key.
    return { start, end: Math.max(start, own.end) };
  }
  return { start, end };
}

/** Plain sentences for what people meet; others keep the library's words. */
const SENTENCES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "YAML does not allow tabs for indentation. Use spaces.",
  BAD_INDENT: "The indentation does not match the lines around it, or a bracket is not closed.",
  MULTIPLE_DOCS: "A design is one YAML document; what follows “---” is not read.",
  MULTILINE_IMPLICIT_KEY: "A key must be on one line; a “:” is probably missing.",
  BLOCK_AS_IMPLICIT_KEY: "Another “key: value” cannot start on this line. Put it on a line of its own.",
  BLOCK_IN_FLOW: "Inside brackets, lists and mappings are written in brackets too.",
  MISSING_CHAR: "Something is missing here: a comma, a closing quote or a closing bracket.",
  UNEXPECTED_TOKEN: "This is not expected here; what stands before it may be unfinished.",
  NON_STRING_KEY: "A key must be a single word, not a list or a mapping.",
  TAG_RESOLVE_FAILED: "Tags have no meaning in a design. Remove this one.",
  BAD_SCALAR_START: "A value cannot start with this character. Put it in quotes.",
};

/** The longest of the library's own messages: some quote the rest of the file. */
const LONGEST_MESSAGE = 160;

/**
 * Parses as much as can be parsed; syntax errors become problems. Time is bounded by the text's length, and a text
 * over {@link LARGEST} or nested deeper than {@link DEEPEST} is refused whole.
 */
export function readYaml(text: string, problems: Problems): YamlText {
  const nothing = new YamlText(text, undefined, new Map(), problems);
  if (text.length > LARGEST) {
    problems.error("too-large", { start: 0, end: 0 }, "This file is larger than 256 KiB, which no design is. It is not read.");
    return nothing;
  }
  const deep = tooDeep(text);
  if (deep !== undefined) {
    problems.error("too-deep", { start: deep, end: deep + 1 }, `This is nested more than ${DEEPEST} levels deep. The file is not read.`);
    return nothing;
  }
  const odd = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]/g;
  const first = odd.exec(text);
  let readable = text;
  if (first) {
    problems.error("not-text", { start: first.index, end: first.index + 1 }, "This character does not belong in a text file. Is the file binary, or in another encoding than UTF-8?");
    readable = text.replace(odd, " ");
  }
  const document = parseDocument(readable, {
    keepSourceTokens: false, prettyErrors: false, uniqueKeys: false, stringKeys: true, merge: false, resolveKnownTags: false, logLevel: "silent", strict: true,
  });
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const start = Math.min(pos[0], text.length);
    const end = Math.min(Math.max(pos[1], start), text.length);
    problems.error("syntax", { start, end }, SENTENCES[code] ?? `${message.slice(0, LONGEST_MESSAGE).replace(/\.?$/, "")}.`);
  }
  const anchors = new Map<Alias, Node>();
  findAnchors(document.contents, new Map(), anchors);
  const root = document.contents;
  return new YamlText(text, isMap(root) || isSeq(root) || (isScalar(root) && !isMissing(root)) ? root : undefined, anchors, problems);
}

/** An alias means the last anchor of its name before it. */
function findAnchors(node: unknown, latest: Map<string, Node>, found: Map<Alias, Node>): void {
  if (isAlias(node)) {
    const target = latest.get(node.source);
    if (target) found.set(node, target);
    return;
  }
  if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) latest.set(node.anchor, node);
  if (isMap(node)) {
    for (const pair of node.items) {
      findAnchors(pair.key, latest, found);
      findAnchors(pair.value, latest, found);
    }
  } else if (isSeq(node)) for (const item of node.items) findAnchors(item, latest, found);
}

/**
 * Offset at which nesting passes {@link DEEPEST}, before the recursive parser sees it. Counts brackets, and the markers
 * that open a level within a line (`- - -`, `? ?`), generously: those in a string or comment count as well.
 */
function tooDeep(text: string): number | undefined {
  let brackets = 0;
  let markers = 0;
  const levels: number[] = [];
  let column = 0;
  let leading = true;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x0a || c === 0x0d) {
      column = 0;
      leading = true;
      markers = 0;
      continue;
    }
    if (c === 0x5b || c === 0x7b) brackets++;
    else if ((c === 0x5d || c === 0x7d) && brackets > 0) brackets--;
    else if (leading && (c === 0x2d || c === 0x3f || c === 0x3a)) markers++;
    if (leading && c !== 0x20 && c !== 0x2d && c !== 0x3f && c !== 0x3a) {
      leading = false;
      while (levels.length > 0 && (levels.at(-1) ?? 0) >= column) levels.pop();
      levels.push(column);
    }
    if (brackets > DEEPEST || markers > DEEPEST || levels.length > DEEPEST) return i;
    column++;
  }
  return undefined;
}
