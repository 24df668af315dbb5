import { isMap } from "yaml";
import { assignAddresses } from "./addresses";
import { check } from "./checks";
import { readCosts } from "./costs";
import { Paths } from "./draft";
import type { DesignDraft, WorkloadDraft } from "./draft";
import { readHosts } from "./hosts";
import type { Design, FileUse, ParseResult } from "./model";
import { Problems, replacement } from "./problems";
import { resolveProcesses } from "./processes";
import { resolveReferences } from "./references";
import { bindFunctions, resolveUplinks } from "./resolve";
import { describe, Section } from "./section";
import type { Source } from "./section";
import { STARTER_DESIGN } from "./starter";
import { SECTIONS } from "./vocabulary";
import { readSwitches, resolveSwitches } from "./switches";
import { readFaults, readPins, readRun, readWorkloads, resolveServers } from "./workloads";
import { lineBreak } from "./yamlEdit";
import { rangeOf, readYaml } from "./yamlText";

/**
 * Reads a design file.
 *
 * Never throws and never gives up: what can be read is in the design, what cannot is among the problems, each with the
 * exact range that it is about. Takes time linear in the text, whatever the text.
 * @param text the whole file. Ranges are UTF-16 offsets into it.
 */
export function parseDesign(text: string): ParseResult {
  const problems = new Problems();
  const yaml = readYaml(text, problems);
  const source: Source = { yaml, problems };
  if (!yaml.root || !isMap(yaml.root)) {
    if (yaml.root) problems.error("not-a-design", rangeOf(yaml.root), `A design is a mapping that starts with “exoscope: 1”; this is ${describe(yaml.root)}.`);
    else if (problems.list().length === 0) {
      problems.error("not-a-design", { start: 0, end: text.length }, "This file is empty. A design starts with “exoscope: 1” and its hosts.", replacement("Insert a small design", { start: text.length, end: text.length }, STARTER_DESIGN));
    }
    return { design: undefined, problems: problems.list() };
  }
  const start = rangeOf(yaml.root).start;
  const root = new Section(source, SECTIONS.design.noun, SECTIONS.design.keys.map((key) => ({ ...key, required: false })), yaml.root, { start, end: start });
  checkVersion(source, root, start);
  return { design: readDesign(source, root), problems: problems.list() };
}

function readDesign(source: Source, root: Section): Design {
  const paths = new Paths();
  const { hosts, links } = readHosts(source, paths, root);
  const draft: DesignDraft = {
    hosts, links, workloads: readWorkloads(source, paths, root), faults: readFaults(source, paths, root),
    ...readSwitches(source, paths, root), run: readRun(source, root),
  };
  resolveReferences(source, draft);
  resolveServers(source, draft);
  for (const host of hosts) {
    bindFunctions(source, host);
    for (const domain of host.domains) resolveUplinks(source, domain);
  }
  resolveProcesses(source, draft);
  resolveSwitches(source, draft);
  assignAddresses(source, hosts);
  check(source, draft);
  return {
    name: root.text("name"), profile: root.text("profile"),
    hosts: hosts.map(({ part }) => part), links: links.filter(({ part }) => part.to !== "").map(({ part }) => part),
    workloads: draft.workloads.filter(({ part }) => part.from !== "" && part.to !== "").map(({ part }) => part),
    faults: draft.faults.filter(({ part }) => part.target !== "").map(({ part }) => part),
    switches: draft.switches.filter(({ part }) => part.to !== "").map(({ part }) => part),
    policies: draft.policies.filter(({ part }) => part.domains.length > 0).map(({ part }) => part),
    run: draft.run.part, files: draft.workloads.flatMap(filesOfWorkload), costs: readCosts(source, root, root.text("profile")), pins: readPins(source, root),
  };
}

function filesOfWorkload({ part, section }: WorkloadDraft): FileUse[] {
  const { file, arrivals } = part.options;
  return arrivals === "file" && typeof file === "string" ? [{ workload: part.path, name: file, range: section.valueRange("file") }] : [];
}

function checkVersion({ problems, yaml }: Source, root: Section, start: number): void {
  const version = root.entry("exoscope");
  const range = version?.valueRange ?? { start, end: start };
  if (!version) {
    problems.error("not-a-design", range, "A design says which version of the format it is in: “exoscope: 1”.", { title: "Insert “exoscope: 1”", edits: [{ range, text: `exoscope: 1${lineBreak(yaml.text)}` }] });
  } else if (!isVersion1(version.value)) {
    problems.error("unsupported-version", range, "This version of Exoscope reads format 1 only.", replacement("Change to 1", range, "1"));
  }
  if (version && !root.has("hosts")) problems.error("missing-key", version.range, "A design needs “hosts”.");
}

function isVersion1(value: unknown): boolean {
  return typeof value === "object" && value !== null && "value" in value && value.value === 1;
}
