/** The JSON Schema of the design file, made from the vocabulary and the catalogue: schema.json is its output, checked in. */
import { COMPONENTS, ID_OPTION } from "./catalogue/components";
import { FAULTS, faultTarget } from "./catalogue/faults";
import { POLICIES } from "./catalogue/policies";
import { WORKLOADS } from "./catalogue/workloads";
import { NAME_PATTERN } from "./section";
import { COMMON_UNITS, formatQuantity } from "./units";
import { EXTENSION_PREFIX, SECTIONS } from "./vocabulary";
import type { KeySpec, SectionName, ValueSpec } from "./vocabulary";

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

const NUMBER = "[0-9]*\\.?[0-9]+([eE][+-]?[0-9]+)?";
const DRAFT = "http://json-schema.org/draft-07/schema#";

/** @returns the schema, draft 7 (what editors support best). */
export function jsonSchema(): Json {
  const definitions: Record<string, Json> = {};
  for (const name of sectionNames()) {
    definitions[name] = SECTIONS[name].open ? openSection(name) : object(SECTIONS[name].keys);
  }
  definitions["component"] = {
    description: "A component placed in the domain.",
    anyOf: [
      ...COMPONENTS.filter(({ options }) => !options.some(({ required }) => required)).map(({ type, doc }) => ({ const: type, description: doc })),
      ...COMPONENTS.map(({ type, doc, options }) => entry(type, doc, object([...options, ID_OPTION]))),
    ],
  };
  definitions["workload"] = { anyOf: WORKLOADS.map(({ kind, doc, options }) => entry(kind, doc, object(options))) };
  definitions["fault"] = {
    anyOf: FAULTS.map((type) => object([...SECTIONS.fault.keys, faultTarget(type), ...type.options])),
  };
  definitions["switch"] = {
    anyOf: [
      object(SECTIONS.switch.keys),
      ...POLICIES.map(({ kind, doc, options }) => object([{ name: "policy", doc, value: { kind: "choice", choices: [{ value: kind, doc }] }, required: true }, ...options])),
    ],
  };
  return { $schema: DRAFT, title: "Exoscope design", ...object(SECTIONS.design.keys), definitions };
}

function sectionNames(): SectionName[] {
  const names: SectionName[] = ["machine", "load-generator", "cpu", "device", "sriov", "vf", "hypervisor", "domain", "uplinks", "link", "run", "costs", "cost", "layout", "pins"];
  return names;
}

function object(keys: readonly KeySpec[]): { [key: string]: Json } {
  const required = keys.filter((key) => key.required).map(({ name }) => name);
  return {
    // A key with nothing after it is a section with nothing in it.
    type: required.length > 0 ? "object" : ["object", "null"],
    properties: Object.fromEntries(keys.map(({ name, doc, value }) => [name, { description: doc, ...schemaOf(value) }])),
    patternProperties: { [`^${EXTENSION_PREFIX}`]: {} },
    additionalProperties: false,
    ...(required.length > 0 ? { required } : {}),
  };
}

function entry(name: string, doc: string, value: Json): Json {
  return { type: "object", properties: { [name]: value }, required: [name], additionalProperties: false, description: doc };
}

function openSection(name: SectionName): Json {
  const properties = Object.fromEntries(SECTIONS[name].keys.map((key) => [key.name, { description: key.doc, ...schemaOf(key.value) }]));
  const items: Json = name === "pins" ? { type: "array", items: { type: "number" }, minItems: 2, maxItems: 2 }
    : name === "costs" ? { anyOf: [schemaOf(SECTIONS.cost.keys[0]!.value), schemaOf({ kind: "section", section: "cost" })] }
    : { type: "array", items: { type: "string" } };
  return { type: ["object", "null"], properties, additionalProperties: items };
}

function schemaOf(value: ValueSpec): { [key: string]: Json } {
  const fallback: { [key: string]: Json } = "default" in value && value.default !== undefined ? { default: value.default } : {};
  switch (value.kind) {
    case "integer":
      return { type: "integer", minimum: value.min, maximum: value.max, ...fallback };
    case "flag":
      return { enum: [true, false, "on", "off", "yes", "no"], ...fallback };
    case "choice":
      return { enum: value.choices.map((c) => c.value), ...fallback };
    case "text":
      return { type: ["string", "number"], ...fallback };
    case "file":
      return { type: "string", minLength: 1 };
    case "name":
      return { type: "string", pattern: NAME_PATTERN };
    case "address":
      return { type: "string", format: "ipv4" };
    case "reference":
      return { type: "string" };
    case "references":
      return { type: "array", minItems: 1, items: { type: "string" } };
    case "arrivals":
      return {
        type: "array", minItems: 1,
        items: { type: "array", items: [schemaOf({ kind: "time", min: 0, max: value.maxTime }), schemaOf({ kind: "size", min: 1, max: value.maxSize })], minItems: 2, maxItems: 2 },
      };
    case "integers":
      return { type: "array", items: { type: "integer", minimum: value.min, maximum: value.max } };
    case "fraction":
      return { anyOf: [{ type: "number", minimum: 0, maximum: 1 }, { type: "string", pattern: `^${NUMBER}%?$` }], ...fallback };
    case "size":
    case "time":
    case "rate": {
      const bare: Json = value.kind === "size" ? { type: "integer", minimum: 0 } : { const: 0 };
      const text = { type: "string", pattern: `^${NUMBER}\\s*[A-Za-z\u00b5\u03bc/]*$`, description: `With a unit: ${COMMON_UNITS[value.kind].join(", ")}.` };
      return { anyOf: [bare, text], ...(value.default === undefined ? {} : { default: formatQuantity(value.kind, value.default) }) };
    }
    case "section":
      return { $ref: `#/definitions/${value.section}` };
    case "named": {
      const refs = value.sections.map((name) => ({ $ref: `#/definitions/${name}` }));
      const [only] = refs;
      return { type: ["object", "null"], propertyNames: { pattern: NAME_PATTERN }, additionalProperties: refs.length === 1 && only ? only : { anyOf: refs } };
    }
    case "components":
      return list("component");
    case "workloads":
      return list("workload");
    case "faults":
      return list("fault");
    case "switches":
      return list("switch");
  }
}

function list(of: string): { [key: string]: Json } {
  return { type: ["array", "null"], items: { $ref: `#/definitions/${of}` } };
}
