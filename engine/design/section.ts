/** One mapping of the file, read by the vocabulary: known keys, typed values with defaults, problems for the rest. */
import { isMap, isScalar, isSeq } from "yaml";
import type { OptionValue, Range } from "./model";
import { replacement } from "./problems";
import type { Problems } from "./problems";
import { closest } from "./spelling";
import { formatQuantity, readFraction, readQuantity } from "./units";
import { EXTENSION_PREFIX } from "./vocabulary";
import type { KeySpec, ScalarSpec } from "./vocabulary";
import type { Content, Entry, YamlText } from "./yamlText";
import { rangeOf } from "./yamlText";

export interface Source {
  readonly yaml: YamlText;
  readonly problems: Problems;
}

/** @returns what a value is, for sentences. */
export function describe(value: Content): string {
  return isMap(value) ? "a mapping" : isSeq(value) ? "a list" : "a single value";
}

export class Section {
  private readonly found = new Map<string, Entry>();
  /** Entries under keys that the vocabulary does not list; only in an open section. */
  readonly others: readonly Entry[];

  /**
   * @param value the mapping; undefined reads as an empty one.
   * @param range where to report what is missing.
   */
  constructor(
    private readonly source: Source,
    readonly noun: string,
    private readonly keys: readonly KeySpec[],
    readonly value: Content | undefined,
    readonly range: Range,
    open = false,
  ) {
    const others: Entry[] = [];
    if (value && !isMap(value)) {
      source.problems.error("wrong-type", rangeOf(value), `This must be ${noun}: “key: value” lines, not ${describe(value)}.`);
    }
    for (const entry of isMap(value) ? source.yaml.entries(value) : []) {
      if (keys.some(({ name }) => name === entry.key)) this.found.set(entry.key, entry);
      else if (open) others.push(entry);
      else if (!entry.key.startsWith(EXTENSION_PREFIX)) this.unknown(entry);
    }
    this.others = others;
    for (const { name, required } of keys) {
      // Of a section that is no mapping at all, that was said.
      if (required && !this.found.has(name) && (!value || isMap(value))) {
        source.problems.error("missing-key", range, `${capital(noun)} needs “${name}”.`);
      }
    }
  }

  has(key: string): boolean {
    return this.found.has(key);
  }

  entry(key: string): Entry | undefined {
    return this.found.get(key);
  }

  /** Range of a key's value; the section's own where it is not written. */
  valueRange(key: string): Range {
    return this.found.get(key)?.valueRange ?? this.range;
  }

  /** A typed value, the vocabulary's default where it is absent or wrong. */
  read(key: string): OptionValue | undefined {
    const spec = this.keys.find(({ name }) => name === key)?.value;
    if (!spec || spec.kind === "section" || spec.kind === "named" || spec.kind === "components" || spec.kind === "workloads" || spec.kind === "faults" || spec.kind === "switches") return undefined;
    const entry = this.found.get(key);
    return (entry && readScalar(this.source, spec, entry)) ?? defaultOf(spec);
  }

  number(key: string): number {
    const value = this.read(key);
    return typeof value === "number" ? value : 0;
  }

  text(key: string): string {
    const value = this.read(key);
    return typeof value === "string" ? value : "";
  }

  flag(key: string): boolean {
    return this.read(key) === true;
  }

  /** All keys that have a value or a default, in the vocabulary's order. */
  options(): Record<string, OptionValue> {
    const options: Record<string, OptionValue> = {};
    for (const { name } of this.keys) {
      const value = this.read(name);
      if (value !== undefined) options[name] = value;
    }
    return options;
  }

  optionRanges(): Map<string, Range> {
    return new Map([...this.found.values()].map(({ key, valueRange }) => [key, valueRange]));
  }

  private unknown({ key, keyRange }: Entry): void {
    const names = this.keys.map(({ name }) => name);
    const near = closest(key, names.filter((name) => !this.found.has(name)));
    if (near === undefined) {
      const list = names.length > 0 ? `known are ${names.join(", ")}` : "it takes none";
      this.source.problems.warning("unknown-key", keyRange, `“${key}” is not a key of ${this.noun}; ${list}.`);
    } else {
      this.source.problems.warning("unknown-key", keyRange, `“${key}” is not a key of ${this.noun}. Did you mean “${near}”?`, replacement(`Change to “${near}”`, keyRange, near));
    }
  }
}

export function capital(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

/** The value that stands where a file says nothing. */
export function defaultOf(spec: ScalarSpec): OptionValue | undefined {
  return "default" in spec ? spec.default : undefined;
}

/** Reads one value by its specification; a problem and undefined where it does not fit. */
export function readScalar({ problems }: Source, spec: ScalarSpec, entry: Entry): OptionValue | undefined {
  const { value, valueRange: range, key } = entry;
  if (!value) {
    problems.error("missing-value", entry.keyRange, `“${key}” has no value.`);
    return undefined;
  }
  if (spec.kind === "integers") {
    const items = isSeq(value) ? value.items.map((item) => (isScalar(item) ? item.value : undefined)) : [undefined];
    if (items.every((item): item is number => typeof item === "number" && Number.isInteger(item) && item >= spec.min && item <= spec.max)) return items;
    problems.error("wrong-type", range, `“${key}” must be a list of whole numbers from ${spec.min} to ${spec.max}, such as [0, 1].`);
    return undefined;
  }
  if (spec.kind === "references") {
    const names = isSeq(value) ? value.items.map((item) => (isScalar(item) ? String(item.value) : undefined)) : [];
    if (names.length > 0 && names.every((name) => name !== undefined)) return names;
    problems.error("wrong-type", range, `“${key}” must be a list of names, such as [a, b].`);
    return undefined;
  }
  if (spec.kind === "arrivals") return readArrivals(problems, spec, entry);
  if (!isScalar(value)) {
    problems.error("wrong-type", range, `“${key}” must be a single value, not ${describe(value)}.`);
    return undefined;
  }
  const plain = value.value;
  const text = typeof plain === "string" ? plain : (value.source ?? String(plain));
  switch (spec.kind) {
    case "text":
    case "reference":
      return text;
    case "file":
      if (text !== "" && !/^([/\\]|[A-Za-z]:)/.test(text)) return text;
      problems.error("bad-file", range, `“${key}” must be a path from the design's own folder, such as arrivals.csv.`);
      return undefined;
    case "name":
      if (isName(text)) return text;
      problems.error("bad-name", range, NAME_RULE);
      return undefined;
    case "flag": {
      const flag = FLAGS.get(text.toLowerCase());
      if (flag === undefined) problems.error("wrong-type", range, `“${key}” must be on or off.`);
      return flag;
    }
    case "address":
      if (isAddress(text)) return text;
      problems.error("bad-address", range, "This must be an IPv4 address such as 10.0.0.2.");
      return undefined;
    case "choice": {
      if (spec.choices.some((choice) => choice.value === text)) return text;
      const names = spec.choices.map((choice) => choice.value);
      const near = closest(text, names);
      problems.error("unknown-value", range, `“${text}” is not known as “${key}”; known: ${names.join(", ")}.`, near === undefined ? undefined : replacement(`Change to “${near}”`, range, near));
      return undefined;
    }
    case "integer":
      if (typeof plain !== "number" || !Number.isInteger(plain)) {
        problems.error("wrong-type", range, `“${key}” must be a whole number.`);
        return undefined;
      }
      if (plain >= spec.min && plain <= spec.max) return plain;
      problems.error("out-of-range", range, `“${key}” must be from ${spec.min} to ${spec.max}.`);
      return undefined;
    case "fraction": {
      const reading = readFraction(text);
      if ("value" in reading) return reading.value;
      problems.error(reading.failure, range, reading.message);
      return undefined;
    }
    default: {
      const reading = readQuantity(spec.kind, text);
      if ("failure" in reading) {
        const { instead } = reading;
        problems.error(reading.failure, range, reading.message, instead === undefined ? undefined : replacement(`Change to “${instead}”`, range, instead));
        return undefined;
      }
      if (reading.value >= spec.min && reading.value <= spec.max) return reading.value;
      problems.error("out-of-range", range, `“${key}” must be from ${formatQuantity(spec.kind, spec.min)} to ${formatQuantity(spec.kind, spec.max)}.`);
      return undefined;
    }
  }
}

/** A list of `[time, size]`; undefined, with a problem, where it is anything else. */
function readArrivals(problems: Problems, spec: Extract<ScalarSpec, { kind: "arrivals" }>, { key, value, valueRange }: Entry): OptionValue | undefined {
  const arrivals: [number, number][] = [];
  const items = isSeq(value) ? value.items : [];
  for (const item of items) {
    const [time, size, rest] = isSeq(item) ? item.items.map((part) => (isScalar(part) ? String(part.value) : "")) : [];
    const at = time === undefined ? undefined : readQuantity("time", time);
    const bytes = size === undefined ? undefined : readQuantity("size", size);
    const fits = at !== undefined && "value" in at && bytes !== undefined && "value" in bytes && rest === undefined &&
      at.value >= (arrivals.at(-1)?.[0] ?? 0) && at.value <= spec.maxTime && bytes.value >= 1 && bytes.value <= spec.maxSize;
    if (fits) arrivals.push([at.value, bytes.value]);
  }
  if (items.length > 0 && arrivals.length === items.length) return arrivals;
  problems.error("wrong-type", valueRange, `“${key}” must be a list of times with sizes, in order, such as [[0, 512B], [10us, 1KiB]].`);
  return undefined;
}

/** YAML 1.1's words for truth as well: people write `iommu: on`. */
const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ["on", true], ["off", false], ["true", true], ["false", false], ["yes", true], ["no", false],
]);

/** Characters of a name: paths are shown on a line, and messages quote them whole. */
const LONGEST_NAME = 64;

export const NAME_RULE = `A name starts with a letter and goes on with letters, digits, “-” and “_”, ${LONGEST_NAME} at most: dots and slashes separate the steps of a path.`;

/** What a name looks like, as a regular expression. */
export const NAME_PATTERN = `^[A-Za-z][A-Za-z0-9_-]{0,${LONGEST_NAME - 1}}$`;

const nameExpression = new RegExp(NAME_PATTERN);

/** Whether a text can be a step of a path. */
export function isName(text: string): boolean {
  return nameExpression.test(text);
}

/** What comes closest to the text as a step of a path. */
export function plain(text: string): string {
  return text.slice(0, LONGEST_NAME).replace(/[^A-Za-z0-9_-]/g, "-");
}

function isAddress(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}
