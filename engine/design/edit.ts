/**
 * Edits from the diagram: pure functions from a text to the changes that mean one gesture. They touch only the words
 * they mean, so comments, order, quoting, line breaks and unknown keys survive, and the inverse gesture restores the bytes.
 *
 * Each result is checked before it is handed out: applied and parsed again, it must mean the gesture and nothing else.
 * That is what refuses text shared through an alias, and anything else that these functions do not foresee.
 */
import { isMap, isScalar, isSeq } from "yaml";
import type { YAMLMap } from "yaml";
import type { Component, Design, Domain, Host, Problem, TextEdit } from "./model";
import { parseDesign } from "./parse";
import { Problems } from "./problems";
import { findDomain, refusal, resolveMove, uplinkTarget } from "./uplinks";
import type { UplinkTarget } from "./uplinks";
import { appendKey, applyEdits, insertKey, replaceWord } from "./yamlEdit";
import { rangeOf, readYaml } from "./yamlText";
import type { Content, Entry, YamlText } from "./yamlText";

export { setPin, setPins } from "./pins";
export { canMoveUplink, freeFunctions, uplinkTarget } from "./uplinks";
export { applyEdits } from "./yamlEdit";

/**
 * Moves a domain's uplink.
 * @param text the file that `design` was parsed from.
 * @param target path of a PCI function, of a network server, or of a device (meaning its first free VF).
 * @returns the edits (none where it is there already), or why not.
 */
export function moveUplink(text: string, design: Design, domainPath: string, target: string): TextEdit[] | Problem {
  const move = resolveMove(design, domainPath, target);
  if ("severity" in move) return move;
  const place = findDomain(design, domainPath);
  if (!place) return refusal(undefined, "unknown-reference", `There is no domain ${domainPath}.`);
  const { host, domain } = place;
  if (uplinkTarget(domain) === move.path) return [];
  const edits = editUplink(readYaml(text, new Problems()), host, domain, move);
  if (edits && meansMove(design, parseDesign(applyEdits(text, edits)).design, domain, move.path)) return edits;
  return refusal(domain, "not-editable", `The uplink of ${domain.path} is written in a way that cannot be changed from here, such as text shared with another domain through an alias. Change it in the file.`);
}

interface DomainNode {
  readonly map: YAMLMap;
  readonly components: Content | undefined;
  readonly uplinks: Content | undefined;
}

/** Of a domain's interfaces, the one that needs the least change comes to use. */
function editUplink(yaml: YamlText, host: Host, domain: Domain, move: UplinkTarget): TextEdit[] | undefined {
  const interfaces = domain.uplinks.map((path) => domain.components.find((c) => c.path === path)).filter((c) => c !== undefined);
  const active = interfaces.find(({ path }) => path === domain.activeUplink);
  const node = domainNode(yaml, host, domain);
  if (!active || !node) return undefined;
  const type = move.kind === "function" ? move.driver : move.server.type === "netback" ? "netfront" : "vif";
  const ready = interfaces.find(({ bind, channel }) => bind === move.path || channel === move.path);
  const used = ready ?? (active.type === type ? active : (interfaces.find((c) => c.type === type) ?? active));
  const edits: TextEdit[] = [];
  if (used !== ready) {
    const changed = editInterface(yaml, host, node.components, used, type, move.path);
    if (!changed) return undefined;
    edits.push(...changed);
  }
  if (used.type !== type && used.id === used.type && isMap(node.uplinks)) edits.push(...renameIn(yaml, node.uplinks, used.id, type));
  if (used !== active) {
    const activate = editActive(yaml, node, used.id);
    if (!activate) return undefined;
    edits.push(activate);
  }
  return edits;
}

function domainNode(yaml: YamlText, host: Host, domain: Domain): DomainNode | undefined {
  const below = (value: Entry["value"], start: number) =>
    isMap(value) ? yaml.entries(value).find(({ keyRange }) => keyRange.start === start)?.value : undefined;
  const named = (value: Entry["value"], key: string) => (isMap(value) ? yaml.entries(value).find((e) => e.key === key)?.value : undefined);
  const hostNode = below(named(yaml.root, "hosts"), host.nameRange.start);
  const node = below(named(hostNode, "domains"), domain.nameRange.start);
  return isMap(node) ? { map: node, components: named(node, "components"), uplinks: named(node, "uplinks") } : undefined;
}

const optionOf = (type: string): string => (type === "vif" || type === "netfront" ? "channel" : "bind");

/** Turns one line of `components` into what the target needs: the type, its option, the option's value. */
function editInterface(yaml: YamlText, host: Host, list: Content | undefined, component: Component, type: string, target: string): TextEdit[] | undefined {
  const { text } = yaml;
  const item = isSeq(list) ? list.items.find((i) => (isScalar(i) || isMap(i)) && rangeOf(i).start === component.range.start) : undefined;
  const option = optionOf(type);
  const edits = component.type === type ? [] : [replaceWord(text, component.nameRange, type)];
  if (isScalar(item)) return [...edits, insertion(component.nameRange.end, `: { ${option}: ${spell(host, target, "")} }`)];
  const options = isMap(item) ? yaml.entries(item)[0] : undefined;
  if (!options) return undefined;
  if (!options.value) {
    const colon = text.indexOf(":", options.keyRange.end);
    return colon < 0 ? undefined : [...edits, insertion(colon + 1, ` { ${option}: ${spell(host, target, "")} }`)];
  }
  if (!isMap(options.value)) return undefined;
  const old = yaml.entries(options.value).find(({ key }) => key === optionOf(component.type));
  if (!old) {
    const entry = `${option}: ${spell(host, target, "")}`;
    const added = appendKey(text, options.value, [entry], entry);
    return added && [...edits, added];
  }
  if (old.key !== option) edits.push(replaceWord(text, old.keyRange, option));
  if (!isScalar(old.value)) return undefined;
  edits.push(replaceWord(text, old.valueRange, spell(host, target, String(old.value.value))));
  return edits;
}

function insertion(at: number, text: string): TextEdit {
  return { range: { start: at, end: at }, text };
}

/** Spells a path as a reference from its host, in the manner of the reference that it replaces. */
function spell(host: Host, path: string, like: string): string {
  const separator = like.includes("/") ? "/" : ".";
  const full = like.startsWith(host.path + separator);
  return (full ? path : path.slice(host.path.length + 1)).replaceAll("/", separator);
}

/** Renames an interface wherever `uplinks` names it. */
function renameIn(yaml: YamlText, uplinks: YAMLMap, from: string, to: string): TextEdit[] {
  const words = yaml.entries(uplinks).flatMap(({ value }) => (isSeq(value) ? value.items : [value]));
  return words.flatMap((word) => (isScalar(word) && word.value === from ? [replaceWord(yaml.text, rangeOf(word), to)] : []));
}

function editActive(yaml: YamlText, { map, uplinks }: DomainNode, id: string): TextEdit | undefined {
  if (!isMap(uplinks)) return insertKey(yaml.text, map, `uplinks: { active: ${id} }`);
  const active = yaml.entries(uplinks).find(({ key }) => key === "active");
  if (active?.value) return replaceWord(yaml.text, active.valueRange, id);
  return active ? undefined : appendKey(yaml.text, uplinks, [`active: ${id}`], `active: ${id}`);
}

/** Whether `after` is `before` with the domain's uplink at `target`, and nothing else moved. */
function meansMove(before: Design, after: Design | undefined, domain: Domain, target: string): boolean {
  const moved = after && findDomain(after, domain.path)?.domain;
  return moved !== undefined && uplinkTarget(moved) === target && signature(before, domain) === signature(after, domain);
}

/** Everything that moving one domain's uplink must leave as it is. */
function signature(design: Design | undefined, domain: Domain): string {
  const interfaces = domain.components.map(({ path }) => domain.uplinks.includes(path));
  return JSON.stringify(design?.hosts.map((host) => [
    host.path, host.iommu, host.devices.map(({ path, vfs }) => [path, vfs]),
    host.domains.map((d) => [
      d.path, d.kind, d.vcpus, d.path === domain.path || d.activeUplink,
      d.components.map((c, i) => (d.path === domain.path && interfaces[i]) || [c.path, c.options, c.bind, c.channel]),
    ]),
  ]));
}
