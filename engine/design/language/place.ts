/** Which part of the vocabulary an offset of the text is about. */
import { isMap, isScalar, isSeq } from "yaml";
import type { Node } from "yaml";
import { COMPONENTS, componentType, ID_OPTION } from "../catalogue/components";
import { FAULTS, faultTarget } from "../catalogue/faults";
import { POLICIES } from "../catalogue/policies";
import { WORKLOADS } from "../catalogue/workloads";
import type { Range } from "../model";
import { defaultOf } from "../section";
import { SECTIONS } from "../vocabulary";
import type { KeySpec, ScalarSpec, SectionName } from "../vocabulary";
import { POLICY_KEY } from "../switches";
import { profileCosts } from "../../profiles/profile";
import { rangeOf } from "../yamlText";
import type { YamlText } from "../yamlText";

/** What may stand somewhere in the file. */
export type Expected =
  /** Keys of a section; `present` are written already. */
  | { readonly kind: "keys"; readonly keys: readonly KeySpec[]; readonly present: readonly string[] }
  /** The name of a component, workload: an entry of a list. */
  | { readonly kind: "type"; readonly list: "components" | "workloads" }
  | { readonly kind: "value"; readonly key: KeySpec; readonly spec: ScalarSpec }
  /** A name that the user chooses. */
  | { readonly kind: "name"; readonly sections: readonly SectionName[] }
  /** The name of an interface of the domain. */
  | { readonly kind: "interface" };

export interface Place {
  readonly expected: Expected;
  /** The word at the offset, quotes included; empty where there is none yet. */
  readonly word: string;
  readonly range: Range;
  /** Keys and list indices from the root to the word; for a key, its own name is the last. */
  readonly steps: readonly (string | number)[];
}

type Level =
  | { readonly kind: "section"; readonly keys: readonly KeySpec[]; readonly uplinks?: boolean }
  | { readonly kind: "named"; readonly sections: readonly SectionName[] }
  | { readonly kind: "list"; readonly list: "components" | "workloads" | "faults" | "switches" }
  | { readonly kind: "item"; readonly list: "components" | "workloads" }
  | { readonly kind: "scalar"; readonly key: KeySpec; readonly spec: ScalarSpec }
  | { readonly kind: "interfaces" };

/** @returns what stands at `offset` of the text that `yaml` was read from; undefined where nothing that a design knows does. */
export function placeAt(yaml: YamlText, offset: number): Place | undefined {
  let node: unknown = yaml.root;
  let level: Level = { kind: "section", keys: SECTIONS.design.keys };
  const profile = isMap(yaml.root) ? yaml.root.get("profile") : undefined;
  const steps: (string | number)[] = [];
  for (;;) {
    if (isMap(node)) {
      const pair = node.items.find(({ key, value }) => touches(key, offset) || touches(value, offset));
      if (!pair || !isScalar(pair.key)) return undefined;
      const name = String(pair.key.value);
      steps.push(name);
      if (touches(pair.key, offset)) {
        const present = node.items.flatMap(({ key }) => (isScalar(key) && key !== pair.key ? [String(key.value)] : []));
        const expected = expectedKey(level, present);
        return expected && { expected, word: sourceOf(yaml, pair.key), range: rangeOf(pair.key), steps };
      }
      const below: Level | undefined = steps.length === 1 && name === "costs" ? { kind: "section", keys: costKeys(profile) } : descend(level, name, pair.value);
      if (!below) return undefined;
      node = pair.value;
      level = below;
    } else if (isSeq(node)) {
      const index = node.items.findIndex((item) => touches(item, offset));
      const names = level.kind === "scalar" && level.spec.kind === "references";
      if (index < 0 || (level.kind !== "list" && level.kind !== "interfaces" && !names)) return undefined;
      steps.push(index);
      node = node.items[index];
      if (level.kind === "list") level = level.list === "faults" ? { kind: "section", keys: faultKeys(node) } : level.list === "switches" ? { kind: "section", keys: switchKeys(node) } : { kind: "item", list: level.list };
    } else if (isScalar(node)) {
      const expected = expectedScalar(level);
      return expected && { expected, word: sourceOf(yaml, node), range: rangeOf(node), steps };
    } else return undefined;
  }
}

function touches(node: unknown, offset: number): node is Node {
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return false;
  const { start, end } = rangeOf(node);
  return start <= offset && offset <= end;
}

function sourceOf(yaml: YamlText, node: Node): string {
  const { start, end } = rangeOf(node);
  return yaml.text.slice(start, end);
}

function expectedKey(level: Level, present: readonly string[]): Expected | undefined {
  switch (level.kind) {
    case "section":
      return { kind: "keys", keys: level.keys, present };
    case "named":
      return { kind: "name", sections: level.sections };
    case "item":
      return { kind: "type", list: level.list };
    default:
      return undefined;
  }
}

function expectedScalar(level: Level): Expected | undefined {
  switch (level.kind) {
    case "scalar":
      return { kind: "value", key: level.key, spec: level.spec };
    case "interfaces":
      return { kind: "interface" };
    case "item":
      return { kind: "type", list: level.list };
    // A word where a mapping belongs is the start of its first key.
    case "section":
      return { kind: "keys", keys: level.keys, present: [] };
    default:
      return undefined;
  }
}

function descend(level: Level, name: string, value: unknown): Level | undefined {
  if (level.kind === "named") {
    const model = isMap(value) ? value.get("model") : undefined;
    const section = level.sections.find((s) => s === model) ?? level.sections[0];
    return section && { kind: "section", keys: SECTIONS[section].keys };
  }
  if (level.kind === "item") {
    const options = level.list === "components" ? [...(componentType(name)?.options ?? []), ID_OPTION] : WORKLOADS.find(({ kind }) => kind === name)?.options;
    return options && { kind: "section", keys: options };
  }
  if (level.kind !== "section") return undefined;
  const key = level.keys.find((k) => k.name === name);
  if (!key) return level.uplinks ? { kind: "interfaces" } : undefined;
  const { value: spec } = key;
  // A cost is a time, or what a call and what a byte costs.
  if (isMap(value) && spec.kind === "time") return { kind: "section", keys: SECTIONS.cost.keys };
  switch (spec.kind) {
    case "section":
      return { kind: "section", keys: SECTIONS[spec.section].keys, uplinks: spec.section === "uplinks" };
    case "named":
      return { kind: "named", sections: spec.sections };
    case "components":
    case "workloads":
    case "faults":
    case "switches":
      return { kind: "list", list: spec.kind };
    default:
      return level.uplinks ? { kind: "interfaces" } : { kind: "scalar", key, spec };
  }
}

/** The costs that the profile has, each with what it says of it. */
function costKeys(profile: unknown): KeySpec[] {
  const call = SECTIONS.cost.keys.find(({ name }) => name === "call")!.value as ScalarSpec & { readonly kind: "time" };
  const fallback = defaultOf(SECTIONS.design.keys.find(({ name }) => name === "profile")!.value as ScalarSpec);
  return [...profileCosts(String(profile ?? fallback))].map(([name, cost]): KeySpec => ({ name, doc: `${cost.source} (${cost.basis})`, value: { ...call, default: cost.call } }));
}

/** Keys of a fault; all kinds' where it does not say yet which it is. */
function faultKeys(node: unknown): KeySpec[] {
  const said = FAULTS.filter(({ kind }) => isMap(node) && node.has(kind));
  return [
    ...SECTIONS.fault.keys,
    ...(said.length > 0 ? said : FAULTS).flatMap((type): KeySpec[] => [faultTarget(type), ...type.options]),
  ];
}

/** Keys of a switch, or of the policy that it names; both where it does not say yet. */
function switchKeys(node: unknown): KeySpec[] {
  const policy = isMap(node) ? node.get("policy") : undefined;
  const said = POLICIES.filter(({ kind }) => kind === policy);
  const timed = isMap(node) && (node.has("at") || node.has("to"));
  const names = new Set<string>();
  const keys = [...(policy === undefined ? SECTIONS.switch.keys : []), ...(timed ? [] : [POLICY_KEY, ...(said.length > 0 ? said : POLICIES).flatMap(({ options }) => options)])];
  return keys.filter(({ name }) => !names.has(name) && names.add(name));
}

/** @returns title and documentation of what may be an entry of a list. */
export function entryTypes(list: "components" | "workloads"): { name: string; title: string; doc: string; options: readonly KeySpec[] }[] {
  return list === "components"
    ? COMPONENTS.map(({ type, title, doc, options }) => ({ name: type, title, doc, options }))
    : WORKLOADS.map(({ kind, title, doc, options }) => ({ name: kind, title, doc, options }));
}
