/** Reads what happens to the machine: workloads and who answers them, faults, the run's settings; and the diagram's pins. */
import { isMap, isScalar, isSeq } from "yaml";
import { FAULTS, faultTarget } from "./catalogue/faults";
import { answers, WORKLOADS } from "./catalogue/workloads";
import { nameOf } from "./domains";
import type { DesignDraft, FaultDraft, Paths, RunDraft, WorkloadDraft } from "./draft";
import { subsection } from "./hosts";
import type { OptionValue } from "./model";
import { replacement } from "./problems";
import { describe, plain, Section } from "./section";
import type { Source } from "./section";
import { closest } from "./spelling";
import { SECTIONS } from "./vocabulary";
import type { Content } from "./yamlText";
import { rangeOf } from "./yamlText";

/** The entries of a list under a key of the design. */
export function items(source: Source, root: Section, key: string): Content[] {
  const entry = root.entry(key);
  if (!entry?.value) return [];
  if (isSeq(entry.value)) {
    return entry.value.items.map((node) => source.yaml.resolve(node)).filter((item) => item !== undefined);
  }
  source.problems.error("wrong-type", entry.valueRange, `“${key}” must be a list, one entry a “-”, not ${describe(entry.value)}.`);
  return [];
}

export function readWorkloads(source: Source, paths: Paths, root: Section): WorkloadDraft[] {
  const workloads: WorkloadDraft[] = [];
  for (const item of items(source, root, "workloads")) {
    const named = nameOf(source, item);
    if (!named) continue;
    const type = WORKLOADS.find(({ kind }) => kind === named.name);
    if (!type) {
      const near = closest(named.name, WORKLOADS.map(({ kind }) => kind));
      source.problems.error(
        "unknown-workload", named.nameRange, `There is no workload “${named.name}”; known: ${WORKLOADS.map(({ kind }) => kind).join(", ")}.`,
        near === undefined ? undefined : replacement(`Change to “${near}”`, named.nameRange, near),
      );
      continue;
    }
    const section = new Section(source, `a ${type.title} workload`, type.options, named.value, named.nameRange);
    const { from: _from, to: _to, ...options } = section.options();
    const { path } = paths.number("workloads/", `${type.kind}-${plain(section.text("from"))}-${plain(section.text("to"))}`);
    workloads.push({
      section,
      part: { path, id: type.kind, range: rangeOf(item), nameRange: named.nameRange, kind: type.kind, from: "", to: "", named: "", toRange: section.valueRange("to"), server: undefined, options },
    });
  }
  return workloads;
}

/** Finds who answers each workload: the server that it names; of a domain that it names, the first of its type whose protocol fits. */
export function resolveServers({ problems }: Source, { hosts, workloads }: DesignDraft): void {
  const domains = new Map(hosts.flatMap((host) => host.domains).flatMap((domain) => [domain, ...domain.components].map(({ part: { path } }) => [path, domain] as const)));
  for (const { part, section } of workloads) {
    const domain = domains.get(part.named);
    const type = WORKLOADS.find(({ kind }) => kind === part.kind);
    if (!domain || !type) continue;
    const { server, protocol } = type;
    const isDomain = part.named === domain.part.path;
    const servers = domain.components.filter((c) => c.part.type === server && (isDomain || c.part.path === part.named));
    const fitting = servers.filter((c) => answers(type, c.part));
    const [first, second] = fitting;
    part.to = domain.part.path;
    part.server = (first ?? servers[0])?.part.path;
    const text = section.text("to");
    if (servers.length === 0) {
      problems.error("workload-without-server", part.toRange, isDomain
        ? `${part.to} has no ${server} to answer this workload. Add “- ${server}” to its components, or name another domain.`
        : `“${text}” is no ${server} to answer this workload. Name one, or a domain with one in it.`);
    } else if (first === undefined) {
      const other = protocol === "tcp" ? "UDP" : "TCP";
      problems.error("workload-without-server", part.toRange, `The ${server} ${isDomain ? "of " : ""}${part.named} serves ${other}. Give it “protocol: ${protocol}”, or choose another workload.`);
    } else if (second !== undefined) {
      const names = fitting.map((c) => `${text}.${c.part.id}`);
      problems.warning("server-unclear", part.toRange, `${part.to} has ${fitting.length} components of the type ${server} that could answer; ${first.part.id} is asked. Say which with to: ${names.slice(0, -1).join(", ")} or ${names.at(-1)}.`);
    }
  }
}

export function readFaults(source: Source, paths: Paths, root: Section): FaultDraft[] {
  const faults: FaultDraft[] = [];
  for (const item of items(source, root, "faults")) {
    const range = rangeOf(item);
    const entries = isMap(item) ? source.yaml.entries(item) : [];
    const type = FAULTS.find(({ kind }) => entries.some(({ key }) => key === kind));
    if (!type) {
      source.problems.error("unknown-fault", range, `This does not say what happens; known: ${FAULTS.map(({ kind }) => `“${kind}: …”`).join(", ")}.`);
      continue;
    }
    const section = new Section(source, SECTIONS.fault.noun, [...SECTIONS.fault.keys, faultTarget(type), ...type.options], item, range);
    const options: Record<string, OptionValue> = {};
    for (const { name } of type.options) {
      const value = section.read(name);
      if (value !== undefined) options[name] = value;
    }
    const { path } = paths.number("faults/", `${type.kind}-${plain(section.text(type.kind))}`);
    faults.push({
      section,
      part: {
        path, id: type.kind, range, nameRange: section.entry(type.kind)?.keyRange ?? range, at: section.number("at"), kind: type.kind, target: "", options,
      },
    });
  }
  return faults;
}

export function readRun(source: Source, root: Section): RunDraft {
  const section = subsection(source, root, "run", "run");
  return { section, part: { until: section.number("until"), seed: section.number("seed") } };
}

export function readPins(source: Source, root: Section): Map<string, { x: number; y: number }> {
  const pins = new Map<string, { x: number; y: number }>();
  const layout = subsection(source, root, "layout", "layout");
  for (const { key, value, valueRange } of subsection(source, layout, "pins", "pins").others) {
    const [x, y, rest] = isSeq(value) ? value.items.map((item) => (isScalar(item) ? item.value : undefined)) : [];
    if (isFinite(x) && isFinite(y) && rest === undefined) pins.set(key, { x, y });
    else source.problems.warning("wrong-type", valueRange, "A position is two numbers, such as [120, 40].");
  }
  return pins;
}

function isFinite(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
