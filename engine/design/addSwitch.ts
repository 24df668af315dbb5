import { isMap, isSeq } from "yaml";
import type { Design, Domain, Problem, TextEdit } from "./model";
import { parseDesign } from "./parse";
import { Problems } from "./problems";
import { switchableUplinks } from "./switchable";
import { formatQuantity, readQuantity } from "./units";
import { findDomain, refusal } from "./uplinks";
import { appendKey, applyEdits, lineBreak, lineEnd, lineStart } from "./yamlEdit";
import { rangeOf, readYaml } from "./yamlText";
import type { YamlText } from "./yamlText";

/** The domains of a design whose uplink can be switched while it runs. */
export function switchableDomains(design: Design): Domain[] {
  return design.hosts.flatMap(({ domains }) => domains).filter((domain) => switchableUplinks(domain) !== undefined);
}

/**
 * Adds an entry to `switches`: a domain changes its uplink at a time.
 * @param to path of the interface, among those that {@link switchableUplinks} has
 * @param at picoseconds
 * @returns the edits, or why not
 */
export function addSwitch(text: string, design: Design, domainPath: string, to: string, at: number): TextEdit[] | Problem {
  const domain = findDomain(design, domainPath)?.domain;
  const switchable = domain && switchableUplinks(domain);
  const interfaces = switchable === undefined ? [] : [switchable.vif, ...switchable.drivers];
  const interface_ = interfaces.find(({ path }) => path === to);
  if (domain === undefined || switchable === undefined || interface_ === undefined) {
    return refusal(domain, "not-switchable", `${domainPath} cannot switch to ${to}: a VIF and a driver must be among its uplinks.`);
  }
  const word = interface_ === switchable.vif ? "server" : interface_ === switchable.drivers[0] ? "direct" : interface_.id;
  const yaml = readYaml(text, new Problems());
  // The short name, and where that could be another's, the full one.
  for (const name of [domain.id, domain.path.replaceAll("/", ".")]) {
    const edit = insert(yaml, `{ at: ${spellTime(at)}, switch: ${name}, to: ${word} }`);
    const after = edit && parseDesign(applyEdits(text, [edit])).design?.switches;
    if (edit && after?.length === design.switches.length + 1 && after.some((s) => s.domain === domain.path && s.to === to && s.at === at)) return [edit];
  }
  return refusal(domain, "not-editable", "The list of switches is written in a way that cannot be changed from here. Change it in the file.");
}

function insert(yaml: YamlText, entry: string): TextEdit | undefined {
  const { text, root } = yaml;
  if (!isMap(root)) return undefined;
  const newline = lineBreak(text);
  const list = yaml.entries(root).find(({ key }) => key === "switches");
  if (!list) return appendKey(text, root, ["switches:", `  - ${entry}`], `switches: [${entry}]`);
  const last = isSeq(list.value) ? list.value.items.at(-1) : undefined;
  const item = last === undefined ? undefined : yaml.resolve(last);
  if (!isSeq(list.value) || item === undefined) {
    const colon = text.indexOf(":", list.keyRange.end);
    // What stands there is nothing, or an empty list.
    return colon < 0 ? undefined : { range: { start: colon + 1, end: Math.max(colon + 1, list.value ? list.valueRange.end : 0) }, text: `${newline}  - ${entry}` };
  }
  const { start, end } = rangeOf(item);
  if (list.value.flow) return { range: { start: end, end }, text: `, ${entry}` };
  const before = text.slice(lineStart(text, start), start);
  if (!/^ *- +$/.test(before)) return undefined;
  const at = /[\r\n]/.test(text[end - 1] ?? "") ? end : lineEnd(text, end);
  const closed = /[\r\n]/.test(text[at - 1] ?? "");
  return { range: { start: at, end: at }, text: closed ? `${before}${entry}${newline}` : `${newline}${before}${entry}` };
}

/** A time in the largest unit that says it exactly. */
function spellTime(picoseconds: number): string {
  const short = formatQuantity("time", picoseconds);
  const reading = readQuantity("time", short);
  return "value" in reading && reading.value === picoseconds ? short : `${picoseconds}ps`;
}
