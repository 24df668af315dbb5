/** Fills in what follows from the rest of a design: owners of functions, uplinks. */
import { isInterface } from "./catalogue/components";
import type { ComponentDraft, DomainDraft, HostDraft } from "./draft";
import type { Range } from "./model";
import { replacement } from "./problems";
import type { Source } from "./section";
import { closest } from "./spelling";
import { isScalar, isSeq } from "yaml";
import { rangeOf } from "./yamlText";

/** Range of an option's value; the component's name where it is not written. */
export function optionRange({ part }: ComponentDraft, option: string): Range {
  return part.optionRanges.get(option) ?? part.nameRange;
}

/** Gives each PCI function to the first driver that binds it; a second one is a problem. */
export function bindFunctions({ problems }: Source, host: HostDraft): void {
  const functions = host.devices.flatMap((device) => device.functions);
  const bound = host.domains.flatMap(({ components }) => components).filter(({ part }) => part.bind !== undefined);
  for (const component of bound) {
    const f = functions.find(({ path }) => path === component.part.bind);
    if (f && f.boundTo === undefined) f.boundTo = component.part.path;
  }
  for (const component of bound) {
    const f = functions.find(({ path }) => path === component.part.bind);
    if (!f || f.boundTo === component.part.path) continue;
    const range = optionRange(component, "bind");
    const free = functions.find(({ boundTo, device, id }) => boundTo === undefined && device === f.device && id !== "pf");
    const name = free && free.path.slice(host.part.path.length + 1).replaceAll("/", ".");
    problems.error(
      "function-taken", range, `${f.path} is bound to ${f.boundTo} already, and a PCI function has one driver. ${name === undefined ? "No VF is free; raise “vfs”." : `${name} is free.`}`,
      name === undefined ? undefined : replacement(`Change to “${name}”`, range, name),
    );
  }
}

/** The interfaces of a domain: those that `uplinks` lists, or all; and which one is in use. */
export function resolveUplinks({ problems, yaml }: Source, domain: DomainDraft): void {
  const { part, components, uplinks } = domain;
  const interfaces = components.filter(({ part: { type } }) => isInterface(type));
  part.uplinks = interfaces.map(({ part: { path } }) => path);
  part.activeUplink = part.uplinks[0];
  const find = (name: string, range: Range): string | undefined => {
    const found = interfaces.find(({ part: { id } }) => id === name);
    if (found) return found.part.path;
    const near = closest(name, interfaces.map(({ part: { id } }) => id)) ?? (interfaces.length === 1 ? interfaces[0]?.part.id : undefined);
    problems.error(
      "unknown-reference", range, `There is no interface “${name}” in ${part.path}.${near === undefined ? "" : ` Did you mean “${near}”?`}`,
      near === undefined ? undefined : replacement(`Change to “${near}”`, range, near),
    );
    return undefined;
  };
  for (const { key, keyRange, value, valueRange } of uplinks?.others ?? []) {
    if (!components.some(({ part: { id, type } }) => id === key && type === "tcpip")) {
      problems.error("unknown-reference", keyRange, `There is no TCP/IP component “${key}” in ${part.path}.`);
      continue;
    }
    if (!isSeq(value)) {
      problems.error("wrong-type", valueRange, "This must be a list of interfaces, such as [vif, ixgbe].");
      continue;
    }
    const listed: string[] = [];
    for (const node of value.items) {
      const item = yaml.resolve(node);
      const path = isScalar(item) ? find(String(item.value), rangeOf(item)) : undefined;
      if (path !== undefined && !listed.includes(path)) listed.push(path);
    }
    if (listed.length > 0) part.uplinks = listed;
    part.activeUplink = part.uplinks[0];
  }
  if (uplinks?.has("active")) {
    const active = find(uplinks.text("active"), uplinks.valueRange("active"));
    if (active !== undefined && part.uplinks.includes(active)) part.activeUplink = active;
    else if (active !== undefined) {
      problems.error("wrong-reference", uplinks.valueRange("active"), `“${uplinks.text("active")}” is not among the uplinks of ${part.path}. Add it to the list.`);
    }
  } else if (part.uplinks.length > 1 && components.some(({ part: { type } }) => type === "tcpip")) {
    const range = interfaces[1]?.part.nameRange ?? part.nameRange;
    problems.warning("uplink-unclear", range, `${part.path} has several interfaces; ${part.activeUplink} is used. Say which with uplinks: { tcpip: [${interfaces.map(({ part: { id } }) => id).join(", ")}], active: ${interfaces[0]?.part.id} }.`);
  }
}
