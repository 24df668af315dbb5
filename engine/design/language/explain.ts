import { componentType } from "../catalogue/components";
import { deviceModel } from "../catalogue/devices";
import { WORKLOADS } from "../catalogue/workloads";
import type { Component, Design, Part, PciFunction, Range } from "../model";
import { parseDesign } from "../parse";
import { Problems } from "../problems";
import { defaultOf } from "../section";
import { formatQuantity, readQuantity } from "../units";
import type { KeySpec } from "../vocabulary";
import { readYaml } from "../yamlText";
import { placeAt } from "./place";

/** What a hover says: a heading, a sentence on what it is, and facts of this design. */
export interface Explanation {
  readonly title: string;
  readonly doc: string;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly range: Range;
}

/** @returns what the word at an offset means; undefined where there is nothing to say. */
export function explain(text: string, offset: number): Explanation | undefined {
  const place = placeAt(readYaml(text, new Problems()), offset);
  if (!place) return undefined;
  const { expected, range, word, steps } = place;
  const { design } = parseDesign(text);
  const part = design && partAt(design, range);
  switch (expected.kind) {
    case "keys": {
      const key = expected.keys.find(({ name }) => name === steps.at(-1));
      return key && { title: key.name, doc: key.doc, facts: defaultFact(key), range };
    }
    case "type": {
      const name = word.replace(/^["']|["']$/g, "");
      const type = expected.list === "components" ? componentType(name) : WORKLOADS.find(({ kind }) => kind === name);
      return type && { title: type.title, doc: type.doc, facts: part ? factsOf(part) : [], range };
    }
    case "name":
      return part && { title: part.path, doc: describePart(part), facts: factsOf(part), range };
    case "value": {
      const { spec, key } = expected;
      if (spec.kind === "choice") {
        const choice = spec.choices.find(({ value }) => value === word);
        return choice && { title: choice.value, doc: choice.doc, facts: [], range };
      }
      if (spec.kind === "reference" || spec.kind === "references") {
        const target = design && targetOf(design, range);
        return target && { title: target.path, doc: describePart(target), facts: factsOf(target), range };
      }
      if (spec.kind !== "size" && spec.kind !== "time" && spec.kind !== "rate") return { title: key.name, doc: key.doc, facts: defaultFact(key), range };
      const reading = readQuantity(spec.kind, word.replace(/^["']|["']$/g, ""));
      const exact = "value" in reading ? [{ name: EXACT[spec.kind], value: grouped(reading.value) }] : [];
      return { title: key.name, doc: key.doc, facts: [...exact, ...defaultFact(key)], range };
    }
    case "interface":
      return undefined;
  }
}

const EXACT = { size: "bytes", time: "picoseconds", rate: "bits per second" } as const;

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

function defaultFact({ value }: KeySpec): { name: string; value: string }[] {
  if (value.kind === "section" || value.kind === "named" || value.kind === "components" || value.kind === "workloads" || value.kind === "faults" || value.kind === "switches") return [];
  const fallback = defaultOf(value);
  if (fallback === undefined || fallback === "") return [];
  const quantity = value.kind === "size" || value.kind === "time" || value.kind === "rate" ? value.kind : undefined;
  return [{ name: "default", value: quantity && typeof fallback === "number" ? formatQuantity(quantity, fallback) : fallback === true ? "on" : fallback === false ? "off" : String(fallback) }];
}

/** Every part that the file spells, from hosts down. */
export function partsOf(design: Design): Part[] {
  return [
    ...design.hosts.flatMap((host) => [
      host, ...(host.hypervisor ? [host.hypervisor] : []), ...host.devices.flatMap((d) => [d, ...d.functions]), ...host.domains.flatMap((d) => [d, ...d.components]),
    ]),
    ...design.links, ...design.workloads, ...design.faults, ...design.switches, ...design.policies,
  ];
}

function partAt(design: Design, { start, end }: Range): Part | undefined {
  return partsOf(design).find(({ nameRange }) => nameRange.start === start && nameRange.end === end);
}

/** What the reference at a range was resolved to. */
function targetOf(design: Design, at: Range): Part | undefined {
  const byPath = (path: string | undefined) => partsOf(design).find((part) => part.path === path);
  const inside = ({ range }: Part) => range.start <= at.start && at.end <= range.end;
  for (const component of design.hosts.flatMap(({ domains }) => domains).flatMap(({ components }) => components)) {
    if (component.optionRanges.get("bind")?.start === at.start) return byPath(component.bind);
    if (component.optionRanges.get("channel")?.start === at.start) return byPath(component.channel);
  }
  const link = design.links.find(inside);
  if (link) return byPath(link.to);
  const workload = design.workloads.find(inside);
  if (workload) return byPath(at.start === workload.toRange.start ? workload.named : workload.from);
  const change = design.switches.find(inside);
  if (change) return byPath(at.start === change.toRange.start ? change.to : change.domain);
  const policy = design.policies.find(inside);
  if (policy) return byPath(policy.domains[policy.domainRanges.findIndex(({ start }) => start === at.start)]);
  const fault = design.faults.find(inside);
  return fault && byPath(fault.target);
}

function describePart(part: Part): string {
  if ("type" in part && typeof part.type === "string") return componentType(part.type)?.doc ?? "";
  if ("model" in part && typeof part.model === "string") return deviceModel(part.model)?.doc ?? "";
  return "";
}

function factsOf(part: Part): { name: string; value: string }[] {
  const facts: { name: string; value: string }[] = [];
  const add = (name: string, value: string | number | undefined) => {
    if (value !== undefined && value !== "") facts.push({ name, value: String(value) });
  };
  if (isComponent(part)) {
    add("path", part.path);
    for (const option of componentType(part.type)?.options ?? []) {
      const value = part.options[option.name];
      const { kind } = option.value;
      if (typeof value === "number" && (kind === "size" || kind === "time" || kind === "rate")) add(option.name, formatQuantity(kind, value));
      else if (option.name !== "bind" && option.name !== "channel" && value !== undefined) add(option.name, String(value));
    }
    add("bound to", part.bind);
    add("channel to", part.channel);
  } else if (isFunction(part)) add("bound to", part.boundTo ?? "nothing");
  else if ("vcpus" in part && "components" in part) {
    add("kind", "kind" in part ? String(part.kind) : undefined);
    add("vCPUs", String(part.vcpus));
    add("uplink", "activeUplink" in part && typeof part.activeUplink === "string" ? part.activeUplink : undefined);
  } else if ("vfs" in part && "mtu" in part) {
    add("VFs", String(part.vfs));
    add("MTU", `${String(part.mtu)} B`);
  } else if ("cores" in part) add("pCPUs", String(part.cores));
  return facts;
}

function isComponent(part: Part): part is Component {
  return "optionRanges" in part;
}

function isFunction(part: Part): part is PciFunction {
  return "device" in part && "boundTo" in part;
}
