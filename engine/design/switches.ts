/** Reads when applications change their uplinks: switches at a time, and policies that decide. */
import { isMap } from "yaml";
import { POLICIES } from "./catalogue/policies";
import type { DesignDraft, DomainDraft, HostDraft, Paths, PolicyDraft, SwitchDraft } from "./draft";
import { replacement } from "./problems";
import { optionRange } from "./resolve";
import { plain, Section } from "./section";
import type { Source } from "./section";
import { closest } from "./spelling";
import { isUnassigned, switchableUplinks } from "./switchable";
import { SECTIONS } from "./vocabulary";
import type { KeySpec } from "./vocabulary";
import { items } from "./workloads";
import { rangeOf } from "./yamlText";

/** The key that makes an entry of `switches` a policy. */
export const POLICY_KEY: KeySpec = {
  name: "policy", doc: "What decides, in place of a time.",
  value: { kind: "choice", choices: POLICIES.map(({ kind, doc }) => ({ value: kind, doc })) }, required: true,
};

export function readSwitches(source: Source, paths: Paths, root: Section): { switches: SwitchDraft[]; policies: PolicyDraft[] } {
  const switches: SwitchDraft[] = [];
  const policies: PolicyDraft[] = [];
  for (const item of items(source, root, "switches")) {
    const range = rangeOf(item);
    if (isMap(item) && item.has("policy")) {
      const kind = String(item.get("policy"));
      const type = POLICIES.find((p) => p.kind === kind);
      const section = new Section(source, type === undefined ? "a policy" : `the policy ${kind}`, [POLICY_KEY, ...(type?.options ?? [])], item, range, type === undefined);
      section.read("policy");
      if (type === undefined) continue;
      const { policy: _policy, switch: _switch, among: _among, ...options } = section.options();
      const { path } = paths.number("switches/", kind);
      policies.push({ section, part: { path, id: kind, range, nameRange: section.valueRange("policy"), kind, domains: [], domainRanges: [], options } });
    } else {
      const section = new Section(source, SECTIONS.switch.noun, SECTIONS.switch.keys, item, range);
      const { path, id } = paths.number("switches/", plain(section.text("switch")) || "switch");
      switches.push({
        section,
        part: { path, id, range, nameRange: section.entry("switch")?.keyRange ?? range, at: section.number("at"), domain: "", to: "", domainRange: section.valueRange("switch"), toRange: section.valueRange("to") },
      });
    }
  }
  return { switches, policies };
}

/** Follows `to`, and says what cannot be switched. Domains are resolved, and their uplinks. */
export function resolveSwitches(source: Source, { hosts, switches, policies }: DesignDraft): void {
  const domains = hosts.flatMap((host) => host.domains);
  const domainAt = (path: string): DomainDraft | undefined => domains.find(({ part }) => part.path === path);
  for (const { part, section } of switches) {
    const domain = domainAt(part.domain);
    if (domain === undefined || !checkSwitchable(source, domain, part.domainRange)) continue;
    const { vif, drivers } = switchableUplinks(domain.part)!;
    const name = section.text("to");
    const found = name === "server" ? vif : name === "direct" ? drivers[0] : [vif, ...drivers].find(({ id }) => id === name);
    if (found !== undefined) part.to = found.path;
    else if (name !== "") {
      const names = ["server", "direct", vif.id, ...drivers.map(({ id }) => id)];
      const near = closest(name, names);
      source.problems.error(
        "unknown-reference", part.toRange, `${part.domain} cannot switch to “${name}”; it can to ${names.join(", ")}.`,
        near === undefined ? undefined : replacement(`Change to “${near}”`, part.toRange, near),
      );
    }
  }
  for (const { part, section } of policies) {
    const able = part.domains.map((path, i) => {
      const domain = domainAt(path);
      return domain !== undefined && checkSwitchable(source, domain, part.domainRanges[i]!);
    });
    part.domainRanges = part.domainRanges.filter((_, i) => able[i]);
    part.domains = part.domains.filter((_, i) => able[i]);
    const { above, below } = part.options;
    if (typeof above === "number" && typeof below === "number" && below > above) {
      source.problems.error("out-of-range", section.valueRange("below"), "“below” is more than “above”: the application would go back and forth without end. Make it smaller.");
      part.domains = [];
    }
  }
  for (const { part, section } of domains) {
    for (const driver of part.components.filter(isUnassigned)) {
      const uplinks = switchableUplinks(part);
      if (uplinks?.drivers.includes(driver) === true && part.activeUplink !== driver.path) continue;
      const range = uplinks === undefined ? (driver.optionRanges.get("bind") ?? driver.nameRange) : section.has("uplinks") ? section.valueRange("uplinks") : driver.nameRange;
      source.problems.error(
        "function-unassigned", range,
        `${driver.path} names a device, of which it gets a VF only when ${part.path} switches to direct access. ${uplinks === undefined ? "Name a function, or add a vif beside it that frames go by until then." : `Begin with “active: ${uplinks.vif.id}”.`}`,
      );
    }
  }
}

function checkSwitchable({ problems }: Source, { part }: DomainDraft, range: { start: number; end: number }): boolean {
  if (switchableUplinks(part) !== undefined) return true;
  problems.error("not-switchable", range, `${part.path} has nothing to switch between: a VIF and a driver must be among its uplinks, such as uplinks: { tcpip: [vif, ixgbe], active: vif }.`);
  return false;
}

/** An address is probed only where it comes to another interface while the machine runs. */
export function checkProbes({ problems }: Source, { domains }: HostDraft): void {
  const switchable = domains.map(({ part }) => switchableUplinks(part)?.vif);
  domains.forEach(({ components }, d) => {
    for (const component of components) {
      const { part } = component;
      const moves = part.type === "netserver" ? switchable.some((vif) => vif?.channel === part.path) : switchable[d] !== undefined;
      if (!part.optionRanges.has("probes") || part.options["probes"] === 0 || moves) continue;
      const whose = part.type === "netserver" ? `No application of ${part.path} can switch to direct access` : `${part.domain} cannot switch between a network server and direct access`;
      problems.warning("no-effect", optionRange(component, "probes"), `${whose}, so that no address moves: “probes” has no effect.`);
    }
  });
}
