/** Reads protection domains and the components placed in them. */
import { isMap, isScalar, isSeq } from "yaml";
import { COMPONENTS, componentType, ID_OPTION } from "./catalogue/components";
import type { ComponentDraft, DomainDraft, Paths } from "./draft";
import type { OptionValue, Range } from "./model";
import { replacement } from "./problems";
import { describe, Section } from "./section";
import type { Source } from "./section";
import { closest } from "./spelling";
import { DOMAIN_KINDS, SECTIONS, SYSTEMS } from "./vocabulary";
import type { Content, Entry } from "./yamlText";
import { rangeOf } from "./yamlText";

export function readDomain(source: Source, paths: Paths, host: string, entry: Entry): DomainDraft {
  const { path, id } = paths.claim(source, host, entry.key, entry.keyRange, "Devices and domains of a host need names of their own; rename one.");
  const { noun, keys } = SECTIONS.domain;
  const section = new Section(source, noun, keys, entry.value, entry.keyRange);
  const components = readComponents(source, paths, host, path, section.entry("components"));
  const uplinks = section.entry("uplinks");
  const kind = section.text("kind");
  const affinity = section.read("affinity");
  return {
    section, components,
    uplinks: uplinks && new Section(source, SECTIONS.uplinks.noun, SECTIONS.uplinks.keys, uplinks.value, uplinks.valueRange, true),
    part: {
      path, id, host, range: entry.range, nameRange: entry.keyRange,
      kind: DOMAIN_KINDS.find(({ value }) => value === kind)?.value ?? "vm",
      kernel: undefined, system: SYSTEMS.find(({ value }) => value === section.text("system"))?.value, netMpsafe: section.flag("net-mpsafe"),
      vcpus: section.number("vcpus"), weight: section.number("weight"), cap: section.number("cap"),
      affinity: Array.isArray(affinity) ? affinity.filter((core): core is number => typeof core === "number") : [],
      scheduler: section.text("scheduler") || usualScheduler(kind, section.text("system")), memoryNode: section.has("memory-node") ? section.number("memory-node") : undefined,
      idle: section.text("idle") === "spin" ? "spin" : "halt",
      components: components.map(({ part }) => part), uplinks: [], activeUplink: undefined,
    },
  };
}

/** A kernel is preemptive, as its system is; a library OS in a virtual machine is not. */
function usualScheduler(kind: string, system: string): string {
  if (kind !== "kernel" && kind !== "driver-domain") return "m-n";
  return system === "netbsd" ? "4bsd" : "preemptive";
}

function readComponents(source: Source, paths: Paths, host: string, domain: string, entry: Entry | undefined): ComponentDraft[] {
  if (!entry?.value) return [];
  if (!isSeq(entry.value)) {
    source.problems.error("wrong-type", entry.valueRange, `“components” must be a list, one component a line (“- tcpip”), not ${describe(entry.value)}.`);
    return [];
  }
  const components: ComponentDraft[] = [];
  for (const node of entry.value.items) {
    const item = source.yaml.resolve(node);
    if (!item) {
      source.problems.error("missing-value", entry.keyRange, "A component is missing after a “-”.");
      continue;
    }
    const named = nameOf(source, item);
    if (named) components.push(readComponent(source, paths, host, domain, named, rangeOf(item)));
  }
  return components;
}

interface Named {
  readonly name: string;
  readonly nameRange: Range;
  readonly value: Content | undefined;
}

/** The name and options of a list item: `- name`, or `- name: { … }`. Undefined, with a problem, where it is neither. */
export function nameOf(source: Source, item: Content): Named | undefined {
  if (isScalar(item)) return { name: String(item.value), nameRange: rangeOf(item), value: undefined };
  const [first, second] = isMap(item) ? source.yaml.entries(item) : [];
  if (!first) {
    source.problems.error("wrong-type", rangeOf(item), `This must be a name, or “name: { … }”, not ${describe(item)}.`);
    return undefined;
  }
  if (second) {
    source.problems.error("wrong-type", second.keyRange, `“${second.key}” does not belong beside “${first.key}”. Indent it below “${first.key}:”, or begin a new line with “-”.`);
  }
  return { name: first.key, nameRange: first.keyRange, value: first.value };
}

function readComponent(source: Source, paths: Paths, host: string, domain: string, { name, nameRange, value }: Named, range: Range): ComponentDraft {
  const type = componentType(name);
  if (!type) {
    const near = closest(name, COMPONENTS.map((c) => c.type));
    source.problems.error(
      "unknown-component", nameRange, `There is no component “${name}”${near === undefined ? `; known: ${COMPONENTS.map((c) => c.type).join(", ")}.` : `. Did you mean “${near}”?`}`,
      near === undefined ? undefined : replacement(`Change to “${near}”`, nameRange, near),
    );
  }
  // Of an unknown component any key may be right.
  const section = new Section(source, `the component ${name}`, [...(type?.options ?? []), ID_OPTION], value, nameRange, type === undefined);
  const { id: given, ...options } = section.options();
  const idRange = section.entry("id")?.valueRange ?? nameRange;
  const { path, id } = paths.claim(source, domain, typeof given === "string" ? given : name, idRange, "Give one of them a name of its own with “id”.");
  return {
    section,
    part: { path, id, host, domain, type: name, range, nameRange, options, optionRanges: section.optionRanges(), bind: undefined, channel: undefined, below: undefined },
  };
}

/** A component that the file does not spell; its ranges are those of what implies it. */
export function impliedComponent(source: Source, paths: Paths, host: string, domain: string, type: string, range: Range, nameRange: Range, extra: Record<string, OptionValue> = {}): ComponentDraft {
  const section = new Section(source, type, (componentType(type)?.options ?? []).map((key) => ({ ...key, required: false })), undefined, nameRange);
  const { path, id } = paths.number(`${domain}/`, type);
  return {
    section,
    part: { path, id, host, domain, type, range, nameRange, options: { ...section.options(), ...extra }, optionRanges: new Map(), bind: undefined, channel: undefined, below: undefined },
  };
}
